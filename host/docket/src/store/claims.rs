//! A run's claims: who was handed which task until when, one line of JSON each, in `claims.jsonl` in its folder. Only
//! ever appended to, under a lock, so that no two processes are handed the same task. Decides nothing: that is
//! `docket_core::run::Claims`' business.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use docket_core::run::{ClaimEntry, Claims};

use super::{RunFolder, StoreError};
use crate::disk::read_if_there;

/// How long to try for the lock: whoever holds it writes one line.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often it is tried meanwhile.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// A run's claims, for as long as nobody else may change them.
#[derive(Debug)]
#[must_use = "the claims are locked only while this lives"]
pub struct ClaimBook {
    file: File,
    path: PathBuf,
    claims: Claims,
    /// Whether a crash cut the last line short.
    is_torn: bool,
}

impl ClaimBook {
    /// Opens and locks the claims of a run.
    ///
    /// # Errors
    /// When they can't be read, or another process keeps them locked.
    pub fn lock(folder: &RunFolder) -> Result<Self, StoreError> {
        let path = folder.claims();
        let open = || OpenOptions::new().create(true).append(true).read(true).open(&path);
        let mut file = open().map_err(StoreError::io("can't open", &path))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    let cause = std::io::Error::other("another docket keeps it locked; try again");
                    return Err(StoreError::io("can't lock", &path)(cause));
                }
                Err(TryLockError::Error(cause)) => return Err(StoreError::io("can't lock", &path)(cause)),
            }
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(StoreError::io("can't read", &path))?;
        let is_torn = bytes.last().is_some_and(|last| *last != b'\n');
        Ok(Self { file, path, claims: Claims::of(&entries(&bytes)), is_torn })
    }

    /// What they add up to.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Writes an entry down, so that it outlives the machine losing power: whoever was handed a task counts on it.
    ///
    /// # Errors
    /// When it can't be written; nothing was claimed then.
    pub fn record(mut self, entry: &ClaimEntry) -> Result<(), StoreError> {
        let mut line = if self.is_torn { b"\n".to_vec() } else { Vec::new() };
        serde_json::to_writer(&mut line, entry)
            .map_err(|cause| StoreError::Damaged { path: self.path.clone(), detail: cause.to_string() })?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(StoreError::io("can't append to", &self.path))
    }
}

/// The entries of a run's claims, oldest first; none when nothing was ever claimed. Lines that can't be read stand in
/// nobody's way: a claim is lost at worst.
///
/// # Errors
/// When the file is there and can't be read.
pub fn read(folder: &RunFolder) -> Result<Vec<ClaimEntry>, StoreError> {
    Ok(entries(&read_if_there(&folder.claims())?.unwrap_or_default()))
}

fn entries(bytes: &[u8]) -> Vec<ClaimEntry> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Project;
    use docket_core::Timestamp;
    use docket_core::run::{Actor, TaskId};

    fn run() -> (tempfile::TempDir, RunFolder) {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::open(folder.path()).expect("opened");
        let run = RunFolder::create(&project, "wf-aaaaaa").expect("created").expect("a new id");
        (folder, run)
    }

    fn claim(run: &RunFolder, token: &str) -> bool {
        let task = TaskId { stage: "review".into(), attempt: 1 };
        let by = Actor { user: "me".into(), process: 1, client: None };
        let book = ClaimBook::lock(run).expect("locked");
        let entry = book.claims().claim(&task, token, 60, by, None, Timestamp::UNIX_EPOCH);
        entry.is_ok_and(|entry| book.record(&entry).is_ok())
    }

    #[test]
    fn of_many_who_want_a_task_at_once_one_gets_it() {
        let (_folder, run) = run();
        let tokens: Vec<String> = (0..16).map(|number| number.to_string()).collect();
        let given = std::thread::scope(|scope| {
            let threads: Vec<_> = tokens.iter().map(|token| scope.spawn(|| claim(&run, token))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).filter(|given| *given).count()
        });
        assert_eq!(given, 1);
        assert_eq!(read(&run).expect("readable").len(), 1);
    }

    #[test]
    fn a_line_that_was_cut_short_takes_no_other_with_it() {
        let (_folder, run) = run();
        assert!(claim(&run, "one"));
        let whole = std::fs::read(run.claims()).expect("readable");
        std::fs::write(run.claims(), &whole[..whole.len() - 9]).expect("written");
        assert!(claim(&run, "two"), "a claim that was not wholly written was not given");
        let entries = read(&run).expect("readable");
        assert_eq!(entries.len(), 1);
        assert!(!claim(&run, "three"));
    }

    #[test]
    fn nothing_claimed_is_no_error() {
        let (_folder, run) = run();
        assert_eq!(read(&run).expect("no error"), []);
    }
}
