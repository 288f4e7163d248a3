//! What docket prints for programs fits the schemas it publishes.

use docket_tests::Place;
use serde_json::Value;

use crate::support::{
    Agent, answer, assert_document_reviewed_once, file, place_with_document, start, waiting_run,
};

/// The published schema of a format.
fn schema(place: &Place, name: &str) -> jsonschema::Validator {
    let schema = place.run(&["schema", name]).success().json();
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name} is no JSON Schema: {error}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
pub(crate) fn assert_fits(place: &Place, name: &str, value: &Value) {
    let errors: Vec<String> = schema(place, name)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{value:#}");
}

/// What a command prints with `--output json`.
#[track_caller]
fn shown(place: &Place, arguments: &[&str]) -> Value {
    place.run(&[arguments, &["--output", "json"]].concat()).json()
}

#[test]
fn every_published_name_is_a_json_schema() {
    let place = place_with_document();
    let names = shown(&place, &["schema"]);
    let names: Vec<&str> = names.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for expected in ["definition", "run", "list", "results", "check", "trust", "doctor", "diff", "error"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    for name in names {
        schema(&place, name);
        place.run(&["schema"]).success().prints(name);
    }
}

#[test]
fn what_is_printed_about_a_run_fits_its_schema() {
    let place = place_with_document();
    for run in ["completed", "waiting", "failed", "cancelled"] {
        match run {
            "completed" => start(&place, &["--launcher", "checklist"]).success(),
            "failed" => {
                Agent::quick(&place).answers("garbage");
                start(&place, &["--profile", "mine"]).code(1)
            }
            _ => start(&place, &["--launcher", "manual"]).code(3),
        };
    }
    let runs = place.runs();
    assert_eq!(runs.len(), 4);
    let waits = |run: &&String| place.status(run)["status"] == "waiting";
    let cancelled = runs.iter().find(waits).expect("two wait").clone();
    assert_fits(&place, "done", &shown(&place, &["workflow", "cancel", &cancelled]));
    let mut statuses = Vec::new();
    for run in &runs {
        let status = shown(&place, &["workflow", "status", run]);
        assert_fits(&place, "run", &status);
        statuses.push(status["status"].as_str().expect("a status").to_owned());
        assert_fits(&place, "results", &shown(&place, &["workflow", "results", run]));
        for file in shown(&place, &["workflow", "diff", run]).as_array().expect("a list") {
            assert_fits(&place, "diff", file);
        }
        let state = std::fs::read(place.run_folder(run).join("state.json")).expect("there");
        assert_fits(&place, "run", &serde_json::from_slice(&state).expect("JSON"));
    }
    statuses.sort();
    assert_eq!(statuses, ["cancelled", "completed", "failed", "waiting"]);
    assert_fits(&place, "list", &shown(&place, &["workflow", "list"]));
    std::fs::write(place.run_folder(&cancelled).join("journal.jsonl"), "garbage\ngarbage\n")
        .expect("written");
    std::fs::remove_file(place.project().join(".docket/workflows/state/index.jsonl")).expect("removed");
    let list = shown(&place, &["workflow", "list"]);
    assert_fits(&place, "list", &list);
    assert_eq!(list["unreadable"][0]["id"], cancelled.as_str());
}

#[test]
fn start_and_submit_print_the_run_and_its_events() {
    let place = place_with_document();
    let output = start(&place, &["--launcher", "manual", "--output", "json"]).code(3);
    assert_fits(&place, "run", &output.json());
    assert!(output.json()["stages"][1]["question"]["prompt"].is_string(), "a program can answer, too");
    let run = place.only_run();
    assert_fits(&place, "review-results", &answer());
    let right = file(&place, "right.json", answer().to_string());
    let output = place.run(&["workflow", "submit", &run, "--file", &right, "--output", "jsonl"]).success();
    let lines: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (last, events) = lines.split_last().expect("lines");
    assert!(!events.is_empty());
    for event in events {
        assert_fits(&place, "event", event);
    }
    assert_fits(&place, "run", last);
    assert_document_reviewed_once(&place);
    let folder = place.run_folder(&run);
    let read =
        |name: &str| serde_json::from_slice(&std::fs::read(folder.join(name)).expect("there")).expect("JSON");
    assert_fits(&place, "context-package", &read("context.json"));
    assert_fits(&place, "review-results", &read("review-results.json"));
}

#[test]
fn the_checklists_review_fits_the_schema_of_reviews() {
    let place = place_with_document();
    for perspective in ["architecture", "security", "implementation", "all"] {
        start(&place, &["--launcher", "checklist", "--perspective", perspective]).success();
    }
    let mut found = 0;
    for run in place.runs() {
        let names = ["review-results", "review-results-security", "merged-review-results"];
        let files = names.map(|name| place.run_folder(&run).join(format!("{name}.json")));
        for file in files.iter().filter(|file| file.exists()) {
            let text = std::fs::read(file).expect("readable");
            assert_fits(&place, "review-results", &serde_json::from_slice(&text).expect("JSON"));
            found += 1;
        }
    }
    assert_eq!(found, 5, "one of each perspective, one of all three, and the merged one");
}

#[test]
fn the_other_commands_fit_their_schemas() {
    let place = place_with_document();
    place.write(".docket/workflows/definitions/bad.yml", "name: Bad\nversion: 1\nstages: []\ncolour: red\n");
    place.write(".docket/workflows/definitions/good.yml", crate::support::RFC_REVIEW);
    assert_fits(&place, "check", &shown(&place, &["workflow", "check"]));
    assert_fits(&place, "trust", &shown(&place, &["trust", "--list"]));
    assert_fits(&place, "trust", &shown(&place, &["trust", "--yes"]));
    assert_fits(&place, "doctor", &shown(&place, &["doctor"]));
    assert_fits(&place, "done", &shown(&place, &["init"]));
}

#[test]
fn errors_are_json_where_results_are() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let wrong = file(&place, "wrong.json", "{}");
    place.write(".docket/workflows/definitions/bad.yml", "name: Bad\nversion: 1\nstages: []\ncolour: red\n");
    for (arguments, code) in [
        (vec!["workflow", "status", "wf-nothere"], 2),
        (vec!["workflow", "submit", &run, "--file", &wrong], 2),
        (vec!["workflow", "start", "bad"], 2),
        (vec!["workflow", "start", "nothing-like-it"], 2),
        (vec!["workflow", "start", "rfc-review"], 2),
        (vec!["review", "rfc-99"], 2),
        (vec!["schema", "lst"], 2),
    ] {
        let output = place.run(&[&["--output", "json"], &arguments[..]].concat()).code(code);
        assert_eq!(output.stdout, "", "{arguments:?}");
        let error: Value = serde_json::from_str(output.stderr.trim())
            .unwrap_or_else(|cause| panic!("{arguments:?}: {cause}\n{}", output.stderr));
        assert_fits(&place, "error", &error);
        assert_eq!(error["exit_code"], code, "{error}");
    }
}

#[test]
fn definitions_that_docket_takes_fit_the_schema_for_editors() {
    let place = place_with_document();
    let schema = schema(&place, "definition");
    for (text, fits) in [
        (r#"{"name": "A", "version": 1, "stages": [{"name": "s", "type": "context"}]}"#, true),
        (r#"{"name": "A", "version": 1, "stages": []}"#, false),
        (r#"{"name": "A", "version": 1, "stages": [{"name": "s", "type": "context"}], "colour": 1}"#, false),
        (r#"{"name": "A", "stages": [{"name": "s", "type": "context"}]}"#, false),
    ] {
        agree(&place, &schema, text, fits);
    }
}

#[test]
fn repeated_and_borrowed_stages_fit_the_schema_for_editors() {
    let place = place_with_document();
    let schema = schema(&place, "definition");
    for (stage, fits) in [
        (r#""type": "context", "matrix": {"a": [1, {"b": "c"}], "d": "${{ ['x'] }}", "e": []}"#, true),
        (r#""type": "context", "matrix": {}"#, false),
        (r#""type": "context", "matrix": {"a": "x"}"#, false),
        (r#""type": "context", "matrix": {"a-b": [1]}"#, false),
        (r#""type": "context", "matrix": ["a"]"#, false),
        (r#""type": "context", "retry": 3"#, true),
        (r#""type": "context", "retry": {"max_attempts": 2, "backoff": 0, "max_backoff": "10m"}"#, true),
        (r#""type": "context", "retry": 0"#, false),
        (r#""type": "context", "retry": 101"#, false),
        (r#""type": "context", "retry": {"backoff": "1s"}"#, false),
        (r#""type": "context", "retry": {"max_attempts": 2, "backoff": "soon"}"#, false),
        (r#""uses": "rfc-review", "with": {"rfc_path": "a.md"}, "matrix": {"a": [1]}, "retry": 2"#, true),
        (r#""uses": "rfc-review", "with": {"rfc_path": "a.md"}, "config": {}"#, false),
        (r#""uses": "rfc-review", "with": {"rfc_path": "a.md"}, "launcher": "manual""#, false),
        (r#""uses": "rfc-review", "with": {"rfc_path": "a.md"}, "type": "context""#, false),
        (r#""type": "context", "with": {"rfc_path": "a.md"}"#, false),
        (r#""uses": "rfc-review", "with": ["a.md"]"#, false),
        (r#""description": "neither""#, false),
    ] {
        let text = format!(r#"{{"name": "A", "version": 1, "stages": [{{"name": "s", {stage}}}]}}"#);
        agree(&place, &schema, &text, fits);
    }
}

/// Checks that docket and the schema for editors both take a definition, or both refuse it.
#[track_caller]
fn agree(place: &Place, schema: &jsonschema::Validator, text: &str, fits: bool) {
    place.write("drafts/a.yml", text);
    let output = place.run(&["workflow", "check", "drafts/a.yml"]);
    assert_eq!(output.code == 0, fits, "{text}: {}", output.stderr);
    assert_eq!(schema.is_valid(&serde_json::from_str(text).expect("JSON")), fits, "{text}");
}
