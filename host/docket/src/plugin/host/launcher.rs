//! Becoming the command: a launcher (docket itself, started by a supervisor) records which process it is, claims the
//! one permission there is to start the command, and turns into it. So a command is started at most once, and until the
//! claim it is certain that it was not: whoever dies before can be replaced.
//!
//! The claim is a file that only one can create. Whoever wants the command never to start creates it as well.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::process_folder::{Exited, ProcessFolder, Recorded, Started};
use crate::disk::fault::{self, Point};
use crate::disk::sync_folder;

/// The hidden command line argument that makes docket a launcher.
pub const ARGUMENT: &str = "__launch";

/// How many folders lie between a process's own and those of a run that are durable already: its attempt's, its stage's,
/// `results` and the run's.
const FOLDERS_ABOVE: usize = 4;

/// Is the launcher: becomes the folder's command. Returns only when it must not, or can't. `supervisor` is the process
/// that started it: without that one nobody would learn how the command ends, so it is not started then.
///
/// # Errors
/// When the folder can't be read or written. That the command can't be started is recorded as its end, not returned.
pub fn launch(folder: &Path, supervisor: &str) -> io::Result<()> {
    let folder = ProcessFolder { path: folder.to_owned() };
    let recorded: Recorded = serde_json::from_slice(&fs::read(folder.command())?)?;
    // Held until this process is the command: another launcher must not say that it is the process meanwhile.
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.launcher_lock())?;
    lock.lock()?;
    let parent = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().to_string());
    if folder.was_launched() || parent.as_deref() != Some(supervisor) {
        return Ok(());
    }
    folder.record_started(&Started::this())?;
    let cause = match claim(&folder) {
        Ok(()) => become_command(&recorded),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(cause) => cause,
    };
    folder.explain(&format!("docket could not start {}: {cause}", recorded.program.display()));
    folder.record_exited(&Exited { code: None, signal: None, error: Some(cause.to_string()) })
}

/// Claims the permission to start the command, durably: a machine that lost its power must not start it again.
fn claim(folder: &ProcessFolder) -> io::Result<()> {
    // The claim is only as durable as the names that lead to it: the folders of the attempt, the stage, the results and
    // the run.
    for above in folder.path.ancestors().skip(1).take(FOLDERS_ABOVE) {
        sync_folder(above).map_err(io::Error::other)?;
    }
    fault::act(Point::LauncherClaim, || File::create_new(folder.launching())?.sync_all())?;
    sync_folder(&folder.path).map_err(io::Error::other)
}

/// Returns only why not.
fn become_command(recorded: &Recorded) -> io::Error {
    let mut command = Command::new(&recorded.program);
    command.args(&recorded.arguments);
    fault::conceal(&mut command);
    match fault::before(Point::AgentSpawn) {
        Ok(()) => command.exec(),
        Err(cause) => cause,
    }
}
