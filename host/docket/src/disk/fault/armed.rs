//! Fault points of a debug build: armed once per process with a specification, counted, noted in a log, and brought
//! about. A process that was not armed passes every point at the cost of one look.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Point;
use super::specification::{Fault, Item, Specification};

/// This module must never get into a release build.
const _: () = assert!(cfg!(debug_assertions));

/// The environment variable that arms fault points.
pub const VARIABLE: &str = "DOCKET_FAULTS";

/// Which of docket's processes this is, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One that a user started.
    Docket,
    /// The supervisor of an agent's process.
    Supervisor,
    /// What turns into the agent.
    Launcher,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Docket => "docket",
            Self::Supervisor => "supervisor",
            Self::Launcher => "launcher",
        }
    }
}

struct Armed {
    text: String,
    items: Vec<Item>,
    log: Option<File>,
    log_path: Option<PathBuf>,
    role: Role,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    before: Reached,
    after: Reached,
    /// Writes that a lying disk has acknowledged and not done.
    late: Vec<(File, Vec<u8>)>,
}

/// How often points were reached, and all of them together.
#[derive(Default)]
struct Reached {
    points: BTreeMap<Point, u32>,
    all: u32,
}

/// The how many-th time it is that a point is reached, and that any is.
#[derive(Clone, Copy)]
struct Times {
    point: u32,
    all: u32,
}

/// The one thing here that lives as long as the process: faults are armed from outside it.
static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms this process's fault points; once, before anything is done.
///
/// # Errors
/// What is wrong with the specification, or that its log can't be written.
pub fn arm(text: &str, role: Role) -> Result<(), String> {
    let Specification { items, log: log_path } = Specification::parse(text)?;
    let open = |path| OpenOptions::new().create(true).append(true).open(path);
    let log = log_path
        .as_ref()
        .map(open)
        .transpose()
        .map_err(|cause| format!("its log can't be written: {cause}"))?;
    // Armed before: whoever comes second changes nothing.
    let _ = ARMED.set(Armed { text: text.to_owned(), items, log, log_path, role, counts: Mutex::default() });
    Ok(())
}

/// Comes before an operation: kills the process or fails if that was asked for.
///
/// # Errors
/// The fault's.
pub fn before(point: Point) -> io::Result<()> {
    let Some((armed, fault)) = reach(point) else { return Ok(()) };
    match fault {
        Fault::KillBefore | Fault::Torn => armed.die(point, fault),
        Fault::Fails(number) => {
            armed.note(point, fault.name());
            Err(io::Error::from_raw_os_error(number))
        }
        Fault::KillAfter | Fault::Skip | Fault::Late => Ok(()),
    }
}

/// Comes after an operation: kills the process if that was asked for.
pub fn after(point: Point) {
    let Some(armed) = ARMED.get() else { return };
    let times = armed.counts().after.count(point);
    if let Some(fault) = armed.find(point, times, |fault| fault == Fault::KillAfter) {
        armed.die(point, fault);
    }
}

/// Writes all bytes at a fault point.
///
/// # Errors
/// The file's own, or the fault's.
pub fn write(point: Point, mut file: &File, bytes: &[u8]) -> io::Result<()> {
    match reach(point) {
        None => file.write_all(bytes)?,
        Some((armed, fault @ Fault::KillBefore)) => armed.die(point, fault),
        Some((armed, fault @ Fault::Torn)) => {
            file.write_all(&bytes[..bytes.len() / 2])?;
            armed.die(point, fault);
        }
        Some((armed, fault @ Fault::Fails(number))) => {
            armed.note(point, fault.name());
            let error = io::Error::from_raw_os_error(number);
            if error.kind() == io::ErrorKind::StorageFull {
                file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        Some((_, Fault::Skip | Fault::KillAfter)) => {}
        Some((armed, Fault::Late)) => armed.write_late(file, bytes)?,
    }
    after(point);
    Ok(())
}

/// Whether the operation at hand is to be said to have been done, and not to be done.
pub(super) fn is_skipped(point: Point) -> bool {
    let Some(armed) = ARMED.get() else { return false };
    let times = armed.counts().before.times(point);
    armed.find(point, times, |fault| fault == Fault::Skip).is_some()
}

/// Does what a lying disk still owes: the process ends in good order.
pub fn settle() {
    let Some(armed) = ARMED.get() else { return };
    for (mut file, bytes) in std::mem::take(&mut armed.counts().late) {
        // A disk that lies does not say when it fails either.
        let _ = file.write_all(&bytes);
    }
}

/// Hands what this process was armed with on to one of docket's own that it starts.
pub fn hand_on(command: &mut Command) {
    if let Some(armed) = ARMED.get() {
        command.env(VARIABLE, &armed.text);
    }
}

/// Keeps the variable from a process that is none of docket's own.
pub fn conceal(command: &mut Command) {
    command.env_remove(VARIABLE);
}

/// Notes that a point is reached, and finds what is to go wrong there.
fn reach(point: Point) -> Option<(&'static Armed, Fault)> {
    let armed = ARMED.get()?;
    armed.note(point, "reached");
    let times = armed.counts().before.count(point);
    armed.find(point, times, |fault| fault != Fault::KillAfter).map(|fault| (armed, fault))
}

impl Reached {
    fn count(&mut self, point: Point) -> Times {
        *self.points.entry(point).or_default() += 1;
        self.all += 1;
        self.times(point)
    }

    fn times(&self, point: Point) -> Times {
        Times { point: self.points.get(&point).copied().unwrap_or(0), all: self.all }
    }
}

impl Armed {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, point: Point, times: Times, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let fits = |item: &&Item| {
            let time = if item.point.is_some() { times.point } else { times.all };
            item.point.is_none_or(|place| place == point)
                && item.time.is_none_or(|wanted| wanted == time && !self.was_brought_about(point, item.fault))
                && wanted(item.fault)
        };
        self.items.iter().find(fits).map(|item| item.fault)
    }

    /// Whether another process of this role had this fault already: what replaces one that died is to live.
    fn was_brought_about(&self, point: Point, fault: Fault) -> bool {
        let Some(path) = &self.log_path else { return false };
        let end = format!(" {} {} {}", self.role.name(), point.name(), fault.name());
        std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.ends_with(&end)))
    }

    /// One line `<process> <role> <point> <what>`, in one write: several processes share a log.
    fn note(&self, point: Point, what: &str) {
        if let Some(mut log) = self.log.as_ref() {
            let line = format!("{} {} {} {what}\n", std::process::id(), self.role.name(), point.name());
            // Who reads the log misses the line; docket does not depend on it.
            let _ = log.write_all(line.as_bytes());
        }
    }

    /// Ends this process as `kill -9` does.
    fn die(&self, point: Point, fault: Fault) -> ! {
        self.note(point, fault.name());
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }

    fn write_late(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |file: &File| file.metadata().map(|found| (found.dev(), found.ino()));
        let this = identity(file)?;
        let mut counts = self.counts();
        match counts.late.iter_mut().find(|(other, _)| identity(other).is_ok_and(|other| other == this)) {
            Some((_, owed)) => {
                let mut file = file;
                file.write_all(&std::mem::replace(owed, bytes.to_vec()))
            }
            None => {
                counts.late.push((file.try_clone()?, bytes.to_vec()));
                Ok(())
            }
        }
    }
}
