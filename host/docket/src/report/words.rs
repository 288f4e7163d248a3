//! Events and refusals in words.

use docket_core::run::{ClaimRefusal, Event, Refusal, RunState};

/// An event's log level and words. Texts in them that come from plugins may still hold control characters.
pub fn of(state: &RunState, event: &Event) -> (&'static str, String) {
    let stages = &state.stages;
    let run = &state.start;
    match event {
        Event::RunCreated(start) => {
            let version = &start.docket;
            (
                "info",
                format!(
                    "run {} of '{}' ({}) started by {} with docket {version}",
                    start.run, start.workflow, start.origin, start.by
                ),
            )
        }
        Event::StageStarted { attempt, child: None, .. } => ("info", format!("started (attempt {attempt})")),
        Event::StageStarted { attempt, child: Some(child), .. } => {
            ("info", format!("started as run {child} (attempt {attempt})"))
        }
        Event::StageExpanded { items, .. } => ("info", format!("is run for {} items", items.len())),
        Event::StageGathered { .. } => ("info", "completed: all items are over".to_owned()),
        Event::StageSentBack { to, comment, by, .. } => {
            let to = stages.get(*to).map_or("?", |stage| stage.name.as_str());
            let said = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
            ("warn", format!("{} sent the work back to {to}{said}", by))
        }
        Event::RetryRequested { by, reset, budget, .. } => {
            let names: Vec<&str> =
                reset.iter().filter_map(|stage| Some(stages.get(*stage)?.name.as_str())).collect();
            let given = if budget.is_unlimited() {
                String::new()
            } else {
                format!(", with a budget of {}", super::usage::budget(budget))
            };
            ("info", format!("{} asked for another attempt at {}{given}", by, names.join(", ")))
        }
        Event::StageCompleted { result, change_set, plugin, answered_by, .. } => {
            let how = match (plugin, answered_by) {
                (_, Some(actor)) if is_approval(result) => {
                    let said = result.get("comment").and_then(serde_json::Value::as_str);
                    let said = said.map(|comment| format!(": {comment}")).unwrap_or_default();
                    format!("approved by {}{said}", actor)
                }
                (_, Some(actor)) => format!("completed by the answer of {}", actor),
                (Some(plugin), None) => format!("completed by plugin {} {}", plugin.name, plugin.version),
                (None, None) => "completed".to_owned(),
            };
            let verb = if run.options.dry_run { "would write" } else { "writes" };
            let files =
                change_set.iter().flat_map(|changes| &changes.files).map(|change| change.path.as_str());
            let files: Vec<&str> = files.collect();
            let files =
                if files.is_empty() { String::new() } else { format!("; {verb} {}", files.join(", ")) };
            ("info", format!("{how}{files}"))
        }
        Event::StageWaiting { .. } => ("info", "waits for an answer".to_owned()),
        Event::StageFailed { failure, retry_at: Some(at), .. } => {
            ("warn", format!("failed: {} [{}]; it is tried again at {at:.0}", failure.message, failure.code))
        }
        Event::StageFailed { failure, .. } => {
            ("error", format!("failed: {} [{}]", failure.message, failure.code))
        }
        Event::StageSkipped { reason, .. } => ("info", format!("skipped: {reason}")),
        Event::ChangesApplied { .. } => ("info", "its files are written".to_owned()),
        Event::ChangesConflicted { failure, reverted, .. } => {
            let names: Vec<&str> =
                reverted.iter().filter_map(|stage| Some(stages.get(*stage)?.name.as_str())).collect();
            let back =
                if names.is_empty() { String::new() } else { format!("; {} waits for it", names.join(", ")) };
            ("warn", format!("{} [{}]{back}", failure.message, failure.code))
        }
        Event::PauseRequested { by } => ("info", format!("{} asked for a pause", by)),
        Event::RunPaused => ("info", "paused".to_owned()),
        Event::RunResumed { by } => ("info", format!("resumed by {}", by)),
        Event::RunWaiting => ("info", "waits".to_owned()),
        Event::RunCompleted { .. } => ("info", "completed".to_owned()),
        Event::RunFailed { failure } => ("error", format!("failed: {} [{}]", failure.message, failure.code)),
        Event::RunCancelled { by, .. } => ("warn", format!("cancelled by {}", by)),
    }
}

/// Whether the answer to a question is an approval.
pub fn is_approval(answer: &serde_json::Value) -> bool {
    answer.get("approved") == Some(&serde_json::Value::Bool(true))
}

/// A stage's name as an argument that can be pasted into a shell.
fn argument(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// Whether a refusal is a conflict (rather than a mistake), and what can be done about it.
pub fn refusal(refusal: &Refusal) -> (bool, Option<String>) {
    match refusal {
        Refusal::OtherAnswer { run, stage } => (
            true,
            Some(format!(
                "the first answer counts: `docket workflow results {run}` shows it; `docket workflow retry {run} --from {}` has the stage done again",
                argument(stage)
            )),
        ),
        Refusal::Decided { run, stage, .. } => (
            true,
            Some(format!(
                "the first decision counts; `docket workflow retry {run} --from {}` asks again",
                argument(stage)
            )),
        ),
        Refusal::FormMissing { run, .. } => (
            false,
            Some(format!(
                "give it with `--form FILE`, as JSON; `docket workflow status {run}` says what it asks for"
            )),
        ),
        Refusal::NoForm { .. } => (false, Some("leave out `--form`; nothing was recorded".to_owned())),
        Refusal::Over { run, status: "completed" } => {
            (false, Some(format!("`docket workflow results {run}` shows what came of it")))
        }
        Refusal::Over { run, .. } => {
            (false, Some(format!("`docket workflow retry {run}` does again what did not complete")))
        }
        Refusal::NothingWaits { run }
        | Refusal::NothingToApprove { run }
        | Refusal::NotWaiting { run, .. } => {
            (false, Some(format!("`docket workflow status {run}` shows where it stands")))
        }
        Refusal::Ambiguous { .. } => (false, Some("name one with `--stage`".to_owned())),
        Refusal::NoSuchStage { stage, stages, .. } => (
            false,
            Some(match docket_core::definition::closest(stage, stages.iter().map(String::as_str)) {
                Some(similar) => format!("did you mean '{similar}'?"),
                None => format!("its stages are: {}", stages.join(", ")),
            }),
        ),
        Refusal::NoApproval { run, .. } => {
            (false, Some(format!("`docket workflow submit {run}` answers stages of other types")))
        }
        Refusal::CannotSendBack { stages, .. } if stages.is_empty() => {
            (false, Some("it builds on no stage; reject without `--to`".to_owned()))
        }
        Refusal::CannotSendBack { stages, .. } => {
            (false, Some(format!("send it back to one of: {}", stages.join(", "))))
        }
        Refusal::Busy { run, .. } => (
            true,
            Some(format!(
                "wait until it is over (`docket workflow status {run}`), or pause or cancel the run first"
            )),
        ),
        Refusal::NothingToRetry { stages, .. } => {
            (false, Some(format!("name a stage with `--from`: {}", stages.join(", "))))
        }
        Refusal::BudgetTooSmall { run, .. } => {
            (false, Some(format!("give more than that; `docket workflow status {run}` shows what was used")))
        }
        Refusal::BadAnswer { .. } => {
            (false, Some("correct the file and give it again; nothing was recorded".to_owned()))
        }
    }
}

/// Whether a refused claim is a conflict (rather than a mistake), and what can be done about it.
pub fn claim_refusal(refusal: &ClaimRefusal) -> (bool, String) {
    match refusal {
        ClaimRefusal::Taken { .. } => {
            (true, "wait until it runs out or is given back, or take another task".to_owned())
        }
        ClaimRefusal::NotHeld { .. } => (true, "ask for the task again; nothing was recorded".to_owned()),
        ClaimRefusal::Lease { .. } => (false, "leave it out for half an hour".to_owned()),
    }
}
