//! `docket workflow pause|resume|cancel|submit|approve|reject|retry`.

use std::io::Read as _;

use docket_core::Budget;
use docket_core::run::Actor;
use serde_json::Value;

use super::interrupt;
use super::start::finish;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::observer::Shown;
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::DoneShape;
use crate::engine::control::{Answered, look};
use crate::engine::{Engine, Stopped};
use crate::store::inbox::Request;
use crate::store::snapshot::ShownStatus;
use crate::store::{RunFolder, user_file};

/// Largest answer that is read.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
/// What an answer can be.
const ANSWER_HINT: &str = "name a file with the answer as JSON, or `-` for standard input";

/// `docket workflow pause RUN`
pub(super) fn pause(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let told = |owner: bool| {
        if owner { "will pause after the current stage" } else { "is paused" }
    };
    ask(settings, run, |by| Request::Pause { by }, told, Quiet::Yes, ui)
}

/// `docket workflow resume RUN`
pub(super) fn resume(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    ask(settings, run, |by| Request::Resume { by }, |_| "is running", Quiet::No, ui)
}

/// `docket workflow cancel RUN`
pub(super) fn cancel(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    ask(settings, run, |by| Request::Cancel { by }, |_| "is cancelled", Quiet::Yes, ui)
}

/// `docket workflow submit RUN --file FILE`
pub(super) fn submit(
    settings: &Settings,
    run: &str,
    file: &str,
    stage: Option<String>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    // An answer may be an approval.
    settings.refuse_agents("docket workflow submit")?;
    let value = answer(settings, file)?;
    let told = |_| "has the answer and goes on";
    ask(settings, run, |by| Request::Submit { stage, value, by }, told, Quiet::No, ui)
}

/// What is said with an approval.
pub(super) struct Approval {
    pub(super) stage: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) form: Option<String>,
}

/// `docket workflow approve RUN`
pub(super) fn approve(
    settings: &Settings,
    run: &str,
    approval: Approval,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket workflow approve")?;
    let Approval { stage, comment, form } = approval;
    let form = form.map(|file| answer(settings, &file)).transpose()?;
    let told = |_| "has your approval and goes on";
    ask(settings, run, |by| Request::Approve { stage, comment, form, by }, told, Quiet::No, ui)
}

/// What is said with a rejection.
pub(super) struct Rejection {
    pub(super) stage: Option<String>,
    pub(super) to: Option<String>,
    pub(super) comment: Option<String>,
}

/// `docket workflow reject RUN`
pub(super) fn reject(
    settings: &Settings,
    run: &str,
    rejection: Rejection,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket workflow reject")?;
    let Rejection { stage, to, comment } = rejection;
    let told = |_| "has your rejection";
    ask(settings, run, |by| Request::Reject { stage, to, comment, by }, told, Quiet::No, ui)
}

/// `docket workflow retry RUN`
pub(super) fn retry(
    settings: &Settings,
    run: &str,
    from: Option<String>,
    budget: Budget,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    if !budget.is_unlimited() {
        // Whoever is to be kept to a budget does not raise it.
        settings.refuse_agents("docket workflow retry with a budget")?;
    }
    ask(settings, run, |by| Request::Retry { from, budget, by }, |_| "tries again", Quiet::No, ui)
}

/// Whether success is told by this command itself, or by the run it drives.
#[derive(PartialEq, Eq)]
enum Quiet {
    Yes,
    No,
}

fn ask(
    settings: &Settings,
    run: &str,
    request: impl FnOnce(Actor) -> Request,
    told: impl FnOnce(bool) -> &'static str,
    quiet: Quiet,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let engine = settings.engine()?;
    let named = RunFolder::find(&engine.setting().project, run)?;
    let mut request = request(settings.actor());
    if let Request::Retry { budget, .. } = &request {
        engine.refuse_above_settings(*budget)?;
    }
    let folder = address(&engine, named.clone(), &mut request)?;
    if matches!(request, Request::Pause { .. }) && look(&folder)?.1.status == ShownStatus::Interrupted {
        return Err(CliError::mistake(
            format!("{} is not running: the docket that ran it died", folder.id()),
            format!("continue it with `{}`", crate::cli::resume_command(folder.id())),
        ));
    }
    let interrupt = interrupt()?;
    let answered = {
        let mut shown = Shown::new(ui);
        let answered = engine.ask(&folder, request, &mut shown, interrupt.clone())?;
        // A parent whose docket died could not be told that its child went on.
        let settled = matches!(answered, Answered::Here { stopped: Stopped::Settled, .. });
        if settled && folder.id() != named.id() && look(&named)?.1.status == ShownStatus::Interrupted {
            engine.ask(&named, Request::Resume { by: settings.actor() }, &mut shown, interrupt)?
        } else {
            answered
        }
    };
    let tell = |ui: &mut Ui, words: &str| {
        let text = format!("{} {words}", folder.id());
        ui.result(&text, &DoneShape { done: text.clone() })
    };
    match answered {
        Answered::ByOwner => {
            tell(ui, told(true))?;
            Ok(ExitCode::Done)
        }
        Answered::Here { .. } if quiet == Quiet::Yes => {
            let (_, snapshot) = look(&folder)?;
            tell(ui, if snapshot.status == ShownStatus::Completed { "completed" } else { told(false) })?;
            Ok(ExitCode::Done)
        }
        Answered::Here { state, stopped } => finish(&state, stopped, ui),
    }
}

/// Passes an answer on to the run it is meant for, which may be a sub-workflow's.
fn address(engine: &Engine, folder: RunFolder, request: &mut Request) -> Result<RunFolder, CliError> {
    let (Request::Submit { stage, .. } | Request::Approve { stage, .. } | Request::Reject { stage, .. }) =
        request
    else {
        return Ok(folder);
    };
    let (folder, named) = engine.addressed(folder, stage.take())?;
    *stage = named;
    Ok(folder)
}

/// Reads an answer: JSON from a file or from standard input.
fn answer(settings: &Settings, file: &str) -> Result<Value, CliError> {
    let text = if file == "-" {
        let mut text = String::new();
        std::io::stdin().take(MAX_ANSWER).read_to_string(&mut text).map_err(|cause| {
            CliError::mistake(format!("standard input can't be read: {cause}"), ANSWER_HINT)
        })?;
        text
    } else {
        user_file::read(&settings.folder.join(file), MAX_ANSWER)
            .map_err(|error| CliError::mistake(error.to_string(), ANSWER_HINT))?
    };
    serde_json::from_str(&text).map_err(|cause| {
        let line = text.lines().nth(cause.line().saturating_sub(1)).unwrap_or_default();
        let line: String = line.chars().take(120).collect();
        CliError::mistake(
            format!(
                "{file} is no JSON: {cause}\n  {:>4} | {}",
                cause.line(),
                docket_core::text::printable(&line)
            ),
            "the answer is one JSON value, without Markdown around it; nothing was recorded",
        )
    })
}
