//! The folders a plugin sees: granted parts of the project read-only, copies of its inputs, a private folder for
//! proposals, and its cache. Everything is opened beneath a directory handle without following links.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::fs::Dir;
use docket_core::run::{Failure, FileState, PlannedWrite, ProjectPath, sha256};
use ignore::gitignore::Gitignore;
use rustix::fs::{Mode, OFlags};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::folders::matching;
use crate::plugin::capabilities::is_secret;
use crate::plugin::grants::{GrantError, Grants, ReadGrant};
use crate::plugin::limits::{LimitHit, Limits};

/// Files beside the granted folders that are larger than this are not copied in.
const MAX_COPIED_FILE: u64 = 16 * 1024 * 1024;
/// The room that a file takes at least, in bytes: a block of a usual file system.
const SMALLEST_FILE: u64 = 4096;
/// Folders below a granted one are looked at to this depth for what is kept out.
pub(super) const MAX_DEPTH: usize = 64;

/// What a stage's sandbox is made of, on the host's side.
#[derive(Debug, Clone)]
pub struct Folders {
    /// A folder of the stage's own, which is thrown away with it.
    pub work: PathBuf,
    /// Where the plugin's cache is, when granted.
    pub cache: PathBuf,
}

/// Folders of the host by their place in the sandbox.
pub struct Mounts {
    folders: Vec<(Dir, String, FsPerms)>,
    out: Dir,
    cache: Option<Dir>,
    /// What was at each granted file when the stage was given it.
    pub seen: BTreeMap<ProjectPath, FileState>,
    /// When the stage was given the rest.
    pub since: SystemTime,
}

impl Mounts {
    /// Makes the folders of a sandbox. `inputs` are files for `/in`, by path below it.
    ///
    /// # Errors
    /// When a granted folder leads through a link or something can't be read or written.
    pub fn prepare(
        project: &Dir,
        folders: &Folders,
        grants: &Grants,
        inputs: &[(String, Vec<u8>)],
    ) -> io::Result<Self> {
        let since = SystemTime::now();
        if folders.work.exists() {
            std::fs::remove_dir_all(&folders.work)?;
        }
        for name in ["project", "in", "out"] {
            std::fs::create_dir_all(folders.work.join(name))?;
        }
        let work = Dir::open_ambient_dir(&folders.work, cap_std::ambient_authority())?;
        for (path, bytes) in inputs {
            let path = Path::new("in").join(path);
            work.create_dir_all(path.parent().unwrap_or(Path::new("in")))?;
            work.write(path, bytes)?;
        }
        let mut staging =
            Staging { folders: Vec::new(), seen: BTreeMap::new(), stage: work.open_dir("project")? };
        if grants.read_all {
            staging.whole_project(project)?;
        }
        for grant in &grants.read {
            match grant {
                ReadGrant::Exactly(path) => staging.granted(project, path)?,
                ReadGrant::Folders(pattern) => {
                    for (folder, place) in matching(project, pattern)? {
                        without_denied(staging.folder(&folder, &place, &[]))?;
                    }
                }
            }
        }
        for path in grants.exact_writes() {
            staging.look(project, path)?;
        }
        let Staging { folders: mut mounted, seen, stage } = staging;
        mounted.push((stage, "/project".to_owned(), FsPerms::ReadOnly));
        mounted.push((work.open_dir("in")?, "/in".to_owned(), FsPerms::ReadOnly));
        let out = work.open_dir("out")?;
        mounted.push((out.try_clone()?, "/out".to_owned(), FsPerms::ReadWrite));
        let mut own_cache = None;
        if grants.cache {
            crate::disk::create_private(&folders.cache).map_err(io::Error::other)?;
            let cache = Dir::open_ambient_dir(&folders.cache, cap_std::ambient_authority())?;
            own_cache = Some(cache.try_clone()?);
            mounted.push((cache, "/cache".to_owned(), FsPerms::ReadWrite));
        }
        Ok(Self { folders: mounted, out, cache: own_cache, seen, since })
    }

    /// Gives the folders to a context. wasmtime-wasi opens paths by name; naming the open handle makes it open the
    /// very folder that was checked.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub(super) fn open(&self, builder: &mut WasiCtxBuilder) -> wasmtime::Result<()> {
        for (folder, guest, permissions) in &self.folders {
            builder.preopened_dir(handle_path(folder), guest, *permissions)?;
        }
        Ok(())
    }

    /// Whether the proposals and the cache are within their limits so far.
    pub(in crate::plugin) fn check_size(&self, limits: &Limits) -> Result<(), LimitHit> {
        let mut count = Count { bytes: 0, files: 0 };
        // What can't be read now is judged when the proposals are taken.
        let _ = count.add(&self.out, 0);
        count.judge(limits)?;
        let mut count = Count { bytes: 0, files: 0 };
        if let Some(cache) = &self.cache {
            let _ = count.add(cache, 0);
        }
        // A file takes room even if it is empty, and so does its name.
        let bytes = count.bytes.max((count.files as u64).saturating_mul(SMALLEST_FILE));
        if bytes > limits.cache { Err(LimitHit::Cache(limits.cache)) } else { Ok(()) }
    }

    /// Takes what the stage proposed.
    ///
    /// # Errors
    /// A limit that was hit, or a failure naming what is no proposal: a link, a device, a path nobody may write.
    pub(in crate::plugin) fn proposals(
        &self,
        limits: &Limits,
        plugin: &str,
    ) -> Result<Vec<PlannedWrite>, Failure> {
        self.check_size(limits).map_err(|hit| hit.failure(plugin))?;
        let mut found = Vec::new();
        collect(&self.out, "", 0, &mut found).map_err(|problem| {
            Failure::new(
                "proposal-refused",
                format!("plugin '{plugin}' proposed {problem}; nothing was written"),
            )
            .hint("a stage proposes regular files with ordinary names below /out")
        })?;
        found.sort_by(|left: &PlannedWrite, right| left.path.cmp(&right.path));
        if let Some((one, other)) = same_without_case(&found) {
            let problem = format!(
                "plugin '{plugin}' proposed both '{one}' and '{other}', which are one file where case does not count; nothing was written"
            );
            return Err(Failure::new("proposal-refused", problem)
                .hint("give them names that differ by more than case"));
        }
        Ok(found)
    }
}

struct Staging {
    folders: Vec<(Dir, String, FsPerms)>,
    seen: BTreeMap<ProjectPath, FileState>,
    stage: Dir,
}

impl Staging {
    /// Everything at the top of the project but hidden names and what git ignores there.
    fn whole_project(&mut self, project: &Dir) -> io::Result<()> {
        let ignored = ignored(project);
        for entry in project.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            if name.starts_with('.') || ignored.matched(&name, kind.is_dir()).is_ignore() {
                continue;
            }
            let taken = if kind.is_dir() {
                open_folder(project, &name).and_then(|folder| self.folder(&folder, &name, &[]))
            } else if kind.is_file() {
                self.file(project, &name)
            } else {
                Ok(())
            };
            without_denied(taken)?;
        }
        Ok(())
    }

    /// One granted folder or file. Something that is not there is not there for the plugin either. A path that is
    /// granted may name what is normally kept from plugins, and unlocks that name and no other below it.
    fn granted(&mut self, project: &Dir, path: &ProjectPath) -> io::Result<()> {
        let unlocked: Vec<&str> = path.parts().filter(|part| is_secret(part)).collect();
        let parts: Vec<&str> = path.parts().collect();
        let (name, above) = parts.split_last().expect("a path has parts");
        let mut folder = project.try_clone()?;
        let mut place = String::new();
        for part in above {
            folder = match open_folder(&folder, *part) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
                opened => opened.map_err(|cause| named(cause, path))?,
            };
            place.push_str(part);
            place.push('/');
        }
        place.push_str(name);
        match folder.symlink_metadata(name) {
            Ok(metadata) if metadata.is_dir() => {
                self.folder(&open_folder(&folder, *name)?, &place, &unlocked)
            }
            Ok(metadata) if metadata.is_file() => {
                let bytes = folder.read(name)?;
                self.seen.insert(path.clone(), FileState::File(sha256(&bytes)));
                if let Some((above, _)) = place.rsplit_once('/') {
                    self.stage.create_dir_all(above)?;
                }
                self.stage.write(&place, bytes)
            }
            Ok(_) => Err(named(io::Error::other("is a link or no regular file"), path)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(cause),
        }
    }

    /// Remembers what is at a file that the stage may write.
    fn look(&mut self, project: &Dir, path: &ProjectPath) -> io::Result<()> {
        if self.seen.contains_key(path) {
            return Ok(());
        }
        let state = match project.symlink_metadata(path.as_str()) {
            Ok(metadata) if metadata.is_file() => FileState::File(sha256(&project.read(path.as_str())?)),
            Ok(_) => return Err(named(io::Error::other("is a link or no regular file"), path)),
            // A file where a folder should be is a matter of writing, which can be mended and tried again.
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                FileState::Missing
            }
            Err(cause) => return Err(named(cause, path)),
        };
        self.seen.insert(path.clone(), state);
        Ok(())
    }

    /// Mounts a folder; one with something that is kept out somewhere below is put together from its parts.
    /// `unlocked` are the names among those kept from plugins that this one may read.
    fn folder(&mut self, folder: &Dir, place: &str, unlocked: &[&str]) -> io::Result<()> {
        self.stage.create_dir_all(place)?;
        if !keeps_out(folder, 0, unlocked)? {
            self.folders.push((folder.try_clone()?, format!("/project/{place}"), FsPerms::ReadOnly));
            return Ok(());
        }
        for entry in folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            if is_kept(&name, unlocked) {
                continue;
            }
            let inner = format!("{place}/{name}");
            let taken = if kind.is_dir() {
                open_folder(folder, &name).and_then(|folder| self.folder(&folder, &inner, unlocked))
            } else if kind.is_file() && entry.metadata()?.len() <= MAX_COPIED_FILE {
                folder.read(&name).and_then(|bytes| self.stage.write(&inner, bytes))
            } else {
                Ok(())
            };
            without_denied(taken)?;
        }
        Ok(())
    }

    fn file(&mut self, project: &Dir, name: &str) -> io::Result<()> {
        if project.symlink_metadata(name)?.len() <= MAX_COPIED_FILE {
            self.stage.write(name, project.read(name)?)?;
        }
        Ok(())
    }
}

pub(super) fn named(cause: io::Error, path: impl std::fmt::Display) -> io::Error {
    io::Error::new(cause.kind(), format!("'{path}': {cause}"))
}

/// Whether a name is kept from a plugin that may read these of the secret ones.
fn is_kept(name: &str, unlocked: &[&str]) -> bool {
    is_secret(name) && !unlocked.contains(&name)
}

/// The failure for a sandbox that can't be made.
pub(in crate::plugin) fn no_sandbox(plugin: &str, cause: &io::Error) -> Failure {
    let too_much = cause.get_ref().and_then(|inner| inner.downcast_ref::<GrantError>());
    let message = format!("the sandbox of plugin '{plugin}' can't be made: {cause}");
    Failure::new("sandbox-failed", message).hint(match too_much {
        Some(_) => "a plugin should name the folder above them: it sees everything below a folder",
        None => "name files and folders of the project themselves, not links to them",
    })
}

/// Whether anything below a folder is not for plugins: secrets, and what is no file, folder or link. Opening a named
/// pipe would wait for its other end where no limit could stop it.
fn keeps_out(folder: &Dir, depth: usize, unlocked: &[&str]) -> io::Result<bool> {
    for entry in folder.entries()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let is_special = !(kind.is_dir() || kind.is_file() || kind.is_symlink());
        if is_special || entry.file_name().to_str().is_some_and(|name| is_kept(name, unlocked)) {
            return Ok(true);
        }
        if kind.is_dir() {
            let inner = open_folder(folder, entry.file_name())
                .and_then(|inner| keeps_out(&inner, depth + 1, unlocked));
            match inner {
                // Put together from its parts, of which the plugin gets those that can be read.
                Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => return Ok(true),
                Ok(false) if depth < MAX_DEPTH => {}
                other => return other.map(|_| true),
            }
        }
    }
    Ok(false)
}

/// What the user may not read is not there for plugins either; it is no reason to run none.
fn without_denied(taken: io::Result<()>) -> io::Result<()> {
    match taken {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        taken => taken,
    }
}

/// What the project's own `.gitignore` leaves out. A file that can't be understood leaves out nothing.
fn ignored(project: &Dir) -> Gitignore {
    let mut builder = ignore::gitignore::GitignoreBuilder::new("");
    let text = project.read_to_string(".gitignore").unwrap_or_default();
    for line in text.lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Opens a folder that is no link.
pub(super) fn open_folder(parent: &Dir, name: impl rustix::path::Arg) -> io::Result<Dir> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(opened)))
}

fn handle_path(folder: &Dir) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

/// Two proposals that are the same file on a system that does not tell upper from lower case.
fn same_without_case(writes: &[PlannedWrite]) -> Option<(&ProjectPath, &ProjectPath)> {
    let mut seen = BTreeMap::new();
    writes.iter().find_map(|write| {
        let other = seen.insert(write.path.as_str().to_lowercase(), &write.path)?;
        Some((other, &write.path))
    })
}

struct Count {
    bytes: u64,
    files: usize,
}

impl Count {
    fn add(&mut self, folder: &Dir, depth: usize) -> io::Result<()> {
        for entry in folder.entries()? {
            let entry = entry?;
            self.files += 1;
            if entry.file_type()?.is_dir() {
                if depth >= MAX_DEPTH {
                    // Nothing is proposed from there, and what can't be counted must not fill the disk.
                    self.bytes = u64::MAX;
                    return Ok(());
                }
                self.add(&open_folder(folder, entry.file_name())?, depth + 1)?;
            } else {
                self.bytes = self.bytes.saturating_add(entry.metadata()?.len());
            }
        }
        Ok(())
    }

    fn judge(&self, limits: &Limits) -> Result<(), LimitHit> {
        if self.bytes > limits.out {
            return Err(LimitHit::Out(limits.out));
        }
        if self.files > limits.out_files {
            return Err(LimitHit::OutFiles(limits.out_files));
        }
        Ok(())
    }
}

/// Collects regular files; the error says in words what else there is.
fn collect(folder: &Dir, place: &str, depth: usize, found: &mut Vec<PlannedWrite>) -> Result<(), String> {
    let unreadable = |cause: io::Error| format!("something that can't be read below '{place}': {cause}");
    if depth > MAX_DEPTH {
        return Err(format!("folders more than {MAX_DEPTH} deep"));
    }
    for entry in folder.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| format!("a name below '{place}' that is not UTF-8"))?;
        let path = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
        let shown = path.escape_debug().to_string();
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            let inner = open_folder(folder, &name).map_err(unreadable)?;
            collect(&inner, &path, depth + 1, found)?;
        } else if kind.is_symlink() {
            return Err(format!("a symbolic link at '{shown}'"));
        } else if kind.is_file() {
            let path =
                ProjectPath::writable(&path).map_err(|cause| format!("a file that can't be: {cause}"))?;
            let bytes = folder.read(&name).map_err(unreadable)?;
            found.push(PlannedWrite { path, bytes });
        } else {
            return Err(format!("something that is no regular file at '{shown}'"));
        }
    }
    Ok(())
}
