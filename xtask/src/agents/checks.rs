//! Each check: one agent, one profile, one run of rfc-review, and what must have come of it. The review that docket kept
//! must be the one that the model made of the very document; the usage recorded must be the model's; and nothing may have
//! gone anywhere else.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::dialect::{CACHED_TOKENS, Dialect, INPUT_TOKENS, OUTPUT_TOKENS};
use super::model::{KEY, MARK, Model, Schema, Script};
use super::packages::Packages;
use super::setup::{self, Setup};
use super::tripwire::Tripwire;
use crate::failure::Failure;
use crate::scratch::{Scratch, write};

/// The document that is reviewed.
const DOCUMENT: &str = "docs/rfcs/rfc-0001-human-approval-stages.md";
/// The client of `docket mcp`, written with the official SDK.
const CLIENT: &str = include_str!("client.mjs");
/// What docket says to an agent whose answer does not fit.
const MENDING: &str = "Your last answer can't be used";
/// docket's exit code for a run that waits.
const WAITING: i32 = 3;

/// What does the work of a check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Worker {
    /// An agent's program that docket starts.
    Agent(fn(&'static str, &Scratch, &str) -> Result<Setup, Failure>, &'static str),
    /// A client that takes the task from `docket mcp`.
    Client,
}

/// A check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    worker: Worker,
    /// The language in which the model must have been asked.
    dialect: Dialect,
    /// How the schema must have reached it.
    schema: Schema,
    script: Script,
}

const WHOLE: Script = Script { spoiled: 0 };

/// All checks.
pub(crate) const CHECKS: [Check; 8] = [
    Check {
        name: "codex by shell",
        worker: Worker::Agent(setup::codex, "launcher: shell, agent: codex"),
        dialect: Dialect::Responses,
        schema: Schema::Native,
        script: WHOLE,
    },
    Check {
        name: "codex by shell, mended",
        worker: Worker::Agent(setup::codex, "launcher: shell, agent: codex, repairs: 1"),
        dialect: Dialect::Responses,
        schema: Schema::Native,
        script: Script { spoiled: 1 },
    },
    Check {
        name: "codex by acp",
        worker: Worker::Agent(setup::codex, "launcher: acp, agent: codex"),
        dialect: Dialect::Responses,
        schema: Schema::InPrompt,
        script: WHOLE,
    },
    Check {
        name: "opencode by shell",
        worker: Worker::Agent(setup::opencode, "launcher: shell, agent: opencode"),
        dialect: Dialect::Chat,
        schema: Schema::InPrompt,
        script: WHOLE,
    },
    Check {
        name: "opencode by acp",
        worker: Worker::Agent(setup::opencode, "launcher: acp, agent: opencode"),
        dialect: Dialect::Chat,
        schema: Schema::InPrompt,
        script: WHOLE,
    },
    Check {
        name: "gemini by shell",
        worker: Worker::Agent(setup::gemini, "launcher: shell, agent: gemini, model: gemini-2.5-pro"),
        dialect: Dialect::Gemini,
        schema: Schema::InPrompt,
        script: WHOLE,
    },
    Check {
        name: "gemini by acp",
        worker: Worker::Agent(setup::gemini, "launcher: acp, agent: gemini"),
        dialect: Dialect::Gemini,
        schema: Schema::InPrompt,
        script: WHOLE,
    },
    Check {
        name: "docket mcp, with the SDK",
        worker: Worker::Client,
        dialect: Dialect::Task,
        schema: Schema::Native,
        script: WHOLE,
    },
];

/// What was seen in a check that went well.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) seconds: f64,
}

/// Runs a check.
///
/// # Errors
/// What was not as it must be, and where to look.
pub(crate) fn run(check: &Check, docket: &Path, packages: &Packages) -> Result<Seen, Failure> {
    let start = Instant::now();
    let stand = Stand::new(check, docket, packages)?;
    match check.worker {
        Worker::Agent(..) => {
            let output = stand.start(&["--profile", "tested"])?;
            stand.require(
                output.status.success(),
                &format!("docket ended with {}", output.status),
                &output,
            )?;
        }
        Worker::Client => {
            let output = stand.start(&["--launcher", "manual"])?;
            let is_waiting = output.status.code() == Some(WAITING);
            stand.require(
                is_waiting,
                &format!("docket does not wait but ended with {}", output.status),
                &output,
            )?;
            let output = stand.client()?;
            stand.require(
                output.status.success(),
                &format!("the client ended with {}", output.status),
                &output,
            )?;
        }
    }
    let run = stand.run()?;
    stand.judge_model()?;
    stand.judge_run(&run)?;
    let usage = stand.judge_usage(&run)?;
    stand.judge_neighbours()?;
    Ok(Seen {
        requests: stand.model.heard().len(),
        input_tokens: usage.0,
        output_tokens: usage.1,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// A check's project, model and tripwire.
struct Stand<'a> {
    check: &'a Check,
    scratch: Scratch,
    model: Model,
    tripwire: Tripwire,
    variables: Vec<(String, String)>,
    packages: &'a Packages,
    /// What only the document says.
    mark: String,
}

impl<'a> Stand<'a> {
    fn new(check: &'a Check, docket: &Path, packages: &'a Packages) -> Result<Self, Failure> {
        let started = |cause: std::io::Error| Failure::new(format!("can't listen on loopback: {cause}"));
        let folder = check.name.replace([' ', ','], "-");
        let scratch = Scratch::with_own_documents(&format!("agents/{folder}"), docket)?;
        let model = Model::start(check.script).map_err(started)?;
        let tripwire = Tripwire::start().map_err(started)?;
        let mark = mark();
        let path = scratch.project().join(DOCUMENT);
        let text = std::fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
        let marked = text.replacen("## Summary\n", &format!("## Summary\n\nIts mark is {mark}.\n"), 1);
        write(&path, marked.as_bytes())?;
        let mut variables = tripwire.variables();
        if let Worker::Agent(setup, profile) = check.worker {
            let setup = setup(profile, &scratch, &model.url())?;
            setup::write_config(&scratch.docket_home().join("config.yml"), &setup, &variables)?;
            variables.extend(setup.variables);
        }
        Ok(Self { check, scratch, model, tripwire, variables, packages, mark })
    }

    /// docket in the project, with the agents on its path and their variables in its environment.
    fn docket(&self, arguments: &[&str]) -> Command {
        let mut command = self.scratch.docket(arguments);
        command.env("PATH", self.path()).envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    fn path(&self) -> std::ffi::OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.packages.programs()).chain(std::env::split_paths(&path));
        std::env::join_paths(folders).unwrap_or(path)
    }

    fn start(&self, choice: &[&str]) -> Result<Output, Failure> {
        output(&mut self.docket(&["init"]))?;
        let mut arguments =
            vec!["workflow", "start", "rfc-review", "--rfc-path", DOCUMENT, "--perspective", "architecture"];
        arguments.extend(choice);
        output(&mut self.docket(&arguments))
    }

    /// The client, which starts `docket mcp` itself.
    fn client(&self) -> Result<Output, Failure> {
        let script = self.packages.folder().join("client.mjs");
        write(&script, CLIENT.as_bytes())?;
        let mut command = Command::new("node");
        command
            .arg(&script)
            .args([self.scratch.program(), &self.scratch.project()])
            .args([self.model.url().as_str(), KEY])
            .current_dir(self.scratch.folder())
            .env_clear()
            .env("PATH", self.path())
            .env("HOME", self.scratch.home())
            .env("DOCKET_HOME", self.scratch.docket_home())
            .env("XDG_CACHE_HOME", self.scratch.cache())
            .stdin(Stdio::null());
        output(&mut command)
    }

    /// The run, as docket shows it to programs.
    fn run(&self) -> Result<Value, Failure> {
        let list = self.json(&["workflow", "list", "--output", "json"])?;
        let id = list.pointer("/runs/0/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.json(&["workflow", "status", &id, "--output", "json"])
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let output = output(&mut self.docket(arguments))?;
        let value = serde_json::from_slice(&output.stdout);
        value.map_err(|_| self.wrong(&format!("`docket {}` prints no JSON", arguments.join(" ")), &output))
    }

    /// What the model heard: the document, the schema in the way this agent can take it, and the key.
    fn judge_model(&self) -> Result<(), Failure> {
        let heard = self.model.heard();
        let reviews: Vec<_> =
            heard.iter().filter(|heard| heard.mark.as_deref() == Some(&self.mark)).collect();
        let Some(first) = reviews.first() else {
            return Err(
                self.not(&format!("the document never reached the model, in {} requests", heard.len()))
            );
        };
        let is_asked = first.dialect == self.check.dialect && first.has_key;
        let has_schema = reviews.iter().any(|heard| heard.schema == self.check.schema);
        if !is_asked || !has_schema {
            return Err(self.not(&format!(
                "the model was asked in {:?} with the schema {:?} and {} key",
                first.dialect,
                first.schema,
                if first.has_key { "the" } else { "no" }
            )));
        }
        let rounds = reviews.iter().filter(|heard| heard.said.contains(MENDING)).count();
        if rounds != self.check.script.spoiled {
            return Err(self.not(&format!("the model was asked {rounds} times to mend its answer")));
        }
        Ok(())
    }

    /// What docket kept: the model's review, in the run's result and in the file it wrote.
    fn judge_run(&self, run: &Value) -> Result<(), Failure> {
        let status = run.get("status").and_then(Value::as_str).unwrap_or_default();
        if status != "completed" {
            return Err(
                self.not(&format!("the run is {status}: {}", run.get("failure").unwrap_or(&Value::Null)))
            );
        }
        let outputs = run.get("outputs").map(ToString::to_string).unwrap_or_default();
        let written = crate::scratch::entries(&self.scratch.reviews())?;
        let text = written.first().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        for (what, text) in [("result", &outputs), ("stored review", &text)] {
            if !text.contains(&format!("Read to its mark, {}.", self.mark)) {
                return Err(self.not(&format!("the run's {what} is not the model's review: {text}")));
            }
        }
        let blockers = run
            .get("outputs")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .find_map(|(_, output)| output.get("blockers")?.as_array().map(Vec::len));
        if blockers == Some(1) {
            Ok(())
        } else {
            Err(self.not(&format!("{blockers:?} blockers were kept, not 1")))
        }
    }

    /// What docket recorded as used: what the model said, once for every review it was asked for. A client of `docket mcp`
    /// pays for itself and tells nothing.
    fn judge_usage(&self, run: &Value) -> Result<(u64, u64), Failure> {
        let stages = run.get("stages").and_then(Value::as_array).into_iter().flatten();
        let total = |field: &str| -> u64 {
            let of = |stage: &Value| stage.pointer(&format!("/usage/{field}")).and_then(Value::as_u64);
            stages.clone().filter_map(of).sum()
        };
        let input = total("input_tokens") + total("cached_tokens");
        let found = (input, total("output_tokens"));
        let rounds = match self.check.worker {
            Worker::Client => 0,
            Worker::Agent(..) => self.check.script.spoiled as u64 + 1,
        };
        let expected = (INPUT_TOKENS * rounds, OUTPUT_TOKENS * rounds);
        // Not every agent tells how much of its input was cached.
        let uncached = (expected.0.saturating_sub(CACHED_TOKENS * rounds), expected.1);
        if found == expected || found == uncached {
            return Ok(found);
        }
        Err(self.not(&format!("used were {found:?} tokens in and out, but recorded should be {expected:?}")))
    }

    /// That nothing went anywhere else, and that the key is nowhere in what docket keeps.
    fn judge_neighbours(&self) -> Result<(), Failure> {
        let tried = self.tripwire.tried();
        if !tried.is_empty() {
            return Err(self.not(&format!("it tried to reach {}", tried.join(", "))));
        }
        match holding(&self.scratch.project().join(".docket"), KEY)? {
            Some(path) => Err(self.not(&format!("the key is in {}", path.display()))),
            None => Ok(()),
        }
    }

    fn require(&self, holds: bool, otherwise: &str, output: &Output) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(self.wrong(otherwise, output)) }
    }

    /// What is wrong, with what was printed.
    fn wrong(&self, what: &str, output: &Output) -> Failure {
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.not(&format!("{what}\n{}{}", said(&output.stdout), said(&output.stderr)))
    }

    fn not(&self, what: &str) -> Failure {
        let tried = self.tripwire.tried();
        let tried = if tried.is_empty() { String::new() } else { format!("; refused: {}", tried.join(", ")) };
        Failure::new(format!("{what}{tried} (everything is in {})", self.scratch.folder().display()))
    }
}

fn output(command: &mut Command) -> Result<Output, Failure> {
    let text = crate::process::line(command);
    command.output().map_err(|cause| Failure::new(format!("can't run `{text}`: {cause}")))
}

/// A word that no document has.
fn mark() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{MARK}{:x}{:x}", since.as_nanos(), std::process::id())
}

/// A file below a folder that holds a text.
fn holding(folder: &Path, text: &str) -> Result<Option<std::path::PathBuf>, Failure> {
    for path in crate::scratch::entries(folder)? {
        let found = if path.is_dir() {
            holding(&path, text)?
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(text).then_some(path)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
