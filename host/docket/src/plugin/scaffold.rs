//! The files of a new plugin: a crate that builds at once, with the SDK inside. `docket plugin new` writes them.
//!
//! Must not overwrite anything, and must not run cargo: what a build needs is in the files.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::embedded::{CONTRACT, SCAFFOLD, SDK, SDK_DEPENDENCIES};

/// Longest name of a plugin.
const MAX_NAME: usize = 64;
/// Names that Rust or the plugin's own dependencies have taken.
const TAKEN: [&str; 55] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "docket-plugin",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "unsafe",
    "use",
    "wit-bindgen",
    "where",
];
/// Names of types that the plugin's file uses.
const USED_TYPES: [&str; 6] = ["Error", "Ok", "Outcome", "Request", "Result", "Stage"];

/// Why a name is none for a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not the name of a package.
    #[error("'{}' is no name for a plugin: it is lower-case letters, digits and '-', begins with a letter and has at most {MAX_NAME} characters", .0.escape_debug())]
    Form(String),
    /// Taken by Rust or a dependency.
    #[error("'{0}' is no name for a plugin: Rust or the SDK uses it")]
    Taken(String),
    /// One of docket's own stage types.
    #[error("'{0}' is one of docket's own stage types")]
    BuiltIn(String),
}

/// Why the files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something is there.
    #[error("{} is there already, and is not empty", .0.display())]
    Occupied(PathBuf),
    /// The operating system.
    #[error("can't write {}: {cause}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// A file of a new plugin: its path in the folder and its text.
pub type NewFile = (String, String);

/// Checks a plugin's name. `built_in` are the stage types of docket's own plugins.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str, built_in: &[String]) -> Result<(), NameError> {
    let plain =
        name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    if !plain || !begins || name.len() > MAX_NAME || name.ends_with('-') || name.contains("--") {
        return Err(NameError::Form(name.to_owned()));
    }
    if TAKEN.contains(&name) {
        return Err(NameError::Taken(name.to_owned()));
    }
    if built_in.iter().any(|known| known == name) {
        return Err(NameError::BuiltIn(name.to_owned()));
    }
    Ok(())
}

/// The files of a new plugin, whose name was checked. With a manifest file, config and result have schemas.
pub fn files(name: &str, with_manifest: bool) -> Vec<NewFile> {
    let manifest = if with_manifest { ", manifest = \"../manifest.json\"" } else { "" };
    let own = [("name", name), ("struct", &type_name(name)), ("manifest", manifest)];
    let mut files: Vec<NewFile> = [
        ("Cargo.toml", "Cargo.toml.template"),
        ("src/lib.rs", "lib.rs.template"),
        (".cargo/config.toml", "config.toml.template"),
        (".gitignore", "gitignore.template"),
    ]
    .into_iter()
    .map(|(path, template)| (path.to_owned(), filled(template, &own)))
    .collect();
    files.push((format!("{name}.yml"), filled("definition.yml.template", &own)));
    files.push(("Cargo.lock".to_owned(), lock(name)));
    if with_manifest {
        files.push(("manifest.json".to_owned(), filled("manifest.json.template", &own)));
    }
    files.extend(sdk());
    files
}

/// The SDK as a package of its own.
fn sdk() -> Vec<NewFile> {
    let mut values = vec![("version", env!("CARGO_PKG_VERSION"))];
    values.extend(SDK_DEPENDENCIES);
    let folder = "vendor/docket-plugin";
    let mut files = vec![(format!("{folder}/Cargo.toml"), filled("sdk.Cargo.toml.template", &values))];
    let copied = |below: &'static str| {
        move |(path, text): &(&str, &str)| (format!("{folder}/{below}/{path}"), (*text).to_owned())
    };
    files.extend(SDK.iter().map(copied("src")));
    files.extend(CONTRACT.iter().map(copied("wit")));
    files
}

/// The lock file with this package in its place: the versions are those that docket is tested with.
fn lock(name: &str) -> String {
    let text = template("Cargo.lock.template");
    let (head, rest) = text.split_once("[[package]]\n").unwrap_or((text, ""));
    let own = format!("name = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"docket-plugin\",\n]\n");
    let mut packages: Vec<&str> = rest.split("[[package]]\n").map(str::trim_end).collect();
    packages.push(own.trim_end());
    // Cargo's order: by name, then version, which are the first two lines.
    packages.sort_unstable();
    let packages: Vec<String> = packages.iter().map(|package| format!("[[package]]\n{package}\n")).collect();
    format!("{head}{}", packages.join("\n"))
}

fn template(name: &str) -> &'static str {
    // Embedded by name; a test writes them all.
    SCAFFOLD.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).unwrap_or_default()
}

fn filled(name: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template(name).to_owned(), |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value))
}

/// `word-count` → `WordCount`.
fn type_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    let name: String = words.collect();
    if USED_TYPES.contains(&name.as_str()) { format!("{name}Plugin") } else { name }
}

/// Writes files into a folder, which must not be there or be empty.
///
/// # Errors
/// When there is something already, or a file can't be written.
pub fn write(folder: &Path, files: &[NewFile]) -> Result<(), WriteError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |cause| WriteError::Io { path, cause }
    };
    match std::fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => {}
        Ok(_) => return Err(WriteError::Occupied(folder.to_owned())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(io(folder)(cause)),
    }
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(io(parent))?;
        // Never through what somebody put there in between.
        let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(io(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_packages() {
        for name in ["hello", "word-count", "a", "x2", "git-changes"] {
            assert_eq!(check_name(name, &[]), Ok(()), "{name}");
        }
        for name in
            ["", "Hello", "2x", "-x", "x-", "a--b", "a b", "a/b", "../x", "a_b", "ö", "a.b", &"x".repeat(65)]
        {
            assert!(matches!(check_name(name, &[]), Err(NameError::Form(_))), "{name}");
        }
        assert!(matches!(check_name("match", &[]), Err(NameError::Taken(_))));
        assert!(matches!(check_name("storage", &["storage".to_owned()]), Err(NameError::BuiltIn(_))));
    }

    #[test]
    fn every_file_is_filled_in() {
        for with_manifest in [false, true] {
            let files = files("word-count", with_manifest);
            for (path, text) in &files {
                let own = !path.starts_with("vendor/docket-plugin/src");
                assert!(!text.trim().is_empty(), "{path} is empty");
                let open = text.replace("${{", "").contains("{{");
                assert!(!(own && open), "{path} has something left to be filled in:\n{text}");
            }
            let source = &files.iter().find(|(path, _)| path == "src/lib.rs").expect("a source file").1;
            assert!(source.lines().count() <= 10, "ten lines are promised");
            assert!(source.contains("struct WordCount;"), "{source}");
            assert_eq!(source.contains("manifest.json"), with_manifest);
        }
    }

    #[test]
    fn types_do_not_hide_those_of_the_sdk() {
        assert_eq!(type_name("request"), "RequestPlugin");
        assert_eq!(type_name("git-changes"), "GitChanges");
    }

    /// The versions that docket itself is built and tested with.
    #[test]
    fn the_lock_file_has_docket_s_own_versions() {
        let own = include_str!("../../../../Cargo.lock");
        let lock = lock("zebra");
        let mut names = Vec::new();
        for package in lock.split("[[package]]\n").skip(1) {
            let (name, rest) = package.split_once('\n').expect("lines");
            names.push(name.to_owned());
            if name != "name = \"zebra\"" {
                let version = rest.lines().next().expect("a version");
                assert!(
                    own.contains(&format!("{name}\n{version}\n")),
                    "docket does not use {name} {version}: make plugins/scaffold/Cargo.lock.template again, as docs/adr/adr-0018 says"
                );
            }
        }
        assert!(names.len() > 10, "{names:?}");
        assert!(names.is_sorted(), "{names:?}");
    }
}
