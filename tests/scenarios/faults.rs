//! Faults at named points: what docket does when the disk refuses, or one of its helpers dies, told one by one. The
//! crash harness does the same at random. Debug builds only: release builds have no fault points.

#![cfg(debug_assertions)]

use std::path::{Path, PathBuf};

use docket_tests::{Output, Place, finish, wait_until};
use serde_json::{Value, json};

use crate::support::{
    Agent, DOCUMENT, DOCUMENT_TEXT, assert_document_reviewed_once, assert_nothing_written,
    place_with_document, run_with, run_with_working_agent, start_arguments, status_of,
};

/// Starts the review of the document by the user's agent, with faults.
fn start_with(place: &Place, faults: &str) -> Output {
    run_with(place, &[("DOCKET_FAULTS", faults)], &start_arguments(&["--profile", "mine"]))
}

/// A fault log, so that of the processes that share it only one has a fault.
fn logged(place: &Place, faults: &str) -> String {
    format!("{faults},log:{}", place.home().join("fault-log").display())
}

#[test]
fn helpers_that_die_before_the_agent_started_are_replaced() {
    for fault in [
        "kill-before:supervisor.lock:1",
        "kill-after:supervisor.lock:1",
        "kill-before:launcher.spawn:1",
        "kill-before:launcher.started:1",
        "kill-after:launcher.started:1",
        "kill-before:launcher.claim:1",
    ] {
        let place = place_with_document();
        let agent = Agent::quick(&place);
        let output = start_with(&place, &logged(&place, fault));
        assert_eq!(output.code, 0, "{fault}: {}", output.stderr);
        assert_eq!(agent.launches(), 1, "{fault}");
        let log = std::fs::read_to_string(place.home().join("fault-log")).expect("a log");
        let kind = fault.split(':').next().expect("a kind");
        assert!(log.lines().any(|line| line.ends_with(kind)), "{fault} was not brought about:\n{log}");
        assert_document_reviewed_once(&place);
    }
}

#[test]
fn a_full_disk_is_waited_for_when_the_agents_end_is_to_be_recorded() {
    for fault in ["enospc:supervisor.exited:1", "eio:supervisor.exited:1", "enospc:launcher.started:1"] {
        let place = place_with_document();
        let agent = Agent::quick(&place);
        let output = start_with(&place, &logged(&place, fault));
        assert_eq!(output.code, 0, "{fault}: {}", output.stderr);
        assert_eq!(agent.launches(), 1, "{fault}");
    }
}

#[test]
fn a_record_that_the_disk_refuses_is_acted_upon_by_nobody() {
    for (fault, cause) in [
        ("enospc:journal.write:2", "No space left on device"),
        ("eio:journal.write:2", "Input/output error"),
        ("eio:journal.sync:2", "Input/output error"),
    ] {
        let place = place_with_document();
        let agent = Agent::quick(&place);
        // The second record says that the context is there and the agent's stage started.
        start_with(&place, fault).code(1).says("journal.jsonl").says(cause);
        assert_eq!(agent.launches(), 0, "{fault}");
        assert_nothing_written(&place);
        let run = place.only_run();
        assert_eq!(status_of(&place, &run), "interrupted", "{fault}");
        place.run(&["workflow", "resume", &run]).success();
        assert_eq!(agent.launches(), 1, "{fault}");
        assert_document_reviewed_once(&place);
    }
}

#[test]
fn a_file_that_the_disk_refuses_is_written_when_the_run_is_resumed() {
    for fault in ["enospc:apply.write:1", "eio:apply.sync:1", "enospc:apply.rename:2", "eio:apply.folder:1"] {
        let place = place_with_document();
        let agent = Agent::quick(&place);
        start_with(&place, fault).code(5).says("(os error");
        let run = place.only_run();
        place.run(&["workflow", "resume", &run]).success();
        assert_eq!(agent.launches(), 1, "{fault}");
        assert_document_reviewed_once(&place);
    }
}

#[test]
fn a_cancelled_run_leaves_no_half_written_file() {
    for fault in ["kill-before:apply.rename:2", "torn:apply.write:2"] {
        let place = place_with_document();
        Agent::quick(&place);
        let killed = start_with(&place, fault);
        assert_eq!(killed.code, -1, "{}", killed.stderr);
        let temporary = |place: &Place| {
            let folder = place.project().join(DOCUMENT).parent().expect("a folder").to_owned();
            let names = std::fs::read_dir(folder).expect("readable").flatten().map(|entry| entry.file_name());
            names.filter(|name| name.as_encoded_bytes().starts_with(b".wf-")).count()
        };
        assert_eq!(temporary(&place), 1, "{fault}: the case is set up");
        place.run(&["workflow", "cancel", &place.only_run()]).success();
        assert_eq!(temporary(&place), 0, "{fault}");
        assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
    }
}

#[test]
fn an_agent_at_work_keeps_its_prompt_when_the_document_changes() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    docket_tests::kill(&mut owner);
    place.write(DOCUMENT, DOCUMENT_TEXT.replace("How many entries", "How many of the entries"));
    let resumed = place.spawn(&["workflow", "resume", &run]);
    wait_until("the run is owned again", || status_of(&place, &run) == "running");
    agent.go();
    Output::of_child(resumed).success().prints("Review complete!");
    assert_eq!(agent.launches(), 1);
}

#[test]
fn an_agent_sees_nothing_of_the_faults() {
    let place = place_with_document();
    Agent::new(&place, "env > \"$1/environment\"\ncat \"$1/answer\"\n");
    start_with(&place, &logged(&place, "")).success();
    let seen = std::fs::read_to_string(place.home().join("agent/environment")).expect("it wrote them down");
    assert!(seen.contains("HOME=") && !seen.contains("DOCKET_FAULTS"), "{seen}");
}

#[test]
fn faults_that_are_none_are_refused_before_anything_happens() {
    let place = place_with_document();
    start_with(&place, "explode:journal.write:1").code(2).says("DOCKET_FAULTS").says("explode");
    assert_eq!(place.runs(), [""; 0]);
}

/// A process folder with a command, as a stage prepares it.
fn process_folder(place: &Place, program: &str, script: &str) -> PathBuf {
    let folder = place.home().join("process");
    std::fs::create_dir_all(&folder).expect("a folder");
    let command =
        json!({ "program": program, "arguments": ["-c", script], "folder": folder, "stdin_sha256": "" });
    std::fs::write(folder.join("command.json"), command.to_string()).expect("written");
    std::fs::write(folder.join("stdin"), "input").expect("written");
    folder
}

fn exited(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("exited.json")).expect("its end is recorded"))
        .expect("JSON")
}

#[test]
fn a_command_runs_once_however_often_it_is_supervised() {
    let place = Place::without_project(crate::DOCKET);
    let folder = process_folder(&place, "/bin/sh", "cat; echo ran >> ledger; exit 3");
    let shown = folder.display().to_string();
    let together: Vec<_> = (0..4).map(|_| place.spawn(&["__supervise", &shown])).collect();
    for supervisor in together {
        Output::of_child(supervisor).success();
    }
    place.run(&["__supervise", &shown]).success();
    assert_eq!(std::fs::read_to_string(folder.join("stdout")).expect("output"), "input");
    assert_eq!(std::fs::read_to_string(folder.join("ledger")).expect("a ledger"), "ran\n");
    assert_eq!(exited(&folder), json!({ "code": 3, "signal": null, "error": null }));
}

#[test]
fn a_command_that_can_not_be_started_says_why() {
    let place = Place::without_project(crate::DOCKET);
    let folder = process_folder(&place, "/nowhere/agent", "");
    place.run(&["__supervise", &folder.display().to_string()]).success();
    assert!(exited(&folder)["error"].as_str().is_some_and(|error| error.contains("No such file")));
    let words = std::fs::read_to_string(folder.join("stderr")).expect("what it said");
    assert!(words.contains("could not start /nowhere/agent"), "{words}");
}

#[test]
fn a_launcher_without_its_supervisor_starts_nothing() {
    let place = Place::without_project(crate::DOCKET);
    let folder = process_folder(&place, "/bin/sh", "echo ran >> ledger");
    let shown = folder.display().to_string();
    // This process is its parent, and says that another one is its supervisor.
    finish(&mut place.command(&["__launch", &shown, "1"])).success();
    finish(&mut place.command(&["__launch", &shown])).success();
    assert!(!folder.join("ledger").exists());
    // It took nothing that the next one needs.
    place.run(&["__supervise", &shown]).success();
    assert_eq!(std::fs::read_to_string(folder.join("ledger")).expect("a ledger"), "ran\n");
}

#[test]
fn a_workflow_inside_another_that_the_disk_stopped_is_gone_on_with_and_not_done_again() {
    let inner = "name: Inner\nversion: 1\nstages:\n  - name: edit\n    type: metadata\n    config:\n      \
                 file: docs/a.md\n      updates: [{ add_line: '**Seen:** in run {workflow_id}' }]\n";
    let outer = "name: Outer\nversion: 1\nstages:\n  - name: inner\n    uses: inner\n";
    let start = |place: &Place, faults: &str| {
        place.write("docs/a.md", "# A\n\n**Status:** Draft\n");
        place.write(".docket/workflows/definitions/inner.yml", inner);
        place.trusted_definition("outer", outer);
        run_with(place, &[("DOCKET_FAULTS", faults)], &["workflow", "start", "outer"])
    };
    let undisturbed = crate::place();
    start(&undisturbed, &logged(&undisturbed, "")).success();
    let log = std::fs::read_to_string(undisturbed.home().join("fault-log")).expect("a log");
    let lines = log.lines().filter(|line| line.ends_with("log.write reached")).count();
    assert!(lines > 5, "{log}");
    for line in 1..=lines {
        let place = crate::place();
        let output = start(&place, &format!("enospc:log.write:{line}"));
        assert_ne!(output.code, 0, "line {line}");
        let output = output.says("No space left on device");
        let list = place.run(&["workflow", "list", "--output", "json"]).success().json();
        let runs = list["runs"].as_array().expect("runs").clone();
        let outer = runs.iter().find(|run| run["definition"] == "outer").expect("it was started");
        let run = outer["id"].as_str().expect("an id");
        if status_of(&place, run) != "completed" {
            let resumed = place.run(&["workflow", "resume", run]);
            assert_eq!(resumed.code, 0, "line {line}: {}\n{}", output.stderr, resumed.stderr);
        }
        assert_eq!(status_of(&place, run), "completed", "line {line}");
        let edits = place.read("docs/a.md").matches("**Seen:**").count();
        assert_eq!(edits, 1, "line {line}: {}", place.read("docs/a.md"));
    }
}
