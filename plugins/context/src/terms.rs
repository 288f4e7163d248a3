//! Words of a text in the form in which they are compared. Plain counting; ranking is in `topic`.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Words too common in English documents to say what one is about.
const STOP_WORDS: &str = " a about above after again against all also an and any are as at be because been before being \
below between both but by can could did do does doing down during each either etc few for from further had has have \
having he her here hers him his how however i if in into is it its itself just may me might more most must my no nor not \
now of off on once one only or other our out over own per same she should so some such than that the their them then \
there these they this those through to too two under until up upon us use used using very was we were what when where \
whether which while who whom why will with within without would you your e g http https www com org md ";

/// Counts up to this; more says nothing about the topic.
const MAXIMUM_COUNT: u32 = 1_000;

/// FNV-1a: the words come from the user's own project, and millions of them are looked up.
#[derive(Default)]
pub(crate) struct Fnv(u64);

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

type Table = HashMap<String, u32, BuildHasherDefault<Fnv>>;

/// The terms of one document, in order of first appearance. Other documents are counted in these terms only.
#[derive(Default)]
pub(crate) struct Vocabulary {
    ids: Table,
    /// A term as it was first written, for people.
    pub(crate) shown: Vec<String>,
    /// How often the document itself has it.
    pub(crate) counts: Vec<u32>,
}

/// How often a text has the terms of a vocabulary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// All terms of the text, in the vocabulary or not.
    pub(crate) length: u32,
    /// Term and count, by term.
    pub(crate) terms: Vec<(u32, u32)>,
}

impl Vocabulary {
    /// The terms of `text`.
    pub(crate) fn of(text: &str) -> Self {
        let mut vocabulary = Self::default();
        for_each_term(text, |term, written| {
            if let Some(id) = vocabulary.ids.get(term) {
                vocabulary.counts[*id as usize] += 1;
            } else if STOP_WORDS.split(' ').all(|word| word != written) {
                let id = u32::try_from(vocabulary.shown.len()).unwrap_or(u32::MAX);
                vocabulary.ids.insert(term.to_owned(), id);
                vocabulary.shown.push(written.to_owned());
                vocabulary.counts.push(1);
            }
        });
        vocabulary
    }

    /// Counts this vocabulary's terms in `text`.
    pub(crate) fn count(&self, text: &str) -> Counts {
        let mut length = 0;
        let mut found = vec![0_u32; self.shown.len()];
        for_each_term(text, |term, _| {
            length += 1;
            if let Some(id) = self.ids.get(term) {
                let count = &mut found[*id as usize];
                *count = (*count + 1).min(MAXIMUM_COUNT);
            }
        });
        let terms = found.iter().enumerate().filter(|(_, count)| **count > 0);
        Counts {
            length,
            terms: terms.map(|(id, count)| (u32::try_from(id).unwrap_or(u32::MAX), *count)).collect(),
        }
    }
}

/// Calls `each` with every word of at least three letters: its stem, and as written in lower case.
fn for_each_term(text: &str, mut each: impl FnMut(&str, &str)) {
    let mut word = String::with_capacity(32);
    for piece in text.split(|character: char| !character.is_alphanumeric()) {
        if piece.len() < 3 || piece.len() > 40 || piece.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        word.clear();
        if piece.is_ascii() {
            word.push_str(piece);
            word.make_ascii_lowercase();
        } else {
            word.extend(piece.chars().flat_map(char::to_lowercase));
        }
        each(stem(&word), &word);
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
    fn terms_are_counted_in_another_text() {
        let vocabulary = Vocabulary::of("The sandbox and its Sandboxes; grants, journal 2025");
        assert_eq!(vocabulary.shown, ["sandbox", "sandboxes", "grants", "journal"]);
        let counts = vocabulary.count("a grant, grants and Größe; the journal");
        assert_eq!(counts.terms, [(2, 2), (3, 1)]);
        assert_eq!(counts.length, 6);
    }
}
