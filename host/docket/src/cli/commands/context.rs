//! `docket context`: does the work of a context stage by itself and shows what it found. Writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::interrupt;
use crate::cli::args::Output;
use crate::cli::context_args::ContextArguments;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::engine::Engine;
use crate::engine::alone::Task;
use crate::plugin::host::Cancel;
use crate::report::context;
use crate::store::{Project, list as runs};

/// The stage type that gathers context.
const STAGE_TYPE: &str = "context";
/// The strategy for a project as a whole.
const PROJECT_STRATEGY: &str = "session-start";
/// How often it is looked whether the user wants out.
const POLL: Duration = Duration::from_millis(50);
/// Most runs that a session is told about.
const MAXIMUM_RUNS: usize = 50;

/// `docket context [DOCUMENT]`
pub(super) fn context(
    settings: &Settings,
    arguments: ContextArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let engine = settings.engine_to_read()?;
    let document = arguments.document.as_deref().map(|name| engine.document(name)).transpose()?;
    let is_session = match arguments.strategy.as_deref() {
        Some(strategy) => strategy == PROJECT_STRATEGY,
        None => document.is_none(),
    };
    if document.is_none() && !is_session {
        return Err(CliError::mistake(
            "there is no document to gather context for",
            "name one: docket context docs/rfcs/rfc-0002-x.md; or leave out --strategy for the project as a whole",
        ));
    }
    let mut inputs = BTreeMap::new();
    if is_session {
        inputs.insert("runs".to_owned(), open_runs(&engine.setting().project));
    }
    let cancel = Cancel::default();
    let task = Task {
        stage_type: STAGE_TYPE,
        config: config(arguments, document, is_session),
        inputs,
        notices: Arc::new(|_| {}),
        cancel: cancel.clone(),
    };
    let Some(package) = until_interrupted(&engine, task, &cancel)? else {
        return Ok(ExitCode::Interrupted);
    };
    match ui.output() {
        Output::Human => ui.data(&context::text(&package))?,
        output => ui.json(&package, output == Output::Json)?,
    }
    Ok(ExitCode::Done)
}

/// What the stage is asked for; what the user did not say is left to it.
fn config(arguments: ContextArguments, document: Option<String>, is_session: bool) -> Value {
    let mut config = serde_json::Map::new();
    let strategy = arguments.strategy.or_else(|| is_session.then(|| PROJECT_STRATEGY.to_owned()));
    config.extend(document.map(|target| ("target".to_owned(), json!(target))));
    config.extend(strategy.map(|strategy| ("strategy".to_owned(), json!(strategy))));
    config.extend(arguments.budget.map(|budget| ("budget".to_owned(), json!(budget))));
    if !arguments.include.is_empty() {
        config.insert("include".to_owned(), json!(arguments.include));
    }
    Value::Object(config)
}

/// Runs of the project that are not over. A stage can't see them: where runs are kept is not for plugins.
fn open_runs(project: &Project) -> Value {
    if !Project::is_project(project.root()) {
        return json!([]);
    }
    // A list that can't be read is a matter of `docket workflow list`.
    let (found, _) = runs::list(project).unwrap_or_default();
    let open = found.into_iter().filter(|run| !run.status.is_over()).take(MAXIMUM_RUNS);
    let shown = |run: runs::RunSummary| {
        json!({
            "run": run.id,
            "workflow": run.definition,
            "status": run.status,
            "updated": run.updated_at.to_string(),
        })
    };
    open.map(shown).collect()
}

/// Does the task; Ctrl-C ends it and what it started.
fn until_interrupted(engine: &Engine, task: Task<'_>, cancel: &Cancel) -> Result<Option<Value>, CliError> {
    let interrupt = interrupt()?;
    let (done, is_done) = channel::<()>();
    let found = std::thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                if interrupt.is_set() {
                    cancel.cancel();
                }
            }
        });
        let found = engine.do_alone(task);
        drop(done);
        found
    });
    Ok(found?)
}
