//! Stages that run another workflow: they wait with their child, go on with it, and are tried again with another.

use docket_core::run::{Ending, Event, Failure, Input, Refusal, RunStatus, child_run_id};
use serde_json::json;

use crate::run::{Run, me};

const SUB: &str = "name: sub, uses: child";
const LAST: &str = "name: last, type: work";

fn changed(stage: &str, attempt: u32) -> Input {
    Input::ChildChanged { stage: stage.to_owned(), attempt }
}

#[test]
fn the_child_has_an_id_that_is_found_again() {
    let run = Run::of(&[SUB]);
    let id = child_run_id("wf-aaaaaa", "sub", 1);
    assert_eq!(run.stage("sub").child.as_deref(), Some(id.as_str()));
    assert_eq!(run.task("sub").uses.as_deref(), Some("child"));
    let others = [("wf-aaaaab", "sub", 1), ("wf-aaaaaa", "sub2", 1), ("wf-aaaaaa", "sub", 2)];
    assert!(others.iter().all(|(run, stage, attempt)| child_run_id(run, stage, *attempt) != id));
}

#[test]
fn a_stage_waits_with_its_child_and_the_same_attempt_goes_on() {
    let mut run = Run::of(&[SUB, LAST]);
    let child = run.stage("sub").child.clone();
    run.wait(0);
    assert_eq!(run.state.status, RunStatus::Waiting);
    let decision = run.feed(changed("sub", 1));
    assert!(matches!(&decision.events[..], [Event::StageStarted { attempt: 1, .. }]));
    assert_eq!((run.state.status, run.executions()), (RunStatus::Running, vec![("sub", 1)]));
    assert_eq!((run.stage("sub").child.clone(), run.stage("sub").tries), (child, 1));
    run.wait(0);
    assert_eq!(run.state.status, RunStatus::Waiting, "it may ask again");
    run.feed(changed("sub", 1));
    run.complete(0, json!({"run": "wf-child"}));
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn what_is_no_news_is_ignored() {
    let mut run = Run::of(&[SUB, "name: ask, type: work, depends_on: []"]);
    assert_eq!(run.feed(changed("sub", 1)).events, [], "it runs already");
    run.wait(0);
    run.wait(1);
    for other in [changed("sub", 2), changed("ask", 1), changed("nobody", 1)] {
        assert_eq!(run.feed(other).events, []);
    }
    run.feed(Input::Cancel { by: me(), used: vec![] });
    assert_eq!(run.feed(changed("sub", 1)).events, [], "the run is over");
}

#[test]
fn only_the_child_can_be_answered() {
    let mut run = Run::of(&[SUB]);
    run.wait(0);
    let answer =
        |stage: Option<&str>| Input::Answer { stage: stage.map(str::to_owned), value: json!(1), by: me() };
    let refusal = run.refused(answer(Some("sub")));
    assert!(matches!(refusal, Refusal::NotWaiting { .. }), "{refusal}");
    assert!(matches!(run.refused(answer(None)), Refusal::NothingWaits { .. }));
}

#[test]
fn a_question_beside_it_is_answered_without_naming_it() {
    let mut run = Run::of(&[SUB, "name: ask, type: work, depends_on: []"]);
    run.wait(0);
    run.wait(1);
    run.feed(Input::Answer { stage: None, value: json!(1), by: me() });
    assert_eq!(run.statuses(), ["waiting", "completed"]);
}

#[test]
fn resuming_looks_at_every_waiting_child() {
    let mut run = Run::of(&[SUB, "name: other, uses: child, depends_on: []"]);
    run.wait(0);
    run.wait(1);
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.executions(), [("sub", 1), ("other", 1)]);
}

#[test]
fn a_child_that_goes_on_needs_no_place() {
    let mut run = Run::at_once(
        1,
        &[SUB, "name: other, type: work, depends_on: []", "name: third, type: work, depends_on: []"],
    );
    run.wait(0);
    assert_eq!(run.executions(), [("other", 1)]);
    run.feed(changed("sub", 1));
    assert_eq!(run.executions(), [("sub", 1)], "it was begun before");
    run.complete(1, json!({}));
    assert_eq!(run.executions(), [], "the child is in the third one's place");
    run.complete(0, json!({}));
    assert_eq!(run.executions(), [("third", 1)]);
}

#[test]
fn a_paused_run_looks_at_its_children_when_it_is_resumed() {
    let mut run = Run::of(&[SUB, "name: other, type: work, depends_on: []"]);
    run.wait(0);
    run.feed(Input::Pause { by: me() });
    assert_eq!(run.feed(changed("sub", 1)).events, [], "it is about to pause");
    run.complete(1, json!({}));
    assert_eq!(run.state.status, RunStatus::Paused);
    assert_eq!(run.feed(changed("sub", 1)).events, []);
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.executions(), [("sub", 1)]);
}

#[test]
fn a_child_that_failed_is_tried_again_as_another_run() {
    let mut run = Run::of(&["name: sub, uses: child, retry: { max_attempts: 2, backoff: 0 }"]);
    let first = run.stage("sub").child.clone();
    run.end(0, Ending::Failed(Failure::new("sub-workflow-failed", "it failed")));
    assert_eq!(run.executions(), [("sub", 2)]);
    assert_ne!(run.stage("sub").child, first);
    run.end(0, Ending::Failed(Failure::new("sub-workflow-failed", "it failed")));
    assert_eq!(run.state.status, RunStatus::Failed);
}

#[test]
fn a_child_that_somebody_cancelled_is_not_tried_again_by_itself() {
    let mut run = Run::of(&["name: sub, uses: child, retry: { max_attempts: 2, backoff: 0 }"]);
    run.end(0, Ending::Failed(Failure::new("sub-workflow-cancelled", "it was cancelled")));
    assert_eq!(run.state.status, RunStatus::Failed);
    run.retry(None).expect("taken");
    assert_eq!(run.executions(), [("sub", 2)]);
}

#[test]
fn each_item_has_a_child_of_its_own() {
    let mut run = Run::of(&["name: sub, uses: child, matrix: { x: [a, b] }", LAST]);
    let children: Vec<Option<&str>> = run.state.stages.iter().map(|stage| stage.child.as_deref()).collect();
    let id = |stage: &str| child_run_id("wf-aaaaaa", stage, 1);
    assert_eq!(children, [None, None, Some(id("sub.a").as_str()), Some(id("sub.b").as_str())]);
    run.wait(2);
    run.complete(3, json!({"run": "b"}));
    assert_eq!(run.state.status, RunStatus::Waiting);
    run.feed(changed("sub.a", 1));
    run.complete(2, json!({"run": "a"}));
    assert_eq!(run.stage("sub").result, Some(json!([{"run": "a"}, {"run": "b"}])));
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn resuming_after_a_crash_finds_the_child_that_was_started() {
    let mut run = Run::of(&[SUB]);
    let decision = run.feed(Input::Resume { by: me() });
    assert!(matches!(decision.events[..], [Event::RunResumed { .. }]));
    assert_eq!(run.executions(), [("sub", 1)]);
}
