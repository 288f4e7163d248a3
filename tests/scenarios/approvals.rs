//! Stages that ask for approval: a person approves or rejects, once, from any terminal, with or without an owner.

use docket_tests::{Output, Place};
use serde_json::{Value, json};

use crate::place;
use crate::support::{file, journal, stage, status_of};

/// A run that asks, and writes down what was answered.
pub(crate) const GATE: &str = "\
name: Gate
version: 1
stages:
  - {name: ok, type: approval, config: {prompt: Ship it?}}
  - {name: note, type: storage, config: {source: ok.result, destination: docs/note.json}}
";
/// Where it is written down.
pub(crate) const NOTE: &str = "docs/note.json";

/// The same with a form.
const FORM: &str = "\
name: Form
version: 1
stages:
  - name: ok
    type: approval
    config:
      prompt: Ship it?
      form: {type: object, required: [version], properties: {version: {type: integer, minimum: 1}}}
  - {name: note, type: storage, config: {source: ok.form, destination: docs/note.json}}
";

/// Two that ask side by side, each with something that follows.
pub(crate) const TWO: &str = "\
name: Two
version: 1
stages:
  - {name: left, type: approval, depends_on: [], config: {prompt: Left?}}
  - {name: right, type: approval, depends_on: [], config: {prompt: Right?}}
  - {name: left-note, type: storage, depends_on: left, config: {source: left.result, destination: docs/left.json}}
  - {name: right-note, type: storage, depends_on: right, config: {source: right.result, destination: docs/right.json}}
";

/// A run of this definition that waits.
pub(crate) fn waiting(definition: &str) -> (Place, String) {
    let place = place();
    place.trusted_definition("d", definition);
    place.run(&["workflow", "start", "d"]).code(3);
    let run = place.only_run();
    (place, run)
}

pub(crate) fn approve(place: &Place, run: &str, more: &[&str]) -> Output {
    place.run(&[&["workflow", "approve", run], more].concat())
}

pub(crate) fn reject(place: &Place, run: &str, more: &[&str]) -> Output {
    place.run(&[&["workflow", "reject", run], more].concat())
}

pub(crate) fn is_there(place: &Place, path: &str) -> bool {
    place.project().join(path).exists()
}

#[test]
fn an_approval_lets_the_run_go_on_once() {
    let place = place();
    place.trusted_definition("d", GATE);
    let asked = place.run(&["workflow", "start", "d"]).code(3).says("Ship it?");
    let run = place.only_run();
    let command = format!("docket workflow approve {run} --stage ok");
    let _ = asked.says(&command).says(&format!("docket workflow reject {run} --stage ok"));
    let status = place.run(&["workflow", "status", &run]).success();
    let _ = status.prints("Status: Waiting").prints("ok waits for an answer:\nShip it?").prints(&command);
    assert!(!is_there(&place, NOTE));

    approve(&place, &run, &["--comment", "looks good"]).success().says("approved by tester");
    let note: Value = serde_json::from_str(&place.read(NOTE)).expect("JSON");
    assert_eq!(note, json!({ "approved": true, "comment": "looks good", "by": "tester" }));
    assert_eq!(status_of(&place, &run), "completed");

    // Whoever could not see whether it arrived may say it again, but nobody may say something else.
    let before = journal(&place, &run);
    approve(&place, &run, &[]).success();
    approve(&place, &run, &["--stage", "ok", "-m", "looks good"]).success();
    approve(&place, &run, &["-m", "looks bad"]).code(5).says("'ok'").says("different answer");
    reject(&place, &run, &["-m", "no"]).code(5).says("'ok'").says("was approved by tester");
    assert_eq!(journal(&place, &run), before);
}

#[test]
fn a_rejection_fails_the_run_with_what_was_said() {
    let (place, run) = waiting(GATE);
    let rejected = reject(&place, &run, &["--comment", "the \u{1b}[31mtests\u{202e} fail"]).code(1);
    let _ = rejected.says("rejected by tester: the tests fail").says(&format!("docket workflow retry {run}"));
    let failure = stage(&place, &run, "ok")["failure"].clone();
    assert_eq!(failure["code"], "rejected");
    place.run(&["workflow", "status", &run]).success().prints("Status: Failed").prints("rejected by tester");
    assert!(!is_there(&place, NOTE));

    let before = journal(&place, &run);
    reject(&place, &run, &[]).code(1);
    approve(&place, &run, &[]).code(5).says("'ok'").says("was rejected by tester");
    assert_eq!(journal(&place, &run), before);
    assert_eq!(status_of(&place, &run), "failed");

    // Asking again is a new attempt, whose answer is free.
    place.run(&["workflow", "retry", &run]).code(3).says("Ship it?");
    assert_eq!(stage(&place, &run, "ok")["attempt"], 2);
    approve(&place, &run, &[]).success();
    assert!(is_there(&place, NOTE));
    place.run(&["workflow", "verify", &run]).success();
}

#[test]
fn a_form_must_be_filled_in_as_it_asks() {
    let (place, run) = waiting(FORM);
    place.run(&["workflow", "status", &run]).success().prints("--form form.json").prints("version");
    let before = journal(&place, &run);
    let zero = file(&place, "zero.json", "{\"version\": 0}");
    let broken = file(&place, "broken.json", "{\"version\": }");
    approve(&place, &run, &[]).code(2).says("'ok'").says("asks for a form").says("--form FILE");
    approve(&place, &run, &["--form", &zero]).code(2).says("'/form/version'").says("nothing was recorded");
    approve(&place, &run, &["--form", &broken]).code(2).says("is no JSON").says("line 1");
    approve(&place, &run, &["--form", "gone.json"]).code(2).says("gone.json");
    assert_eq!(journal(&place, &run), before);
    assert_eq!(status_of(&place, &run), "waiting");

    let one = file(&place, "one.json", "{\"version\": 1}");
    approve(&place, &run, &["--form", &one]).success();
    assert_eq!(serde_json::from_str::<Value>(&place.read(NOTE)).expect("JSON"), json!({ "version": 1 }));
    let two = file(&place, "two.json", "{\"version\": 2}");
    approve(&place, &run, &["--form", &one]).success();
    approve(&place, &run, &["--form", &two]).code(5).says("different answer");
}

#[test]
fn a_form_that_nobody_asked_for_is_refused() {
    let (place, run) = waiting(GATE);
    let form = file(&place, "form.json", "{\"version\": 1}");
    approve(&place, &run, &["--form", &form]).code(2).says("'ok'").says("asks for no form");
    assert_eq!(status_of(&place, &run), "waiting");
}

#[test]
fn a_stage_that_is_none_or_asks_for_something_else_is_told() {
    let place = place();
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    place.trusted_definition(
        "d",
        "name: D\nversion: 1\nstages:\n  \
         - {name: review, type: agent, launcher: manual, config: {prompt_template: templates/ask.md}}\n  \
         - {name: agree, type: approval, config: {prompt: Agree?}}\n",
    );
    place.run(&["workflow", "start", "d"]).code(3);
    let run = place.only_run();
    let before = journal(&place, &run);
    for command in ["approve", "reject"] {
        let ask = |more: &[&str]| place.run(&[&["workflow", command, &run], more].concat());
        ask(&["--stage", "agre"]).code(2).says("'agre'").says("did you mean 'agree'?");
        ask(&["--stage", "review"])
            .code(2)
            .says("'review'")
            .says("of type agent")
            .says(&format!("docket workflow submit {run}"));
        ask(&["--stage", "agree"]).code(2).says("'agree'").says("pending");
        ask(&[]).code(2).says("no stage").says("waits for approval").says("docket workflow status");
    }
    assert_eq!(journal(&place, &run), before);
    place.run(&["workflow", "approve", "wf-none00"]).code(2).says("wf-none00");
}

#[test]
fn two_that_ask_at_once_are_answered_one_by_one() {
    let (place, run) = waiting(TWO);
    let before = journal(&place, &run);
    approve(&place, &run, &[]).code(2).says("left, right").says("--stage");
    reject(&place, &run, &[]).code(2).says("left, right").says("--stage");
    assert_eq!(journal(&place, &run), before);

    let said = approve(&place, &run, &["--stage", "right"]).code(3).says("Left?");
    assert!(!said.stderr.contains("Right?"), "{}", said.stderr);
    assert!(is_there(&place, "docs/right.json") && !is_there(&place, "docs/left.json"));
    assert_eq!(stage(&place, &run, "left")["status"], "waiting");
    assert_eq!(stage(&place, &run, "left-note")["status"], "pending");
    assert_eq!(stage(&place, &run, "right-note")["status"], "completed");
    // The first one again, by its name, is no answer to the other.
    approve(&place, &run, &["--stage", "right"]).code(3);
    assert_eq!(stage(&place, &run, "left")["status"], "waiting");
    approve(&place, &run, &["--stage", "left"]).success();
    assert!(is_there(&place, "docs/left.json"));
}

#[test]
fn rejecting_one_of_two_ends_the_other_question() {
    let (place, run) = waiting(TWO);
    reject(&place, &run, &["--stage", "left", "-m", "no"]).code(1).says("rejected by tester: no");
    assert_eq!(stage(&place, &run, "right")["status"], "cancelled");
    approve(&place, &run, &["--stage", "right"]).code(2).says("'right'").says("cancelled");
    assert!(!is_there(&place, "docs/right.json"));
}

#[test]
fn a_run_that_is_over_takes_no_approval() {
    let (place, run) = waiting(GATE);
    place.run(&["workflow", "cancel", &run]).success();
    approve(&place, &run, &[])
        .code(2)
        .says(&run)
        .says("is cancelled")
        .says(&format!("docket workflow retry {run}"));
    reject(&place, &run, &["--stage", "ok"]).code(2).says("'ok'").says("cancelled");
    place.run(&["workflow", "prune", "--older-than", "0s", "--yes"]).success();
    approve(&place, &run, &[]).code(2).says(&run).says("pruned");
    assert!(!is_there(&place, NOTE));
}

#[test]
fn a_paused_run_takes_an_approval_and_goes_on_when_it_is_resumed() {
    let (place, run) = waiting(GATE);
    place.run(&["workflow", "pause", &run]).success();
    approve(&place, &run, &[]).code(3).says(&format!("docket workflow resume {run}"));
    assert_eq!(status_of(&place, &run), "paused");
    assert!(!is_there(&place, NOTE));
    place.run(&["workflow", "resume", &run]).success();
    assert!(is_there(&place, NOTE));
}

#[test]
fn programs_get_questions_and_decisions_as_json() {
    let place = place();
    place.trusted_definition("d", GATE);
    let waiting = place.run(&["workflow", "start", "d", "--output", "json"]).code(3).json();
    let run = waiting["id"].as_str().expect("an id");
    assert_eq!(waiting["status"], "waiting");
    let prompt = waiting["stages"][0]["question"]["prompt"].as_str().expect("a prompt");
    assert!(prompt.starts_with("Ship it?\n"), "{prompt}");
    let output = approve(&place, run, &["--output", "jsonl"]).success();
    let lines: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| line["event"] == "stage_completed" && line["stage"] == "ok"));
    let after = approve(&place, run, &["--output", "json"]).success().json();
    assert_eq!((&after["id"], &after["status"]), (&json!(run), &json!("completed")));
    let conflict = reject(&place, run, &["--output", "json"]).code(5);
    let error: Value = serde_json::from_str(&conflict.stderr).expect("JSON");
    assert_eq!(error["exit_code"], 5);
    place.run(&["workflow", "show", run, "--timeline"]).success().prints("answered by tester");
}
