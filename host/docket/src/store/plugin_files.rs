//! The user's own plugin files. A project's are among what needs trust: see [`super::trust::items`].

use std::path::PathBuf;

use super::{Home, StoreError};

/// A plugin file: its path, and its bytes unless it is larger than allowed.
pub type PluginFile = (PathBuf, Option<Vec<u8>>);

/// The plugin files of the user, by path.
///
/// # Errors
/// When one can't be read, or could have been written by somebody else.
pub fn of_user(home: &Home, max_bytes: u64) -> Result<Vec<PluginFile>, StoreError> {
    let folder = home.plugins();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(StoreError::io("can't read", &folder)(cause)),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| read(path, max_bytes)).collect()
}

fn read(path: PathBuf, max_bytes: u64) -> Result<PluginFile, StoreError> {
    crate::disk::refuse_unsafe(&path)?;
    let size = std::fs::metadata(&path).map_err(StoreError::io("can't look at", &path))?.len();
    if size > max_bytes {
        return Ok((path, None));
    }
    let bytes = std::fs::read(&path).map_err(StoreError::io("can't read", &path))?;
    Ok((path, Some(bytes)))
}
