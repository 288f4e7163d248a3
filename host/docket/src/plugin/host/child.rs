//! A process as a plugin sees it: what it printed, and how it ended, out of its folder. Reads only; starting it is
//! `process`, stopping it `process_folder`.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use docket_core::secret::Secrets;

use super::contract::docket::stage::process::{Event, ExitStatus};
use super::lines::Lines;
use super::process_folder::{ProcessFolder, Started};
use super::supervisor::Supervision;

/// Largest answer file that is read.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// How much of what a process printed was read, in lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Of standard output.
    pub(super) stdout: u64,
    /// Of standard error.
    pub(super) stderr: u64,
}

/// A process as a plugin sees it.
pub struct Child {
    folder: ProcessFolder,
    /// The supervisor that this docket started, if it did.
    supervision: Option<Supervision>,
    secrets: Secrets,
    stdout: Lines,
    stderr: Lines,
    over: bool,
}

impl Child {
    /// The process of a folder, and its supervisor if this docket started one.
    pub(super) fn new(folder: ProcessFolder, supervision: Option<Supervision>, secrets: &Secrets) -> Self {
        let lines = |path: PathBuf| Lines::new(path, secrets.stream());
        let (stdout, stderr) = (lines(folder.stdout()), lines(folder.stderr()));
        Self { folder, supervision, secrets: secrets.clone(), stdout, stderr, over: false }
    }

    /// The next event, if there is one now. With `most`, no line beyond that is given, and the end only when there is
    /// nothing left to get there with.
    pub(super) fn poll(&mut self, most: Option<Read>) -> Option<Event> {
        // Asked before the output is read: what was printed before the end is then read before the end is told.
        let end = self.end();
        let last = end.is_some();
        let read = self.read();
        let is_allowed = |given: u64, most: Option<u64>| most.is_none_or(|most| given < most);
        let is_stdout_allowed = is_allowed(read.stdout, most.map(|most| most.stdout));
        let is_stderr_allowed = is_allowed(read.stderr, most.map(|most| most.stderr));
        if is_stdout_allowed && let Some(line) = self.stdout.next(last) {
            return Some(Event::Stdout(line));
        }
        if is_stderr_allowed && let Some(line) = self.stderr.next(last) {
            return Some(Event::Stderr(line));
        }
        if !is_stdout_allowed && !is_stderr_allowed {
            return None;
        }
        let status = end?;
        self.over = true;
        Some(status)
    }

    /// How much was read.
    pub(super) fn read(&self) -> Read {
        Read { stdout: self.stdout.given(), stderr: self.stderr.given() }
    }

    /// Whether nothing that is sent can reach it any more: it is gone, or its supervisor, which hands it on.
    pub(super) fn hears_nothing(&mut self) -> bool {
        self.end().is_some() || (self.folder.was_launched() && !self.folder.is_supervised())
    }

    fn end(&mut self) -> Option<Event> {
        let answers = |child: &Self| child.folder.exited().map_or((None, None), |end| (end.code, end.signal));
        let is_over = self.over
            || self.folder.exited().is_some()
            || !self.folder.is_supervised()
                && if self.folder.was_launched() {
                    // The supervisor was killed. The process may live on; how it ends can't be known, but that it ends
                    // can.
                    !self.folder.is_alive()
                } else {
                    let folder = &self.folder;
                    !self.supervision.as_mut().is_some_and(|supervision| supervision.goes_on(folder))
                };
        if !is_over {
            return None;
        }
        // Looked at last: the end may have been recorded between the looks.
        let (code, signal) = answers(self);
        Some(Event::Exited(ExitStatus { code, signal, answers: self.answers() }))
    }

    fn answers(&self) -> Vec<(String, String)> {
        let Ok(entries) = std::fs::read_dir(self.folder.answers()) else { return Vec::new() };
        let read = |entry: std::fs::DirEntry| {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let mut bytes = Vec::new();
            let file = is_file.then(|| File::open(entry.path()).ok()).flatten()?;
            file.take(MAX_ANSWER).read_to_end(&mut bytes).ok()?;
            Some((entry.file_name().into_string().ok()?, self.secrets.mask(&String::from_utf8_lossy(&bytes))))
        };
        let mut answers: Vec<(String, String)> = entries.flatten().filter_map(read).collect();
        answers.sort();
        answers
    }

    /// Which process it is, once it is one.
    pub(super) fn started(&self) -> Option<Started> {
        self.folder.started()
    }
}
