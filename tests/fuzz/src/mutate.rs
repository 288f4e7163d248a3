//! Changes inputs at random, but the same way for the same seed: what the short run in the tests does instead of a
//! fuzzer that watches coverage. Knows nothing about what an input means.

/// Numbers that look random (SplitMix64): the same sequence for the same seed on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.number() % end).unwrap_or(0)
    }
}

/// Bytes that parsers treat in a special way.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\n\r\t \x1b\"'\\/.,:;{}[]()<>$%&*?~-_=+#|@!0129azAZ";
/// Words that have a meaning somewhere in docket.
const WORDS: [&str; 24] = [
    "..",
    "../",
    "${{ ",
    " }}",
    "{{",
    "}}",
    "{%",
    "%}",
    "${",
    "null",
    "true",
    "-1",
    "18446744073709551615",
    "1e999",
    ".git",
    ".docket",
    "\u{feff}",
    "\u{202e}",
    "stages.",
    "matrix",
    "inputs.",
    "if: ",
    "- name: ",
    "\u{1b}[31m",
];

/// Changes bytes in one to six places. Pieces of `other` may get in.
pub fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
            3 => replace(&mut bytes, at, at, WORDS[random.below(WORDS.len())].as_bytes()),
            4 => bytes.truncate(at),
            5 => {
                let end = end_of_piece(&bytes, at, random);
                bytes.drain(at..end);
            }
            6 => {
                let piece = bytes[at..end_of_piece(&bytes, at, random)].to_vec();
                let to = random.below(bytes.len() + 1);
                replace(&mut bytes, to, to, &piece);
            }
            7 => {
                let from = random.below(other.len() + 1);
                let piece = &other[from..end_of_piece(other, from, random)];
                replace(&mut bytes, at, at, piece);
            }
            _ => {
                let end = end_of_piece(&bytes, at, random);
                let word = WORDS[random.below(WORDS.len())].as_bytes();
                replace(&mut bytes, at, end, word);
            }
        }
    }
    bytes
}

fn end_of_piece(bytes: &[u8], at: usize, random: &mut Random) -> usize {
    let longest = if random.below(4) == 0 { 400 } else { 12 };
    (at + random.below(longest)).min(bytes.len())
}

fn replace(bytes: &mut Vec<u8>, from: usize, to: usize, with: &[u8]) {
    bytes.splice(from..to, with.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_another_one_others() {
        let series = |seed| {
            let mut random = Random::new(seed);
            (0..50).map(|_| mutate(b"name: x", b"other", &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(series(1), series(1));
        assert_ne!(series(1), series(2));
    }
}
