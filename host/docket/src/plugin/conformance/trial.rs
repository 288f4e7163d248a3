//! Trying a plugin: it is compiled, asked about configs, and run twice, in a sandbox with nothing in it. It gets what it
//! asks for, but there is nothing to be had: an empty project, no command, no value of a variable.
//!
//! Must not know what a run is: requests come in as text, through [`Bench::request`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use docket_core::run::{Failure, misfits, validate_against};
use serde_json::{Value, json};

use super::{Findings, sample};
use crate::plugin::grants::Grants;
use crate::plugin::host::answer::Answers;
use crate::plugin::host::files::Folders;
use crate::plugin::host::{Cancel, Notices};
use crate::plugin::limits::Limits;
use crate::plugin::manifest::StageManifest;
use crate::plugin::{Outcome, Plugin, Runtime, StageCall};

/// Looking at a config is to be quicker than this.
const QUICK: Duration = Duration::from_millis(500);
/// A stage that has nothing to do has come to an end by then.
const RUN_TIME: Duration = Duration::from_secs(20);
/// What the output is called that the smallest config refers to.
const REFERENCE: &str = "example.result";
/// Where that output lies below `/in`.
const REFERENCE_FILE: &str = "example/result.json";
/// The failures that are the plugin's fault, whatever its config is.
const BUGS: [(&str, &str); 15] = [
    ("plugin-crashed", "return an error for what a user can cause; a panic or trap is a bug"),
    ("result-unreadable", "the result has to be JSON text"),
    ("question-invalid", "the schema of a question has to be a JSON Schema"),
    ("not-granted", "ask for the path under `capabilities.write`, or don't propose it"),
    ("proposal-refused", "propose regular files with ordinary names below /out"),
    ("memory-limit", "use less memory, or ask for more under `capabilities.limits`"),
    ("cpu-limit", "come to an end sooner"),
    ("timeout", "come to an end: nothing it waits for will happen"),
    ("table-limit", "ask for more under `capabilities.limits` (`table_entries`)"),
    ("host-call-limit", "pass less to docket in one call"),
    ("output-limit", "propose less"),
    ("cache-limit", "keep less in the cache"),
    ("component-limit", "build a smaller component"),
    ("compile-limit", "build a smaller component, or one without giant functions"),
    ("component-invalid", "build it again; it may import only `docket:stage` 0.1 and WASI 0.2"),
];

/// Makes the request for a stage type with this config and these references.
pub type RequestFor = dyn Fn(&str, &Value, &[Reference]) -> String;
/// A config field that refers to an output, and where that output lies in the sandbox.
pub type Reference = (String, String);

/// What a plugin is tried on.
pub struct Bench<'a> {
    /// The sandbox.
    pub runtime: &'a Runtime,
    /// Limits of the trial.
    pub limits: Limits,
    /// A folder for it alone, which is thrown away by whoever made it.
    pub scratch: PathBuf,
    /// Makes requests.
    pub request: &'a RequestFor,
}

/// How long a trial took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Times {
    /// Compiling it, which users wait for once.
    pub compile_ms: u64,
    /// The slowest look at a config.
    pub check_ms: u64,
    /// The slower of two runs in an empty project.
    pub run_ms: u64,
}

/// What a trial gave.
#[derive(Debug)]
pub struct Tried {
    /// What is wrong.
    pub findings: Findings,
    /// How long it took.
    pub times: Times,
    /// How each stage type ended, in words.
    pub endings: Vec<(String, String)>,
}

impl Bench<'_> {
    /// Tries a plugin.
    ///
    /// # Errors
    /// When the folder for it can't be used.
    pub fn try_out(&self, plugin: &Plugin) -> std::io::Result<Tried> {
        let mut tried = Tried { findings: Findings::default(), times: Times::default(), endings: Vec::new() };
        let start = Instant::now();
        let compiled = self.runtime.optimize(plugin, &self.limits);
        tried.times.compile_ms = milliseconds(start.elapsed());
        if let Err(failure) = compiled {
            report(&mut tried.findings, "compiling and linking", &failure);
            return Ok(tried);
        }
        std::fs::create_dir_all(self.scratch.join("project"))?;
        let project = Dir::open_ambient_dir(self.scratch.join("project"), cap_std::ambient_authority())?;
        for stage in &plugin.manifest.stages {
            self.checks(plugin, stage, &mut tried);
            self.runs(plugin, stage, &project, &mut tried);
        }
        Ok(tried)
    }

    /// `check` on the smallest config, on none at all, and on odd ones.
    fn checks(&self, plugin: &Plugin, stage: &StageManifest, tried: &mut Tried) {
        let mut configs = vec![("an empty config", json!({}))];
        configs.extend(sample::smallest(&stage.config).map(|value| ("the smallest config", value)));
        configs.extend(sample::odd(&stage.config));
        for (name, config) in configs {
            let place = format!("check of '{}' on {name}", stage.stage_type);
            let start = Instant::now();
            let faults = self.runtime.check(plugin, &stage.stage_type, &config, &self.limits);
            let took = start.elapsed();
            tried.times.check_ms = tried.times.check_ms.max(milliseconds(took));
            match faults {
                Err(failure) => {
                    report(&mut tried.findings, &place, &failure);
                    // It does so every time; once is enough to know.
                    if failure.code != "plugin-crashed" {
                        return;
                    }
                }
                Ok(faults) => {
                    for fault in faults.iter().filter(|fault| !leads_into(&config, &fault.pointer)) {
                        let what = format!(
                            "it reports a fault at '{}', which is not in the config: {}",
                            fault.pointer, fault.message
                        );
                        let fix =
                            "give a JSON Pointer to a field that is there, or the empty one for the whole";
                        tried.findings.error("bad-pointer", &place, what, fix);
                    }
                    if took > QUICK {
                        let what = format!("it took {} ms", milliseconds(took));
                        let fix =
                            "look at the config alone, and quickly: definitions are checked at every start";
                        tried.findings.warning("slow-check", &place, what, fix);
                    }
                }
            }
        }
    }

    /// `run` on the smallest config, twice.
    fn runs(&self, plugin: &Plugin, stage: &StageManifest, project: &Dir, tried: &mut Tried) {
        let name = &stage.stage_type;
        let place = format!("run of '{name}' in an empty project");
        let Some(config) = sample::smallest(&stage.config) else {
            let fix = "add `\"examples\": [{ … }]` with a config that fits to the schema";
            return tried.findings.warning(
                "no-example",
                place,
                "no config that fits its schema was found, so it was not run",
                fix,
            );
        };
        let mut endings = Vec::new();
        for _ in 0..2 {
            let start = Instant::now();
            match self.run(plugin, stage, &config, project) {
                Ok(ending) => endings.push(ending),
                Err(failure) => return report(&mut tried.findings, &place, &failure),
            }
            tried.times.run_ms = tried.times.run_ms.max(milliseconds(start.elapsed()));
        }
        if let Some(first) = endings.first() {
            tried.endings.push((name.clone(), first.words.clone()));
            if let Some(detail) = &first.breaks_schema {
                let what = format!("the result does not fit the schema in the manifest: {detail}");
                tried.findings.error(
                    "result-schema",
                    &place,
                    what,
                    "mend the result, or the schema `result` in the manifest",
                );
            }
        }
        if let [first, second] = endings.as_slice()
            && first != second
        {
            let what = format!("the same request gave two outcomes: {}, then {}", first.words, second.words);
            let fix =
                "leave out clocks and random numbers where you can: after a crash docket runs a stage again";
            tried.findings.warning("not-repeatable", &place, what, fix);
        }
    }

    fn run(
        &self,
        plugin: &Plugin,
        stage: &StageManifest,
        config: &Value,
        project: &Dir,
    ) -> Result<RunEnding, Failure> {
        let grants = Grants::resolve(&plugin.rights, config).map_err(|error| {
            Failure::new("not-granted", format!("plugin '{}': {error}", plugin.manifest.name))
        })?;
        let references = references(&stage.config, config);
        let notices: Notices = Arc::new(|_| {});
        let promised = stage.result.clone();
        let reply = self.runtime.run(StageCall {
            plugin,
            request: (self.request)(&stage.stage_type, config, &references),
            grants,
            project,
            folders: Folders { work: self.scratch.join("work"), cache: self.scratch.join("cache") },
            inputs: vec![(REFERENCE_FILE.to_owned(), b"{}".to_vec())],
            limits: Limits { wall_clock: self.limits.wall_clock.min(RUN_TIME), ..self.limits },
            notices,
            cancel: Cancel::default(),
            answers: Answers::new(Box::new(move |value| misfits(&promised, &value)), None),
            commands: Vec::new(),
            launches: Arc::new(|| false),
            environment: Vec::new(),
        });
        match reply.outcome {
            Outcome::Completed { result, writes, .. } => Ok(RunEnding::completed(stage, &result, &writes)),
            Outcome::Waiting(question) => {
                Ok(RunEnding::of(format!("waits: {}", first_line(&question.prompt))))
            }
            Outcome::Cancelled => Err(Failure::new("cancelled", "BUG: the trial was cancelled")),
            Outcome::Failed(failure) if is_bug(&plugin.manifest.name, &failure) => Err(failure),
            Outcome::Failed(failure) => {
                Ok(RunEnding::of(format!("error {}: {}", failure.code, first_line(&failure.message))))
            }
        }
    }
}

/// Whether a pointer names a value, or one that is missing where its name would be.
fn leads_into(config: &Value, pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
    pointer.is_empty() || parent.and_then(|parent| config.pointer(parent)).is_some()
}

/// How a run ended, as far as two of them can be compared.
#[derive(Debug, PartialEq)]
struct RunEnding {
    words: String,
    detail: Value,
    breaks_schema: Option<String>,
}

impl RunEnding {
    fn of(words: String) -> Self {
        Self { words, detail: Value::Null, breaks_schema: None }
    }

    fn completed(stage: &StageManifest, result: &Value, writes: &[docket_core::run::PlannedWrite]) -> Self {
        let files: Vec<Value> = writes
            .iter()
            .map(|write| json!([write.path.as_str(), docket_core::run::sha256(&write.bytes)]))
            .collect();
        let words = match writes.len() {
            0 => "completed".to_owned(),
            count => format!("completed, proposing {count} file(s)"),
        };
        let breaks_schema = validate_against(&stage.result, result).err().map(|failure| failure.message);
        Self { words, detail: json!([result, files]), breaks_schema }
    }
}

/// What goes wrong in docket's own words is the plugin's fault; an error that the plugin returns is its business.
fn is_bug(plugin: &str, failure: &Failure) -> bool {
    failure.message.contains(&format!("plugin '{plugin}'"))
        && BUGS.iter().any(|(code, _)| *code == failure.code)
}

fn report(findings: &mut Findings, place: &str, failure: &Failure) {
    let known = BUGS.iter().find(|(code, _)| *code == failure.code).map(|(_, fix)| (*fix).to_owned());
    let fix = known.or_else(|| failure.hint.clone()).unwrap_or_else(|| "see what is said here".to_owned());
    findings.error(&failure.code, place, failure.message.clone(), fix);
}

/// The fields of a config that refer to outputs, each with where its output lies in the sandbox.
fn references(schema: &Value, config: &Value) -> Vec<Reference> {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields
        .into_iter()
        .flatten()
        .filter(|(name, property)| {
            property.get("x-docket").is_some_and(|mark| mark == "output") && config.get(name).is_some()
        })
        .map(|(name, _)| (name.clone(), format!("/in/{REFERENCE_FILE}")))
        .collect()
}

/// The stage and the output that references of a trial name.
pub fn reference() -> (&'static str, &'static str) {
    REFERENCE.split_once('.').unwrap_or((REFERENCE, ""))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
