//! The user's own folder: `~/.docket`, or `$DOCKET_HOME`. It holds what decides about safety (trust, grants,
//! profiles), so it is made private, and what others could have changed in it is not believed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::disk::{create_private, read_if_there, refuse_unsafe, remove_if_there, sync_folder};

/// Bytes of the keys that seal runs and compiled code.
pub const KEY_LENGTH: usize = 32;

/// The user's folder and cache folder.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
    cache: PathBuf,
}

impl Home {
    /// Names the folders; nothing is created.
    pub fn new(folder: PathBuf, cache: PathBuf) -> Self {
        Self { folder, cache }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's settings and profiles.
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("config.yml")
    }

    /// What was trusted and granted.
    pub fn trust_file(&self) -> PathBuf {
        self.folder.join("trust.json")
    }

    /// Every trust decision and denial.
    pub fn audit_file(&self) -> PathBuf {
        self.folder.join("audit.jsonl")
    }

    /// The user's own workflows: `definitions/`, `templates/`, `schemas/`.
    pub fn workflows(&self) -> PathBuf {
        self.folder.join("workflows")
    }

    /// The user's own plugins.
    pub fn plugins(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// Compiled components and plugins' private caches. Everything in it can be deleted.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Creates the folder, private to the user.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn create(&self) -> Result<(), StoreError> {
        Ok(create_private(&self.folder)?)
    }

    /// The user's key for sealing runs. Made of `fresh` bytes when there is none yet.
    ///
    /// # Errors
    /// When it can't be read or believed, or can't be made.
    pub fn key(&self, fresh: [u8; KEY_LENGTH]) -> Result<[u8; KEY_LENGTH], StoreError> {
        self.key_in(&self.key_file(), fresh)
    }

    /// The user's key for compiled code in the cache folder: a key of its own, so that nothing that is sealed with one
    /// key is ever taken for something else. Made of `fresh` bytes when there is none yet; a damaged one is replaced,
    /// which costs no more than compiling again.
    ///
    /// # Errors
    /// When it can't be read or believed, or can't be made.
    pub fn cache_key(&self, fresh: [u8; KEY_LENGTH]) -> Result<[u8; KEY_LENGTH], StoreError> {
        let path = self.folder.join("cache-key");
        match self.key_in(&path, fresh) {
            Err(StoreError::Damaged { .. }) => {
                remove_if_there(&path)?;
                self.key_in(&path, fresh)
            }
            key => key,
        }
    }

    fn key_in(&self, path: &Path, fresh: [u8; KEY_LENGTH]) -> Result<[u8; KEY_LENGTH], StoreError> {
        if let Some(bytes) = self.read_private(path)? {
            return key_of(bytes, path.to_owned());
        }
        self.create()?;
        // Whoever is first makes the key; it appears whole or not at all.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)
            .map_err(StoreError::io("can't write in", &self.folder))?;
        let written = file.write_all(&fresh).and_then(|()| file.as_file().sync_all());
        written.map_err(StoreError::io("can't write", path))?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                // What is sealed with a key needs it ever after, so its name has to outlive a loss of power, too.
                for folder in self.folder.ancestors().take(2) {
                    sync_folder(folder)?;
                }
                Ok(fresh)
            }
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => self.key_in(path, fresh),
            Err(error) => Err(StoreError::io("can't create", path)(error.error)),
        }
    }

    /// The user's key for sealing runs, if there is one: for looking, which makes nothing.
    ///
    /// # Errors
    /// When it can't be read or believed.
    pub fn existing_key(&self) -> Result<Option<[u8; KEY_LENGTH]>, StoreError> {
        let path = self.key_file();
        self.read_private(&path)?.map(|bytes| key_of(bytes, path)).transpose()
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// Reads a file of this folder that decides about safety. `None` when it is not there.
    ///
    /// # Errors
    /// [`crate::disk::DiskError::Unsafe`] when it, or a folder it lies in, belongs to somebody else or others may write
    /// it; a failed read otherwise.
    pub fn read_private(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        self.refuse_unsafe(path)?;
        Ok(read_if_there(path)?)
    }

    /// Refuses a file or folder of this folder that somebody else could have put there or changed.
    ///
    /// # Errors
    /// [`crate::disk::DiskError::Unsafe`], with the command that mends it.
    pub fn refuse_unsafe(&self, path: &Path) -> Result<(), StoreError> {
        for part in path.ancestors().take_while(|part| part.starts_with(&self.folder)) {
            refuse_unsafe(part)?;
        }
        Ok(())
    }
}

fn key_of(bytes: Vec<u8>, path: PathBuf) -> Result<[u8; KEY_LENGTH], StoreError> {
    <[u8; KEY_LENGTH]>::try_from(bytes).map_err(|bytes| StoreError::Damaged {
        path,
        detail: format!("a key has {KEY_LENGTH} bytes, not {}", bytes.len()),
    })
}
