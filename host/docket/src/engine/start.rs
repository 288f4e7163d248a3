//! Starting a run: inputs, trust, launchers, the run's folder and its first record.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use docket_core::definition::{
    InputError, InputKind, InputSpec, RunFacts, Workflow, settle_inputs, stage_names,
};
use docket_core::run::{NewRun, RunOptions, StageSnapshot, create, seal};
use serde_json::Value;

use super::check::Definition;
use super::drive::{Driver, Owned};
use super::{Engine, EngineError, Interrupt, LaunchWishes, Observer, now};
use crate::plugin::{Plugin, PluginOrigin};
use crate::store::journal::JournalFile;
use crate::store::run_folder::ID_PREFIX;
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
        let inputs = self.inputs(&workflow.inputs, start.inputs)?;
        let options = RunOptions { launch: self.launch_settings(&start.launch)?, dry_run: start.dry_run };
        self.require_plugins(&workflow, &options)?;
        let date = jiff::Zoned::now().date().to_string();
        let (folder, ownership) = self.new_folder()?;
        let facts = RunFacts {
            workflow_id: folder.id().to_owned(),
            date: date.clone(),
            workflow: workflow.name.clone(),
        };
        let names = match stage_names(&workflow, &inputs, &facts) {
            Ok(names) => names,
            Err(error) => {
                folder.discard();
                return Err(EngineError::Expression(error));
            }
        };
        let mut new = self.new_run(definition, &workflow, folder.id(), names, inputs, date, options);
        let key = self.setting().home.key(random()?)?;
        new.seal = seal(&key, &new).map_err(|cause| EngineError::Bug(format!("BUG: {cause}")))?;
        let at = now();
        folder.write_derived("definition.yml", new.text.as_bytes())?;
        folder.write_derived("inputs.json", &serde_json::to_vec_pretty(&new.inputs).unwrap_or_default())?;
        let (state, decision) = create(&workflow, new, at);
        let mut journal = JournalFile::create(&folder.journal())?;
        journal.append(at, &decision)?;
        journal.sync_name()?;
        let owned = Owned { folder, ownership, journal, workflow, state };
        let mut driver = Driver::new(self, owned, observer, interrupt);
        driver.recorded(at, decision)?;
        Ok(driver)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "these are the parts of a run's first record, each from elsewhere"
    )]
    fn new_run(
        &self,
        definition: &Definition,
        workflow: &Workflow,
        id: &str,
        stages: Vec<String>,
        inputs: BTreeMap<String, Value>,
        date: String,
        options: RunOptions,
    ) -> NewRun {
        let used = |name: &String| workflow.stages.iter().any(|stage| stage.stage_type == *name);
        let types = self.plugins().usable.stage_types().into_iter().filter(|stage| used(&stage.name));
        NewRun {
            run: id.to_owned(),
            definition: definition.name.clone(),
            workflow: workflow.name.clone(),
            origin: definition.found.origin.shown(),
            text: definition.found.text.clone(),
            templates: workflow.templates.clone(),
            schemas: workflow.schemas.clone(),
            stage_types: types
                .map(|stage| StageSnapshot { name: stage.name, config: stage.config, result: stage.result })
                .collect(),
            launchers: self.plugins().usable.launchers(),
            stages,
            inputs,
            date,
            options,
            docket: env!("CARGO_PKG_VERSION").to_owned(),
            by: self.setting().actor.clone(),
            seal: String::new(),
        }
    }

    /// Checks inputs, fills in defaults, and makes project paths of files and folders.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn inputs(
        &self,
        specs: &[InputSpec],
        given: BTreeMap<String, Value>,
    ) -> Result<BTreeMap<String, Value>, EngineError> {
        let (mut inputs, mut errors) = settle_inputs(specs, given);
        for spec in specs {
            let is_folder = matches!(spec.kind, InputKind::Directory);
            if !is_folder && !matches!(spec.kind, InputKind::File) {
                continue;
            }
            let Some(Value::String(text)) = inputs.get(&spec.name) else { continue };
            match self.existing(text, is_folder) {
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

    fn existing(&self, text: &str, is_folder: bool) -> Result<String, String> {
        let setting = self.setting();
        let from_here = |folder: &Path| setting.project.path(text, folder).map_err(|error| error.to_string());
        let path = from_here(&setting.folder)?;
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
        for stage in &workflow.stages {
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

    fn new_folder(&self) -> Result<(RunFolder, crate::store::run_folder::Ownership), EngineError> {
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
