//! Limits: each is hit, says which it was and how to raise it, can be raised, and leaves docket and the plugin as they
//! were. What is larger than a log is cut and says so.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::sandbox::{
    act, act_all, assert_failure, definition, failure_of, guest_place, result_of, results, run_of,
};

/// After whatever happened, the same plugin does its work in the next run.
#[track_caller]
fn assert_well(place: &Place) {
    assert_eq!(result_of(place, json!({ "act": "big-result", "bytes": 2 })), json!({ "text": "xx" }));
}

/// The act fails like this, and nothing else suffers.
#[track_caller]
fn assert_stopped(place: &Place, config: Value, code: &str, words: &[&str]) {
    assert_failure(&failure_of(place, config), code, words);
    for run in place.runs() {
        let work = place.run_folder(&run).join("work");
        assert_eq!(std::fs::read_dir(work).map_or(0, Iterator::count), 0, "scratch is left behind by {run}");
    }
    assert_well(place);
}

#[test]
fn an_endless_loop_is_stopped() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cpu: 1 }\n");
    assert_stopped(
        &place,
        json!({ "act": "loop" }),
        "cpu-limit",
        &["'test-guest'", "1 s of CPU", "limits: { cpu"],
    );
}

#[test]
fn waiting_costs_no_cpu_but_ends_at_the_timeout() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cpu: 1 }\n");
    let slept = result_of(&place, json!({ "act": "sleep", "seconds": 1.2 }));
    assert!(slept["slept"].as_f64() >= Some(1.2), "{slept}");
    let stage =
        |config: Value| definition(json!([{ "name": "s", "type": "test", "timeout": 1, "config": config }]));
    for config in [json!({ "act": "sleep", "seconds": 100_000 }), json!({ "act": "loop" })] {
        place.write_home("config.yml", "");
        let output = act_all(&place, &stage(config)).code(1);
        let failure = place.status(&run_of(&output))["stages"][0]["failure"].clone();
        assert_failure(&failure, "timeout", &["'test-guest'", "longer than 1 s", "`timeout`"]);
    }
    assert_well(&place);
}

#[test]
fn the_wall_clock_limit_counts_where_a_stage_says_none() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { wall_clock: 1s }\n");
    assert_stopped(&place, json!({ "act": "sleep", "seconds": 100_000 }), "timeout", &["1 s", "wall_clock"]);
}

#[test]
fn memory_has_an_end() {
    let place = guest_place();
    let config = json!({ "act": "grow-or-die" });
    assert_stopped(&place, config.clone(), "memory-limit", &["'test-guest'", "256 MiB", "memory_mib"]);
    let most = |place: &Place| {
        let grown = result_of(place, json!({ "act": "grow" }));
        assert_eq!(grown["refused"], true);
        grown["bytes"].as_u64().expect("a size")
    };
    let usual = most(&place);
    assert!(usual <= 256 << 20, "{usual}");
    place.write_home("config.yml", "limits: { memory_mib: 300 }\n");
    assert!(most(&place) > usual, "a raised limit makes no difference");
    place.write_home("config.yml", "limits: { memory_mib: 20 }\n");
    assert_failure(&failure_of(&place, config), "memory-limit", &["20 MiB"]);
}

#[test]
fn tables_have_an_end() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { table_entries: 2 }\n");
    act(&place, json!({ "act": "time" }))
        .code(2)
        .says("'test-guest' needed tables of more than 2 entries")
        .says("table_entries");
    place.write_home("config.yml", "limits: { table_entries: 5000 }\n");
    assert_well(&place);
}

#[test]
fn components_have_a_size_and_a_time_to_compile() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { component_mib: 0 }\n");
    act(&place, json!({ "act": "time" }))
        .code(2)
        .says("'test-guest' is a component of more than 0 MiB")
        .says("component_mib");

    place.write_home("config.yml", "limits: { compile_timeout: 0 }\n");
    place.trusted_definition("acts", &crate::sandbox::single(&json!({ "act": "time" })));
    let mut command = place.command(&["workflow", "start", "acts"]);
    // A cache of its own: what is compiled already takes no time.
    command.env("XDG_CACHE_HOME", place.home().join("cache"));
    docket_tests::finish_or_kill(&mut command)
        .code(2)
        .says("took more than 0 s to compile")
        .says("compile_timeout");
    place.write_home("config.yml", "");
    assert_well(&place);
}

#[test]
fn crashes_are_the_plugins_and_say_its_last_words() {
    let place = guest_place();
    let panic = json!({ "act": "panic", "text": "the guest\u{1b}[31m gave up\u{9b}2J" });
    assert_stopped(
        &place,
        panic,
        "plugin-crashed",
        &["'test-guest'", "the guest gave up", "a bug of the plugin"],
    );
    assert_stopped(
        &place,
        json!({ "act": "abort" }),
        "plugin-crashed",
        &["'test-guest'", "a bug of the plugin"],
    );
}

#[test]
fn last_words_are_few() {
    let place = guest_place();
    let failure = failure_of(&place, json!({ "act": "panic", "text": "x".repeat(100_000) }));
    let length = failure["message"].as_str().map_or(0, str::len);
    assert!((100..5_000).contains(&length), "{length} bytes of message");
}

#[test]
fn a_failed_stage_does_not_stop_the_next_when_the_definition_says_so() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cpu: 1 }\n");
    for bad in ["loop", "abort", "recurse", "grow-or-die"] {
        let stages = json!([
            { "name": "bad", "type": "test", "config": { "act": bad }, "continue_on_error": true },
            { "name": "good", "type": "test", "config": { "act": "write", "path": format!("out/{bad}"), "content": "x" } },
        ]);
        let output = act_all(&place, &definition(stages));
        assert_eq!(results(&place, &run_of(&output))["good"], json!({ "ok": 1 }), "{}", output.stderr);
        assert_eq!(place.read(&format!("out/{bad}")), "x");
    }
}

#[test]
fn a_flooded_log_is_cut_and_says_so() {
    let place = guest_place();
    for config in [
        json!({ "act": "log", "lines": 100_000, "length": 40 }),
        json!({ "act": "stdout", "bytes": 3_000_000 }),
    ] {
        let output = act(&place, config).success();
        let run = run_of(&output);
        let size = std::fs::metadata(place.run_folder(&run).join("logs.txt")).expect("a log").len();
        // Each line is longer in the file: its time, level and stage stand before it.
        assert!((500_000..4_000_000).contains(&size), "{size}");
        let log = place.run(&["workflow", "logs", &run]).success();
        let tail: Vec<&str> = log.stdout.lines().rev().take(4).collect();
        assert!(
            tail.iter().any(|line| line.contains("the log is full") && line.contains("log_kib")),
            "{tail:?}"
        );
        assert!(log.stdout.trim_end().ends_with("run: completed"), "{tail:?}");
    }
    place.write_home("config.yml", "limits: { log_kib: 1 }\n");
    let output = act(&place, json!({ "act": "log", "lines": 100, "length": 100 })).success();
    let log = place.run(&["workflow", "logs", &run_of(&output)]).success();
    let kept = log.stdout.lines().filter(|line| line.contains("xxx")).count();
    assert!((5..=10).contains(&kept), "{kept} lines of 100 bytes in 1 KiB");
}

#[test]
fn one_call_carries_so_much_and_no_more() {
    let place = guest_place();
    let config = json!({ "act": "big-result", "bytes": 9 << 20 });
    let words = ["'test-guest'", "8 MiB in one call", "host_call_mib"];
    assert_stopped(&place, config.clone(), "host-call-limit", &words);
    let log = json!({ "act": "log", "lines": 1, "length": 9 << 20 });
    assert_stopped(&place, log, "host-call-limit", &words);
    place.write_home("config.yml", "limits: { host_call_mib: 10 }\n");
    let result = result_of(&place, config);
    assert_eq!(result["text"].as_str().map(str::len), Some(9 << 20));
}

#[test]
fn a_limit_that_is_no_number_is_refused_by_place() {
    let place = guest_place();
    for (text, word) in [
        ("limits: { cpu: -1 }\n", "cpu"),
        ("limits: { cpu: soon }\n", "soon"),
        ("limits: { memory: 5 }\n", "memory"),
        ("limits: { memory_mib: lots }\n", "memory_mib"),
    ] {
        place.write_home("config.yml", text);
        place.run(&["workflow", "list"]).success();
        place.run(&["workflow", "start", "rfc-review"]).code(2).says("config.yml").says(word);
    }
}
