//! How another terminal reaches a run's owner: a request is a file in the run's `inbox/` folder, put there by
//! rename; the owner takes it, records what follows, and leaves a reply. A request is answered only after what it
//! asked for is durable, so whoever reads a reply can rely on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::run::Actor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;
use crate::disk::fault::{self, Point};
use crate::disk::{Durability, create_folder, read_if_there, replace_at};

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

    /// Puts a request in. The ticket is for [`Self::reply`].
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn put(&self, request: &Request, ticket: &str) -> Result<(), StoreError> {
        create_folder(&self.folder)?;
        let text = serde_json::to_vec(request).map_err(|cause| damaged(&self.folder, &cause))?;
        Ok(replace_at(Point::InboxRequest, &self.request_file(ticket), &text, Durability::Derived)?)
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

    /// Takes everything that was put in, oldest first. A request that can't be read is thrown away: whoever put it
    /// there was no docket of this version.
    pub fn take(&self) -> Vec<Taken> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "request"))
            .collect();
        files.sort_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
        let take = |path: PathBuf| {
            let request = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            fault::act(Point::InboxTake, || fs::remove_file(&path)).ok()?;
            Some(Taken { request: request?, reply: path.with_extension("reply") })
        };
        files.into_iter().filter_map(take).collect()
    }

    /// Removes replies that nobody will fetch, because whoever asked is dead.
    /// Requests stay: what was asked for is done even if the asker did not live to hear of it.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let asker = name.strip_suffix(".reply").and_then(|name| name.rsplit('.').next()?.parse().ok());
            let asker = asker.and_then(rustix::process::Pid::from_raw);
            // Another process with the asker's number keeps a reply alive a while longer, which harms nobody.
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

    #[test]
    fn a_request_is_taken_once_and_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = Inbox::of(folder.path());
        let request = Request::Pause { by: Actor { user: "me".into(), process: 1 } };
        inbox.put(&request, "1").expect("put");
        let mut taken = inbox.take();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].request, request);
        assert!(inbox.take().is_empty());
        taken.remove(0).answer(&Reply::Done).expect("answered");
        assert_eq!(inbox.reply("1", Duration::ZERO).expect("read"), Some(Reply::Done));
        assert_eq!(inbox.reply("1", Duration::ZERO).expect("read"), None);
    }

    #[test]
    fn replies_to_the_dead_are_swept_away_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let inbox = Inbox::of(folder.path());
        inbox.put(&Request::Cancel { by: Actor { user: "me".into(), process: 1 } }, "1").expect("put");
        // Larger than any process id that Linux gives (proc_sys_kernel(5), pid_max).
        let (dead, alive) = ("2.2147483646.reply", format!("3.{}.reply", std::process::id()));
        for name in [dead, &alive] {
            fs::write(folder.path().join("inbox").join(name), "{}").expect("written");
        }
        inbox.sweep();
        let there = |name: &str| folder.path().join("inbox").join(name).exists();
        assert!(!there(dead) && there(&alive) && there(&format!("1.{}.request", std::process::id())));
    }
}
