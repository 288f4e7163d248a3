//! Files that a user names on the command line: answers, definitions and components to check. Anywhere on the machine, read once.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::StoreError;

/// Reads a text of at most so many bytes.
///
/// # Errors
/// When it can't be read, is larger, or is not UTF-8; the message names the file.
pub fn read(path: &Path, limit: u64) -> Result<String, StoreError> {
    String::from_utf8(read_bytes(path, limit)?).map_err(|cause| StoreError::BadConfig {
        path: path.to_owned(),
        detail: format!("it is not UTF-8 text (byte {})", cause.utf8_error().valid_up_to()),
    })
}

/// Reads a file of at most so many bytes.
///
/// # Errors
/// When it can't be read or is larger; the message names the file.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(StoreError::io("can't read", path))?;
    if bytes.len() as u64 > limit {
        let detail = format!("it is larger than {limit} bytes");
        return Err(StoreError::BadConfig { path: path.to_owned(), detail });
    }
    Ok(bytes)
}

/// The files in a folder with this extension, by path.
///
/// # Errors
/// When the folder can't be read.
pub fn named(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, StoreError> {
    let entries = std::fs::read_dir(folder).map_err(StoreError::io("can't read", folder))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    Ok(paths)
}
