//! Processes that outlive docket. A small supervisor (docket itself, started with a folder) runs one command, lets it
//! write to files in that folder, and records how it ended. Whoever reads the folder later, even another docket after
//! a crash, finds the process still running or its result.
//!
//! A command is started at most once: the supervisor holds a lock, writes `launching` before it starts anything, and
//! never starts again where that file is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::fault::{self, Point};
use crate::disk::{Durability, replace_at};

/// The hidden command line argument that makes docket a supervisor.
pub const ARGUMENT: &str = "__supervise";

/// How often a supervisor tries for its lock, five milliseconds apart.
const LOCK_TRIES: usize = 40;
/// How often a supervisor tries again to record what it knows, and how long it waits in between: a minute in all.
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
    /// SHA-256 of what it reads on standard input.
    pub stdin_sha256: String,
}

/// Which process it is: a process id alone may be used again by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Process id; also the id of its process group.
    pub pid: i32,
    /// Start time in clock ticks since boot, where the system tells it.
    pub start_time: Option<u64>,
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
    fn lock(&self) -> PathBuf {
        self.path.join("supervisor.lock")
    }

    /// Which process it is, once started.
    pub fn started(&self) -> Option<Started> {
        read_json(&self.path.join("started.json"))
    }

    /// How it ended, once it did.
    pub fn exited(&self) -> Option<Exited> {
        read_json(&self.path.join("exited.json"))
    }

    /// Whether it was, or may have been, started.
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

/// Starts a supervisor for a folder, in a session of its own so that neither Ctrl-C nor a closed terminal ends it.
/// It gets exactly this environment, and so does the command.
///
/// # Errors
/// When docket's own program can't be started.
pub fn launch(folder: &ProcessFolder, environment: &[(String, String)]) -> io::Result<()> {
    // The running program itself, even when its file was replaced meanwhile.
    let running = Path::new("/proc/self/exe");
    let docket = if running.exists() { running.to_owned() } else { std::env::current_exe()? };
    let mut supervisor = Command::new(docket);
    supervisor
        .arg(ARGUMENT)
        .arg(&folder.path)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    fault::hand_on(&mut supervisor);
    let mut supervisor = fault::at(Point::SupervisorSpawn, || supervisor.spawn())?;
    // Reaped when it ends; if docket ends first, the system does it.
    std::thread::spawn(move || supervisor.wait());
    Ok(())
}

/// Is the supervisor: runs the folder's command to its end. Does nothing when another supervisor is at it or was.
///
/// # Errors
/// When the folder can't be read or written. The command's own failure is recorded, not returned.
pub fn supervise(folder: &Path) -> io::Result<()> {
    let folder = ProcessFolder { path: folder.to_owned() };
    // A new session: nothing that happens to docket's terminal reaches the command.
    let _ = rustix::process::setsid();
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.lock())?;
    // Somebody who only looks holds the lock for an instant; another supervisor holds it for good.
    fault::before(Point::SupervisorLock)?;
    let is_mine = (0..LOCK_TRIES).any(|_| {
        let locked = lock.try_lock().is_ok();
        if !locked {
            std::thread::sleep(Duration::from_millis(5));
        }
        locked
    });
    if !is_mine || folder.was_launched() {
        return Ok(());
    }
    let recorded: Recorded = serde_json::from_slice(&fs::read(folder.command())?)?;
    fault::after(Point::SupervisorLock);
    fault::act(Point::SupervisorLaunching, || File::create_new(folder.launching())?.sync_all())?;
    let exited = match run(&folder, &recorded) {
        Ok(exited) => exited,
        Err(cause) => Exited { code: None, signal: None, error: Some(cause.to_string()) },
    };
    record(Point::SupervisorExited, &folder.path.join("exited.json"), &exited)
}

fn run(folder: &ProcessFolder, recorded: &Recorded) -> io::Result<Exited> {
    let output = |path: PathBuf| OpenOptions::new().create(true).append(true).open(path);
    let mut command = Command::new(&recorded.program);
    command
        .args(&recorded.arguments)
        .current_dir(&recorded.folder)
        .stdin(File::open(folder.stdin())?)
        .stdout(output(folder.stdout())?)
        .stderr(output(folder.stderr())?)
        .process_group(0);
    fault::conceal(&mut command);
    let mut child = fault::at(Point::AgentSpawn, || command.spawn())?;
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let started = Started { pid, start_time: start_time(pid) };
    if let Err(cause) = record(Point::SupervisorStarted, &folder.path.join("started.json"), &started) {
        // A process that nobody can find again must not go on.
        stop(&started, Duration::ZERO);
        child.wait()?;
        return Err(cause);
    }
    let status = fault::at(Point::AgentWait, || child.wait())?;
    Ok(Exited { code: status.code(), signal: status.signal(), error: None })
}

/// Records something that can't be found out a second time, so a full disk is given time to be emptied.
fn record(point: Point, path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    let mut tries = RECORD_TRIES;
    loop {
        match replace_at(point, path, &text, Durability::Synced) {
            Ok(()) => return Ok(()),
            Err(cause) if tries == 0 => return Err(io::Error::other(cause)),
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

fn is_alive(started: &Started) -> bool {
    match started.start_time {
        Some(time) => start_time(started.pid) == Some(time),
        None => false,
    }
}

/// Ends a process group: asks first, and insists after the grace time.
pub fn stop(started: &Started, grace: Duration) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let Some(pid) = Pid::from_raw(started.pid) else { return };
    if !is_alive(started) {
        return;
    }
    let _ = kill_process_group(pid, Signal::TERM);
    let end = std::time::Instant::now() + grace;
    while std::time::Instant::now() < end {
        if !is_alive(started) {
            // What it left behind in its group goes with it.
            let _ = kill_process_group(pid, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = kill_process_group(pid, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(script: &str) -> (tempfile::TempDir, ProcessFolder) {
        let root = tempfile::tempdir().expect("a folder");
        let folder = ProcessFolder { path: root.path().to_owned() };
        let recorded = Recorded {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            folder: root.path().to_owned(),
            stdin_sha256: String::new(),
        };
        fs::write(folder.command(), serde_json::to_vec(&recorded).expect("JSON")).expect("written");
        fs::write(folder.stdin(), "input").expect("written");
        (root, folder)
    }

    #[test]
    fn a_command_runs_once_however_often_it_is_supervised() {
        let (_root, folder) = folder("cat; echo ran >> ledger; exit 3");
        for _ in 0..3 {
            supervise(&folder.path).expect("supervised");
        }
        assert_eq!(fs::read_to_string(folder.stdout()).expect("output"), "input");
        assert_eq!(fs::read_to_string(folder.path.join("ledger")).expect("ledger"), "ran\n");
        assert_eq!(folder.exited(), Some(Exited { code: Some(3), signal: None, error: None }));
        assert!(folder.was_launched() && !folder.is_alive() && !folder.is_supervised());
    }

    #[test]
    fn a_command_that_can_not_be_started_says_why() {
        let (_root, folder) = folder("");
        let recorded = Recorded {
            program: "/nowhere/agent".into(),
            arguments: vec![],
            folder: folder.path.clone(),
            stdin_sha256: String::new(),
        };
        fs::write(folder.command(), serde_json::to_vec(&recorded).expect("JSON")).expect("written");
        supervise(&folder.path).expect("supervised");
        assert!(folder.exited().expect("recorded").error.is_some());
    }

    #[test]
    fn another_process_with_the_same_id_is_not_the_same_process() {
        let me = i32::try_from(std::process::id()).expect("an id");
        let mine = Started { pid: me, start_time: start_time(me) };
        assert!(is_alive(&mine));
        assert!(!is_alive(&Started { start_time: mine.start_time.map(|time| time + 1), ..mine }));
    }
}
