//! Conditions, allowed failures, completion, timeouts, and stages side by side.

use docket_tests::{Output, Place, wait_until};
use serde_json::{Value, json};

use crate::sandbox::{guest_place, run_of};
use crate::support::{stage, status_of};

/// Runs a definition of acts of the test plugin; JSON is YAML.
fn run(place: &Place, definition: &Value) -> (Output, String) {
    place.trusted_definition("acts", &definition.to_string());
    let output = place.run_or_kill(&["workflow", "start", "acts"]);
    let run = run_of(&output);
    (output, run)
}

fn echo(name: &str) -> Value {
    json!({ "name": name, "type": "test", "config": { "act": "echo" } })
}

fn with(mut stage: Value, more: Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    stage.as_object_mut().expect("an object").extend(more);
    stage
}

fn failing(name: &str) -> Value {
    json!({ "name": name, "type": "test", "config": { "act": "fail", "message": "as it was asked to" } })
}

/// The stages' statuses, in order.
fn statuses(place: &Place, run: &str) -> Vec<String> {
    let status = place.status(run);
    let stages = status["stages"].as_array().expect("stages");
    stages.iter().map(|stage| stage["status"].as_str().expect("a status").to_owned()).collect()
}

#[test]
fn a_stage_whose_condition_is_false_is_skipped_and_the_run_goes_on() {
    let place = guest_place();
    let no = json!({ "if": "${{ stages.first.status == 'failed' }}" });
    let yes = json!({ "if": "${{ stages.second.status == 'skipped' }}" });
    let definition = json!({ "name": "A", "version": 1, "stages": [
        echo("first"), with(echo("second"), no), with(echo("third"), yes),
    ]});
    let (output, run) = run(&place, &definition);
    let _ = output.success().says("second: its condition is false: stages.first.status == 'failed'");
    assert_eq!(statuses(&place, &run), ["completed", "skipped", "completed"]);
}

#[test]
fn a_failed_stage_ends_the_run_unless_it_may_fail() {
    let place = guest_place();
    let definition = |more: Value, conditions: Value| {
        json!({ "name": "A", "version": 1, "stages": [echo("one"), with(failing("two"), more), echo("three")],
                "completion": { "conditions": conditions } })
    };
    let (output, first) = run(&place, &definition(json!({}), json!([])));
    let _ = output.code(1).says("as it was asked to").says(&format!("docket workflow logs {first}"));
    assert_eq!(statuses(&place, &first)[..2], ["completed", "failed"]);
    assert_ne!(statuses(&place, &first)[2], "completed");

    let (output, second) = run(&place, &definition(json!({ "continue_on_error": true }), json!([])));
    let _ = output.success().says("as it was asked to");
    assert_eq!(statuses(&place, &second), ["completed", "failed", "completed"]);

    let (output, third) =
        run(&place, &definition(json!({ "continue_on_error": true }), json!(["all_stages_complete"])));
    let _ = output.code(1).says("not all stages completed: 'two' failed");
    assert_eq!(status_of(&place, &third), "failed");
}

#[test]
fn a_run_whose_condition_of_success_is_false_failed() {
    let place = guest_place();
    let definition = json!({ "name": "A", "version": 1, "stages": [echo("one")],
        "completion": {
            "conditions": ["${{ stages.one.status == 'skipped' }}"],
            "notifications": [{ "type": "stdout", "message": "done" }],
        } });
    let (output, run) = run(&place, &definition);
    let output = output.code(1).says("stages.one.status == 'skipped'");
    assert_eq!(output.stdout, "", "only a success is announced");
    assert_eq!(status_of(&place, &run), "failed");
    place.run(&["workflow", "status", &run]).success().prints("Status: Failed").prints("stages.one.status");
}

#[test]
fn a_stage_that_takes_too_long_is_stopped() {
    let place = guest_place();
    let slow =
        json!({ "name": "slow", "type": "test", "timeout": 1, "config": { "act": "sleep", "seconds": 600 } });
    let (output, run) = run(&place, &json!({ "name": "A", "version": 1, "stages": [slow] }));
    let _ = output.code(1).says("slow");
    let failure = stage(&place, &run, "slow")["failure"].clone();
    assert_eq!(failure["code"], "timeout", "{failure}");
}

#[test]
fn stages_that_wait_for_nothing_run_side_by_side_up_to_the_limit() {
    for (limit, most) in [(3, 3), (1, 1)] {
        let place = guest_place();
        let slow = |name: &str| json!({ "name": name, "type": "test", "depends_on": [], "config": { "act": "sleep", "seconds": 600 } });
        let definition = json!({ "name": "A", "version": 1, "max_parallel": limit,
            "stages": [slow("one"), slow("two"), slow("three")] });
        place.trusted_definition("acts", &definition.to_string());
        let owner = place.spawn(&["workflow", "start", "acts"]);
        wait_until("the run is there", || {
            place.runs().len() == 1 && place.run_folder(&place.only_run()).join("state.json").exists()
        });
        let run = place.only_run();
        let running = || statuses(&place, &run).iter().filter(|status| *status == "running").count();
        assert_eq!(running(), most, "they start in one record");
        place.run(&["workflow", "cancel", &run]).success();
        Output::of_child(owner).code(1);
        assert_eq!(statuses(&place, &run), ["cancelled"; 3]);
    }
}

#[test]
fn a_sleeping_stage_is_cancelled_paused_after_and_survives_kills() {
    let place = guest_place();
    let slow = json!({ "name": "slow", "type": "test", "config": { "act": "sleep", "seconds": 600 } });
    place.trusted_definition("acts", &json!({ "name": "A", "version": 1, "stages": [slow] }).to_string());
    let mut owner = place.spawn(&["workflow", "start", "acts"]);
    wait_until("the stage runs", || {
        place.runs().len() == 1 && place.run_folder(&place.only_run()).join("work").exists()
    });
    let run = place.only_run();
    docket_tests::kill(&mut owner);
    assert_eq!(status_of(&place, &run), "interrupted");
    let owner = place.spawn(&["workflow", "resume", &run]);
    wait_until("it runs again", || status_of(&place, &run) == "running");
    place.run(&["workflow", "pause", &run]).success();
    place.run(&["workflow", "cancel", &run]).success();
    Output::of_child(owner).code(1);
    assert_eq!(status_of(&place, &run), "cancelled");
    assert!(!place.run_folder(&run).join("work").join("slow-1").exists(), "its sandbox is gone");
}

#[test]
fn dependencies_count_and_not_the_order_in_the_file() {
    let place = guest_place();
    let definition = json!({ "name": "A", "version": 1, "stages": [
        with(echo("last"), json!({ "depends_on": ["middle", "first"] })),
        with(echo("middle"), json!({ "depends_on": "first" })),
        with(echo("first"), json!({ "depends_on": [] })),
    ]});
    let (output, run) = run(&place, &definition);
    let _ = output.success();
    let log = std::fs::read_to_string(place.run_folder(&run).join("logs.txt")).expect("a log");
    let started: Vec<&str> = log
        .lines()
        .filter_map(|line| line.strip_suffix(": started (attempt 1)")?.rsplit(' ').next())
        .collect();
    assert_eq!(started, ["first", "middle", "last"]);
}
