//! What a plugin tries that was granted to talk to the launcher profile's command.

use serde_json::json;

use crate::ground::Ground;
use crate::limits::HOST_CALL;

/// Says what it hears.
const CAT: &str = "/bin/cat";
/// Reads nothing.
const SLEEP: &str = "/bin/sleep";

fn with(ground: &Ground, program: &str) -> serde_json::Value {
    ground.profile(program);
    json!({ "program": program })
}

/// One line stays one line.
pub(crate) fn line_ends(ground: Ground) {
    let config = with(&ground, CAT);
    ground.is_sealed(config);
}

pub(crate) fn giant_line(ground: Ground) {
    let config = with(&ground, CAT);
    ground.fails(config, "host-call-limit", &HOST_CALL);
}

pub(crate) fn long_line(ground: Ground) {
    let config = with(&ground, CAT);
    ground.is_sealed(config);
}

/// What is sent is kept up to its limit, and no byte more.
pub(crate) fn flood(ground: Ground) {
    let config = with(&ground, CAT);
    let ended = ground.attempt(config);
    let result = ended.result(0);
    assert!(result["told"].as_str().is_some_and(|told| told.contains("64 MiB")), "{result}");
    let folder = ground.place.run_folder(&ended.run).join("results/try-0/attempt-1/process-1");
    let said = std::fs::metadata(folder.join("said.jsonl")).expect("what was said").len();
    assert!(said <= 64 * 1024 * 1024, "{said} bytes");
    assert!(said > 60 * 1024 * 1024, "there was room: {said} bytes");
    assert_eq!(ground.docket(&["workflow", "verify"]).code, 0);
}

/// Neither the plugin nor docket waits for somebody who reads nothing.
pub(crate) fn never_read(ground: Ground) {
    let config = with(&ground, SLEEP);
    let result = ground.completes(config);
    assert_eq!(result, json!({ "sent": 100, "silent": true, "rest": [] }));
}

pub(crate) fn after_the_end(ground: Ground) {
    let config = with(&ground, "/bin/true");
    ground.is_sealed(config);
}

pub(crate) fn after_finish(ground: Ground) {
    let config = with(&ground, CAT);
    ground.is_sealed(config);
}

/// Dialogues and processes are counted together.
pub(crate) fn many_partners(ground: Ground) {
    ground.settings(
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/cat] } }\nlimits: { processes: 7 }\n",
    );
    let ended = ground.fails(json!({ "program": CAT }), "process-limit", &["'hostile-guest'", "more than 7"]);
    let folder = ground.place.run_folder(&ended.run).join("results/try-0/attempt-1");
    assert_eq!(std::fs::read_dir(folder).expect("processes").count(), 7);
}

/// The stage ends at its time, and so does the partner.
pub(crate) fn waits_for_ever(ground: Ground) {
    let config = with(&ground, CAT);
    let ended = ground.attempts(&[config], &json!({ "timeout": 1 }), &[]);
    ended.assert_failed(0, "timeout", &["'hostile-guest'", "1 s"]);
    let folder = ground.place.run_folder(&ended.run).join("results/try-0/attempt-1/process-1");
    docket_tests::wait_until("the partner's end is recorded", || folder.join("exited.json").exists());
}

pub(crate) fn other_programs(ground: Ground) {
    let config = with(&ground, CAT);
    ground.place.write("tool", "#!/bin/sh\ntouch ran\n");
    ground.is_sealed(config);
}
