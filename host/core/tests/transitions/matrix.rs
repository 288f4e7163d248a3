//! Stages with a matrix: items, the gathering of what they did, and what becomes of those that don't do it.

use docket_core::run::{Effect, Ending, Event, Failure, Input, RunStatus, Usage, decide};
use serde_json::{Value, json};

use crate::common::at;
use crate::run::{Run, me};

const AFTER: &str = "name: after, type: work";

fn items(matrix: &str) -> Run {
    Run::of(&[&format!("name: m, type: work, matrix: {{ {matrix} }}"), AFTER])
}

#[test]
fn a_matrix_over_nothing_is_done_at_once_with_an_empty_list() {
    let run = items("x: []");
    assert_eq!(run.statuses(), ["completed", "running"]);
    assert_eq!(run.stage("m").result, Some(json!([])));
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn a_matrix_over_one_value_gathers_a_list_of_one() {
    let mut run = items("x: [a]");
    assert_eq!(run.executions(), [("m.a", 1)]);
    run.complete(2, json!({"n": 1}));
    assert_eq!(run.stage("m").result, Some(json!([{"n": 1}])));
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn two_axes_are_combined_the_last_one_turning_fastest() {
    let run = items("x: [a, b], y: [1, 2]");
    assert_eq!(run.names(), ["m", "after", "m.a.1", "m.a.2", "m.b.1", "m.b.2"]);
    assert_eq!(run.executions(), [("m.a.1", 1), ("m.a.2", 1), ("m.b.1", 1), ("m.b.2", 1)]);
    let values = run.stage("m.b.1").item.as_ref().map(|item| Value::Object(item.values.clone()));
    assert_eq!(values, Some(json!({"x": "b", "y": 1})));
}

#[test]
fn results_are_gathered_in_the_order_of_the_items_whichever_ends_first() {
    let mut run = items("x: [a, b]");
    run.complete(3, json!("second"));
    assert_eq!(run.statuses(), ["running", "pending", "running", "completed"]);
    let decision = run.complete(2, json!("first"));
    assert_eq!(run.stage("m").result, Some(json!(["first", "second"])));
    assert!(
        matches!(
            decision.events[..],
            [
                Event::StageCompleted { .. },
                Event::StageGathered { stage: 0 },
                Event::StageStarted { stage: 1, .. }
            ]
        ),
        "the last item, the stage, and the start of the next one are one record"
    );
}

#[test]
fn an_item_is_told_its_values() {
    let run =
        Run::of(&["name: m, type: work, matrix: { x: [a, b] }, config: { target: 'docs/${matrix.x}.md' }"]);
    assert_eq!(run.task("m.b").config, json!({"target": "docs/b.md"}));
}

#[test]
fn an_item_that_fails_ends_the_run_when_the_others_are_over() {
    let mut run = Run::at_once(2, &["name: m, type: work, matrix: { x: [a, b, c] }", AFTER]);
    run.fail(2);
    assert_eq!(run.executions(), [], "nothing new is begun");
    assert_eq!(run.state.status, RunStatus::Running, "one is still being done");
    run.complete(3, json!(1));
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.statuses(), ["failed", "pending", "failed", "completed", "skipped"]);
    let failure = run.stage("m").failure.as_ref().expect("failed with its item");
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("items-failed", "1 of its 3 items failed: m.a")
    );
    let failure = run.state.failure.as_ref().expect("failed");
    assert!(failure.message.contains("'m.a'"), "{failure:?}");
}

#[test]
fn an_item_that_may_fail_leaves_a_gap() {
    let mut run = Run::of(&["name: m, type: work, matrix: { x: [a, b] }, continue_on_error: true", AFTER]);
    run.fail(2);
    run.complete(3, json!(2));
    assert_eq!(run.stage("m").result, Some(json!([null, 2])));
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn a_condition_about_the_items_is_asked_for_each() {
    let mut run = Run::of(&["name: m, type: work, matrix: { x: [1, 2, 3] }, if: matrix.x != 2", AFTER]);
    assert_eq!(run.executions(), [("m.1", 1), ("m.3", 1)]);
    assert_eq!(run.statuses(), ["running", "pending", "running", "skipped", "running"]);
    run.complete(2, json!("a"));
    run.complete(4, json!("c"));
    assert_eq!(run.stage("m").result, Some(json!(["a", null, "c"])));
}

#[test]
fn a_condition_about_anything_else_is_asked_once_and_makes_no_items() {
    let mut run = Run::of(&[
        "name: one, type: work",
        "name: m, type: work, matrix: { x: [1, 2] }, if: stages.one.outputs.result.n > 1",
    ]);
    run.complete(0, json!({"n": 1}));
    assert_eq!(run.statuses(), ["completed", "skipped"]);
    assert_eq!(run.state.status, RunStatus::Completed);
}

#[test]
fn all_items_skipped_is_a_list_of_gaps() {
    let run = Run::of(&["name: m, type: work, matrix: { x: [1, 2] }, if: matrix.x > 2", AFTER]);
    assert_eq!(run.stage("m").result, Some(json!([null, null])));
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn gathering_waits_until_the_files_are_written() {
    let mut run = items("x: [a, b]");
    run.complete(2, json!(1));
    run.write(3);
    assert_eq!(run.effects, [Effect::Apply { stage: 3 }]);
    assert_eq!(run.stage("m").status.name(), "running", "what builds on it may read the files");
    run.feed(Input::Applied { stage: 3 });
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn a_conflict_of_one_item_holds_up_only_what_builds_on_the_stage() {
    let mut run = Run::at_once(1, &["name: m, type: work, matrix: { x: [a, b] }", AFTER]);
    run.write(2);
    assert_eq!(run.effects, [Effect::Apply { stage: 2 }, Effect::Execute { stage: 3, attempt: 1 }]);
    run.feed(Input::ApplyFailed { stage: 2, failure: Failure::new("file-changed", "changed") });
    assert_eq!(run.statuses(), ["running", "pending", "conflict", "running"], "the other item goes on");
    run.complete(3, json!(2));
    assert_eq!(run.state.status, RunStatus::Waiting);
    run.feed(Input::Resume { by: me() });
    run.feed(Input::Applied { stage: 2 });
    assert_eq!(run.stage("m").result, Some(json!([{}, 2])));
    assert_eq!(run.executions(), [("after", 1)]);
}

#[test]
fn a_conflict_before_a_matrix_takes_its_items_back() {
    let mut run = Run::of(&["name: one, type: storage", "name: m, type: work, matrix: { x: [a, b] }"]);
    run.write(0);
    assert_eq!(run.executions(), [("m.a", 1), ("m.b", 1)]);
    run.feed(Input::ApplyFailed { stage: 0, failure: Failure::new("file-changed", "changed") });
    assert_eq!(run.statuses(), ["conflict", "pending", "pending", "pending"]);
    run.feed(Input::Resume { by: me() });
    run.feed(Input::Applied { stage: 0 });
    assert_eq!(run.executions(), [("m.a", 1), ("m.b", 1)], "the attempts that never were don't count");
    assert_eq!(run.names().len(), 4, "they are the same items");
}

#[test]
fn items_share_the_places_there_are() {
    let mut run = Run::at_once(
        2,
        &[
            "name: m, type: work, matrix: { x: [1, 2, 3] }, if: matrix.x > 0",
            "name: other, type: work, depends_on: []",
        ],
    );
    assert_eq!(run.executions(), [("other", 1), ("m.1", 1)]);
    run.complete(1, json!(0));
    assert_eq!(run.executions(), [("m.2", 1)]);
    run.complete(2, json!(0));
    assert_eq!(run.executions(), [("m.3", 1)]);
}

#[test]
fn a_matrix_of_what_was_found() {
    let mut run = Run::of(&[
        "name: find, type: work",
        "name: m, type: work, matrix: { x: '${{ stages.find.outputs.result.found }}' }",
    ]);
    run.complete(0, json!({"found": ["docs/a.md", "docs/b.md"]}));
    assert_eq!(run.executions(), [("m.1", 1), ("m.2", 1)], "what makes no name is numbered");
}

#[test]
fn a_matrix_of_no_list_fails() {
    let matrix = "name: m, type: work, matrix: { x: '${{ stages.find.outputs.result.found }}' }";
    let mut run = Run::of(&["name: find, type: work", matrix, AFTER]);
    run.complete(0, json!({"found": "one"}));
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.stage("m").failure.as_ref().map(|failure| failure.code.as_str()), Some("matrix-invalid"));

    let mut run = Run::of(&["name: find, type: work", &format!("{matrix}, continue_on_error: true"), AFTER]);
    run.complete(0, json!({"found": "one"}));
    assert_eq!(run.executions(), [("after", 1)], "where that is allowed, the run goes on");
}

#[test]
fn a_matrix_that_is_done_stays_done_when_another_stage_ends_the_run() {
    let mut run =
        Run::of(&["name: m, type: work, matrix: { x: [a, b] }", "name: other, type: work, depends_on: []"]);
    run.fail(1);
    run.complete(2, json!(1));
    run.complete(3, json!(2));
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.stage("m").result, Some(json!([1, 2])));
    run.retry(None).expect("taken");
    assert_eq!(run.executions(), [("other", 2)], "its items need not be done again");
}

#[test]
fn a_run_fails_with_items_that_were_never_begun() {
    let mut run = Run::at_once(
        2,
        &["name: m, type: work, matrix: { x: [a, b] }", "name: other, type: work, depends_on: []"],
    );
    assert_eq!(run.executions(), [("other", 1), ("m.a", 1)]);
    run.fail(1);
    run.complete(2, json!(1));
    assert_eq!(
        run.stage("m").failure.as_ref().map(|failure| failure.message.as_str()),
        Some("not all of its items were run")
    );
    assert_eq!(run.stage("m.b").skipped.as_deref(), Some("its stage is not run any more"));
    run.retry(None).expect("taken");
    assert_eq!(run.executions(), [("other", 2), ("m.b", 1)]);
}

#[test]
fn what_items_used_is_summed_up() {
    let mut run = items("x: [a, b]");
    for stage in [2, 3] {
        let usage = Usage { input_tokens: Some(10), ..Usage::default() };
        let ending = Ending::Completed { result: json!({}), change_set: None };
        run.feed(Input::StageEnded { stage, attempt: 1, ending, plugin: None, usage });
    }
    assert_eq!(run.stage("m").usage.input_tokens, Some(20));
}

#[test]
fn a_thousand_items_go_through_in_order() {
    let text = "name: T\nversion: 1\nmax_parallel: 8\nstages:\n  - { name: find, type: work }\n  - { name: m, type: work, matrix: { x: '${{ stages.find.outputs.result }}' }, if: matrix.x % 2 == 0 }\n";
    let mut run = Run::start(text);
    run.complete(0, json!((0..1000).collect::<Vec<u32>>()));
    // Reading the journal again after each decision would be all that this test does.
    let (workflow, mut state) = (run.workflow, run.state);
    let mut open: Vec<Effect> = run.effects;
    let mut executed = Vec::new();
    while let Some(Effect::Execute { stage, attempt }) = open.first().cloned() {
        open.remove(0);
        executed.push(state.stages[stage].name.clone());
        let ending = Ending::Completed { result: json!(stage), change_set: None };
        let usage = Usage::default();
        let input = Input::StageEnded { stage, attempt, ending, plugin: None, usage };
        let decision = decide(&workflow, &mut state, input, at(1)).expect("taken");
        open.extend(decision.effects);
    }
    assert_eq!(state.status, RunStatus::Completed);
    let expected: Vec<String> = (0..1000).step_by(2).map(|item| format!("m.{item}")).collect();
    assert_eq!(executed, expected);
    let gathered = state.stages[1].result.as_ref().and_then(Value::as_array).expect("a list");
    assert_eq!(gathered.iter().filter(|result| !result.is_null()).count(), 500);
}
