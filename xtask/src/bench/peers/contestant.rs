//! A peer in its project: one process per run, checked like docket's. Must not know how its environment was made.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::engine::{ENVIRONMENT, Peer, SCRIPTS};
use super::environment::Environment;
use super::task::{self, ANSWER, DOCUMENT};
use crate::bench::measure::{self, Sample};
use crate::failure::{Failure, code_of};
use crate::scratch;

/// A peer that can be run.
pub(super) struct Contestant {
    pub(super) peer: Peer,
    pub(super) environment: Environment,
    folder: PathBuf,
}

/// A run of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The process as a whole.
    pub(super) sample: Sample,
    /// The workflow alone, without imports and start-up, by the process's own clock.
    pub(super) inside: Duration,
}

impl Contestant {
    /// Sets it up in `folder`, which is its own: scripts, a project, and a home folder with its database.
    pub(super) fn prepare(peer: Peer, environment: Environment, folder: PathBuf) -> Result<Self, Failure> {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|cause| Failure::file("remove", &folder, &cause))?;
        }
        let contestant = Self { peer, environment, folder };
        for (name, text) in SCRIPTS {
            scratch::write(&contestant.folder.join("scripts").join(name), text.as_bytes())?;
        }
        scratch::create(&contestant.home())?;
        task::reset(&contestant.project())?;
        Ok(contestant)
    }

    /// Runs the four steps in a process, and checks them.
    pub(super) fn run(&self) -> Result<Run, Failure> {
        task::reset(&self.project())?;
        let mut command = self.command()?;
        let (sample, status) = measure::sample(&mut command)?;
        if !status.success() {
            return Err(self.failed(code_of(status)));
        }
        let report = self.report()?;
        let documents = report["documents"].as_array().into_iter().flatten();
        task::check(&self.project(), self.peer.name, &task::listing(documents))?;
        let inside = report["seconds"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let name = self.peer.name;
        let inside =
            inside.ok_or_else(|| Failure::new(format!("{name} does not say how long it took: {report}")))?;
        Ok(Run { sample, inside })
    }

    /// How many calls of a run, its own processes included, wait for the disk.
    pub(super) fn synced_writes(&self) -> Result<Option<u32>, Failure> {
        task::reset(&self.project())?;
        let counted = measure::count_synced_writes(&self.command()?, &self.folder)?;
        match counted {
            Some((_, status)) if !status.success() => Err(self.failed(code_of(status))),
            counted => Ok(counted.map(|(count, _)| count)),
        }
    }

    /// The script, in an environment that has nothing of the user's but what programs need to run.
    fn command(&self) -> Result<Command, Failure> {
        let mut command = Command::new(&self.environment.python);
        command.arg(self.folder.join("scripts").join(self.peer.script));
        command.args([DOCUMENT, ANSWER]).args(self.peer.arguments);
        command.current_dir(self.project()).env_clear();
        for variable in ["PATH", "LANG", "LC_ALL", "TZ"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command.env("HOME", self.home()).envs(ENVIRONMENT).stdin(Stdio::null());
        let file = |name: &str| {
            let path = self.folder.join(name);
            File::create(&path).map_err(|cause| Failure::file("create", &path, &cause))
        };
        command.stdout(file("stdout.txt")?).stderr(file("stderr.txt")?);
        Ok(command)
    }

    /// The last line that the script printed.
    fn report(&self) -> Result<Value, Failure> {
        let path = self.folder.join("stdout.txt");
        let text = fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
        let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        serde_json::from_str(last).map_err(|cause| Failure::file("understand", &path, &cause))
    }

    fn failed(&self, code: u8) -> Failure {
        let talk = fs::read_to_string(self.folder.join("stderr.txt")).unwrap_or_default();
        let last: Vec<&str> = talk.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        let (script, folder) = (self.peer.script, self.folder.display());
        Failure::new(format!("{script} in {folder} exited with {code}:\n{}", last.join("\n")))
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }
}
