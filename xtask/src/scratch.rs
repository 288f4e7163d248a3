//! A docket project to try things on: a copy of this repository's own files with a home folder beside it, so that
//! nothing outside is read or changed. Made afresh each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::workspace;

/// What is not copied from any folder: build output, version control, runs of docket, and tests, whose documents
/// are made to be found wanting and would be taken for the project's.
const LEFT_OUT: [&str; 4] = ["target", ".git", ".docket", "tests"];

/// The document that is reviewed, by the id its file name begins with.
pub(crate) const DOCUMENT: &str = "rfc-0001";

/// A project with a home of its own.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    folder: PathBuf,
    docket: PathBuf,
}

impl Scratch {
    /// An empty project in `<target>/<name>/project` that uses the program `docket`. What was there is removed.
    pub(crate) fn empty(name: &str, docket: &Path) -> Result<Self, Failure> {
        let folder = workspace::target_folder()?.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|cause| Failure::file("remove", &folder, &cause))?;
        }
        let docket = docket.canonicalize().map_err(|cause| Failure::file("find", docket, &cause))?;
        let scratch = Self { folder, docket };
        for folder in [scratch.project(), scratch.home(), scratch.cache()] {
            create(&folder)?;
        }
        Ok(scratch)
    }

    /// The same with a copy of this repository in it.
    pub(crate) fn with_own_documents(name: &str, docket: &Path) -> Result<Self, Failure> {
        let scratch = Self::empty(name, docket)?;
        copy(workspace::root(), &scratch.project())?;
        Ok(scratch)
    }

    /// Where it all is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The project.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// What `$HOME` is.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// What `$DOCKET_HOME` is.
    pub(crate) fn docket_home(&self) -> PathBuf {
        self.home().join(".docket")
    }

    /// What `$XDG_CACHE_HOME` is: compiled components end up in it.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home().join(".cache")
    }

    /// Where the project's runs are.
    pub(crate) fn runs(&self) -> PathBuf {
        self.project().join(".docket/workflows/state")
    }

    /// Where reviews of RFCs are.
    pub(crate) fn reviews(&self) -> PathBuf {
        self.project().join("docs/rfcs/.reviews")
    }

    /// docket in the project, with an environment of its own: no setting of the user's has a say.
    pub(crate) fn docket(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.docket);
        command.args(arguments).current_dir(self.project()).env_clear();
        for variable in ["PATH", "TERM", "LANG", "LC_ALL", "NO_COLOR", "TZ"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
            .env("HOME", self.home())
            .env("DOCKET_HOME", self.docket_home())
            .env("XDG_CACHE_HOME", self.cache());
        command
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.docket
    }
}

/// Creates a folder and those above it.
pub(crate) fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|cause| Failure::file("create", folder, &cause))
}

/// Writes a file, and the folders above it when they are missing.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        create(folder)?;
    }
    fs::write(path, bytes).map_err(|cause| Failure::file("write", path, &cause))
}

/// The entries of a folder, sorted by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |cause: std::io::Error| Failure::file("read", folder, &cause);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// Copies plain files and folders; links lead elsewhere and are not followed.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    create(to)?;
    for path in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        if LEFT_OUT.iter().any(|excluded| name == *excluded) {
            continue;
        }
        let kind =
            fs::symlink_metadata(&path).map_err(|cause| Failure::file("read", &path, &cause))?.file_type();
        let destination = to.join(name);
        if kind.is_dir() {
            copy(&path, &destination)?;
        } else if kind.is_file() {
            fs::copy(&path, &destination).map_err(|cause| Failure::file("copy", &path, &cause))?;
        }
    }
    Ok(())
}
