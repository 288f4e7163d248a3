//! What one source file defines, taken alone: symbols, commands, and what it says is still to do. A plain value that can
//! be stored and read back.
//!
//! Read by looking at the beginnings of lines, not by parsing: wrong code, half code and generated code do no harm, and
//! what is missed is missed. Nothing here knows of other files or of the document.

pub mod commands;
pub mod definitions;
pub mod todo;

use serde::{Deserialize, Serialize};

pub use commands::CommandDefinition;
pub use definitions::Definition;
pub use todo::Todo;

/// Stored values are made anew when this differs: raise it with every change of what is read or how.
pub const VERSION: u32 = 1;
/// Longer lines are no code that somebody wrote.
pub(crate) const MAXIMUM_LINE: usize = 400;
/// A file with more lines like that is generated or packed: nothing of it is kept.
const MAXIMUM_LONG_LINES: usize = 20;

/// What a source file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Symbols it defines, in the order of lines.
    pub definitions: Vec<Definition>,
    /// Commands it defines.
    pub commands: Vec<CommandDefinition>,
    /// What is to do in it.
    pub todos: Vec<Todo>,
}

/// The language of a file, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust.
    Rust,
    /// TypeScript and JavaScript.
    Script,
    /// Python.
    Python,
    /// Go.
    Go,
    /// Java, Kotlin, Scala and C#.
    Curly,
    /// C and C++.
    C,
    /// Ruby.
    Ruby,
    /// Swift.
    Swift,
    /// Shell.
    Shell,
    /// PHP.
    Php,
    /// Interface descriptions: protocol buffers, WIT, GraphQL, Thrift.
    Interface,
    /// Package and build files, by their name: they define commands.
    Build,
}

impl Language {
    /// The language of a file with this name; none for what is no source file.
    pub fn of(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if matches!(
            lower.as_str(),
            "makefile"
                | "gnumakefile"
                | "justfile"
                | ".justfile"
                | "package.json"
                | "cargo.toml"
                | "pyproject.toml"
        ) {
            return Some(Self::Build);
        }
        let (_, extension) = lower.rsplit_once('.')?;
        Some(match extension {
            "rs" => Self::Rust,
            "ts" | "tsx" | "js" | "jsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => Self::Script,
            "py" | "pyi" => Self::Python,
            "go" => Self::Go,
            "java" | "kt" | "kts" | "scala" | "cs" | "groovy" | "dart" => Self::Curly,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "m" | "mm" => Self::C,
            "rb" | "rake" => Self::Ruby,
            "swift" => Self::Swift,
            "sh" | "bash" | "zsh" => Self::Shell,
            "php" => Self::Php,
            "proto" | "wit" | "graphql" | "thrift" => Self::Interface,
            "mk" | "just" => Self::Build,
            _ => return None,
        })
    }
}

/// Reads the source file with this project path.
pub fn read(path: &str, text: &str) -> Source {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(language) = Language::of(name) else { return Source::default() };
    if text.lines().filter(|line| line.len() > MAXIMUM_LINE).take(MAXIMUM_LONG_LINES).count()
        == MAXIMUM_LONG_LINES
    {
        return Source::default();
    }
    Source {
        definitions: definitions::read(language, text),
        commands: commands::read(language, path, text),
        todos: todo::in_code(language, text),
    }
}

/// The letters, digits and `_` (and `also`) that a text begins with.
pub(crate) fn word<'a>(text: &'a str, also: &str) -> &'a str {
    let is_part =
        |character: char| character.is_alphanumeric() || character == '_' || also.contains(character);
    &text[..text.find(|character: char| !is_part(character)).unwrap_or(text.len())]
}

/// A line's number, from 1.
pub(crate) fn number(above: usize) -> u32 {
    u32::try_from(above + 1).unwrap_or(u32::MAX)
}
