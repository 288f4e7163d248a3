//! Starting a run: inputs, trust, launchers, the run's folder and its first record.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use docket_core::Budget;
use docket_core::definition::{
    InputError, InputKind, InputSpec, RunFacts, SubWorkflow, Workflow, settle_inputs, stage_names,
};
use docket_core::run::{
    ID_PREFIX, NewRun, ParentRun, RunOptions, StageSnapshot, WorkflowSnapshot, create, seal,
};
use serde_json::Value;

use super::check::Definition;
use super::drive::{Driver, Owned};
use super::sub_run::Unheard;
use super::{Engine, EngineError, Interrupt, LaunchWishes, Observer, now};
use crate::plugin::{Plugin, PluginOrigin};
use crate::store::journal::JournalFile;
use crate::store::run_folder::Ownership;
use crate::store::{RunFolder, StoreError};

/// Letters and digits of an id after its prefix.
const ID_LENGTH: usize = 6;
const ID_ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// How often another id is tried when one is taken.
const ID_TRIES: usize = 100;

/// What a run is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Inputs as given; paths are relative to where the user is.
    pub inputs: BTreeMap<String, Value>,
    /// Launchers.
    pub launch: LaunchWishes,
    /// Whether to show change sets instead of applying them.
    pub dry_run: bool,
    /// What it may use, if that is less than the definition and the settings say.
    pub budget: Budget,
}

/// A run that is about to begin: everything checked.
pub(super) struct Beginning {
    /// The name its definition was found by.
    pub(super) name: String,
    /// Where that came from.
    pub(super) origin: String,
    /// The definition's text.
    pub(super) text: String,
    /// What it says.
    pub(super) workflow: Workflow,
    /// Inputs, checked, defaults filled in.
    pub(super) inputs: BTreeMap<String, Value>,
    /// How to run.
    pub(super) options: RunOptions,
    /// Calendar date.
    pub(super) date: String,
    /// Whose sub-workflow it is.
    pub(super) parent: Option<ParentRun>,
}

impl Engine {
    /// Starts a run: its first record is on disk when this returns.
    ///
    /// # Errors
    /// When something is not trusted, inputs are wrong, or the project can't be written. Nothing was started then.
    pub fn start<'a>(
        self: &Arc<Self>,
        definition: &Definition,
        start: Start,
        observer: &'a mut dyn Observer,
        interrupt: Interrupt,
    ) -> Result<Driver<'a>, EngineError> {
        self.require_trust(definition)?;
        let workflow = definition.workflow.clone();
        let inputs = self.inputs(&workflow.inputs, start.inputs, &self.setting().folder)?;
        let options = RunOptions {
            launch: self.launch_settings(&start.launch)?,
            dry_run: start.dry_run,
            budget: self.new_budget(workflow.budget, start.budget),
            ..RunOptions::default()
        };
        self.require_plugins(&workflow, &options)?;
        let (folder, ownership) = self.new_folder()?;
        let beginning = Beginning {
            name: definition.name.clone(),
            origin: definition.found.origin.shown(),
            text: definition.found.text.clone(),
            workflow,
            inputs,
            options,
            date: jiff::Zoned::now().date().to_string(),
            parent: None,
        };
        let begun = self.begin(&folder, ownership, beginning, observer, interrupt);
        if let Err(EngineError::Expression(_)) = &begun {
            folder.discard();
        }
        begun
    }

    /// Starts a run and leaves it to a docket in the background; returns its id.
    ///
    /// # Errors
    /// As [`Self::start`], and when no docket can be started in the background; the run can be resumed then.
    pub fn start_in_background(
        self: &Arc<Self>,
        definition: &Definition,
        start: Start,
    ) -> Result<String, EngineError> {
        let mut unheard = Unheard;
        let driver = self.start(definition, start, &mut unheard, Interrupt::default())?;
        let run = driver.state().id().to_owned();
        drop(driver);
        self.continue_in_background(&run)?;
        Ok(run)
    }

    /// Records the start of a run in its folder.
    ///
    /// # Errors
    /// [`EngineError::Expression`] when a stage's name can't be worked out; nothing was recorded then. Else when the
    /// folder can't be written.
    pub(super) fn begin<'a>(
        self: &Arc<Self>,
        folder: &RunFolder,
        ownership: Ownership,
        beginning: Beginning,
        observer: &'a mut dyn Observer,
        interrupt: Interrupt,
    ) -> Result<Driver<'a>, EngineError> {
        let workflow = beginning.workflow.clone();
        let facts = RunFacts {
            workflow_id: folder.id().to_owned(),
            date: beginning.date.clone(),
            workflow: workflow.name.clone(),
        };
        let names = stage_names(&workflow, &beginning.inputs, &facts).map_err(EngineError::Expression)?;
        let mut new = self.new_run(folder.id(), names, beginning);
        let key = self.setting().home.key(random()?)?;
        new.seal = seal(&key, &new).map_err(|cause| EngineError::Bug(format!("BUG: {cause}")))?;
        let at = now();
        folder.write_derived("definition.yml", new.text.as_bytes())?;
        folder.write_derived("inputs.json", &serde_json::to_vec_pretty(&new.inputs).unwrap_or_default())?;
        let (state, decision) = create(&workflow, new, at);
        let mut journal = JournalFile::create(&folder.journal())?;
        journal.append(at, &decision)?;
        journal.sync_name()?;
        let owned = Owned { folder: folder.clone(), ownership, journal, workflow, state };
        let mut driver = Driver::new(self, owned, observer, interrupt);
        driver.recorded(at, decision)?;
        Ok(driver)
    }

    fn new_run(&self, id: &str, stages: Vec<String>, beginning: Beginning) -> NewRun {
        let all = beginning.workflow.with_nested();
        let used = |name: &String| {
            all.iter().any(|workflow| workflow.stages.iter().any(|stage| stage.stage_type == *name))
        };
        let types = self.plugins().usable.stage_types().into_iter().filter(|stage| used(&stage.name));
        let snapshot = |(name, nested): (&String, &SubWorkflow)| {
            let snapshot = WorkflowSnapshot { origin: nested.origin.clone(), text: nested.text.clone() };
            (name.clone(), snapshot)
        };
        let templates = all.iter().flat_map(|workflow| workflow.templates.clone()).collect();
        let schemas = all.iter().flat_map(|workflow| workflow.schemas.clone()).collect();
        let workflows = all.iter().flat_map(|workflow| workflow.workflows.iter().map(snapshot)).collect();
        let stage_types = types
            .map(|stage| StageSnapshot { name: stage.name, config: stage.config, result: stage.result })
            .collect();
        NewRun {
            run: id.to_owned(),
            workflow: beginning.workflow.name.clone(),
            templates,
            schemas,
            stage_types,
            workflows,
            definition: beginning.name,
            origin: beginning.origin,
            text: beginning.text,
            launchers: self.plugins().usable.launchers(),
            idle_launchers: self.plugins().usable.idle_launchers(),
            stages,
            inputs: beginning.inputs,
            date: beginning.date,
            options: beginning.options,
            docket: env!("CARGO_PKG_VERSION").to_owned(),
            by: self.setting().actor.clone(),
            parent: beginning.parent,
            seal: String::new(),
        }
    }

    /// Checks inputs, fills in defaults, and makes project paths of files and folders, which are given relative to
    /// `from`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn inputs(
        &self,
        specs: &[InputSpec],
        given: BTreeMap<String, Value>,
        from: &Path,
    ) -> Result<BTreeMap<String, Value>, EngineError> {
        let (mut inputs, mut errors) = settle_inputs(specs, given);
        for spec in specs {
            let is_folder = matches!(spec.kind, InputKind::Directory);
            if !is_folder && !matches!(spec.kind, InputKind::File) {
                continue;
            }
            let Some(Value::String(text)) = inputs.get(&spec.name) else { continue };
            match self.existing(text, is_folder, from) {
                Ok(path) => {
                    inputs.insert(spec.name.clone(), Value::from(path));
                }
                Err(message) => errors.push(InputError {
                    input: spec.name.clone(),
                    message: format!("--{}: {message}", spec.flag()),
                    hint: None,
                }),
            }
        }
        if errors.is_empty() { Ok(inputs) } else { Err(EngineError::Inputs(errors)) }
    }

    fn existing(&self, text: &str, is_folder: bool, from: &Path) -> Result<String, String> {
        let setting = self.setting();
        let path = setting.project.path(text, from).map_err(|error| error.to_string())?;
        // What no stage may touch is no document either.
        docket_core::run::ProjectPath::writable(path.as_str()).map_err(|error| error.to_string())?;
        let there = |path: &docket_core::run::ProjectPath| {
            if is_folder {
                setting.project.is_folder(path)
            } else {
                setting
                    .project
                    .handle()
                    .symlink_metadata(path.as_str())
                    .is_ok_and(|metadata| metadata.is_file())
            }
        };
        if there(&path) {
            return Ok(path.to_string());
        }
        let kind = if is_folder { "folder" } else { "file" };
        match super::document::nearest(&setting.project, path.as_str()) {
            Some(near) if !is_folder => {
                Err(format!("there is no {kind} '{path}' in the project; did you mean '{near}'?"))
            }
            _ => Err(format!("there is no {kind} '{path}' in the project")),
        }
    }

    /// Refuses to start what could not run: a plugin that is missing or not trusted.
    fn require_plugins(&self, workflow: &Workflow, options: &RunOptions) -> Result<(), EngineError> {
        let launch = &options.launch;
        let stages = workflow.with_nested().into_iter().flat_map(|workflow| &workflow.stages);
        for stage in stages.filter(|stage| stage.uses.is_none()) {
            let launcher = launch.forced.as_ref().or(stage.launcher.as_ref()).or(launch.preferred.as_ref());
            let launcher = launcher.filter(|_| stage.stage_type == "agent").map(String::as_str);
            self.plugins().find(&stage.stage_type, launcher)?;
        }
        Ok(())
    }

    /// Makes the plugins of a definition ready on a thread beside the one that reads it: docket's own ones whose stage
    /// types its text mentions, and of the launchers the one that is likely to be used.
    pub fn warm_up(self: &Arc<Self>, name: &str, launch: &LaunchWishes) {
        let Ok(Some(found)) = self.library().definition(name) else { return };
        let launcher =
            self.launch_settings(launch).ok().and_then(|settings| settings.forced.or(settings.preferred));
        let engine = Arc::clone(self);
        std::thread::spawn(move || {
            let is_likely = |plugin: &Plugin| {
                let is_mentioned =
                    plugin.manifest.stages.iter().any(|stage| found.text.contains(&stage.stage_type));
                let is_launcher = plugin.manifest.launcher.is_none() || plugin.manifest.launcher == launcher;
                plugin.origin == PluginOrigin::BuiltIn && is_mentioned && is_launcher
            };
            for plugin in engine.plugins().usable.plugins().iter().filter(|plugin| is_likely(plugin)) {
                engine.runtime.prepare(plugin, &engine.setting().limits);
            }
        });
    }

    fn new_folder(&self) -> Result<(RunFolder, Ownership), EngineError> {
        for _ in 0..ID_TRIES {
            let id = new_id()?;
            if let Some(folder) = RunFolder::create(&self.setting().project, &id)? {
                let ownership = folder.own()?;
                return Ok((folder, ownership));
            }
        }
        Err(EngineError::Bug(format!("BUG: {ID_TRIES} random ids in a row were taken")))
    }
}

fn new_id() -> Result<String, EngineError> {
    let bytes = random::<ID_LENGTH>()?;
    let letters = bytes.iter().map(|byte| char::from(ID_ALPHABET[usize::from(*byte) % ID_ALPHABET.len()]));
    Ok(ID_PREFIX.chars().chain(letters).collect())
}

/// Bytes that nobody can guess.
pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], EngineError> {
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes).map_err(|cause| {
        let cause = std::io::Error::other(cause.to_string());
        EngineError::Store(StoreError::io("can't read random bytes from", Path::new("the system"))(cause))
    })?;
    Ok(bytes)
}
