//! Approvals and the processes around them: one that owns the run, one that died, several at once, none.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::Value;

use crate::approvals::{GATE, NOTE, TWO, approve, is_there, reject, waiting};
use crate::place;
use crate::support::{Agent, journal, stage, status_of};

/// One that asks beside an agent that works.
const BESIDE: &str = "\
name: Beside
version: 1
stages:
  - {name: work, type: agent, depends_on: [], config: {prompt_template: templates/ask.md}}
  - {name: ok, type: approval, depends_on: [], config: {prompt: Ship it?}}
  - {name: note, type: storage, depends_on: ok, config: {source: ok.result, destination: docs/note.json}}
";

/// A run whose agent works while a stage waits for approval, and the docket that owns it.
fn beside(place: &Place) -> (Agent, std::process::Child, String) {
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    let agent = Agent::patient(place);
    place.trusted_definition("d", BESIDE);
    let owner = place.spawn(&["workflow", "start", "d", "--profile", "mine"]);
    agent.wait_for_launch();
    let run = place.only_run();
    wait_until("the stage asks", || stage(place, &run, "ok")["status"] == "waiting");
    (agent, owner, run)
}

#[test]
fn an_approval_reaches_the_owner_while_another_branch_works() {
    let place = place();
    let (agent, owner, run) = beside(&place);
    approve(&place, &run, &["-m", "yes"]).success().prints(&format!("{run} has your approval and goes on"));
    assert_eq!(stage(&place, &run, "ok")["status"], "completed");
    approve(&place, &run, &["-m", "yes"]).success();
    approve(&place, &run, &["-m", "no"]).code(5).says("different answer");
    reject(&place, &run, &[]).code(5).says("was approved by tester");
    let missing = place.run(&["workflow", "approve", &run, "--stage", "okk", "--output", "json"]).code(2);
    let error: Value = serde_json::from_str(&missing.stderr).expect("JSON");
    assert_eq!(error["hint"], "did you mean 'ok'?");
    wait_until("the branch goes on", || is_there(&place, NOTE));
    assert_eq!(status_of(&place, &run), "running");
    agent.go();
    Output::of_child(owner).success();
    assert_eq!(agent.launches(), 1);
}

#[test]
fn a_rejection_while_another_branch_works_fails_the_run_when_that_is_over() {
    let place = place();
    let (agent, owner, run) = beside(&place);
    reject(&place, &run, &["-m", "no"]).success().prints(&format!("{run} has your rejection"));
    reject(&place, &run, &["-m", "no"]).success();
    approve(&place, &run, &[]).code(5).says("was rejected by tester");
    agent.go();
    Output::of_child(owner).code(1).says("rejected by tester: no");
    assert_eq!(stage(&place, &run, "work")["status"], "completed");
    assert!(!is_there(&place, NOTE));
}

#[test]
fn an_approval_of_a_run_whose_owner_died_continues_the_other_branch_too() {
    let place = place();
    let (agent, mut owner, run) = beside(&place);
    kill(&mut owner);
    assert_eq!(status_of(&place, &run), "interrupted");
    let approving = place.spawn(&["workflow", "approve", &run]);
    wait_until("the answer is recorded", || stage(&place, &run, "ok")["status"] == "completed");
    agent.go();
    Output::of_child(approving).success();
    assert_eq!(agent.launches(), 1);
    assert!(is_there(&place, NOTE));
    assert_eq!(status_of(&place, &run), "completed");
}

/// Approves and kills docket as soon as it says that something of this kind happened.
fn kill_while_approving(place: &Place, run: &str, event: &str) {
    let arguments = ["workflow", "approve", run, "--output", "jsonl"];
    let mut child = place.command(&arguments).stdout(Stdio::piped()).spawn().expect("docket starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut events = lines.map_while(Result::ok);
    let found = events.any(|line| line.contains(&format!("\"event\":\"{event}\"")));
    kill(&mut child);
    assert!(found, "no {event}");
}

#[test]
fn an_approval_that_was_killed_can_be_repeated() {
    for event in ["stage_completed", "stage_started"] {
        let (place, run) = waiting(GATE);
        kill_while_approving(&place, &run, event);
        // It was told, so it was recorded: the opposite comes too late.
        reject(&place, &run, &[]).code(5);
        approve(&place, &run, &[]).success();
        assert_eq!(status_of(&place, &run), "completed");
        let records = journal(&place, &run);
        assert_eq!(records.matches("\"answered_by\"").count(), 1, "{records}");
        assert!(is_there(&place, NOTE));
        place.run(&["workflow", "verify", &run]).success();
    }
}

/// From every record on that follows the question, with the note written or not.
#[test]
fn from_every_record_of_its_journal_an_approval_reaches_the_same_end() {
    let (place, run) = waiting(GATE);
    let asked = journal(&place, &run).lines().count();
    approve(&place, &run, &["-m", "yes"]).success();
    let records = journal(&place, &run);
    let note = place.read(NOTE);
    let lines: Vec<&str> = records.lines().collect();
    assert!(lines.len() > asked, "{records}");
    for count in asked..=lines.len() {
        for is_written in [true, false] {
            // Once it is recorded as written, a file that is gone was removed by somebody.
            let kept = lines[..count].join("\n");
            if !is_written && kept.contains("changes_applied") {
                continue;
            }
            // Before the answer nobody can have written it down.
            if is_written && kept.matches("stage_completed").count() < 2 {
                let _ = std::fs::remove_file(place.project().join(NOTE));
            } else if is_written {
                place.write(NOTE, &note);
            } else {
                let _ = std::fs::remove_file(place.project().join(NOTE));
            }
            std::fs::write(place.run_folder(&run).join("journal.jsonl"), format!("{kept}\n"))
                .expect("written");
            let what = format!("after record {count} of {}, written: {is_written}", lines.len());
            let output = approve(&place, &run, &["-m", "yes"]);
            assert_eq!(output.code, 0, "{what}\n{}", output.stderr);
            assert_eq!(status_of(&place, &run), "completed", "{what}");
            assert_eq!(place.read(NOTE), note, "{what}");
        }
    }
}

#[test]
fn a_run_that_waits_is_nothing_but_files() {
    let (place, run) = waiting(GATE);
    let folder = place.run_folder(&run);
    for name in ["state.json", "lock", "logs.txt"] {
        std::fs::remove_file(folder.join(name)).expect("removed");
    }
    std::fs::remove_file(place.project().join(".docket/workflows/definitions/d.yml")).expect("removed");
    place.run(&["workflow", "resume", &run]).code(3).says("Ship it?");
    approve(&place, &run, &[]).success();
    assert!(is_there(&place, NOTE));
}

#[test]
fn approvals_from_many_terminals_at_once_count_once_each() {
    let (place, run) = waiting(TWO);
    let sides = ["left", "right", "left", "right", "left"];
    let terminals = sides.map(|side| place.spawn(&["workflow", "approve", &run, "--stage", side]));
    for terminal in terminals {
        let output = Output::of_child(terminal);
        // Done, or waiting for the other one: whoever came first.
        assert!(matches!(output.code, 0 | 3), "{}: {}", output.code, output.stderr);
    }
    assert_eq!(status_of(&place, &run), "completed");
    assert_eq!(journal(&place, &run).matches("\"answered_by\"").count(), 2);
    assert!(is_there(&place, "docs/left.json") && is_there(&place, "docs/right.json"));
    place.run(&["workflow", "verify", &run]).success();
}

#[test]
fn of_opposite_decisions_at_once_one_counts_and_the_other_is_a_conflict() {
    let (place, run) = waiting(GATE);
    let terminals = ["approve", "reject"].map(|word| place.spawn(&["workflow", word, &run]));
    let [approved, rejected] = terminals.map(Output::of_child);
    let status = status_of(&place, &run);
    let (loser, other) = match status.as_str() {
        "completed" => (rejected, "was approved by tester"),
        "failed" => (approved, "was rejected by tester"),
        _ => panic!("{status}\n{}\n{}", approved.stderr, rejected.stderr),
    };
    let _ = loser.code(5).says(other);
    assert_eq!(is_there(&place, NOTE), status == "completed");
}
