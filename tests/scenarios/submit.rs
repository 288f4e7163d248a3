//! Agents that a person runs: the run stops, says how to answer, and takes exactly one answer.

use std::io::Write as _;
use std::process::Stdio;

use docket_tests::Output;

use crate::support::{
    answer, assert_document_reviewed_once, assert_nothing_written, file, place_with_document, reviews, stage,
    start, status_of, waiting_run,
};

#[test]
fn a_run_waits_for_its_answer_and_takes_it_once() {
    let place = place_with_document();
    let output = start(&place, &["--launcher", "manual"]).code(3);
    let run = place.only_run();
    let prompt = format!(".docket/workflows/state/{run}/results/review-architecture/prompt.md");
    let output = output.says(&prompt).says(&format!("docket workflow submit {run} --file result.json"));
    let _ = output.says("assessment: APPROVE | APPROVE_WITH_CHANGES | REQUEST_CHANGES | REJECT");
    let text = place.read(&prompt);
    assert!(text.contains("Memory grows without bounds") && text.contains("ADR-0002"), "{text}");
    assert_nothing_written(&place);

    place
        .run(&["workflow", "status", &run])
        .success()
        .prints("Status: Waiting")
        .prints(&prompt)
        .prints("submit");
    assert_eq!(stage(&place, &run, "review-architecture")["status"], "waiting");

    let right = file(&place, "right.json", answer().to_string());
    place
        .run(&["workflow", "submit", &run, "--file", &right])
        .success()
        .prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_document_reviewed_once(&place);
    assert!(reviews(&place)[0].1.contains("Finding B1"));
    let journal = std::fs::read(place.run_folder(&run).join("journal.jsonl")).expect("a journal");

    // Somebody who could not see whether the answer arrived may send it again.
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    let mut other = answer();
    other["summary"] = "Something else.".into();
    let other = file(&place, "other.json", other.to_string());
    place
        .run(&["workflow", "submit", &run, "--file", &other])
        .code(5)
        .says("'review-architecture'")
        .says("already has a different answer")
        .says(&format!("docket workflow results {run}"));
    assert_eq!(std::fs::read(place.run_folder(&run).join("journal.jsonl")).expect("a journal"), journal);
    assert_document_reviewed_once(&place);
}

#[test]
fn an_answer_that_can_not_be_one_is_refused_and_nothing_recorded() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let journal = || std::fs::read(place.run_folder(&run).join("journal.jsonl")).expect("a journal");
    let before = journal();
    let submit = |path: &str| place.run(&["workflow", "submit", &run, "--file", path]);

    let path = file(&place, "broken.json", "{\n  \"assessment\": APPROVE\n}\n");
    submit(&path)
        .code(2)
        .says(&path)
        .says("line 2")
        .says("\"assessment\": APPROVE")
        .says("nothing was recorded");

    let path = file(&place, "fenced.json", format!("```json\n{}\n```\n", answer()));
    submit(&path).code(2).says("without Markdown around it");

    let mut wrong = answer();
    wrong["assessment"] = "MAYBE".into();
    wrong["blockers"][0].as_object_mut().expect("an object").remove("title");
    let path = file(&place, "wrong.json", wrong.to_string());
    submit(&path)
        .code(2)
        .says("does not fit its schema")
        .says("'/assessment'")
        .says("\"APPROVE\"")
        .says("'/blockers/0'")
        .says("\"title\"")
        .says("nothing was recorded");

    submit("not-there.json").code(2).says("not-there.json").says("name a file with the answer");
    assert_eq!(journal(), before);
    assert_eq!(status_of(&place, &run), "waiting");
    assert_nothing_written(&place);
    submit(&file(&place, "right.json", answer().to_string())).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn an_answer_can_come_from_standard_input() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let mut command = place.command(&["workflow", "submit", &run, "--file", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("docket starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(answer().to_string().as_bytes()).expect("written");
    drop(input);
    Output::of_child(child).success().prints("1 blockers, 2 major concerns");
    assert_document_reviewed_once(&place);
}

#[test]
fn the_stage_can_be_named_and_a_wrong_name_is_answered_with_the_right_one() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let right = file(&place, "right.json", answer().to_string());
    let submit = |stage: &str| place.run(&["workflow", "submit", &run, "--file", &right, "--stage", stage]);
    submit("review-architectur")
        .code(2)
        .says("'review-architectur'")
        .says("did you mean 'review-architecture'?");
    submit("update-status").code(2).says("'update-status'").says("does not wait").says("pending");
    assert_nothing_written(&place);
    submit("review-architecture").success();
    assert_document_reviewed_once(&place);
}

#[test]
fn several_questions_are_told_apart_by_their_stages() {
    let place = place_with_document();
    let definition = "name: Two\nversion: 1\nstages:\n  \
        - {name: one, type: agent, depends_on: [], config: {prompt_template: templates/ask.md}}\n  \
        - {name: two, type: agent, depends_on: [], config: {prompt_template: templates/ask.md}}\n";
    place.write(".docket/workflows/templates/ask.md", "Say a number.\n");
    place.trusted_definition("two", definition);
    place.run(&["workflow", "start", "two"]).code(3);
    let run = place.only_run();
    let first = file(&place, "first.json", "1");
    place.run(&["workflow", "submit", &run, "--file", &first]).code(2).says("one, two").says("--stage");
    place.run(&["workflow", "submit", &run, "--file", &first, "--stage", "one"]).code(3);
    let second = file(&place, "second.json", "2");
    place.run(&["workflow", "submit", &run, "--file", &second]).success();
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    assert_eq!(results["stages"], serde_json::json!({ "one": 1, "two": 2 }));
}

#[test]
fn a_run_that_does_not_wait_takes_no_answer() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let run = place.only_run();
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).code(2).says(&run).says("waits for an answer");
    assert_document_reviewed_once(&place);
}
