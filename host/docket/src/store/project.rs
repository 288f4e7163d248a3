//! A project: the nearest folder above that has a `.docket` folder. Files in it are reached beneath a directory
//! handle, so that neither `..` nor a symbolic link leads out of it.

use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use docket_core::run::ProjectPath;

use super::StoreError;
use crate::disk::{Durability, create_folder, replace};

/// docket's folder in a project.
pub const FOLDER: &str = ".docket";

/// What git should not see of docket's folder: runs are this machine's.
const GITIGNORE: &str = "# Runs are kept on this machine; definitions, templates and plugins are shared.\n\
                         workflows/state/\nworkflows/completed/\n";
/// A new project's settings.
const CONFIG: &str = "\
# This project's docket settings. Commands and profiles are defined in ~/.docket/config.yml; a project only chooses.
#
# launcher: checklist     # what runs agents: manual, checklist, shell, acp, mcp
# profile: ci             # one of your profiles
";

/// A project.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    handle: Dir,
}

impl Project {
    /// Makes a folder a project; what is there already stays as it is. True when it was none before.
    ///
    /// # Errors
    /// When the folder is not there or can't be written.
    pub fn init(root: &Path) -> Result<bool, StoreError> {
        let folder = root.join(FOLDER);
        let is_new = !folder.is_dir();
        std::fs::metadata(root).map_err(StoreError::io("can't make a project of", root))?;
        create_folder(&folder.join("workflows/definitions"))?;
        for (name, text) in [(".gitignore", GITIGNORE), ("config.yml", CONFIG)] {
            let path = folder.join(name);
            if !path.exists() {
                replace(&path, text.as_bytes(), Durability::Derived)?;
            }
        }
        Ok(is_new)
    }

    /// Whether a folder is a project.
    pub fn is_project(root: &Path) -> bool {
        root.join(FOLDER).is_dir()
    }

    /// Finds the project that a folder belongs to. The user's home folder has a `.docket`, too, but that is no
    /// project, so `home` is passed over.
    ///
    /// # Errors
    /// [`StoreError::NoProject`] when there is none.
    pub fn find(from: &Path, home: &Path) -> Result<Self, StoreError> {
        let start = from.canonicalize().map_err(StoreError::io("can't enter", from))?;
        let home = home.canonicalize().ok();
        let found = start.ancestors().find(|folder| {
            let docket = folder.join(FOLDER);
            docket.is_dir() && Some(&docket) != home.as_ref()
        });
        match found {
            Some(root) => Self::open(root),
            None => Err(StoreError::NoProject { from: from.to_owned() }),
        }
    }

    /// The project that a folder belongs to; where there is none, the git repository it lies in, else the folder itself.
    /// Whoever only reads can take it as a project.
    ///
    /// # Errors
    /// When the folder can't be opened.
    pub fn find_to_read(from: &Path, home: &Path) -> Result<Self, StoreError> {
        match Self::find(from, home) {
            Err(StoreError::NoProject { .. }) => {
                let start = from.canonicalize().map_err(StoreError::io("can't enter", from))?;
                let repository = start.ancestors().find(|folder| folder.join(".git").exists());
                Self::open(repository.unwrap_or(&start))
            }
            found => found,
        }
    }

    /// Opens a folder as a project, whether or not it has a `.docket` folder.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let root = root.canonicalize().map_err(StoreError::io("can't enter", root))?;
        let handle = Dir::open_ambient_dir(&root, cap_std::ambient_authority())
            .map_err(StoreError::io("can't open the project", &root))?;
        Ok(Self { root, handle })
    }

    /// The project's folder, absolute, without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The handle beneath which the project's files are opened.
    pub fn handle(&self) -> &Dir {
        &self.handle
    }

    /// The project's own workflows.
    pub fn workflows(&self) -> PathBuf {
        self.root.join(FOLDER).join("workflows")
    }

    /// The folder with the runs.
    pub fn runs(&self) -> PathBuf {
        self.workflows().join("state")
    }

    /// The folder with the records of runs that are over.
    pub fn archive(&self) -> PathBuf {
        self.workflows().join("completed")
    }

    /// The project's settings.
    pub fn config_file(&self) -> PathBuf {
        self.root.join(FOLDER).join("config.yml")
    }

    /// Makes a project path of a path a user gave, relative to the folder `from` or absolute.
    ///
    /// # Errors
    /// [`StoreError::OutsideProject`] when it leads out of the project, by text or through a symbolic link.
    pub fn path(&self, given: &str, from: &Path) -> Result<ProjectPath, StoreError> {
        let outside = |detail: String| StoreError::OutsideProject { path: given.to_owned(), detail };
        let absolute = normalize(&from.join(given));
        // A path below a linked name of the project's folder is the project's all the same.
        let relative = absolute
            .strip_prefix(&self.root)
            .map(Path::to_owned)
            .or_else(|_| self.beneath_other_name(&absolute))
            .map_err(|()| outside(format!("is outside the project {}", self.root.display())))?;
        let text = relative.to_str().ok_or_else(|| outside("is not valid UTF-8".to_owned()))?;
        let path = ProjectPath::parse(text).map_err(|error| outside(format!("can't be used: {error}")))?;
        self.refuse_link(&path)?;
        Ok(path)
    }

    fn beneath_other_name(&self, absolute: &Path) -> Result<PathBuf, ()> {
        let parent = absolute.parent().ok_or(())?.canonicalize().map_err(|_| ())?;
        let parent = parent.strip_prefix(&self.root).map_err(|_| ())?;
        Ok(parent.join(absolute.file_name().ok_or(())?))
    }

    /// Refuses a path of which any part is a symbolic link.
    ///
    /// # Errors
    /// [`StoreError::OutsideProject`], naming the part.
    pub fn refuse_link(&self, path: &ProjectPath) -> Result<(), StoreError> {
        let mut so_far = String::new();
        for part in path.parts() {
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(part);
            match self.handle.symlink_metadata(&so_far) {
                Ok(metadata) if metadata.is_symlink() => {
                    let detail = if so_far == path.as_str() {
                        "is a symbolic link; name the file itself".to_owned()
                    } else {
                        format!("leads through the symbolic link '{so_far}'; name the file itself")
                    };
                    return Err(StoreError::OutsideProject { path: path.to_string(), detail });
                }
                Ok(_) => {}
                Err(cause) if is_not_there(&cause) => return Ok(()),
                Err(cause) => {
                    let path = self.root.join(&so_far);
                    return Err(StoreError::io("can't look at", &path)(cause));
                }
            }
        }
        Ok(())
    }

    /// Refuses a project in which docket's own folders are links: what docket writes there would go elsewhere.
    ///
    /// # Errors
    /// [`StoreError::OutsideProject`], naming the link.
    pub fn refuse_own_links(&self) -> Result<(), StoreError> {
        for path in ["workflows/state/index.jsonl", "workflows/completed", "workflows/definitions", "plugins"]
        {
            let path = ProjectPath::parse(&format!("{FOLDER}/{path}"));
            self.refuse_link(&path.map_err(|error| StoreError::OutsideProject {
                path: FOLDER.to_owned(),
                detail: format!("BUG: {error}"),
            })?)?;
        }
        Ok(())
    }

    /// Reads a file of the project, following no link. `None` when it is not there.
    ///
    /// # Errors
    /// When a part is a link, it is no regular file, or can't be read.
    pub fn read(&self, path: &ProjectPath) -> Result<Option<Vec<u8>>, StoreError> {
        self.refuse_link(path)?;
        let absolute = self.root.join(path.as_str());
        match self.handle.symlink_metadata(path.as_str()) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => {
                let detail = "is not a regular file".to_owned();
                return Err(StoreError::OutsideProject { path: path.to_string(), detail });
            }
            Err(cause) if is_not_there(&cause) => return Ok(None),
            Err(cause) => return Err(StoreError::io("can't look at", &absolute)(cause)),
        }
        self.handle.read(path.as_str()).map(Some).map_err(StoreError::io("can't read", &absolute))
    }

    /// Whether the path is a folder.
    pub fn is_folder(&self, path: &ProjectPath) -> bool {
        self.refuse_link(path).is_ok()
            && self.handle.symlink_metadata(path.as_str()).is_ok_and(|metadata| metadata.is_dir())
    }
}

/// Whether there is nothing at a path: also when something above it is a file.
fn is_not_there(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Takes `.` and `..` out of a path by text. Links are looked at afterwards, part by part.
fn normalize(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("docs")).expect("created");
        std::fs::create_dir_all(folder.path().join(FOLDER)).expect("created");
        std::fs::write(folder.path().join("docs/a.md"), "text").expect("written");
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).expect("linked");
        std::os::unix::fs::symlink("a.md", folder.path().join("docs/b.md")).expect("linked");
        let project = Project::open(folder.path()).expect("opened");
        (folder, project)
    }

    #[test]
    fn paths_are_relative_to_where_the_user_is() {
        let (_folder, project) = project();
        let path = |given: &str, from: &str| {
            project
                .path(given, &project.root().join(from))
                .map(|path| path.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(path("docs/a.md", ""), Ok("docs/a.md".into()));
        assert_eq!(path("a.md", "docs"), Ok("docs/a.md".into()));
        assert_eq!(path("../docs/./a.md", "docs"), Ok("docs/a.md".into()));
        let absolute = project.root().join("docs/a.md").display().to_string();
        assert_eq!(path(&absolute, ""), Ok("docs/a.md".into()));
    }

    #[test]
    fn paths_out_of_the_project_are_refused() {
        let (_folder, project) = project();
        for given in ["../x", "/etc/passwd", "link/passwd", "docs/b.md", "docs/../../x"] {
            let refused = project.path(given, project.root());
            assert!(matches!(refused, Err(StoreError::OutsideProject { .. })), "{given}");
        }
    }

    #[test]
    fn the_nearest_folder_above_is_the_project() {
        let (folder, project) = project();
        let elsewhere = Path::new("/nowhere");
        let found = Project::find(&folder.path().join("docs"), elsewhere).expect("found");
        assert_eq!(found.root(), project.root());
        let home = folder.path().join(FOLDER);
        assert!(matches!(Project::find(folder.path(), &home), Err(StoreError::NoProject { .. })));
    }

    #[test]
    fn a_repository_can_be_read_as_if_it_were_a_project() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let inner = root.join("a/b");
        std::fs::create_dir_all(&inner).expect("created");
        let found = |from: &Path| Project::find_to_read(from, Path::new("/nowhere")).expect("a folder");
        assert_eq!(found(&inner).root(), inner, "nothing above");
        std::fs::create_dir(root.join(".git")).expect("created");
        assert_eq!(found(&inner).root(), root);
        std::fs::create_dir(root.join("a/.docket")).expect("created");
        assert_eq!(found(&inner).root(), root.join("a"), "a project comes first");
    }
}
