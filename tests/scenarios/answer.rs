//! A launcher looks at an answer before it is the stage's result: it is told what docket would say, and what its agent said
//! is kept.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::sandbox::{PLUGIN, act_all, definition, guest, guest_place, results, run_of, with_manifest};

/// A place whose plugin promises an object, and a definition that wants more of its output.
fn place_with_schemas() -> Place {
    let place = guest_place();
    let change = |manifest: &mut Value| {
        manifest["stages"][0]["result"] =
            json!({ "type": "object", "properties": { "code": { "type": "integer" } } });
    };
    place.write(PLUGIN, with_manifest(&guest(), change));
    let schema = json!({
        "type": "object", "required": ["verdict"],
        "properties": { "verdict": { "enum": ["fine", "bad"] }, "notes": { "type": "array", "items": { "type": "string" } } },
    });
    place.write(".docket/workflows/schemas/verdict.schema.json", schema.to_string());
    place
}

fn stage(config: &Value) -> Value {
    json!([{
        "name": "s", "type": "test", "config": config, "outputs": { "all": { "path": "all.json", "schema": "verdict" } },
    }])
}

/// What a plugin says is wrong with these values, as pointers and messages.
fn faults_of(place: &Place, values: &[Value]) -> Vec<Vec<(String, String)>> {
    // Its own result has to fit, too.
    let config = json!({ "act": "answer", "values": values, "also": { "verdict": "fine" } });
    let output = act_all(place, &definition(stage(&config))).success();
    let found = results(place, &run_of(&output))["s"]["faults"].clone();
    let text = |fault: &Value, part: &str| fault[part].as_str().unwrap_or_default().to_owned();
    let faults = |list: &Value| {
        let list = list.as_array().expect("faults");
        list.iter().map(|fault| (text(fault, "pointer"), text(fault, "message"))).collect()
    };
    found.as_array().expect("a list for each value").iter().map(faults).collect()
}

#[test]
fn every_fault_is_told_where_it_is() {
    let place = place_with_schemas();
    let faults = faults_of(
        &place,
        &[
            json!({ "verdict": "fine" }),
            json!({ "verdict": "so-so", "notes": ["a", 2, 3], "code": "x" }),
            json!([]),
            json!({}),
        ],
    );
    let pointers = |number: usize| faults[number].iter().map(|fault| fault.0.as_str()).collect::<Vec<_>>();
    assert_eq!(pointers(0), [""; 0]);
    let mut second = pointers(1);
    second.sort_unstable();
    assert_eq!(second, ["/code", "/notes/1", "/notes/2", "/verdict"], "{faults:?}");
    assert!(!pointers(2).is_empty() && pointers(2).iter().all(|pointer| pointer.is_empty()), "{faults:?}");
    assert_eq!(pointers(3), [""], "{faults:?}");
    assert!(faults[3][0].1.contains("verdict"), "{faults:?}");
}

/// What is told while the stage runs is what fails it at its end.
#[test]
fn an_answer_fits_exactly_when_it_can_be_the_result() {
    let place = place_with_schemas();
    for value in [
        json!({ "verdict": "fine" }),
        json!({ "verdict": "so-so" }),
        json!({ "verdict": "bad", "notes": [1] }),
        json!({ "verdict": "bad", "code": 1.5 }),
        json!({ "verdict": "bad", "code": 1 }),
        json!({}),
    ] {
        let faults = faults_of(&place, std::slice::from_ref(&value)).remove(0);
        let output = act_all(&place, &definition(stage(&json!({ "act": "fixed", "value": value }))));
        let failure = place.status(&run_of(&output))["stages"][0]["failure"].clone();
        assert_eq!(faults.is_empty(), output.code == 0, "{value}: {faults:?} and {failure}");
        if let Some((_, message)) = faults.first() {
            let told = failure["message"].as_str().unwrap_or_default();
            assert!(told.contains(message.as_str()), "{message} is not in {told}");
        }
    }
}

#[test]
fn what_an_agent_said_is_kept_for_people() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = guest_place();
    let texts = ["word for word\n", "\u{1b}[31mred", ""];
    let config = json!({ "act": "answer", "texts": texts });
    let output =
        act_all(&place, &definition(json!([{ "name": "ask-it", "type": "test", "config": config }])))
            .success();
    let run = run_of(&output);
    let kept = results(&place, &run)["ask-it"]["kept"].clone();
    let names: Vec<&str> = kept.as_array().expect("names").iter().filter_map(Value::as_str).collect();
    let folder = format!(".docket/workflows/state/{run}/results/ask-it/attempt-1");
    assert_eq!(names, [1, 2, 3].map(|number| format!("{folder}/answer-{number}.txt")));
    assert_eq!(place.read(names[0]), texts[0]);
    assert_eq!(place.read(names[1]), "\\u001b[31mred");
    for name in names {
        let found = std::fs::metadata(place.project().join(name)).expect("there");
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{name}");
    }
    place.run(&["workflow", "verify"]).success();
}

/// A stage that is run again after docket died writes the same files.
#[cfg(debug_assertions)]
#[test]
fn a_stage_that_runs_again_keeps_nothing_twice() {
    let place = guest_place();
    let config = json!({ "act": "answer", "texts": ["one", "two"] });
    place.trusted_definition("acts", &definition(json!([{ "name": "s", "type": "test", "config": config }])));
    let faults = [("DOCKET_FAULTS", "kill-before:journal.write:2")];
    let output = crate::support::run_with(&place, &faults, &["workflow", "start", "acts"]);
    assert_eq!(output.code, -1, "{}", output.stderr);
    let run = place.only_run();
    let folder = place.run_folder(&run).join("results/s/attempt-1");
    let count = || std::fs::read_dir(&folder).map_or(0, Iterator::count);
    assert_eq!(count(), 2, "the case is set up");
    place.run(&["workflow", "resume", &run]).success();
    assert_eq!(count(), 2);
}

/// A secret that an agent was given is not kept with what it said.
#[test]
fn values_of_granted_variables_are_masked_in_what_is_kept() {
    let place = guest_place();
    place.write_home(
        "config.yml",
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/sh], env: [AGENT_KEY] } }\n",
    );
    let config = json!({ "act": "answer", "texts": ["the key is a-secret-\nof-mine"] });
    place.trusted_definition("acts", &definition(json!([{ "name": "s", "type": "test", "config": config }])));
    let environment = [("AGENT_KEY", "a-secret-of-mine")];
    crate::support::run_with(&place, &environment, &["workflow", "start", "acts"]).success();
    let kept = format!(".docket/workflows/state/{}/results/s/attempt-1/answer-1.txt", place.only_run());
    assert_eq!(place.read(&kept), "the key is •••[AGENT_KEY]\n•••[AGENT_KEY]");
}
