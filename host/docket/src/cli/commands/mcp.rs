//! `docket mcp`: what the server works in, made of the settings this process was started with.

use std::sync::Arc;

use docket_core::run::Actor;

use crate::cli::args::{McpArguments, RunArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::{self, Ui};
use crate::engine::trust::log_denial;
use crate::engine::{Engine, EngineError, LaunchWishes};
use crate::mcp::{self, ServerError, Surroundings, Told};
use crate::store::Project;

/// `docket mcp`
pub(super) fn mcp(settings: Settings, arguments: &McpArguments, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let place = match settings.project() {
        Ok(project) => docket_core::text::printable(&project.root().display().to_string()),
        Err(_) => "no project here yet".to_owned(),
    };
    ui.say(&format!("docket speaks the Model Context Protocol on standard input and output ({place})"));
    let served = mcp::serve(Arc::new(Here(settings)), arguments.allow_approvals, ui::protocol);
    served.map(|()| ExitCode::Done).map_err(|error| match error {
        ServerError::Begin(_) => CliError::mistake(
            error.to_string(),
            "it is for programs: add it to an agent's settings (docs/guides/mcp.md)",
        ),
        error => CliError::Engine(EngineError::Bug(error.to_string())),
    })
}

/// What the server works in.
struct Here(Settings);

impl Here {
    fn told(error: &CliError) -> Told {
        let told = error.tell();
        let shape = serde_json::to_value(error.shape()).unwrap_or_default();
        Told { message: told.message, hint: told.hint, shape }
    }
}

impl Surroundings for Here {
    fn project(&self) -> Result<Project, Told> {
        self.0.project().map_err(|error| Self::told(&error))
    }

    fn engine(&self, by: Actor) -> Result<Arc<Engine>, Told> {
        self.0.engine_for(by).map_err(|error| Self::told(&error))
    }

    fn actor(&self) -> Actor {
        self.0.actor()
    }

    fn launch(&self, launcher: Option<String>, profile: Option<String>) -> LaunchWishes {
        self.0.launch(&RunArguments { launcher, profile, ..RunArguments::default() })
    }

    fn tell(&self, by: &Actor, error: EngineError) -> Told {
        let root = self.0.project().ok().map(|project| project.root().to_owned());
        log_denial(&self.0.home, root.as_deref(), by, &error);
        Self::told(&CliError::Engine(error))
    }
}
