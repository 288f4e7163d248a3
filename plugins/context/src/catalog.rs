//! What is known of every file of the project that can be read: its documents as [`Facts`], its source files as
//! [`Source`]. Takes from the index what did not change, and keeps there what is new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::facts::{self, Facts};
use crate::index::{Entry, Index};
use crate::inventory::{File, Inventory};
use crate::package::Note;
use crate::reading::Oddity;
use crate::source::commands::CommandDefinition;
use crate::source::todo::{self, Todo};
use crate::source::{self, Language, Source};

/// Larger documents are listed by name only.
const MAXIMUM_DOCUMENT: u64 = 2 << 20;
/// Larger source files are not looked at: they are generated.
const MAXIMUM_SOURCE: u64 = 512 << 10;
/// More source files are not looked at.
const MAXIMUM_SOURCES: usize = 10_000;
/// So many odd files are named in a note.
const TOLD: usize = 3;

/// What was read of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Read {
    facts: Facts,
    todos: Vec<Todo>,
}

/// The documents of a project.
#[derive(Debug, Default)]
pub struct Documents {
    /// Sorted by path.
    pub facts: Vec<Facts>,
    /// What is to do, by path and line.
    pub todos: Vec<(String, Todo)>,
}

/// The source files of a project.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<(String, Source)>,
    /// The first word of the readme's title: what a project without package files is most likely called.
    pub readme_word: Option<String>,
}

impl Sources {
    /// All files, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.files.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// All commands that are defined, with the file that does.
    pub fn commands(&self) -> impl Iterator<Item = (&str, &CommandDefinition)> {
        self.files().flat_map(|(path, source)| source.commands.iter().map(move |command| (path, command)))
    }
}

/// Where what was read is kept.
pub struct Catalog<'a> {
    root: &'a Path,
    inventory: &'a Inventory,
    cache: Option<&'a Path>,
    /// What there is to say about it.
    pub notes: Vec<Note>,
}

impl<'a> Catalog<'a> {
    /// Reads files of `inventory` below `root`, and keeps what it read in the folder `cache`, if there is one.
    pub fn new(root: &'a Path, inventory: &'a Inventory, cache: Option<&'a Path>) -> Self {
        let mut catalog = Self { root, inventory, cache, notes: Vec::new() };
        if !inventory.is_complete() {
            catalog.note("reading", "the project has too many files; some were not looked at".to_owned());
        }
        for told in [
            inventory.links.told("symbolic link(s) not followed"),
            inventory.unlisted.told("folder(s) not looked into, for depth or rights"),
            inventory.unnamed.told("folder(s) with names that are not Unicode, which are passed over"),
        ] {
            told.into_iter().for_each(|message| catalog.note("reading", message));
        }
        catalog
    }

    /// What every document says; of the one at `target`, what is given.
    pub fn documents(&mut self, target: Option<Facts>) -> Documents {
        let is_other =
            |file: &&File| file.is_document() && target.as_ref().is_none_or(|facts| facts.path != file.path);
        let files = self.inventory.files().iter().filter(is_other);
        let make =
            |path: &str, text: &str| Read { facts: facts::read(path, text), todos: todo::in_document(text) };
        let entries = self.entries("documents.index", facts::VERSION, files, MAXIMUM_DOCUMENT, make);
        let mut documents = Documents::default();
        for entry in entries {
            match entry.value {
                Some(read) => {
                    documents.todos.extend(read.todos.into_iter().map(|todo| (entry.path.clone(), todo)));
                    documents.facts.push(read.facts);
                }
                None => documents.facts.push(Facts::unread(&entry.path, entry.bytes())),
            }
        }
        if let Some(target) = target {
            let at = documents.facts.partition_point(|facts| facts.path < target.path);
            documents.facts.insert(at, target);
        }
        documents
    }

    /// What every source file says. `documents` tell what the project is called.
    pub fn sources(&mut self, documents: &Documents) -> Sources {
        let is_source = |file: &&File| Language::of(file.name()).is_some();
        let all: Vec<&File> = self.inventory.files().iter().filter(is_source).collect();
        if all.len() > MAXIMUM_SOURCES {
            let beyond = all.len() - MAXIMUM_SOURCES;
            self.note(
                "reading",
                format!("{beyond} source file(s) not looked at: there are more than {MAXIMUM_SOURCES}"),
            );
        }
        let files = all.into_iter().take(MAXIMUM_SOURCES);
        let entries = self.entries("sources.index", source::VERSION, files, MAXIMUM_SOURCE, source::read);
        let files = entries.into_iter().filter_map(|entry| Some((entry.path, entry.value?))).collect();
        let is_readme = |facts: &&Facts| facts.path.eq_ignore_ascii_case("readme.md");
        let title = documents.facts.iter().find(is_readme).map(|facts| facts.title.as_str());
        let word = title.and_then(|title| title.split([' ', ':']).next()).map(str::to_ascii_lowercase);
        Sources { files, readme_word: word }
    }

    fn entries<'f, T: Serialize + serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        version: u32,
        files: impl Iterator<Item = &'f File>,
        limit: u64,
        make: impl Fn(&str, &str) -> T,
    ) -> Vec<Entry<T>> {
        let path: Option<PathBuf> = self.cache.map(|folder| folder.join(name));
        let index = match &path {
            Some(path) => Index::load(path, version),
            None => Index::empty(version),
        };
        let (index, is_new) = index.refresh(self.root, files, limit, make);
        if let (Some(path), true) = (&path, is_new)
            && let Err(cause) = index.save(path)
        {
            self.note("index", format!("what was read is not kept for the next time: {cause}"));
        }
        let mut odd: BTreeMap<Oddity, (usize, Vec<&str>)> = BTreeMap::new();
        for entry in index.entries() {
            if let Some(oddity) = entry.odd {
                let (count, some) = odd.entry(oddity).or_default();
                *count += 1;
                if some.len() < TOLD {
                    some.push(&entry.path);
                }
            }
        }
        for (oddity, (count, some)) in odd {
            let more =
                if count > some.len() { format!(" and {} more", count - some.len()) } else { String::new() };
            let message = format!("{}{more}: {}", some.join(", "), oddity.words());
            self.notes.push(Note { about: "reading", message });
        }
        index.into_entries()
    }

    fn note(&mut self, about: &'static str, message: String) {
        self.notes.push(Note { about, message });
    }
}
