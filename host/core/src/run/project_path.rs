//! Paths inside a project, checked as text. Whether something is a symbolic link only the host can find out; this
//! is the part of the rule that needs no file system, so that it can be tested without one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path relative to the project with `/` between parts, none of them empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ProjectPath(String);

/// Why a text is no path that docket reads or writes in a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing there.
    #[error("the path is empty")]
    Empty,
    /// Starts at the root, or with a drive letter.
    #[error("'{0}' is absolute; paths are relative to the project")]
    Absolute(String),
    /// Leads out of the project.
    #[error("'{0}' leads out of the project ('..')")]
    Escapes(String),
    /// A part that is empty or `.`, here or on systems that leave out dots and blanks at the end of a name.
    #[error("'{0}' has an empty part, one of dots or blanks alone, or a trailing '/'")]
    EmptyPart(String),
    /// A character that has no place in a path.
    #[error("'{0}' contains a control character or a backslash")]
    Character(String),
    /// A name that Windows keeps for devices.
    #[error("'{0}' contains a name that some systems keep for devices")]
    DeviceName(String),
    /// A name that some systems take for another file's.
    #[error(
        "'{0}' contains ':' or a part that ends with a dot or a space: some systems take it for another file"
    )]
    Ambiguous(String),
    /// docket's own or git's folder.
    #[error("'{0}' lies in '{1}', which no stage may touch")]
    Reserved(String, String),
}

impl ProjectPath {
    /// Checks a text. Backslashes are refused rather than translated: on Unix they are part of a name, on Windows a
    /// separator, and a path must mean the same everywhere.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let shown = || text.escape_debug().to_string();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.chars().any(|character| character.is_control() || character == '\\') {
            return Err(PathError::Character(shown()));
        }
        let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
        if text.starts_with('/') || drive {
            return Err(PathError::Absolute(shown()));
        }
        for part in text.split('/') {
            match part {
                "" | "." => return Err(PathError::EmptyPart(shown())),
                ".." => return Err(PathError::Escapes(shown())),
                // Windows leaves dots and blanks at the end out, and sees `..` in `.. `.
                _ if part.trim_end_matches(['.', ' ']).is_empty() => {
                    return Err(PathError::EmptyPart(shown()));
                }
                _ if is_device_name(part) => return Err(PathError::DeviceName(shown())),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks a text as the path of a file that a stage wants to write: as [`Self::parse`], not inside `.git` or
    /// `.docket` at any depth, however written, and the same file on every system.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn writable(text: &str) -> Result<Self, PathError> {
        let path = Self::parse(text)?;
        let reserved = path.parts().find(|part| is_reserved(part)).map(str::to_owned);
        if let Some(part) = reserved {
            return Err(PathError::Reserved(text.escape_debug().to_string(), part));
        }
        // Windows leaves dots and spaces at the end of a name away, and takes what follows a colon for a stream.
        if text.contains(':') || path.parts().any(|part| part.ends_with(['.', ' '])) {
            return Err(PathError::Ambiguous(text.escape_debug().to_string()));
        }
        Ok(path)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, outermost first.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The file name without its last extension.
    pub fn stem(&self) -> &str {
        let name = self.0.rsplit('/').next().unwrap_or(&self.0);
        match name.rfind('.') {
            Some(0) | None => name,
            Some(dot) => &name[..dot],
        }
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProjectPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// `.git` and `.docket` on file systems that ignore case, trailing dots and spaces, or short names (`GIT~1`), and
/// with the invisible characters that HFS+ ignores. The list follows what git itself refuses in trees.
fn is_reserved(part: &str) -> bool {
    let visible: String = part.chars().filter(|character| !is_ignorable(*character)).collect();
    // What follows a colon names a stream of the file; dots and blanks count neither before it nor at the end.
    let name = visible.split(':').next().unwrap_or(&visible).trim_end_matches(['.', ' ']).to_lowercase();
    matches!(name.as_str(), ".git" | ".docket" | "git~1" | "docket~1")
}

fn is_ignorable(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn is_device_name(part: &str) -> bool {
    let stem = part.split(['.', ':']).next().unwrap_or(part).trim_end().to_ascii_lowercase();
    // Windows counts with superscripts, too.
    let is_number = |rest: &str| {
        matches!(rest, "\u{b9}" | "\u{b2}" | "\u{b3}")
            || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit()
    };
    let numbered = |prefix: &str| stem.strip_prefix(prefix).is_some_and(is_number);
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || numbered("com")
        || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in
            ["a", "docs/rfcs/rfc-0001.md", "docs/rfcs/.reviews/x.md", "a b/ü.md", "console/x", ".github/x"]
        {
            assert_eq!(ProjectPath::writable(path).map(|path| path.as_str().to_owned()), Ok(path.to_owned()));
        }
    }

    #[test]
    fn paths_that_leave_the_project_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "C:/x",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "a\0b",
            "a\nb",
            "a/.. /x",
            "...",
            " /x",
        ] {
            assert!(ProjectPath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn reserved_folders_are_refused_however_written() {
        for path in [
            ".git/config",
            ".docket/config.yml",
            "a/.git/hooks/x",
            ".GIT/config",
            ".Docket/x",
            ".git./x",
            ".git /x",
            "git~1/x",
            ".g\u{200d}it/x",
            ".git::$INDEX_ALLOCATION/x",
            ".git .:x",
            ".git",
        ] {
            assert!(matches!(ProjectPath::writable(path), Err(PathError::Reserved(..))), "{path:?}");
        }
    }

    #[test]
    fn device_names_are_refused() {
        for path in
            ["nul", "docs/CON.md", "aux.txt", "com1", "a/LPT9.log", "COM\u{b9}", "conin$", "CONOUT$.txt"]
        {
            assert!(matches!(ProjectPath::parse(path), Err(PathError::DeviceName(_))), "{path:?}");
        }
    }

    #[test]
    fn names_that_are_another_files_elsewhere_are_not_written() {
        for path in ["a.md.", "a.md ", "b./a.md", "b /a.md", "a.md:x", "docs/b:x/c"] {
            assert!(matches!(ProjectPath::writable(path), Err(PathError::Ambiguous(_))), "{path:?}");
            assert!(ProjectPath::parse(path).is_ok(), "{path:?} can be read");
        }
    }

    #[test]
    fn stems_leave_the_last_extension_out() {
        let stem = |text: &str| ProjectPath::parse(text).expect("a path").stem().to_owned();
        assert_eq!(stem("docs/rfcs/rfc-0003-x.md"), "rfc-0003-x");
        assert_eq!(stem("a/.hidden"), ".hidden");
    }
}
