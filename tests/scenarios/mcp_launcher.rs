//! Agents behind the tool of an MCP server, well-behaved and others.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::peers::{Peer, begin_review, review};
use crate::support::{
    answer, assert_document_reviewed_once, assert_nothing_written, place_with_document, stage, start,
    status_of,
};

const CALL: &str = "tools/call";
/// The options that name the server's tool.
const TOOL: &str = "options: { tool: review }";

/// A place with a document, and a server that behaves like this.
fn with_server(behaviour: &str) -> (Place, Peer) {
    let place = place_with_document();
    let server = Peer::new(&place, "mcp", behaviour);
    server.profile(&place, TOOL);
    (place, server)
}

/// The code with which the review stage failed.
#[track_caller]
fn failure(place: &Place) -> String {
    let stage = stage(place, &place.only_run(), "review-architecture");
    assert_eq!(stage["status"], "failed");
    stage["failure"]["code"].as_str().expect("a code").to_owned()
}

#[track_caller]
fn arguments(server: &Peer, call: usize) -> Value {
    server.heard(CALL)[call]["params"]["arguments"].clone()
}

#[test]
fn a_tool_is_called_and_its_result_is_kept() {
    let (place, server) = with_server("good");
    server.profile(&place, "options: { tool: review, arguments: { style: terse } }");
    review(&place).success().prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_document_reviewed_once(&place);
    assert_eq!(server.heard("tools/list").len(), 2, "page by page");
    assert_eq!((server.starts(), server.heard(CALL).len()), (1, 1));
    assert_eq!(server.heard(CALL)[0]["params"]["name"], "review");
    assert_eq!(arguments(&server, 0)["style"], "terse");
    let run = place.only_run();
    let kept = place.read(&format!(".docket/workflows/state/{run}/results/review-architecture/prompt.md"));
    let prompt = arguments(&server, 0)["prompt"].as_str().expect("text").to_owned();
    assert!(prompt.starts_with(kept.trim_end()), "{prompt}");
    assert_eq!(
        server.lines("heard").last().map(String::as_str),
        Some("end"),
        "its input is closed in the end"
    );
    place.run(&["workflow", "logs", &run]).success().prints("Reading the document");
    place.run(&["workflow", "verify"]).success();
}

#[test]
fn an_answer_that_does_not_fit_is_mended_in_the_agents_own_session() {
    let (place, server) = with_server("threads");
    let mut wrong = answer();
    wrong["assessment"] = "PERFECT".into();
    server.answers("answer-1", &wrong.to_string());
    review(&place).success();
    assert_document_reviewed_once(&place);
    assert_eq!((server.starts(), server.heard(CALL).len()), (1, 2));
    assert_eq!(server.heard(CALL)[1]["params"]["name"], "review-reply");
    let again = arguments(&server, 1);
    assert_eq!(again["threadId"], "thread-1");
    assert!(again["prompt"].as_str().expect("text").contains("/assessment: value is not one of"), "{again}");
}

#[test]
fn an_answer_of_a_server_without_sessions_is_mended_with_the_whole_task() {
    let (place, server) = with_server("good");
    server.answers("answer-1", "{\"assessment\":\"PERFECT\"}");
    review(&place).success();
    assert_document_reviewed_once(&place);
    let again = arguments(&server, 1)["prompt"].as_str().expect("text").to_owned();
    assert!(again.contains("This task was answered before") && again.contains("PERFECT"), "{again}");
}

#[test]
fn what_a_server_says_beyond_its_result_does_no_harm() {
    for behaviour in
        ["noisy", "floods", "not-utf8", "unknown-ids", "huge", "exits-after", "hangs-after", "asks-much"]
    {
        let (place, server) = with_server(behaviour);
        let output = review(&place);
        assert_eq!(output.code, 0, "{behaviour}: {}", output.stderr);
        assert_eq!((server.starts(), server.heard(CALL).len()), (1, 1), "{behaviour}");
        assert_document_reviewed_once(&place);
        assert!(!server.is_alive(), "{behaviour}");
        if behaviour == "asks-much" {
            let wanted = [
                "ping {}",
                "roots/list {\"roots\":[]}",
                "sampling/createMessage -32601",
                "elicitation/create -32601",
            ];
            assert_eq!(server.lines("answers"), wanted, "a server is offered nothing");
        }
    }
}

#[test]
fn a_server_that_ended_after_its_result_is_started_again_to_mend_it() {
    let (place, server) = with_server("exits-after");
    server.answers("answer-1", "{}");
    review(&place).code(1).says("does not fit its schema");
    assert_eq!(server.starts(), 2);
    assert_nothing_written(&place);
}

#[test]
fn a_server_that_fails_fails_its_stage_and_changes_nothing() {
    for (behaviour, code, words) in [
        ("dies-mid-line", "agent-interrupted", "exit code 3 before it answered tools/call"),
        ("other-version", "agent-protocol-unsupported", "revision '1999-01-01'"),
        ("over-quota", "agent-failed", "tool 'review' failed: You have hit your usage limit"),
        ("refuses", "agent-failed", "no such style (code -32602)"),
        ("endless", "agent-output-too-large", "more than 16 MiB"),
    ] {
        let (place, server) = with_server(behaviour);
        review(&place).code(1).says(words);
        assert_eq!(failure(&place), code, "{behaviour}");
        assert_eq!(server.starts(), 1, "{behaviour}");
        assert_nothing_written(&place);
        wait_until("the server is gone", || !server.is_alive());
    }
}

#[test]
fn a_server_that_falls_silent_is_told_and_then_stopped() {
    let (place, server) = with_server("stalls");
    server.profile(&place, &format!("idle_timeout: 3, {TOOL}"));
    review(&place).code(1).says("said nothing for 3 s after tools/call 'review'").says("idle_timeout");
    assert_eq!(failure(&place), "agent-idle");
    assert_eq!(
        server.heard("notifications/cancelled")[0]["params"]["requestId"],
        server.heard(CALL)[0]["id"]
    );
    wait_until("the server is gone", || !server.is_alive());
    let (place, server) = with_server("mute");
    server.profile(&place, &format!("idle_timeout: 3, {TOOL}"));
    review(&place).code(1).says("after initialize").says("has to be an MCP server");
    assert_nothing_written(&place);
}

#[test]
fn a_profile_that_can_not_work_is_told_with_the_fix() {
    let (place, server) = with_server("good");
    for (options, words) in [
        ("options: { tol: review }", "`tool`"),
        ("env: []", "these: other, review, review-reply"),
        ("options: { tool: revue }", "no tool 'revue'; it has: other, review, review-reply"),
        ("options: { tool: review, prompt_argument: task }", "no argument 'task'; it takes: prompt, style"),
        ("options: { tool: review-reply }", "also needs threadId"),
    ] {
        server.profile(&place, options);
        review(&place).code(1).says(words).says("profile");
    }
    start(&place, &["--launcher", "mcp"]).code(1).says("no launcher profile").says("config.yml");
    assert_eq!(server.heard(CALL), [json!(null); 0]);
    assert_nothing_written(&place);
}

#[test]
fn a_server_that_outlived_docket_is_followed_and_not_called_again() {
    let (place, server) = with_server("patient");
    let mut owner = begin_review(&place);
    server.wait_for(CALL);
    let run = place.only_run();
    kill(&mut owner);
    assert!(server.is_alive(), "agents outlive docket");
    let resumed = place.spawn(&["workflow", "resume", &run]);
    wait_until("the run is owned again", || status_of(&place, &run) != "interrupted");
    server.go();
    Output::of_child(resumed).success().prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!((server.starts(), server.heard(CALL).len()), (1, 1));
    assert_document_reviewed_once(&place);
}

#[test]
fn a_cancelled_run_ends_its_server() {
    let (place, server) = with_server("patient");
    let owner = begin_review(&place);
    server.wait_for(CALL);
    let run = place.only_run();
    place.run(&["workflow", "cancel", &run]).success();
    let _ = Output::of_child(owner);
    assert_eq!(status_of(&place, &run), "cancelled");
    wait_until("the server is gone", || !server.is_alive());
    assert_nothing_written(&place);
}
