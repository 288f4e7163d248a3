//! Running one command of docket with something going wrong, and finding out what came of it.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::plan::Kind;
use super::room::Room;

/// How long a command may take. Nothing in a room takes a second.
const PATIENCE: Duration = Duration::from_secs(45);

/// A running command.
pub struct Running {
    child: Child,
    /// Dropped when the child was waited for; until then its id is its own.
    over: Option<Sender<()>>,
    guard: Option<std::thread::JoinHandle<bool>>,
    errors: std::path::PathBuf,
    log: std::path::PathBuf,
    shown: String,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The command as typed, with the faults it was armed with.
    pub shown: String,
    /// Exit code, if it ended by itself.
    pub code: Option<i32>,
    /// Of what it died, if it was killed: a fault that was brought about, or `None` for a kill from outside.
    pub death: Option<Option<Noted>>,
    /// What it said on standard error.
    pub stderr: String,
    /// Faults of the disk that were brought about, in docket or in a supervisor.
    pub disk_faults: Vec<Noted>,
}

/// A fault that was brought about at a point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    /// The process.
    pub process: u32,
    /// Which of docket's processes it was: `docket`, `supervisor` or `launcher`.
    pub role: String,
    /// The point.
    pub point: String,
    /// What went wrong; `None` for a point that was merely reached.
    pub kind: Option<Kind>,
}

/// The lines of a fault log.
pub fn notes(log: &Path) -> Vec<Noted> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let process = words.next()?.parse().ok()?;
        let role = words.next()?.to_owned();
        let point = words.next()?.to_owned();
        Some(Noted { process, role, point, kind: Kind::named(words.next()?) })
    };
    text.lines().filter_map(line).collect()
}

impl Running {
    /// Starts the `number`-th command of a room, armed with these faults.
    pub fn start(room: &Room, number: usize, arguments: &[String], faults: &str) -> Self {
        let log = room.fault_log(number);
        let errors = room.place.home().join(format!("stderr-{number}"));
        let specification = format!("{faults},log:{}", log.display());
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let child = room
            .place
            .command(&words)
            .env("DOCKET_FAULTS", &specification)
            // One command's today is never the next one's: only a run's own date may get into what it makes.
            .env("TZ", if number.is_multiple_of(2) { "<-12>12" } else { "<+14>-14" })
            .stdout(Stdio::null())
            .stderr(File::create(&errors).expect("the room can be written"))
            .spawn()
            .expect("docket can be started");
        let id = Pid::from_child(&child);
        let (over, told) = channel::<()>();
        let guard = std::thread::spawn(move || {
            let late = told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            late.then(|| kill_process(id, Signal::KILL)).is_some()
        });
        let shown = format!("docket {} [{faults}]", words.join(" "));
        Self { child, over: Some(over), guard: Some(guard), errors, log, shown }
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_some()
    }

    /// Kills it.
    pub fn kill(&mut self) {
        // It may have ended by itself; the exit status tells.
        let _ = self.child.kill();
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it took too long and was killed for that.
    pub fn finish(mut self) -> Result<Ended, String> {
        use std::os::unix::process::ExitStatusExt as _;
        let id = self.child.id();
        let status = self.child.wait().expect("it ends");
        drop(self.over.take());
        let late = self.guard.take().is_some_and(|guard| guard.join().expect("the guard ends"));
        let stderr = std::fs::read_to_string(&self.errors).unwrap_or_default();
        if late {
            return Err(format!("{} took longer than {PATIENCE:?}; it said:\n{stderr}", self.shown));
        }
        let notes = notes(&self.log);
        let killed = status.signal() == Some(Signal::KILL.as_raw());
        let kills = |note: &&Noted| note.process == id && note.kind.is_some_and(Kind::kills);
        let cause = notes.iter().rfind(kills).cloned();
        let fails = |note: &&Noted| note.kind.is_some_and(|kind| !kind.kills());
        Ok(Ended {
            code: status.code(),
            death: killed.then_some(cause),
            stderr,
            disk_faults: notes.iter().filter(fails).cloned().collect(),
            shown: self.shown,
        })
    }
}
