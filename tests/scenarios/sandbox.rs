//! What the scenarios about the sandbox share: a place with the test plugin, definitions made of its acts, and
//! components that were tampered with. Has no tests of its own.

pub(crate) use docket_tests::component::{replaced, with_manifest, with_section, yaml};
pub(crate) use docket_tests::run_of;
use docket_tests::{GUEST, GUEST_WITH_SPAWN, Output, Place};
use serde_json::{Value, json};

use crate::place;

/// Where the test plugin lies below the project.
pub(crate) const PLUGIN: &str = ".docket/plugins/test.wasm";
/// Where its definition lies.
pub(crate) const DEFINITION: &str = ".docket/workflows/definitions/acts.yml";
/// What the granted file holds.
pub(crate) const GRANTED_TEXT: &str = "granted\n";

/// The test plugin's bytes.
pub(crate) fn guest() -> Vec<u8> {
    std::fs::read(GUEST).expect("the test plugin")
}

/// The bytes of the test plugin that can run commands.
pub(crate) fn guest_with_spawn() -> Vec<u8> {
    std::fs::read(GUEST_WITH_SPAWN).expect("the test plugin")
}

/// A place with the test plugin and the file `docs/a.md`, which it may read. Nothing is trusted yet.
pub(crate) fn guest_place() -> Place {
    let place = place();
    place.write(PLUGIN, guest());
    place.write("docs/a.md", GRANTED_TEXT);
    place
}

/// A definition whose stages do these acts, one after the other. JSON is YAML.
pub(crate) fn definition(stages: Value) -> String {
    yaml(&json!({ "name": "Acts", "version": 1, "stages": stages }))
}

/// The definition of a single stage `s` with this config.
pub(crate) fn single(config: &Value) -> String {
    definition(json!([{ "name": "s", "type": "test", "config": config }]))
}

/// Does an act in a new run of one stage.
#[track_caller]
pub(crate) fn act(place: &Place, config: Value) -> Output {
    act_all(place, &single(&config))
}

/// Runs this definition, trusted.
#[track_caller]
pub(crate) fn act_all(place: &Place, definition: &str) -> Output {
    place.trusted_definition("acts", definition);
    place.run_or_kill(&["workflow", "start", "acts"])
}

/// The result of an act that must succeed.
#[track_caller]
pub(crate) fn result_of(place: &Place, config: Value) -> Value {
    let output = act(place, config).success();
    results(place, &run_of(&output))["s"].clone()
}

/// The results of a run's completed stages, by name.
#[track_caller]
pub(crate) fn results(place: &Place, run: &str) -> Value {
    place.run(&["workflow", "results", run, "--output", "json"]).success().json()["stages"].clone()
}

/// The failure of an act that must fail, after it was also said on standard error.
#[track_caller]
pub(crate) fn failure_of(place: &Place, config: Value) -> Value {
    let output = act(place, config).code(1);
    let failure = place.status(&run_of(&output))["stages"][0]["failure"].clone();
    let first = failure["message"].as_str().expect("a message").lines().next().expect("a line").to_owned();
    output.says(&first);
    failure
}

/// Whether a failure is of this kind and says these words.
#[track_caller]
pub(crate) fn assert_failure(failure: &Value, code: &str, words: &[&str]) {
    assert_eq!(failure["code"], code, "{failure}");
    let part = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
    let text = format!("{} {}", part("message"), part("hint"));
    for word in words {
        assert!(text.contains(word), "no '{word}' in {text}");
    }
}
