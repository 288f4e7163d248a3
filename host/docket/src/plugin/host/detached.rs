//! Going on in the background: docket started by itself, in a session of its own, so that neither Ctrl-C nor a closed
//! terminal ends it. Knows nothing of runs; what the process is to do stands in its arguments.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The hidden word before the arguments of a docket in the background.
pub const ARGUMENT: &str = "__detached";

/// A docket in the background.
#[derive(Debug)]
pub struct Detached(Child);

impl Detached {
    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }
}

/// Starts docket with these arguments in the background; what it says to people goes to the end of `log`.
///
/// # Errors
/// When the program can't be started or the log can't be written.
pub fn start(
    arguments: &[&str],
    folder: &Path,
    environment: &BTreeMap<String, String>,
    log: &Path,
) -> io::Result<Detached> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let docket = super::supervisor::own_program()?;
    Command::new(docket)
        .arg(ARGUMENT)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map(Detached)
}

/// Leaves the terminal that docket was started from.
pub fn leave_terminal() {
    // Refused only to a process that leads its group, which one that was started by `start` does not.
    let _ = rustix::process::setsid();
}
