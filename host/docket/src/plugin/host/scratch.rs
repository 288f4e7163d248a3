//! Folders for sandboxes that belong to no run. Each is thrown away with the value that stands for it.

use std::path::Path;

/// A private folder below the user's cache folder, whose name begins with `prefix`.
///
/// # Errors
/// When it can't be made.
pub fn scratch(cache: &Path, prefix: &str) -> std::io::Result<tempfile::TempDir> {
    crate::disk::create_private(cache).map_err(std::io::Error::other)?;
    tempfile::Builder::new().prefix(prefix).tempdir_in(cache)
}
