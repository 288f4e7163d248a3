//! What is kept about one process that outlives docket: the files of its folder, which process it is, and whether that
//! one still lives. Starts nothing: that is the supervisor's and the launcher's.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::fault::Point;
use crate::disk::{Durability, replace_at};

/// How often it is tried again to record something, and how long it is waited in between: a minute in all.
const RECORD_TRIES: usize = 600;
const RECORD_PAUSE: Duration = Duration::from_millis(100);

/// What a process folder's `command.json` says. Secrets are not in it: the environment is handed on directly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The program's absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// SHA-256 of what it reads on standard input, or reads first.
    pub stdin_sha256: String,
    /// Whether it is talked to: its standard input then goes on with what `said.jsonl` holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dialogue: bool,
}

/// Which process it is: a process id alone may be used again by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Process id; also the id of its process group.
    pub pid: i32,
    /// Start time in clock ticks since boot, where the system tells it.
    pub start_time: Option<u64>,
}

impl Started {
    /// This process.
    pub(super) fn this() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self { pid, start_time: start_time(pid) }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Exit code, if it ended by itself.
    pub code: Option<i32>,
    /// Signal, if one ended it.
    pub signal: Option<i32>,
    /// Why it could not be started.
    pub error: Option<String>,
}

/// The files of one process.
#[derive(Debug, Clone)]
pub struct ProcessFolder {
    /// The folder.
    pub path: PathBuf,
}

impl ProcessFolder {
    /// What is to be run.
    pub fn command(&self) -> PathBuf {
        self.path.join("command.json")
    }
    /// What it reads.
    pub fn stdin(&self) -> PathBuf {
        self.path.join("stdin")
    }
    /// What was sent to it, in a dialogue (see [`super::said`]).
    pub fn said(&self) -> PathBuf {
        self.path.join("said.jsonl")
    }
    /// What it printed.
    pub fn stdout(&self) -> PathBuf {
        self.path.join("stdout")
    }
    /// What it printed on standard error.
    pub fn stderr(&self) -> PathBuf {
        self.path.join("stderr")
    }
    /// Files it was given.
    pub fn attachments(&self) -> PathBuf {
        self.path.join("attachments")
    }
    /// Files it writes its answer to.
    pub fn answers(&self) -> PathBuf {
        self.path.join("answers")
    }
    pub(super) fn launching(&self) -> PathBuf {
        self.path.join("launching")
    }
    pub(super) fn lock(&self) -> PathBuf {
        self.path.join("supervisor.lock")
    }
    pub(super) fn launcher_lock(&self) -> PathBuf {
        self.path.join("launcher.lock")
    }

    /// Records which process it is.
    pub(super) fn record_started(&self, started: &Started) -> io::Result<()> {
        // Needed while the process lives only, so the machine losing power loses nothing with it.
        record(Point::LauncherStarted, &self.path.join("started.json"), started, Durability::Derived)
    }

    /// Adds docket's own words to what the command printed on standard error, where whoever looks for its failure looks.
    pub(super) fn explain(&self, words: &str) {
        let file = fs::OpenOptions::new().create(true).append(true).open(self.stderr());
        // The end is recorded with or without them.
        let _ = file.and_then(|mut file| writeln!(file, "{words}"));
    }

    /// Records how it ended.
    pub(super) fn record_exited(&self, exited: &Exited) -> io::Result<()> {
        record(Point::SupervisorExited, &self.path.join("exited.json"), exited, Durability::Synced)
    }

    /// Which process it is, once started.
    pub fn started(&self) -> Option<Started> {
        read_json(&self.path.join("started.json"))
    }

    /// How it ended, once it did.
    pub fn exited(&self) -> Option<Exited> {
        read_json(&self.path.join("exited.json"))
    }

    /// Whether it was started, or may have been; or is never to be.
    pub fn was_launched(&self) -> bool {
        self.launching().exists()
    }

    /// Whether its supervisor lives.
    pub fn is_supervised(&self) -> bool {
        File::open(self.lock())
            .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Whether the process itself lives: the same id and the same start time.
    pub fn is_alive(&self) -> bool {
        self.started().is_some_and(|started| is_alive(&started))
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Records something that can't be found out a second time, so a full disk is given time to be emptied.
fn record(point: Point, path: &Path, value: &impl Serialize, durability: Durability) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    let mut tries = RECORD_TRIES;
    loop {
        match replace_at(point, path, &text, durability) {
            Ok(()) => return Ok(()),
            // Where the folder was taken away, nobody will ask.
            Err(cause) if tries == 0 || !path.parent().is_some_and(Path::exists) => {
                return Err(io::Error::other(cause));
            }
            Err(_) => tries -= 1,
        }
        std::thread::sleep(RECORD_PAUSE);
    }
}

/// When a process started, in clock ticks since boot: field 22 of `/proc/<pid>/stat` (proc(5)). Fields are counted
/// after the last `)`, because the program's name may contain anything.
fn start_time(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    // A zombie has ended; only its parent has not noticed yet.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

pub(super) fn is_alive(started: &Started) -> bool {
    match started.start_time {
        Some(time) => start_time(started.pid) == Some(time),
        None => false,
    }
}

/// Ends a process group: asks first, and insists after the grace time.
pub fn stop(started: &Started, grace: Duration) {
    if !ask_to_end(started) {
        return;
    }
    let deadline = std::time::Instant::now() + grace;
    while is_alive(started) && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    end(started);
}

/// Asks a process and its group to end. `false` when it does not live any more: then its id may be another's by now, and
/// nothing may be sent there.
pub(super) fn ask_to_end(started: &Started) -> bool {
    let lives = is_alive(started);
    if lives {
        signal(started, rustix::process::Signal::TERM);
    }
    lives
}

/// Ends the group of a process that was asked to end, with whatever it left behind there.
pub(super) fn end(started: &Started) {
    signal(started, rustix::process::Signal::KILL);
}

fn signal(started: &Started, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(started.pid) {
        // One that has ended already needs none.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_with_the_same_id_is_not_the_same_process() {
        let mine = Started::this();
        assert!(is_alive(&mine));
        assert!(!is_alive(&Started { start_time: mine.start_time.map(|time| time + 1), ..mine }));
    }
}
