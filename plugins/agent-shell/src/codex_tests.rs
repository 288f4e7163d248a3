//! Transcripts of codex, written by hand after its documented events, and what the launcher makes of them.

use docket_plugin::json;

use super::*;

const STARTED: &str = r#"{"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}
{"type":"turn.started"}
"#;
const WORKED: &str = r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Reading the document**\n\nIt is long."}}
{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"bash -lc 'cat docs/a.md'","status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"bash -lc 'cat docs/a.md'","aggregated_output":"x","exit_code":0,"status":"completed"}}
{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"I am reading it."}}
{"type":"item.completed","item":{"id":"item_3","type":"agent_message","text":"{\"summary\":\"fine\",\"note\":null}"}}
"#;
const ENDED: &str = r#"{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}"#;

fn agent(schema: Option<Value>) -> Agent {
    serde_json::from_value(json!({
        "prompt": "Review!", "prompt_file": "p.md", "schema": schema,
        "profile": { "name": "ci", "agent": "codex", "program": "codex", "arguments": ["--model", "m"], "idle_timeout": null },
    }))
    .expect("an agent")
}

fn schema() -> Value {
    json!({ "type": "object", "required": ["summary"],
        "properties": { "summary": { "type": "string" }, "note": { "type": "string" } } })
}

fn code(code: i32) -> ExitStatus {
    ExitStatus { code: Some(code), ..ExitStatus::default() }
}

/// Reads a transcript; returns the signals and the answer.
fn read(transcript: &str, exit: &ExitStatus) -> (Vec<Signal>, Result<Value, Error>) {
    let mut reader = Codex.reader(&agent(Some(schema())));
    let signals = transcript.lines().flat_map(|line| reader.line(line)).collect();
    (signals, reader.finish(exit))
}

#[test]
fn the_command_is_read_only_and_takes_the_schema() {
    let command = Codex.command("codex", &agent(Some(schema())));
    let text = |text: &str| Argument::Text(text.into());
    assert_eq!(
        command.arguments,
        [
            text("--model"),
            text("m"),
            text("exec"),
            text("--json"),
            text("--skip-git-repo-check"),
            text("--sandbox"),
            text("read-only"),
            text("--output-schema"),
            Argument::Attachment("schema.json".into()),
            text("-o"),
            Argument::AnswerFile("answer.txt".into()),
            text("-"),
        ]
    );
    assert_eq!(command.stdin.as_deref(), Some("Review!"));
    let (name, content) = command.attachments.first().expect("the schema");
    assert_eq!(name, "schema.json");
    assert!(content.contains(r#""required":["summary","note"]"#), "{content}");
    assert_eq!(Codex.command("codex", &agent(None)).attachments, []);
}

#[test]
fn the_last_message_of_a_completed_turn_is_the_answer() {
    let (signals, answer) = read(&format!("{STARTED}{WORKED}{ENDED}"), &code(0));
    let used = Usage {
        input_tokens: Some(315),
        cached_tokens: Some(24448),
        output_tokens: Some(122),
        cost_usd: None,
    };
    assert_eq!(
        signals,
        [
            Signal::Progress("Reading the document".into()),
            Signal::Progress("Running bash -lc 'cat docs/a.md'".into()),
            Signal::Usage(used),
            Signal::Over,
        ]
    );
    assert_eq!(answer, Ok(json!({ "summary": "fine" })), "the null that strict form asked for is gone");
}

#[test]
fn the_turn_s_end_counts_and_not_the_exit_code() {
    let stopped = ExitStatus { signal: Some(15), ..ExitStatus::default() };
    assert!(read(&format!("{STARTED}{WORKED}{ENDED}"), &stopped).1.is_ok());
    let error = read(&format!("{STARTED}{WORKED}"), &code(0)).1.expect_err("interrupted");
    assert_eq!(error.code, "agent-interrupted");
    assert!(error.message.contains("exit code 0"), "{error}");
}

#[test]
fn a_failed_turn_says_why() {
    let transcript =
        format!("{STARTED}{WORKED}{}", r#"{"type":"turn.failed","error":{"message":"usage limit reached"}}"#);
    let (signals, answer) = read(&transcript, &code(1));
    assert_eq!(signals.last(), Some(&Signal::Over));
    let error = answer.expect_err("failed");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("agent-failed", "codex failed: usage limit reached")
    );
}

#[test]
fn an_error_that_codex_recovers_from_is_no_failure() {
    let trouble = r#"{"type":"error","message":"Reconnecting... 1/5"}"#;
    let (signals, answer) = read(&format!("{STARTED}{trouble}\n{WORKED}{ENDED}"), &code(0));
    assert_eq!(signals.first(), Some(&Signal::Log(Level::Warn, "codex: Reconnecting... 1/5".into())));
    assert!(answer.is_ok());
    let error = read(&format!("{STARTED}{trouble}"), &code(1)).1.expect_err("interrupted");
    assert!(error.message.ends_with("it last said: Reconnecting... 1/5"), "{error}");
}

#[test]
fn lines_that_are_not_understood_are_logged_and_passed_over() {
    let odd = "WARN starting up\n{\"type\":\"turn.comp\n{\"type\":\"thread.archived\"}\n\n[1]\n{\"type\":\"item.completed\"}\n\
               {\"type\":\"item.completed\",\"item\":{\"type\":\"hologram\"}}\n";
    let (signals, answer) = read(&format!("{odd}{STARTED}{WORKED}{ENDED}"), &code(0));
    let logged = signals.iter().filter(|signal| matches!(signal, Signal::Log(Level::Debug, _))).count();
    assert_eq!(logged, 6);
    assert!(answer.is_ok());
}

#[test]
fn the_answer_file_helps_out_when_no_message_came() {
    let exit = ExitStatus { answers: vec![("answer.txt".into(), "{\"summary\":\"x\"}".into())], ..code(0) };
    assert_eq!(read(&format!("{STARTED}{ENDED}"), &exit).1, Ok(json!({ "summary": "x" })));
    let error = read(&format!("{STARTED}{ENDED}"), &code(0)).1.expect_err("no answer");
    assert_eq!(error.message, "the agent ended without an answer");
}

#[test]
fn an_answer_that_is_no_json_is_named() {
    let message = r#"{"type":"item.completed","item":{"type":"agent_message","text":"Looks good to me"}}"#;
    let error = read(&format!("{STARTED}{message}\n{ENDED}"), &code(0)).1.expect_err("no JSON");
    assert_eq!(error.code, "agent-output-unreadable");
    assert!(error.message.contains("Looks good to me"), "{error}");
}

#[test]
fn other_activities_are_shown_in_a_few_words() {
    for (line, expected) in [
        (
            r#"{"type":"item.started","item":{"type":"mcp_tool_call","server":"docs","tool":"find"}}"#,
            "Calling docs.find",
        ),
        (
            r#"{"type":"item.completed","item":{"type":"web_search","query":"cel"}}"#,
            "Searching the web for cel",
        ),
        (
            r#"{"type":"item.updated","item":{"type":"todo_list","items":[{"text":"a","completed":true},{"text":"b","completed":false}]}}"#,
            "b",
        ),
        (
            r#"{"type":"item.completed","item":{"type":"file_change","changes":[{"path":"a.md","kind":"update"}]}}"#,
            "Changing a.md",
        ),
    ] {
        assert_eq!(parsed(line), Line::Activity(expected.into()), "{line}");
    }
    assert_eq!(short(&"x".repeat(200)).chars().count(), SHOWN_CHARACTERS + 1);
}
