//! How another terminal reaches a run's owner: a request is a file in the run's `inbox/` folder, put there by
//! rename; the owner takes it, records what follows, and leaves a reply. A request is answered only after what it
//! asked for is durable, so whoever reads a reply can rely on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::Budget;
use docket_core::run::{Actor, is_sealed_text, seal_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;
use crate::disk::fault::{self, Point};
use crate::disk::{Durability, TEMPORARY_PREFIX, create_folder, read_if_there, replace_at};

/// Largest request that is read: an answer of the largest size there is, and what surrounds it.
const MAX_REQUEST: u64 = 33 * 1024 * 1024;
/// How often both sides look. Short against the 200 ms within which a request is to be taken.
pub const POLL: Duration = Duration::from_millis(25);

/// What another terminal wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Pause after the stages that are running.
    Pause {
        /// Who asks.
        by: Actor,
    },
    /// Go on.
    Resume {
        /// Who asks.
        by: Actor,
    },
    /// End the run.
    Cancel {
        /// Who asks.
        by: Actor,
    },
    /// Approve what a stage asks approval for.
    Approve {
        /// Stage, if named.
        stage: Option<String>,
        /// What is said to it.
        comment: Option<String>,
        /// The form, filled in.
        form: Option<Value>,
        /// Who approves.
        by: Actor,
    },
    /// Do not approve.
    Reject {
        /// Stage, if named.
        stage: Option<String>,
        /// The stage whose work is to be done again.
        to: Option<String>,
        /// What is wrong.
        comment: Option<String>,
        /// Who rejects.
        by: Actor,
    },
    /// Do stages again.
    Retry {
        /// From which stage on; what failed without it.
        from: Option<String>,
        /// What the run may use from now on, of the kinds that are named.
        #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
        budget: Budget,
        /// Who asks.
        by: Actor,
    },
    /// Look at a stage's sub-workflow again.
    ChildChanged {
        /// The stage.
        stage: String,
        /// Its attempt.
        attempt: u32,
    },
    /// Answer a question.
    Submit {
        /// Stage, if named.
        stage: Option<String>,
        /// The answer.
        value: Value,
        /// Who answers.
        by: Actor,
    },
}

/// What the owner says to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Recorded.
    Done,
    /// Not possible.
    Refused {
        /// Whether it conflicts with what was decided before.
        conflict: bool,
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// A run's inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    folder: PathBuf,
}

/// A request the owner took, to be answered.
#[derive(Debug)]
#[must_use = "whoever asked waits for the reply"]
pub struct Taken {
    /// What is wanted.
    pub request: Request,
    reply: PathBuf,
}

impl Inbox {
    /// The inbox of the run in this folder.
    pub fn of(run: &Path) -> Self {
        Self { folder: run.join("inbox") }
    }

    /// Puts a request in, sealed with the user's key: whoever can write in the project, but is not the user, asks
    /// nothing. The ticket is for [`Self::reply`].
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn put(&self, request: &Request, ticket: &str, key: &[u8; 32]) -> Result<(), StoreError> {
        create_folder(&self.folder)?;
        let file = self.request_file(ticket);
        let text = serde_json::to_string(request).map_err(|cause| damaged(&self.folder, &cause))?;
        let seal = seal_text(key, &self.sealed(&file, &text));
        Ok(replace_at(Point::InboxRequest, &file, format!("{seal}\n{text}").as_bytes(), Durability::Derived)?)
    }

    /// What the seal of a request is made of: the run, the ticket, and what is asked.
    fn sealed(&self, file: &Path, text: &str) -> String {
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        format!("request\n{}\n{}\n{text}", name(self.folder.parent()), name(Some(file)))
    }

    /// Waits for the reply to a request. `None` when none came in the time given.
    ///
    /// # Errors
    /// When the reply can't be read.
    pub fn reply(&self, ticket: &str, patience: Duration) -> Result<Option<Reply>, StoreError> {
        let file = self.reply_file(ticket);
        let start = Instant::now();
        loop {
            if let Some(bytes) = read_if_there(&file)? {
                let _ = fs::remove_file(&file);
                return serde_json::from_slice(&bytes).map(Some).map_err(|cause| damaged(&file, &cause));
            }
            if start.elapsed() >= patience {
                return Ok(None);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Takes a request back, unless it was answered meanwhile.
    ///
    /// # Errors
    /// When the reply can't be read.
    pub fn withdraw(&self, ticket: &str) -> Result<Option<Reply>, StoreError> {
        let _ = fs::remove_file(self.request_file(ticket));
        self.reply(ticket, Duration::ZERO)
    }

    /// Takes everything that was put in, oldest first. A request that can't be read, or is not sealed with the user's
    /// key, is thrown away: whoever put it there was no docket of this version, or not the user's.
    pub fn take(&self, key: impl FnOnce() -> Option<[u8; 32]>) -> Vec<Taken> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "request"))
            .collect();
        if files.is_empty() {
            return Vec::new();
        }
        files.sort_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
        let key = key();
        let take = |path: PathBuf| {
            let request = key.and_then(|key| self.read(&path, &key));
            fault::act(Point::InboxTake, || fs::remove_file(&path)).ok()?;
            Some(Taken { request: request?, reply: path.with_extension("reply") })
        };
        files.into_iter().filter_map(take).collect()
    }

    fn read(&self, path: &Path, key: &[u8; 32]) -> Option<Request> {
        let is_usable = |found: &fs::Metadata| found.is_file() && found.len() <= MAX_REQUEST;
        fs::symlink_metadata(path).ok().filter(is_usable)?;
        let bytes = fs::read_to_string(path).ok()?;
        let (seal, text) = bytes.split_once('\n')?;
        is_sealed_text(key, &self.sealed(path, text), seal).then(|| serde_json::from_str(text).ok())?
    }

    /// Removes what belongs to askers that are dead: replies that nobody will fetch, requests that were never
    /// acknowledged, files that were not put in place. Whoever asked and died has to ask again; a request that turns up
    /// late could contradict what was asked since.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let asker = match name.strip_prefix(TEMPORARY_PREFIX) {
                Some(rest) => rest.split('-').next(),
                None => name
                    .strip_suffix(".reply")
                    .or_else(|| name.strip_suffix(".request"))
                    .and_then(|name| name.rsplit('.').next()),
            };
            let asker = asker.and_then(|id| id.parse().ok()).and_then(rustix::process::Pid::from_raw);
            // Another process with the asker's number keeps a file alive a while longer, which harms nobody.
            let is_dead = |asker| rustix::process::test_kill_process(asker) == Err(rustix::io::Errno::SRCH);
            if asker.is_some_and(is_dead) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn request_file(&self, ticket: &str) -> PathBuf {
        self.folder.join(format!("{ticket}.{}.request", std::process::id()))
    }

    fn reply_file(&self, ticket: &str) -> PathBuf {
        self.folder.join(format!("{ticket}.{}.reply", std::process::id()))
    }
}

impl Taken {
    /// Answers.
    ///
    /// # Errors
    /// When the reply can't be written; whoever asked finds out by asking again, which is harmless.
    pub fn answer(self, reply: &Reply) -> Result<(), StoreError> {
        let text = serde_json::to_vec(reply).map_err(|cause| damaged(&self.reply, &cause))?;
        Ok(replace_at(Point::InboxReply, &self.reply, &text, Durability::Derived)?)
    }
}

fn damaged(path: &Path, cause: &serde_json::Error) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), detail: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_request_without_the_users_seal_is_thrown_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = Inbox::of(folder.path());
        let request = Request::Cancel { by: Actor { user: "somebody".into(), process: 1, client: None } };
        inbox.put(&request, "1", &[8; 32]).expect("put");
        let text = serde_json::to_string(&request).expect("JSON");
        fs::write(folder.path().join("inbox/2.1.request"), &text).expect("written");
        // A request that was sealed for something else.
        inbox.put(&request, "3", &KEY).expect("put");
        let (from, to) = (inbox.request_file("3"), inbox.request_file("4"));
        fs::rename(from, to).expect("renamed");
        assert!(inbox.take(|| Some(KEY)).is_empty());
        assert_eq!(fs::read_dir(folder.path().join("inbox")).expect("readable").count(), 0);
    }

    #[test]
    fn a_request_is_taken_once_and_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = Inbox::of(folder.path());
        let request = Request::Pause { by: Actor { user: "me".into(), process: 1, client: None } };
        inbox.put(&request, "1", &KEY).expect("put");
        let mut taken = inbox.take(|| Some(KEY));
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].request, request);
        assert!(inbox.take(|| Some(KEY)).is_empty());
        taken.remove(0).answer(&Reply::Done).expect("answered");
        assert_eq!(inbox.reply("1", Duration::ZERO).expect("read"), Some(Reply::Done));
        assert_eq!(inbox.reply("1", Duration::ZERO).expect("read"), None);
    }

    #[test]
    fn replies_to_the_dead_are_swept_away_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = Inbox::of(folder.path());
        inbox
            .put(&Request::Cancel { by: Actor { user: "me".into(), process: 1, client: None } }, "1", &KEY)
            .expect("put");
        // Larger than any process id that Linux gives (proc_sys_kernel(5), pid_max).
        let dead = ["2.2147483646.reply", "2.2147483646.request", ".docket-2147483646-abc"];
        let alive = format!("3.{}.reply", std::process::id());
        for name in dead.into_iter().chain([alive.as_str()]) {
            fs::write(folder.path().join("inbox").join(name), "{}").expect("written");
        }
        inbox.sweep();
        let there = |name: &str| folder.path().join("inbox").join(name).exists();
        assert!(!dead.into_iter().any(there), "what belongs to the dead goes");
        assert!(there(&alive) && there(&format!("1.{}.request", std::process::id())));
    }
}
