//! Work that is done again: sent back by whoever was to approve it, or asked for once more.

use docket_core::run::{Effect, Ending, Event, Failure, Input, Refusal, RunStatus};
use serde_json::json;

use crate::run::{Run, approve, me, reject};

const DRAFT: [&str; 3] = ["name: plan, type: work", "name: draft, type: work", "name: ok, type: approval"];

/// A run that waits for approval of its draft.
fn drafted() -> Run {
    let mut run = Run::of(&DRAFT);
    run.complete(0, json!("plan 1"));
    run.complete(1, json!("draft 1"));
    run.wait(2);
    run
}

#[test]
fn work_is_sent_back_and_what_builds_on_it_with_it() {
    let mut run = drafted();
    let decision = run.reject(None, Some("draft")).expect("taken");
    assert!(decision.durable);
    assert!(
        matches!(&decision.events[0], Event::StageSentBack { stage: 2, to: 1, reset, .. } if *reset == [1, 2])
    );
    assert_eq!(run.statuses(), ["completed", "running", "pending"]);
    assert_eq!(run.executions(), [("draft", 2)], "a new attempt, the old one kept");
    run.complete(1, json!("draft 2"));
    assert_eq!(run.executions(), [("ok", 2)], "asked again");
    run.wait(2);
    run.feed(approve(None, None));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn the_comment_and_the_earlier_result_reach_the_next_attempt() {
    let mut run = drafted();
    run.reject(None, Some("draft")).expect("taken");
    let task = run.task("draft");
    let said: Vec<(&str, &str)> =
        task.feedback.iter().map(|one| (one.comment.as_str(), one.by.user.as_str())).collect();
    assert_eq!(said, [("poor", "me")]);
    assert_eq!(task.sent_back_result, Some(json!("draft 1")));

    run.complete(1, json!("draft 2"));
    run.wait(2);
    run.feed(reject(None, Some("draft"), Some("still poor")));
    let task = run.task("draft");
    let said: Vec<&str> = task.feedback.iter().map(|one| one.comment.as_str()).collect();
    assert_eq!(said, ["poor", "still poor"], "all of it, oldest first");
    assert_eq!(task.sent_back_result, Some(json!("draft 2")));
}

#[test]
fn work_is_sent_back_without_a_word() {
    let mut run = drafted();
    run.feed(reject(None, Some("draft"), None));
    assert_eq!((run.task("draft").feedback, run.executions()), (vec![], vec![("draft", 2)]));
}

#[test]
fn sending_back_again_changes_nothing_and_the_opposite_is_refused() {
    let mut run = drafted();
    run.reject(None, Some("draft")).expect("taken");
    assert_eq!(run.reject(None, Some("draft")).expect("no error").events, []);
    assert_eq!(
        run.feed(reject(Some("ok"), Some("draft"), None)).events,
        [],
        "the comment need not be repeated"
    );
    let others = [
        reject(None, Some("plan"), Some("poor")),
        reject(None, Some("draft"), Some("dull")),
        reject(None, None, Some("poor")),
        approve(None, None),
    ];
    for other in others {
        assert!(matches!(run.refused(other), Refusal::NotWaiting { status: "pending", .. }));
    }
}

#[test]
fn what_was_decided_last_counts() {
    let mut run = drafted();
    run.reject(None, Some("draft")).expect("taken");
    run.complete(1, json!("draft 2"));
    run.wait(2);
    run.reject(None, None).expect("taken");
    assert!(matches!(run.reject(None, Some("draft")), Err(Refusal::OtherAnswer { .. })));
}

#[test]
fn work_goes_back_only_to_what_the_approval_builds_on() {
    let mut run = Run::of(&[
        "name: plan, type: work",
        "name: ok, type: approval",
        "name: aside, type: work, depends_on: []",
        "name: after, type: work, depends_on: [ok]",
    ]);
    run.complete(0, json!({}));
    run.wait(1);
    for to in ["aside", "after", "ok"] {
        let refusal = run.reject(None, Some(to)).expect_err("refused");
        assert_eq!(
            refusal,
            Refusal::CannotSendBack { stage: "ok".into(), to: to.into(), stages: vec!["plan".into()] }
        );
    }
    assert!(matches!(run.reject(None, Some("plam")), Err(Refusal::NoSuchStage { .. })));
}

#[test]
fn work_that_is_being_done_is_not_taken_away() {
    let mut run = Run::of(&[
        "name: plan, type: work",
        "name: draft, type: work, depends_on: [plan]",
        "name: ok, type: approval, depends_on: [plan]",
    ]);
    run.complete(0, json!({}));
    run.wait(2);
    let refusal = run.reject(None, Some("plan")).expect_err("refused");
    assert_eq!(refusal, Refusal::Busy { run: "wf-aaaaaa".into(), stages: vec!["'draft'".into()] });
    run.complete(1, json!({}));
    run.reject(None, Some("plan")).expect("taken");
    assert_eq!(run.statuses(), ["running", "pending", "pending"]);
}

#[test]
fn a_paused_run_takes_work_back_and_starts_nothing() {
    let mut run = drafted();
    run.feed(Input::Pause { by: me() });
    run.reject(None, Some("draft")).expect("taken");
    assert_eq!((run.state.status, run.executions()), (RunStatus::Paused, vec![]));
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.executions(), [("draft", 2)]);
}

const REVIEWS: [&str; 3] =
    ["name: m, type: work, matrix: { x: [a, b] }", "name: ok, type: approval", "name: last, type: work"];

fn reviewed() -> Run {
    let mut run = Run::of(&REVIEWS);
    run.complete(3, json!("a 1"));
    run.complete(4, json!("b 1"));
    run.wait(1);
    run
}

#[test]
fn a_matrix_that_is_sent_back_is_done_again_for_every_item_with_the_comment() {
    let mut run = reviewed();
    run.reject(None, Some("m")).expect("taken");
    assert_eq!(run.executions(), [("m.a", 2), ("m.b", 2)]);
    for (item, before) in [("m.a", "a 1"), ("m.b", "b 1")] {
        let task = run.task(item);
        assert_eq!(task.feedback.iter().map(|one| one.comment.as_str()).collect::<Vec<_>>(), ["poor"]);
        assert_eq!(task.sent_back_result, Some(json!(before)));
    }
    assert_eq!(run.stage("m").result, None);
    run.complete(3, json!("a 2"));
    run.complete(4, json!("b 2"));
    assert_eq!(run.stage("m").result, Some(json!(["a 2", "b 2"])));
    assert_eq!(run.executions(), [("ok", 2)]);
}

#[test]
fn one_item_that_is_sent_back_is_done_again_alone() {
    let mut run = reviewed();
    run.reject(None, Some("m.b")).expect("taken");
    assert_eq!(run.executions(), [("m.b", 2)]);
    assert_eq!(run.statuses(), ["running", "pending", "pending", "completed", "running"]);
    assert_eq!(run.task("m.b").sent_back_result, Some(json!("b 1")));
    assert_eq!(run.task("m.a").feedback, [], "nobody said anything of the other one");
    run.complete(4, json!("b 2"));
    assert_eq!(run.stage("m").result, Some(json!(["a 1", "b 2"])));
}

#[test]
fn items_of_another_round_are_the_same_stages_where_they_have_the_same_name() {
    let m = "name: m, type: work, matrix: { x: '${{ stages.find.outputs.result }}' }";
    let mut run = Run::of(&["name: find, type: work", m, "name: ok, type: approval"]);
    run.complete(0, json!(["a", "b"]));
    run.complete(3, json!(1));
    run.complete(4, json!(2));
    run.wait(2);
    run.reject(None, Some("find")).expect("taken");
    run.complete(0, json!(["c", "b"]));
    assert_eq!(run.names(), ["find", "m", "ok", "m.a", "m.b", "m.c"]);
    assert_eq!(run.executions(), [("m.b", 2), ("m.c", 1)], "no attempt of a name is used twice");
    let current: Vec<&str> = run.state.current_stages().map(|(_, stage)| stage.name.as_str()).collect();
    assert_eq!(current, ["find", "m", "ok", "m.b", "m.c"]);
    run.complete(5, json!("c"));
    run.complete(4, json!("b"));
    assert_eq!(run.stage("m").result, Some(json!(["c", "b"])), "in the order of this round");
    assert!(matches!(run.retry(Some("m.a")), Err(Refusal::NoSuchStage { .. })), "it is no item any more");
}

#[test]
fn a_failed_run_goes_on_with_what_failed() {
    let mut run = Run::of(&["name: one, type: work", "name: two, type: work", "name: three, type: work"]);
    run.complete(0, json!("kept"));
    run.fail(1);
    assert_eq!(run.state.status, RunStatus::Failed);
    let decision = run.retry(None).expect("taken");
    assert!(decision.durable);
    assert!(matches!(&decision.events[0], Event::RetryRequested { reset, .. } if *reset == [1, 2]));
    assert_eq!((run.state.status, run.executions()), (RunStatus::Running, vec![("two", 2)]));
    assert_eq!((run.state.failure.as_ref(), run.state.ended_at), (None, None));
    run.complete(1, json!({}));
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
    assert_eq!(run.stage("one").result, Some(json!("kept")));
}

#[test]
fn retrying_one_item_reopens_its_stage() {
    let mut run = Run::of(&["name: m, type: work, matrix: { x: [a, b] }", "name: last, type: work"]);
    run.complete(2, json!(1));
    run.fail(3);
    assert_eq!(run.state.status, RunStatus::Failed);
    let decision = run.retry(None).expect("taken");
    assert!(
        matches!(&decision.events[0], Event::RetryRequested { reset, reopened, .. } if *reset == [1, 3] && *reopened == [0])
    );
    assert_eq!(run.executions(), [("m.b", 2)], "the other item's work is kept");
    run.complete(3, json!(2));
    assert_eq!(run.stage("m").result, Some(json!([1, 2])));
    assert_eq!(run.executions(), [("last", 1)]);
    run.complete(1, json!({}));

    run.retry(Some("m.a")).expect("also of a run that is completed");
    assert_eq!(run.executions(), [("m.a", 2)]);
    assert_eq!(run.statuses(), ["running", "pending", "running", "completed"]);
    assert!(matches!(run.retry(Some("m")), Err(Refusal::Busy { .. })), "while an item is being done");
}

#[test]
fn an_item_that_was_allowed_to_fail_can_be_retried() {
    let mut run = Run::of(&[
        "name: m, type: work, matrix: { x: [a, b] }, continue_on_error: true",
        "name: last, type: work",
    ]);
    run.fail(2);
    run.complete(3, json!(2));
    run.complete(1, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
    run.retry(None).expect("taken");
    assert_eq!(run.executions(), [("m.a", 2)]);
    run.complete(2, json!(1));
    assert_eq!(run.stage("m").result, Some(json!([1, 2])));
    assert_eq!(run.executions(), [("last", 2)]);
}

#[test]
fn a_cancelled_run_goes_on_where_it_was() {
    let mut run = Run::of(&[
        "name: one, type: work",
        "name: m, type: work, matrix: { x: [a, b] }",
        "name: last, type: work",
    ]);
    run.complete(0, json!({}));
    run.complete(3, json!(1));
    run.feed(Input::Cancel { by: me(), used: vec![] });
    assert_eq!(run.statuses(), ["completed", "cancelled", "cancelled", "completed", "cancelled"]);
    run.retry(None).expect("taken");
    assert_eq!((run.state.status, run.state.cancelled_by.as_ref()), (RunStatus::Running, None));
    assert_eq!(run.executions(), [("m.b", 2)], "what was done stays done");
}

#[test]
fn a_completed_run_is_done_again_from_a_stage_on() {
    let mut run = Run::of(&[
        "name: one, type: work",
        "name: two, type: work",
        "name: aside, type: work, depends_on: []",
    ]);
    run.complete(0, json!(1));
    run.complete(1, json!(2));
    run.complete(2, json!(3));
    assert!(matches!(run.retry(None), Err(Refusal::NothingToRetry { .. })));
    assert!(matches!(run.retry(Some("tow")), Err(Refusal::NoSuchStage { .. })));
    run.retry(Some("one")).expect("taken");
    assert_eq!(run.statuses(), ["running", "pending", "completed"]);
    assert_eq!(run.executions(), [("one", 2)]);
    run.complete(0, json!(1));
    run.complete(1, json!(2));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn what_failed_elsewhere_is_done_again_in_any_case() {
    let mut run = Run::of(&["name: one, type: work", "name: two, type: work, depends_on: []"]);
    run.complete(0, json!(1));
    run.fail(1);
    run.retry(Some("one")).expect("taken");
    assert_eq!(run.executions(), [("one", 2), ("two", 2)]);
}

#[test]
fn what_is_being_done_is_not_begun_again() {
    let mut run = Run::of(&["name: one, type: work", "name: two, type: work"]);
    assert!(matches!(run.retry(Some("one")), Err(Refusal::Busy { .. })));
    run.complete(0, json!({}));
    assert!(matches!(run.retry(Some("one")), Err(Refusal::Busy { .. })), "what builds on it is");
    assert!(matches!(run.retry(None), Err(Refusal::NothingToRetry { .. })));
}

#[test]
fn a_late_report_of_an_earlier_attempt_is_ignored() {
    let mut run = Run::of(&["name: one, type: work"]);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    run.retry(None).expect("taken");
    let late = || Ending::Completed { result: json!("late"), change_set: None };
    assert_eq!(run.end_attempt(0, 1, late()).events, []);
    run.end_attempt(0, 2, late());
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn files_that_a_cancelled_run_owed_are_written_when_it_goes_on() {
    // docket died between the record and the files, and the run was cancelled without being resumed.
    let mut run = Run::of(&["name: one, type: storage", "name: two, type: work"]);
    run.write(0);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    run.retry(None).expect("taken");
    assert_eq!(run.effects, [Effect::Apply { stage: 0 }, Effect::Execute { stage: 1, attempt: 2 }]);
    run.feed(Input::Applied { stage: 0 });
    run.complete(1, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn a_matrix_that_only_had_to_be_gathered_is() {
    // Cancelled between the last item's record and its files.
    let mut run = Run::of(&["name: m, type: work, matrix: { x: [a] }"]);
    run.write(1);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    assert_eq!(run.statuses(), ["cancelled", "completed"]);
    run.retry(None).expect("taken");
    assert_eq!(run.effects, [Effect::Apply { stage: 1 }], "its item is not done again");
    run.feed(Input::Applied { stage: 1 });
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn a_conflict_is_solved_by_doing_the_stage_again() {
    let mut run = Run::of(&["name: one, type: storage", "name: two, type: work"]);
    run.write(0);
    run.feed(Input::ApplyFailed { stage: 0, failure: Failure::new("file-changed", "changed") });
    assert_eq!(run.state.status, RunStatus::Waiting);
    run.retry(Some("one")).expect("taken");
    assert_eq!(run.executions(), [("one", 2)]);
    assert!(!run.stage("one").changes_owed, "what it wanted to write then is dropped");
}
