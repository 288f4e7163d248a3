//! Sessions with agents that are played from a list.

use std::cell::RefCell;

use docket_json_rpc::script::{Act, Script, answers, refuses, says, tells};
use docket_launcher::ask::{Judge, until_it_fits};
use docket_plugin::json;

use super::*;

const FOLDER: &str = "/home/me/project";

/// An agent that opens the session `s1`.
fn agent() -> Script {
    Script::new()
        .on(
            "initialize",
            [answers(&json!({ "protocolVersion": 1, "agentInfo": { "name": "a", "version": "1" } }))],
        )
        .on("session/new", [answers(&json!({ "sessionId": "s1" }))])
}

fn update(update: Value) -> Act {
    tells("session/update", &json!({ "sessionId": "s1", "update": update }))
}

fn message(text: &str) -> Act {
    update(json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } }))
}

fn stops(reason: &str) -> Act {
    answers(&json!({ "stopReason": reason }))
}

fn asks_permission(id: u64, call: Value) -> Act {
    let options = json!([
        { "optionId": "yes", "name": "Yes", "kind": "allow_once" },
        { "optionId": "no", "name": "No", "kind": "reject_once" },
    ]);
    let params = json!({ "sessionId": "s1", "toolCall": call, "options": options });
    says(&json!({ "jsonrpc": "2.0", "id": id, "method": "session/request_permission", "params": params }))
}

fn task() -> Task {
    serde_json::from_value(json!({
        "prompt": "Review!", "prompt_file": "p.md", "schema": { "type": "object" }, "prompt_shows_schema": true,
        "profile": { "name": "p", "agent": null, "program": "agent", "idle_timeout": null },
    }))
    .expect("a task")
}

/// Wants an object with `ok`.
struct WantsOk;

impl Judge for WantsOk {
    fn check(&self, answer: &Value) -> Vec<Fault> {
        let fault = || Fault { pointer: String::new(), message: "'ok' is missing".into(), hint: None };
        if answer.get("ok").is_some() { Vec::new() } else { vec![fault()] }
    }

    fn keep(&self, _text: &str) -> String {
        "answer-1.txt".to_owned()
    }
}

/// Has the task done by the programs that are started one after the other.
fn done(scripts: &[&Script], options: Value) -> Result<Value, Error> {
    let left = RefCell::new(scripts.iter().map(|script| (*script).clone()).collect::<Vec<_>>());
    let open = || -> Result<Box<dyn Wire>, Error> {
        let mut left = left.borrow_mut();
        assert!(!left.is_empty(), "it was started too often");
        Ok(Box::new(left.remove(0)))
    };
    let options: Options = serde_json::from_value(options).expect("options");
    let mut session = AcpSession::new("agent", FOLDER, options, Duration::from_secs(7), &open);
    let answer = until_it_fits(&task(), &mut session, &WantsOk);
    session.close();
    answer
}

#[test]
fn a_prompt_is_answered_with_what_the_agent_says_last() {
    let script = agent().on(
        "session/prompt",
        [
            update(json!({ "sessionUpdate": "available_commands_update", "availableCommands": [] })),
            update(json!({ "sessionUpdate": "agent_thought_chunk", "content": { "type": "text", "text": "Hm." } })),
            message("I am reading. {}"),
            update(json!({ "sessionUpdate": "tool_call", "toolCallId": "c", "title": "Read", "kind": "read" })),
            update(json!({ "sessionUpdate": "usage_update", "used": 5, "size": 9,
                "cost": { "amount": 0.5, "currency": "USD" } })),
            update(json!({ "sessionUpdate": "from_the_future", "x": 1 })),
            tells("_vendor/news", &json!({})),
            tells("session/update", &json!({ "sessionId": "another", "update":
                { "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": "{\"ok\":9}" } } })),
            message("{\"ok\""),
            message(":1}"),
            stops("end_turn"),
        ],
    );
    assert_eq!(done(&[&script], json!({})), Ok(json!({ "ok": 1 })));
    assert!(script.is_finished() && !script.is_stopped());
    let sent = script.sent();
    let methods: Vec<&str> = sent.iter().filter_map(|message| message["method"].as_str()).collect();
    assert_eq!(methods, ["initialize", "session/new", "session/prompt"]);
    let offered = &sent[0]["params"];
    assert_eq!(offered["protocolVersion"], 1);
    assert_eq!(offered["clientCapabilities"]["fs"], json!({ "readTextFile": false, "writeTextFile": false }));
    assert_eq!(offered["clientCapabilities"]["terminal"], false);
    assert_eq!(sent[1]["params"], json!({ "cwd": FOLDER, "mcpServers": [] }));
    let prompt = json!([{ "type": "text", "text": "Review!" }]);
    assert_eq!(sent[2]["params"], json!({ "sessionId": "s1", "prompt": prompt }));
}

#[test]
fn an_answer_is_mended_in_the_same_session() {
    let script = agent()
        .on("session/prompt", [message("{\"bad\":1}"), stops("end_turn")])
        .on("session/prompt", [message("{\"ok\":2}"), stops("end_turn")]);
    assert_eq!(done(&[&script], json!({})), Ok(json!({ "ok": 2 })));
    let prompts = script.sent_for("session/prompt");
    assert_eq!(prompts[1]["params"]["sessionId"], "s1");
    let text = prompts[1]["params"]["prompt"][0]["text"].as_str().expect("text");
    assert!(text.contains("'ok' is missing") && !text.contains("Review!"), "{text}");
}

/// An agent that ends by itself once it answered, with what another process of it can do.
fn ends_and_comes_back(capabilities: Value, resuming: &str, answer: Act) -> (Result<Value, Error>, Script) {
    let first = agent().on("session/prompt", [message("{\"bad\":1}"), stops("end_turn"), Act::Exit(0)]);
    let second = Script::new()
        .on("initialize", [answers(&json!({ "protocolVersion": 1, "agentCapabilities": capabilities }))])
        .on(resuming, [message("{\"ok\":\"replayed\"}"), answer])
        .on("session/new", [answers(&json!({ "sessionId": "s1" }))])
        .on("session/prompt", [message("{\"ok\":3}"), stops("end_turn")]);
    (done(&[&first, &second], json!({})), second)
}

#[test]
fn an_agent_that_ended_takes_its_session_up_where_it_can() {
    let resumes = json!({ "sessionCapabilities": { "resume": {} } });
    for (capabilities, method) in
        [(resumes, "session/resume"), (json!({ "loadSession": true }), "session/load")]
    {
        let (answer, script) = ends_and_comes_back(capabilities, method, answers(&json!({})));
        assert_eq!(answer, Ok(json!({ "ok": 3 })), "{method}");
        assert_eq!(script.sent_for(method)[0]["params"]["sessionId"], "s1");
        assert_eq!(script.sent_for("session/new"), [Value::Null; 0]);
        let text = script.sent_for("session/prompt")[0]["params"]["prompt"][0]["text"].clone();
        assert!(!text.as_str().expect("text").contains("Review!"), "it remembers: {text}");
    }
    for (capabilities, answer) in [
        (json!({}), refuses(-32601, "never asked")),
        (json!({ "loadSession": true }), refuses(-32002, "no such session")),
    ] {
        let (answer, script) = ends_and_comes_back(capabilities, "session/load", answer);
        assert_eq!(answer, Ok(json!({ "ok": 3 })));
        let text = script.sent_for("session/prompt")[0]["params"]["prompt"][0]["text"].clone();
        assert!(text.as_str().expect("text").contains("Review!"), "it has to be told again: {text}");
    }
}

#[test]
fn only_reading_is_allowed_unless_the_profile_says_otherwise() {
    let read =
        json!({ "toolCallId": "r", "kind": "read", "locations": [{ "path": "/home/me/project/a.md" }] });
    let run = json!({ "toolCallId": "x", "kind": "execute", "title": "rm -rf /" });
    // What it was called with counts, too.
    let posing = json!({ "toolCallId": "w", "kind": "read" });
    let asked = |options: Value| {
        let script = agent().on(
            "session/prompt",
            [
                update(json!({ "sessionUpdate": "tool_call", "toolCallId": "w", "title": "Write", "kind": "edit" })),
                asks_permission(90, read.clone()),
                asks_permission(91, run.clone()),
                asks_permission(92, posing.clone()),
                says(&json!({ "id": 93, "method": "session/request_permission", "params": { "odd": true } })),
                says(&json!({ "id": 94, "method": "fs/write_text_file", "params": {} })),
                says(&json!({ "id": 95, "method": "terminal/create", "params": {} })),
                message("{\"ok\":1}"),
                stops("end_turn"),
            ],
        );
        done(&[&script], options).expect("answered");
        let answered = script.answered();
        assert_eq!(answered[3]["error"]["code"], -32602);
        assert_eq!(answered[4]["error"]["code"], -32601);
        assert_eq!(answered[5]["error"]["code"], -32601);
        [0, 1, 2].map(|index| {
            answered[index]["result"]["outcome"]["optionId"].as_str().unwrap_or_default().to_owned()
        })
    };
    assert_eq!(asked(json!({})), ["yes", "no", "no"]);
    assert_eq!(asked(json!({ "permissions": "reject" })), ["no", "no", "no"]);
    assert_eq!(asked(json!({ "permissions": "all" })), ["yes", "yes", "yes"]);
}

#[test]
fn an_agent_works_read_only_when_it_can() {
    let modes = |current: &str| {
        json!({ "sessionId": "s1", "modes": { "currentModeId": current, "availableModes": [
            { "id": "agent", "name": "Agent" }, { "id": "read-only", "name": "Read-only" } ] } })
    };
    let chosen = |current: &str, options: Value| {
        let script = Script::new()
            .on("initialize", [answers(&json!({ "protocolVersion": 1 }))])
            .on("session/new", [answers(&modes(current))])
            .on("session/set_mode", [answers(&json!({}))])
            .on("session/prompt", [message("{\"ok\":1}"), stops("end_turn")]);
        let answer = done(&[&script], options);
        let mode = script.sent_for("session/set_mode").first().map(|sent| sent["params"]["modeId"].clone());
        (answer, mode)
    };
    assert_eq!(chosen("agent", json!({})).1, Some(json!("read-only")));
    assert_eq!(chosen("read-only", json!({})).1, None);
    assert_eq!(chosen("agent", json!({ "permissions": "all" })).1, None);
    assert_eq!(chosen("read-only", json!({ "mode": "agent" })).1, Some(json!("agent")));
    let error = chosen("agent", json!({ "mode": "plan" })).0.expect_err("it has none");
    assert_eq!(error.code, "agent-mode-unknown");
    assert!(error.message.contains("it has: agent, read-only"), "{error}");
}

#[test]
fn a_login_is_done_only_when_it_is_demanded_and_chosen() {
    let logged_in = |options: Value| {
        let script = Script::new()
            .on(
                "initialize",
                [answers(&json!({ "protocolVersion": 1, "authMethods": [
                { "id": "api-key", "name": "API key" }, { "id": "web", "name": "Web" } ] }))],
            )
            .on("session/new", [refuses(-32000, "Authentication required")])
            .on("authenticate", [answers(&json!({}))])
            .on("session/new", [answers(&json!({ "sessionId": "s1" }))])
            .on("session/prompt", [message("{\"ok\":1}"), stops("end_turn")]);
        (done(&[&script], options), script)
    };
    let (answer, script) = logged_in(json!({ "auth_method": "api-key" }));
    assert_eq!(answer, Ok(json!({ "ok": 1 })));
    assert_eq!(script.sent_for("authenticate")[0]["params"], json!({ "methodId": "api-key" }));
    for (options, words) in
        [(json!({}), "names no method"), (json!({ "auth_method": "sso" }), "no login method 'sso'")]
    {
        let (answer, script) = logged_in(options);
        let error = answer.expect_err("not logged in");
        assert_eq!(error.code, "agent-login-required");
        assert!(error.message.contains(words) && error.message.contains("api-key, web"), "{error}");
        assert!(script.is_finished(), "it is let go");
    }
}

#[test]
fn a_turn_that_did_not_end_well_has_no_answer() {
    for (reason, code) in [
        ("max_tokens", "agent-out-of-tokens"),
        ("max_turn_requests", "agent-out-of-turns"),
        ("refusal", "agent-refused"),
        ("cancelled", "agent-cancelled"),
        ("bored", "agent-failed"),
    ] {
        let script = agent().on("session/prompt", [message("{\"ok\":1}"), stops(reason)]);
        assert_eq!(done(&[&script], json!({})).expect_err("no answer").code, code);
    }
    let script =
        agent().on("session/prompt", [message("{\"ok\":1}"), refuses(-32603, "You have hit your quota")]);
    let error = done(&[&script], json!({})).expect_err("no answer");
    assert_eq!(error.code, "agent-failed");
    assert!(error.message.contains("You have hit your quota"), "{error}");
}

#[test]
fn an_agent_that_falls_silent_is_asked_to_stop_and_then_stopped() {
    let script = agent().on("session/prompt", [message("{\"ok\":1}")]).on(
        "session/cancel",
        [asks_permission(90, json!({ "toolCallId": "r", "kind": "read" })), message("{}")],
    );
    let error = done(&[&script], json!({})).expect_err("silent");
    assert_eq!(error.code, "agent-idle");
    assert!(script.is_stopped());
    assert_eq!(script.sent_for("session/cancel")[0]["params"], json!({ "sessionId": "s1" }));
    assert_eq!(script.answered()[0]["result"]["outcome"], json!({ "outcome": "cancelled" }));
}

#[test]
fn an_agent_that_does_not_speak_the_protocol_is_told_from_one_that_does() {
    let version = Script::new().on("initialize", [answers(&json!({ "protocolVersion": 7 }))]);
    let error = done(&[&version], json!({})).expect_err("another version");
    assert_eq!(error.code, "agent-protocol-unsupported");
    assert!(error.message.contains("version 7") && error.message.contains("version 1"), "{error}");
    let deaf = Script::new();
    let error = done(&[&deaf], json!({})).expect_err("silent");
    assert_eq!(error.code, "agent-idle");
    assert!(error.hint.expect("a hint").contains("speaks the Agent Client Protocol"));
    let other = Script::new().on("initialize", [Act::Stderr("unknown option".into()), Act::Exit(2)]);
    let error = done(&[&other], json!({})).expect_err("ended");
    assert_eq!(error.code, "agent-interrupted");
    assert!(error.message.contains("exit code 2") && error.message.contains("unknown option"), "{error}");
    let broken = Script::new().on("initialize", [answers(&json!({ "protocolVersion": "one" }))]);
    assert_eq!(done(&[&broken], json!({})).expect_err("broken").code, "agent-protocol-broken");
}

#[test]
fn an_agent_that_dies_in_its_first_prompt_is_not_started_again() {
    let script = agent().on("session/prompt", [Act::Exit(1)]);
    assert_eq!(done(&[&script], json!({})).expect_err("gone").code, "agent-interrupted");
}
