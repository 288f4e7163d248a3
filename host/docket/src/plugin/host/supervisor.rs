//! Processes that outlive docket. A small supervisor (docket itself, started with a folder) has one command launched,
//! lets it write to files in that folder, and records how it ended. Whoever reads the folder later, even another docket
//! after a crash, finds the process still running or its result.
//!
//! Whether the command may start is not decided here but by its launcher (see [`super::launcher`]), so that a supervisor
//! can die at any moment and another one can take its place. In a dialogue it also hands on what is said to the command
//! (see [`super::pump`]); when it is killed, the command reads the end of its input.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::process_folder::{Exited, ProcessFolder, Recorded};
use super::pump::Pump;
use super::{descriptors, group, launcher};
use crate::disk::fault::{self, Point};

/// The hidden command line argument that makes docket a supervisor.
pub const ARGUMENT: &str = "__supervise";

/// How often a supervisor tries for its lock, five milliseconds apart.
const LOCK_TRIES: usize = 40;
/// How often a launcher or a supervisor that died before it did anything is replaced.
const LAUNCH_TRIES: usize = 4;

/// A supervisor that this docket started, to be replaced when it dies before the command was launched.
pub struct Supervision {
    environment: Vec<(String, String)>,
    ended: Arc<AtomicBool>,
    left: usize,
}

impl Supervision {
    /// Starts a supervisor for a folder, in a session of its own so that neither Ctrl-C nor a closed terminal ends it.
    /// It gets exactly this environment, and so does the command.
    ///
    /// # Errors
    /// When docket's own program can't be started.
    pub fn start(folder: &ProcessFolder, environment: Vec<(String, String)>) -> io::Result<Self> {
        let ended = spawn(folder, &environment)?;
        Ok(Self { environment, ended, left: LAUNCH_TRIES })
    }

    /// Whether the command may still be launched. A supervisor that died is replaced, up to a few times.
    pub fn goes_on(&mut self, folder: &ProcessFolder) -> bool {
        if !self.ended.load(Ordering::Acquire) || folder.is_supervised() {
            return true;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        match spawn(folder, &self.environment) {
            Ok(ended) => self.ended = ended,
            // Tried again the next time.
            Err(_) => return self.left > 0,
        }
        true
    }
}

/// Starts a supervisor; the flag is set when it has ended.
fn spawn(folder: &ProcessFolder, environment: &[(String, String)]) -> io::Result<Arc<AtomicBool>> {
    let mut supervisor = docket(ARGUMENT, folder)?;
    supervisor
        .arg(descriptors::for_commands())
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    fault::hand_on(&mut supervisor);
    let mut supervisor = fault::at(Point::SupervisorSpawn, || supervisor.spawn())?;
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    // Reaped when it ends; if docket ends first, the system does it.
    std::thread::spawn(move || {
        let _ = supervisor.wait();
        told.store(true, Ordering::Release);
    });
    Ok(ended)
}

/// The running program itself, even when its file was replaced meanwhile.
///
/// # Errors
/// When the system does not tell which one it is.
pub(super) fn own_program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// docket itself with a hidden argument.
fn docket(argument: &str, folder: &ProcessFolder) -> io::Result<Command> {
    let mut command = Command::new(own_program()?);
    command.arg(argument).arg(&folder.path);
    Ok(command)
}

/// Is the supervisor: runs the folder's command to its end. Does nothing when another supervisor is at it or was.
/// `descriptors` is how many open files the command expects to be allowed.
///
/// # Errors
/// When the folder can't be read or written. The command's own failure is recorded, not returned.
pub fn supervise(folder: &Path, descriptors: &str) -> io::Result<()> {
    descriptors::take_on(descriptors);
    let folder = ProcessFolder { path: folder.to_owned() };
    // A new session: nothing that happens to docket's terminal reaches the command. Fails for a group's leader, which
    // a supervisor never is.
    let _ = rustix::process::setsid();
    fault::before(Point::SupervisorLock)?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.lock())?;
    // Somebody who only looks holds the lock for an instant; another supervisor holds it for good.
    let is_mine = (0..LOCK_TRIES).any(|_| {
        let locked = lock.try_lock().is_ok();
        if !locked {
            std::thread::sleep(Duration::from_millis(5));
        }
        locked
    });
    if !is_mine || folder.was_launched() || folder.exited().is_some() {
        return Ok(());
    }
    fault::after(Point::SupervisorLock);
    let recorded: Recorded = serde_json::from_slice(&fs::read(folder.command())?)?;
    let mut problem = "its launcher died each time it was about to start the command".to_owned();
    for _ in 0..LAUNCH_TRIES {
        match follow(&folder, &recorded) {
            // Whatever it died of, it was before the command was started.
            Ok(_) if !folder.was_launched() && folder.exited().is_none() => {}
            Ok(Some(exited)) => return folder.record_exited(&exited),
            Ok(None) => return Ok(()),
            Err(cause) => problem = cause.to_string(),
        }
    }
    folder.explain(&format!("docket could not start {}: {problem}", recorded.program.display()));
    folder.record_exited(&Exited { code: None, signal: None, error: Some(problem) })
}

/// Has the command launched and waits for its end. `None` when there is nothing to record: the launcher did, or the
/// process is one that a supervisor before this one had launched.
fn follow(folder: &ProcessFolder, recorded: &Recorded) -> io::Result<Option<Exited>> {
    let mut child = start_launcher(folder, recorded)?;
    // Lives until the command, or a launcher that started none, has ended.
    let _pump = child.stdin.take().map(|input| Pump::start(folder, input));
    let status = fault::at(Point::AgentWait, || {
        group::wait_and_end_rest(&child)?;
        child.wait()
    })?;
    let is_ours = folder.started().is_some_and(|started| i64::from(started.pid) == i64::from(child.id()));
    if !is_ours || folder.exited().is_some() {
        return Ok(None);
    }
    Ok(Some(Exited { code: status.code(), signal: status.signal(), error: None }))
}

fn start_launcher(folder: &ProcessFolder, recorded: &Recorded) -> io::Result<Child> {
    // What a command prints may hold a secret: nobody else reads it.
    let output = |path: PathBuf| OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let mut command = docket(launcher::ARGUMENT, folder)?;
    command
        .arg(std::process::id().to_string())
        .current_dir(&recorded.folder)
        .stdin(if recorded.dialogue { Stdio::piped() } else { File::open(folder.stdin())?.into() })
        .stdout(output(folder.stdout())?)
        .stderr(output(folder.stderr())?)
        .process_group(0);
    fault::at(Point::LauncherSpawn, || command.spawn())
}
