//! Approving and rejecting through `docket mcp`: a person's to do, unless they said otherwise, and never for whoever did
//! the work or was launched by docket itself.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::approvals::{GATE, NOTE, is_there, waiting};
use crate::mcp_client::Client;
use crate::support::{Agent, journal, place_with_document, run_with, start_arguments, status_of};
use crate::{DOCKET, place};

/// An agent's work, and somebody who looks at it.
const CHECKED: &str = "\
name: Checked
version: 1
stages:
  - {name: work, type: agent, config: {prompt_template: templates/ask.md}}
  - {name: ok, type: approval, config: {prompt: Is it good?}}
";

fn denials(place: &Place) -> String {
    place.run(&["audit-log", "--decision", "denied"]).success().stdout
}

#[test]
fn a_client_decides_nothing_unless_the_user_allowed_it() {
    let (place, run) = waiting(GATE);
    let before = journal(&place, &run);
    let mut client = Client::start(&place, &[]);
    for tool in ["approve", "reject"] {
        let refused = client.call(tool, json!({ "run": run, "comment": "because" }));
        let command = format!("docket workflow {tool} {run}");
        let error = &refused.refused(&["a person's decision", &command, "--allow-approvals"]).error;
        assert_eq!(error["exit_code"], 4);
        assert!(denials(&place).contains(&format!("{tool} {run} (by tester through test-agent 1.0 (MCP))")));
    }
    assert_eq!(journal(&place, &run), before);
    assert!(!is_there(&place, NOTE));
}

#[test]
fn a_client_that_may_decide_does_so_under_its_own_name() {
    let (place, run) = waiting(GATE);
    let mut client = Client::start(&place, &["--allow-approvals"]);
    client.call("approve", json!({ "run": run, "form": { "x": 1 } })).refused(&["asks for no form"]);
    client.call("approve", json!({ "run": run, "comment": "fine" })).done();
    assert_eq!(client.settled(&run)["status"], "completed");
    let note: Value = serde_json::from_str(&place.read(NOTE)).expect("JSON");
    assert_eq!(note, json!({ "approved": true, "comment": "fine", "by": "tester" }));
    client.call("approve", json!({ "run": run })).done();
    let conflict = client.call("reject", json!({ "run": run }));
    let error = &conflict.refused(&["was approved by tester through test-agent 1.0 (MCP)"]).error;
    assert_eq!(error["exit_code"], 5);
    let log = place.run(&["workflow", "logs", &run]).success();
    let _ = log.prints("approved by tester through test-agent 1.0 (MCP): fine");
}

#[test]
fn whoever_worked_on_a_run_decides_nothing_about_it() {
    let place = place();
    place.write(".docket/workflows/templates/ask.md", "Do it.\n");
    place.trusted_definition("checked", CHECKED);
    place.run(&["workflow", "start", "checked", "--launcher", "manual"]).code(3);
    let run = place.only_run();
    let mut worker = Client::elsewhere(&place, &["--allow-approvals"]);
    let task = worker.task(json!({}));
    worker.submit(&task, &json!("done")).done();
    assert_eq!(worker.settled(&run)["status"], "waiting");
    for tool in ["approve", "reject"] {
        let refused = worker.call(tool, json!({ "run": run }));
        refused.refused(&["nobody approves their own work"]);
        assert_eq!(refused.error["exit_code"], 4);
    }
    assert!(denials(&place).contains("asked for by the session that worked on"), "{}", denials(&place));
    assert_eq!(status_of(&place, &run), "waiting");

    let mut other = Client::elsewhere(&place, &["--allow-approvals"]);
    other.call("reject", json!({ "run": run, "to": "work", "comment": "Say more." })).done();
    assert_eq!(other.settled(&run)["status"], "waiting");
    // The work is a new task, whose prompt has the comment and says who gave it.
    worker.submit(&task, &json!("done again")).refused(&["does not hold"]);
    let again = worker.task(json!({}));
    assert_eq!(again["attempt"], 2);
    let prompt = again["prompt"].as_str().expect("a prompt");
    assert!(prompt.contains("Say more.") && prompt.contains("through other-agent 2.0 (MCP)"), "{prompt}");
    worker.submit(&again, &json!("more")).done();
    assert_eq!(other.settled(&run)["status"], "waiting");
    other.call("approve", json!({ "run": run })).done();
    assert_eq!(other.settled(&run)["status"], "completed");
}

#[test]
fn a_server_below_an_agent_that_docket_launched_hands_out_and_decides_nothing() {
    let place = place_with_document();
    place.trusted_definition("gate", GATE);
    place.run(&["workflow", "start", "gate"]).code(3);
    let waits = place.only_run();
    let begin = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": { "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "agent", "version": "1" } },
    });
    let calls = [
        ("approve", json!({ "run": waits })),
        ("reject", json!({ "run": waits })),
        ("task_next", json!({})),
        ("task_submit", json!({ "run": waits, "stage": "ok", "claim": "x", "result": { "approved": true } })),
        ("list", json!({})),
    ];
    let mut lines = format!("{begin}\n");
    for (number, (name, arguments)) in calls.iter().enumerate() {
        let call = json!({
            "jsonrpc": "2.0", "id": number + 1, "method": "tools/call",
            "params": { "name": name, "arguments": arguments },
        });
        lines.push_str(&format!("{call}\n"));
    }
    std::fs::write(place.home().join("lines"), lines).expect("written");
    // The agent clears its environment; what started it still has the marker.
    let script = format!(
        "cat > /dev/null\nfor clear in '' \"env -i PATH=/usr/bin:/bin HOME={home} DOCKET_HOME={docket_home}\"; do\n\
         (cat {home}/lines; tries=0; while [ $(grep -c '\"id\":' \"$1/out\") -lt $expected ] && [ $tries -lt 600 ]; do \
         sleep 0.05; tries=$((tries+1)); done) | $clear {DOCKET} mcp --allow-approvals --project {project} >> \"$1/out\" 2>> \"$1/err\"\n\
         expected=12\ndone\ncat \"$1/answer\"\n",
        home = place.home().display(),
        docket_home = place.docket_home().display(),
        project = place.project().display(),
    );
    let script = format!("expected=6\n: > \"$1/out\"\n{script}");
    let agent = Agent::new(&place, &script);
    run_with(&place, &[], &start_arguments(&["--profile", "mine"])).success();
    let out = std::fs::read_to_string(agent.file("out")).expect("it tried");
    let errors = std::fs::read_to_string(agent.file("err")).expect("it tried");
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 12, "{out}\n{errors}");
    let refused = answers.iter().filter(|answer| answer["result"]["isError"] == true);
    let texts: Vec<&str> =
        refused.filter_map(|answer| answer["result"]["content"][0]["text"].as_str()).collect();
    assert_eq!(texts.len(), 8, "{out}");
    assert!(texts.iter().all(|text| text.contains("only a person decides that")), "{texts:?}");
    assert_eq!(status_of(&place, &waits), "waiting");
    assert_eq!(denials(&place).matches("asked for by the agent of wf-").count(), 8, "{}", denials(&place));
}
