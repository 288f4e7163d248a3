//! Reading a program: numbers, texts and paths from its bytes, telling ones more often than others. At its end
//! everything is nothing. Makes no call.

/// Numbers that are at the edge of something.
const EDGES: [u64; 12] =
    [0, 1, 2, 255, 4096, 65_536, 1 << 20, (1 << 31) - 1, 1 << 32, 1 << 53, i64::MAX as u64, u64::MAX];
/// Texts that mean something to somebody.
const WORDS: [&str; 16] = [
    "",
    "\0",
    "\u{1b}[2J",
    "\u{1b}]0;x\u{7}",
    "\u{202e}abc",
    "\n\n\n",
    "\r",
    "{\"a\":1}",
    "[",
    "--help",
    "../x",
    "a\u{200d}b",
    "\u{9b}31m",
    "null",
    "\u{feff}",
    "granted",
];
/// Parts of paths, of which some are there and some lead where nothing may lead.
const PARTS: [&str; 31] = [
    "..",
    ".",
    "",
    "docs",
    "a.md",
    "granted.md",
    "secret.txt",
    "escape",
    "out",
    "b",
    "link",
    "dir",
    ".git",
    ".docket",
    ".env",
    "config",
    "outside",
    "victim.txt",
    "\0",
    "..\\",
    "NUL",
    "program",
    "CON.md",
    "a b",
    "ü",
    "cache-of-another",
    "x.md",
    "proc",
    "project",
    "in",
    "cache",
];

/// A program and how far it is carried out.
pub(crate) struct Program<'a> {
    bytes: &'a [u8],
}

impl<'a> Program<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// A byte as a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte().unwrap_or_default()) % end.max(1)
    }

    /// Any number: small, at an edge, or of eight bytes.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte().unwrap_or_default() {
            small @ 0..=127 => u64::from(small),
            edge @ 128..=223 => EDGES[usize::from(edge) % EDGES.len()],
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte().unwrap_or_default())),
        }
    }

    /// Any text: a word, some bytes, or a long one.
    pub(crate) fn text(&mut self) -> String {
        match self.byte().unwrap_or_default() {
            word @ 0..=95 => WORDS[usize::from(word) % WORDS.len()].to_owned(),
            length @ 96..=239 => {
                let (text, rest) = self.bytes.split_at(usize::from(length - 96).min(self.bytes.len()));
                self.bytes = rest;
                String::from_utf8_lossy(text).into_owned()
            }
            long => "x\u{e9}\n".repeat(1 << (usize::from(long) % 22)),
        }
    }

    /// Any path, of up to eight parts.
    pub(crate) fn path(&mut self) -> String {
        let shape = self.byte().unwrap_or_default();
        let mut path = if shape & 8 == 0 { String::new() } else { "/".to_owned() };
        for number in 0..=shape % 8 {
            if number > 0 {
                path.push('/');
            }
            match self.byte().unwrap_or_default() {
                part @ 0..=223 => path.push_str(PARTS[usize::from(part) % PARTS.len()]),
                _ => path.push_str(&self.text().chars().take(300).collect::<String>()),
            }
        }
        if shape & 16 != 0 {
            path.push('/');
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_over_is_nothing() {
        let mut program = Program::new(&[5]);
        assert_eq!(program.number(), 5);
        assert_eq!(
            (program.byte(), program.number(), program.text(), program.below(3)),
            (None, 0, String::new(), 0)
        );
        assert_eq!(Program::new(&[9, 0, 3]).path(), "/../docs");
    }
}
