//! What the project's documents are and which of the target's words they use. Reads each document once.

use std::collections::HashMap;
use std::path::Path;

use docket_markdown::Document;

use crate::excerpt::excerpt;
use crate::identifier::{Id, Identifiers};
use crate::inventory::{File, Inventory, read_text};
use crate::package::Item;
use crate::terms::{Counts, Vocabulary};
use docket_markdown::{Kind, is_template};

/// Larger documents are listed by name only.
const MAXIMUM_DOCUMENT: u64 = 2 << 20;
/// Title, status and excerpt are looked for in this many bytes at the start.
const HEAD: usize = 6 << 10;

/// A document of the project.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Project path.
    pub path: String,
    /// Title; the file's name when it has none.
    pub title: String,
    /// What kind of document it is.
    pub kind: Kind,
    /// The status it gives itself.
    pub status: Option<String>,
    /// Size.
    pub bytes: u64,
    /// Its first paragraphs.
    pub excerpt: String,
    /// Whether it is a form to be filled in.
    pub is_template: bool,
    pub(crate) body: Counts,
    pub(crate) heading: Counts,
}

/// The documents of a project, sorted by path.
#[derive(Default)]
pub struct Catalog {
    /// All documents but the target.
    pub entries: Vec<Entry>,
    /// The ids they carry, and the target's.
    pub identifiers: Identifiers,
    positions: HashMap<String, usize>,
}

impl Catalog {
    /// Reads the documents of `inventory` below `root`; `target` is the document everything is compared with.
    pub(crate) fn read(
        root: &Path,
        inventory: &Inventory,
        target: (&str, &Document),
        words: &Vocabulary,
    ) -> Self {
        let mut catalog = Self::default();
        for file in inventory.files().iter().filter(|file| file.is_document()) {
            if file.path == target.0 {
                if let Some(id) = Id::of(&file.path, target.1) {
                    catalog.identifiers.add(id, &file.path);
                }
                continue;
            }
            let text = read_text(root, file, MAXIMUM_DOCUMENT).unwrap_or_default();
            let head = docket_markdown::parse(head(&text));
            if let Some(id) = Id::of(&file.path, &head) {
                catalog.identifiers.add(id, &file.path);
            }
            catalog.positions.insert(file.path.clone(), catalog.entries.len());
            catalog.entries.push(entry(file, &head, words.count(&text), words));
        }
        catalog
    }

    /// The document at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.positions.get(path).map(|position| &self.entries[*position])
    }
}

fn entry(file: &File, head: &Document, body: Counts, words: &Vocabulary) -> Entry {
    let title =
        head.title.clone().filter(|title| !title.is_empty()).unwrap_or_else(|| file.name().to_owned());
    Entry {
        kind: Kind::of(&file.path, &title),
        is_template: is_template(&file.path),
        status: status(head),
        bytes: file.bytes,
        excerpt: excerpt(head),
        heading: words.count(&format!("{title} {}", file.stem_and_extension().0)),
        body,
        path: file.path.clone(),
        title,
    }
}

/// The status a document gives itself.
pub(crate) fn status(document: &Document) -> Option<String> {
    document.field("status").map(|field| field.value.clone()).filter(|status| !status.is_empty())
}

/// The start of a text, cut at the end of a line.
fn head(text: &str) -> &str {
    if text.len() <= HEAD {
        return text;
    }
    let mut end = HEAD;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..text[..end].rfind('\n').map_or(end, |line_end| line_end + 1)]
}

impl Entry {
    /// As an item of a context package.
    pub fn item(&self, score: f64, reasons: Vec<String>) -> Item {
        Item {
            path: self.path.clone(),
            title: self.title.clone(),
            kind: self.kind.name(),
            status: self.status.clone(),
            // Three digits: enough to order by, and the same on every machine.
            score: (score * 1000.0).round() / 1000.0,
            reasons,
            bytes: self.bytes,
            excerpt: self.excerpt.clone(),
        }
    }
}
