//! A run's folder: who owns it, and the files in it besides the journal. All of those can be made again from the
//! journal, so none of them is waited for.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::Timestamp;

use super::inbox::Inbox;
use super::snapshot::RunSnapshot;
use super::{Project, StoreError};
use crate::disk::fault::{self, Point};
use crate::disk::{Durability, TEMPORARY_PREFIX, create_folder, read_if_there, replace_at};

pub use docket_core::run::ID_PREFIX;
/// How long to try for the lock: somebody who only looks holds it for microseconds.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    id: String,
    path: PathBuf,
}

/// Proof of owning a run, for as long as it lives. The operating system gives it back when the process dies.
#[derive(Debug)]
#[must_use = "the run is owned only while this lives"]
pub struct Ownership {
    _lock: File,
}

impl RunFolder {
    /// Creates the folder of a new run. `None` when the id is taken, also by a run that was pruned.
    ///
    /// # Errors
    /// When the project's folder can't be written.
    pub fn create(project: &Project, id: &str) -> Result<Option<Self>, StoreError> {
        create_folder(&project.runs())?;
        let path = project.runs().join(id);
        // The id of a run that was pruned stays its own: its record is still found by it.
        if super::archive::find(project, id).is_some() {
            return Ok(None);
        }
        match fault::at(Point::RunCreate, || fs::create_dir(&path)) {
            Ok(()) => Ok(Some(Self { id: id.to_owned(), path })),
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
            Err(cause) => Err(StoreError::io("can't create the folder", &path)(cause)),
        }
    }

    /// The folder of a run whose id is known beforehand: made if it is not there.
    ///
    /// # Errors
    /// When it can't be made, or is a link.
    pub fn create_or_find(project: &Project, id: &str) -> Result<Self, StoreError> {
        if let Some(folder) = Self::create(project, id)? {
            return Ok(folder);
        }
        let path = project.runs().join(id);
        refuse_links(&path)?;
        Ok(Self { id: id.to_owned(), path })
    }

    /// Whether something was recorded: the journal has at least one whole record, or something that is no record at
    /// all and must not be written over.
    pub fn has_records(&self) -> bool {
        use docket_core::run::{JournalError, JournalFault, read};
        match fs::read(self.journal()) {
            Ok(bytes) => !matches!(read(&bytes), Err(JournalError { fault: JournalFault::Empty, .. })),
            Err(_) => false,
        }
    }

    /// Keeps a file that an earlier attempt at a stage left, and that the next one would replace, with that attempt.
    /// Nothing happens when there is none.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn keep_former(&self, stage: &str, attempt: u32, name: &str) -> Result<(), StoreError> {
        let from = self.results(stage).join(name);
        if !from.exists() {
            return Ok(());
        }
        let to = self.records(stage, attempt);
        create_folder(&to)?;
        fs::rename(&from, to.join(name)).map_err(StoreError::io("can't move", &from))
    }

    /// Finds a run by its id; the `wf-` may be left out.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], with a similar id if there is one.
    pub fn find(project: &Project, given: &str) -> Result<Self, StoreError> {
        let id = if given.starts_with(ID_PREFIX) { given.to_owned() } else { format!("{ID_PREFIX}{given}") };
        let plain = id.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
        let path = project.runs().join(&id);
        if plain && path.join("journal.jsonl").is_file() {
            refuse_links(&path)?;
            return Ok(Self { id, path });
        }
        if let Some(record) = super::archive::find(project, &id).filter(|_| !path.exists()) {
            return Err(StoreError::Pruned { run: id, record });
        }
        // A run that is just being started has a folder, but no record yet.
        let names: Vec<String> = super::list::ids(project).into_iter().filter(|name| *name != id).collect();
        Err(StoreError::NoSuchRun {
            run: given.to_owned(),
            project: project.root().to_owned(),
            similar: docket_core::definition::closest(&id, names.iter().map(String::as_str))
                .map(str::to_owned),
        })
    }

    /// The folder of this name, whether or not it holds a run: for looking at what a start that died left.
    pub(super) fn at(project: &Project, id: &str) -> Self {
        Self { id: id.to_owned(), path: project.runs().join(id) }
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// What a process in the background that owns the run had to say outside the run's own log.
    pub fn owner_log(&self) -> PathBuf {
        self.path.join("owner.log")
    }

    /// Who was handed which task until when.
    pub fn claims(&self) -> PathBuf {
        self.path.join("claims.jsonl")
    }

    /// Requests from other terminals.
    pub fn inbox(&self) -> Inbox {
        Inbox::of(&self.path)
    }

    /// What a stage left.
    pub fn results(&self, stage: &str) -> PathBuf {
        self.path.join("results").join(file_name(stage))
    }

    /// The processes of one attempt at a stage.
    pub fn records(&self, stage: &str, attempt: u32) -> PathBuf {
        self.results(stage).join(format!("attempt-{attempt}"))
    }

    /// A stage's sandbox folders; thrown away when the stage is over.
    pub fn work(&self, stage: &str, attempt: u32) -> PathBuf {
        self.path.join("work").join(format!("{}-{attempt}", file_name(stage)))
    }

    /// Large contents of change sets.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// Becomes the run's owner.
    ///
    /// # Errors
    /// [`StoreError::Owned`] when another process is.
    pub fn own(&self) -> Result<Ownership, StoreError> {
        let path = self.path.join("lock");
        let open = || OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        fault::before(Point::RunLock).map_err(StoreError::io("can't lock", &path))?;
        let mut lock = open().map_err(StoreError::io("can't open", &path))?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Owned { run: self.id.clone(), owner: owner_of(&mut lock) });
                }
                Err(TryLockError::Error(cause)) => {
                    return Err(StoreError::io("can't lock", &path)(cause));
                }
            }
        }
        fault::after(Point::RunLock);
        let _ = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
        self.sweep();
        Ok(Ownership { _lock: lock })
    }

    /// Removes what an owner that died left lying about: sandboxes of stages, which are made anew, files that were
    /// not put in place, replies to requests whose askers died. Only for the run's owner.
    fn sweep(&self) {
        // What can't be removed now is swept by the next owner.
        let _ = fs::remove_dir_all(self.path.join("work"));
        self.inbox().sweep();
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The process that owns the run, or was the last to own it, if it said so.
    pub fn owner(&self) -> Option<u32> {
        owner_of(&mut File::open(self.path.join("lock")).ok()?)
    }

    /// Whether a living process owns the run.
    pub fn is_owned(&self) -> bool {
        match File::open(self.path.join("lock")) {
            Ok(lock) => matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }

    /// Writes a file that can be made again. `name` may contain folders.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_derived(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        Ok(replace_at(Point::Derived, &path, bytes, Durability::Derived)?)
    }

    /// Reads a text that was written with [`Self::write_derived`]. One that a machine without power left empty, or in
    /// pieces, is as good as none.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn read_derived(&self, name: &str) -> Result<Option<String>, StoreError> {
        let bytes = read_if_there(&self.path.join(name))?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty()))
    }

    /// What `state.json` says; nothing when it is missing or not what docket writes: the journal is the truth.
    pub fn derived_state(&self) -> Option<RunSnapshot> {
        serde_json::from_slice(&fs::read(self.path.join("state.json")).ok()?).ok()
    }

    /// What `logs.txt` holds from a byte on. A log that is not there yet is empty.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn log_from(&self, position: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.path.join("logs.txt");
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(mut file) => file
                .seek(SeekFrom::Start(position))
                .and_then(|_| file.read_to_end(&mut bytes))
                .map_err(StoreError::io("can't read", &path))?,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => 0,
            Err(cause) => return Err(StoreError::io("can't read", &path)(cause)),
        };
        Ok(bytes)
    }

    /// Removes the folder of a run that was never recorded.
    pub fn discard(self) {
        // Without a journal it is no run, whether or not it can be removed.
        let _ = fs::remove_dir_all(self.path);
    }

    /// Adds a line to `logs.txt`. The text must be free of control characters and line ends.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn log(&self, at: Timestamp, stage: &str, level: &str, text: &str) -> Result<(), StoreError> {
        let path = self.path.join("logs.txt");
        let line = format!("{at:.3} {level:<5} {stage}: {text}\n");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|file| fault::write(Point::LogWrite, &file, line.as_bytes()))
            .map_err(StoreError::io("can't append to", &path))
    }
}

/// Refuses a run's folder that is a link or has one in it: docket made none, and would write through it.
fn refuse_links(folder: &Path) -> Result<(), StoreError> {
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let inside = fs::read_dir(folder).map_err(StoreError::io("can't read", folder))?;
    let link = std::iter::once(folder.to_owned())
        .chain(inside.filter_map(|entry| Some(entry.ok()?.path())))
        .find(|path| is_link(path));
    match link {
        None => Ok(()),
        Some(link) => Err(StoreError::OutsideProject {
            path: link.display().to_string(),
            detail: "is a symbolic link, which docket never makes; remove it".to_owned(),
        }),
    }
}

fn owner_of(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// A stage's name as a file name. Names come from definitions, so anything that could lead elsewhere is replaced.
pub fn file_name(stage: &str) -> String {
    let safe = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
    let name: String = stage.chars().map(|character| if safe(character) { character } else { '_' }).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::open(folder.path()).expect("opened");
        let run = RunFolder::create(&project, "wf-aaaaaa").expect("created").expect("a new id");
        assert!(RunFolder::create(&project, "wf-aaaaaa").expect("no error").is_none());
        assert!(!run.is_owned());
        let ownership = run.own().expect("free");
        assert!(run.is_owned());
        assert!(
            matches!(run.own(), Err(StoreError::Owned { owner: Some(id), .. }) if id == std::process::id())
        );
        drop(ownership);
        assert!(!run.is_owned());
        let _again = run.own().expect("free again");
    }

    #[test]
    fn names_of_stages_lead_nowhere_else() {
        assert_eq!(file_name("review-architecture"), "review-architecture");
        assert_eq!(file_name("../../etc"), "_.._.._etc");
        assert_eq!(file_name("a/b c"), "a_b_c");
    }
}
