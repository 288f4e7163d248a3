//! Somebody answers a question.

use serde_json::Value;

use super::approval::APPROVAL;
use super::control::refuse_when_over;
use super::{Draft, Refusal, advance};
use crate::run::{Actor, Event, StageStatus, Usage, validate, validate_against};

/// What a stage does whose sub-workflow waits: only the sub-workflow's run can be answered.
const WAITING_FOR_A_RUN: &str = "waiting for the run of its workflow";

/// Takes an answer as the stage's result. The same answer again changes nothing and is no error, so that whoever
/// could not see whether the first one arrived can simply repeat it.
pub(super) fn answer(
    draft: &mut Draft<'_>,
    stage: Option<&str>,
    value: Value,
    by: Actor,
) -> Result<(), Refusal> {
    let position = find(draft, stage, &value, &by)?;
    let value = completed(draft, position, value, &by);
    let now = &draft.state.stages[position];
    if now.status != StageStatus::Waiting {
        return match &now.result {
            Some(result) if now.answered_by.is_some() && *result == value => Ok(()),
            _ => Err(not_waiting(draft, position)),
        };
    }
    if draft.definition(position).uses.is_some() {
        let (run, stage) = (draft.run(), now.name.clone());
        return Err(Refusal::NotWaiting { run, stage, status: WAITING_FOR_A_RUN });
    }
    take(draft, position, value, by)
}

/// An answer to a stage that asks for approval is as complete as an approval: it says who gave it.
fn completed(draft: &Draft<'_>, position: usize, mut value: Value, by: &Actor) -> Value {
    if draft.definition(position).stage_type == APPROVAL
        && let Some(fields) = value.as_object_mut()
    {
        fields.entry("comment").or_insert(Value::Null);
        fields.entry("by").or_insert_with(|| Value::from(by.user.as_str()));
    }
    value
}

/// Takes a value as the result of a stage that waits.
pub(super) fn take(draft: &mut Draft<'_>, position: usize, value: Value, by: Actor) -> Result<(), Refusal> {
    refuse_when_over(draft)?;
    let asked = draft.state.stages[position].question.as_ref().and_then(|question| question.schema.as_ref());
    asked
        .map_or(Ok(()), |schema| validate_against(schema, &value))
        .and_then(|()| validate(draft.workflow, draft.definition(position), &value))
        .map_err(|failure| Refusal::BadAnswer { failure: Box::new(failure) })?;
    draft.record(Event::StageCompleted {
        stage: position,
        result: value,
        change_set: None,
        plugin: None,
        usage: Usage::default(),
        answered_by: Some(by),
    });
    advance::advance(draft);
    Ok(())
}

/// Why a stage that does not wait takes no answer: it has another one, or never asked.
pub(super) fn not_waiting(draft: &Draft<'_>, position: usize) -> Refusal {
    let now = &draft.state.stages[position];
    let (run, stage) = (draft.run(), now.name.clone());
    if now.answered_by.is_some() {
        Refusal::OtherAnswer { run, stage }
    } else {
        Refusal::NotWaiting { run, stage, status: now.status.name() }
    }
}

/// Which stage is meant: the one named, else the only one that waits, else (for a repeated answer) the only one
/// that was answered, or that was answered with this very value.
fn find(draft: &Draft<'_>, stage: Option<&str>, value: &Value, by: &Actor) -> Result<usize, Refusal> {
    if let Some(name) = stage {
        return draft.find(name);
    }
    let stages = &draft.state.stages;
    let asks = |position: usize| draft.definition(position).uses.is_none();
    let fits = |wanted: &dyn Fn(&crate::run::StageState) -> bool| -> Vec<usize> {
        (0..stages.len()).filter(|position| asks(*position) && wanted(&stages[*position])).collect()
    };
    let waiting = fits(&|stage| stage.status == StageStatus::Waiting);
    let answered = fits(&|stage| stage.answered_by.is_some());
    let names =
        |positions: &[usize]| positions.iter().map(|position| stages[*position].name.clone()).collect();
    let is_same = |position: &&usize| {
        stages[**position].result == Some(completed(draft, **position, value.clone(), by))
    };
    if let Some(same) = answered.iter().find(is_same) {
        // The same answer to the next question, or the last one repeated? Only whoever answers knows.
        return if waiting.is_empty() {
            Ok(*same)
        } else {
            let stages = names(&[&waiting[..], &[*same]].concat());
            Err(Refusal::Ambiguous { run: draft.run(), stages })
        };
    }
    match (waiting.as_slice(), answered.as_slice()) {
        ([single], _) | ([], [single]) => Ok(*single),
        ([], _) => Err(Refusal::NothingWaits { run: draft.run() }),
        (several, _) => Err(Refusal::Ambiguous { run: draft.run(), stages: names(several) }),
    }
}
