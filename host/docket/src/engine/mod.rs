//! Making runs happen: loads what a run needs, records what `docket-core` decides, carries out its effects.
//!
//! Must not print, read the environment or know exit codes: what it needs to know comes in through [`Setting`], what
//! there is to tell goes out through [`Observer`] and [`EngineError`].

mod addressed;
pub mod agent_survey;
mod agents;
pub mod alone;
pub mod archive;
pub mod check;
pub mod conformance;
pub mod control;
mod definition_asks;
mod derived;
pub mod document;
mod drive;
mod error;
pub mod installed;
mod launch;
mod masked;
mod messages;
pub mod plugins;
mod promise;
mod prompt;
mod purse;
pub mod request;
pub mod resolution;
pub mod rights;
pub mod self_approval;
mod spending;
mod stage;
pub mod start;
mod sub_run;
mod surroundings;
pub mod tasks;
pub mod transcript;
pub mod trust;
pub mod verify;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_core::Timestamp;
use docket_core::run::{Actor, Event, RunState, Usage};

use crate::plugin::{Limits, Runtime};
use crate::store::config::{HomeConfig, ProjectConfig};
use crate::store::definitions::Library;
use crate::store::{Home, Project};
use docket_core::run::Notice;

pub use drive::Stopped;
pub use error::{EngineError, Untrusted};
pub use plugins::Plugins;
pub use resolution::LaunchWishes;

/// What the engine works in. Made once, from flags, environment and settings files.
pub struct Setting {
    /// The project.
    pub project: Project,
    /// The user's folders.
    pub home: Home,
    /// The user's settings.
    pub home_config: HomeConfig,
    /// The project's settings.
    pub project_config: ProjectConfig,
    /// Limits of stages.
    pub limits: Limits,
    /// docket's environment, for looking up commands and for what profiles let commands see.
    pub environment: BTreeMap<String, String>,
    /// Where the user is.
    pub folder: PathBuf,
    /// Who the user is.
    pub actor: Actor,
}

/// The engine.
pub struct Engine {
    setting: Setting,
    plugins: Plugins,
    runtime: Runtime,
}

/// Hears what happens to a run while it happens.
pub trait Observer {
    /// Something was recorded.
    fn event(&mut self, state: &RunState, event: &Event, at: Timestamp);
    /// A running stage says something.
    fn notice(&mut self, stage: &str, notice: &Notice);
    /// The definition says something to the user.
    fn notify(&mut self, message: &str);
    /// What the run has used by now, those of its stages included that are at work.
    fn used(&mut self, total: &Usage) {
        let _ = total;
    }
    /// Called many times a second while nothing happens.
    fn idle(&mut self, state: &RunState);
}

/// Tells the engine that the user wants out (Ctrl-C).
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// The flag, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Whether the user wants out.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Engine {
    /// Loads plugins and makes ready to run them.
    ///
    /// # Errors
    /// When trust can't be read or docket's own plugins can't be.
    pub fn new(setting: Setting) -> Result<Arc<Self>, EngineError> {
        let plugins = Plugins::load(Some(&setting.project), &setting.home, setting.limits.component)?;
        let home = setting.home.clone();
        let key = Box::new(move || home.cache_key(start::random().ok()?).ok());
        let runtime = Runtime::new(setting.home.cache(), key, setting.limits.stack);
        Ok(Arc::new(Self { setting, plugins, runtime }))
    }

    /// What it works in.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The plugins there are.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// Whether [`Self::optimize`] has something to do.
    pub fn needs_optimizing(&self) -> bool {
        self.plugins.usable.plugins().iter().any(|plugin| self.runtime.needs_optimizing(plugin))
    }

    /// Compiles docket's own plugins with the optimising compiler, once per version and machine: a second or two now,
    /// for faster stages ever after.
    ///
    /// # Errors
    /// When one can't be compiled; it runs unoptimised then.
    pub fn optimize(&self) -> Result<(), EngineError> {
        let limits = &self.setting.limits;
        let mut needy =
            self.plugins.usable.plugins().iter().filter(|plugin| self.runtime.needs_optimizing(plugin));
        needy.try_for_each(|plugin| self.runtime.optimize(plugin, limits)).map_err(EngineError::Failed)
    }

    /// Where definitions, templates and schemas are found.
    pub fn library(&self) -> Library<'_> {
        library(&self.setting.project, &self.setting.home)
    }
}

/// Where definitions, templates and schemas are found.
pub fn library<'a>(project: &'a Project, home: &'a Home) -> Library<'a> {
    Library::new(Some(project), home, crate::embedded::WORKFLOWS)
}

/// Where definitions are found outside a project.
pub fn library_without_project(home: &Home) -> Library<'_> {
    Library::new(None, home, crate::embedded::WORKFLOWS)
}

/// The time. The one place the engine asks for it.
fn now() -> Timestamp {
    Timestamp::now()
}
