//! What one document's text says, taken alone: a plain value that can be stored and read back.
//!
//! Nothing here knows of other files. What a reference leads to, which words are ids and what is related to what is
//! decided across all [`Facts`] by [`crate::identifiers`], [`crate::resolve`] and [`crate::related`], which read no
//! file again.

pub mod header;
pub mod label;
pub mod mention;
pub mod terms;
pub mod written;

use docket_markdown::{Document, Field, Kind};
use serde::{Deserialize, Serialize};

pub use label::Label;
pub use terms::{Counts, Extent, TermCount};
pub use written::{Form, Place, Relation, Written};

/// Stored facts are made anew when this differs: raise it with every change of what is read or how.
pub const VERSION: u32 = 3;

/// Headings that name a section, also where they are a document's first and largest.
const SECTION_NAMES: [&str; 8] = [
    "summary",
    "abstract",
    "introduction",
    "motivation",
    "context",
    "status",
    "contents",
    "table of contents",
];

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Project path with `/`.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// Its title; the file's name when it has none.
    pub title: String,
    /// The status it gives itself.
    pub status: Option<String>,
    /// When it was written, by its own account, as year, month and day in one number: 20240131.
    pub date: Option<u32>,
    /// The ids it may carry: from its name, folder, title and header.
    pub labels: Vec<Label>,
    /// Who wrote it: hashes of names.
    pub authors: Vec<u32>,
    /// What it is filed under (category, type, tags): hashes of field and value.
    pub groups: Vec<u32>,
    /// Whether it is a form to be filled in.
    pub is_template: bool,
    /// How much it says.
    pub extent: Extent,
}

/// What was read of a document. What is short and needed of every document are its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it says about itself.
    pub facts: Facts,
    /// What it refers to, as written, in the order of lines.
    pub written: Vec<Written>,
    /// Its words, in no order.
    pub words: Vec<TermCount>,
}

impl Facts {
    /// What kind of document it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.path, &self.title)
    }
}

/// What is known of a document that can't be read: its name and size.
pub fn unread(path: &str, bytes: u64) -> Reading {
    let mut reading = read(path, "");
    reading.facts.bytes = bytes;
    reading
}

/// Reads `text`, the document at project path `path`.
pub fn read(path: &str, text: &str) -> Reading {
    let document = docket_markdown::parse(text);
    let fields = header::fields(&document);
    let title = title(path, &document, &fields);
    let (extent, words) = terms::read(path, &title, &document);
    let facts = Facts {
        bytes: text.len() as u64,
        status: header::value(&fields, "status").filter(|status| !status.is_empty()).map(String::from),
        date: header::date(&fields),
        labels: label::own(path, &title, &fields),
        authors: header::authors(&fields),
        groups: header::groups(&fields),
        is_template: docket_markdown::is_template(path),
        extent,
        path: path.to_owned(),
        title,
    };
    Reading { facts, written: written::read(&document, &fields), words }
}

/// The document's title: its heading, unless that only names a first section (`# Summary`), its field `title`, or what its
/// file is called. A header like that of mail comes before headings, which such texts have for sections only.
fn title(path: &str, document: &Document, fields: &[Field]) -> String {
    let heading = document.title.as_deref().filter(|title| !is_section_name(title));
    let named = ["title", "feature name"].iter().find_map(|name| header::value(fields, name));
    let named = named.filter(|title| !title.is_empty());
    let is_mail = document.front_matter.is_empty() && document.metadata.is_empty();
    let chosen = if is_mail { named.or(heading) } else { heading.or(named) };
    let name = path.rsplit('/').next().unwrap_or(path);
    chosen.filter(|title| !title.is_empty()).unwrap_or(name).to_owned()
}

/// Whether a heading is one that many documents start with.
fn is_section_name(title: &str) -> bool {
    let title = title.to_ascii_lowercase();
    SECTION_NAMES.contains(&title.as_str())
}
