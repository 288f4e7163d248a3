//! Pausing, resuming and cancelling from another terminal, and runs that somebody else owns.

use std::os::unix::process::ExitStatusExt as _;

use docket_tests::{Output, kill, wait_until};
use rustix::process::Signal;
use serde_json::json;

use crate::crew::{Crew, START, agent, define, is_there};
use crate::place;
use crate::support::{
    Agent, answer, assert_document_reviewed_once, assert_nothing_written, file, place_with_document,
    run_with, run_with_working_agent, signal, stage, status_of, waiting_run,
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
fn resuming_a_run_that_somebody_runs_names_them_and_changes_nothing() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    let records = || std::fs::read(place.run_folder(&run).join("journal.jsonl")).expect("a journal");
    let before = records();
    for _ in 0..2 {
        place
            .run(&["workflow", "resume", &run])
            .code(5)
            .says(&format!("process {}", owner.id()))
            .says(&format!("docket workflow logs {run} --follow"));
    }
    assert_eq!(records(), before);
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

#[test]
fn a_pause_waits_for_every_branch_that_runs_and_can_be_taken_back() {
    let place = place();
    let crew = Crew::patient(&place);
    let after = json!({ "depends_on": ["left", "right"] });
    let beside = json!({ "depends_on": [] });
    define(
        &place,
        json!({ "stages": [agent("left", beside.clone()), agent("right", beside), agent("last", after)] }),
    );
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let run = place.only_run();
    place.run(&["workflow", "pause", &run]).success();
    // Taken back, asked for again.
    place.run(&["workflow", "resume", &run]).success().prints("is running");
    assert_eq!(place.status(&run)["pause_requested"], false);
    place.run(&["workflow", "pause", &run]).success();
    crew.go("left");
    wait_until("one is done", || stage(&place, &run, "left")["status"] == "completed");
    assert_eq!(status_of(&place, &run), "running");
    assert!(crew.is_alive("right"));
    crew.go("right");
    Output::of_child(owner).code(3);
    assert_eq!(status_of(&place, &run), "paused");
    assert_eq!(stage(&place, &run, "right")["status"], "completed");
    crew.all_go();
    place.run_or_kill(&["workflow", "resume", &run]).success();
    assert_eq!(crew.launches().len(), 3);
}

#[test]
fn a_cancel_ends_the_whole_process_group_of_every_agent() {
    let place = place();
    // Each has a child and a grandchild that take no notice of being asked to end; so does the agent.
    let work = "trap '' TERM\n(trap '' TERM; sh -c 'echo $$ > \"$0\"; sleep 1000' \"$1/grandchild-$item\") &\nsleep 1000\n";
    let crew = Crew::new(&place, work);
    let beside = json!({ "depends_on": [] });
    define(&place, json!({ "stages": [agent("left", beside.clone()), agent("right", beside)] }));
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let grandchild = |of: &str| crew.read(&format!("grandchild-{of}")).trim().parse::<i32>().ok();
    wait_until("the grandchildren are there", || grandchild("left").and(grandchild("right")).is_some());
    let run = place.only_run();
    place.run(&["workflow", "cancel", &run]).success().prints("is cancelled");
    Output::of_child(owner).code(1);
    for of in ["left", "right"] {
        let grandchild = grandchild(of).expect("it said who it is");
        wait_until("the whole group ends", || !crew.is_alive(of) && !is_there(grandchild));
    }
    assert_eq!(status_of(&place, &run), "cancelled");
}

#[test]
fn wanting_out_twice_or_losing_the_terminal_leaves_a_run_that_can_be_resumed() {
    for signals in [&[Signal::INT, Signal::INT][..], &[Signal::TERM, Signal::INT], &[Signal::HUP]] {
        let place = place_with_document();
        let (agent, mut owner, run) = run_with_working_agent(&place);
        // Held, so that the second one comes before the first one was acted upon.
        signal(&owner, Signal::STOP);
        signals.iter().for_each(|wanted| signal(&owner, *wanted));
        signal(&owner, Signal::CONT);
        let status = owner.wait().expect("it ends");
        let hung_up = status.signal() == Some(Signal::HUP.as_raw());
        assert!(status.code() == Some(130) || (hung_up && signals.len() == 1), "{status}");
        assert_eq!(status_of(&place, &run), "interrupted");
        assert!(agent.is_alive());
        agent.go();
        place.run_or_kill(&["workflow", "resume", &run]).success();
        assert_eq!(agent.launches(), 1);
        assert_document_reviewed_once(&place);
    }
}

#[test]
fn of_two_that_resume_a_run_at_the_same_time_one_owns_it_and_the_other_says_who_does() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    kill(&mut owner);
    let mut both = [(); 2].map(|()| place.spawn(&["workflow", "resume", &run]));
    let mut second = None;
    wait_until("one gives way", || {
        second = both.iter_mut().position(|child| child.try_wait().expect("it can be asked").is_some());
        second.is_some()
    });
    let [one, other] = both;
    let (first, second) = if second == Some(0) { (other, one) } else { (one, other) };
    Output::of_child(second).code(5).says(&format!("process {}", first.id()));
    agent.go();
    Output::of_child(first).success().prints("Review complete!");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn runs_that_nobody_owns_are_paused_resumed_and_cancelled_all_the_same() {
    let place = place_with_document();
    let run = waiting_run(&place);
    place.run(&["workflow", "pause", &run]).success().prints("is paused");
    place.run(&["workflow", "pause", &run]).success().prints("is paused");
    place.run(&["workflow", "resume", &run]).code(3).says("docket workflow submit");
    assert_eq!(status_of(&place, &run), "waiting");
    place.run(&["workflow", "resume", &run]).code(3);
    place.run(&["workflow", "pause", &run]).success();
    place.run(&["workflow", "cancel", &run]).success().prints("is cancelled");
    place.run(&["workflow", "pause", &run]).code(2).says("is cancelled");
    for format in ["json", "jsonl"] {
        let done = place.run(&["workflow", "cancel", &run, "--output", format]).success().json();
        assert_eq!(done["done"], format!("{run} is cancelled"));
    }
    assert_nothing_written(&place);
}

/// Something that can write in the project, such as an agent, is not the user.
#[test]
fn a_request_that_is_not_the_users_is_dropped() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    let inbox = place.run_folder(&run).join("inbox");
    std::fs::create_dir_all(&inbox).expect("a folder");
    let cancel = r#"{"type":"cancel","by":{"user":"tester","process":1}}"#;
    let forged =
        [("1.1.request", cancel.to_owned()), ("2.1.request", format!("{}\n{cancel}", "0".repeat(64)))];
    for (name, text) in &forged {
        std::fs::write(inbox.join(name), text).expect("written");
    }
    wait_until("they are thrown away", || forged.iter().all(|(name, _)| !inbox.join(name).exists()));
    assert_eq!(status_of(&place, &run), "running");
    agent.go();
    Output::of_child(owner).success();
    assert_eq!(status_of(&place, &run), "completed");
}

/// The agent of a run that was cancelled by a docket that died over it must not work beside the next attempt's.
#[cfg(debug_assertions)]
#[test]
fn an_agent_that_outlived_its_cancellation_ends_before_the_next_attempt() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    docket_tests::kill(&mut owner);
    let faults = [("DOCKET_FAULTS", "kill-after:journal.sync:1")];
    let killed = run_with(&place, &faults, &["workflow", "cancel", &run]);
    assert_eq!((killed.code, status_of(&place, &run).as_str()), (-1, "cancelled"));
    assert!(agent.is_alive(), "nobody ended it");
    let first = agent.process();
    let again = place.spawn(&["workflow", "retry", &run]);
    wait_until("the next attempt's agent works", || agent.launches() == 2 && agent.process() != first);
    assert!(!crate::support::is_alive(&first), "two agents work at the same time");
    agent.go();
    Output::of_child(again).success();
}
