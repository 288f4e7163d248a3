//! Writing files so that a reader, or a machine that loses power, sees the old text or the new one and nothing in
//! between: temporary file beside the target, sync, rename, sync of the folder. And telling whether a file could have
//! been written by somebody else.
//!
//! Lies below `store` and `plugin`, which never meet; knows nothing of either.

#![expect(clippy::disallowed_methods, reason = "this is the room that touches files")]

pub mod fault;

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fault::Point;

/// What the names of files begin with that are to replace others.
pub const TEMPORARY_PREFIX: &str = ".docket-";
/// Only the owner.
const PRIVATE: u32 = 0o700;
/// A new file in a project is as readable as its neighbours.
const READABLE: u32 = 0o644;
/// A new file that only its owner may read.
const OWNERS: u32 = 0o600;
/// Permission bits that let others write.
const OTHERS_WRITE: u32 = 0o022;

/// Something went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The operating system refused something.
    #[error("{action} {}: {cause}", path.display())]
    Io {
        /// What was tried: "can't read".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A file that decides about safety can be changed by others, or belongs to somebody else.
    #[error("{} {detail}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is unsafe about it.
        detail: String,
    },
}

impl DiskError {
    /// For `map_err`: says what was tried on which path.
    pub fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }
}

/// How much a write must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The machine losing power.
    Synced,
    /// Only this process's death. For files that can be made again from the journal.
    Derived,
}

/// Replaces a file's content, or creates it. An existing file keeps its permissions.
///
/// # Errors
/// When the folder can't be written; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8], durability: Durability) -> Result<(), DiskError> {
    put(path, bytes, durability, READABLE)
}

/// As [`replace`]; a file that is created is its owner's alone.
///
/// # Errors
/// As [`replace`].
pub fn replace_private(path: &Path, bytes: &[u8], durability: Durability) -> Result<(), DiskError> {
    put(path, bytes, durability, OWNERS)
}

fn put(path: &Path, bytes: &[u8], durability: Durability, mode_of_new: u32) -> Result<(), DiskError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new()
        // With the process that writes it, so that it can be told whether somebody still does.
        .prefix(&format!("{TEMPORARY_PREFIX}{}-", std::process::id()))
        .tempfile_in(folder)
        .map_err(DiskError::io("can't write in", folder))?;
    fault::write(Point::FileWrite, temporary.as_file(), bytes).map_err(DiskError::io("can't write", path))?;
    let mode = fs::metadata(path).map(|metadata| metadata.permissions());
    match mode {
        Ok(permissions) => temporary.as_file().set_permissions(permissions),
        Err(_) => temporary.as_file().set_permissions(fs::Permissions::from_mode(mode_of_new)),
    }
    .map_err(DiskError::io("can't set the permissions of", path))?;
    if durability == Durability::Synced {
        fault::act(Point::FileSync, || temporary.as_file().sync_all())
            .map_err(DiskError::io("can't sync", path))?;
    }
    let place = || temporary.persist(path).map(|_| ()).map_err(|error| error.error);
    fault::act(Point::FileRename, place).map_err(DiskError::io("can't replace", path))?;
    if durability == Durability::Synced {
        sync_folder(folder)?;
    }
    Ok(())
}

/// As [`replace`], for a kind of file that can be told apart when docket is tested.
///
/// # Errors
/// As [`replace`].
pub fn replace_at(point: Point, path: &Path, bytes: &[u8], durability: Durability) -> Result<(), DiskError> {
    fault::before(point).map_err(DiskError::io("can't replace", path))?;
    replace(path, bytes, durability)?;
    fault::after(point);
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// When the folder can't be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    let sync = || File::open(folder).and_then(|folder| folder.sync_all());
    fault::act(Point::FolderSync, sync).map_err(DiskError::io("can't sync", folder))
}

/// Reads a file that may not be there.
///
/// # Errors
/// Anything but its absence.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(DiskError::Io { action: "can't read", path: path.to_owned(), cause }),
    }
}

/// Removes a file that may not be there.
///
/// # Errors
/// When it is there and can't be removed.
pub fn remove_if_there(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(DiskError::Io { action: "can't remove", path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

/// Creates a folder and those above it.
///
/// # Errors
/// When it can't.
pub fn create_folder(path: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(path).map_err(DiskError::io("can't create the folder", path))
}

/// Creates a folder that only the user may enter, and those above it.
///
/// # Errors
/// When it can't be created.
pub fn create_private(folder: &Path) -> Result<(), DiskError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE)
        .create(folder)
        .map_err(DiskError::io("can't create the folder", folder))
}

/// Refuses a file or folder that somebody else could have written. Nothing there is fine.
///
/// # Errors
/// [`DiskError::Unsafe`], with the command that mends it.
pub fn refuse_unsafe(path: &Path) -> Result<(), DiskError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(DiskError::Io { action: "can't look at", path: path.to_owned(), cause }),
    };
    let me = rustix::process::geteuid().as_raw();
    let detail = if metadata.uid() != me {
        format!("belongs to another user ({}), so what it says is not believed", metadata.uid())
    } else if metadata.mode() & OTHERS_WRITE != 0 {
        format!(
            "can be written by other users, so what it says is not believed; run `chmod go-w {}`",
            path.display()
        )
    } else {
        return Ok(());
    };
    Err(DiskError::Unsafe { path: path.to_owned(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_keeps_permissions_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        replace(&path, b"one", Durability::Synced).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode set");
        replace(&path, b"two", Durability::Derived).expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = replace(Path::new("/nowhere/at/all"), b"", Durability::Derived).expect_err("no folder");
        assert!(error.to_string().contains("/nowhere/at"), "{error}");
    }
}
