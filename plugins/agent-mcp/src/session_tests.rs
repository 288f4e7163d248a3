//! Sessions with servers that are played from a list.

use std::cell::RefCell;

use docket_json_rpc::script::{Act, Script, answers, refuses, says, tells};
use docket_launcher::ask::{Judge, until_it_fits};

use super::*;

/// A server with these tools.
fn server(tools: Value) -> Script {
    Script::new()
        .on(
            "initialize",
            [answers(&json!({ "protocolVersion": "2025-06-18", "capabilities": {},
            "serverInfo": { "name": "s", "version": "1" } }))],
        )
        .on("tools/list", [answers(&json!({ "tools": tools }))])
}

fn review_tool() -> Value {
    let text = json!({ "type": "string" });
    json!({ "name": "review", "inputSchema": { "type": "object", "properties": { "prompt": text } } })
}

fn says_text(text: &str) -> Act {
    answers(&json!({ "content": [{ "type": "text", "text": text }] }))
}

fn task() -> Task {
    serde_json::from_value(json!({
        "prompt": "Review!", "prompt_file": "p.md", "schema": { "type": "object" },
        "profile": { "name": "p", "agent": null, "program": "server", "idle_timeout": null },
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
    let mut session = McpSession::new("server", options, Duration::from_secs(7), &open);
    let answer = until_it_fits(&task(), &mut session, &WantsOk);
    session.close();
    answer
}

/// The arguments of a call that was made.
fn arguments(script: &Script, call: usize) -> Value {
    script.sent_for(CALL)[call]["params"]["arguments"].clone()
}

#[test]
fn a_tool_is_called_with_the_prompt_and_its_result_is_the_answer() {
    let script = server(json!([review_tool()])).on(
        CALL,
        [
            tells(
                "notifications/progress",
                &json!({ "progressToken": "docket-1", "progress": 1, "message": "Reading" }),
            ),
            tells("notifications/message", &json!({ "level": "warning", "data": "slow" })),
            says(&json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" })),
            says(&json!({ "jsonrpc": "2.0", "id": 1, "method": "roots/list" })),
            says(&json!({ "jsonrpc": "2.0", "id": 2, "method": "sampling/createMessage", "params": {} })),
            answers(&json!({ "content": [], "structuredContent": { "ok": 1 } })),
        ],
    );
    assert_eq!(done(&[&script], json!({ "tool": "review" })), Ok(json!({ "ok": 1 })));
    assert!(script.is_finished() && !script.is_stopped());
    let methods: Vec<String> =
        script.sent().iter().filter_map(|message| message["method"].as_str().map(str::to_owned)).collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", CALL]);
    let call = &script.sent_for(CALL)[0]["params"];
    assert_eq!((&call["name"], &call["_meta"]), (&json!("review"), &json!({ "progressToken": "docket-1" })));
    let prompt = arguments(&script, 0)["prompt"].as_str().expect("text").to_owned();
    assert!(prompt.starts_with("Review!") && prompt.contains("JSON Schema"), "{prompt}");
    let answered = script.answered();
    assert_eq!(answered[0], json!({ "jsonrpc": "2.0", "id": "p", "result": {} }));
    assert_eq!(answered[1]["result"], json!({ "roots": [] }));
    assert_eq!(answered[2]["error"]["code"], -32601);
}

#[test]
fn a_tool_that_takes_a_schema_is_given_it_and_not_told_it() {
    let tool = json!({ "name": "review", "inputSchema": { "properties": { "prompt": {}, "schema": {} } } });
    let script = server(json!([tool])).on(CALL, [says_text("{\"ok\":1}")]);
    assert_eq!(done(&[&script], json!({})), Ok(json!({ "ok": 1 })));
    assert_eq!(arguments(&script, 0), json!({ "prompt": "Review!", "schema": { "type": "object" } }));
}

#[test]
fn tools_are_read_page_by_page() {
    let script = Script::new()
        .on("initialize", [answers(&json!({ "protocolVersion": "2024-11-05" }))])
        .on("tools/list", [answers(&json!({ "tools": [], "nextCursor": "2" }))])
        .on("tools/list", [answers(&json!({ "tools": [review_tool()], "nextCursor": "2" }))])
        .on(CALL, [says_text("{\"ok\":1}")]);
    assert_eq!(done(&[&script], json!({ "tool": "review" })), Ok(json!({ "ok": 1 })));
    let pages = script.sent_for("tools/list");
    assert_eq!((&pages[0]["params"], &pages[1]["params"]), (&json!({}), &json!({ "cursor": "2" })));
}

#[test]
fn an_answer_is_mended_in_the_agents_session_where_there_is_one() {
    let reply =
        json!({ "name": "review-reply", "inputSchema": { "properties": { "prompt": {}, "threadId": {} } } });
    let structured = json!({ "content": [{ "type": "text", "text": "no" }],
        "structuredContent": { "threadId": "t1", "content": "no" } });
    let script = server(json!([review_tool(), reply]))
        .on(CALL, [answers(&structured)])
        .on(CALL, [says_text("{\"ok\":2}")]);
    assert_eq!(done(&[&script], json!({ "tool": "review" })), Ok(json!({ "ok": 2 })));
    assert_eq!(script.sent_for(CALL)[1]["params"]["name"], "review-reply");
    assert_eq!(script.sent_for(CALL)[1]["params"]["_meta"]["progressToken"], "docket-2");
    let again = arguments(&script, 1);
    assert_eq!(again["threadId"], "t1");
    assert!(!again["prompt"].as_str().expect("text").contains("Review!"), "{again}");

    let script =
        server(json!([review_tool()])).on(CALL, [says_text("no")]).on(CALL, [says_text("{\"ok\":3}")]);
    assert_eq!(done(&[&script], json!({})), Ok(json!({ "ok": 3 })));
    assert!(
        arguments(&script, 1)["prompt"].as_str().expect("text").contains("Review!"),
        "the whole task again"
    );
}

#[test]
fn a_server_that_ended_after_its_result_is_started_again_to_mend_it() {
    let first = server(json!([review_tool()])).on(CALL, [says_text("no"), Act::Exit(0)]);
    let second = server(json!([review_tool()])).on(CALL, [says_text("{\"ok\":1}")]);
    assert_eq!(done(&[&first, &second], json!({})), Ok(json!({ "ok": 1 })));
    assert!(arguments(&second, 0)["prompt"].as_str().expect("text").contains("Review!"));
}

#[test]
fn what_a_server_says_of_a_failure_is_told() {
    let failed = json!({ "isError": true, "content": [{ "type": "text", "text": "out of quota" }] });
    for (script, code, words) in [
        (server(json!([review_tool()])).on(CALL, [answers(&failed)]), "agent-failed", "out of quota"),
        (
            server(json!([review_tool()])).on(CALL, [refuses(-32602, "bad arguments")]),
            "agent-failed",
            "bad arguments",
        ),
        (server(json!([review_tool()])).on(CALL, [Act::Exit(9)]), "agent-interrupted", "exit code 9"),
        (server(json!([])), "tool-unknown", "none"),
        (server(json!("odd")), "agent-protocol-broken", "tools/list"),
        (
            Script::new().on("initialize", [answers(&json!({ "protocolVersion": "2031-01-01" }))]),
            "agent-protocol-unsupported",
            "2031-01-01",
        ),
        (Script::new(), "agent-idle", "initialize"),
    ] {
        let error = done(&[&script], json!({})).expect_err(words);
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(
            script.is_finished() || script.is_stopped() || code == "agent-interrupted",
            "{code}: it is let go"
        );
    }
}

#[test]
fn a_server_that_falls_silent_is_told_and_then_stopped() {
    let script = server(json!([review_tool()])).on(CALL, [Act::Line("…".into())]);
    let error = done(&[&script], json!({})).expect_err("silent");
    assert_eq!(error.code, "agent-idle");
    assert!(script.is_stopped());
    let told = &script.sent_for("notifications/cancelled")[0]["params"];
    assert_eq!(told["requestId"], script.sent_for(CALL)[0]["id"]);
}
