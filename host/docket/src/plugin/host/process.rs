//! The ability `process`: running a command that the user granted: the one that their launcher profile names, or one that
//! a plugin asks for by name. There is no shell, the environment is what was granted with it, and the process belongs to a supervisor (see [`super::supervisor`]), so
//! that a plugin that is run again after a crash gets the same process back instead of a second one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::run::Usage;
use docket_core::secret::Secrets;
use wasmtime::component::Resource;

use super::child::Child;
use super::contract::docket::stage::process::{Command, Event, Host, HostChild, ProcessError};
use super::process_folder::{self, ProcessFolder, Started};
use super::records::process_folders;
use super::supervisor::Supervision;
use super::{Cancel, Launches, StageContext, prepare};
use crate::plugin::limits::LimitHit;

/// How often a process's files are looked at: soon at first, so that a quick command is not waited for.
const FIRST_POLL: Duration = Duration::from_micros(500);
/// The same once it has shown that it takes its time.
const POLL: Duration = Duration::from_millis(10);
/// How long an agent may take to end by itself when its run is cancelled.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// Longest time that a plugin can have a process given to end by itself.
const MAX_GRACE: Duration = Duration::from_secs(60);

/// A command a stage may run.
#[derive(Debug, Clone)]
pub struct GrantedCommand {
    /// The name the plugin gives.
    pub name: String,
    /// Whether it is an agent: starting it is a launch, which budgets count.
    pub is_agent: bool,
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
    launches: Launches,
}

impl Processes {
    /// The processes of a stage that was granted these commands, at most so many, and none that `launches` refuses.
    pub fn new(granted: Vec<GrantedCommand>, cancel: Cancel, most: usize, launches: Launches) -> Self {
        Self { granted, cancel, count: 0, most, launches }
    }

    /// Starts the command, or takes up the one that was started for this stage before. With `is_dialogue` its standard
    /// input stays open.
    fn start(
        &mut self,
        command: &Command,
        is_dialogue: bool,
    ) -> Result<(Child, ProcessFolder), ProcessError> {
        let Some(granted) = self.granted.iter().find(|granted| granted.name == command.program) else {
            let names: Vec<String> =
                self.granted.iter().map(|granted| format!("'{}'", granted.name)).collect();
            return Err(ProcessError::NotGranted(format!(
                "'{}' was not granted; what was granted is {}",
                command.program.escape_debug(),
                names.join(", ")
            )));
        };
        if let Err(cause) = &granted.path {
            return Err(ProcessError::NotFound(cause.clone()));
        }
        self.count += 1;
        let folder = ProcessFolder { path: granted.records.join(format!("process-{}", self.count)) };
        let failed = |cause: std::io::Error| ProcessError::Failed(cause.to_string());
        let recorded = prepare::recorded(granted, command, &folder, is_dialogue)?;
        prepare::refuse_other_command(&folder, &recorded)?;
        if folder.was_launched() {
            return Ok((prepare::take_up(folder.clone(), &granted.secrets)?, folder));
        }
        // One that was started before was counted then.
        if granted.is_agent && !(self.launches)() {
            return Err(ProcessError::Failed("the run's budget has no launch left".to_owned()));
        }
        prepare::prepare(&folder, command, &recorded).map_err(failed)?;
        let supervision = Supervision::start(&folder, granted.environment.clone()).map_err(failed)?;
        Ok((Child::new(folder.clone(), Some(supervision), &granted.secrets), folder))
    }

    /// The values that nobody else may see: those of the first command. A profile's comes first, and hides what the
    /// others hide, too.
    pub(super) fn secrets(&self) -> Option<&Secrets> {
        self.granted.first().map(|granted| &granted.secrets)
    }
}

/// A process whose events a plugin waits for.
pub(super) trait Followed: Send + 'static {
    /// The next event, if there is one now.
    fn poll(&mut self) -> Option<Event>;
    /// Which process it is, once it is one.
    fn started(&self) -> Option<Started>;
}

impl Followed for Child {
    fn poll(&mut self) -> Option<Event> {
        Child::poll(self, None)
    }

    fn started(&self) -> Option<Started> {
        Child::started(self)
    }
}

impl StageContext {
    /// Starts a command, or takes up the one of an earlier attempt, as one of the processes that a stage may have.
    pub(super) fn start_process(
        &mut self,
        command: &Command,
        is_dialogue: bool,
    ) -> wasmtime::Result<Result<(Child, ProcessFolder), ProcessError>> {
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
        let is_agent =
            processes.granted.iter().any(|granted| granted.is_agent && granted.name == command.program);
        let started = processes.start(command, is_dialogue);
        if started.is_ok() && is_agent {
            self.use_up(Usage { launches: Some(1), ..Usage::default() });
        }
        Ok(started)
    }

    /// Waits for the next event of a process.
    pub(super) async fn next_event<T: Followed>(
        &mut self,
        process: &Resource<T>,
        timeout_milliseconds: u64,
    ) -> wasmtime::Result<Event> {
        // Far enough for every agent, and no overflow of the clock.
        let patience = Duration::from_millis(timeout_milliseconds.min(24 * 3600 * 1000));
        let start = Instant::now();
        let mut pause = FIRST_POLL;
        loop {
            let cancelled = self.processes.as_ref().is_some_and(|processes| processes.cancel.is_cancelled());
            let process = self.table.get_mut(process)?;
            if cancelled && let Some(started) = process.started() {
                process_folder::stop(&started, CANCEL_GRACE);
            }
            if let Some(event) = process.poll() {
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

    /// Has a process and its group end, and ends it when it does not within the grace time.
    pub(super) async fn stop_process<T: Followed>(
        &mut self,
        process: &Resource<T>,
        grace_milliseconds: u64,
    ) -> wasmtime::Result<()> {
        let Some(started) = self.table.get(process)?.started() else { return Ok(()) };
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
}

impl Host for StageContext {
    async fn spawn(&mut self, command: Command) -> wasmtime::Result<Result<Resource<Child>, ProcessError>> {
        match self.start_process(&command, false)? {
            Ok((child, _)) => Ok(Ok(self.table.push(child)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl HostChild for StageContext {
    async fn next(&mut self, child: Resource<Child>, timeout_milliseconds: u64) -> wasmtime::Result<Event> {
        self.next_event(&child, timeout_milliseconds).await
    }

    async fn stop(&mut self, child: Resource<Child>, grace_milliseconds: u64) -> wasmtime::Result<()> {
        self.stop_process(&child, grace_milliseconds).await
    }

    async fn drop(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        self.table.delete(child)?;
        Ok(())
    }
}

/// Ends every process that a stage left running: its run was cancelled, it hit a limit, or it failed. One that was not
/// started yet is kept from ever starting.
pub fn stop_all(records: &Path) {
    for path in process_folders(records) {
        let folder = ProcessFolder { path };
        if folder.exited().is_some() || File::create_new(folder.launching()).is_ok() {
            continue;
        }
        if let (Some(started), None) = (folder.started(), folder.exited()) {
            process_folder::stop(&started, CANCEL_GRACE);
        }
    }
}
