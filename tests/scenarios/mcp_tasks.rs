//! Agents that work docket's manual stages through `docket mcp`: a task is handed to one of them at a time, and an answer
//! counts once.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::mcp_client::Client;
use crate::support::{
    DOCUMENT, answer, assert_document_reviewed_once, assert_nothing_written, file, journal,
    place_with_document, stage, status_of, waiting_run,
};
use crate::{approvals, place};

/// Two tasks side by side, and one that gathers what came of them.
const PAIR: &str = "\
name: Pair
version: 1
stages:
  - name: ask
    type: agent
    matrix: {side: [left, right]}
    config: {prompt_template: templates/ask.md}
";
/// A workflow that is one task, and one that uses it.
const INNER: &str = "\
name: Inner
version: 1
stages:
  - {name: work, type: agent, config: {prompt_template: templates/ask.md}, outputs: {answer: {}}}
completion: {outputs: [work.answer]}
";
const OUTER: &str = "\
name: Outer
version: 1
stages:
  - {name: inner, uses: inner}
  - {name: note, type: storage, config: {source: inner.result, destination: docs/note.json}}
";

/// A place whose project has these definitions, trusted, and a prompt for their agents.
fn place_with(definitions: &[(&str, &str)]) -> Place {
    let place = place();
    place.write(".docket/workflows/templates/ask.md", "Say something about {{ stage }}.\n");
    for (name, text) in definitions {
        place.write(&format!(".docket/workflows/definitions/{name}.yml"), text);
    }
    place.run(&["trust", "--yes"]).success();
    place
}

#[test]
fn an_agent_starts_a_review_does_its_task_and_reads_the_results() {
    let place = place_with_document();
    let mut client = Client::start(&place, &[]);
    let workflows = client.call("workflows", json!({})).done();
    let review =
        workflows["workflows"].as_array().expect("a list").iter().find(|one| one["name"] == "rfc-review");
    assert_eq!(review.expect("it is built in")["inputs"][0]["type"], "file");

    let started = client.call(
        "start",
        json!({ "workflow": "rfc-review", "inputs": { "rfc_path": DOCUMENT }, "launcher": "manual" }),
    );
    let run = started.clone().done()["id"].as_str().expect("an id").to_owned();
    assert!(started.text.contains(&run), "{}", started.text);
    assert!(!started.value["rights"].as_array().expect("rights").is_empty());
    assert_eq!(client.settled(&run)["status"], "waiting");

    let handed = client.call("task_next", json!({}));
    let task = handed.clone().done()["task"].clone();
    assert_eq!((&task["run"], &task["stage"]), (&json!(run), &json!("review-architecture")));
    assert_eq!(task["documents"], json!([DOCUMENT]));
    let context: Vec<&str> =
        task["context"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str()).collect();
    assert!(context.contains(&"docs/adr/adr-0002-bounded-queues.md"), "{context:?}");
    let prompt = place.read(task["prompt_file"].as_str().expect("a path"));
    assert_eq!(task["prompt"], json!(prompt));
    assert!(task["schema"]["properties"]["assessment"].is_object(), "{}", task["schema"]);
    // All of it can be done from the text alone.
    for part in [
        "task_submit",
        task["claim"].as_str().expect("a claim"),
        "Memory grows without bounds",
        "\"assessment\"",
    ] {
        assert!(handed.text.contains(part), "no {part} in {}", handed.text);
    }

    let status = place.run(&["workflow", "status", &run]).success();
    let _ = status.prints("Claimed by tester through test-agent 1.0 (MCP)");
    let mut wrong = answer();
    wrong["assessment"] = "MAYBE".into();
    let refused = client.submit(&task, &wrong);
    refused.refused(&["'/assessment'", "\"APPROVE\"", "nothing was recorded", "same claim"]);
    assert_eq!(refused.error["exit_code"], 2);
    assert_nothing_written(&place);
    assert_eq!(status_of(&place, &run), "waiting");

    client.submit(&task, &answer()).done();
    assert_eq!(client.settled(&run)["status"], "completed");
    let results = client.call("results", json!({ "run": run })).done();
    assert_eq!(results["stages"]["review-architecture"], answer());
    assert_document_reviewed_once(&place);
    let log = client.call("logs", json!({ "run": run, "lines": 3 })).done();
    assert_eq!(log["lines"].as_array().expect("lines").len(), 3);
    let more = client.call("logs", json!({ "run": run, "after": log["next"] })).done();
    assert_eq!(more["lines"], json!([]));

    // Whoever could not see whether it arrived may send it again; anything else comes too late.
    client.submit(&task, &answer()).done();
    let late = client.submit(&task, &json!({ "assessment": "REJECT" }));
    assert_eq!(late.refused(&["already has a different answer"]).error["exit_code"], 5);

    // Who did it, and through what, is on record.
    assert!(journal(&place, &run).contains("\"client\":\"test-agent 1.0\""));
    let timeline = place.run(&["workflow", "show", &run, "--timeline"]).success();
    let _ = timeline
        .prints("review-architecture: claimed by tester through test-agent 1.0 (MCP) until ")
        .prints("answered by tester through test-agent 1.0 (MCP)");
    place.run(&["workflow", "verify", &run]).success();
    assert_eq!(client.leave().0, 0);
}

#[test]
fn of_many_servers_that_want_a_task_one_is_handed_it() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut clients: Vec<Client> = (0..4).map(|_| Client::start(&place, &[])).collect();
    let calls: Vec<u64> = clients
        .iter_mut()
        .map(|client| client.ask("tools/call", json!({ "name": "task_next", "arguments": {} })))
        .collect();
    let mut handed = Vec::new();
    for (client, id) in clients.iter_mut().zip(calls) {
        let message = client.message();
        assert_eq!(message["id"], id);
        handed.push(message["result"]["structuredContent"].clone());
    }
    let tasks: Vec<&Value> = handed.iter().filter(|answer| !answer["task"].is_null()).collect();
    assert_eq!(tasks.len(), 1, "{handed:?}");
    assert_eq!(handed.iter().filter(|answer| answer["claimed_by_others"] == 1).count(), 3, "{handed:?}");

    // Nobody else's word counts while it is claimed.
    let holder = handed.iter().position(|answer| !answer["task"].is_null()).expect("one has it");
    let mut stolen = tasks[0]["task"].clone();
    stolen["claim"] = json!("0123456789abcdef");
    let other = (holder + 1) % clients.len();
    let refused = clients[other].submit(&stolen, &answer());
    assert_eq!(refused.refused(&["is claimed by tester through test-agent 1.0 (MCP)"]).error["exit_code"], 5);
    assert_eq!(status_of(&place, &run), "waiting");
    let task = tasks[0]["task"].clone();
    clients[holder].submit(&task, &answer()).done();
    assert_eq!(clients[holder].settled(&run)["status"], "completed");
}

#[test]
fn tasks_of_one_run_go_to_different_agents() {
    let place = place_with(&[("pair", PAIR)]);
    place.run(&["workflow", "start", "pair", "--launcher", "manual"]).code(3);
    let run = place.only_run();
    let (mut one, mut two) = (Client::start(&place, &[]), Client::start(&place, &[]));
    let (first, second) = (one.task(json!({})), two.task(json!({ "workflow": "pair" })));
    assert_ne!(first["stage"], second["stage"]);
    assert_eq!(one.call("task_next", json!({ "run": run })).done()["claimed_by_others"], 2);
    one.submit(&first, &json!("left done")).done();
    two.submit(&second, &json!("right done")).done();
    assert_eq!(two.settled(&run)["status"], "completed");
}

#[test]
fn a_claim_runs_out_and_somebody_else_is_handed_the_task() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let (mut slow, mut quick) = (Client::start(&place, &[]), Client::start(&place, &[]));
    let first = slow.task(json!({ "lease_seconds": 1 }));
    let mut second = Value::Null;
    docket_tests::wait_until("the claim ran out", || {
        second = quick.task(json!({}));
        !second.is_null()
    });
    assert_ne!(first["claim"], second["claim"]);
    slow.submit(&first, &answer()).refused(&["is claimed by"]);
    slow.call("task_extend", json!({ "run": run, "stage": first["stage"], "claim": first["claim"] }))
        .refused(&["is claimed by"]);
    quick.submit(&second, &answer()).done();
    assert_eq!(quick.settled(&run)["status"], "completed");
    // It was answered by somebody else, in the same words: that is no conflict.
    slow.submit(&first, &answer()).done();
}

#[test]
fn a_claim_outlives_a_server_that_is_killed_and_goes_on_with_its_token() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::start(&place, &[]);
    let task = client.task(json!({ "lease_seconds": 3000 }));
    client.kill();
    assert_eq!(stage(&place, &run, "review-architecture")["claim"]["by"]["client"], "test-agent 1.0");
    let mut client = Client::start(&place, &[]);
    assert_eq!(client.call("task_next", json!({})).done()["claimed_by_others"], 1);
    let again = client.task(json!({ "claim": task["claim"], "lease_seconds": 60 }));
    assert_eq!((&again["prompt"], &again["claim"]), (&task["prompt"], &task["claim"]));
    assert!(again["expires_at"].as_str() < task["expires_at"].as_str(), "it is renewed from now on");
    client.submit(&again, &answer()).done();
    assert_eq!(client.settled(&run)["status"], "completed");
    client.call("task_next", json!({ "claim": task["claim"] })).refused(&["no task that waits"]);
}

#[test]
fn a_task_can_be_kept_for_longer_and_given_back() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::start(&place, &[]);
    let task = client.task(json!({ "lease_seconds": 60 }));
    let named = json!({ "run": run, "stage": task["stage"], "claim": task["claim"] });
    let extended = client.call("task_extend", named.clone()).done();
    assert!(extended["expires_at"].as_str() > task["expires_at"].as_str(), "{extended}");
    client.call("task_next", json!({ "lease_seconds": 0 })).refused(&["not for 0"]);
    assert_eq!(client.call("task_release", named.clone()).done()["expires_at"], Value::Null);
    client.call("task_release", named.clone()).done();
    client.submit(&task, &answer()).refused(&["does not hold"]);
    client.call("task_extend", named).refused(&["does not hold"]);
    let again = client.task(json!({}));
    assert_ne!(again["claim"], task["claim"]);
    let timeline = place.run(&["workflow", "show", &run, "--timeline", "--output", "json"]).success().json();
    let events: Vec<&str> = timeline["entries"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["event"].as_str())
        .collect();
    assert!(events.ends_with(&["claimed", "claim_extended", "claim_released", "claimed"]), "{events:?}");
}

#[test]
fn a_person_answers_whoever_has_the_task() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::start(&place, &[]);
    let task = client.task(json!({}));
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    assert_document_reviewed_once(&place);
    client.submit(&task, &answer()).done();
    let mut other = answer();
    other["summary"] = "Something else.".into();
    client.submit(&task, &other).refused(&["already has a different answer"]);
    assert_eq!(client.task(json!({})), Value::Null);
    assert_document_reviewed_once(&place);
}

#[test]
fn a_task_of_a_sub_workflow_lets_the_whole_run_go_on() {
    let place = place_with(&[("inner", INNER), ("outer", OUTER)]);
    place.run(&["workflow", "start", "outer", "--launcher", "manual"]).code(3);
    let mut client = Client::start(&place, &[]);
    let runs = client.call("list", json!({ "status": "waiting" })).done();
    let outer = runs["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .find(|run| run["definition"] == "outer")
        .expect("there");
    let outer = outer["id"].as_str().expect("an id").to_owned();
    let task = client.task(json!({ "run": outer }));
    assert_eq!(task["definition"], "inner");
    client.submit(&task, &json!({ "said": "done" })).done();
    docket_tests::wait_until("the outer run is over", || client.settled(&outer)["status"] == "completed");
    let note: Value = serde_json::from_str(&place.read("docs/note.json")).expect("JSON");
    assert!(note.to_string().contains("done"), "{note}");
}

#[test]
fn an_approval_is_no_task_and_neither_is_anything_of_a_run_somebody_else_started() {
    let (place, run) = approvals::waiting(approvals::GATE);
    let mut client = Client::start(&place, &[]);
    assert_eq!(client.call("task_next", json!({})).done(), json!({ "task": null, "claimed_by_others": 0 }));
    let task = json!({ "run": run, "stage": "ok", "claim": "x" });
    client.submit(&task, &json!({ "approved": true })).refused(&["is no agent's task", "approval"]);
    assert_eq!(status_of(&place, &run), "waiting");

    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::start(&place, &[]);
    let task = client.task(json!({}));
    // Another user's docket folder has another key.
    std::fs::remove_file(place.docket_home().join("key")).expect("a key");
    assert_eq!(client.task(json!({})), Value::Null);
    client.submit(&task, &answer()).refused(&["was not started by you"]);
    assert_nothing_written(&place);
    assert_eq!(status_of(&place, &run), "waiting");
}
