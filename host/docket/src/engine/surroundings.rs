//! What definitions are checked against: today's files and plugins for a new run, the run's own snapshot for one
//! that goes on.

use std::cell::RefCell;

use docket_core::definition::{ConfigFault, FoundWorkflow, StageType, Surroundings};
use docket_core::run::NewRun;
use serde_json::Value;

use super::Plugins;
use crate::disk::DiskError;
use crate::plugin::{Limits, Runtime};
use crate::store::StoreError;
use crate::store::definitions::{Found, Library};

/// Today's files, and what today's plugins say in their manifests; plugins that are not trusted count, too.
pub(super) struct Today<'a> {
    library: Library<'a>,
    plugins: &'a Plugins,
    /// How trusted plugins are asked about configs. Without it, nothing of any plugin is run.
    asked: Option<(&'a Runtime, &'a Limits)>,
    /// The first file that is there and can't be believed. The fault that the definition gets for it would mislead.
    refused: RefCell<Option<StoreError>>,
}

impl<'a> Today<'a> {
    /// Files and manifests alone; no plugin is asked anything.
    pub(super) fn new(library: Library<'a>, plugins: &'a Plugins) -> Self {
        Self { library, plugins, asked: None, refused: RefCell::default() }
    }

    /// The same, and plugins that are trusted are asked about configs.
    pub(super) fn asking(self, runtime: &'a Runtime, limits: &'a Limits) -> Self {
        Self { asked: Some((runtime, limits)), ..self }
    }

    /// The file that was refused, if one was: what is said of the definition then is not all there is to say.
    pub(super) fn into_refused(self) -> Option<StoreError> {
        self.refused.into_inner()
    }

    fn found(&self, found: Result<Option<Found>, StoreError>) -> Option<Found> {
        found.unwrap_or_else(|error| {
            self.pass_over(error);
            None
        })
    }

    fn pass_over(&self, error: StoreError) {
        if matches!(error, StoreError::Disk(DiskError::Unsafe { .. })) {
            self.refused.borrow_mut().get_or_insert(error);
        }
    }
}

impl Surroundings for Today<'_> {
    fn stage_types(&self) -> Vec<StageType> {
        let mut types = self.plugins.usable.stage_types();
        // What is trusted comes first: a file that appears in a project must not turn definitions faulty. A start
        // still refuses a type that a plugin which is not trusted would serve.
        for untrusted in self.plugins.untrusted.iter().flat_map(|(plugin, _)| plugin.manifest.stage_types()) {
            if !types.iter().any(|other| other.name == untrusted.name) {
                types.push(untrusted);
            }
        }
        types
    }

    fn launchers(&self) -> Vec<String> {
        let untrusted =
            self.plugins.untrusted.iter().filter_map(|(plugin, _)| plugin.manifest.launcher.clone());
        self.plugins.usable.launchers().into_iter().chain(untrusted).collect()
    }

    fn template(&self, name: &str) -> Option<String> {
        self.found(self.library.template(name)).map(|found| found.text)
    }

    fn template_names(&self) -> Vec<String> {
        self.library.names_below("templates")
    }

    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        match self.library.schema(name) {
            Ok(None) => None,
            Ok(Some(found)) => Some(serde_json::from_str(&found.text).map_err(|cause| cause.to_string())),
            Err(error) => {
                let detail = error.to_string();
                self.pass_over(error);
                Some(Err(detail))
            }
        }
    }

    fn schema_names(&self) -> Vec<String> {
        let name = |path: String| path.strip_prefix("schemas/").map(str::to_owned);
        self.library.names_below("schemas").into_iter().filter_map(name).collect()
    }

    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        let found = self.found(self.library.definition(name))?;
        Some(FoundWorkflow { origin: found.origin.shown(), text: found.text })
    }

    fn workflow_names(&self) -> Vec<String> {
        self.library.definition_names().into_iter().map(|(name, _)| name).collect()
    }

    fn config_faults(&self, stage_type: &str, launcher: Option<&str>, config: &Value) -> Vec<ConfigFault> {
        // Which launcher will run an agent is known only at the start, unless the definition says; and a plugin that
        // is not trusted is not run for anything.
        if stage_type == "agent" && launcher.is_none() {
            return Vec::new();
        }
        let launcher = launcher.filter(|_| stage_type == "agent");
        let Some((runtime, limits)) = self.asked else { return Vec::new() };
        let Ok(Some(plugin)) = self.plugins.find(stage_type, launcher) else { return Vec::new() };
        let limits = plugin.rights.limits.raise(*limits);
        runtime.check(plugin, stage_type, config, &limits).unwrap_or_else(|failure| {
            vec![ConfigFault { pointer: String::new(), message: failure.message, hint: failure.hint }]
        })
    }
}

/// What a run was started with.
pub(super) struct Snapshot<'a>(pub(super) &'a NewRun);

impl Surroundings for Snapshot<'_> {
    fn stage_types(&self) -> Vec<StageType> {
        let stage_type = |stage: &docket_core::run::StageSnapshot| StageType {
            name: stage.name.clone(),
            config: stage.config.clone(),
            result: stage.result.clone(),
        };
        self.0.stage_types.iter().map(stage_type).collect()
    }

    fn launchers(&self) -> Vec<String> {
        self.0.launchers.clone()
    }

    fn template(&self, name: &str) -> Option<String> {
        self.0.templates.get(name).cloned()
    }

    fn template_names(&self) -> Vec<String> {
        self.0.templates.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        self.0.schemas.get(name).cloned().map(Ok)
    }

    fn schema_names(&self) -> Vec<String> {
        self.0.schemas.keys().cloned().collect()
    }

    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        let found = self.0.workflows.get(name)?;
        Some(FoundWorkflow { origin: found.origin.clone(), text: found.text.clone() })
    }

    fn workflow_names(&self) -> Vec<String> {
        self.0.workflows.keys().cloned().collect()
    }
}
