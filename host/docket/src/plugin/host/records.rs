//! Looking over the process folders that a run keeps: is what they say consistent, and is it what was started? Reads
//! only; starting and following processes is `process` and `supervisor`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use docket_core::run::sha256;
use serde::de::DeserializeOwned;

use super::process_folder::{Exited, ProcessFolder, Recorded, Started};

/// A process folder that was found below a run's results.
#[derive(Debug)]
pub struct Found {
    /// The folder.
    pub path: PathBuf,
    /// The name of its stage's folder.
    pub stage: String,
    /// The attempt it belongs to; 0 when its name does not say.
    pub attempt: u32,
}

/// What the processes of a run should be like.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The programs that the profile in the journal stands for: the one it names, else those its agent may be called.
    pub programs: &'a [String],
    /// The working folder: the project.
    pub folder: &'a Path,
    /// Whether the run is over, so that nothing of it should run any more.
    pub is_over: bool,
}

/// Something that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether something is broken or was changed.
    pub is_fault: bool,
    /// What is there.
    pub found: String,
    /// What that means.
    pub meaning: &'static str,
}

/// Every process folder of a run: `results/<stage>/attempt-<n>/process-<m>`.
pub fn find(run: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    for (stage, folder) in folders(&run.join("results"), "") {
        for (attempt, folder) in folders(&folder, "attempt-") {
            for (_, path) in folders(&folder, "process-") {
                let attempt = attempt.parse().unwrap_or(0);
                found.push(Found { path, stage: stage.clone(), attempt });
            }
        }
    }
    found
}

/// The process folders of one attempt at a stage.
pub(super) fn process_folders(attempt: &Path) -> impl Iterator<Item = PathBuf> {
    folders(attempt, "process-").into_iter().map(|(_, path)| path)
}

/// How many processes were started for an attempt at a stage.
pub fn launches(attempt: &Path) -> u64 {
    let folders = process_folders(attempt).map(|path| ProcessFolder { path });
    // A claim alone also keeps a command from ever starting.
    folders.filter(|folder| folder.was_launched() && folder.started().is_some()).count() as u64
}

/// The text of a file of a process folder, bytes that are not UTF-8 replaced, up to so many bytes; and whether there is
/// more of it.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path, most: u64) -> std::io::Result<(String, bool)> {
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), length > most))
}

/// Whether a process of the run, or its supervisor, lives.
pub fn any_alive(run: &Path) -> bool {
    find(run).into_iter().any(|found| {
        let folder = ProcessFolder { path: found.path };
        folder.is_supervised() || folder.is_alive()
    })
}

/// Folders in a folder whose names begin like this, with the rest of their names, in order.
fn folders(folder: &Path, prefix: &str) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name.strip_prefix(prefix)?.to_owned(), entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// What is wrong with, or worth knowing about, a process folder.
pub fn look_over(found: &Found, expected: &Expected<'_>) -> Vec<Told> {
    let folder = ProcessFolder { path: found.path.clone() };
    let mut told = Vec::new();
    command(&folder, expected, &mut told);
    let started = read_whole::<Started>(&folder.path.join("started.json"), &mut told);
    let exited = read_whole::<Exited>(&folder.path.join("exited.json"), &mut told);
    // A launcher says which process it is before it claims the permission to become the command; one that died in
    // between, or could not claim it, started nothing.
    let ended_by_itself = exited.as_ref().is_some_and(|exited| exited.error.is_none());
    if started.is_some() && ended_by_itself && !folder.was_launched() {
        told.push(fault("it was started without having been launched", "files of its folder were removed"));
    }
    if ended_by_itself && started.is_none() {
        told.push(fault("it ended without having been started", "files of its folder were removed"));
    }
    let lives = folder.is_supervised() || folder.is_alive();
    if folder.was_launched() && started.is_none() && exited.is_none() && !lives {
        told.push(note(
            "docket died while it started the command",
            "whether the command ran can't be known; it is not started again by itself",
        ));
    }
    if expected.is_over && lives {
        told.push(note("it still runs", "the run is over; the process ends by itself or is yours to end"));
    }
    told
}

/// What was to be run: `command.json`, and what the command reads.
fn command(folder: &ProcessFolder, expected: &Expected<'_>, told: &mut Vec<Told>) {
    let Some(recorded) = read_whole::<Recorded>(&folder.command(), told) else {
        // A claim alone also keeps a command from ever starting: that of a run cancelled before it was prepared.
        let has_run = folder.started().is_some() || folder.exited().is_some();
        if has_run && !folder.command().exists() {
            told.push(fault("command.json is missing", "what was run can't be known any more"));
        }
        return;
    };
    match std::fs::read(folder.stdin()) {
        Ok(bytes) if sha256(&bytes) == recorded.stdin_sha256 => {}
        Ok(_) => told.push(fault(
            "what the command read (stdin) does not fit the hash in command.json",
            "one of them was changed after the command was started",
        )),
        Err(cause) => told.push(fault(
            format!("what the command read (stdin) can't be read: {cause}"),
            "what the command was given can't be known any more",
        )),
    }
    if recorded.dialogue
        && let Err(what) = super::said::look_over(&folder.said())
    {
        told.push(fault(
            format!("what was said to the command (said.jsonl) {what}"),
            "it was changed after it was said",
        ));
    }
    let is_it = |program: &String| {
        if Path::new(program).is_absolute() {
            recorded.program == Path::new(program)
        } else {
            recorded.program.file_name() == Path::new(program).file_name()
        }
    };
    if !expected.programs.is_empty() {
        if !expected.programs.iter().any(is_it) {
            let programs = expected.programs.join(" or ");
            told.push(fault(
                format!("command.json says {}, the journal {programs}", recorded.program.display()),
                "command.json was changed after the command was started",
            ));
        }
    } else {
        told.push(fault(
            "the journal names no command that a stage could have started",
            "it was not started by this run",
        ));
    }
    if recorded.folder != expected.folder {
        told.push(note(
            format!("it ran in {}", recorded.folder.display()),
            "the project was moved or copied since",
        ));
    }
}

/// Reads a file that is written whole or not at all.
fn read_whole<T: DeserializeOwned>(path: &Path, told: &mut Vec<Told>) -> Option<T> {
    let bytes = std::fs::read(path).ok()?;
    let parsed = serde_json::from_slice(&bytes);
    parsed
        .map_err(|cause| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            told.push(fault(format!("{name} is not what docket writes: {cause}"), "it was changed"));
        })
        .ok()
}

fn fault(found: impl Into<String>, meaning: &'static str) -> Told {
    Told { is_fault: true, found: found.into(), meaning }
}

fn note(found: impl Into<String>, meaning: &'static str) -> Told {
    Told { is_fault: false, found: found.into(), meaning }
}
