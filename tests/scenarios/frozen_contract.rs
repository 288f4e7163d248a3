//! Contract 0.1.0 is frozen: components that were built for it run for ever, and the contract may gain items but change
//! none. The components in `tests/fixtures/contract-0.1.0` are never made anew.

use std::collections::BTreeMap;

use docket_tests::{Output, Place};
use serde_json::{Value, json};

use crate::place;
use crate::sandbox::{definition, results, run_of};
use crate::support::file;

const PLAIN: &[u8] = include_bytes!("../fixtures/contract-0.1.0/plain.wasm");
const PROCESS: &[u8] = include_bytes!("../fixtures/contract-0.1.0/process.wasm");
const FROZEN: &str = include_str!("../fixtures/contract-0.1.0/stage.wit");
const TODAY: &str = include_str!("../../wit/stage.wit");

/// A place with a document and a frozen component.
fn frozen_place(component: &[u8]) -> Place {
    let place = place();
    place.write(".docket/plugins/frozen.wasm", component);
    place.write("docs/a.md", "granted\n");
    place.write("other.md", "not granted\n");
    place
}

/// Runs stages of the type of a frozen component.
fn run(place: &Place, stages: Value) -> Output {
    place.trusted_definition("acts", &definition(stages));
    place.run_or_kill(&["workflow", "start", "acts"])
}

fn stage(act: &str) -> Value {
    json!({ "name": "s", "type": "frozen", "config": { "act": act } })
}

#[test]
fn a_frozen_component_gives_its_result_and_reports() {
    let place = frozen_place(PLAIN);
    let second =
        json!({ "name": "t", "type": "frozen", "config": { "act": "result", "source": "s.result" } });
    let run = run_of(&run(&place, json!([stage("result"), second])).success());
    let results = results(&place, &run);
    let first = &results["s"];
    assert_eq!(first["config"], json!({ "act": "result" }), "{first}");
    assert_eq!(
        (&first["workflow"], &first["stage"], &first["type"]),
        (&json!("Acts"), &json!("s"), &json!("frozen"))
    );
    assert_eq!((&first["attempt"], &first["variables"]), (&json!(1), &json!(0)));
    assert_eq!((&first["has_run_and_date"], &first["clock"]), (&json!(true), &json!(true)));
    assert_eq!(&results["t"]["reference"], first);
    let usage = place.status(&run)["stages"][0]["usage"].clone();
    assert_eq!(
        (&usage["input_tokens"], &usage["output_tokens"], &usage["cost_usd"]),
        (&json!(5), &json!(7), &json!(0.25))
    );
    let logs = place.run(&["workflow", "logs", &run]).success().stdout;
    for words in ["Doing what the config says", "a line of level Debug", "a line of level Error", "printed"] {
        assert!(logs.contains(words), "no '{words}' in {logs}");
    }
}

#[test]
fn a_frozen_component_reads_proposes_and_remembers() {
    let place = frozen_place(PLAIN);
    for times in 1..=2 {
        let run = run_of(&run(&place, json!([stage("files")])).success());
        let expected = json!({ "read": "granted\n", "in": [], "times": times, "kept_out": true });
        assert_eq!(results(&place, &run)["s"], expected);
        assert_eq!(place.read("out/deep/b.md"), "GRANTED\n");
    }
    assert_eq!(place.read("docs/a.md"), "granted\n");
}

#[test]
fn a_frozen_component_asks_a_question() {
    let place = frozen_place(PLAIN);
    let _ = run(&place, json!([stage("question")])).code(3).says("How many?");
    let run = place.only_run();
    let answer = |text: &str| file(&place, "answer.json", text);
    place.run(&["workflow", "submit", &run, "--file", &answer("{}")]).code(2).says("number");
    place.run(&["workflow", "submit", &run, "--file", &answer("{\"number\":3}")]).success();
    assert_eq!(results(&place, &run)["s"], json!({ "number": 3 }));
}

#[test]
fn a_frozen_component_fails_with_its_error_crashes_and_finds_faults() {
    let place = frozen_place(PLAIN);
    let output = run(&place, json!([stage("error")])).code(1).says("it can't be done").says("ask for less");
    let failure = place.status(&run_of(&output))["stages"][0]["failure"].clone();
    assert_eq!((&failure["code"], &failure["retryable"]), (&json!("frozen-error"), &json!(true)));
    let output = run(&place, json!([stage("trap")])).code(1).says("a frozen panic");
    assert_eq!(place.status(&run_of(&output))["stages"][0]["failure"]["code"], "plugin-crashed");
    let output = run(&place, json!([stage("faulty")])).code(2);
    output.says("the config of frozen is faulty").says("choose another");
}

#[test]
fn a_frozen_component_runs_the_granted_command() {
    let place = frozen_place(PROCESS);
    place.write_home(
        "config.yml",
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/sh] } }\n",
    );
    let script = "cat; cat \"$1\"; echo told >&2; printf answered > \"$2\"; exit 3";
    let config = json!({ "act": "process", "program": "/bin/sh", "script": script });
    let output = run(&place, json!([{ "name": "s", "type": "frozen-process", "config": config }])).success();
    let expected = json!({
        "refused": "command-not-granted", "stdout": ["from stdinattached"], "stderr": ["told"], "code": 3,
        "signal": null, "answer": "answered",
    });
    assert_eq!(results(&place, &run_of(&output))["s"], expected);
}

/// The items of a contract, by where they stand and what they are called: `interface types/record question`. Comments and
/// white space do not count. An item ends with its `;` or its closing brace.
fn items(wit: &str) -> BTreeMap<String, String> {
    let lines = wit.lines().map(|line| line.split("//").next().unwrap_or_default());
    let text: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let text = text.join(" ");
    let mut found = BTreeMap::new();
    let (mut depth, mut start, mut place) = (0, 0, String::new());
    for (at, character) in text.char_indices() {
        let ends = match character {
            '{' => {
                depth += 1;
                if depth == 1 {
                    place = text[start..at].trim().to_owned();
                    start = at + 1;
                }
                // `use types.{level};` has braces of its own, and ends with its `;`.
                false
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    start = at + 1;
                }
                depth == 1 && !text[start..at].trim_start().starts_with("use ")
            }
            ';' => depth <= 1,
            _ => false,
        };
        if ends {
            let item = text[start..=at].trim().to_owned();
            let name = item.split(['{', '(', ':', '=', ';']).next().unwrap_or_default().trim();
            let name = if item.starts_with("import") || item.starts_with("export") { &item } else { name };
            let place = if depth == 0 { "" } else { &place };
            found.insert(format!("{place}/{name}"), item.clone());
            start = at + 1;
        }
    }
    found
}

/// What of a frozen contract is gone or different in another, and which exports it has more.
fn broken(frozen: &str, today: &str) -> Vec<String> {
    let (frozen, today) = (items(frozen), items(today));
    let changed =
        frozen.iter().filter(|(name, item)| !name.contains("/package") && today.get(*name) != Some(item));
    let changed = changed.map(|(name, _)| format!("{name} was changed or taken away"));
    // A component of 0.1.0 lacks what the world newly demands. A new export must be a world of its own.
    let demanded = today.keys().filter(|name| {
        (name.contains("/export ") || name.starts_with("interface stage/")) && !frozen.contains_key(*name)
    });
    changed.chain(demanded.map(|name| format!("{name} is newly demanded"))).collect()
}

#[test]
fn the_contract_has_all_of_the_frozen_one_unchanged() {
    assert_eq!(broken(FROZEN, TODAY), [""; 0], "contract 0.1.x may only gain; see wit/stage.wit");
}

#[test]
fn every_kind_of_change_to_the_contract_is_noticed() {
    let names: Vec<String> = items(FROZEN).into_keys().collect();
    for name in [
        "interface types/type json",
        "interface types/record question",
        "interface types/variant outcome",
        "interface report/log",
        "interface process/resource child",
        "interface process/spawn",
        "interface stage/run",
        "world stage-plugin/import report;",
        "world stage-plugin/export stage;",
    ] {
        assert!(names.iter().any(|known| known == name), "no {name} in {names:#?}");
    }
    for (from, to, item) in [
        ("prompt: string,", "prompt: string, more: u8,", "interface types/record question"),
        ("cost-usd: option<f64>", "cost-usd: option<f32>", "interface types/record usage"),
        ("timeout-ms: u64", "timeout-ms: u32", "interface process/resource child"),
        ("type json = string;", "", "interface types/type json"),
        ("log: func(level: level, message: string);", "", "interface report/log"),
        ("import process;", "", "world stage-plugin/import process;"),
        ("export stage;", "export stage;\n export other;", "world stage-plugin/export other;"),
    ] {
        let changed = FROZEN.replacen(from, to, 1);
        assert_ne!(changed, FROZEN, "{from}");
        let told = broken(FROZEN, &changed);
        assert!(told.iter().any(|told| told.starts_with(item)), "{item}: {told:?}");
    }
    let more = FROZEN.replacen("import report;", "import report;\n import clock;", 1);
    assert_eq!(broken(FROZEN, &more), [""; 0], "an import may be added");
}
