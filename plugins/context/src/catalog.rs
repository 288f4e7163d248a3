//! What is known of every file of the project that can be read: its documents as [`Facts`], with their words and
//! references, its source files as [`Source`]. Takes from the index what did not change, and keeps there what is new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use foldhash::HashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::citations::{Citation, Citations};
use crate::facts::{self, Facts, Reading, Written};
use crate::index::{Index, Parts, Refreshed};
use crate::inventory::{File, Inventory};
use crate::package::Note;
use crate::reading::Oddity;
use crate::resolve::{Learned, Resolver};
use crate::source::commands::CommandDefinition;
use crate::source::todo::{self, Todo};
use crate::source::{self, Language, Source};
use crate::words::{Damaged, GONE, Kept, Lists, Words};

/// Larger documents are listed by name only.
const MAXIMUM_DOCUMENT: u64 = 2 << 20;
/// Larger source files are not looked at: they are generated.
const MAXIMUM_SOURCE: u64 = 512 << 10;
/// More source files are not looked at.
const MAXIMUM_SOURCES: usize = 10_000;
/// So many odd files are named in a note.
const TOLD: usize = 3;
/// What is kept of the documents is written anew when one in so many is another one: writing all takes about as long as
/// reading so few again.
const WORTH_KEEPING: usize = 100;

/// The file that keeps what is known of documents, and the parts in it.
const DOCUMENTS: &str = "documents.index";
const WRITTEN: usize = 0;
const TODOS: usize = 1;
const VOCABULARY: usize = 2;
const LISTS: usize = 3;
const RELATIONS: usize = 4;

/// The documents of a project.
pub struct Documents {
    /// What each says about itself, sorted by path.
    pub facts: Vec<Facts>,
    /// Which of them have which words.
    pub words: Words,
    /// What was read now, by position.
    fresh: HashMap<usize, Fresh>,
    known: Refreshed<Facts>,
    parts: Option<Rc<Parts>>,
}

/// What was read of a document now, and is not needed of every one.
struct Fresh {
    written: Vec<Written>,
    todos: Vec<Todo>,
}

/// What all documents' references say, kept with them.
#[derive(serde::Serialize, serde::Deserialize)]
struct Relations {
    /// A hash of the names of all files and folders: references lead to them.
    names: [u8; 16],
    learned: Learned,
    cites: Vec<Vec<Citation>>,
}

/// Reads lists of words from an index.
struct KeptLists(Rc<Parts>);

impl Kept for KeptLists {
    fn bytes(&self, from: usize, to: usize) -> Option<Vec<u8>> {
        self.0.bytes(LISTS, from, to)
    }
    fn checksum(&self, bytes: &[u8]) -> u32 {
        self.0.checksum(bytes)
    }
}

impl Documents {
    /// What each document refers to, by position.
    ///
    /// # Errors
    /// When what was kept is damaged.
    fn written(&self) -> Result<Vec<Vec<Written>>, Damaged> {
        self.of_all(WRITTEN, |fresh| fresh.written.clone())
    }

    /// What is to do, by path and line.
    ///
    /// # Errors
    /// When what was kept is damaged.
    pub fn todos(&self) -> Result<Vec<(&str, Todo)>, Damaged> {
        let all = self.of_all(TODOS, |fresh| fresh.todos.clone())?.into_iter().zip(&self.facts);
        Ok(all.flat_map(|(todos, facts)| todos.into_iter().map(|todo| (facts.path.as_str(), todo))).collect())
    }

    fn of_all<T: DeserializeOwned>(
        &self,
        part: usize,
        of_fresh: impl Fn(&Fresh) -> Vec<T>,
    ) -> Result<Vec<Vec<T>>, Damaged> {
        let mut kept = Vec::new();
        if self.known.before.iter().any(Option::is_some) {
            let bytes = self.parts.as_ref().and_then(|parts| parts.whole(part)).ok_or(Damaged)?;
            kept = postcard::from_bytes(&bytes).map_err(|_| Damaged)?;
        }
        let of = |(position, before): (usize, &Option<u32>)| match before {
            Some(at) => kept.get_mut(*at as usize).map(std::mem::take).ok_or(Damaged),
            None => Ok(self.fresh.get(&position).map(&of_fresh).unwrap_or_default()),
        };
        self.known.before.iter().enumerate().map(of).collect()
    }

    /// Whether what is kept of them is as they are now.
    fn is_kept(&self) -> bool {
        self.known.changes == 0 && self.parts.is_some()
    }
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

    /// What every document says. `target` is one of them, whatever it is called.
    ///
    /// # Errors
    /// When what was kept is damaged.
    pub fn documents(&mut self, target: Option<&File>) -> Result<Documents, Damaged> {
        let mut files: Vec<&File> = self.inventory.files().iter().filter(|file| file.is_document()).collect();
        if let Some(target) = target
            && let Err(at) = files.binary_search_by(|file| file.path.cmp(&target.path))
        {
            files.insert(at, target);
        }
        let index = self.load(DOCUMENTS, facts::VERSION);
        let (mut lists, mut fresh) = (Lists::default(), HashMap::default());
        let make = |position: usize, file: &File, text: Option<&str>| {
            let Reading { facts, written, words } = match text {
                Some(text) => facts::read(&file.path, text),
                None => facts::unread(&file.path, file.bytes),
            };
            lists.add(u32::try_from(position).unwrap_or(GONE), &words);
            let todos = text.map(todo::in_document).unwrap_or_default();
            fresh.insert(position, Fresh { written, todos });
            facts
        };
        let mut known = index.refresh(self.root, files.into_iter(), MAXIMUM_DOCUMENT, make);
        self.tell_odd(&known);
        let parts = known.parts.take().map(Rc::new);
        let facts = std::mem::take(&mut known.values);
        let words = match &parts {
            Some(parts) => {
                let vocabulary = parts.whole(VOCABULARY).ok_or(Damaged)?;
                let mut positions = vec![GONE; known.kept];
                for (position, before) in (0_u32..).zip(&known.before) {
                    before.iter().for_each(|at| positions[*at as usize] = position);
                }
                Words::with_kept(lists, vocabulary, Box::new(KeptLists(Rc::clone(parts))), positions)
            }
            None => Words::new(lists),
        };
        Ok(Documents { facts, words, fresh, known, parts })
    }

    /// How the references of `documents` are resolved, and where they lead. As it is kept, if nothing changed.
    ///
    /// # Errors
    /// When what was kept is damaged.
    pub fn relations<'d>(&mut self, documents: &'d Documents) -> Result<(Resolver<'d>, Citations), Damaged>
    where
        'a: 'd,
    {
        let names = documents.known.hash(self.inventory.names().as_bytes());
        if let (Some(parts), true) = (&documents.parts, documents.is_kept())
            && let Some(bytes) = parts.whole(RELATIONS).filter(|bytes| !bytes.is_empty())
        {
            let kept: Relations = postcard::from_bytes(&bytes).map_err(|_| Damaged)?;
            if kept.names == names && kept.cites.len() == documents.facts.len() {
                let resolver = Resolver::knowing(self.inventory, &documents.facts, kept.learned);
                return Ok((resolver, Citations::new(kept.cites)));
            }
        }
        let written = documents.written()?;
        let resolver = Resolver::learn(self.inventory, &documents.facts, &written);
        let citations = Citations::resolve(&documents.facts, &written, &resolver);
        let is_worth = documents.known.changes * WORTH_KEEPING >= documents.facts.len();
        if is_worth || documents.is_kept() {
            let relations = Relations { names, learned: resolver.learned().clone(), cites: citations.cites };
            self.keep(documents, &written, Some(&relations))?;
            return Ok((resolver, Citations::new(relations.cites)));
        }
        Ok((resolver, citations))
    }

    /// Keeps what is known of `documents` for the next time, when it is worth it.
    ///
    /// # Errors
    /// When what was kept before is damaged.
    pub fn keep_documents(&mut self, documents: &Documents) -> Result<(), Damaged> {
        let changes = documents.known.changes;
        if changes > 0 && changes * WORTH_KEEPING >= documents.facts.len() {
            self.keep(documents, &documents.written()?, None)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        documents: &Documents,
        written: &[Vec<Written>],
        relations: Option<&Relations>,
    ) -> Result<(), Damaged> {
        let Some(folder) = self.cache else { return Ok(()) };
        let todos = documents.of_all(TODOS, |fresh| fresh.todos.clone())?;
        let packed = documents.words.pack(|list| documents.known.checksum(list))?;
        let relations = relations.map(postcard::to_allocvec).transpose();
        let stored = postcard::to_allocvec(written).and_then(|written| {
            let todos = postcard::to_allocvec(&todos)?;
            Ok([written, todos, packed.vocabulary, packed.lists, relations?.unwrap_or_default()])
        });
        let saved = stored.map_err(std::io::Error::other).and_then(|parts| {
            let parts = parts.each_ref().map(Vec::as_slice);
            documents.known.save(&folder.join(DOCUMENTS), &documents.facts, &parts)
        });
        if let Err(cause) = saved {
            self.note_unkept(&cause);
        }
        Ok(())
    }

    /// What every source file says. `documents` tell what the project is called.
    pub fn sources(&mut self, documents: &[Facts]) -> Sources {
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
        let index = self.load("sources.index", source::VERSION);
        let known = index.refresh(self.root, files, MAXIMUM_SOURCE, |_, file, text| {
            text.map(|text| source::read(&file.path, text))
        });
        self.tell_odd(&known);
        if let (Some(folder), true) = (self.cache, known.changes > 0)
            && let Err(cause) = known.save(&folder.join("sources.index"), &known.values, &[])
        {
            self.note_unkept(&cause);
        }
        let paths = known.entries.into_iter().map(|entry| entry.path);
        let files = paths.zip(known.values).filter_map(|(path, source)| Some((path, source?))).collect();
        let is_readme = |facts: &&Facts| facts.path.eq_ignore_ascii_case("readme.md");
        let title = documents.iter().find(is_readme).map(|facts| facts.title.as_str());
        let word = title.and_then(|title| title.split([' ', ':']).next()).map(str::to_ascii_lowercase);
        Sources { files, readme_word: word }
    }

    fn load<T: Serialize + DeserializeOwned>(&self, name: &str, version: u32) -> Index<T> {
        let path: Option<PathBuf> = self.cache.map(|folder| folder.join(name));
        path.map_or_else(|| Index::empty(version), |path| Index::load(&path, version))
    }

    fn tell_odd<T>(&mut self, known: &Refreshed<T>) {
        let mut odd: BTreeMap<Oddity, (usize, Vec<&str>)> = BTreeMap::new();
        for entry in &known.entries {
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
            self.note("reading", message);
        }
    }

    fn note_unkept(&mut self, cause: &std::io::Error) {
        self.note("index", format!("what was read is not kept for the next time: {cause}"));
    }

    fn note(&mut self, about: &'static str, message: String) {
        self.notes.push(Note { about, message });
    }
}

/// Forgets what is kept of documents in the folder `cache`.
pub fn forget(cache: &Path) {
    // When it can't be removed it is overwritten, or said to be unkept.
    let _ = std::fs::remove_file(cache.join(DOCUMENTS));
}
