//! The stage's result, after the schema `context-package`. Plain data.

use docket_plugin::Value;
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
    /// The paths of all related documents and source files, best first, whatever list they are in.
    pub ranked: Vec<String>,
    /// What the repository's history says; left out where it was not asked for or can't be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// What is to do, in the order of files and lines; left out where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todos: Option<Vec<OpenTodo>>,
    /// Where the project stands; left out where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// How large the package is.
    pub size: Size,
    /// What was found and has no room in the budget, best first.
    pub left_out: Vec<LeftOut>,
    /// What a reader should know about how the package came about.
    pub notes: Vec<Note>,
}

impl ContextPackage {
    /// A package with nothing in it.
    pub fn empty(target: &str, title: &str, kind: &'static str, strategy: &'static str) -> Self {
        Self {
            target: target.to_owned(),
            title: title.to_owned(),
            kind,
            strategy,
            related: Related::default(),
            patterns: Patterns::default(),
            references: Vec::new(),
            ranked: Vec::new(),
            history: None,
            todos: None,
            session: None,
            size: Size::default(),
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }
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
    /// About how many tokens of a language model this item takes, as it stands here.
    pub tokens: u64,
    /// Its first paragraphs; of a source file, the lines it is here for.
    pub excerpt: String,
    /// Where the excerpt is from.
    pub origin: Origin,
}

/// Where a text is from, and what it is to whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Project path.
    pub path: String,
    /// Always `data`: a quotation, and never an instruction.
    #[serde(rename = "is")]
    pub standing: &'static str,
}

impl Origin {
    /// The file at `path`, quoted.
    pub fn of(path: &str) -> Self {
        Self { path: path.to_owned(), standing: "data" }
    }
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
    /// How it is defined, in words, when a definition told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<&'static str>,
}

/// What the repository's history says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// Commits that touched the document, or the project when there is none, newest first.
    pub commits: Vec<Commit>,
    /// Files that changed in the same commits as the document, most often first.
    pub together: Vec<Together>,
}

/// A commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Its hash.
    pub hash: String,
    /// The day it was written: `YYYY-MM-DD`.
    pub date: String,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// The files it changed; used to find what changes together, and not part of the package.
    #[serde(skip)]
    pub files: Vec<String>,
}

/// A file that changes together with the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Together {
    /// Project path, or where the file was.
    pub path: String,
    /// In how many of the document's commits.
    pub count: u32,
}

/// Where a project stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Session {
    /// Documents that somebody has to do something about, the most urgent first.
    pub documents: Vec<DocumentState>,
    /// Runs that are not over, as docket tells.
    pub runs: Vec<Value>,
}

/// Where a document stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentState {
    /// Project path.
    pub path: String,
    /// Title.
    pub title: String,
    /// What kind of document it is.
    pub kind: &'static str,
    /// The status it gives itself.
    pub status: Option<String>,
    /// `in-review`, `stale` or `draft`.
    pub state: &'static str,
    /// The day it gives as its own: `YYYY-MM-DD`.
    pub date: Option<String>,
}

/// Something that is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenTodo {
    /// Project path.
    pub path: String,
    /// Line.
    pub line: u32,
    /// What is to do.
    pub text: String,
}

/// How large a package is. Tokens are estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The package.
    pub tokens: u64,
    /// What it may have.
    pub budget: u64,
    /// All of the files that are listed as related, were they read in full.
    pub file_tokens: u64,
}

/// Something that was found and has no room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// Project path; none for several things together.
    pub path: Option<String>,
    /// What it is: `document`, `code`, `reference`, `todo`, `commit`.
    pub what: &'static str,
    /// How many, for several things together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// How related it is, of one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What it would have taken.
    pub tokens: u64,
    /// Size of the file, of one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Why it is not in the package.
    pub reason: String,
}

/// What a reader should know about how the package came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is about: `reading`, `history`, `index`.
    pub about: &'static str,
    /// What there is to know, in words.
    pub message: String,
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
