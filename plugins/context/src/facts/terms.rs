//! A document's words in the form in which they are compared: hashes with counts by field. Plain counting; what a
//! word is worth is decided across all documents.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use docket_markdown::Document;
use serde::{Deserialize, Serialize};

/// So many different words of a document are kept; those it uses most, and those of its headings.
pub const MAXIMUM: usize = 1_000;
/// The first words of a document sum it up: so many bytes of text count as its lead.
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

static STOPS: LazyLock<HashSet<u32, BuildHasherDefault<Fnv>>> =
    LazyLock::new(|| STOP_WORDS.split(' ').map(hash).collect());

/// How often a document uses a word, by field. Counts stop at 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermCount {
    /// [`hash`] of the word.
    pub term: u32,
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

/// The words of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// All words, also those that are not kept.
    pub length: u32,
    /// By hash.
    #[serde(with = "super::packed")]
    pub counts: Vec<TermCount>,
}

/// FNV-1a: the same on every machine, and the words are the user's own.
#[derive(Default)]
pub struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        let mut hash = if self.0 == 0 { 0xcbf2_9ce4_8422_2325 } else { self.0 };
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.0 = hash;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A table by hashes of words.
pub type Table<V> = HashMap<u32, V, BuildHasherDefault<Fnv>>;

/// The hash of a word. Two words of a project share one rarely enough to leave the order of results as it is.
pub(crate) fn hash(word: &str) -> u32 {
    let mut hasher = Fnv::default();
    hasher.write(word.as_bytes());
    let hash = hasher.finish();
    #[expect(clippy::cast_possible_truncation, reason = "the halves are folded into one")]
    let folded = (hash ^ (hash >> 32)) as u32;
    folded
}

/// Counts the words of a document with this path and title.
pub fn read(path: &str, title: &str, document: &Document) -> Terms {
    let mut counter = Counter::default();
    let name = path.rsplit('/').next().unwrap_or(path);
    counter.count(title, |count| &mut count.title);
    counter.count(name.split('.').next().unwrap_or_default(), |count| &mut count.title);
    for section in &document.sections {
        counter.count(&section.title, |count| &mut count.heading);
    }
    counter.count(lead(&document.readable), |count| &mut count.lead);
    counter.length = 0;
    counter.count(&document.readable, |count| &mut count.body);
    for field in document.front_matter.iter().filter(|field| field.is("description") || field.is("summary")) {
        counter.count(&field.value, |count| &mut count.lead);
    }
    for block in &document.code_blocks {
        counter.count(&block.text, |count| &mut count.code);
    }
    counter.terms()
}

/// The first paragraphs.
fn lead(text: &str) -> &str {
    let text = text.trim_start();
    let mut end = LEAD.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    &text[..end]
}

#[derive(Default)]
struct Counter {
    length: u32,
    counts: Table<TermCount>,
}

impl Counter {
    fn count(&mut self, text: &str, field: impl Fn(&mut TermCount) -> &mut u8) {
        for_each_term(text, |term, _| {
            self.length = self.length.saturating_add(1);
            let empty = TermCount { term, title: 0, heading: 0, lead: 0, body: 0, code: 0 };
            let count = field(self.counts.entry(term).or_insert(empty));
            *count = count.saturating_add(1);
        });
    }

    fn terms(self) -> Terms {
        let mut counts: Vec<TermCount> = self.counts.into_values().collect();
        let worth = |count: &TermCount| {
            8 * u32::from(count.title)
                + 4 * u32::from(count.heading)
                + u32::from(count.lead)
                + u32::from(count.body)
                + u32::from(count.code)
        };
        counts
            .sort_unstable_by(|left, right| worth(right).cmp(&worth(left)).then(left.term.cmp(&right.term)));
        counts.truncate(MAXIMUM);
        counts.sort_unstable_by_key(|count| count.term);
        Terms { length: self.length, counts }
    }
}

/// The words of a text as it writes them, for people, by hash.
pub(crate) fn words(text: &str) -> Table<String> {
    let mut words = Table::default();
    for_each_term(text, |term, written| {
        words.entry(term).or_insert_with(|| written.to_owned());
    });
    words
}

/// Calls `each` with every word: its hash, and as written in lower case. Words are runs of letters and digits of at
/// least three bytes; a name such as `tokenURI` counts as a whole and by its parts; scripts that are written without
/// spaces count by pairs of characters.
pub fn for_each_term(text: &str, mut each: impl FnMut(u32, &str)) {
    let mut word = String::with_capacity(48);
    for piece in text.split(|character: char| !character.is_alphanumeric()) {
        if piece.len() < MINIMUM_WORD || piece.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if !piece.is_ascii() {
            for_each_of_script(piece, &mut word, &mut each);
        } else if piece.len() <= MAXIMUM_WORD {
            term(piece, &mut word, &mut each);
            for_each_part(piece, &mut word, &mut each);
        }
    }
}

/// Calls `each` with one word of ASCII letters and digits.
fn term(piece: &str, word: &mut String, each: &mut impl FnMut(u32, &str)) {
    word.clear();
    word.push_str(piece);
    word.make_ascii_lowercase();
    offer(word, each);
}

fn offer(word: &str, each: &mut impl FnMut(u32, &str)) {
    let whole = hash(word);
    if !STOPS.contains(&whole) {
        let stem = stem(word);
        each(if stem.len() == word.len() { whole } else { hash(stem) }, word);
    }
}

/// The parts of a name written with humps: `tokenURI` has `token` and `uri`.
fn for_each_part(piece: &str, word: &mut String, each: &mut impl FnMut(u32, &str)) {
    let bytes = piece.as_bytes();
    let is_border = |at: usize| bytes[at - 1].is_ascii_lowercase() && bytes[at].is_ascii_uppercase();
    let mut start = 0;
    for at in (1..=bytes.len()).filter(|at| *at == bytes.len() || is_border(*at)) {
        let is_part = at - start >= MINIMUM_WORD && at - start < bytes.len();
        if is_part && !bytes[start..at].iter().all(u8::is_ascii_digit) {
            term(&piece[start..at], word, each);
        }
        start = at;
    }
}

/// The words of a run that is not all ASCII: as it is, and for scripts without spaces each pair of characters.
fn for_each_of_script(piece: &str, word: &mut String, each: &mut impl FnMut(u32, &str)) {
    let is_unspaced = |character: char| matches!(character as u32, 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x9fff | 0x20000..=0x3ffff);
    if !piece.chars().any(is_unspaced) {
        if piece.len() <= 2 * MAXIMUM_WORD {
            word.clear();
            word.extend(piece.chars().flat_map(char::to_lowercase));
            offer(word, each);
        }
        return;
    }
    let mut last = None;
    for character in piece.chars() {
        if let Some(before) = last.filter(|_| is_unspaced(character)).filter(|before| is_unspaced(*before)) {
            word.clear();
            word.extend([before, character]);
            offer(word, each);
        }
        last = Some(character);
    }
    for latin in
        piece.split(|character: char| !character.is_ascii()).filter(|latin| latin.len() >= MINIMUM_WORD)
    {
        term(latin, word, each);
    }
}

/// Takes a plural's ending off. No more: a stem that means two things costs more than one that is missed.
fn stem(word: &str) -> &str {
    let plural = word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("is");
    if plural { &word[..word.len() - 1] } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_their_parts_and_scripts_by_pairs() {
        let found = |text: &str| {
            let mut found = Vec::new();
            for_each_term(text, |_, word| found.push(word.to_owned()));
            found
        };
        assert_eq!(found("the tokenURI, Sandboxes"), ["tokenuri", "token", "uri", "sandboxes"]);
        assert_eq!(found("参见journal日志。Größe"), ["参见", "日志", "journal", "größe"]);
    }

    #[test]
    fn words_are_counted_by_field() {
        let text = "# Sandboxes\n\nA sandbox and its grants.\n\n## Sandbox\n\n```\nsandbox()\n```\n";
        let terms = read("x.md", "Sandboxes", &docket_markdown::parse(text));
        let of = |word: &str| terms.counts.iter().find(|count| count.term == hash(word)).copied();
        let sandbox = of("sandbox").expect("a word");
        assert_eq!(
            (sandbox.title, sandbox.heading, sandbox.lead, sandbox.body, sandbox.code),
            (0, 1, 2, 2, 1)
        );
        assert_eq!(of("sandboxe").map(|count| (count.title, count.heading)), Some((1, 1)));
        assert!(of("grant").is_some() && of("its").is_none());
    }
}
