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
pub struct Detached(Option<Child>);

impl Detached {
    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }
}

/// A process that lives on must not leave one that ended behind as a zombie; whether it is waited for changes nothing
/// for the docket in the background.
impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            std::thread::spawn(move || child.wait());
        }
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
        .map(|child| Detached(Some(child)))
}

/// Leaves the terminal that docket was started from.
pub fn leave_terminal() {
    // Refused only to a process that leads its group, which one that was started by `start` does not.
    let _ = rustix::process::setsid();
}
