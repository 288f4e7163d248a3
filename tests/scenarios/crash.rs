//! docket is killed, or the user wants out: nothing is lost and nothing is done twice.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use docket_tests::{Output, Place, kill, wait_until};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    Agent, DOCUMENT, DOCUMENT_TEXT, assert_document_reviewed_once, assert_nothing_written,
    place_with_document, reviews, run_with_working_agent, signal, stage, start, start_arguments, status_of,
};

/// The stages of the review, in order.
const STAGES: [&str; 4] = ["gather-context", "review-architecture", "store-results", "update-status"];

/// Starts a review and kills docket as soon as it says that this stage started.
fn kill_in(place: &Place, stage: &str) -> String {
    let arguments = start_arguments(&["--launcher", "checklist", "--output", "jsonl"]);
    let mut child = place.command(&arguments).stdout(Stdio::piped()).spawn().expect("docket starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut events = lines.map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).expect("JSON"));
    let event = events.find(|event| event["event"] == "stage_started" && event["stage"] == stage);
    kill(&mut child);
    event.expect("the stage started")["run"].as_str().expect("a run").to_owned()
}

/// A place with a run that was killed in this stage. A docket that was done before it could be killed is let go.
fn killed_in(stage: &str) -> (Place, String) {
    for _ in 0..20 {
        let place = place_with_document();
        let run = kill_in(&place, stage);
        if status_of(&place, &run) != "completed" {
            return (place, run);
        }
    }
    panic!("{stage} can't be interrupted");
}

#[test]
fn a_run_that_was_killed_in_any_stage_finishes_with_the_same_result() {
    let reference = place_with_document();
    start(&reference, &["--launcher", "checklist"]).success();
    let wanted = reference.read(DOCUMENT);
    let review = |place: &Place| {
        let text = reviews(place).remove(0).1;
        text.lines().filter(|line| !line.starts_with("- **Run:**")).collect::<Vec<_>>().join("\n")
    };
    for name in STAGES {
        let (place, run) = killed_in(name);
        assert_eq!(status_of(&place, &run), "interrupted", "killed in {name}");
        place
            .run(&["workflow", "status", &run])
            .success()
            .prints("Status: Interrupted")
            .prints(&format!("docket workflow resume {run}"));
        place.run(&["workflow", "resume", &run]).success().prints("Review complete!");
        assert_eq!(status_of(&place, &run), "completed", "killed in {name}");
        assert_eq!(place.read(DOCUMENT), wanted, "killed in {name}");
        assert_eq!(review(&place), review(&reference), "killed in {name}");
        assert_document_reviewed_once(&place);
        assert_eq!(place.runs(), [run]);
    }
}

#[test]
fn a_run_killed_again_and_again_finishes_once() {
    let place = place_with_document();
    let run = kill_in(&place, STAGES[1]);
    for _ in 0..3 {
        let mut child = place.spawn(&["workflow", "resume", &run]);
        wait_until("somebody owns the run again", || {
            status_of(&place, &run) != "interrupted" || child.try_wait().expect("it can be asked").is_some()
        });
        kill(&mut child);
    }
    if status_of(&place, &run) != "completed" {
        place.run(&["workflow", "resume", &run]).success();
    }
    assert_document_reviewed_once(&place);
}

/// From every record on, with the files as they may have been at that moment: every one whose writing was not
/// recorded may have been written already, or not yet.
#[test]
fn from_every_record_of_its_journal_a_run_reaches_the_same_end() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let run = place.only_run();
    let journal_file = place.run_folder(&run).join("journal.jsonl");
    let journal = std::fs::read_to_string(&journal_file).expect("a journal");
    let lines: Vec<&str> = journal.lines().collect();
    let (name, review) = reviews(&place).remove(0);
    let review_path = format!("docs/rfcs/.reviews/{name}");
    let document = place.read(DOCUMENT);
    assert!(lines.len() >= 5, "{journal}");
    for count in 1..lines.len() {
        let kept = lines[..count].join("\n");
        for eager in [false, true] {
            let happened = |event: &str, stage: usize| {
                kept.contains(&format!("{{\"type\":\"{event}\",\"stage\":{stage}"))
            };
            let written =
                |stage| happened("changes_applied", stage) || (eager && happened("stage_completed", stage));
            std::fs::write(&journal_file, format!("{kept}\n")).expect("written");
            place.write(DOCUMENT, if written(5) { document.as_str() } else { DOCUMENT_TEXT });
            let _ = std::fs::remove_file(place.project().join(&review_path));
            if written(4) {
                place.write(&review_path, &review);
            }
            let what = format!("after record {count}, files written early: {eager}");
            assert_eq!(status_of(&place, &run), "interrupted", "{what}");
            let output = place.run(&["workflow", "resume", &run]);
            assert_eq!(output.code, 0, "{what}\n{}", output.stderr);
            assert_eq!(place.read(DOCUMENT), document, "{what}");
            assert_eq!(reviews(&place), [(name.clone(), review.clone())], "{what}");
            assert_eq!(status_of(&place, &run), "completed", "{what}");
        }
    }
}

#[test]
fn an_agent_that_outlived_docket_is_followed_and_not_launched_again() {
    let place = place_with_document();
    let (agent, mut child, run) = run_with_working_agent(&place);
    kill(&mut child);
    assert!(agent.is_alive(), "agents outlive docket");
    assert_eq!(status_of(&place, &run), "interrupted");
    assert_nothing_written(&place);
    let resumed = place.spawn(&["workflow", "resume", &run]);
    wait_until("the run is owned again", || status_of(&place, &run) == "running");
    agent.go();
    Output::of_child(resumed).success().prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn an_agent_that_finished_while_docket_was_dead_is_not_launched_again() {
    let place = place_with_document();
    let (agent, mut child, run) = run_with_working_agent(&place);
    kill(&mut child);
    agent.go();
    wait_until("the agent ended", || !agent.is_alive());
    place
        .run(&["workflow", "resume", &run])
        .success()
        .prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn wanting_out_leaves_a_run_that_can_be_resumed() {
    for wanted in [Signal::INT, Signal::TERM] {
        let place = place_with_document();
        let (agent, child, run) = run_with_working_agent(&place);
        signal(&child, wanted);
        Output::of_child(child)
            .code(130)
            .says("Nothing is lost")
            .says(&format!("docket workflow resume {run}"));
        assert_eq!(status_of(&place, &run), "interrupted");
        assert_nothing_written(&place);
        agent.go();
        place.run(&["workflow", "resume", &run]).success();
        assert_eq!(agent.launches(), 1);
        assert_document_reviewed_once(&place);
    }
}

#[test]
fn wanting_out_with_json_still_says_where_the_run_stands() {
    let place = place_with_document();
    let agent = Agent::patient(&place);
    let child = place.spawn(&start_arguments(&["--profile", "mine", "--output", "json"]));
    agent.wait_for_launch();
    let run = place.only_run();
    signal(&child, Signal::INT);
    let shown = Output::of_child(child).code(130).json();
    assert_eq!(shown["id"], run.as_str());
    place.run(&["workflow", "cancel", &run]).success();
    wait_until("the agent of a cancelled run ends", || !agent.is_alive());
}

#[test]
fn a_waiting_run_survives_anything_because_nothing_runs() {
    let place = place_with_document();
    let run = crate::support::waiting_run(&place);
    std::fs::remove_file(place.run_folder(&run).join("state.json")).expect("removed");
    std::fs::remove_file(place.run_folder(&run).join("lock")).expect("removed");
    assert_eq!(status_of(&place, &run), "waiting");
    place.run(&["workflow", "resume", &run]).code(3).says("docket workflow submit");
    assert_eq!(stage(&place, &run, "review-architecture")["attempt"], 1);
}
