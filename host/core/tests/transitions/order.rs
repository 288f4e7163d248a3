//! The order of stages: what starts when, files, failures, pauses and the end.

use docket_core::run::{Effect, Ending, Event, Failure, Input, Refusal, RunStatus, StageStatus};
use serde_json::json;

use crate::run::{Run, THREE, execute, me};

#[test]
fn stages_run_in_the_order_of_the_file() {
    let mut run = Run::start(THREE);
    assert_eq!(run.effects, [execute(0)]);
    let decision = run.complete(0, json!({}));
    assert_eq!(decision.events.len(), 2, "the end of one stage and the start of the next are one record");
    assert_eq!(run.effects, [execute(1)]);
    run.complete(1, json!({}));
    let decision = run.complete(2, json!({}));
    assert!(matches!(decision.events[..], [Event::StageCompleted { .. }, Event::RunCompleted { .. }]));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn files_are_written_before_the_next_stage_runs_and_before_the_run_is_over() {
    let mut run = Run::start(THREE);
    run.complete(0, json!({}));
    run.write(1);
    assert_eq!(run.effects, [Effect::Apply { stage: 1 }, execute(2)]);
    let applied = run.feed(Input::Applied { stage: 1 });
    assert!(!applied.durable, "losing it only leads to looking again");
    run.write(2);
    assert_eq!(run.effects, [Effect::Apply { stage: 2 }]);
    assert_eq!(run.state.status, RunStatus::Running, "not over while a file is owed");
    let decision = run.feed(Input::Applied { stage: 2 });
    assert!(decision.durable);
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn a_conflict_takes_the_next_stage_back_and_waits() {
    let mut run = Run::start(THREE);
    run.complete(0, json!({}));
    run.write(1);
    let failure = Failure::new("file-changed", "'docs/a.md' changed");
    run.feed(Input::ApplyFailed { stage: 1, failure: failure.clone() });
    assert_eq!(run.statuses(), ["completed", "conflict", "pending"]);
    assert_eq!(run.state.status, RunStatus::Waiting);

    run.feed(Input::Resume { by: me() });
    assert_eq!(run.effects, [Effect::Apply { stage: 1 }]);
    run.feed(Input::ApplyFailed { stage: 1, failure });
    assert_eq!(run.state.status, RunStatus::Waiting, "still in conflict");

    run.feed(Input::Resume { by: me() });
    run.feed(Input::Applied { stage: 1 });
    assert_eq!(run.statuses(), ["completed", "completed", "running"]);
    assert_eq!(run.effects, [execute(2)]);
}

#[test]
fn resuming_after_a_crash_finds_what_is_owed_and_records_no_more_than_that() {
    let mut run = Run::start(THREE);
    run.complete(0, json!({}));
    run.write(1);
    let decision = run.feed(Input::Resume { by: me() });
    assert!(matches!(decision.events[..], [Event::RunResumed { .. }]));
    assert_eq!(run.effects, [Effect::Apply { stage: 1 }, execute(2)], "the same attempt, not another");
}

#[test]
fn a_failure_ends_the_run_unless_it_is_allowed_for() {
    let fails = |run: &mut Run| run.end(0, Ending::Failed(Failure::new("x", "broke")));
    let mut run = Run::start(THREE);
    fails(&mut run);
    assert_eq!(run.state.status, RunStatus::Failed);
    assert!(run.state.failure.as_ref().is_some_and(|failure| failure.message.contains("'one'")));
    assert_eq!(run.statuses(), ["failed", "pending", "pending"]);

    let mut run = Run::start(&THREE.replace("name: one,", "name: one, continue_on_error: true,"));
    fails(&mut run);
    assert_eq!(run.effects, [execute(1)]);
    run.complete(1, json!({}));
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn all_stages_complete_means_that_none_failed() {
    let text = format!(
        "{}completion: {{ conditions: [all_stages_complete] }}\n",
        THREE.replace("name: one,", "name: one, continue_on_error: true,")
    );
    let mut run = Run::start(&text);
    run.end(0, Ending::Failed(Failure::new("x", "broke")));
    run.complete(1, json!({}));
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("condition-not-met"));
}

#[test]
fn a_result_that_does_not_fit_fails_the_stage_and_is_kept() {
    let text = "name: T\nversion: 1\nstages:\n  - name: ask\n    type: agent\n    config: { prompt_template: ask.md }\n    outputs: { review: { schema: review } }\n";
    let mut run = Run::start(text);
    run.complete(0, json!({"garbage": true}));
    let failure = run.state.stages[0].failure.as_ref().expect("failed");
    assert_eq!(
        (failure.code.as_str(), failure.rejected.as_deref()),
        ("result-invalid", Some(&json!({"garbage": true})))
    );
}

#[test]
fn max_parallel_is_kept() {
    let text = "name: T\nversion: 1\nmax_parallel: 2\nstages:\n  - { name: a, type: work, depends_on: [] }\n  - { name: b, type: work, depends_on: [] }\n  - { name: c, type: work, depends_on: [] }\n";
    let mut run = Run::start(text);
    assert_eq!(run.effects, [execute(0), execute(1)]);
    run.complete(1, json!({}));
    assert_eq!(run.effects, [execute(2)]);
}

#[test]
fn a_pause_comes_after_the_stage_that_is_running() {
    let mut run = Run::start(THREE);
    run.feed(Input::Pause { by: me() });
    assert_eq!(run.state.status, RunStatus::Running);
    assert_eq!(run.feed(Input::Pause { by: me() }).events, [], "asking twice is asking once");
    run.complete(0, json!({}));
    assert_eq!((run.state.status, run.effects.len()), (RunStatus::Paused, 0));
    run.feed(Input::Resume { by: me() });
    assert_eq!(run.effects, [execute(1)]);
}

#[test]
fn cancelling_is_final_and_what_comes_later_is_ignored() {
    let mut run = Run::start(THREE);
    run.feed(Input::Cancel { by: me(), used: vec![] });
    assert_eq!(run.state.status, RunStatus::Cancelled);
    assert_eq!(run.statuses(), ["cancelled", "cancelled", "cancelled"]);
    assert_eq!(run.end_attempt(0, 1, Ending::Completed { result: json!({}), change_set: None }).events, []);
    assert_eq!(run.feed(Input::Cancel { by: me(), used: vec![] }).events, []);
    for input in [Input::Resume { by: me() }, Input::Pause { by: me() }] {
        assert!(matches!(run.try_feed(input), Err(Refusal::Over { .. })));
    }
}

#[test]
fn a_condition_that_is_false_skips_the_stage() {
    let text = "name: T\nversion: 1\nstages:\n  - { name: one, type: work }\n  - { name: two, type: work, if: '${{ stages.one.outputs.result.n > 1 }}' }\n  - { name: three, type: work }\n";
    let mut run = Run::start(text);
    run.complete(0, json!({"n": 1}));
    assert_eq!(run.statuses(), ["completed", "skipped", "running"]);
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
    let mut run = Run::start(text);
    run.complete(0, json!({"n": 2}));
    assert_eq!(run.statuses(), ["completed", "running", "pending"]);
}

#[test]
fn a_dry_run_owes_no_files() {
    let mut run = Run::start_with(THREE, |start| start.options.dry_run = true);
    run.complete(0, json!({}));
    run.write(1);
    assert_eq!(run.effects, [execute(2)]);
    assert!(run.state.stages[1].change_set.is_some(), "kept, to be shown");
    assert_eq!(run.state.stages[1].status, StageStatus::Completed);
}

#[test]
fn notifications_count_the_lists_of_the_last_agent_result() {
    let text = "name: T\nversion: 1\nstages:\n  - name: ask\n    type: agent\n    config: { prompt_template: ask.md }\n    outputs: { review: { schema: review } }\ncompletion:\n  outputs: [ask.review]\n  notifications:\n    - { type: stdout, message: '{blockers_count} blockers' }\n";
    let mut run = Run::start(text);
    run.complete(0, json!({"blockers": [1, 2]}));
    assert_eq!(run.effects, [Effect::Notify { message: "2 blockers".into() }]);
    assert_eq!(run.state.outputs["ask.review"], json!({"blockers": [1, 2]}));
}
