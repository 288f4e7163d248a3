//! What one stage may really touch: what its plugin asks for and the user granted, with config fields replaced by
//! their values, checked, and never more.

use docket_core::run::{PathError, PlannedWrite, ProjectPath};
use globset::{GlobBuilder, GlobMatcher};
use serde_json::Value;

use super::manifest::Capabilities;

/// What one stage may touch.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Whether it may read the whole project, without hidden and ignored entries.
    pub read_all: bool,
    /// Folders and files it may read.
    pub read: Vec<ProjectPath>,
    write: Vec<WriteGrant>,
    /// Whether it may run the launcher profile's command.
    pub exec: bool,
    /// Whether it has a private cache.
    pub cache: bool,
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
    /// A glob that can't be read.
    #[error("the capability '{capability}' is no glob: {detail}")]
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
    /// No file at all, and whether the import of `process` is answered.
    pub fn without_files(exec: bool) -> Self {
        Self { exec, ..Self::default() }
    }

    /// What a stage with this config gets of what its plugin asks for.
    ///
    /// # Errors
    /// When a capability can't be made sense of; nothing is granted then.
    pub fn resolve(asked: &Capabilities, config: &Value) -> Result<Self, GrantError> {
        let mut grants = Self { exec: asked.exec, cache: asked.cache, ..Self::default() };
        for capability in &asked.read {
            let text = replaced(capability, config)?;
            if text == "." {
                grants.read_all = true;
                continue;
            }
            let path = ProjectPath::parse(text.trim_end_matches('/'));
            grants
                .read
                .push(path.map_err(|cause| GrantError::Path { capability: capability.clone(), cause })?);
        }
        for capability in &asked.write {
            let text = replaced(capability, config)?;
            let is_pattern = text == *capability && text.contains(['*', '?', '[', '{']);
            grants.write.push(if is_pattern {
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
        let allowed = self.write.iter().any(|grant| match grant {
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
        let read = self.read.iter().map(|path| format!("read {path}"));
        let write = self.write_paths().map(|path| format!("write {path}"));
        let exec = self.exec.then(|| "run the launcher profile's command".to_owned());
        let cache = self.cache.then(|| "keep a private cache".to_owned());
        all.into_iter().chain(read).chain(write).chain(exec).chain(cache).collect()
    }
}

/// Replaces a capability that is `${config.name}` by that field. The value is a path, never a pattern: a `*` in it
/// is a star in a file's name.
fn replaced(capability: &str, config: &Value) -> Result<String, GrantError> {
    let Some(field) = capability.strip_prefix("${config.").and_then(|rest| rest.strip_suffix('}')) else {
        return Ok(capability.to_owned());
    };
    config
        .get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| GrantError::NoField { capability: capability.to_owned(), field: field.to_owned() })
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
        assert!(matches!(Grants::resolve(&asked, &json!({"file": "../x"})), Err(GrantError::Path { .. })));
        assert!(matches!(
            Grants::resolve(&asked, &json!({"file": ".git/config"})),
            Err(GrantError::Path { .. })
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
    fn nothing_asked_for_is_nothing_granted() {
        let grants = Grants::resolve(&Capabilities::default(), &json!({})).expect("nothing");
        assert!(grants.listed().is_empty());
        assert!(grants.allow(&write("a.md")).expect_err("refused").to_string().contains("nothing"));
    }
}
