//! What the stages of a run may touch is shown before it starts, config fields replaced as far as they are known.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::sandbox::{DEFINITION, PLUGIN, guest, guest_place, with_manifest, yaml};

/// A place whose plugin may read the file that its config names, and a definition with two stages: what the first one
/// reads is an input, what the second one reads is up to the first.
fn two_stages() -> Place {
    let place = guest_place();
    place.write(
        PLUGIN,
        with_manifest(&guest(), |manifest| {
            manifest["stages"][0]["config"] = json!({ "type": "object" });
            manifest["capabilities"] = json!({ "read": ["${config.path}"], "write": ["out/**"] });
        }),
    );
    let stage = |name: &str, path: &str| json!({ "name": name, "type": "test", "config": { "act": "echo", "path": path } });
    let definition = json!({
        "name": "Acts", "version": 1,
        "inputs": [{ "name": "file", "type": "file", "required": true }],
        "stages": [
            stage("first", "{file}"),
            stage("second", "${{ stages.first.outputs.result.config.path }}"),
            { "name": "kept", "type": "storage", "config": { "source": "first.result", "destination": "out/kept.json" } },
        ],
    });
    place.trusted_definition("acts", &yaml(&definition));
    place
}

const START: [&str; 5] = ["workflow", "start", "acts", "--file", "docs/a.md"];

fn start(place: &Place, more: &[&str]) -> docket_tests::Output {
    place.run_or_kill(&[&START, more].concat())
}

#[test]
fn people_see_what_plugins_that_are_not_dockets_own_may_do_before_the_first_stage() {
    let place = two_stages();
    let shown = start(&place, &[])
        .success()
        .says("first (test-guest 0.1.0): read docs/a.md; write out/**")
        .says("second (test-guest 0.1.0): read ${{ stages.first.outputs.result.config.path }}; write out/**");
    let rights = shown.stderr.find("first (test-guest").expect("shown");
    let begins = shown.stderr.find("wf-").expect("a run");
    assert!(rights < begins, "{}", shown.stderr);
    assert!(!shown.stderr.contains("kept (storage"), "{}", shown.stderr);
    // A dry run shows all stages.
    start(&place, &["--dry-run"]).success().says("kept (storage").says("write out/kept.json");
}

#[test]
fn nothing_is_shown_without_such_plugins_or_for_a_run_that_does_not_start() {
    let place = two_stages();
    for (wrong, code) in [("docs/missing.md", 2), ("", 2)] {
        let output = place.run(&["workflow", "start", "acts", "--file", wrong]).code(code);
        assert!(!output.stderr.contains("What the stages"), "{}", output.stderr);
    }
    place.write(
        DEFINITION,
        "name: Acts\nversion: 1\nstages: [{ name: s, type: test, config: { act: time } }]\n",
    );
    let output = place.run(&["workflow", "start", "acts"]).code(4);
    assert!(!output.stderr.contains("What the stages"), "{}", output.stderr);
}

#[test]
fn programs_get_what_each_stage_may_do() {
    let place = two_stages();
    let check = |rights: &Value| {
        assert_eq!(rights[0]["stage"], json!(["first"]));
        assert_eq!(rights[0]["rights"], json!(["read docs/a.md", "write out/**"]));
        assert_eq!(rights[0]["built_in"], false);
        let open = "read ${{ stages.first.outputs.result.config.path }}";
        assert_eq!(rights[1]["rights"], json!([open, "write out/**"]));
        assert_eq!((&rights[2]["plugin"], &rights[2]["built_in"]), (&json!("storage"), &json!(true)));
    };
    let whole = start(&place, &["--output", "json"]).success().json();
    check(&whole["rights"]);
    assert_eq!((&whole["rights_complete"], &whole["status"]), (&json!(true), &json!("completed")));
    fits(&place, "start", &whole);
    fits(&place, "run", &whole);

    let lines = start(&place, &["--output", "jsonl"]).success().stdout;
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    check(&first["rights"]);
    fits(&place, "rights", &first);
}

/// Whether a value is what the published schema says.
#[track_caller]
fn fits(place: &Place, name: &str, value: &Value) {
    let schema = place.run(&["schema", name]).success().json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
}

/// What is shown tells what was withheld.
#[test]
fn what_was_not_granted_is_shown_as_such() {
    let place = two_stages();
    crate::rights::grant_only(&place, &["read ${config.path}"]);
    start(&place, &[])
        .success()
        .says("first (test-guest 0.1.0): read docs/a.md\n")
        .says("asks for, and was not granted: write out/**");
}
