//! Carrying out one stage: building the request, running the plugin, and turning what it proposes into a change set.
//! Runs on a thread of its own; says everything through the channel it is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use docket_core::definition::Workflow;
use docket_core::run::{Ending, Failure, NewRun, PluginUsed, ProfileSnapshot, ProjectPath, StageTask, Usage};
use docket_core::secret::Secrets;
use serde_json::Value;

use super::promise::Promise;
use super::prompt::{PromptFacts, prompt, schema_text};
use super::request::{RequestAgent, RequestProfile, RequestReference, StageRequest};
use super::{Engine, EngineError, Setting, Untrusted};
use super::{launch, masked};
use crate::plugin::host::answer::{AnswerFolder, Answers};
use crate::plugin::host::files::Folders;
use crate::plugin::host::process::{GrantedCommand, stop_all};
use crate::plugin::host::{Cancel, Launches, Notices};
use crate::plugin::{Grants, Outcome, Plugin, StageCall};
use crate::store::change::Seen;
use crate::store::run_folder::file_name;
use crate::store::trust::Standing;
use crate::store::{RunFolder, StoreError, change};

/// How often an agent is asked to mend an answer that does not fit, when its profile does not say.
const DEFAULT_REPAIRS: u32 = 1;

/// A stage, ready to be handed to a thread.
pub(super) struct Job {
    engine: Arc<Engine>,
    folder: RunFolder,
    task: StageTask,
    plugin: Arc<Plugin>,
    /// What its result must be.
    promise: Arc<Promise>,
    grants: Grants,
    request: String,
    inputs: Vec<(String, Vec<u8>)>,
    commands: Vec<GrantedCommand>,
    /// What nobody but the stage and its command may see.
    secrets: Secrets,
    timeout: Option<Duration>,
}

/// How a job ended. `None` for one that was told to stop.
pub(super) struct JobReply {
    pub(super) ending: Option<Ending>,
    /// Which plugin did it; none for the run of another workflow.
    pub(super) plugin: Option<PluginUsed>,
    pub(super) usage: Usage,
    /// A file that it wanted to write and may not, because somebody wrote it meanwhile.
    pub(super) overtaken: Option<ProjectPath>,
}

impl Job {
    /// Prepares a stage: everything that can fail without running the plugin fails here.
    pub(super) fn prepare(
        engine: &Arc<Engine>,
        folder: &RunFolder,
        workflow: &Workflow,
        start: &NewRun,
        task: StageTask,
    ) -> Result<Self, Failure> {
        let plugin = plugin(engine, &task.stage_type, task.launcher.as_deref())?;
        let grants = Grants::resolve(&plugin.rights, &task.config).map_err(|error| {
            let name = &plugin.manifest.name;
            Failure::new("not-granted", format!("stage '{}', plugin '{name}': {error}", task.name))
        })?;
        let profile = start.options.launch.profile.as_ref();
        let records = folder.records(&task.name, task.attempt);
        let whose = format!("{}/{}", start.run, task.name);
        let words = profile.map_or_else(Vec::new, |profile| {
            launch::command_line(profile, task.launcher.as_deref(), &engine.setting().environment)
        });
        let of_profile = profile.zip(words.first().map(String::as_str));
        let commands = commands(engine, &grants, of_profile, &records, &whose);
        let agent = agent_text(engine, folder, workflow, start, &task)?;
        // Who may run a command there may know where it is.
        let project_folder = commands.first().and_then(|command| command.folder.to_str());
        let told = profile.map(|profile| request_profile(profile, &words)).unwrap_or_default();
        let request = request(&task, start, agent.as_ref(), told, project_folder)?;
        let is_agent = task.launcher.is_some();
        let seconds =
            task.timeout_seconds.or_else(|| profile.filter(|_| is_agent).and_then(|profile| profile.timeout));
        Ok(Self {
            engine: Arc::clone(engine),
            folder: folder.clone(),
            inputs: inputs(engine, start, &task, workflow)?,
            secrets: launch::secrets(engine.setting(), profile, &grants.env),
            promise: Arc::new(Promise::of(&plugin, &task)),
            plugin,
            grants,
            request,
            commands,
            timeout: seconds.map(Duration::from_secs),
            task,
        })
    }

    /// Which plugin it is, for the record.
    pub(super) fn plugin_used(&self) -> PluginUsed {
        PluginUsed {
            name: self.plugin.manifest.name.clone(),
            version: self.plugin.manifest.version.clone(),
            sha256: self.plugin.sha256.clone(),
            grants: self.grants.listed(),
        }
    }

    /// Whether it may start a command.
    pub(super) fn has_command(&self) -> bool {
        self.commands.iter().any(|command| command.is_agent)
    }

    /// Runs it, asking for each process that it starts.
    pub(super) fn run(self, notices: Notices, cancel: Cancel, launches: Launches) -> JobReply {
        // An earlier attempt's process may have outlived the docket that was to end it.
        for earlier in 1..self.task.attempt {
            stop_all(&self.folder.records(&self.task.name, earlier));
        }
        let setting = self.engine.setting();
        let plugin = self.plugin_used();
        let mut limits = self.plugin.rights.limits.raise(setting.limits);
        if let Some(timeout) = self.timeout {
            limits.wall_clock = timeout;
        }
        let environment = launch::visible(&setting.environment, &self.grants.env);
        let answers = self.answers();
        let reply = self.engine.runtime.run(StageCall {
            plugin: &self.plugin,
            request: self.request,
            grants: self.grants,
            project: setting.project.handle(),
            folders: Folders {
                work: self.folder.work(&self.task.name, self.task.attempt),
                cache: plugin_cache(setting, &self.plugin),
            },
            inputs: self.inputs,
            limits,
            notices: masked::notices(notices, &self.secrets),
            cancel,
            answers,
            commands: self.commands,
            launches,
            environment,
        });
        let promise = &self.promise;
        let mut overtaken = None;
        let ending = match masked::outcome(reply.outcome, &self.secrets) {
            Outcome::Completed { result, writes, seen, since } => {
                let planned = promise.kept_by(&result).and_then(|()| {
                    change::plan(&setting.project, &self.folder, writes, &Seen { files: seen, since })
                        .map_err(|error| {
                            if let StoreError::OutsideProject { path, .. } = &error {
                                overtaken = ProjectPath::parse(path).ok();
                            }
                            let message = format!("what the stage proposes can't be written: {error}");
                            Failure::new("proposal-refused", message).rejected(result.clone())
                        })
                });
                Some(match planned {
                    Ok(change_set) => Ending::Completed { result, change_set },
                    Err(failure) => Ending::Failed(failure),
                })
            }
            Outcome::Waiting(question) => Some(Ending::Waiting(question)),
            Outcome::Failed(failure) => {
                Some(Ending::Failed(withheld(&self.plugin, &self.task.name, failure)))
            }
            Outcome::Cancelled => None,
        };
        JobReply { ending, plugin: Some(plugin), usage: reply.usage, overtaken }
    }

    /// What an answer of this stage must be, and where what its agent says is kept.
    fn answers(&self) -> Answers {
        let (promise, secrets) = (Arc::clone(&self.promise), self.secrets.clone());
        let path = self.folder.records(&self.task.name, self.task.attempt);
        let root = self.engine.setting().project.root();
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        Answers::new(
            Box::new(move |answer| promise.faults(answer, &secrets)),
            Some(AnswerFolder { path, shown, secrets: self.secrets.clone() }),
        )
    }
}

/// The commands that a stage may run: its launcher profile's, with its program's name, and those that its plugin was
/// granted by name.
pub(super) fn commands(
    engine: &Engine,
    grants: &Grants,
    of_profile: Option<(&ProfileSnapshot, &str)>,
    records: &Path,
    whose: &str,
) -> Vec<GrantedCommand> {
    let setting = engine.setting();
    let of_profile = of_profile.filter(|_| grants.exec).map(|(profile, name)| {
        launch::command(setting, profile, name, &grants.env, records.to_owned(), whose)
    });
    let named = launch::named_commands(setting, &grants.commands, &grants.env, records, whose);
    of_profile.into_iter().chain(named).collect()
}

/// Adds to a failure what the plugin asks for and was not granted: that may be why it failed.
pub(super) fn withheld(plugin: &Plugin, stage: &str, failure: Failure) -> Failure {
    let withheld = plugin.withheld();
    if withheld.is_empty() {
        return failure;
    }
    let name = &plugin.manifest.name;
    let missing = format!(
        "stage '{stage}': plugin '{name}' was not granted to {}, which it asks for; grant it with \
         `docket plugin grant {name}`",
        withheld.join(", ")
    );
    let hint = match &failure.hint {
        Some(hint) => format!("{missing}; {hint}"),
        None => missing,
    };
    failure.hint(hint)
}

/// Where a plugin keeps what it wants to find again in this project.
pub(super) fn plugin_cache(setting: &Setting, plugin: &Plugin) -> PathBuf {
    let project = docket_core::run::sha256(setting.project.root().display().to_string().as_bytes());
    setting.home.cache().join("plugins").join(&plugin.sha256).join(project)
}

/// The plugin that serves a stage type; for `agent`, the one that is this launcher.
pub(super) fn plugin(
    engine: &Engine,
    stage_type: &str,
    launcher: Option<&str>,
) -> Result<Arc<Plugin>, Failure> {
    let wanted = match launcher {
        Some(launcher) => format!("launcher '{launcher}'"),
        None => format!("stage type '{stage_type}'"),
    };
    match engine.plugins().find(stage_type, launcher) {
        Ok(Some(plugin)) => Ok(Arc::clone(plugin)),
        Ok(None) => Err(Failure::new("plugin-missing", format!("no plugin provides the {wanted} any more"))
            .hint("put the plugin back, then start a new run")),
        Err(EngineError::NotTrusted(items)) => Err(not_usable(&wanted, &items)),
        Err(error) => Err(Failure::new("plugin-missing", error.to_string())),
    }
}

/// Why the plugins that would serve a stage may not be used, and what helps.
fn not_usable(wanted: &str, items: &[Untrusted]) -> Failure {
    let paths: Vec<&str> = items.iter().map(|item| item.path.as_str()).collect();
    let (why, hint) = if items.iter().any(|item| item.pinned.is_some()) {
        let hint = "get the file the project was made with, or pin this one with `docket plugin lock`";
        ("is not the one that .docket/plugins.lock pins", hint)
    } else if items.iter().all(|item| item.standing == Standing::Trusted) {
        ("was not granted what it asks for", "look at it, then run `docket plugin grant` with its name")
    } else {
        ("is not trusted", "look at it, then run `docket trust`")
    };
    Failure::new("not-trusted", format!("the {wanted} comes from {}, which {why}", paths.join(", ")))
        .hint(hint)
}

/// An agent's prompt and where it is kept.
pub(super) struct AgentText {
    pub(super) prompt: String,
    pub(super) file: String,
}

/// The prompt of an agent stage, as it was or is now written down; nothing for other stages.
pub(super) fn agent_text(
    engine: &Engine,
    folder: &RunFolder,
    workflow: &Workflow,
    start: &NewRun,
    task: &StageTask,
) -> Result<Option<AgentText>, Failure> {
    if task.launcher.is_none() {
        return Ok(None);
    }
    let facts = PromptFacts { run: &start.run, date: &start.date, inputs: &start.inputs };
    let project = &engine.setting().project;
    // An attempt that is taken up again after a crash has the prompt it had, whatever became of the document: its
    // agent may be at work on it.
    let kept = format!("results/{}/prompt-{}.md", file_name(&task.name), task.attempt);
    let failed = |error: StoreError| Failure::new("prompt-failed", error.to_string());
    let path = folder.results(&task.name).join("prompt.md");
    let name = path.strip_prefix(folder.path()).map(|path| path.display().to_string()).unwrap_or_default();
    let prompt = match folder.read_derived(&kept).map_err(failed)? {
        Some(prompt) => prompt,
        None => {
            let prompt = prompt(project, workflow, task, &facts)?;
            folder.write_derived(&name, prompt.as_bytes()).map_err(failed)?;
            folder.write_derived(&kept, prompt.as_bytes()).map_err(failed)?;
            prompt
        }
    };
    let shown = path.strip_prefix(project.root()).unwrap_or(&path).display().to_string();
    Ok(Some(AgentText { prompt, file: shown }))
}

fn request(
    task: &StageTask,
    start: &NewRun,
    agent: Option<&AgentText>,
    profile: RequestProfile<'_>,
    project_folder: Option<&str>,
) -> Result<String, Failure> {
    let repairs = start.options.launch.profile.as_ref().and_then(|profile| profile.repairs);
    let reference = |(field, value): (&'_ String, &'_ docket_core::run::ReferenceValue)| {
        (field.clone(), format!("/in/{}", reference_path(&value.stage, &value.output)))
    };
    let paths: std::collections::BTreeMap<String, String> = task.references.iter().map(reference).collect();
    let references = task
        .references
        .iter()
        .map(|(field, value)| {
            let path = paths.get(field).cloned().unwrap_or_default();
            (field.as_str(), RequestReference { stage: &value.stage, output: &value.output, path })
        })
        .collect();
    let request = StageRequest {
        run: &start.run,
        workflow: &start.workflow,
        stage: &task.name,
        stage_type: &task.stage_type,
        attempt: task.attempt,
        date: &start.date,
        config: &task.config,
        inputs: &start.inputs,
        references,
        agent: agent.map(|agent| RequestAgent {
            prompt: &agent.prompt,
            prompt_file: &agent.file,
            schema: task.schema.as_ref(),
            prompt_shows_schema: task
                .schema
                .as_ref()
                .is_some_and(|schema| agent.prompt.contains(&schema_text(schema))),
            repairs: repairs.unwrap_or(DEFAULT_REPAIRS),
            project_folder,
            profile,
        }),
    };
    serde_json::to_string(&request).map_err(|cause| Failure::new("request-failed", format!("BUG: {cause}")))
}

/// A profile as a launcher sees it, with its program and arguments.
fn request_profile<'a>(profile: &'a ProfileSnapshot, words: &'a [String]) -> RequestProfile<'a> {
    RequestProfile {
        name: &profile.name,
        agent: profile.agent.as_deref(),
        program: words.first().map(String::as_str),
        arguments: words.get(1..).unwrap_or_default(),
        idle_timeout: profile.idle_timeout,
        model: profile.model.as_deref(),
        options: profile.options.iter().map(|(name, value)| (name.as_str(), value)).collect(),
    }
}

fn reference_path(stage: &str, output: &str) -> String {
    format!("{}/{}.json", file_name(stage), file_name(output))
}

/// The files for `/in`: what the config refers to, and the run's file inputs as they are now.
fn inputs(
    engine: &Engine,
    start: &NewRun,
    task: &StageTask,
    workflow: &Workflow,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for value in task.references.values() {
        let bytes = serde_json::to_vec(&value.value)
            .map_err(|cause| Failure::new("request-failed", format!("BUG: {cause}")))?;
        files.push((reference_path(&value.stage, &value.output), bytes));
    }
    let is_file = |input: &&docket_core::definition::InputSpec| {
        matches!(input.kind, docket_core::definition::InputKind::File)
    };
    for input in workflow.inputs.iter().filter(is_file) {
        let Some(path) = start.inputs.get(&input.name).and_then(Value::as_str) else { continue };
        let parsed = docket_core::run::ProjectPath::parse(path)
            .map_err(|error| Failure::new("input-unreadable", error.to_string()))?;
        let bytes = engine
            .setting()
            .project
            .read(&parsed)
            .map_err(|error| Failure::new("input-unreadable", error.to_string()))?;
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        if let Some(bytes) = bytes {
            files.push((format!("inputs/{}.{}", file_name(&input.name), file_name(extension)), bytes));
        }
    }
    Ok(files)
}
