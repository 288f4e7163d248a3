//! `docket mcp` as a server: what it says of itself, and that nothing a client sends brings it down or gets past what the
//! command line refuses.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::mcp_client::{Client, PROTOCOL};
use crate::support::{DOCUMENT, place_with_document, start, status_of, waiting_run};
use crate::{DOCKET, place};

/// The tools, in the order they are listed.
const TOOLS: [&str; 12] = [
    "workflows",
    "start",
    "list",
    "status",
    "results",
    "logs",
    "task_next",
    "task_extend",
    "task_release",
    "task_submit",
    "approve",
    "reject",
];

#[test]
fn a_client_learns_what_there_is_and_standard_output_has_nothing_else() {
    let place = place();
    let mut client = Client::mute(&mut place.command(&["mcp"]));
    let info = client.begin("test-agent", "1.0");
    assert_eq!((&info["protocolVersion"], &info["serverInfo"]["name"]), (&json!(PROTOCOL), &json!("docket")));
    assert!(info["instructions"].as_str().is_some_and(|text| text.contains("task_next")), "{info}");
    let listed = client.request("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().expect("tools").clone();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, TOOLS);
    for tool in &tools {
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{}", tool["name"]);
        }
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{} {hint}", tool["name"]);
        }
    }
    // Newer clients and older ones are answered as well.
    assert_eq!(client.request("ping", json!({}))["result"], json!({}));
    let (code, said) = client.leave();
    assert_eq!((code, said.lines().count()), (0, 1), "{said}");
    let mut client = Client::mute(&mut place.command(&["mcp"]));
    let id = client.ask("initialize", json!({ "protocolVersion": "2099-01-01", "capabilities": {}, "clientInfo": { "name": "x", "version": "" } }));
    let answer = client.message();
    assert_eq!(answer["id"], id);
    assert!(answer["result"]["protocolVersion"].is_string(), "{answer}");
}

#[test]
fn what_tools_give_fits_what_they_promise() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let done = place.only_run();
    let mut client = Client::start(&place, &[]);
    let tools = client.request("tools/list", json!({}))["result"]["tools"].clone();
    let started = json!({
        "workflow": "rfc-review", "inputs": { "rfc_path": DOCUMENT }, "launcher": "manual", "dry_run": true,
    });
    let waiting = client.call("start", started).done();
    let waiting = waiting["id"].as_str().expect("an id").to_owned();
    client.settled(&waiting);
    for (name, arguments) in [
        ("workflows", json!({})),
        ("list", json!({ "limit": 1 })),
        ("status", json!({ "run": done })),
        ("status", json!({ "run": waiting })),
        ("results", json!({ "run": done })),
        ("logs", json!({ "run": done })),
        ("task_next", json!({})),
        ("task_next", json!({})),
    ] {
        let value = client.call(name, arguments).done();
        let tool = tools.as_array().expect("tools").iter().find(|tool| tool["name"] == name).expect("listed");
        let validator = jsonschema::validator_for(&tool["outputSchema"]).expect("a schema");
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?} in {value}");
    }
}

#[test]
fn nonsense_is_survived() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::start(&place, &[]);
    for line in
        ["", "{", "nonsense", "[]", "null", "{\"jsonrpc\":\"2.0\"}", "\u{0}\u{1b}[31m", &"[".repeat(100_000)]
    {
        client.line(line);
    }
    // Some of it was answered as no message at all; what was asked rightly is answered in any case.
    assert_eq!(client.request("no/such/method", json!({}))["error"]["code"], -32601);
    let unknown = client.request("tools/call", json!({ "name": "task_nxt", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602);
    assert!(
        unknown["error"]["message"].as_str().is_some_and(|text| text.contains("did you mean 'task_next'")),
        "{unknown}"
    );
    client.call("status", json!({})).refused(&["missing field `run`", "nothing was done"]);
    client.call("status", json!({ "run": 7 })).refused(&["invalid type"]);
    client
        .call("status", json!({ "run": run, "wait": 3 }))
        .refused(&["unknown field `wait`", "wait_seconds"]);
    client.call("status", json!({ "run": "../../etc" })).refused(&["no run"]);
    client.call("status", json!({ "run": "wf-nope\u{1b}[31m" })).refused(&["no run"]);
    client.call("start", json!({ "workflow": "rfc-revie" })).refused(&["did you mean 'rfc-review'?"]);
    client
        .call("start", json!({ "workflow": "rfc-review", "inputs": { "rfc_path": "../x.md" } }))
        .refused(&["--rfc-path"]);
    // More than is ever read, in one line: it is dropped, and the next one is read.
    let huge = "x".repeat(18 * 1024 * 1024);
    client.line(
        &json!({ "jsonrpc": "2.0", "id": 4711, "method": "tools/call", "params": { "name": huge } })
            .to_string(),
    );
    let task = client.task(json!({}));
    assert_eq!(task["run"], json!(run));
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    client.line(&format!("{{\"jsonrpc\":\"2.0\",\"id\":4712,\"method\":\"tools/call\",\"params\":{deep}}}"));
    client.submit(&task, &json!("\u{0}".repeat(1_000_000))).refused(&["does not fit its schema"]);
    assert_eq!(status_of(&place, &run), "waiting");
    assert_eq!(client.leave().0, 0);
}

#[test]
fn a_client_that_does_not_begin_is_told_and_one_that_goes_away_is_not_missed() {
    let place = place();
    let client = Client::mute(&mut place.command(&["mcp"]));
    assert_eq!(client.leave().0, 0);
    let mut client = Client::mute(&mut place.command(&["mcp"]));
    client.line(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    let (code, said) = client.leave();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("did not begin as the protocol says"), "{said}");
}

#[test]
fn outside_a_project_tools_say_what_to_do_and_work_once_it_is_done() {
    let place = Place::without_project(DOCKET);
    let mut client = Client::start(&place, &[]);
    for (tool, arguments) in [
        ("workflows", json!({})),
        ("list", json!({})),
        ("status", json!({ "run": "wf-aaaaaa" })),
        ("start", json!({ "workflow": "rfc-review" })),
        ("task_next", json!({})),
        ("approve", json!({ "run": "wf-aaaaaa" })),
    ] {
        let said = client.call(tool, arguments);
        assert_eq!(said.refused(&["docket init"]).error["exit_code"], 2, "{tool}");
    }
    place.run(&["init"]).success();
    assert_eq!(client.call("list", json!({})).done()["runs"], json!([]));
}

#[test]
fn the_project_can_be_named() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut command = place.command(&["mcp", "--project", &place.project().display().to_string()]);
    let mut client = Client::mute(command.current_dir("/"));
    client.begin("test-agent", "1.0");
    assert_eq!(client.task(json!({}))["run"], json!(run));
    // Paths are the project's, wherever the server was started.
    let started =
        json!({ "workflow": "rfc-review", "inputs": { "rfc_path": DOCUMENT }, "launcher": "checklist" });
    let second = client.call("start", started).done();
    assert_eq!(client.settled(second["id"].as_str().expect("an id"))["status"], "completed");
}

#[test]
fn a_definition_that_nobody_trusted_is_not_started_and_a_client_can_not_trust_it() {
    let place = place();
    place.write(".docket/workflows/definitions/mine.yml", crate::approvals::GATE);
    let mut client = Client::start(&place, &[]);
    let listed = client.call("workflows", json!({})).done();
    let mine = listed["workflows"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["name"] == "mine")
        .expect("listed");
    assert!(mine["problem"].as_str().is_some_and(|text| text.contains("docket trust")), "{mine}");
    let refused = client.call("start", json!({ "workflow": "mine" }));
    assert_eq!(refused.refused(&["mine.yml", "docket trust"]).error["exit_code"], 4);
    assert!(place.runs().is_empty());
    let log = place.run(&["audit-log", "--decision", "denied"]).success();
    let _ = log.prints("mine.yml").prints("(by tester through test-agent 1.0 (MCP))");
    place.run(&["trust", "--yes"]).success();
    let started = client.call("start", json!({ "workflow": "mine" })).done();
    assert_eq!(client.settled(started["id"].as_str().expect("an id"))["status"], "waiting");
}

#[test]
fn a_client_can_not_name_a_command_or_another_users_profile() {
    let place = place_with_document();
    let mut client = Client::start(&place, &[]);
    let with = |name: &str, value: &str| json!({ "workflow": "rfc-review", "inputs": { "rfc_path": DOCUMENT }, name: value });
    client.call("start", with("launcher", "/bin/sh")).refused(&["there is no launcher '/bin/sh'"]);
    client.call("start", with("profile", "theirs")).refused(&["there is no profile 'theirs'"]);
    client.call("start", with("command", "/bin/sh")).refused(&["unknown field `command`"]);
    assert!(place.runs().is_empty());
}

#[test]
fn what_a_client_says_of_itself_is_harmless() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut client = Client::mute(&mut place.command(&["mcp"]));
    client.begin("evil\u{1b}]0;title\u{7}\u{202e}\napproved by root", &"9".repeat(10_000));
    let task = client.task(json!({}));
    client.submit(&task, &crate::support::answer()).done();
    client.settled(&run);
    for arguments in [vec!["workflow", "show", &run, "--timeline"], vec!["workflow", "logs", &run]] {
        let shown = place.run(&arguments).success().stdout;
        assert!(shown.contains("through evil"), "{shown}");
        assert!(!shown.chars().any(|character| character.is_control() && character != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}') && !shown.contains(&"9".repeat(100)), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("approved by root")), "{shown}");
    }
}

#[test]
fn runs_are_left_as_they_are_when_the_client_goes_away() {
    let place = place_with_document();
    let agent = crate::support::Agent::patient(&place);
    let mut client = Client::start(&place, &[]);
    let started = json!({ "workflow": "rfc-review", "inputs": { "rfc_path": DOCUMENT }, "profile": "mine" });
    let run = client.call("start", started).done()["id"].as_str().expect("an id").to_owned();
    agent.wait_for_launch();
    let status = client.call("status", json!({ "run": run })).done();
    assert_eq!(status["status"], "running");
    // Somebody is still waiting for it.
    client.ask("tools/call", json!({ "name": "status", "arguments": { "run": run, "wait_seconds": 50 } }));
    assert_eq!(client.leave().0, 0);
    assert!(agent.is_alive());
    agent.go();
    docket_tests::wait_until("the run is over", || status_of(&place, &run) == "completed");
    assert_eq!(agent.launches(), 1);
    crate::support::assert_document_reviewed_once(&place);
    let _: Value = place.status(&run);
}
