//! The stage's result, after the schema `context-package`. Plain data.

use serde::Serialize;

/// What somebody needs to know to work on one document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContextPackage {
    /// The document's project path.
    pub target: String,
    /// Its title.
    pub title: String,
    /// What kind of document it is.
    pub kind: &'static str,
    /// What the context is for.
    pub strategy: &'static str,
    /// Documents and source files.
    pub related: Related,
    /// Commands and schemas.
    pub patterns: Patterns,
    /// What the document refers to, in the order of its lines.
    pub references: Vec<Reference>,
}

/// Documents and source files by kind, each list best first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Related {
    /// Decisions.
    pub adrs: Vec<Item>,
    /// Proposals.
    pub rfcs: Vec<Item>,
    /// Descriptions of the architecture.
    pub architecture: Vec<Item>,
    /// Source files.
    pub code: Vec<Item>,
    /// Any other document.
    pub documents: Vec<Item>,
}

/// A related file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Project path.
    pub path: String,
    /// Title; the file's name when it has none.
    pub title: String,
    /// What kind of document it is.
    pub kind: &'static str,
    /// The status it gives itself.
    pub status: Option<String>,
    /// How related it is: above 1 for what the document refers to itself, up to 1 by topic.
    pub score: f64,
    /// Why it is here, for people.
    pub reasons: Vec<String>,
    /// Size of the file.
    pub bytes: u64,
    /// Its first paragraphs.
    pub excerpt: String,
}

/// Commands and schemas.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Patterns {
    /// The project's own commands that the document names.
    #[serde(rename = "cliCommands")]
    pub cli_commands: Vec<Command>,
    /// Schema files that the document names.
    pub schemas: Vec<String>,
}

/// A command of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// Program and subcommands.
    pub command: String,
    /// The source file that defines it, if one was found.
    pub file: Option<String>,
    /// The line of the definition, when a line and not the file's name told.
    pub line: Option<usize>,
}

/// Something the document refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// As written.
    pub text: String,
    /// Its line in the document.
    pub line: usize,
    /// How it is written.
    pub kind: ReferenceKind,
    /// The file of the project it leads to; for a document that was renamed, the one it is now, though the reference is
    /// broken.
    pub path: Option<String>,
    /// Whether it should lead to a file of the project and does not.
    pub broken: bool,
    /// For a broken one: the file that was probably meant.
    pub nearest: Option<String>,
}

/// How a reference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceKind {
    /// A Markdown link to a file.
    Link,
    /// An id such as `ADR-0003`.
    Id,
    /// A path without a link.
    Path,
    /// A web address.
    Url,
}
