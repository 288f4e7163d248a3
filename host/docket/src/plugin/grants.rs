//! What one stage may really touch: what its plugin asks for and the user granted, with config fields replaced by
//! their values, checked, and never more.

use docket_core::run::{PathError, PlannedWrite, ProjectPath};
use globset::{GlobBuilder, GlobMatcher};
use serde_json::Value;

use super::capabilities::{
    CACHE, Capabilities, EXEC, command_text, config_field, env_text, is_secret, read_text, write_text,
};

/// What one stage may touch.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Whether it may read the whole project, without hidden and ignored entries.
    pub read_all: bool,
    /// What else it may read.
    pub read: Vec<ReadGrant>,
    write: Vec<WriteGrant>,
    /// Whether it may run the launcher profile's command.
    pub exec: bool,
    /// Programs it may run, by name.
    pub commands: Vec<String>,
    /// Variables of the user's environment that it and a command it runs may see.
    pub env: Vec<String>,
    /// Whether it has a private cache.
    pub cache: bool,
    /// Limits that are raised for it, in words.
    limits: Vec<String>,
}

/// Something to read.
#[derive(Debug, Clone)]
pub enum ReadGrant {
    /// A folder or file. It may be one that plugins normally don't see, if it is named so in the manifest itself.
    Exactly(ProjectPath),
    /// The folders that match.
    Folders(FolderPattern),
}

/// A glob of folders.
#[derive(Debug, Clone)]
pub struct FolderPattern {
    /// The glob, as the manifest has it.
    pub text: String,
    glob: GlobMatcher,
}

impl FolderPattern {
    /// A glob of folders of the project.
    ///
    /// # Errors
    /// When it is none, could lead elsewhere, or names what only an exact path may name.
    fn parse(text: &str) -> Result<Self, GrantError> {
        let refused = |detail: String| GrantError::Glob { capability: text.to_owned(), detail };
        for part in text.split('/') {
            if matches!(part, "" | "." | "..") {
                return Err(refused("it has an empty part, '.' or '..'".to_owned()));
            }
            if is_secret(part) {
                return Err(refused(format!(
                    "'{part}' is read only where a path without wildcards names it"
                )));
            }
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        let glob = glob.map_err(|cause| refused(cause.to_string()))?.compile_matcher();
        Ok(Self { text: text.to_owned(), glob })
    }

    /// Whether a folder is one of them.
    pub fn matches(&self, folder: &str) -> bool {
        self.glob.is_match(folder)
    }

    /// The folder that all of them lie in, as far as it is written out.
    pub fn stem(&self) -> impl Iterator<Item = &str> {
        let parts = self.text.split('/').take_while(|part| !is_pattern(part));
        // The last part is what is matched, even when it is written out.
        parts.take(self.text.split('/').count() - 1)
    }

    /// How many folders below each other it can match at most; `None` when there is no telling.
    pub fn depth(&self) -> Option<usize> {
        (!self.text.contains("**") && !self.text.contains('{')).then(|| self.text.split('/').count())
    }

    /// Whether a folder whose name begins with a dot is looked into: where the pattern names it.
    pub fn enters(&self, name: &str) -> bool {
        !is_secret(name) && (!name.starts_with('.') || self.text.split('/').any(|part| part == name))
    }
}

/// Whether a text is a glob rather than a path.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

#[derive(Debug, Clone)]
enum WriteGrant {
    Exactly(ProjectPath),
    Matching(String, GlobMatcher),
}

/// Why a stage can't be granted what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// A config field that a capability names has no text.
    #[error("the capability '{capability}' needs the config field '{field}', which is not there or no text")]
    NoField {
        /// The capability.
        capability: String,
        /// The field.
        field: String,
    },
    /// A path that nobody may have.
    #[error("the capability '{capability}': {cause}")]
    Path {
        /// The capability.
        capability: String,
        /// What is wrong with the path.
        cause: PathError,
    },
    /// A path that plugins don't see unless their manifest names it.
    #[error(
        "the capability '{capability}': no stage may read '{part}' in '{path}', which only a manifest can name"
    )]
    Secret {
        /// The capability.
        capability: String,
        /// The path that the config field holds.
        path: String,
        /// Its part that is kept from plugins.
        part: String,
    },
    /// A glob that matches, or leads through, more folders than are mounted or looked at.
    #[error("the capability 'read {pattern}' {problem}")]
    Folders {
        /// The glob.
        pattern: String,
        /// What there is too much of, with the bound.
        problem: String,
    },
    /// A glob that can't be read.
    #[error("the capability '{capability}' is no glob that can be used: {detail}")]
    Glob {
        /// The capability.
        capability: String,
        /// Why.
        detail: String,
    },
    /// A file was proposed that was not granted.
    #[error("it proposed to write '{path}', which it was not granted (it may write: {})", allowed.join(", "))]
    NotGranted {
        /// The file.
        path: String,
        /// What was granted.
        allowed: Vec<String>,
    },
}

impl Grants {
    /// No file at all, and the import of `process` answered where it is asked for.
    pub fn without_files(asked: &Capabilities) -> Self {
        Self { exec: asked.exec, ..Self::default() }
    }

    /// What a stage with this config gets of what its plugin asks for.
    ///
    /// # Errors
    /// When a capability can't be made sense of; nothing is granted then.
    pub fn resolve(asked: &Capabilities, config: &Value) -> Result<Self, GrantError> {
        let mut grants = Self {
            exec: asked.exec,
            commands: asked.commands.clone(),
            env: asked.env.clone(),
            cache: asked.cache,
            limits: asked.limits.listed(),
            ..Self::default()
        };
        for capability in &asked.read {
            let (text, is_literal) = replaced(capability, config)?;
            match text.as_str() {
                "." => grants.read_all = true,
                text => grants.read.push(read_grant(capability, text.trim_end_matches('/'), is_literal)?),
            }
        }
        for capability in &asked.write {
            let (text, is_literal) = replaced(capability, config)?;
            grants.write.push(if is_literal && is_pattern(&text) {
                let glob = GlobBuilder::new(&text).literal_separator(true).build().map_err(|cause| {
                    GrantError::Glob { capability: capability.clone(), detail: cause.to_string() }
                })?;
                WriteGrant::Matching(text, glob.compile_matcher())
            } else {
                let path = ProjectPath::writable(&text);
                WriteGrant::Exactly(
                    path.map_err(|cause| GrantError::Path { capability: capability.clone(), cause })?,
                )
            });
        }
        Ok(grants)
    }

    /// Whether a proposed file may be written.
    ///
    /// # Errors
    /// [`GrantError::NotGranted`].
    pub fn allow(&self, write: &PlannedWrite) -> Result<(), GrantError> {
        let path = write.path.as_str();
        // What is kept from readers is not for writers either, whatever pattern matches it.
        let is_kept = write.path.parts().any(is_secret);
        let allowed = !is_kept
            && self.write.iter().any(|grant| match grant {
                WriteGrant::Exactly(granted) => granted == &write.path,
                WriteGrant::Matching(_, glob) => glob.is_match(path),
            });
        if allowed {
            return Ok(());
        }
        let mut names: Vec<String> = self.write_paths().collect();
        if names.is_empty() {
            names.push("nothing".to_owned());
        }
        Err(GrantError::NotGranted { path: path.to_owned(), allowed: names })
    }

    /// The files it may write that are named and not matched: what was there when the stage started is remembered.
    pub fn exact_writes(&self) -> impl Iterator<Item = &ProjectPath> {
        self.write.iter().filter_map(|grant| match grant {
            WriteGrant::Exactly(path) => Some(path),
            WriteGrant::Matching(..) => None,
        })
    }

    fn write_paths(&self) -> impl Iterator<Item = String> + '_ {
        self.write.iter().map(|grant| match grant {
            WriteGrant::Exactly(path) => path.to_string(),
            WriteGrant::Matching(text, _) => text.clone(),
        })
    }

    /// In words, for the record.
    pub fn listed(&self) -> Vec<String> {
        let all = self.read_all.then(|| "read .".to_owned());
        let read = self.read.iter().map(|grant| match grant {
            ReadGrant::Exactly(path) => read_text(path.as_str()),
            ReadGrant::Folders(pattern) => read_text(&pattern.text),
        });
        let write = self.write_paths().map(|path| write_text(&path));
        let exec = self.exec.then(|| EXEC.to_owned());
        let commands = self.commands.iter().map(|name| command_text(name));
        let env = self.env.iter().map(|name| env_text(name));
        let cache = self.cache.then(|| CACHE.to_owned());
        let files = all.into_iter().chain(read).chain(write);
        let run = exec.into_iter().chain(commands);
        files.chain(run).chain(env).chain(cache).chain(self.limits.iter().cloned()).collect()
    }
}

/// What a read capability grants: `text` is what it says with its config field replaced, unless it `is_literal`. A
/// field's value is a plain path, and never one of those that plugins don't see: it may come from a document or an agent.
fn read_grant(capability: &str, text: &str, is_literal: bool) -> Result<ReadGrant, GrantError> {
    if is_literal && is_pattern(text) {
        return FolderPattern::parse(text).map(ReadGrant::Folders);
    }
    let path = ProjectPath::parse(text)
        .map_err(|cause| GrantError::Path { capability: capability.to_owned(), cause })?;
    let secret = path.parts().find(|part| is_secret(part)).filter(|_| !is_literal).map(str::to_owned);
    match secret {
        Some(part) => {
            Err(GrantError::Secret { capability: capability.to_owned(), path: path.to_string(), part })
        }
        None => Ok(ReadGrant::Exactly(path)),
    }
}

/// Replaces a capability that is `${config.name}` by that field; whether it stands in the manifest itself. A field's
/// value is a path, never a pattern: a `*` in it is a star in a file's name.
fn replaced(capability: &str, config: &Value) -> Result<(String, bool), GrantError> {
    let Some(field) = config_field(capability) else {
        return Ok((capability.to_owned(), true));
    };
    let value = config.get(field).and_then(Value::as_str).map(|value| (value.to_owned(), false));
    value.ok_or_else(|| GrantError::NoField { capability: capability.to_owned(), field: field.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(read: &[&str], write: &[&str]) -> Capabilities {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Capabilities { read: owned(read), write: owned(write), ..Capabilities::default() }
    }

    fn write(path: &str) -> PlannedWrite {
        PlannedWrite { path: ProjectPath::parse(path).expect("a path"), bytes: vec![] }
    }

    #[test]
    fn config_fields_grant_exactly_that_file() {
        let asked = asked(&["${config.file}"], &["${config.file}"]);
        let grants = Grants::resolve(&asked, &json!({"file": "docs/*.md"})).expect("granted");
        assert!(grants.allow(&write("docs/*.md")).is_ok());
        assert!(grants.allow(&write("docs/a.md")).is_err());
        assert_eq!(grants.listed(), ["read docs/*.md", "write docs/*.md"]);
        assert!(matches!(Grants::resolve(&asked, &json!({})), Err(GrantError::NoField { .. })));
        // The same text as the capability is a value like any other.
        let grants = Grants::resolve(&asked, &json!({"file": "${config.file}"})).expect("granted");
        assert_eq!(grants.exact_writes().count(), 1);
        assert!(matches!(Grants::resolve(&asked, &json!({"file": "../x"})), Err(GrantError::Path { .. })));
        assert!(matches!(
            Grants::resolve(&asked, &json!({"file": ".git/config"})),
            Err(GrantError::Secret { .. })
        ));
    }

    #[test]
    fn globs_stay_within_a_folder_unless_they_say_otherwise() {
        let grants = Grants::resolve(&asked(&[], &["docs/*.md", "out/**"]), &json!({})).expect("granted");
        for (path, allowed) in
            [("docs/a.md", true), ("docs/b/a.md", false), ("out/b/a.md", true), ("a.md", false)]
        {
            assert_eq!(grants.allow(&write(path)).is_ok(), allowed, "{path}");
        }
    }

    #[test]
    fn a_config_field_never_names_a_secret_and_a_manifest_may() {
        let from_config = asked(&["${config.path}"], &[]);
        for path in [".git", ".git/config", ".docket/x", "docs/.env.local", ".env"] {
            let refused = Grants::resolve(&from_config, &json!({ "path": path })).expect_err(path);
            assert!(matches!(&refused, GrantError::Secret { .. }), "{refused}");
            let granted = Grants::resolve(&asked(&[path], &[]), &json!({})).expect(path);
            assert_eq!(granted.listed(), [format!("read {path} (normally kept from plugins)")]);
        }
        // A capability that reads like the placeholder's value is still the manifest's own text.
        assert!(Grants::resolve(&from_config, &json!({ "path": "${config.path}" })).is_ok());
        for pattern in [".git/*", "**/.env", "*/../x", "/abs/*", "a//*", "./*"] {
            let refused = Grants::resolve(&asked(&[pattern], &[]), &json!({})).expect_err(pattern);
            assert!(matches!(&refused, GrantError::Glob { .. }), "{refused}");
        }
    }

    #[test]
    fn what_is_kept_from_readers_is_not_written() {
        let grants = Grants::resolve(&asked(&[".env"], &["**", ".env"]), &json!({})).expect("granted");
        for path in [".env", ".env.local", "a/.git/config", ".docket/x"] {
            assert!(grants.allow(&write(path)).is_err(), "{path}");
        }
        assert!(grants.allow(&write("a/env")).is_ok());
    }

    #[test]
    fn patterns_of_folders_know_where_to_look() {
        let pattern = |text: &str| FolderPattern::parse(text).expect(text);
        let stem = |text: &str| pattern(text).stem().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(stem("packages/*/docs"), ["packages"]);
        assert_eq!(stem("a/b/c[12]"), ["a", "b"]);
        assert!(stem("**/adr").is_empty());
        assert_eq!((pattern("packages/*/docs").depth(), pattern("**/adr").depth()), (Some(3), None));
        assert!(pattern("**/adr").matches("adr") && pattern("**/adr").matches("a/b/adr"));
        assert!(!pattern("*/adr").matches("a/b/adr"));
        assert!(pattern(".github/*").enters(".github") && !pattern("**").enters(".github"));
        assert!(!pattern("**").enters(".git") && pattern("**").enters("docs"));
    }

    #[test]
    fn nothing_asked_for_is_nothing_granted() {
        let grants = Grants::resolve(&Capabilities::default(), &json!({})).expect("nothing");
        assert!(grants.listed().is_empty());
        assert!(grants.allow(&write("a.md")).expect_err("refused").to_string().contains("nothing"));
    }
}
