//! Trying again by itself: how often, after what, how long in between, and what pauses, kills and cancels do to it.

use docket_core::Timestamp;
use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::crew::{Crew, START, WAIT, agent, define};
use crate::place;
use crate::sandbox::guest_place;
use crate::support::{Agent, CONFIG, answer, place_with_document, stage, status_of};

/// Fails until it was launched this often, with the number of the launch as its last words.
fn works_at(launch: usize) -> String {
    format!("n=$(wc -l < \"$1/ledger\")\nif [ $n -lt {launch} ]; then echo \"no luck $n\" >&2; exit 7; fi\n")
}

/// A stage with an agent that is tried again.
fn tried(retry: Value) -> Value {
    json!({ "stages": [agent("work", json!({ "retry": retry }))] })
}

fn at_once(attempts: u32) -> Value {
    json!({ "max_attempts": attempts, "backoff": 0 })
}

fn read(place: &Place, run: &str, path: &str) -> String {
    let path = place.run_folder(run).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// When the stage is tried again, and how long after it failed, in seconds.
#[track_caller]
fn retry_at(place: &Place, run: &str, name: &str) -> Option<(Timestamp, f64)> {
    let stage = stage(place, run, name);
    let time = |field: &str| stage[field].as_str().map(|text| text.parse::<Timestamp>().expect("a time"));
    let (at, ended) = (time("retry_at")?, time("ended_at")?);
    Some((at, at.duration_since(ended).as_secs_f64()))
}

/// The stage that is tried again.
const STAGE: &str = "work";

/// Where a run keeps a file of the stage that is tried again.
fn kept_as(name: &str) -> String {
    format!("results/{STAGE}/{name}")
}

#[test]
fn an_agent_that_fails_twice_is_launched_three_times_and_every_attempt_is_kept() {
    let place = place();
    let crew = Crew::new(&place, &works_at(3));
    define(&place, tried(at_once(5)));
    let output = place.run_or_kill(&START).success();
    let output = output.says("no luck 1").says("no luck 2").says("work is tried again at once");
    let _ = output.says("work (attempt 3)");
    assert_eq!(crew.launches().len(), 3);
    let run = place.only_run();
    assert_eq!(stage(&place, &run, "work")["attempt"], 3);
    assert_eq!(stage(&place, &run, "work")["failure"], Value::Null);
    for attempt in [1, 2] {
        let said = kept_as(&format!("attempt-{attempt}/process-1/stderr"));
        assert_eq!(read(&place, &run, &said), format!("no luck {attempt}\n"));
    }
    assert_eq!(read(&place, &run, &kept_as("attempt-3/process-1/stdout")), "{\"said\":\"work\"}\n");
    place.run(&["workflow", "status", &run]).success().prints("), attempt 3\n");
    let timeline = place.run(&["workflow", "show", &run, "--timeline"]).success();
    let _ = timeline.prints("work (attempt 1): failed").prints("work (attempt 3): completed");
    place.run(&["workflow", "logs", &run]).success().prints("[agent-failed]; it is tried again at");
    place.run(&["workflow", "verify", &run]).success();
}

#[test]
fn after_the_last_attempt_the_stage_fails_with_its_last_reason() {
    let place = place();
    let crew = Crew::new(&place, &works_at(9));
    define(&place, tried(at_once(2)));
    place.run_or_kill(&START).code(1).says("no luck 2");
    assert_eq!(crew.launches().len(), 2);
    let run = place.only_run();
    let stage = stage(&place, &run, "work");
    assert_eq!((&stage["status"], &stage["attempt"]), (&json!("failed"), &json!(2)));
    assert_eq!(stage["failure"]["code"], "agent-failed");
    assert!(stage["failure"]["message"].as_str().is_some_and(|text| text.contains("no luck 2")), "{stage}");
    let run_failure = place.status(&run)["failure"]["message"].clone();
    assert!(run_failure.as_str().is_some_and(|text| text.contains("no luck 2")), "{run_failure}");
}

#[test]
fn a_result_that_does_not_fit_is_asked_for_again_and_kept() {
    let place = place_with_document();
    let script = "cat > /dev/null\necho ran >> \"$1/ledger\"\n\
                  if [ $(wc -l < \"$1/ledger\") -eq 1 ]; then echo '{\"assessment\": \"PERFECT\"}'; else cat \"$1/answer\"; fi\n";
    let agent = Agent::new(&place, script);
    // Not mended within the attempt: that would be the second launch.
    place.write_home(CONFIG, agent.profile().replace(" }", ", repairs: 0 }"));
    place.write(".docket/workflows/templates/ask.md", "Review it.\n");
    let stage_ = json!({ "name": "work", "type": "agent", "retry": at_once(2),
        "config": { "prompt_template": "templates/ask.md" }, "outputs": { "review": { "schema": "review-results" } } });
    define(&place, json!({ "stages": [stage_] }));
    place.run_or_kill(&START).success().says("does not fit its schema");
    assert_eq!(agent.launches(), 2);
    let run = place.only_run();
    let kept = |path: &str| serde_json::from_str::<Value>(&read(&place, &run, path)).expect("JSON");
    assert_eq!(kept(&kept_as("attempt-1/answer-1.txt")), json!({ "assessment": "PERFECT" }));
    assert_eq!(kept(&kept_as("result.json")), answer());
    assert!(!place.run_folder(&run).join(kept_as("rejected.json")).exists());
}

#[test]
fn what_trying_again_can_not_mend_is_not_tried_again() {
    let place = guest_place();
    let refused = json!({ "name": "work", "type": "test", "retry": at_once(3),
                          "config": { "act": "write", "path": "elsewhere/x.md", "content": "x" } });
    let unknown = json!({ "name": "work", "type": "test", "retry": at_once(3),
                          "config": { "act": "echo", "word": "${{ [1][7] }}" } });
    let program = agent("work", json!({ "retry": at_once(3) }));
    Crew::new(&place, "");
    let mine = "{ launcher: shell, agent: generic, command: ";
    let profiles = format!("profiles:\n  mine: {mine}[no-such-agent] }}\n  none: {{ launcher: shell }}\n");
    place.write_home(CONFIG, profiles);
    for (work, profile, code) in [
        (refused, "mine", "not-granted"),
        (unknown, "mine", "expression-failed"),
        (program.clone(), "mine", "command-not-found"),
        (program, "none", "no-command"),
    ] {
        define(&place, json!({ "stages": [work] }));
        let output = place.run_or_kill(&["workflow", "start", "crew", "--profile", profile]).code(1);
        assert!(!output.stderr.contains("tried again"), "{}", output.stderr);
        let stage = stage(&place, &crate::sandbox::run_of(&output), "work");
        assert_eq!((&stage["failure"]["code"], &stage["attempt"]), (&json!(code), &json!(1)), "{stage}");
    }
}

#[test]
fn an_agent_that_hangs_is_stopped_and_tried_again() {
    let place = place();
    let work =
        "if [ $(wc -l < \"$1/ledger\") -eq 1 ]; then cp \"$1/started-$item\" \"$1/first\"; sleep 1000; fi\n";
    let crew = Crew::new(&place, work);
    define(&place, json!({ "stages": [agent("work", json!({ "retry": at_once(2), "timeout": 1 }))] }));
    place.run_or_kill(&START).success().says("took longer than 1 s").says("tried again");
    assert_eq!(crew.launches().len(), 2);
    let first = crew.read("first").trim().parse().expect("a process id");
    assert!(!crate::crew::is_there(first), "the one that hung is gone");
}

#[test]
fn a_rejected_approval_is_not_asked_for_again() {
    let place = place();
    let approval =
        json!({ "name": "ok", "type": "approval", "retry": at_once(3), "config": { "prompt": "Fine?" } });
    define(&place, json!({ "stages": [approval] }));
    place.run(&["workflow", "start", "crew"]).code(3);
    let run = place.only_run();
    place.run(&["workflow", "reject", &run, "--comment", "not yet"]).code(1).says("not yet");
    let stage = stage(&place, &run, "ok");
    assert_eq!((&stage["status"], &stage["attempt"]), (&json!("failed"), &json!(1)));
}

#[test]
fn a_sub_workflow_that_fails_is_run_again_as_another_run() {
    let place = place();
    let crew = Crew::new(&place, &works_at(2));
    place.write(
        ".docket/workflows/definitions/inner.yml",
        json!({ "name": "Inner", "version": 1, "stages": [agent("work", json!({}))] }).to_string(),
    );
    define(&place, json!({ "stages": [{ "name": "outer", "uses": "inner", "retry": at_once(3) }] }));
    place.run_or_kill(&START).success();
    assert_eq!(crew.launches().len(), 2);
    assert_eq!(place.runs().len(), 3, "the outer run and one for each attempt");
}

/// A run whose agent failed once and is tried again in half an hour at the earliest, and the docket that waits for it.
fn in_backoff(place: &Place) -> (Crew, std::process::Child, String) {
    let crew = Crew::new(place, &works_at(2));
    define(place, tried(json!({ "max_attempts": 3, "backoff": "1h", "max_backoff": "2h" })));
    let owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("the agent failed", || retry_at(place, &run, "work").is_some());
    (crew, owner, run)
}

#[test]
fn the_time_of_the_next_attempt_is_recorded_and_shown() {
    let place = place();
    let (crew, owner, run) = in_backoff(&place);
    let (_, seconds) = retry_at(&place, &run, "work").expect("a time");
    // Up to half of the backoff is left to chance.
    assert!((1800.0..=3600.0).contains(&seconds), "{seconds}");
    assert_eq!(status_of(&place, &run), "running");
    let status = || place.run(&["workflow", "status", &run]).success();
    // What was used is told as soon as the owner has written it down.
    wait_until("what was used is told", || {
        status().stdout.contains("work (pending, unpriced), tried again in ")
    });
    let _ = status().prints("no luck 1");
    place.run(&["workflow", "cancel", &run]).success();
    Output::of_child(owner).code(1).says("work is tried again in ");
    assert_eq!(
        (stage(&place, &run, "work")["status"].clone(), crew.launches().len()),
        (json!("cancelled"), 1)
    );
    assert_eq!(stage(&place, &run, "work")["retry_at"], Value::Null);
}

#[test]
fn pausing_resuming_and_dying_in_between_neither_shorten_nor_forget_the_wait() {
    let place = place();
    let (crew, owner, run) = in_backoff(&place);
    let time = retry_at(&place, &run, "work");
    place.run(&["workflow", "pause", &run]).success();
    Output::of_child(owner).code(3).says("Paused");
    assert_eq!(status_of(&place, &run), "paused");
    let resumed = |place: &Place| {
        let owner = place.spawn(&["workflow", "resume", &run]);
        wait_until("it is run again", || status_of(place, &run) == "running");
        owner
    };
    let mut owner = resumed(&place);
    kill(&mut owner);
    assert_eq!(status_of(&place, &run), "interrupted");
    place.run(&["workflow", "status", &run]).success().prints("tried again when the run is resumed");
    let owner = resumed(&place);
    assert_eq!(retry_at(&place, &run, "work"), time);
    crate::support::signal(&owner, rustix::process::Signal::INT);
    Output::of_child(owner).code(130).says(&format!("docket workflow resume {run}"));
    assert_eq!(crew.launches().len(), 1);
    // Whoever does not want to wait asks for it.
    place.run_or_kill(&["workflow", "retry", &run, "--from", "work"]).success();
    assert_eq!(crew.launches().len(), 2);
}

#[test]
fn a_wait_that_passed_while_docket_was_dead_is_over() {
    let place = place();
    // Whether the kill comes before or after the second launch, there are two.
    let crew = Crew::new(&place, &format!("{}{WAIT}", works_at(2)));
    define(&place, tried(json!({ "max_attempts": 2, "backoff": "1s" })));
    let mut owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("the agent failed", || {
        stage(&place, &run, "work")["failure"] != Value::Null || crew.launches().len() > 1
    });
    kill(&mut owner);
    let passed = || retry_at(&place, &run, "work").is_none_or(|(at, _)| at < Timestamp::now());
    wait_until("the time has passed", passed);
    crew.all_go();
    place.run_or_kill(&["workflow", "resume", &run]).success();
    assert_eq!(crew.launches().len(), 2);
    assert_eq!(stage(&place, &run, "work")["attempt"], 2);
}

#[test]
fn an_attempt_whose_time_has_come_waits_for_a_place() {
    let place = place();
    let work =
        "n=$(grep -c \"^$item$\" \"$1/ledger\")\nif [ $item = many.a ] && [ $n -eq 1 ]; then exit 7; fi\n";
    let crew = Crew::new(&place, &format!("{work}{WAIT}"));
    let many = agent(
        "many",
        json!({ "matrix": { "word": ["a", "b"] }, "retry": { "max_attempts": 2, "backoff": "1s" } }),
    );
    define(&place, json!({ "max_parallel": 1, "stages": [many] }));
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let run = place.only_run();
    wait_until("the time has come", || {
        retry_at(&place, &run, "many.a").is_none_or(|(at, _)| at < Timestamp::now())
    });
    crew.all_go();
    Output::of_child(owner).success();
    assert_eq!(crew.launches(), ["many.a", "many.b", "many.a"]);
    let attempts = ["many.a", "many.b"].map(|name| stage(&place, &run, name)["attempt"].clone());
    assert_eq!(attempts, [json!(2), json!(1)], "each item has attempts of its own");
}

#[test]
fn a_run_that_fails_elsewhere_does_not_wait_for_another_attempt() {
    let place = place();
    let work = "case $item in flaky|broken) exit 7;; esac\n";
    let crew = Crew::new(&place, &format!("{work}{WAIT}"));
    let beside = json!({ "depends_on": [] });
    let flaky = agent("flaky", json!({ "depends_on": [], "retry": { "max_attempts": 9, "backoff": 0 } }));
    define(&place, json!({ "stages": [agent("slow", beside.clone()), agent("broken", beside), flaky] }));
    let owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("it is about to fail", || stage(&place, &run, "broken")["status"] == "failed");
    assert_eq!(status_of(&place, &run), "running", "what still works is waited for");
    crew.go("slow");
    Output::of_child(owner).code(1).says("stage 'broken' failed");
    assert_eq!(stage(&place, &run, "slow")["status"], "completed");
}
