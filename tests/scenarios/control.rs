//! Pausing, resuming and cancelling from another terminal, and runs that somebody else owns.

use docket_tests::{Output, wait_until};

use crate::support::{
    Agent, answer, assert_document_reviewed_once, assert_nothing_written, file, place_with_document,
    run_with_working_agent, stage, status_of, waiting_run,
};

#[test]
fn a_pause_from_another_terminal_comes_after_the_stage_that_runs() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    place.run(&["workflow", "pause", &run]).success().prints("will pause after the current stage");
    assert_eq!(place.status(&run)["pause_requested"], true);
    place
        .run(&["workflow", "status", &run])
        .success()
        .prints("Status: Running")
        .prints("A pause was asked for");
    // Asking twice is asking once.
    place.run(&["workflow", "pause", &run]).success();
    agent.go();
    Output::of_child(owner).code(3).says("Paused").says(&format!("docket workflow resume {run}"));
    assert_eq!(status_of(&place, &run), "paused");
    assert_eq!(stage(&place, &run, "review-architecture")["status"], "completed");
    assert_nothing_written(&place);
    place
        .run(&["workflow", "resume", &run])
        .success()
        .prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn a_waiting_run_that_is_paused_takes_its_answer_and_goes_on_when_it_is_resumed() {
    let place = place_with_document();
    let run = waiting_run(&place);
    place.run(&["workflow", "pause", &run]).success().prints("paused");
    assert_eq!(status_of(&place, &run), "paused");
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).code(3);
    assert_eq!(status_of(&place, &run), "paused");
    assert_nothing_written(&place);
    place.run(&["workflow", "resume", &run]).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn a_cancel_from_another_terminal_ends_the_run_and_its_agent() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    place.run(&["workflow", "cancel", &run]).success().prints("cancelled");
    Output::of_child(owner).code(1).says(&format!("Workflow cancelled: {run}"));
    wait_until("the agent ends", || !agent.is_alive());
    assert_eq!(status_of(&place, &run), "cancelled");
    assert_eq!(stage(&place, &run, "update-status")["status"], "cancelled");
    assert_nothing_written(&place);
    // Nothing brings it back; cancelling it again is no mistake.
    place.run(&["workflow", "resume", &run]).code(2).says("is cancelled");
    place.run(&["workflow", "cancel", &run]).success();
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).code(2).says(&run);
    assert_nothing_written(&place);
}

#[test]
fn a_cancel_reaches_the_agent_of_a_run_whose_docket_died() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    docket_tests::kill(&mut owner);
    assert!(agent.is_alive());
    place.run(&["workflow", "cancel", &run]).success().prints("cancelled");
    wait_until("the agent ends", || !agent.is_alive());
    assert_eq!(status_of(&place, &run), "cancelled");
    assert_nothing_written(&place);
}

#[test]
fn resuming_a_run_that_somebody_runs_changes_nothing() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    place.run(&["workflow", "resume", &run]).success().prints("is running");
    place.run(&["workflow", "resume", &run]).success();
    assert_eq!(status_of(&place, &run), "running");
    agent.go();
    Output::of_child(owner).success();
    assert_eq!(agent.launches(), 1);
    assert_eq!(stage(&place, &run, "review-architecture")["attempt"], 1);
    let log = std::fs::read_to_string(place.run_folder(&run).join("logs.txt")).expect("a log");
    assert_eq!(log.matches("review-architecture: Starting").count(), 1, "{log}");
    assert_document_reviewed_once(&place);
}

#[test]
fn a_run_whose_owner_does_not_answer_is_left_alone_and_the_owner_named() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    crate::support::signal(&owner, rustix::process::Signal::STOP);
    place
        .run(&["workflow", "cancel", &run])
        .code(5)
        .says(&run)
        .says(&format!("process {}", owner.id()))
        .says("did not answer");
    crate::support::signal(&owner, rustix::process::Signal::CONT);
    agent.go();
    // What was asked and given up must not happen later.
    Output::of_child(owner).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn an_answer_reaches_the_owner_of_the_run() {
    let place = place_with_document();
    let agent = Agent::patient(&place);
    let definition = "name: Two\nversion: 1\nstages:\n  \
        - {name: mine, type: agent, depends_on: [], launcher: shell, config: {prompt_template: templates/ask.md}}\n  \
        - {name: yours, type: agent, depends_on: [], launcher: manual, config: {prompt_template: templates/ask.md}}\n";
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    place.trusted_definition("two", definition);
    let owner = place.spawn(&["workflow", "start", "two", "--profile", "mine"]);
    agent.wait_for_launch();
    let run = place.only_run();
    wait_until("the other stage waits", || stage(&place, &run, "yours")["status"] == "waiting");
    let first = file(&place, "first.json", "{\"said\": 1}");
    let submit = |path: &str| place.run(&["workflow", "submit", &run, "--file", path, "--stage", "yours"]);
    submit(&first).success().prints(&run);
    assert_eq!(stage(&place, &run, "yours")["status"], "completed");
    submit(&first).success();
    let other = file(&place, "other.json", "{\"said\": 2}");
    submit(&other).code(5).says("'yours'").says("different answer");
    agent.go();
    Output::of_child(owner).success();
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    assert_eq!(results["stages"]["yours"], serde_json::json!({ "said": 1 }));
}
