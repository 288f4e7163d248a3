//! Texts that a user names on the command line: answers, definitions to check. Anywhere on the machine, read once.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::StoreError;

/// Reads a text of at most so many bytes.
///
/// # Errors
/// When it can't be read, is larger, or is not UTF-8; the message names the file.
pub fn read(path: &Path, limit: u64) -> Result<String, StoreError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(StoreError::io("can't read", path))?;
    let bad = |detail: String| StoreError::BadConfig { path: path.to_owned(), detail };
    if bytes.len() as u64 > limit {
        return Err(bad(format!("it is larger than {limit} bytes")));
    }
    String::from_utf8(bytes)
        .map_err(|cause| bad(format!("it is not UTF-8 text (byte {})", cause.utf8_error().valid_up_to())))
}
