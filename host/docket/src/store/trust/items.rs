//! The files of a project that need trust: its definitions, templates, schemas and plugins. Reads and hashes them; what
//! they say is nobody's business here.

use std::path::{Path, PathBuf};

use docket_core::run::{ProjectPath, sha256};

use crate::store::{Project, StoreError, project};

/// The folders below `.docket/` whose files need trust.
const TRUSTED_FOLDERS: [&str; 2] = [PLUGINS, "workflows"];
/// The one with plugins.
const PLUGINS: &str = "plugins";
/// What docket itself writes below `.docket/workflows/`.
const OWN_FOLDERS: [&str; 2] = ["workflows/state", "workflows/completed"];
/// Larger files are no definitions, templates, schemas or plugins.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A file of a project that needs trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path below `.docket/`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub sha256: String,
}

/// The files of a project that need trust, by path. Who may write them does not matter: what is trusted is their
/// content, and what is used is hashed.
///
/// # Errors
/// When one can't be read, is a link, or is too large.
pub fn items(project: &Project) -> Result<Vec<Item>, StoreError> {
    let root = project.root().join(project::FOLDER);
    TRUSTED_FOLDERS
        .iter()
        .flat_map(|folder| files(&root, folder))
        .map(|path| item(project, &root, &path))
        .collect()
}

/// The plugin files of a project, by path below `.docket/`. One that can't be used stands in nobody else's way.
pub fn plugin_items(project: &Project) -> Vec<(String, Result<Item, StoreError>)> {
    let root = project.root().join(project::FOLDER);
    let is_plugin = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    files(&root, PLUGINS)
        .into_iter()
        .filter(is_plugin)
        .map(|path| {
            let shown = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
            (shown, item(project, &root, &path))
        })
        .collect()
}

/// All files and links below a folder of `.docket/`, sorted, without docket's own.
fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let docket = root.to_owned();
    let walk = ignore::WalkBuilder::new(root.join(folder))
        .standard_filters(false)
        .filter_entry(move |entry| {
            let path = entry.path().strip_prefix(&docket).unwrap_or(entry.path());
            !OWN_FOLDERS.iter().any(|own| path.starts_with(own))
        })
        .build();
    let is_file = |kind: std::fs::FileType| kind.is_file() || kind.is_symlink();
    let mut paths: Vec<PathBuf> = walk
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(is_file))
        .map(ignore::DirEntry::into_path)
        .collect();
    paths.sort();
    paths
}

fn item(project: &Project, root: &Path, path: &Path) -> Result<Item, StoreError> {
    let shown = path.strip_prefix(root).ok().and_then(Path::to_str).unwrap_or_default().to_owned();
    let outside = |detail: String| StoreError::OutsideProject { path: path.display().to_string(), detail };
    let inside = ProjectPath::parse(&format!("{}/{shown}", project::FOLDER))
        .map_err(|error| outside(format!("can't be used: {error}")))?;
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        return Err(outside(format!("is larger than {MAX_BYTES} bytes")));
    }
    let bytes = project.read(&inside)?.ok_or_else(|| outside("is gone".to_owned()))?;
    let sha256 = sha256(&bytes);
    Ok(Item { path: shown, bytes, sha256 })
}
