//! The ability `process`: running a command that the user granted: the one that their launcher profile names, or one that
//! a plugin asks for by name. There is no shell, the environment is what was granted with it, and the process belongs to a supervisor (see [`super::supervisor`]), so
//! that a plugin that is run again after a crash gets the same process back instead of a second one.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::run::sha256;
use docket_core::secret::{SecretStream, Secrets};
use wasmtime::component::Resource;

use super::contract::docket::stage::process::{
    Argument, Command, Event, ExitStatus, Host, HostChild, ProcessError,
};
use super::process_folder::{self, ProcessFolder, Recorded, Started};
use super::supervisor::Supervision;
use super::{Cancel, StageContext};
use crate::disk::fault::Point;
use crate::disk::{Durability, replace, replace_at};
use crate::plugin::limits::LimitHit;

/// How often a process's files are looked at: soon at first, so that a quick command is not waited for.
const FIRST_POLL: Duration = Duration::from_micros(500);
/// The same once it has shown that it takes its time.
const POLL: Duration = Duration::from_millis(10);
/// Longest line that is given to a plugin; longer ones come in pieces.
const MAX_LINE: usize = 1024 * 1024;
/// Largest answer file that is read.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;
/// How long an agent may take to end by itself when its run is cancelled.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// Longest time that a plugin can have a process given to end by itself.
const MAX_GRACE: Duration = Duration::from_secs(60);

/// A command a stage may run.
#[derive(Debug, Clone)]
pub struct GrantedCommand {
    /// The name the plugin gives.
    pub name: String,
    /// Its absolute path, outside the project; or why there is none.
    pub path: Result<PathBuf, String>,
    /// Its working folder: the project.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The values in it that nobody else may see: masked in what the command prints before anything reads it.
    pub secrets: Secrets,
    /// Where its files are kept.
    pub records: PathBuf,
}

/// The processes of one stage.
pub struct Processes {
    granted: Vec<GrantedCommand>,
    cancel: Cancel,
    count: usize,
    most: usize,
}

impl Processes {
    /// The processes of a stage that was granted these commands, at most so many.
    pub fn new(granted: Vec<GrantedCommand>, cancel: Cancel, most: usize) -> Self {
        Self { granted, cancel, count: 0, most }
    }

    /// Starts the command, or takes up the one that was started for this stage before.
    fn spawn(&mut self, command: &Command) -> Result<Child, ProcessError> {
        let Some(granted) = self.granted.iter().find(|granted| granted.name == command.program) else {
            let names: Vec<String> =
                self.granted.iter().map(|granted| format!("'{}'", granted.name)).collect();
            return Err(ProcessError::NotGranted(format!(
                "'{}' was not granted; what was granted is {}",
                command.program.escape_debug(),
                names.join(", ")
            )));
        };
        let program = granted.path.clone().map_err(ProcessError::NotFound)?;
        self.count += 1;
        let folder = ProcessFolder { path: granted.records.join(format!("process-{}", self.count)) };
        let failed = |cause: std::io::Error| ProcessError::Failed(cause.to_string());
        let recorded = Recorded {
            program,
            arguments: arguments(command, &folder)?,
            folder: granted.folder.clone(),
            stdin_sha256: sha256(command.stdin.as_deref().unwrap_or_default().as_bytes()),
        };
        refuse_other_command(&folder, &recorded)?;
        if folder.was_launched() {
            return take_up(folder, &granted.secrets);
        }
        prepare(&folder, command, &recorded).map_err(failed)?;
        let supervision = Supervision::start(&folder, granted.environment.clone()).map_err(failed)?;
        Ok(Child::new(folder, Some(supervision), &granted.secrets))
    }
}

/// Another command than the recorded one is refused: the plugin did not do the same for the same request.
fn refuse_other_command(folder: &ProcessFolder, recorded: &Recorded) -> Result<(), ProcessError> {
    let Ok(bytes) = std::fs::read(folder.command()) else { return Ok(()) };
    let before = serde_json::from_slice::<Recorded>(&bytes);
    // A machine that lost its power may have kept the name and lost the text; then nothing was launched by it.
    let is_lost = before.is_err() && !folder.was_launched();
    if is_lost || before.is_ok_and(|before| before == *recorded) {
        return Ok(());
    }
    Err(ProcessError::Lost("an earlier attempt at this stage started a different command".to_owned()))
}

/// Takes up a process that was started before.
fn take_up(folder: ProcessFolder, secrets: &Secrets) -> Result<Child, ProcessError> {
    // docket's format before launchers: the claim came before it was known which process it would be.
    if folder.started().is_none() && folder.exited().is_none() && !folder.is_supervised() {
        return Err(ProcessError::Lost(
            "docket died while it started the command; whether it ran can't be known".to_owned(),
        ));
    }
    Ok(Child::new(folder, None, secrets))
}

/// Writes what the command needs; `command.json` comes last. What an earlier start wrote stays as it is when it is whole:
/// its supervisor may be about to begin, and whichever comes first runs the same command. A machine that lost its power
/// may have kept some of it only, so it is compared.
fn prepare(folder: &ProcessFolder, command: &Command, recorded: &Recorded) -> std::io::Result<()> {
    // What a command prints and answers is the user's own business, values of granted variables included.
    crate::disk::create_private(&folder.path).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(folder.attachments())?;
    std::fs::create_dir_all(folder.answers())?;
    for attachment in &command.attachments {
        write_once(&folder.attachments().join(&attachment.name), attachment.content.as_bytes())?;
    }
    write_once(&folder.stdin(), command.stdin.as_deref().unwrap_or_default().as_bytes())?;
    if read_json_file::<Recorded>(&folder.command()).is_some_and(|before| before == *recorded) {
        return Ok(());
    }
    replace_at(Point::CommandPrepare, &folder.command(), &serde_json::to_vec(recorded)?, Durability::Derived)
        .map_err(std::io::Error::other)
}

/// Writes a file that is not there, or not whole.
fn write_once(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    replace(path, bytes, Durability::Derived).map_err(std::io::Error::other)
}

fn read_json_file<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The arguments with attachments and answer files replaced by paths.
fn arguments(command: &Command, folder: &ProcessFolder) -> Result<Vec<String>, ProcessError> {
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
    };
    let refused =
        |name: &str| ProcessError::Failed(format!("'{}' is no plain file name", name.escape_debug()));
    if let Some(bad) = command.attachments.iter().find(|attachment| !plain(&attachment.name)) {
        return Err(refused(&bad.name));
    }
    command
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Text(text) if text.contains('\0') => {
                Err(ProcessError::Failed("an argument contains a NUL character".to_owned()))
            }
            Argument::Text(text) => Ok(text.clone()),
            Argument::Attachment(name) if command.attachments.iter().any(|known| known.name == *name) => {
                Ok(folder.attachments().join(name).display().to_string())
            }
            Argument::Attachment(name) => {
                Err(ProcessError::Failed(format!("there is no attachment '{}'", name.escape_debug())))
            }
            Argument::AnswerFile(name) if plain(name) => {
                Ok(folder.answers().join(name).display().to_string())
            }
            Argument::AnswerFile(name) => Err(refused(name)),
        })
        .collect()
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
    fn new(folder: ProcessFolder, supervision: Option<Supervision>, secrets: &Secrets) -> Self {
        let lines = |path: PathBuf| Lines::new(path, secrets.stream());
        let (stdout, stderr) = (lines(folder.stdout()), lines(folder.stderr()));
        Self { folder, supervision, secrets: secrets.clone(), stdout, stderr, over: false }
    }

    /// The next event, if there is one now.
    fn poll(&mut self) -> Option<Event> {
        // Asked before the output is read: what was printed before the end is then read before the end is told.
        let end = self.end();
        let last = end.is_some();
        if let Some(line) = self.stdout.next(last) {
            return Some(Event::Stdout(line));
        }
        if let Some(line) = self.stderr.next(last) {
            return Some(Event::Stderr(line));
        }
        let status = end?;
        self.over = true;
        Some(status)
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

    fn started(&self) -> Option<Started> {
        self.folder.started()
    }
}

/// The lines of a file that grows, without what nobody may see.
struct Lines {
    path: PathBuf,
    position: u64,
    pending: Vec<u8>,
    secrets: SecretStream,
}

impl Lines {
    fn new(path: PathBuf, secrets: SecretStream) -> Self {
        Self { path, position: 0, pending: Vec::new(), secrets }
    }

    /// The next whole line; at the end of the process, the last one even without a line end.
    fn next(&mut self, last: bool) -> Option<String> {
        if !self.pending.contains(&b'\n') && self.pending.len() < MAX_LINE {
            // What can't be read now is read the next time.
            let _ = self.read_more();
        }
        let end = self.pending.iter().take(MAX_LINE).position(|byte| *byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                line
            }
            None if self.pending.len() >= MAX_LINE => self.pending.drain(..MAX_LINE).collect(),
            None if last && !self.pending.is_empty() => std::mem::take(&mut self.pending),
            None => return None,
        };
        let text = String::from_utf8_lossy(&line);
        Some(self.secrets.line(text.strip_suffix('\r').unwrap_or(&text)))
    }

    fn read_more(&mut self) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let read = file.take(MAX_LINE as u64).read_to_end(&mut self.pending)?;
        self.position += read as u64;
        Ok(())
    }
}

impl Host for StageContext {
    async fn spawn(&mut self, command: Command) -> wasmtime::Result<Result<Resource<Child>, ProcessError>> {
        let Some(processes) = &mut self.processes else {
            return Ok(Err(ProcessError::NotGranted(format!(
                "'{}' was not granted; neither is a launcher profile with a command in use (`--profile`, or `profile:` in config.yml), nor was a command granted by its name (`docket plugin grant`)",
                command.program.escape_debug()
            ))));
        };
        if processes.count == processes.most {
            self.guard.hit = Some(LimitHit::Processes(processes.most));
            return Err(wasmtime::Error::msg("no more processes may be started"));
        }
        match processes.spawn(&command) {
            Ok(child) => Ok(Ok(self.table.push(child)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl HostChild for StageContext {
    async fn next(&mut self, child: Resource<Child>, timeout_milliseconds: u64) -> wasmtime::Result<Event> {
        // Far enough for every agent, and no overflow of the clock.
        let patience = Duration::from_millis(timeout_milliseconds.min(24 * 3600 * 1000));
        let start = Instant::now();
        let mut pause = FIRST_POLL;
        loop {
            let cancelled = self.processes.as_ref().is_some_and(|processes| processes.cancel.is_cancelled());
            let child = self.table.get_mut(&child)?;
            if cancelled && let Some(started) = child.started() {
                process_folder::stop(&started, CANCEL_GRACE);
            }
            if let Some(event) = child.poll() {
                return Ok(event);
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Event::Idle);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(POLL);
        }
    }

    async fn stop(&mut self, child: Resource<Child>, grace_milliseconds: u64) -> wasmtime::Result<()> {
        let Some(started) = self.table.get(&child)?.started() else { return Ok(()) };
        // Waited for without holding the stage's thread: its timeout, and a cancelled run, count meanwhile.
        let end = Instant::now() + Duration::from_millis(grace_milliseconds).min(MAX_GRACE);
        if !process_folder::ask_to_end(&started) {
            return Ok(());
        }
        while process_folder::is_alive(&started) && Instant::now() < end {
            tokio::time::sleep(POLL).await;
        }
        process_folder::end(&started);
        Ok(())
    }

    async fn drop(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        self.table.delete(child)?;
        Ok(())
    }
}

/// Ends every process that a stage left running: its run was cancelled, it hit a limit, or it failed. One that was not
/// started yet is kept from ever starting.
pub fn stop_all(records: &Path) {
    let Ok(entries) = std::fs::read_dir(records) else { return };
    for entry in entries.flatten() {
        let folder = ProcessFolder { path: entry.path() };
        if folder.exited().is_some() || File::create_new(folder.launching()).is_ok() {
            continue;
        }
        if let (Some(started), None) = (folder.started(), folder.exited()) {
            process_folder::stop(&started, CANCEL_GRACE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_the_last_one_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stdout");
        let mut lines = Lines::new(path.clone(), Secrets::default().stream());
        assert_eq!(lines.next(false), None);
        std::fs::write(&path, "one\r\ntw").expect("written");
        assert_eq!(lines.next(false).as_deref(), Some("one"));
        assert_eq!(lines.next(false), None);
        std::fs::write(&path, b"one\r\ntwo\n\xff\n\nend").expect("written");
        assert_eq!(lines.next(false).as_deref(), Some("two"));
        assert_eq!(lines.next(false).as_deref(), Some("\u{fffd}"));
        assert_eq!(lines.next(false).as_deref(), Some(""));
        assert_eq!(lines.next(false), None);
        assert_eq!(lines.next(true).as_deref(), Some("end"));
        assert_eq!(lines.next(true), None);
    }
}
