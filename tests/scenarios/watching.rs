//! Watching a run while it goes on: what its stages are doing, its log as it grows, and what its agents printed.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::crew::{Crew, START};
use crate::formats::assert_fits;
use crate::metered::{agent, allow, define_with, metered, step, wait_for};
use crate::support::{run_with, stage, status_of};

/// A run with two agents side by side, one of them in a sub-workflow, that have said what they are doing.
fn at_work() -> (Place, Crew, std::process::Child, String) {
    let (place, crew) = metered(&[step("Reading ADR-0003", 0.25), wait_for("permit")].concat());
    let child = json!({ "name": "Child", "version": 1, "stages": [agent("x", json!({}))] });
    place.write(".docket/workflows/definitions/child.yml", child.to_string());
    let matrix = json!({ "matrix": { "word": ["a"] }, "depends_on": [] });
    define_with(
        &place,
        &Value::Null,
        json!([agent("many", matrix), { "name": "sub", "uses": "child", "depends_on": [] }]),
    );
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let parent = place.runs().into_iter().find(|run| run.len() == 9).expect("the parent's id is short");
    wait_until("both have told", || place.status(&parent)["usage"]["cost_usd"] == 0.5);
    (place, crew, owner, parent)
}

#[test]
fn a_running_run_shows_what_its_stages_are_doing_and_have_used() {
    let (place, _, owner, parent) = at_work();
    let status = place.status(&parent);
    assert_fits(&place, "run", &status);
    let item = stage(&place, &parent, "many.a");
    assert_eq!(item["activity"]["text"], "Reading ADR-0003");
    assert_eq!(
        item["usage"],
        json!({ "input_tokens": 1000, "output_tokens": 50, "cost_usd": 0.25, "launches": 1 })
    );
    let sub = stage(&place, &parent, "sub");
    assert_eq!(
        (&sub["activity"]["text"], &sub["usage"]["cost_usd"]),
        (&"x: Reading ADR-0003".into(), &0.25.into())
    );
    let shown = place.run(&["workflow", "status", &parent]).success();
    let shown = shown
        .prints("\nLast activities:\n  sub: x: Reading ADR-0003 (")
        .prints("  many.a: Reading ADR-0003 (");
    let _ = shown
        .prints("s ago)")
        .prints("1.0k tokens, $0.25")
        .prints("Usage: 2000 input tokens, 100 output tokens, $0.50, 2 launches\n");
    // The run of the sub-workflow can be looked at by itself.
    let child = sub["child"].as_str().expect("a run").to_owned();
    place
        .run(&["workflow", "status", &child])
        .success()
        .prints("\nLast activity: Reading ADR-0003 (")
        .prints("s ago)\n");
    allow(&place, "permit");
    // Not at a terminal, what they say is a line each.
    let output = Output::of_child(owner).success();
    let _ = output.says("   many.a: Reading ADR-0003\n").says("1.0k tokens, $0.25)");
    assert!(stage(&place, &parent, "many.a").get("activity").is_none());
    place.run(&["workflow", "verify", &parent]).success();
}

#[test]
fn a_log_is_followed_to_the_end_of_the_run_whoever_runs_it() {
    let (place, _, mut owner, parent) = at_work();
    let follow = |more: &[&str]| place.spawn(&[&["workflow", "logs", &parent, "--follow"], more].concat());
    let (people, programs, one) =
        (follow(&[]), follow(&["--output", "jsonl"]), follow(&["--stage", "many.a"]));
    kill(&mut owner);
    assert_eq!(status_of(&place, &parent), "interrupted");
    let owner = place.spawn(&["workflow", "resume", &parent]);
    allow(&place, "permit");
    Output::of_child(owner).success();
    let whole = place.run(&["workflow", "logs", &parent]).success().stdout;
    let people = Output::of_child(people).success();
    assert_eq!(people.stdout, whole);
    let _ = people.prints("resumed by tester").prints("run: completed");
    let programs = Output::of_child(programs).success();
    let lines: Vec<Value> =
        programs.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), whole.lines().count());
    assert!(
        lines.iter().any(|line| line["stage"] == "many.a" && line["text"] == "Reading ADR-0003"),
        "{lines:?}"
    );
    let one = Output::of_child(one).success();
    assert!(
        one.stdout.lines().count() > 1 && one.stdout.lines().all(|line| line.contains(" many.a: ")),
        "{}",
        one.stdout
    );
    let wrong = ["workflow", "logs", &parent, "--stage", "many.b"];
    place.run(&wrong).code(2).says("did you mean 'many.a'?");
}

#[test]
fn a_log_is_followed_no_longer_when_nobody_reads_it_or_it_is_interrupted() {
    let (place, _, owner, parent) = at_work();
    let mut unread = place.spawn(&["workflow", "logs", &parent, "--follow"]);
    let interrupted = place.spawn(&["workflow", "logs", &parent, "--follow"]);
    drop(unread.stdout.take());
    wait_until("it noticed that nobody reads", || {
        // It notices when there is something to say.
        run_with(&place, &[], &["workflow", "pause", &parent]).success();
        run_with(&place, &[], &["workflow", "resume", &parent]).success();
        unread.try_wait().expect("a child").is_some()
    });
    crate::support::signal(&interrupted, rustix::process::Signal::INT);
    Output::of_child(interrupted).code(130);
    allow(&place, "permit");
    Output::of_child(owner).success();
}

#[test]
fn what_an_agent_printed_is_shown_when_its_stage_is_over() {
    let work = "printf 'red \\033[31malert\\033[0m\\n'; echo oh >&2\n".to_owned() + &wait_for("permit");
    let (place, crew) = metered(&work);
    define_with(&place, &Value::Null, json!([agent("a", json!({}))]));
    let owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    let printed = ["workflow", "logs", &run, "--stage", "a", "--transcript"];
    wait_until("it printed", || place.run(&printed).success().stdout.contains("stderr"));
    let during = place.run(&printed).success();
    assert!(!during.stdout.contains("alert"), "{}", during.stdout);
    let _ = during.prints("process-1/stdout").prints("when the stage is over");
    allow(&place, "permit");
    Output::of_child(owner).success();
    place.run(&["workflow", "retry", &run, "--from", "a"]).success();
    let shown = place.run(&printed).success();
    let shown =
        shown.prints("==> a: attempt 1, process 1, stdout (").prints("\nred alert\n{\"said\":\"a\"}\n");
    let shown = shown
        .prints("==> a: attempt 1, process 1, stderr (")
        .prints("\noh\n")
        .prints("==> a: attempt 2, process 1, stdout (");
    assert!(!shown.stdout.contains('\u{1b}'), "{}", shown.stdout);
    let second = [&printed[..], &["--attempt", "2", "--output", "json"]].concat();
    let second = place.run(&second).success().json();
    let streams: Vec<&Value> =
        second.as_array().expect("a list").iter().map(|entry| &entry["stream"]).collect();
    assert_eq!(streams, ["stdout", "stderr"]);
    second.as_array().expect("a list").iter().for_each(|entry| assert_fits(&place, "transcript", entry));
    assert!(second[0]["text"].as_str().expect("text").contains("\u{1b}[31malert"), "{second}");
    place.run(&["workflow", "logs", &run, "--transcript"]).code(2).says("--stage");
}
