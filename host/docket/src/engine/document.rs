//! Finding a document by path or id, for `docket review`, and the file a user may have meant.

use std::path::Path;

use docket_core::definition::closest;

use super::{Engine, EngineError};
use crate::store::Project;

/// Extensions of documents.
const EXTENSIONS: [&str; 4] = ["md", "markdown", "mdx", "txt"];
/// How many suggestions are given.
const SUGGESTIONS: usize = 5;

impl Engine {
    /// Finds a document: a path from where the user is, or an id such as `rfc-0002`, `RFC 2` or `adr3` that a file
    /// name begins with.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn document(&self, name: &str) -> Result<String, EngineError> {
        let setting = self.setting();
        let looks_like_path = name.contains('/') || name.contains('.');
        if looks_like_path || setting.folder.join(name).is_file() {
            let path = setting.project.path(name, &setting.folder)?;
            if setting.project.read(&path)?.is_some() {
                return Ok(path.to_string());
            }
        }
        let documents = documents(setting.project.root());
        let mut matches: Vec<String> = match id(name) {
            Some(wanted) => {
                documents.iter().filter(|path| file_id(path) == Some(wanted.clone())).cloned().collect()
            }
            None => documents.iter().filter(|path| stem(path) == name).cloned().collect(),
        };
        match matches.len() {
            1 => Ok(matches.remove(0)),
            0 => Err(EngineError::NoDocument { name: name.to_owned(), similar: similar(&documents, name) }),
            _ => Err(EngineError::ManyDocuments { name: name.to_owned(), matches }),
        }
    }
}

/// The document whose name is nearest to a path that is not there.
pub(super) fn nearest(project: &Project, path: &str) -> Option<String> {
    let documents = documents(project.root());
    if let Some(same) = documents.iter().find(|document| stem(document) == stem(path)) {
        return Some(same.clone());
    }
    closest(path, documents.iter().map(String::as_str)).map(str::to_owned)
}

/// All documents of a project, sorted; hidden and ignored ones are left out.
fn documents(root: &Path) -> Vec<String> {
    let mut found: Vec<String> = ignore::WalkBuilder::new(root)
        .require_git(false)
        .build()
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter(|entry| {
            let extension = entry.path().extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
        })
        .filter_map(|entry| entry.path().strip_prefix(root).ok()?.to_str().map(str::to_owned))
        .collect();
    found.sort();
    found
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// An id: letters, then perhaps a dash, an underscore or a space, then digits; leading zeros don't count.
fn id(text: &str) -> Option<(String, u64)> {
    let text = text.trim().to_ascii_lowercase();
    let letters = text.find(|character: char| !character.is_ascii_alphabetic())?;
    let (kind, rest) = text.split_at(letters);
    let digits = rest.trim_start_matches(['-', '_', ' ']);
    (!kind.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| Some((kind.to_owned(), digits.parse().ok()?)))?
}

/// The id a file's name begins with; for names that begin with digits (`0003-title.md`), the kind is the folder's
/// name without a plural s.
fn file_id(path: &str) -> Option<(String, u64)> {
    let stem = stem(path).to_ascii_lowercase();
    let digits_end = |from: usize| {
        stem[from..].find(|character: char| !character.is_ascii_digit()).map_or(stem.len(), |end| from + end)
    };
    if stem.starts_with(|character: char| character.is_ascii_digit()) {
        let folder = path.rsplit('/').nth(1)?.to_ascii_lowercase();
        let kind = folder.strip_suffix('s').unwrap_or(&folder).to_owned();
        return Some((kind, stem[..digits_end(0)].parse().ok()?));
    }
    let first_digit = stem.find(|character: char| character.is_ascii_digit())?;
    id(&stem[..digits_end(first_digit)])
}

fn similar(documents: &[String], name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let containing = documents.iter().filter(|path| path.to_ascii_lowercase().contains(&lower));
    let mut found: Vec<String> = containing.take(SUGGESTIONS).cloned().collect();
    if found.is_empty() {
        let stems: Vec<&str> = documents.iter().map(|path| stem(path)).collect();
        if let Some(near) = closest(stem(name), stems.iter().copied()) {
            found.extend(documents.iter().filter(|path| stem(path) == near).cloned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        let wanted = Some(("rfc".to_owned(), 2));
        for text in ["rfc-0002", "RFC-2", "rfc 2", "Rfc_02", "rfc2"] {
            assert_eq!(id(text), wanted, "{text}");
        }
        for path in ["docs/rfcs/rfc-0002-title.md", "docs/rfcs/0002-title.md", "docs/rfc/2.md", "RFC_0002.md"]
        {
            assert_eq!(file_id(path), wanted, "{path}");
        }
        assert_eq!(id("readme"), None);
        assert_eq!(id("rfc-0002-title"), None);
        assert_eq!(file_id("docs/readme.md"), None);
    }
}
