//! What a plugin tries with more than it is given, and with bad ends. Each failure names the plugin, the limit and how to
//! raise it; the next stage of the same plugin runs in the same run.

use std::process::Stdio;

use docket_tests::Output;
use serde_json::json;

use crate::ground::{Ground, assert_clean};

/// A second of CPU is enough for the rest.
const SECOND: &str = "limits: { cpu: 1 }\n";

/// The plugin hit its limit of CPU time.
fn stopped_by_cpu(ground: &Ground) {
    ground.settings(SECOND);
    ground.fails(json!({}), "cpu-limit", &["'hostile-guest'", "1 s of CPU", "limits: { cpu"]);
}

/// The plugin ran out of time; what it proposed until then is not written.
fn stopped_by_time(ground: &Ground) {
    let ended = ground.attempts(&[json!({})], &json!({ "timeout": 1 }), &[]);
    ended.assert_failed(0, "timeout", &["'hostile-guest'", "1 s", "`timeout`"]);
}

pub(crate) fn endless_run(ground: Ground) {
    stopped_by_cpu(&ground);
}

pub(crate) fn copy_storm(ground: Ground) {
    stopped_by_cpu(&ground);
}

pub(crate) fn deep_recursion(ground: Ground) {
    ground.fails(json!({}), "stack-limit", &["'hostile-guest'"]);
}

/// What a language keeps in memory beside the stack ends where memory begins.
pub(crate) fn deep_frames(ground: Ground) {
    let ended = ground.attempt(json!({}));
    let code = ended.failure(0)["code"].clone();
    assert!(code == "plugin-crashed" || code == "stack-limit", "{}", ended.failure(0));
}

pub(crate) fn grow_to_four_gib(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn use_all_memory(ground: Ground) {
    ground.fails(json!({}), "memory-limit", &["'hostile-guest'", "256 MiB", "memory_mib"]);
}

pub(crate) fn sleep_for_ever(ground: Ground) {
    stopped_by_time(&ground);
}

pub(crate) fn poll_for_ever(ground: Ground) {
    stopped_by_time(&ground);
}

/// docket's own standard input stays open and says nothing; the plugin has none at all.
pub(crate) fn blocked_stdin(ground: Ground) {
    ground.define(&[json!({})], &json!(null));
    ground.trust();
    let before = ground.look();
    let mut command = ground.place.command(&["workflow", "start", "attempts"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    let input = child.stdin.take();
    let output = Output::of_child(child);
    drop(input);
    assert_clean(&["start"], &output);
    let ended = ground.ended(&output, &before, &[]);
    assert_eq!(ended.result(0)["read"], 0);
}

pub(crate) fn million_handles(ground: Ground) {
    ground.fails(json!({}), "handle-limit", &["'hostile-guest'"]);
}

/// The log is cut, says so, and does not grow beyond.
fn log_is_cut(ground: &Ground) -> String {
    let ended = ground.attempt(json!({}));
    let log = std::fs::read_to_string(ground.place.run_folder(&ended.run).join("logs.txt")).expect("a log");
    assert!(log.len() < 80 << 20, "{} bytes of log", log.len());
    log
}

pub(crate) fn million_logs(ground: Ground) {
    ground.settings("limits: { log_kib: 64 }\n");
    let log = log_is_cut(&ground);
    assert!(log.contains("the log is full") && log.contains("log_kib"), "nothing says that it was cut");
    assert!(log.lines().count() < 70_000, "{} lines", log.lines().count());
}

pub(crate) fn million_activities(ground: Ground) {
    ground.settings("limits: { log_kib: 64 }\n");
    let log = log_is_cut(&ground);
    assert!(log.lines().count() < 70_000, "{} lines", log.lines().count());
}

pub(crate) fn endless_stdout(ground: Ground) {
    stopped_by_cpu(&ground);
}

pub(crate) fn endless_stderr(ground: Ground) {
    stopped_by_cpu(&ground);
}

pub(crate) fn empty_lines(ground: Ground) {
    let log = log_is_cut(&ground);
    assert!(log.lines().count() < 1_200_000, "{} lines", log.lines().count());
}

pub(crate) fn trap_in_run(ground: Ground) {
    let words = ["'hostile-guest'", "unreachable", "the last words of the guest", "a bug of the plugin"];
    ground.fails(json!({}), "plugin-crashed", &words);
}

pub(crate) fn panic_in_run(ground: Ground) {
    ground.fails(
        json!({}),
        "plugin-crashed",
        &["'hostile-guest'", "the guest gives up", "a bug of the plugin"],
    );
}

/// The plugin ends; docket does not.
pub(crate) fn exit_in_run(ground: Ground) {
    ground.fails(json!({}), "plugin-crashed", &["'hostile-guest'", "exit"]);
}

/// The same plugin, again and again after it ran out of time.
pub(crate) fn timeout_then_again(ground: Ground) {
    let twice = [json!({}), json!({ "act": "well" }), json!({})];
    let ended = ground.attempts(&twice, &json!({ "timeout": 1 }), &[]);
    ended.assert_failed(0, "timeout", &["'hostile-guest'"]);
    assert_eq!(ended.result(1)["well"], true);
    ended.assert_failed(2, "timeout", &["'hostile-guest'"]);
}

pub(crate) fn deep_result(ground: Ground) {
    ground.fails(json!({}), "result-unreadable", &["'hostile-guest'", "recursion limit"]);
}

/// More than one call may carry.
pub(crate) const HOST_CALL: [&str; 3] = ["'hostile-guest'", "8 MiB in one call", "host_call_mib"];

pub(crate) fn giant_result(ground: Ground) {
    ground.fails(json!({}), "host-call-limit", &HOST_CALL);
}

pub(crate) fn giant_error(ground: Ground) {
    ground.fails(json!({}), "host-call-limit", &HOST_CALL);
}

pub(crate) fn giant_question(ground: Ground) {
    ground.fails(json!({}), "host-call-limit", &HOST_CALL);
}
