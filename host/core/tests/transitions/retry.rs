//! `retry`: how often, when, and which failures.

use docket_core::run::{Ending, Event, Failure, Input, RunStatus};
use serde_json::json;

use crate::common::{at, plugin};
use crate::run::{Run, me};

const FLAKY: &str = "name: flaky, type: work, retry: { max_attempts: 3, backoff: 10, max_backoff: 25 }";

#[test]
fn a_stage_that_failed_is_tried_again_when_its_time_has_come() {
    let mut run = Run::of(&[FLAKY]);
    run.fail(0);
    assert_eq!((run.state.status, run.statuses()), (RunStatus::Running, vec!["pending"]));
    assert!(run.stage("flaky").failure.is_some(), "why the last attempt failed is shown until the next one");
    assert!(run.state.next_retry().is_some());
    assert_eq!(run.tick_after(1).events, [], "not yet");
    run.tick_after(10);
    assert_eq!(run.executions(), [("flaky", 2)]);
    assert!(run.stage("flaky").failure.is_none());
    run.complete(0, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn max_attempts_counts_the_first_one_too() {
    let mut run = Run::of(&[FLAKY]);
    for attempt in 2..=3 {
        run.fail(0);
        run.tick_after(30);
        assert_eq!(run.executions(), [("flaky", attempt)]);
    }
    run.fail(0);
    assert_eq!((run.state.status, run.state.next_retry()), (RunStatus::Failed, None));
}

#[test]
fn the_pause_doubles_up_to_its_limit_and_half_of_it_is_chance() {
    for run_id in ["wf-a", "wf-b", "wf-c", "wf-d"] {
        let text = format!(
            "name: T\nversion: 1\nstages:\n  - {{ {} }}\n",
            FLAKY.replace("max_attempts: 3", "max_attempts: 6")
        );
        let mut run = Run::start_with(&text, |start| start.run = run_id.to_owned());
        for full in [10, 20, 25, 25, 25] {
            run.fail(0);
            let pause = run.state.next_retry().expect("tried again").duration_since(at(run.seconds));
            let milliseconds = pause.as_millis();
            assert!((full * 500..=full * 1000).contains(&milliseconds), "{milliseconds} ms of {full} s");
            run.tick_after(25);
        }
    }
}

#[test]
fn chance_is_the_same_each_time_it_is_asked_and_another_for_each_run() {
    let due = |id: &str| {
        let mut run =
            Run::start_with(&format!("name: T\nversion: 1\nstages:\n  - {{ {FLAKY} }}\n"), |start| {
                start.run = id.to_owned();
            });
        run.fail(0);
        run.state.next_retry()
    };
    assert_eq!(due("wf-a"), due("wf-a"));
    assert!(["wf-b", "wf-c", "wf-d"].iter().any(|id| due(id) != due("wf-a")));
}

#[test]
fn without_a_pause_the_next_attempt_starts_with_the_same_record() {
    let mut run = Run::of(&["name: flaky, type: work, retry: { max_attempts: 2, backoff: 0 }"]);
    let decision = run.fail(0);
    assert!(matches!(
        decision.events[..],
        [Event::StageFailed { .. }, Event::StageStarted { attempt: 2, .. }]
    ));
    run.fail(0);
    assert_eq!(run.state.status, RunStatus::Failed);
}

#[test]
fn what_another_attempt_cannot_mend_is_not_tried_again() {
    for code in
        ["not-granted", "not-trusted", "config-invalid", "agent-lost", "docket-bug", "reference-missing"]
    {
        let mut run = Run::of(&[FLAKY]);
        run.end(0, Ending::Failed(Failure::new(code, "no")));
        assert_eq!((run.state.status, run.state.next_retry()), (RunStatus::Failed, None), "{code}");
    }
}

#[test]
fn what_did_not_even_run_is_not_tried_again() {
    let mut run = Run::of(&[FLAKY]);
    run.end_by(0, 1, Ending::Failed(Failure::new("plugin-missing", "no")), None);
    assert_eq!(run.state.status, RunStatus::Failed);

    let broken = "name: two, type: work, retry: 3, if: stages.one.outputs.result.n > 1";
    let mut run = Run::of(&["name: one, type: work", broken]);
    run.complete(0, json!({}));
    assert_eq!(run.state.status, RunStatus::Failed, "a condition that can't be evaluated");
}

#[test]
fn the_run_goes_on_elsewhere_meanwhile() {
    let mut run = Run::of(&[
        FLAKY,
        "name: other, type: work, depends_on: []",
        "name: last, type: work, depends_on: [flaky]",
    ]);
    run.fail(0);
    run.complete(1, json!({}));
    assert_eq!(run.state.status, RunStatus::Running, "it is not over, and waits for nobody");
    assert_eq!(run.executions(), [], "what depends on it waits");
    run.tick_after(30);
    run.complete(0, json!({}));
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn an_attempt_that_is_due_waits_for_its_place() {
    let mut run = Run::at_once(1, &[FLAKY, "name: other, type: work, depends_on: []"]);
    run.fail(0);
    assert_eq!(run.executions(), [("other", 1)]);
    assert_eq!(run.tick_after(30).events, [], "no place");
    run.complete(1, json!({}));
    assert_eq!(run.executions(), [("flaky", 2)]);
}

#[test]
fn each_item_has_its_own_count() {
    let mut run =
        Run::of(&["name: m, type: work, matrix: { x: [a, b] }, retry: { max_attempts: 2, backoff: 0 }"]);
    run.fail(1);
    assert_eq!(run.executions(), [("m.a", 2)]);
    run.fail(2);
    assert_eq!(run.executions(), [("m.b", 2)], "the other item's attempts don't count");
    run.complete(1, json!(1));
    run.fail(2);
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.stage("m").attempt, 1, "the stage itself is not tried again");
}

#[test]
fn a_stage_that_may_fail_is_given_up_only_after_its_last_attempt() {
    let mut run = Run::of(&[
        "name: flaky, type: work, continue_on_error: true, retry: { max_attempts: 2, backoff: 0 }",
        "name: last, type: work",
    ]);
    run.fail(0);
    assert_eq!(run.executions(), [("flaky", 2)]);
    run.fail(0);
    assert_eq!(run.executions(), [("last", 1)]);
}

#[test]
fn counting_starts_anew_when_somebody_asks_for_it() {
    let mut run = Run::of(&["name: flaky, type: work, retry: { max_attempts: 2, backoff: 0 }"]);
    run.fail(0);
    run.fail(0);
    assert_eq!(run.state.status, RunStatus::Failed);
    run.retry(None).expect("taken");
    assert_eq!(run.executions(), [("flaky", 3)]);
    run.fail(0);
    assert_eq!(run.executions(), [("flaky", 4)], "two attempts again");
    run.fail(0);
    assert_eq!(run.state.status, RunStatus::Failed);
}

#[test]
fn a_paused_run_tries_nothing_until_it_is_resumed() {
    let mut run = Run::of(&[FLAKY]);
    run.fail(0);
    run.feed(Input::Pause { by: me() });
    assert_eq!((run.state.status, run.state.next_retry()), (RunStatus::Paused, None));
    assert_eq!(run.tick_after(30).events, []);
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.executions(), [("flaky", 2)], "its time has come long ago");
}

#[test]
fn a_resumed_run_still_knows_when_to_try_again() {
    let mut run = Run::of(&[FLAKY]);
    run.fail(0);
    let due = run.state.next_retry();
    run.feed(Input::Resume { by: me() });
    assert_eq!((run.executions(), run.state.next_retry()), (vec![], due));
}

#[test]
fn a_cancelled_run_tries_nothing() {
    let mut run = Run::of(&[FLAKY]);
    run.fail(0);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    assert_eq!((run.statuses(), run.state.next_retry()), (vec!["cancelled"], None));
    assert_eq!(run.tick_after(30).events, []);
}

#[test]
fn a_rejection_is_not_tried_again() {
    let mut run = Run::of(&["name: ok, type: approval, retry: { max_attempts: 3, backoff: 0 }"]);
    run.wait(0);
    run.reject(None, None).expect("taken");
    assert_eq!(run.state.status, RunStatus::Failed);
}

#[test]
fn the_plugin_of_a_failed_attempt_is_kept() {
    let mut run = Run::of(&[FLAKY]);
    run.fail(0);
    assert_eq!(run.stage("flaky").plugin, Some(plugin()));
}
