//! Somebody approves or rejects what a stage asks approval for.
//!
//! Both can be repeated: the same decision again changes nothing and is no error, the opposite one is a conflict.

use serde_json::{Value, json};

use super::control::refuse_when_over;
use super::{Draft, Refusal, advance, answer, rework};
use crate::run::{Actor, Event, Failure, StageState, StageStatus, Usage};

/// The stage type whose stages ask for approval.
pub(super) const APPROVAL: &str = "approval";
/// The failure of a stage that was rejected.
const REJECTED: &str = "rejected";

/// Approves: the stage completes with the comment and the form.
pub(super) fn approve(
    draft: &mut Draft<'_>,
    stage: Option<&str>,
    comment: Option<String>,
    form: Option<Value>,
    by: Actor,
) -> Result<(), Refusal> {
    let position = find(draft, stage)?;
    let now = &draft.state.stages[position];
    if now.status != StageStatus::Waiting {
        return if is_same_approval(now, comment.as_deref(), form.as_ref()) {
            Ok(())
        } else {
            Err(decided(draft, position, "rejected"))
        };
    }
    match (asks_for_form(now), &form) {
        (true, None) => return Err(Refusal::FormMissing { run: draft.run(), stage: now.name.clone() }),
        (false, Some(_)) => return Err(Refusal::NoForm { run: draft.run(), stage: now.name.clone() }),
        _ => {}
    }
    let mut value = json!({ "approved": true, "comment": comment, "by": by.user });
    if let (Some(form), Some(fields)) = (form, value.as_object_mut()) {
        fields.insert("form".to_owned(), form);
    }
    answer::take(draft, position, value, by)
}

/// Whether the question's schema requires a form.
fn asks_for_form(now: &StageState) -> bool {
    let schema = now.question.as_ref().and_then(|question| question.schema.as_ref());
    let required = schema.and_then(|schema| schema.get("required")?.as_array());
    required.is_some_and(|names| names.iter().any(|name| name == "form"))
}

/// Why a stage that was decided, or never asked, takes no decision. `opposite` is what the decision would be in conflict
/// with; one that only differs in what was said with it is another answer.
fn decided(draft: &Draft<'_>, position: usize, opposite: &'static str) -> Refusal {
    let now = &draft.state.stages[position];
    let was_rejected = now.failure.as_ref().is_some_and(|failure| failure.code == REJECTED);
    let decision = if was_rejected { REJECTED } else { "approved" };
    match &now.answered_by {
        Some(by) if decision == opposite => {
            Refusal::Decided { run: draft.run(), stage: now.name.clone(), decision, by: by.to_string() }
        }
        _ => answer::not_waiting(draft, position),
    }
}

/// Whoever repeats an approval need not repeat what they said; if they do, it must be the same.
fn is_same_approval(now: &StageState, comment: Option<&str>, form: Option<&Value>) -> bool {
    let Some(result) = now.result.as_ref().filter(|_| now.answered_by.is_some()) else { return false };
    let said = result.get("comment").and_then(Value::as_str);
    comment.is_none_or(|comment| said == Some(comment))
        && form.is_none_or(|form| result.get("form") == Some(form))
}

/// Rejects: the stage fails, or the work of an earlier one is done again with the comment.
pub(super) fn reject(
    draft: &mut Draft<'_>,
    stage: Option<&str>,
    to: Option<&str>,
    comment: Option<String>,
    by: Actor,
) -> Result<(), Refusal> {
    let position = find(draft, stage)?;
    let to = to.map(|to| target(draft, position, to)).transpose()?;
    let now = &draft.state.stages[position];
    if now.status != StageStatus::Waiting {
        return if is_same_rejection(now, to, comment.as_deref()) {
            Ok(())
        } else {
            Err(decided(draft, position, "approved"))
        };
    }
    refuse_when_over(draft)?;
    match to {
        None => fail(draft, position, comment.as_deref(), by),
        Some(to) => {
            let work = rework::rework(draft, &[to]);
            rework::refuse_busy(draft, &work)?;
            let rework::Rework { reset, reopened } = work;
            draft.record(Event::StageSentBack { stage: position, to, comment, by, reset, reopened });
        }
    }
    advance::advance(draft);
    Ok(())
}

fn fail(draft: &mut Draft<'_>, stage: usize, comment: Option<&str>, by: Actor) {
    let failure = Failure::new(REJECTED, rejection(comment, &by))
        .hint("`docket workflow retry` asks again; `reject --to STAGE` would have sent the work back");
    draft.record(Event::StageFailed {
        stage,
        failure,
        plugin: None,
        usage: Usage::default(),
        retry_at: None,
        answered_by: Some(by),
    });
}

/// How a rejection is told.
fn rejection(comment: Option<&str>, by: &Actor) -> String {
    match comment {
        Some(comment) => format!("rejected by {by}: {comment}"),
        None => format!("rejected by {by}"),
    }
}

/// The decision that was taken already, as far as it is still known: the stage failed by it, or waits to be asked again
/// after the work was sent back. Whoever repeats it need not repeat the comment; if they do, it must be the same.
fn is_same_rejection(now: &StageState, to: Option<usize>, comment: Option<&str>) -> bool {
    match (to, &now.sent_back) {
        (None, _) => now.failure.as_ref().zip(now.answered_by.as_ref()).is_some_and(|(failure, by)| {
            failure.code == REJECTED
                && comment.is_none_or(|said| failure.message == rejection(Some(said), by))
        }),
        (Some(to), Some(sent)) => {
            // Decided in another way since then, it is that decision which counts.
            now.answered_by.is_none()
                && sent.to == to
                && comment.is_none_or(|said| sent.comment.as_deref() == Some(said))
        }
        (Some(_), None) => false,
    }
}

/// The stage that work is sent back to: one that the approval builds on.
fn target(draft: &Draft<'_>, approval: usize, to: &str) -> Result<usize, Refusal> {
    let position = draft.find(to)?;
    let definition = draft.state.stages[approval].definition;
    let builds_on = |stage: &StageState| rework::dependents(draft, &[stage.definition])[definition];
    if builds_on(&draft.state.stages[position]) {
        return Ok(position);
    }
    let choices = draft.state.current_stages().filter(|(_, stage)| builds_on(stage));
    Err(Refusal::CannotSendBack {
        stage: draft.state.stages[approval].name.clone(),
        to: to.to_owned(),
        stages: choices.map(|(_, stage)| stage.name.clone()).collect(),
    })
}

/// Which stage is meant: the one named, else the only one that waits for approval, else the only one that was decided.
fn find(draft: &Draft<'_>, stage: Option<&str>) -> Result<usize, Refusal> {
    let asks = |position: usize| draft.definition(position).stage_type == APPROVAL;
    if let Some(name) = stage {
        let position = draft.find(name)?;
        return if asks(position) {
            Ok(position)
        } else {
            Err(Refusal::NoApproval {
                run: draft.run(),
                stage: name.to_owned(),
                stage_type: draft.definition(position).stage_type.clone(),
            })
        };
    }
    let fits = |wanted: &dyn Fn(&StageState) -> bool| -> Vec<usize> {
        let stages = draft.state.current_stages().filter(|(position, now)| asks(*position) && wanted(now));
        stages.map(|(position, _)| position).collect()
    };
    let waiting = fits(&|now| now.status == StageStatus::Waiting);
    let decided = fits(&|now| {
        now.status != StageStatus::Waiting && (now.answered_by.is_some() || now.sent_back.is_some())
    });
    match (waiting.as_slice(), decided.as_slice()) {
        ([single], []) | ([], [single]) => Ok(*single),
        ([], _) => {
            refuse_when_over(draft)?;
            Err(Refusal::NothingToApprove { run: draft.run() })
        }
        // A decision on the next one, or the last one repeated? Only whoever decides knows.
        (several, decided) => Err(Refusal::Ambiguous {
            run: draft.run(),
            stages: several
                .iter()
                .chain(decided)
                .map(|position| draft.state.stages[*position].name.clone())
                .collect(),
        }),
    }
}
