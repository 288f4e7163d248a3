//! A plugin that goes wrong while it runs harms itself alone: what it opened, the stack it used up, the crash it had.
//! Each is told by name and value, and the next stage and the next run are as if nothing had been.

use std::process::Command;

use docket_tests::{Place, finish_or_kill};
use serde_json::json;

use crate::sandbox::{
    GRANTED_TEXT, act, act_all, assert_failure, definition, failure_of, guest_place, result_of, results,
    run_of,
};

/// The granted file as the plugin sees it.
const FILE: &str = "/project/docs/a.md";

#[test]
fn handles_have_an_end() {
    let place = guest_place();
    let many = json!({ "act": "open-many", "path": FILE, "count": 100_000 });
    let words = ["'test-guest'", "more than 1000 files", "limits: { handles"];
    assert_failure(&failure_of(&place, many), "handle-limit", &words);

    place.write_home("config.yml", "limits: { handles: 60 }\n");
    let few = json!({ "act": "open-many", "path": FILE, "count": 200 });
    assert_failure(&failure_of(&place, few.clone()), "handle-limit", &["more than 60 files"]);
    // What is closed does not count.
    let closed = json!({ "act": "open-and-close", "path": FILE, "count": 2000 });
    assert_eq!(result_of(&place, closed), json!({ "opened": 2000 }));

    place.write_home("config.yml", "limits: { handles: 500 }\n");
    assert_eq!(result_of(&place, few), json!({ "open": 200 }));
}

/// Where the system gives few descriptors, a plugin gets a part of them and docket's journal keeps its own.
#[test]
fn a_plugin_takes_no_descriptors_from_docket() {
    let place = guest_place();
    let stages = json!([
        { "name": "greedy", "type": "test", "continue_on_error": true,
          "config": { "act": "open-many", "path": FILE, "count": 100_000 } },
        { "name": "next", "type": "test", "config": { "act": "read", "path": FILE } },
    ]);
    place.trusted_definition("acts", &definition(stages));
    let docket = place.command(&[]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n 300 && exec \"$0\" \"$@\""]).arg(docket.get_program());
    command.args(["workflow", "start", "acts"]).current_dir(place.project()).env_clear();
    command.envs(docket.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = run_of(&finish_or_kill(&mut command));
    let failure = place.status(&run)["stages"][0]["failure"].clone();
    assert_failure(&failure, "handle-limit", &["more than 22 files", "ulimit -n"]);
    assert_eq!(results(&place, &run)["next"], json!({ "ok": GRANTED_TEXT }));
}

#[test]
fn deep_recursion_is_told_from_other_crashes() {
    let place = guest_place();
    let words = ["'test-guest'", "stack", "1024 KiB", "limits: { stack_kib", "stack-size"];
    assert_failure(&failure_of(&place, json!({ "act": "recurse" })), "stack-limit", &words);
    // The compiler's stack, not the one that the language keeps in memory.
    place.write_home("config.yml", "limits: { stack_kib: 64 }\n");
    assert_failure(&failure_of(&place, json!({ "act": "recurse" })), "stack-limit", &["64 KiB"]);
    place.write_home("config.yml", "");
    assert_well(&place);
    for text in ["limits: { stack_kib: 1 }\n", "limits: { stack_kib: 100000000 }\n"] {
        place.write_home("config.yml", text);
        place.run(&["workflow", "start", "acts"]).code(2).says("config.yml").says("64 to 65536");
    }
}

#[test]
fn a_crash_names_plugin_stage_functions_and_last_words() {
    let place = guest_place();
    let output = act(&place, json!({ "act": "stumble", "position": 7 })).code(1);
    let run = run_of(&output);
    let status = place.status(&run);
    assert_eq!(status["stages"][0]["name"], "s");
    let failure = &status["stages"][0]["failure"];
    let words = ["'test-guest'", "reach_too_far ← ", "stumble", "about to stumble", "index is 7"];
    assert_failure(failure, "plugin-crashed", &words);
    let message = failure["message"].as_str().expect("a message");
    for noise in ["panicking", "rust_panic", "core::", "h0"] {
        assert!(!message.contains(noise), "'{noise}' in {message}");
    }
    output.says("stage 's'").says("reach_too_far");
    let log = place.run(&["workflow", "logs", &run]).success();
    assert!(log.stdout.contains("crashed in 0: ") && log.stdout.contains("reach_too_far"), "{}", log.stdout);
    assert_well(&place);
}

/// Operations on a whole memory have no look at the clock inside, but there is one after each.
#[test]
fn a_storm_of_copies_is_stopped() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cpu: 1 }\n");
    assert_failure(&failure_of(&place, json!({ "act": "copy-storm" })), "cpu-limit", &["1 s of CPU"]);
    assert_well(&place);
}

/// A stage that only burns its time does not keep another one, which runs beside it, from its work.
#[test]
fn a_stage_that_never_ends_starves_no_other() {
    let place = guest_place();
    let stages = json!([
        { "name": "endless", "type": "test", "timeout": 3, "continue_on_error": true, "depends_on": [],
          "config": { "act": "loop" } },
        { "name": "sleeper", "type": "test", "timeout": 3, "continue_on_error": true, "depends_on": [],
          "config": { "act": "sleep", "seconds": 100_000 } },
        { "name": "quick", "type": "test", "depends_on": [],
          "config": { "act": "write", "path": "out/quick.md", "content": "x" } },
    ]);
    place.trusted_definition("acts", &definition(stages));
    let mut docket = place.spawn(&["workflow", "start", "acts"]);
    docket_tests::wait_until("the quick stage has written", || place.project().join("out/quick.md").exists());
    assert!(docket.try_wait().expect("it can be asked").is_none(), "the others were waited for first");
    let run = run_of(&docket_tests::Output::of_child(docket));
    for (number, name) in ["endless", "sleeper"].into_iter().enumerate() {
        let stage = place.status(&run)["stages"][number].clone();
        assert_eq!(stage["name"], name);
        assert_failure(&stage["failure"], "timeout", &["3 s"]);
    }
}

#[test]
fn many_small_lines_are_a_flood_too() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { log_kib: 64 }\n");
    let output = act_all(
        &place,
        &definition(json!([{ "name": "s", "type": "test", "config": { "act": "log", "lines": 1_000_000, "length": 0 } }])),
    )
    .success();
    let log = place.run(&["workflow", "logs", &run_of(&output)]).success();
    let lines = log.stdout.lines().filter(|line| line.contains("line ")).count();
    assert!((500..=64 * 1024 / 32).contains(&lines), "{lines} lines in 64 KiB");
    assert!(log.stdout.contains("the log is full"));
}

#[test]
fn proposals_are_counted() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { out_files: 5 }\n");
    let many = json!({ "act": "write-many", "path": "out", "count": 10, "bytes": 1 });
    let words = ["'test-guest'", "more than 5 files", "limits: { out_files"];
    assert_failure(&failure_of(&place, many.clone()), "output-limit", &words);
    place.write_home("config.yml", "limits: { out_files: 20 }\n");
    result_of(&place, many);
}

#[test]
fn a_component_is_made_of_so_many_parts() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { parts: 1 }\n");
    act(&place, json!({ "act": "time" }))
        .code(2)
        .says("'test-guest' is made of more than 1 instances")
        .says("limits: { parts");
}

/// A question is for a person: what nobody could read or fill in is the plugin's bug.
#[test]
fn questions_have_a_size() {
    let place = guest_place();
    let schema = json!({ "type": "object", "description": "x".repeat(300 * 1024) });
    let failure = failure_of(&place, json!({ "act": "wait", "schema": schema }));
    assert_failure(&failure, "question-invalid", &["'test-guest'", "256 KiB"]);
}

#[track_caller]
fn assert_well(place: &Place) {
    assert_eq!(result_of(place, json!({ "act": "big-result", "bytes": 2 })), json!({ "text": "xx" }));
}
