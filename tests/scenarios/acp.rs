//! Agents that are talked to over the Agent Client Protocol, well-behaved and others.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::json;

use crate::peers::{Peer, begin_review, review};
use crate::support::{
    CONFIG, answer, assert_document_reviewed_once, assert_nothing_written, journal, place_with_document,
    stage, start, status_of,
};

const PROMPT: &str = "session/prompt";

/// A place with a document, and an agent that behaves like this.
fn with_agent(behaviour: &str) -> (Place, Peer) {
    let place = place_with_document();
    let agent = Peer::new(&place, "acp", behaviour);
    (place, agent)
}

/// The code with which the review stage failed.
#[track_caller]
fn failure(place: &Place) -> String {
    let stage = stage(place, &place.only_run(), "review-architecture");
    assert_eq!(stage["status"], "failed");
    stage["failure"]["code"].as_str().expect("a code").to_owned()
}

#[test]
fn an_agent_is_prompted_in_the_project_and_its_answer_is_kept() {
    let (place, agent) = with_agent("good");
    review(&place).success().prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_document_reviewed_once(&place);
    let run = place.only_run();
    let opened = &agent.heard("session/new")[0]["params"];
    let project = place.project().canonicalize().expect("there");
    assert_eq!(opened["cwd"], project.to_str().expect("UTF-8"));
    let offered = &agent.heard("initialize")[0]["params"]["clientCapabilities"];
    assert_eq!(offered["fs"], json!({ "readTextFile": false, "writeTextFile": false }));
    assert_eq!(offered["terminal"], false);
    assert_eq!(agent.heard("session/set_mode")[0]["params"]["modeId"], "read-only");
    let prompts = agent.heard(PROMPT);
    assert_eq!((agent.starts(), prompts.len()), (1, 1));
    let kept = place.read(&format!(".docket/workflows/state/{run}/results/review-architecture/prompt.md"));
    let text = prompts[0]["params"]["prompt"][0]["text"].as_str().expect("text");
    assert!(text.starts_with(kept.trim_end()), "{text}");
    assert_eq!(
        agent.lines("heard").last().map(String::as_str),
        Some("end"),
        "its input is closed in the end"
    );
    place.run(&["workflow", "logs", &run]).success().prints("Reading the document");
    let wanted =
        r#""usage":{"input_tokens":60,"cached_tokens":40,"output_tokens":7,"cost_usd":0.25,"launches":1}"#;
    assert!(journal(&place, &run).contains(wanted), "{}", journal(&place, &run));
    place.run(&["workflow", "verify"]).success();
}

#[test]
fn an_answer_that_does_not_fit_is_mended_in_the_same_session() {
    let (place, agent) = with_agent("good");
    let mut wrong = answer();
    wrong["assessment"] = "PERFECT".into();
    agent.answers("answer-1", &wrong.to_string());
    review(&place).success();
    assert_document_reviewed_once(&place);
    let prompts = agent.heard(PROMPT);
    assert_eq!((agent.starts(), prompts.len()), (1, 2));
    assert_eq!(prompts[1]["params"]["sessionId"], prompts[0]["params"]["sessionId"]);
    let words = prompts[1]["params"]["prompt"][0]["text"].as_str().expect("text");
    assert!(
        words.contains("/assessment: value is not one of") && words.contains("APPROVE_WITH_CHANGES"),
        "{words}"
    );
    // The agent tells the cost of the whole session each time: it is counted once.
    assert!(
        journal(&place, &place.only_run()).contains(r#""output_tokens":14,"cost_usd":0.5,"launches":1}"#)
    );
}

#[test]
fn an_answer_that_stays_wrong_is_kept_and_changes_nothing() {
    let (place, agent) = with_agent("good");
    agent.answers("answer", "I had a look and it is fine.");
    review(&place).code(1).says("no JSON can be found").says("asked once to mend it").says("is kept in");
    assert_eq!(failure(&place), "agent-output-unreadable");
    assert_eq!(agent.heard(PROMPT).len(), 2);
    assert_nothing_written(&place);
}

#[test]
fn an_agent_that_ended_after_its_answer_takes_its_session_up_to_mend_it() {
    let (place, agent) = with_agent("exits-after");
    agent.answers("answer-1", "{}");
    agent.answers("answer", "{}");
    // Each process of this agent is prompted once, and says the same: what is mended stays wrong.
    review(&place).code(1).says("does not fit its schema");
    assert_eq!((agent.starts(), agent.heard("session/new").len()), (2, 1));
    let resumed = agent.heard("session/resume");
    assert_eq!(resumed[0]["params"]["sessionId"], "session-1");
    let prompts = agent.heard(PROMPT);
    assert_eq!(prompts.len(), 2, "each process was prompted once");
    let words = prompts[1]["params"]["prompt"][0]["text"].as_str().expect("text");
    assert!(words.starts_with("Your last answer can't be used"), "{words}");
    assert_nothing_written(&place);
}

#[test]
fn what_an_agent_says_beyond_its_answer_does_no_harm() {
    for behaviour in ["noisy", "floods", "not-utf8", "unknown-ids", "huge", "exits-after", "hangs-after"] {
        let (place, agent) = with_agent(behaviour);
        let output = review(&place);
        assert_eq!(output.code, 0, "{behaviour}: {}", output.stderr);
        assert_eq!((agent.starts(), agent.heard(PROMPT).len()), (1, 1), "{behaviour}");
        assert_document_reviewed_once(&place);
        assert!(!agent.is_alive(), "{behaviour}");
    }
}

#[test]
fn an_agent_that_fails_fails_its_stage_and_changes_nothing() {
    for (behaviour, code, words) in [
        ("dies-mid-line", "agent-interrupted", "exit code 3 before it answered session/prompt"),
        ("other-version", "agent-protocol-unsupported", "version 7 of the Agent Client Protocol"),
        ("over-quota", "agent-failed", "You have hit your usage limit"),
        ("refuses", "agent-refused", "refused to go on"),
        ("endless", "agent-output-too-large", "more than 4 MiB"),
        ("wants-login", "agent-login-required", "it offers: api-key"),
    ] {
        let (place, agent) = with_agent(behaviour);
        review(&place).code(1).says(words);
        assert_eq!(failure(&place), code, "{behaviour}");
        assert_eq!(agent.starts(), 1, "{behaviour}");
        assert_nothing_written(&place);
        wait_until("the agent is gone", || !agent.is_alive());
    }
}

#[test]
fn an_agent_that_falls_silent_is_asked_to_stop_and_then_stopped() {
    let (place, agent) = with_agent("stalls");
    agent.profile(&place, "idle_timeout: 3");
    review(&place).code(1).says("said nothing for 3 s after session/prompt").says("idle_timeout");
    assert_eq!(failure(&place), "agent-idle");
    assert_eq!(agent.heard("session/cancel")[0]["params"]["sessionId"], "session-1");
    wait_until("the agent is gone", || !agent.is_alive());
    let (place, agent) = with_agent("mute");
    agent.profile(&place, "idle_timeout: 3");
    review(&place).code(1).says("after initialize").says("speaks the Agent Client Protocol");
    assert_eq!(failure(&place), "agent-idle");
    assert_nothing_written(&place);
}

#[test]
fn an_agent_that_demands_a_login_gets_the_one_that_the_profile_names() {
    let (place, agent) = with_agent("wants-login");
    agent.profile(&place, "options: { auth_method: api-key }");
    review(&place).success();
    assert_eq!(agent.heard("authenticate")[0]["params"], json!({ "methodId": "api-key" }));
    let (place, agent) = with_agent("wants-login");
    agent.profile(&place, "options: { auth_method: sso }");
    review(&place).code(1).says("no login method 'sso'");
    assert_eq!(agent.heard("authenticate").len(), 0);
}

#[test]
fn an_agent_may_read_and_neither_write_nor_run() {
    let permitted = |options: &str| {
        let (place, agent) = with_agent("asks-much");
        agent.profile(&place, options);
        review(&place).success();
        let made =
            ["edit", "execute"].map(|kind| place.project().join(format!("permission-{kind}")).exists());
        // What docket does not offer is never given, whatever the profile says.
        assert_eq!(agent.lines("permissions")[3..], ["fs/write_text_file -32601", "terminal/create -32601"]);
        assert!(!place.project().join("written").exists());
        (agent.lines("permissions")[..3].join(", "), made, place)
    };
    let (answers, made, place) = permitted("env: []");
    assert_eq!((answers.as_str(), made), ("read once, edit no, execute no", [false, false]));
    let logs = place.run(&["workflow", "logs", &place.only_run()]).success();
    logs.prints("the agent asked for permission (execute): Do execute: rejected (permissions: read)");
    let (answers, made, _) = permitted("options: { permissions: reject }");
    assert_eq!((answers.as_str(), made), ("read no, edit no, execute no", [false, false]));
    let (answers, made, _) = permitted("options: { permissions: all }");
    assert_eq!((answers.as_str(), made), ("read once, edit once, execute once", [true, true]));
}

#[test]
fn a_profile_that_can_not_work_is_told_with_the_fix() {
    let (place, agent) = with_agent("good");
    agent.profile(&place, "options: { permisions: all }");
    review(&place).code(1).says("'mine'").says("permisions").says("`permissions`");
    agent.profile(&place, "options: { mode: plan }");
    review(&place).code(1).says("no mode 'plan'; it has: free, read-only");
    place.write_home(CONFIG, "profiles:\n  mine: { launcher: acp, agent: codex }\n");
    let refused = review(&place).code(1);
    refused.says("'codex-acp' is not on PATH").says("npm install -g @agentclientprotocol/codex-acp");
    start(&place, &["--launcher", "acp"]).code(1).says("no launcher profile").says("config.yml");
    assert_eq!(agent.heard(PROMPT).len(), 0);
    assert_nothing_written(&place);
}

#[test]
fn an_agent_that_outlived_docket_is_followed_and_not_prompted_again() {
    for ends_before in [false, true] {
        let (place, agent) = with_agent("patient");
        let mut owner = begin_review(&place);
        agent.wait_for(PROMPT);
        let run = place.only_run();
        kill(&mut owner);
        assert!(agent.is_alive(), "agents outlive docket");
        assert_eq!(status_of(&place, &run), "interrupted");
        if ends_before {
            agent.go();
            let stdout =
                place.run_folder(&run).join("results/review-architecture/attempt-1/process-1/stdout");
            let said = || std::fs::read_to_string(&stdout).unwrap_or_default();
            wait_until("the agent answered", || said().contains("end_turn"));
        }
        let resumed = place.spawn(&["workflow", "resume", &run]);
        wait_until("the run is owned again", || status_of(&place, &run) != "interrupted");
        agent.go();
        Output::of_child(resumed).success().prints("Review complete! 1 blockers, 2 major concerns\n");
        assert_eq!((agent.starts(), agent.heard(PROMPT).len()), (1, 1), "answered before: {ends_before}");
        assert_document_reviewed_once(&place);
        wait_until("the agent is gone", || !agent.is_alive());
    }
}

#[test]
fn a_cancelled_run_ends_its_agent() {
    let (place, agent) = with_agent("patient");
    let owner = begin_review(&place);
    agent.wait_for(PROMPT);
    let run = place.only_run();
    place.run(&["workflow", "cancel", &run]).success();
    let _ = Output::of_child(owner);
    assert_eq!(status_of(&place, &run), "cancelled");
    wait_until("the agent is gone", || !agent.is_alive());
    assert_nothing_written(&place);
}
