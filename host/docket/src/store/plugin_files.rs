//! Plugin files: the user's own, and putting files into the user's folder or a project. Which of a project's are trusted
//! is another matter: see [`super::trust::items`].

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use docket_core::run::ProjectPath;

use super::{Home, Project, StoreError, project, user_file};
use crate::disk::{Durability, create_folder, create_private, remove_if_there, replace, sync_folder};

/// A plugin file's bytes, unless it is larger than allowed.
pub type PluginBytes = Result<Option<Vec<u8>>, StoreError>;

/// The folder below `.docket/` with a project's plugins.
const FOLDER: &str = "plugins";

/// The plugin files of the user, by path, each with its bytes or why it can't be used: it can't be read, or somebody else
/// could have written it.
///
/// # Errors
/// When the folder can't be read.
pub fn of_user(home: &Home, max_bytes: u64) -> Result<Vec<(PathBuf, PluginBytes)>, StoreError> {
    let folder = home.plugins();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let paths = user_file::named(&folder, "wasm")?;
    let private = |path: PathBuf| {
        let bytes = home.refuse_unsafe(&path).and_then(|()| read(&path, max_bytes));
        (path, bytes)
    };
    Ok(paths.into_iter().map(private).collect())
}

/// Reads a plugin file that a user names, wherever it is. `None` when it is larger than allowed.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path, max_bytes: u64) -> PluginBytes {
    // Looked at before it is opened: opening a named pipe would wait for its other end.
    let metadata = std::fs::metadata(path).map_err(StoreError::io("can't look at", path))?;
    if !metadata.is_file() {
        let detail = "is no file; name the .wasm file itself".to_owned();
        return Err(StoreError::OutsideProject { path: path.display().to_string(), detail });
    }
    if metadata.len() > max_bytes {
        return Ok(None);
    }
    // One more than allowed: it may grow while it is read.
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes));
    read.map_err(StoreError::io("can't read", path))?;
    Ok((bytes.len() as u64 <= max_bytes).then_some(bytes))
}

/// Where a plugin is to be put.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// The user's folder, for all projects.
    User(&'a Home),
    /// A project.
    Project(&'a Project),
}

impl Place<'_> {
    /// The file for the plugin of this name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.wasm"))
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::User(home) => home.plugins(),
            Self::Project(project) => project.root().join(project::FOLDER).join(FOLDER),
        }
    }

    /// The path below `.docket/` of a project's plugin, as trust knows it.
    pub fn item_path(name: &str) -> String {
        format!("{FOLDER}/{name}.wasm")
    }

    /// Puts a plugin's bytes there; the file has all of them or is as it was.
    ///
    /// # Errors
    /// When the folder is a link or can't be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let folder = self.folder();
        match self {
            Self::User(home) => {
                home.create()?;
                create_private(&folder)?;
                home.refuse_unsafe(&folder)?;
            }
            Self::Project(project) => {
                let path = ProjectPath::parse(&format!("{}/{}", project::FOLDER, Self::item_path(name)))
                    .map_err(|error| StoreError::OutsideProject {
                        path: name.to_owned(),
                        detail: error.to_string(),
                    })?;
                project.refuse_link(&path)?;
                create_folder(&folder)?;
            }
        }
        let file = self.file(name);
        replace(&file, bytes, Durability::Synced)?;
        Ok(file)
    }
}

/// Removes a plugin's file.
///
/// # Errors
/// When it is there and can't be removed.
pub fn remove(path: &Path) -> Result<(), StoreError> {
    remove_if_there(path)?;
    path.parent().map_or(Ok(()), |folder| Ok(sync_folder(folder)?))
}

/// Throws away what a plugin with these bytes kept in its caches.
pub fn forget_caches(home: &Home, sha256: &str) {
    // Only a cache: what can't be removed costs room.
    let _ = std::fs::remove_dir_all(home.cache().join("plugins").join(sha256));
}
