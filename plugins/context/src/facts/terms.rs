//! A document's words in the form in which they are compared: hashes with counts by field. Plain counting; what a
//! word is worth is decided across all documents.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use docket_markdown::Document;
use foldhash::HashMap;
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

/// So many different words of a document are kept; those it uses most, and those of its headings.
pub const MAXIMUM: usize = 1_000;
/// So many different words have room before more is made.
const EXPECTED: usize = 800;
/// The first words of a document sum it up: those that start within so many bytes are its lead.
const LEAD: usize = 1_200;

/// Shorter and longer words say nothing.
const MINIMUM_WORD: usize = 3;
const MAXIMUM_WORD: usize = 40;

/// Words too common in English documents to say what one is about.
const STOP_WORDS: &str = "a about above after again against all also an and any are as at be because been before being \
below between both but by can could did do does doing down during each either etc few for from further had has have \
having he her here hers him his how however i if in into is it its itself just may me might more most must my no nor not \
now of off on once one only or other our out over own per same she should so some such than that the their them then \
there these they this those through to too two under until up upon us use used using very was we were what when where \
whether which while who whom why will with within without would you your e g http https www com org md";

/// No word among them is longer.
const LONGEST_STOP_WORD: usize = 7;

/// Whether the word with this hash is one of [`STOP_WORDS`]; asked for each word of each document, and nearly always in vain.
fn is_stop_word(hash: u32) -> bool {
    static STOPS: LazyLock<(Vec<u64>, Table<()>)> = LazyLock::new(|| {
        let mut bits = vec![0; 64];
        let hashes = STOP_WORDS.split(' ').map(self::hash);
        hashes.clone().for_each(|hash| bits[(hash >> 6 & 63) as usize] |= 1_u64 << (hash & 63));
        (bits, hashes.map(|hash| (hash, ())).collect())
    });
    let (bits, all) = &*STOPS;
    bits[(hash >> 6 & 63) as usize] >> (hash & 63) & 1 == 1 && all.contains_key(&hash)
}

/// How often a document uses a word, by field. Counts stop at 255.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the title and the file's name.
    pub title: u8,
    /// In headings.
    pub heading: u8,
    /// In the first paragraphs.
    pub lead: u8,
    /// In all running text, headings and first paragraphs too.
    pub body: u8,
    /// In code blocks.
    pub code: u8,
}

/// A word of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermCount {
    /// [`hash`] of the word.
    pub term: u32,
    /// How often it is there.
    pub counts: Counts,
}

/// How much a document says: what its words are weighed against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// All words of running text and code, also those that are not kept.
    pub length: u32,
    /// Words of title, headings and first paragraphs.
    pub opening: u32,
    /// Different words.
    pub different: u32,
    /// The different words of the title and the file's name, sorted.
    pub title: Vec<u32>,
}

/// A table by hashes of words. Where a word is looked for is a secret of the process: whoever writes a document can't
/// choose words that are all looked for in the same place.
pub type Table<V> = HashMap<u32, V>;

/// FNV-1a, 64 bits: the same on every machine.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);

    fn with(self, byte: u8) -> Self {
        Self((self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The hash before its last byte was added: the multiplier has an inverse.
    fn without(self, byte: u8) -> Self {
        Self(self.0.wrapping_mul(0xce96_5057_aff6_957b) ^ u64::from(byte))
    }

    /// Both halves folded into one.
    fn folded(self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "the halves are folded into one")]
        let folded = (self.0 ^ (self.0 >> 32)) as u32;
        folded
    }
}

/// The hash of a word. Two words of a project share one rarely enough to leave the order of results as it is.
pub(crate) fn hash(word: &str) -> u32 {
    word.bytes().fold(Fnv::START, Fnv::with).folded()
}

/// Counts the words of a document with this path and title. What it says of how much there is, and the words, in no order.
pub fn read(path: &str, title: &str, document: &Document) -> (Extent, Vec<TermCount>) {
    let mut counter = Counter::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    counter.count(title, |counts, _| up(&mut counts.title));
    counter.count(name.split('.').next().unwrap_or_default(), |counts, _| up(&mut counts.title));
    for section in &document.sections {
        counter.count(&section.title, |counts, _| up(&mut counts.heading));
    }
    counter.length = 0;
    let text = document.readable.trim_start();
    counter.count(text, |counts, at| {
        up(&mut counts.body);
        if at < LEAD {
            up(&mut counts.lead);
        }
    });
    for field in document.front_matter.iter().filter(|field| field.is("description") || field.is("summary")) {
        counter.count(&field.value, |counts, _| up(&mut counts.lead));
    }
    for block in &document.code_blocks {
        counter.count(&block.text, |counts, _| up(&mut counts.code));
    }
    counter.finish()
}

fn up(count: &mut u8) {
    *count = count.saturating_add(1);
}

struct Counter {
    length: u32,
    counts: Table<Counts>,
}

impl Counter {
    fn new() -> Self {
        Self { length: 0, counts: Table::with_capacity_and_hasher(EXPECTED, RandomState::default()) }
    }

    /// Counts the words of `text`; `up` gets the counts of a word and where it starts.
    fn count(&mut self, text: &str, up: impl Fn(&mut Counts, usize)) {
        for_each_term(text, |term, place| {
            self.length = self.length.saturating_add(1);
            up(self.counts.entry(term).or_default(), place.start);
        });
    }

    fn finish(self) -> (Extent, Vec<TermCount>) {
        let Self { length, counts } = self;
        let mut words: Vec<TermCount> =
            counts.into_iter().map(|(term, counts)| TermCount { term, counts }).collect();
        if words.len() > MAXIMUM {
            words.sort_unstable_by_key(|word| (Reverse(worth(word.counts)), word.term));
            words.truncate(MAXIMUM);
        }
        let opening = |word: &TermCount| {
            let Counts { title, heading, lead, .. } = word.counts;
            u32::from(title) + u32::from(heading) + u32::from(lead)
        };
        let mut title: Vec<u32> =
            words.iter().filter(|word| word.counts.title > 0).map(|word| word.term).collect();
        title.sort_unstable();
        let extent = Extent {
            length,
            opening: words.iter().map(opening).sum(),
            different: u32::try_from(words.len()).unwrap_or(u32::MAX),
            title,
        };
        (extent, words)
    }
}

/// How much a word says about the document it is in, when not all can be kept.
fn worth(counts: Counts) -> u32 {
    let Counts { title, heading, lead, body, code } = counts;
    8 * u32::from(title) + 4 * u32::from(heading) + u32::from(lead) + u32::from(body) + u32::from(code)
}

/// The words of a text as it writes them, for people, by hash.
pub(crate) fn words(text: &str) -> Table<String> {
    let mut words = Table::default();
    for_each_term(text, |term, place| {
        words.entry(term).or_insert_with(|| text[place].to_lowercase());
    });
    words
}

/// Calls `each` with every word: the hash of its lower case, and where it stands. Words are runs of letters and digits of
/// at least three bytes; a name such as `tokenURI` counts as a whole and by its parts; scripts that are written without
/// spaces count by pairs of characters.
pub fn for_each_term(text: &str, mut each: impl FnMut(u32, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut run = Run::new();
        let mut class = OTHER;
        while let Some(byte) = bytes.get(at) {
            class = CLASSES[usize::from(*byte)];
            if class >= WIDE {
                break;
            }
            run.push(*byte, class);
            at += 1;
        }
        if class == WIDE {
            // What is not ASCII may be a letter or a dash.
            let rest = &text[start..];
            let length = rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len());
            if length > at - start {
                at = start + length;
                if length >= MINIMUM_WORD {
                    each_of_script(text, start..at, &mut each);
                }
                continue;
            }
        }
        if (MINIMUM_WORD..=MAXIMUM_WORD).contains(&(at - start)) && run.seen != DIGIT {
            offer(run, &bytes[start..at], start, &mut each);
            if run.seen & LOWER != 0 && run.seen & UPPER != 0 {
                each_of_name(&bytes[start..at], start, &mut each);
            }
        }
        // Past what ends the word.
        at += 1;
        while bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
            at += 1;
        }
    }
}

/// What a byte is in a word: letters and digits by a bit each, a part of a character beyond ASCII, or what ends a word.
const DIGIT: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 4;
const WIDE: u8 = 8;
const OTHER: u8 = 9;

/// The class of each byte: most of the time of reading a document goes into going through its words.
const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            0x80.. => WIDE,
            _ => OTHER,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// A run of letters and digits, as far as it was read.
#[derive(Clone, Copy)]
struct Run {
    /// Of its lower case.
    hash: Fnv,
    /// The classes of its bytes.
    seen: u8,
}

impl Run {
    fn new() -> Self {
        Self { hash: Fnv::START, seen: 0 }
    }

    fn of(bytes: &[u8]) -> Self {
        let mut run = Self::new();
        bytes.iter().for_each(|byte| run.push(*byte, CLASSES[usize::from(*byte)]));
        run
    }

    fn push(&mut self, byte: u8, class: u8) {
        // What makes a letter lower case is three places above what says that it is not.
        self.hash = self.hash.with(byte | (class & UPPER) << 3);
        self.seen |= class;
    }
}

/// The parts of a name that is written with humps.
fn each_of_name(name: &[u8], place: usize, each: &mut impl FnMut(u32, Range<usize>)) {
    let is_border = |at: &usize| name[at - 1].is_ascii_lowercase() && name[*at].is_ascii_uppercase();
    let mut start = 0;
    for end in (1..name.len()).filter(is_border).chain([name.len()]) {
        let part = &name[start..end];
        let run = Run::of(part);
        if part.len() >= MINIMUM_WORD && part.len() < name.len() && run.seen != DIGIT {
            offer(run, part, place + start, each);
        }
        start = end;
    }
}

/// Calls `each` with the word that `run` has read, which begins at `place`, unless it says nothing. A plural's ending is
/// taken off, and no more: a stem that means two things costs more than one that is missed.
fn offer(run: Run, word: &[u8], place: usize, each: &mut impl FnMut(u32, Range<usize>)) {
    let hash = run.hash.folded();
    if word.len() <= LONGEST_STOP_WORD && is_stop_word(hash) {
        return;
    }
    let stem = match word {
        [_, _, .., before, b's' | b'S'] if !matches!(before | 0x20, b's' | b'u' | b'i') => {
            run.hash.without(b's').folded()
        }
        _ => hash,
    };
    each(stem, place..place + word.len());
}

/// The words of a run that is not all ASCII: as it is, and for scripts without spaces each pair of characters.
fn each_of_script(text: &str, place: Range<usize>, each: &mut impl FnMut(u32, Range<usize>)) {
    let is_unspaced = |character: char| matches!(character as u32, 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x9fff | 0x20000..=0x3ffff);
    let piece = &text[place.clone()];
    if !piece.chars().any(is_unspaced) {
        if piece.len() <= 2 * MAXIMUM_WORD {
            let lower = piece.to_lowercase();
            let whole = place.clone();
            offer(Run::of(lower.as_bytes()), lower.as_bytes(), 0, &mut |term, _| each(term, whole.clone()));
        }
        return;
    }
    let mut last = None;
    for (at, character) in piece.char_indices() {
        let is_pair = last.is_some_and(|(_, before)| is_unspaced(before)) && is_unspaced(character);
        if let Some((from, _)) = last.filter(|_| is_pair) {
            let end = at + character.len_utf8();
            let pair = &piece.as_bytes()[from..end];
            offer(Run::of(pair), pair, place.start + from, each);
        }
        last = Some((at, character));
    }
    let mut from = 0;
    for latin in piece.split(|character: char| !character.is_ascii()) {
        let start = from + piece[from..].find(latin).unwrap_or(0);
        from = start + latin.len();
        if latin.len() >= MINIMUM_WORD {
            offer(Run::of(latin.as_bytes()), latin.as_bytes(), place.start + start, each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_their_parts_and_scripts_by_pairs() {
        let found = |text: &str| {
            let mut found = Vec::new();
            for_each_term(text, |term, place| found.push((term, text[place].to_lowercase())));
            assert!(
                found
                    .iter()
                    .all(|(term, word)| *term == hash(word) || *term == hash(&word[..word.len() - 1]))
            );
            found.into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        assert_eq!(found("the tokenURI, Sandboxes"), ["tokenuri", "token", "uri", "sandboxes"]);
        assert_eq!(found("参见journal日志。Größe"), ["参见", "日志", "journal", "größe"]);
        assert_eq!(found("é ab 123 x—yz—TEST…end"), ["test", "end"]);
        assert_eq!(found("GRASS glass bus Words 1a2b"), ["grass", "glass", "bus", "words", "1a2b"]);
    }

    #[test]
    fn words_too_common_are_short() {
        assert_eq!(STOP_WORDS.split(' ').map(str::len).max(), Some(LONGEST_STOP_WORD));
    }

    #[test]
    fn words_are_counted_by_field() {
        let text = "# Sandboxes\n\nA sandbox and its grants.\n\n## Sandbox\n\n```\nsandbox()\n```\n";
        let (extent, words) = read("x.md", "Sandboxes", &docket_markdown::parse(text));
        let of = |text: &str| words.iter().find(|word| word.term == hash(text)).map(|word| word.counts);
        let sandbox = Counts { title: 0, heading: 1, lead: 2, body: 2, code: 1 };
        assert_eq!(of("sandbox"), Some(sandbox));
        assert_eq!(of("sandboxe").map(|counts| (counts.title, counts.heading)), Some((1, 1)));
        assert!(of("grant").is_some() && of("its").is_none());
        assert_eq!((extent.length, extent.different, extent.title), (5, 3, vec![hash("sandboxe")]));
    }

    #[test]
    fn of_very_many_words_those_of_headings_are_kept() {
        let many: String = (0..3_000).map(|number| format!("word{number}x ")).collect();
        let text = format!("# T\n\n{many}\n\n## Kept heading\n");
        let (extent, words) = read("x.md", "T", &docket_markdown::parse(&text));
        assert_eq!((words.len(), extent.different), (MAXIMUM, 1_000));
        assert!(words.iter().any(|word| word.term == hash("kept")));
    }
}
