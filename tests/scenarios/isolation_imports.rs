//! A plugin that imports what docket does not give is told so before anything of it runs: which import, why, and what
//! helps.

use serde_json::json;

use crate::sandbox::{DEFINITION, PLUGIN, act, guest, guest_place, replaced, single};

/// The guest with a name in it replaced, and words that must be said about it.
#[track_caller]
fn assert_refused(from: &str, to: &str, words: &[&str]) {
    let place = guest_place();
    place.write(PLUGIN, replaced(&guest(), from, to));
    let output = act(&place, json!({ "act": "write", "path": "out/ran.md", "content": "ran" })).code(2);
    for word in words {
        assert!(output.stderr.contains(word), "no '{word}' in:\n{}", output.stderr);
    }
    assert!(!place.project().join("out").exists(), "it ran");
    assert_eq!(place.runs(), Vec::<String>::new(), "a run was started");
}

#[test]
fn an_interface_that_no_contract_has_is_named() {
    assert_refused(
        "docket:stage/report",
        "docket:stage/export",
        &[
            "`docket:stage/export@0.1.0`",
            "no part of contract 0.1.0",
            "types, report, answer, process, dialogue",
        ],
    );
}

#[test]
fn an_interface_of_another_package_is_named() {
    assert_refused(
        "wasi:cli/stdin@",
        "acme:cli/stdin@",
        &["`acme:cli/stdin@0.2", "no part of any contract", "compose the plugin"],
    );
}

#[test]
fn an_interface_of_wasi_that_docket_does_not_give_is_named() {
    assert_refused("wasi:cli/stdin@", "wasi:cli/stdon@", &["`wasi:cli/stdon@0.2", "no part of the WASI 0.2"]);
    assert_refused(
        "wasi:random/",
        "wasi:hashed/",
        &["`wasi:hashed/", "which no contract gives", "wasi:filesystem"],
    );
}

#[test]
fn a_function_that_an_interface_does_not_have_is_named() {
    assert_refused(
        "add-usage",
        "add-wages",
        &["`add-wages` of `docket:stage/report@0.1.0`", "does not have it", "docket:stage@0.1.0"],
    );
}

#[test]
fn a_newer_contract_says_which_docket_is_needed() {
    let place = guest_place();
    place.write(PLUGIN, replaced(&guest(), "docket:stage/report@0.1.0", "docket:stage/report@0.2.0"));
    place.write(DEFINITION, single(&json!({ "act": "time" })));
    for arguments in [&["trust", "--yes"][..], &["workflow", "start", "acts"]] {
        let output = place.run_or_kill(arguments);
        assert_ne!(output.code, 0, "{arguments:?}");
        for word in [PLUGIN, "0.2.0", "use a docket that runs contract 0.2.0", "this docket runs 0.1.0"] {
            assert!(output.stderr.contains(word), "no '{word}' in:\n{}", output.stderr);
        }
    }
}
