//! What is reviewed: the document, what it refers to, and from which point of view. Judges nothing.

use std::path::{Path, PathBuf};

use docket_markdown::{Document, Kind, LinkKind, Resolution, join, parse, resolve};
use docket_plugin::{Error, Request, Value};
use serde::Deserialize;

/// Of a document that is referred to, so many bytes are read for its status.
const HEAD: usize = 8 << 10;

/// From which point of view a document is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perspective {
    /// All of them.
    All,
    /// How it fits into the system.
    Architecture,
    /// What can go wrong on purpose.
    Security,
    /// Whether it can be built from it.
    Implementation,
}

impl Perspective {
    /// Reads a perspective's name.
    ///
    /// # Errors
    /// `perspective-unknown`.
    pub fn read(name: &str) -> Result<Self, Error> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "all" | "general" => Ok(Self::All),
            "architecture" => Ok(Self::Architecture),
            "security" => Ok(Self::Security),
            "implementation" => Ok(Self::Implementation),
            _ => {
                Err(Error::new("perspective-unknown", format!("the checklist knows no perspective '{name}'"))
                    .hint("use architecture, security, implementation or all"))
            }
        }
    }

    /// For a sentence: "from the … perspective".
    pub(crate) fn view(self) -> &'static str {
        match self {
            Self::All => "from all perspectives",
            Self::Architecture => "from the architecture perspective",
            Self::Security => "from the security perspective",
            Self::Implementation => "from the implementation perspective",
        }
    }
}

/// Something the document refers to, as the context package has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// As written.
    pub text: String,
    /// Its line.
    pub line: usize,
    /// `link`, `id`, `path` or `url`.
    pub kind: String,
    /// The project file it leads to.
    pub path: Option<String>,
    /// Whether it leads nowhere.
    pub broken: bool,
    /// What was probably meant.
    pub nearest: Option<String>,
}

/// A document under review.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Project path.
    pub path: String,
    /// The document.
    pub document: Document,
    /// What kind of document it is.
    pub kind: Kind,
    /// The point of view.
    pub perspective: Perspective,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// The run's date, `YYYY-MM-DD`.
    pub date: String,
    root: PathBuf,
}

/// The parts of a context package that are used here.
#[derive(Deserialize)]
struct Package {
    target: String,
    references: Vec<Reference>,
}

impl Subject {
    /// Reads the document that `request` is about from the project at `root`. It is the context package's target,
    /// or, without a package, the first input that names a Markdown file; links are then looked up here.
    ///
    /// # Errors
    /// `perspective-unknown`, `context-unreadable`, `document-unknown`, `document-unreadable`, and what
    /// [`Request::reference`] gives.
    pub fn read(request: &Request, root: &Path) -> Result<Self, Error> {
        let named = request.config.get("perspective").or_else(|| request.inputs.get("perspective"));
        let perspective = Perspective::read(named.and_then(Value::as_str).unwrap_or_default())?;
        let package = if request.references.contains_key("context_from") {
            let value = request.reference("context_from")?;
            let package = Package::deserialize(&value).map_err(|cause| {
                Error::new(
                    "context-unreadable",
                    format!("'context_from' of stage '{}' is no context package: {cause}", request.stage),
                )
                .hint("refer to the output of a stage of type context")
            })?;
            Some(package)
        } else {
            None
        };
        let path = match &package {
            Some(package) => package.target.clone(),
            None => input(request, root).ok_or_else(|| unknown(&request.stage))?,
        };
        // The path may come from another plugin's output: it must not lead out of the project.
        let path = join("", &path)
            .ok_or_else(|| Error::new("document-unreadable", format!("'{path}' leads out of the project")))?;
        let bytes = std::fs::read(root.join(&path))
            .map_err(|cause| Error::new("document-unreadable", format!("'{path}' can't be read: {cause}")))?;
        let mut subject = Self::of(&path, &String::from_utf8_lossy(&bytes), perspective, &request.date, root);
        if let Some(package) = package {
            subject.references = package.references;
        }
        Ok(subject)
    }

    /// The document `text` at project path `path`; its links are looked up below `root`.
    pub fn of(path: &str, text: &str, perspective: Perspective, date: &str, root: &Path) -> Self {
        let document = parse(text);
        let kind = Kind::of(path, document.title.as_deref().unwrap_or_default());
        let references = links(path, &document, root);
        let (path, date, root) = (path.to_owned(), date.to_owned(), root.to_owned());
        Self { path, document, kind, perspective, references, date, root }
    }

    /// The status that the document at `path` gives itself, if it can be read.
    pub fn status_of(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
        parse(&head).field("status").map(|field| field.value.clone())
    }

    /// The words of a byte range of the document's prose.
    pub(crate) fn words(&self, range: std::ops::Range<usize>) -> usize {
        self.document.prose.get(range).map_or(0, |text| {
            text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
        })
    }
}

fn input(request: &Request, root: &Path) -> Option<String> {
    (request.inputs.values().filter_map(Value::as_str))
        .filter(|input| input.ends_with(".md") && !input.starts_with('/'))
        .find(|input| root.join(input).is_file())
        .map(String::from)
}

fn unknown(stage: &str) -> Error {
    Error::new("document-unknown", format!("stage '{stage}' can't tell which document to review"))
        .hint("set 'context_from' to the output of a context stage, or give the workflow an input that names a Markdown file")
}

/// Links to files, looked up one by one: what there is without a context package.
fn links(path: &str, document: &Document, root: &Path) -> Vec<Reference> {
    let written = document.links.iter().filter(|link| link.kind != LinkKind::Bare);
    written
        .filter_map(|link| {
            let found = match resolve(path, &link.target, |path| root.join(path).exists()) {
                Resolution::Found { path, .. } => Some(path),
                Resolution::Missing { .. } | Resolution::Outside => None,
                Resolution::External | Resolution::Anchor(_) => return None,
            };
            let broken = found.is_none();
            let (text, kind) = (link.target.clone(), "link".to_owned());
            Some(Reference { text, line: link.line, kind, path: found, broken, nearest: None })
        })
        .collect()
}
