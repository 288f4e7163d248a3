//! What a plugin tries while it looks at a config: before a run begins there is no stage to fail, so nothing is started,
//! and the same plugin does its work for another config afterwards.

use serde_json::{Value, json};

use crate::ground::Ground;

/// The definition is refused with these words, and the plugin is well with another one.
#[track_caller]
fn refused(ground: &Ground, config: Value, words: &[&str]) -> String {
    ground.define(&[config], &json!(null));
    ground.trust();
    let before = ground.look();
    let output = ground.start();
    assert_eq!(output.code, 2, "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "no '{word}' in {}", output.stderr);
    }
    let checked = ground.docket(&["workflow", "check", "attempts"]);
    assert_eq!(checked.code, 2, "{}", checked.stderr);
    ground.docket(&["workflow", "check", "attempts", "--output", "json"]);
    before.assert_only_added(&ground.look(), &[]);
    assert_eq!(ground.place.runs(), Vec::<String>::new(), "a run was started");
    ground.completes(json!({ "act": "well" }));
    output.stderr
}

pub(crate) fn endless_check(ground: Ground) {
    ground.settings("limits: { cpu: 1 }\n");
    let said = refused(&ground, json!({}), &["'hostile-guest'"]);
    // Where a machine has more to do than it can, the time of the clock is over first.
    assert!(said.contains("1 s of CPU") || said.contains("longer than 5 s"), "{said}");
}

pub(crate) fn trap_in_check(ground: Ground) {
    refused(&ground, json!({}), &["'hostile-guest'", "crashed"]);
}

pub(crate) fn files_in_check(ground: Ground) {
    refused(&ground, json!({}), &["folders: 0; read: false; written: false"]);
}

pub(crate) fn words_in_check(ground: Ground) {
    let evil = "start\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}end";
    refused(&ground, json!({ "evil": evil }), &["message start", "hint start"]);
}

/// Some of the faults are enough.
pub(crate) fn many_faults(ground: Ground) {
    let said = refused(&ground, json!({}), &["fault 0"]);
    assert!(said.len() < 1 << 20, "{} bytes were said", said.len());
}
