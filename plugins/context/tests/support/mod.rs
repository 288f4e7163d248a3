//! A project made of texts in memory.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeSet;

use docket_plugin_context::citations::Citations;
use docket_plugin_context::facts::{self, Facts, Reading, TermCount, Written, terms::Table};
use docket_plugin_context::inventory::{File, Inventory};
use docket_plugin_context::package::Reference;
use docket_plugin_context::references::references;
use docket_plugin_context::related::{self, Relative, Weights, related};
use docket_plugin_context::resolve::{Referrer, Resolver};
use docket_plugin_context::words::{Lists, Words};

/// Documents, sorted by path.
pub(crate) struct Project {
    inventory: Inventory,
    /// Their facts.
    pub documents: Vec<Facts>,
    /// Their references.
    pub written: Vec<Vec<Written>>,
    /// Their words.
    pub words: Vec<Vec<TermCount>>,
}

impl Project {
    /// A project of these paths and texts.
    pub(crate) fn new(texts: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            bytes: text.len() as u64,
            modified: None,
        };
        let mut readings: Vec<Reading> = texts.iter().map(|(path, text)| facts::read(path, text)).collect();
        readings.sort_by(|left, right| left.facts.path.cmp(&right.facts.path));
        let inventory = Inventory::of(texts.iter().map(file).collect());
        let mut project = Self { inventory, documents: Vec::new(), written: Vec::new(), words: Vec::new() };
        for Reading { facts, written, words } in readings {
            project.documents.push(facts);
            project.written.push(written);
            project.words.push(words);
        }
        project
    }

    fn position(&self, path: &str) -> usize {
        self.documents.iter().position(|facts| facts.path == path).expect("a document")
    }

    /// What the document at `path` refers to.
    pub(crate) fn references(&self, path: &str) -> Vec<Reference> {
        let resolver = Resolver::learn(&self.inventory, &self.documents, &self.written);
        let at = self.position(path);
        let target = Referrer { facts: &self.documents[at], written: &self.written[at] };
        references(target, &resolver, &self.inventory)
    }

    /// Expects that the document at `path` refers to these documents and no others.
    pub(crate) fn refers(&self, path: &str, expected: &[&str]) {
        let found = self.references(path);
        let unbroken = found.iter().filter(|reference| !reference.broken);
        let found: BTreeSet<&str> = unbroken.filter_map(|reference| reference.path.as_deref()).collect();
        assert_eq!(found, expected.iter().copied().collect::<BTreeSet<_>>(), "{path}");
    }

    /// The broken references of the document at `path`, with the nearest file.
    pub(crate) fn broken(&self, path: &str) -> Vec<(String, Option<String>)> {
        let broken = self.references(path).into_iter().filter(|reference| reference.broken);
        broken.map(|reference| (reference.text, reference.nearest)).collect()
    }

    /// The documents related to the one at `path`, with paths.
    pub(crate) fn related(&self, path: &str) -> Vec<(&str, Relative)> {
        let resolver = Resolver::learn(&self.inventory, &self.documents, &self.written);
        let citations = Citations::resolve(&self.documents, &self.written, &resolver);
        let mut lists = Lists::default();
        (0..).zip(&self.words).for_each(|(at, words)| lists.add(at, words));
        let at = self.position(path);
        let project = related::Project {
            documents: &self.documents,
            citations: &citations,
            words: &Words::new(lists),
            own: &self.words[at],
        };
        let found = related(project, at, &Table::default(), &Weights::default());
        found
            .expect("nothing was kept that could be damaged")
            .into_iter()
            .map(|relative| (self.documents[relative.document].path.as_str(), relative))
            .collect()
    }
}
