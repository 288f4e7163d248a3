//! `--detach`: the run goes on without the terminal it was started from, and stays within reach.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use docket_tests::{Output, Place, finish_or_kill, wait_until};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::crew::{Crew, START, agent, define, is_there};
use crate::place;
use crate::support::{
    Agent, answer, assert_document_reviewed_once, file, place_with_document, stage, start_arguments,
    status_of,
};

/// A run in the background whose agent works, and what was put out when it was started.
fn detached(place: &Place) -> (Agent, String, Output) {
    let agent = Agent::patient(place);
    let output = place.run_or_kill(&start_arguments(&["--profile", "mine", "--detach"])).success();
    agent.wait_for_launch();
    (agent, place.only_run(), output)
}

/// The process that owns a run, as it says itself.
fn owner(place: &Place, run: &str) -> i32 {
    let lock = std::fs::read_to_string(place.run_folder(run).join("lock")).expect("a lock");
    lock.trim().parse().expect("a process id")
}

/// Fields of `/proc/<pid>/stat` behind the program's name: state, parent, group, session, terminal…
fn stat(pid: i32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let (_, rest) = text.rsplit_once(')').expect("a name in parentheses");
    rest.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_id_comes_at_once_and_the_run_goes_on_in_a_session_of_its_own() {
    let place = place_with_document();
    let (agent, run, output) = detached(&place);
    assert_eq!(output.stdout, format!("{run}\n"));
    let _ = output.says(&format!("docket workflow logs {run} --follow"));
    assert!(agent.is_alive(), "nobody waited for the agent");
    assert_eq!(status_of(&place, &run), "running");
    let owner = owner(&place, &run);
    let fields = stat(owner);
    assert_eq!(
        (fields[2].as_str(), fields[3].as_str()),
        (owner.to_string().as_str(), owner.to_string().as_str())
    );
    assert_eq!(fields[4], "0", "it has no terminal");
    let follower = place.spawn(&["workflow", "logs", &run, "--follow"]);
    agent.go();
    let shown = Output::of_child(follower).success();
    let _ = shown.prints("review-architecture: completed by plugin").prints("run: completed");
    wait_until("the owner ends", || !is_there(owner));
    assert_eq!(status_of(&place, &run), "completed");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn the_death_of_everything_it_was_started_from_does_not_end_it() {
    let place = place_with_document();
    let agent = Agent::patient(&place);
    // A shell with a group of its own that stays after it started docket, as a terminal's would.
    let docket = place.command(&start_arguments(&["--profile", "mine", "--detach"]));
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg("\"$0\" \"$@\"; sleep 1000").arg(docket.get_program()).args(docket.get_args());
    shell.current_dir(place.project()).env_clear().process_group(0);
    shell.envs(docket.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = shell.spawn().expect("a shell");
    agent.wait_for_launch();
    let run = place.only_run();
    for signal in [Signal::HUP, Signal::INT, Signal::KILL] {
        kill_process_group(Pid::from_child(&shell), signal).expect("the group is there");
    }
    shell.wait().expect("it ends");
    assert_eq!(status_of(&place, &run), "running");
    agent.go();
    wait_until("the run is done", || status_of(&place, &run) == "completed");
    assert_eq!(agent.launches(), 1);
    assert_document_reviewed_once(&place);
}

#[test]
fn it_can_be_cancelled_and_its_agent_ends() {
    let place = place_with_document();
    let (agent, run, _) = detached(&place);
    let owner = owner(&place, &run);
    place.run(&["workflow", "cancel", &run]).success().prints("is cancelled");
    wait_until("the agent ends", || !agent.is_alive());
    wait_until("the owner ends", || !is_there(owner));
    assert_eq!(status_of(&place, &run), "cancelled");
}

#[test]
fn it_takes_answers_while_another_agent_works() {
    let place = place();
    let crew = Crew::patient(&place);
    let beside = json!({ "depends_on": [] });
    let mut person = agent("person", beside.clone());
    person["launcher"] = json!("manual");
    define(&place, json!({ "stages": [agent("work", beside), person] }));
    place.run_or_kill(&[&START[..], &["--detach"]].concat()).success();
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("the question is asked", || stage(&place, &run, "person")["status"] == "waiting");
    let path = file(&place, "answer.json", "{\"said\": 1}");
    place.run(&["workflow", "submit", &run, "--file", &path]).success().prints("has the answer");
    assert_eq!(stage(&place, &run, "person")["status"], "completed");
    crew.all_go();
    wait_until("the run is done", || status_of(&place, &run) == "completed");
}

#[test]
fn a_run_that_waits_for_a_person_leaves_no_process_behind() {
    let place = place_with_document();
    let output = place.run_or_kill(&start_arguments(&["--launcher", "manual", "--detach"])).success();
    let run = place.only_run();
    assert_eq!(output.stdout, format!("{run}\n"));
    wait_until("it waits", || status_of(&place, &run) == "waiting");
    let owner = owner(&place, &run);
    wait_until("the owner ends", || !is_there(owner));
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn programs_get_the_run_as_json() {
    for format in ["json", "jsonl"] {
        let place = place_with_document();
        let agent = Agent::patient(&place);
        let arguments = start_arguments(&["--profile", "mine", "--detach", "--output", format]);
        let output = place.run_or_kill(&arguments).success();
        let last = output.stdout.lines().last().expect("a line");
        let shown: Value =
            serde_json::from_str(if format == "json" { &output.stdout } else { last }).expect("JSON");
        assert_eq!(
            (shown["id"].as_str(), shown["status"].as_str()),
            (Some(place.only_run().as_str()), Some("running"))
        );
        agent.go();
        wait_until("the run is done", || status_of(&place, &place.only_run()) == "completed");
    }
}

#[test]
fn what_is_not_trusted_or_wrong_is_told_and_nothing_starts() {
    let place = place_with_document();
    place.write(
        ".docket/workflows/definitions/own.yml",
        "name: Own\nversion: 1\nstages: [{name: a, type: context}]\n",
    );
    let output = place.run_or_kill(&["workflow", "start", "own", "--detach"]).code(4).says("own.yml");
    assert_eq!(output.stdout, "");
    let output =
        place.run_or_kill(&["workflow", "start", "rfc-review", "--rfc-path", "docs/none.md", "--detach"]);
    assert_eq!(output.code(2).stdout, "");
    let output = place.run_or_kill(&start_arguments(&["--profile", "nobody", "--detach"]));
    assert_eq!(output.code(2).stdout, "");
    assert_eq!(place.runs(), [""; 0]);
}

#[test]
fn a_review_can_be_left_to_the_background_too() {
    let place = place_with_document();
    let arguments = ["review", "rfc-0007", "--launcher", "checklist", "--detach"];
    let output = finish_or_kill(&mut place.command(&arguments)).success();
    let run = place.only_run();
    assert_eq!(output.stdout, format!("{run}\n"));
    wait_until("the run is done", || status_of(&place, &run) == "completed");
    assert_document_reviewed_once(&place);
}
