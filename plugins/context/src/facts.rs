//! What one document's text says, taken alone: a plain value that can be stored and read back.
//!
//! Nothing here knows of other files. What a reference leads to, which words are ids and what is related to what is
//! decided across all [`Facts`] by [`crate::identifiers`], [`crate::resolve`] and [`crate::related`], which read no
//! file again.

pub mod header;
pub mod label;
pub mod mention;
mod packed;
pub mod terms;
pub mod written;

use docket_markdown::Kind;
use serde::{Deserialize, Serialize};

pub use label::Label;
pub use terms::{TermCount, Terms};
pub use written::{Form, Place, Relation, Written};

/// Stored facts are made anew when this differs: raise it with every change of what is read or how.
pub const VERSION: u32 = 1;

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
    /// What it refers to, as written, in the order of lines.
    pub written: Vec<Written>,
    /// Its words.
    pub terms: Terms,
}

impl Facts {
    /// What kind of document it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.path, &self.title)
    }

    /// Whether it is a form to be filled in.
    pub fn is_template(&self) -> bool {
        docket_markdown::is_template(&self.path)
    }

    /// The facts of a document that can't be read: its name only.
    pub fn unread(path: &str, bytes: u64) -> Self {
        Self { bytes, ..read(path, "") }
    }
}

/// Reads the facts of `text`, the document at project path `path`.
pub fn read(path: &str, text: &str) -> Facts {
    let document = docket_markdown::parse(text);
    let fields = header::fields(&document);
    let name = path.rsplit('/').next().unwrap_or(path);
    let title = document.title.clone().or_else(|| header::value(&fields, "title").map(String::from));
    let title = title.filter(|title| !title.is_empty()).unwrap_or_else(|| name.to_owned());
    Facts {
        bytes: text.len() as u64,
        status: header::value(&fields, "status").filter(|status| !status.is_empty()).map(String::from),
        date: header::date(&fields),
        labels: label::own(path, &title, &fields),
        authors: header::authors(&fields),
        groups: header::groups(&fields),
        written: written::read(&document, &fields),
        terms: terms::read(path, &title, &document),
        path: path.to_owned(),
        title,
    }
}
