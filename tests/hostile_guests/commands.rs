//! What a plugin tries that was granted to run the launcher profile's command, which here is `/bin/echo`.

use serde_json::json;

use crate::ground::Ground;
use crate::limits::HOST_CALL;

/// What the profile grants.
const ECHO: &str = "/bin/echo";

pub(crate) fn other_programs(ground: Ground) {
    ground.place.write("tool", "#!/bin/sh\ntouch ran\n");
    ground.is_sealed(json!({ "program": ECHO }));
}

pub(crate) fn giant_program(ground: Ground) {
    ground.fails(json!({ "program": ECHO }), "host-call-limit", &HOST_CALL);
}

pub(crate) fn giant_arguments(ground: Ground) {
    ground.fails(json!({ "program": ECHO }), "host-call-limit", &HOST_CALL);
}

pub(crate) fn giant_input(ground: Ground) {
    ground.fails(json!({ "program": ECHO }), "host-call-limit", &HOST_CALL);
}

pub(crate) fn odd_attachments(ground: Ground) {
    ground.is_sealed(json!({ "program": ECHO }));
}

pub(crate) fn odd_answer_files(ground: Ground) {
    ground.is_sealed(json!({ "program": ECHO }));
}

/// A stage runs so many commands and no more.
pub(crate) fn many_processes(ground: Ground) {
    ground.settings(
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/echo] } }\nlimits: { processes: 8 }\n",
    );
    ground.fails(json!({ "program": ECHO }), "process-limit", &["'hostile-guest'", "processes"]);
}

/// The stage ends at its time, and so does the command.
pub(crate) fn waits_for_ever(ground: Ground) {
    ground.profile("/bin/sleep");
    let config = json!({ "program": "/bin/sleep" });
    let ended = ground.attempts(&[config], &json!({ "timeout": 1 }), &[]);
    ended.assert_failed(0, "timeout", &["'hostile-guest'", "1 s"]);
}

/// Every argument arrives as it was sent; nothing of it was run.
pub(crate) fn arguments_are_no_shell(ground: Ground) {
    let result = ground.completes(json!({ "program": ECHO }));
    let sent: Vec<&str> =
        result["sent"].as_array().expect("texts").iter().filter_map(|text| text.as_str()).collect();
    assert_eq!(result["lines"], json!([sent.join(" ")]));
    assert!(result["nul"].as_str().is_some_and(|told| !told.contains("Ok([\"a")), "{result}");
    assert!(!ground.place.project().join("planted").exists());
}

/// A text that looks like an option is an argument like any other where the plugin says so.
pub(crate) fn passed_on(ground: Ground) {
    let printf = "/usr/bin/printf";
    ground.profile(printf);
    for text in ["--help", "-rf", "; touch planted", "$(touch planted)", ""] {
        let result = ground.completes(json!({ "program": printf, "text": text }));
        assert_eq!(result["lines"], json!([format!("<{text}>")]));
        std::fs::remove_dir_all(ground.place.project().join("out")).expect("removed");
    }
    assert!(!ground.place.project().join("planted").exists());
}
