//! Approving and rejecting: once, by whoever may, and never both.

use docket_core::run::{Ending, Event, Input, Question, Refusal, RunStatus};
use serde_json::json;

use crate::run::{Run, approve, me, reject, somebody_else, wait};

const OK: &str = "name: ok, type: approval";
const LAST: &str = "name: last, type: work";

/// A run whose only approval waits.
fn asking(stages: &[&str]) -> Run {
    let mut run = Run::of(stages);
    let before = stages.iter().take_while(|stage| **stage != OK).count();
    for position in 0..before {
        run.complete(position, json!({"draft": 1}));
    }
    run.wait(before);
    assert_eq!(run.state.status, RunStatus::Waiting);
    run
}

#[test]
fn an_approval_completes_the_stage_and_the_run_goes_on() {
    let mut run = asking(&[OK, LAST]);
    let decision = run.feed(approve(None, Some("fine")));
    assert!(decision.durable, "it must not get lost");
    assert_eq!(run.stage("ok").result, Some(json!({"approved": true, "comment": "fine", "by": "me"})));
    assert_eq!(run.stage("ok").answered_by, Some(me()));
    assert_eq!((run.state.status, run.executions()), (RunStatus::Running, vec![("last", 1)]));
}

#[test]
fn the_same_approval_again_changes_nothing_also_when_the_run_is_over() {
    let mut run = asking(&[OK, LAST]);
    run.feed(approve(None, Some("fine")));
    for _ in 0..2 {
        assert_eq!(run.feed(approve(None, Some("fine"))).events, []);
        assert_eq!(run.feed(approve(Some("ok"), None)).events, [], "the comment need not be repeated");
        if run.state.status == RunStatus::Running {
            run.complete(1, json!({}));
        }
    }
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn approved_otherwise_or_rejected_after_that_is_a_conflict() {
    let mut run = asking(&["name: draft, type: work", OK]);
    run.feed(approve(None, Some("fine")));
    for other in
        [approve(None, Some("splendid")), reject(None, None, None), reject(None, Some("draft"), None)]
    {
        assert!(matches!(run.refused(other), Refusal::Decided { .. } | Refusal::OtherAnswer { .. }));
    }
}

#[test]
fn a_rejection_fails_the_stage_and_says_by_whom_and_why() {
    let mut run = asking(&[OK, LAST]);
    let decision = run.feed(reject(None, None, Some("poor")));
    assert!(decision.durable);
    let failure = run.stage("ok").failure.as_ref().expect("failed");
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("rejected", "rejected by me: poor"));
    assert_eq!((run.state.status, run.statuses()), (RunStatus::Failed, vec!["failed", "pending"]));
}

#[test]
fn the_same_rejection_again_changes_nothing_and_any_other_decision_is_a_conflict() {
    let mut run = asking(&["name: draft, type: work", OK]);
    run.feed(reject(None, None, Some("poor")));
    for same in [reject(None, None, Some("poor")), reject(Some("ok"), None, None)] {
        assert_eq!(run.feed(same).events, []);
    }
    let others = [
        reject(None, None, Some("dull")),
        reject(None, Some("draft"), None),
        approve(None, None),
        approve(None, Some("poor")),
    ];
    for other in others {
        assert!(matches!(run.refused(other), Refusal::Decided { .. } | Refusal::OtherAnswer { .. }));
    }
}

#[test]
fn a_rejection_that_is_allowed_for_lets_the_run_go_on() {
    let mut run = Run::of(&["name: ok, type: approval, continue_on_error: true", LAST]);
    run.wait(0);
    run.feed(reject(None, None, None));
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn one_of_several_branches_is_approved_and_goes_on_while_the_others_wait() {
    let mut run = Run::of(&[
        "name: left, type: approval",
        "name: right, type: approval, depends_on: []",
        "name: after-left, type: work, depends_on: [left]",
        "name: after-right, type: work, depends_on: [right]",
    ]);
    run.wait(0);
    assert_eq!(run.state.status, RunStatus::Running, "the other one has not asked yet");
    run.wait(1);
    assert_eq!(run.state.status, RunStatus::Waiting);
    let stages = vec!["left".to_owned(), "right".to_owned()];
    assert_eq!(
        run.refused(approve(None, None)),
        Refusal::Ambiguous { run: "wf-aaaaaa".into(), stages: stages.clone() }
    );
    assert_eq!(run.refused(reject(None, None, None)), Refusal::Ambiguous { run: "wf-aaaaaa".into(), stages });
    run.feed(approve(Some("right"), None));
    assert_eq!(run.executions(), [("after-right", 1)]);
    assert_eq!(run.statuses(), ["waiting", "completed", "pending", "running"]);
    run.complete(3, json!({}));
    assert_eq!(run.state.status, RunStatus::Waiting, "for the other one");
    run.feed(approve(Some("left"), None));
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn a_form_is_part_of_the_result_and_is_held_to_what_was_asked() {
    let mut run = Run::of(&[OK]);
    let schema = json!({"type": "object", "properties": {"form": {"type": "object", "required": ["risk"]}}, "required": ["form"]});
    run.end(0, wait(Some(schema)));
    let with =
        |form: serde_json::Value| Input::Approve { stage: None, comment: None, form: Some(form), by: me() };
    match run.refused(with(json!({}))) {
        Refusal::BadAnswer { failure } => assert!(failure.message.contains("/form"), "{failure:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(run.statuses(), ["waiting"]);
    run.feed(with(json!({"risk": "low"})));
    assert_eq!(run.stage("ok").result.as_ref().map(|result| &result["form"]), Some(&json!({"risk": "low"})));
    assert_eq!(run.feed(with(json!({"risk": "low"}))).events, []);
    assert!(matches!(run.refused(with(json!({"risk": "high"}))), Refusal::OtherAnswer { .. }));
}

#[test]
fn only_a_stage_that_asks_for_approval_can_be_approved() {
    let mut run = Run::of(&["name: draft, type: work", OK]);
    run.end(0, Ending::Waiting(Question { prompt: "?".into(), schema: None }));
    for decision in [approve(Some("draft"), None), reject(Some("draft"), None, None)] {
        let refusal = run.refused(decision);
        assert_eq!(
            refusal.to_string(),
            "stage 'draft' of run wf-aaaaaa does not ask for approval; it is of type work"
        );
    }
    for decision in [approve(None, None), reject(None, None, None)] {
        assert!(
            matches!(run.refused(decision), Refusal::NothingToApprove { .. }),
            "a question is no approval"
        );
    }
    assert!(matches!(run.refused(approve(Some("ok"), None)), Refusal::NotWaiting { status: "pending", .. }));
    assert!(matches!(run.refused(approve(Some("no"), None)), Refusal::NoSuchStage { .. }));
}

#[test]
fn a_run_that_is_over_can_not_be_decided_about() {
    let mut run = asking(&[OK, LAST]);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    for decision in [approve(Some("ok"), None), reject(Some("ok"), None, None)] {
        assert!(matches!(run.refused(decision), Refusal::NotWaiting { status: "cancelled", .. }));
    }
}

#[test]
fn an_approval_in_a_paused_run_is_taken_and_starts_nothing() {
    let mut run = asking(&[OK, LAST]);
    run.feed(Input::Pause { by: me() });
    run.feed(approve(None, None));
    assert_eq!((run.state.status, run.executions()), (RunStatus::Paused, vec![]));
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn items_of_a_matrix_are_approved_one_by_one() {
    let mut run = Run::of(&["name: ok, type: approval, matrix: { who: [ann, bob] }", LAST]);
    run.wait(2);
    run.wait(3);
    run.feed(approve(Some("ok.ann"), None));
    assert_eq!(run.statuses(), ["running", "pending", "completed", "waiting"]);
    let refusal = run.refused(approve(Some("ok"), None));
    assert!(
        matches!(refusal, Refusal::NotWaiting { status: "running", .. }),
        "the stage itself asks nobody: {refusal}"
    );
    // It could be the first approval, repeated by somebody who did not see it arrive.
    let refusal = run.refused(approve(None, None));
    assert!(matches!(refusal, Refusal::Ambiguous { .. }), "{refusal}");
    run.feed(approve(Some("ok.bob"), None));
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn who_decided_is_recorded() {
    let mut run = asking(&[OK, LAST]);
    let decision = run.feed(Input::Approve { stage: None, comment: None, form: None, by: somebody_else() });
    let by = decision.events.iter().find_map(|event| match event {
        Event::StageCompleted { answered_by, .. } => answered_by.clone(),
        _ => None,
    });
    assert_eq!(by, Some(somebody_else()));
    assert_eq!(run.feed(approve(None, None)).events, [], "somebody else may agree");
}
