//! Answers to questions: which stage takes which, once.

use docket_core::run::{Input, Refusal, RunStatus};
use serde_json::{Value, json};

use crate::run::{Run, THREE, execute, me, wait};

#[test]
fn an_answer_counts_once_and_only_the_first_one() {
    let mut run = Run::start(THREE);
    run.end(0, wait(None));
    assert_eq!(run.state.status, RunStatus::Waiting);
    let answer = |value: Value| Input::Answer { stage: None, value, by: me() };
    let decision = run.feed(answer(json!({"a": 1})));
    assert!(decision.durable);
    assert_eq!(run.effects, [execute(1)]);
    assert_eq!(run.feed(answer(json!({"a": 1}))).events, [], "the same answer again changes nothing");
    assert!(matches!(run.try_feed(answer(json!({"a": 2}))), Err(Refusal::OtherAnswer { .. })));
    run.complete(1, json!({}));
    run.complete(2, json!({}));
    assert_eq!(run.feed(answer(json!({"a": 1}))).events, [], "also when the run is over");
}

#[test]
fn an_answer_that_does_not_fit_is_refused_and_the_stage_waits_on() {
    let text = "name: T\nversion: 1\nstages:\n  - name: ask\n    type: agent\n    config: { prompt_template: ask.md }\n    outputs: { review: { schema: review } }\n";
    let mut run = Run::start(text);
    run.end(0, wait(None));
    let answer = |value: Value| Input::Answer { stage: Some("ask".into()), value, by: me() };
    match run.try_feed(answer(json!({"blockers": "none"}))) {
        Err(Refusal::BadAnswer { failure }) => assert!(failure.message.contains("/blockers"), "{failure:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(run.statuses(), ["waiting"]);
    run.feed(answer(json!({"blockers": []})));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn answers_need_a_stage_that_waits() {
    let mut run = Run::start(THREE);
    let answer =
        |stage: Option<&str>| Input::Answer { stage: stage.map(str::to_owned), value: json!(1), by: me() };
    assert!(matches!(run.try_feed(answer(None)), Err(Refusal::NothingWaits { .. })));
    assert!(matches!(run.try_feed(answer(Some("one"))), Err(Refusal::NotWaiting { .. })));
    assert!(matches!(run.try_feed(answer(Some("on"))), Err(Refusal::NoSuchStage { .. })));
}

#[test]
fn several_stages_may_wait_and_are_answered_one_by_one() {
    let text = "name: T\nversion: 1\nstages:\n  - { name: a, type: work, depends_on: [] }\n  - { name: b, type: work, depends_on: [] }\n  - { name: c, type: work, depends_on: [a] }\n";
    let mut run = Run::start(text);
    assert_eq!(run.effects, [execute(0), execute(1)], "independent stages start together");
    run.end(0, wait(None));
    run.end(1, wait(None));
    let answer =
        |stage: Option<&str>| Input::Answer { stage: stage.map(str::to_owned), value: json!(1), by: me() };
    assert!(matches!(run.try_feed(answer(None)), Err(Refusal::Ambiguous { .. })));
    run.feed(answer(Some("a")));
    assert_eq!(run.effects, [execute(2)], "one branch goes on while the other waits");
    assert_eq!(run.statuses(), ["completed", "waiting", "running"]);
}

#[test]
fn an_answer_to_a_paused_run_does_not_start_it() {
    let mut run = Run::start(THREE);
    run.end(0, wait(None));
    run.feed(Input::Pause { by: me() });
    assert_eq!(run.state.status, RunStatus::Paused);
    run.feed(Input::Answer { stage: None, value: json!(1), by: me() });
    assert_eq!((run.state.status, run.effects.len()), (RunStatus::Paused, 0));
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.effects, [execute(1)]);
}
