//! Texts as they were trusted, by hash, in the user's folder: so that a change can be shown, and not only noticed. They
//! decide nothing; one that is missing or was tampered with is as good as none.

use std::path::{Path, PathBuf};

use docket_core::run::sha256;

use super::{Item, Trust};
use crate::disk::{Durability, create_private, replace};
use crate::store::{Home, StoreError};

/// Larger ones are not kept: nobody reads their difference.
const MAX_BYTES: usize = 1024 * 1024;

/// Keeps the texts among these files, and throws away those that nothing trusted refers to any more.
///
/// # Errors
/// When the user's folder can't be written.
pub fn keep(home: &Home, trust: &Trust, items: &[Item]) -> Result<(), StoreError> {
    let folder = folder(home);
    create_private(&folder)?;
    for item in items {
        let file = folder.join(&item.sha256);
        let is_text = item.bytes.len() <= MAX_BYTES && std::str::from_utf8(&item.bytes).is_ok();
        if is_text && !file.exists() {
            replace(&file, &item.bytes, Durability::Derived)?;
        }
    }
    let wanted = trust.hashes();
    let entries = std::fs::read_dir(&folder).map_err(StoreError::io("can't read", &folder))?;
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_none_or(|name| !wanted.contains(name)) {
            // Only room: it is tried again the next time.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// The text that a file of a project had when it was trusted, if it was kept.
pub fn trusted_text(home: &Home, trust: &Trust, project: &Path, path: &str) -> Option<String> {
    let hash = trust.pinned(project, path)?;
    let bytes = std::fs::read(folder(home).join(hash)).ok()?;
    (sha256(&bytes) == hash).then(|| String::from_utf8(bytes).ok())?
}

fn folder(home: &Home) -> PathBuf {
    home.folder().join("trusted")
}
