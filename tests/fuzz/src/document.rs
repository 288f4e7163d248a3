//! A document or source file of a stranger's project, as the stage `context` reads it.
//!
//! What holds: reading it twice gives the same; what is kept of it is bounded, whatever it says; each reference and open
//! item stands on a line that is there; words have counts, and are as many as the document says of itself. Words that were
//! packed to be kept come back as they were.

use std::collections::{BTreeMap, BTreeSet};

use docket_plugin_context::facts::{self, Counts};
use docket_plugin_context::source;
use docket_plugin_context::source::todo;
use docket_plugin_context::words::{Kept, Lists, Words};

use crate::text;

/// What the first byte names the file.
const NAMES: [&str; 8] = [
    "docs/adr/adr-0003-x.md",
    "text/0012-y.md",
    "pep-0008.rst",
    "keps/sig-a/123-name/README.md",
    "src/main.rs",
    "src/cli.py",
    "package.json",
    "Makefile",
];
/// The most that makes sense to keep of one document.
const MOST_WORDS: usize = 1_000;
const MOST_REFERENCES: usize = 2_000;
const LONGEST_REFERENCE: usize = 400;

/// Lists of words in memory.
struct Memory(Vec<u8>);

impl Kept for Memory {
    fn bytes(&self, from: usize, to: usize) -> Option<Vec<u8>> {
        self.0.get(from..to).map(<[u8]>::to_vec)
    }
    fn checksum(&self, bytes: &[u8]) -> u32 {
        checksum(bytes)
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(1, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
}

/// Runs the target. The first byte names the file.
pub fn document(data: &[u8]) {
    let Some((name, rest)) = data.split_first() else { return };
    let Some(text) = text(rest) else { return };
    let path = NAMES[usize::from(*name) % NAMES.len()];
    let lines = text.lines().count() + 1;
    let read = facts::read(path, text);
    let again = facts::read(path, text);
    assert_eq!((&read.facts, &read.written), (&again.facts, &again.written), "read twice");
    assert!(read.written.len() <= MOST_REFERENCES && read.words.len() <= MOST_WORDS);
    for written in &read.written {
        assert!((1..=lines).contains(&(written.line as usize)), "{written:?} of {lines} lines");
        assert!(written.text.len() <= LONGEST_REFERENCE);
    }
    let words: BTreeMap<u32, Counts> = read.words.iter().map(|word| (word.term, word.counts)).collect();
    assert_eq!(words.len(), read.words.len(), "each word once");
    assert_eq!(words.len(), read.facts.extent.different as usize);
    assert!(words.values().all(|counts| *counts != Counts::default()));
    assert!(read.facts.extent.title.iter().all(|term| words.contains_key(term)));
    come_back(&words, &read);

    let source = source::read(path, text);
    assert_eq!(source, source::read(path, text), "read twice");
    let todos = source.todos.iter().chain(&source.todos).map(|todo| todo.line);
    let todos: BTreeSet<u32> = todos.chain(todo::in_document(text).iter().map(|todo| todo.line)).collect();
    let definitions = source.definitions.iter().map(|definition| definition.line);
    assert!(todos.into_iter().chain(definitions).all(|line| (1..=lines).contains(&(line as usize))));
}

/// Packs the words of the document, as the third and a later one of a project, and asks for them again.
fn come_back(words: &BTreeMap<u32, Counts>, read: &facts::Reading) {
    let mut lists = Lists::default();
    lists.add(2, &read.words);
    lists.add(70_000, &read.words);
    let packed = Words::new(lists).pack(checksum).expect("nothing was kept before");
    let mut positions = vec![u32::MAX; 70_001];
    positions[2] = 7;
    let kept =
        Words::with_kept(Lists::default(), packed.vocabulary, Box::new(Memory(packed.lists)), positions);
    for (term, counts) in words {
        assert_eq!(kept.postings(*term), Ok(vec![(7, *counts)]));
        let (least, most) = kept.having(*term);
        assert!(least <= 1 && most >= 1);
    }
}
