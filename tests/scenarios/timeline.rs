//! `docket workflow show --timeline`: who did what when, from the real command. How times add up is tested where the
//! events are folded.

use docket_tests::{Output, Place};
use serde_json::Value;

use crate::formats::assert_fits;
use crate::support::{
    Agent, DOCUMENT, answer, file, place_with_document, reviews, run_with_working_agent, start, waiting_run,
};

/// The stages of the review, in order.
const STAGES: [&str; 4] = ["gather-context", "review-architecture", "store-results", "update-status"];

#[track_caller]
fn timeline(place: &Place, run: &str) -> Value {
    let told = place.run(&["workflow", "show", run, "--timeline", "--output", "json"]).success().json();
    assert_fits(place, "timeline", &told);
    assert_eq!(told["id"], run);
    told
}

/// The entries of a kind.
fn entries<'a>(timeline: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = timeline["entries"].as_array().expect("a list");
    entries.iter().filter(|entry| entry["kind"] == kind).collect()
}

/// The events apart from stages that were not needed.
fn noteworthy(timeline: &Value) -> Vec<&Value> {
    entries(timeline, "event").into_iter().filter(|event| event["event"] != "stage_skipped").collect()
}

fn names(entries: &[&Value], field: &str) -> Vec<String> {
    entries.iter().map(|entry| entry[field].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_attempt_has_its_plugin_its_grants_and_its_files() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let run = place.only_run();
    let told = timeline(&place, &run);
    let attempts = entries(&told, "attempt");
    assert_eq!(names(&attempts, "stage"), STAGES);
    assert_eq!(names(&attempts, "outcome"), ["completed"; 4]);
    for attempt in &attempts {
        assert_eq!(attempt["attempt"], 1);
        assert_eq!(attempt["plugin"]["sha256"].as_str().expect("a hash").len(), 64);
        assert!(!attempt["plugin"]["grants"].as_array().expect("grants").is_empty(), "{attempt}");
    }
    assert_eq!(names(&noteworthy(&told), "event"), ["created", "completed"]);
    let created = &entries(&told, "event")[0];
    assert_eq!(created["by"]["user"], "tester");
    let (review, _) = reviews(&place).remove(0);
    let review = format!("docs/rfcs/.reviews/{review}");
    for (attempt, path) in [(2, review.as_str()), (3, DOCUMENT)] {
        let file = &attempts[attempt]["files"][0];
        assert_eq!((&file["path"], &file["written"]), (&path.into(), &true.into()));
        let hash = docket_core::run::sha256(place.read(path).as_bytes());
        assert_eq!(file["sha256"], hash);
    }
    assert_eq!((&told["totals"]["attempts"], &told["totals"]["files_written"]), (&4.into(), &2.into()));
    let plugin = attempts[0]["plugin"]["sha256"].as_str().expect("a hash")[..12].to_owned();
    place
        .run(&["workflow", "show", &run, "--timeline"])
        .success()
        .prints("started by tester with docket")
        .prints("review-architecture (attempt 1): completed after")
        .prints(&format!("plugin context 0.1.0 sha256:{plugin}"))
        .prints(&format!("wrote {DOCUMENT}"))
        .prints("Attempts: 4");
}

#[test]
fn people_are_named_with_what_they_did() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let told = timeline(&place, &run);
    assert_eq!(told["status"], "waiting");
    assert_eq!(names(&entries(&told, "attempt"), "outcome"), ["completed", "waiting"]);
    place.run(&["workflow", "pause", &run]).success();
    let right = file(&place, "right.json", answer().to_string());
    let submit = ["workflow", "submit", &run, "--file", &right];
    docket_tests::finish(place.command(&submit).env("USER", "reviewer")).code(3);
    place.run(&["workflow", "resume", &run]).success();
    let told = timeline(&place, &run);
    let attempts = entries(&told, "attempt");
    assert_eq!(names(&attempts, "outcome"), ["completed"; 4]);
    assert_eq!(attempts[1]["answered_by"]["user"], "reviewer");
    let events = noteworthy(&told);
    assert_eq!(names(&events, "event"), ["created", "pause_requested", "paused", "resumed", "completed"]);
    assert_eq!(events[3]["by"]["user"], "tester");
    place
        .run(&["workflow", "show", &run, "--timeline"])
        .success()
        .prints("answered by reviewer")
        .prints("resumed by tester");
}

#[test]
fn a_failure_and_a_cancel_say_why_and_by_whom() {
    let place = place_with_document();
    Agent::quick(&place).answers("garbage");
    start(&place, &["--profile", "mine"]).code(1);
    let run = place.only_run();
    let told = timeline(&place, &run);
    let attempts = entries(&told, "attempt");
    assert_eq!(names(&attempts, "outcome"), ["completed", "failed"]);
    assert_eq!(attempts[1]["failure"]["code"], "agent-output-unreadable");
    assert_eq!(told["totals"]["failed_attempts"], 1);
    place.run(&["workflow", "show", &run, "--timeline"]).success().prints("[agent-output-unreadable]");

    let place = place_with_document();
    let run = waiting_run(&place);
    place.run(&["workflow", "cancel", &run]).success();
    let told = timeline(&place, &run);
    assert_eq!(names(&entries(&told, "attempt"), "outcome"), ["completed", "cancelled"]);
    assert_eq!(entries(&told, "event").last().expect("events")["by"]["user"], "tester");
}

#[test]
fn a_second_attempt_is_a_row_of_its_own_and_the_run_stays_sound() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    agent.answers("garbage");
    start(&place, &["--profile", "mine"]).code(1);
    let run = place.only_run();
    agent.answers(&answer().to_string());
    place.run(&["workflow", "retry", &run]).success();
    let again = ["workflow", "retry", &run, "--from", "review-architecture"];
    place.run(&again).success();
    let told = timeline(&place, &run);
    let reviews: Vec<&Value> = entries(&told, "attempt")
        .into_iter()
        .filter(|attempt| attempt["stage"] == "review-architecture")
        .collect();
    assert_eq!(names(&reviews, "outcome"), ["failed", "completed", "completed"]);
    let numbers: Vec<u64> = reviews.iter().filter_map(|review| review["attempt"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let asked: Vec<&Value> = entries(&told, "event")
        .into_iter()
        .filter(|event| event["event"] == "retry_requested" && event["by"]["user"] == "tester")
        .collect();
    assert_eq!(asked.len(), 2, "{told:#}");
    let verify = place.run(&["workflow", "verify", &run, "--output", "json"]).success().json();
    assert_eq!(verify["runs"][0]["findings"], serde_json::json!([]), "{verify:#}");
    // The result of the attempt before is kept, and held to the journal, too.
    let former = place.run_folder(&run).join("results/review-architecture/attempt-2/result.json");
    let text = std::fs::read_to_string(&former).expect("it is kept");
    std::fs::write(&former, text.replace("B1", "B2")).expect("written");
    place.run(&["workflow", "verify", &run]).code(1).prints("attempt-2/result.json").prints("FAULT");
}

#[test]
fn items_of_a_matrix_are_rows_of_their_own_and_counted_once() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist", "--perspective", "all"]).success();
    let run = place.only_run();
    let told = timeline(&place, &run);
    let attempts = entries(&told, "attempt");
    let (matrices, others): (Vec<&Value>, Vec<&Value>) =
        attempts.into_iter().partition(|attempt| attempt.get("items").is_some());
    assert_eq!(matrices.len(), 1, "{told:#}");
    let stage = matrices[0]["stage"].as_str().expect("a name");
    let is_item = |attempt: &&&Value| {
        attempt["stage"]
            .as_str()
            .expect("a name")
            .strip_prefix(stage)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    assert_eq!(matrices[0]["items"], others.iter().filter(is_item).count());
    assert!(matrices[0]["items"].as_u64() > Some(1), "{told:#}");
    assert_eq!(told["totals"]["attempts"], others.len());
    assert_eq!(told["totals"]["files_written"], 2);
    let verify = place.run(&["workflow", "verify", &run, "--output", "json"]).success().json();
    assert_eq!(verify["runs"][0]["findings"], serde_json::json!([]), "{verify:#}");
}

#[test]
fn a_run_that_goes_on_has_a_timeline_too_and_it_only_grows() {
    let place = place_with_document();
    let (agent, owner, run) = run_with_working_agent(&place);
    let during = timeline(&place, &run);
    assert_eq!(during["status"], "running");
    let attempts = entries(&during, "attempt");
    assert_eq!(names(&attempts, "outcome"), ["completed", "running"]);
    assert!(attempts[1].get("ended_at").is_none(), "{during:#}");
    agent.go();
    Output::of_child(owner).success();
    let after = timeline(&place, &run);
    let before = during["entries"].as_array().expect("a list");
    let rest = after["entries"].as_array().expect("a list");
    assert_eq!(before[..2], rest[..2]);
    assert_eq!(before[2]["started_at"], rest[2]["started_at"]);
    assert_eq!(names(&entries(&after, "attempt"), "stage"), STAGES);
}

#[test]
fn only_runs_have_timelines() {
    let place = place_with_document();
    place.run(&["workflow", "show", "rfc-review", "--timeline"]).code(2).says("there is no run 'rfc-review'");
    place.run(&["workflow", "show", "rfc-review"]).success();
}
