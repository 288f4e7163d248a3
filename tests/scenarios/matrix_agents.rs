//! Agents of the items of a matrix: each is launched once whatever happens to docket, no more run at once than may, and
//! `rfc-review --perspective all` has three reviewers side by side.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::crew::{Crew, START, WAIT, agent, define};
use crate::place;
use crate::support::{
    Agent, DOCUMENT, answer, file, place_with_document, reviews, stage, start, start_arguments, status_of,
};

fn words(words: &[&str]) -> Value {
    json!({ "matrix": { "word": words } })
}

fn said(place: &Place, run: &str) -> Value {
    place.run(&["workflow", "results", run, "--output", "json"]).success().json()["stages"]["many"].clone()
}

#[test]
fn docket_killed_in_the_middle_of_a_fan_out_launches_every_agent_once() {
    let place = place();
    let crew = Crew::patient(&place);
    define(
        &place,
        json!({ "max_parallel": 3, "stages": [agent("many", words(&["a", "b", "c", "d", "e"]))] }),
    );
    let mut owner = place.spawn(&START);
    crew.wait_for(3);
    let run = place.only_run();
    crew.go("many.b");
    crew.wait_for(4);
    kill(&mut owner);
    // One ends while nobody looks, the others live on.
    crew.go("many.a");
    wait_until("an agent ended", || !crew.is_alive("many.a"));
    assert!(crew.is_alive("many.c") && crew.is_alive("many.d"));
    assert_eq!(status_of(&place, &run), "interrupted");
    let mut owner = place.spawn(&["workflow", "resume", &run]);
    crew.wait_for(5);
    kill(&mut owner);
    let owner = place.spawn(&["workflow", "resume", &run]);
    crew.all_go();
    Output::of_child(owner).success();
    assert_eq!(crew.launched(), ["many.a", "many.b", "many.c", "many.d", "many.e"]);
    let all: Vec<Value> =
        ["a", "b", "c", "d", "e"].map(|word| json!({ "said": format!("many.{word}") })).into();
    assert_eq!(said(&place, &run), Value::Array(all));
    assert_eq!(stage(&place, &run, "many.c")["attempt"], 1);
    place.run(&["workflow", "verify", &run]).success();
}

#[test]
fn as_many_agents_run_at_once_as_may_and_no_more() {
    let place = place();
    // Each counts those at work, and the first ones go on only when as many as may are there.
    let work = "mkdir -p \"$1/at-work\"\n: > \"$1/at-work/$item\"\nls \"$1/at-work\" | wc -l >> \"$1/counts\"\n\
                tries=0\nwhile ! grep -q 3 \"$1/counts\" && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries+1)); done\n\
                ls \"$1/at-work\" | wc -l >> \"$1/counts\"\nrm \"$1/at-work/$item\"\n";
    let crew = Crew::new(&place, work);
    let many = agent("many", words(&["a", "b", "c", "d", "e", "f", "g", "h"]));
    define(&place, json!({ "max_parallel": 3, "stages": [many] }));
    place.run_or_kill(&START).success();
    assert_eq!(crew.launches().len(), 8);
    let counts = crew.read("counts");
    let most = counts.split_whitespace().map(|count| count.parse::<u32>().expect("a number")).max();
    assert_eq!(most, Some(3), "{counts}");
}

#[test]
fn a_paused_fan_out_starts_no_further_item_and_goes_on_with_them_when_resumed() {
    let place = place();
    let crew = Crew::patient(&place);
    define(&place, json!({ "max_parallel": 2, "stages": [agent("many", words(&["a", "b", "c"]))] }));
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let run = place.only_run();
    place.run(&["workflow", "pause", &run]).success();
    crew.go("many.a");
    wait_until("an item is done", || stage(&place, &run, "many.a")["status"] == "completed");
    assert_eq!(status_of(&place, &run), "running", "the other item still works");
    crew.go("many.b");
    Output::of_child(owner).code(3).says("Paused");
    assert_eq!(crew.launched(), ["many.a", "many.b"]);
    crew.all_go();
    place.run_or_kill(&["workflow", "resume", &run]).success();
    assert_eq!(crew.launched(), ["many.a", "many.b", "many.c"]);
}

#[test]
fn items_that_ask_a_person_are_answered_by_name() {
    let place = place();
    Crew::new(&place, WAIT);
    let mut many = agent("many", words(&["a", "b"]));
    many["launcher"] = json!("manual");
    define(&place, json!({ "stages": [many] }));
    let output = place.run(&["workflow", "start", "crew"]).code(3);
    let _ = output.says("--stage many.a").says("--stage many.b");
    let run = place.only_run();
    let submit = |answer: &str, more: &[&str]| {
        let path = file(&place, "answer.json", json!({ "said": answer }).to_string());
        place.run(&[&["workflow", "submit", &run, "--file", &path], more].concat())
    };
    submit("x", &[]).code(2).says("many.a").says("many.b").says("--stage");
    submit("x", &["--stage", "many.q"]).code(2).says("did you mean 'many.");
    submit("x", &["--stage", "many"]).code(2);
    submit("second", &["--stage", "many.b"]).code(3);
    assert_eq!(status_of(&place, &run), "waiting");
    submit("first", &[]).success();
    assert_eq!(said(&place, &run), json!([{ "said": "first" }, { "said": "second" }]));
}

/// The names of the perspectives, in the order of the workflow.
const PERSPECTIVES: [&str; 3] = ["architecture", "security", "implementation"];

/// What a review from all perspectives leaves: one file with everything, one line in the document.
#[track_caller]
fn assert_merged(place: &Place, run: &str) {
    let reviews = reviews(place);
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    let (name, text) = &reviews[0];
    assert!(name.starts_with("rfc-0007-queue-limits-") && name.ends_with("-all.md"), "{name}");
    for perspective in PERSPECTIVES {
        assert!(text.to_lowercase().contains(perspective), "no {perspective} in:\n{text}");
        let kept = place.run_folder(run).join(format!("review-results-{perspective}.json"));
        assert!(kept.exists(), "{}", kept.display());
        let item = format!("reviews.{perspective}");
        assert_eq!(stage(place, run, &item)["status"], "completed");
    }
    assert!(place.run_folder(run).join("merged-review-results.json").exists());
    let document = place.read(DOCUMENT);
    assert_eq!(document.matches("(all perspective)").count(), 1, "{document}");
    assert!(document.contains("**Status:** In Review"), "{document}");
}

#[test]
fn a_review_from_all_perspectives_is_merged_into_one() {
    let place = place_with_document();
    let output = start(&place, &["--perspective", "all", "--launcher", "checklist"]).success();
    let output = output.says("reviews for 3 items: architecture, security, implementation");
    let run = place.only_run();
    assert_merged(&place, &run);
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    let merged = &results["stages"]["merge-reviews"];
    let count = |list: &str| merged[list].as_array().expect("findings").len();
    let wanted =
        format!("Review complete! {} blockers, {} major concerns\n", count("blockers"), count("major"));
    assert_eq!(output.stdout, wanted);
    let shown = place.run(&["workflow", "results", &run]).success();
    assert_eq!(shown.stdout.matches("Assessment:").count(), 1, "{}", shown.stdout);
    let _ = shown.prints("-all.md");
}

#[test]
fn three_agents_review_side_by_side_each_from_its_own_perspective() {
    let place = place_with_document();
    // Nobody answers before all three are there.
    let script = "cat > \"$1/prompt-$$\"\necho ran >> \"$1/ledger\"\ntries=0\n\
                  while [ $(wc -l < \"$1/ledger\") -lt 3 ] && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries+1)); done\n\
                  [ $(wc -l < \"$1/ledger\") -ge 3 ] || exit 1\ncat \"$1/answer\"\n";
    let agent = Agent::new(&place, script);
    let output =
        place.run_or_kill(&start_arguments(&["--perspective", "all", "--profile", "mine"])).success();
    // Three reviewers found the same; it is one finding.
    let _ = output.prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!(agent.launches(), 3);
    let run = place.only_run();
    assert_merged(&place, &run);
    let folder = std::fs::read_dir(place.home().join("agent")).expect("readable");
    let names = folder.map(|entry| entry.expect("readable").path());
    let prompts: Vec<String> = names
        .filter(|path| path.display().to_string().contains("/prompt-"))
        .map(|path| std::fs::read_to_string(path).expect("a prompt"))
        .collect();
    assert_eq!(prompts.len(), 3);
    for perspective in PERSPECTIVES {
        let title = format!("# {}{} review of an RFC", perspective[..1].to_uppercase(), &perspective[1..]);
        assert_eq!(prompts.iter().filter(|prompt| prompt.starts_with(&title)).count(), 1, "{title}");
        let kept = place.run_folder(&run).join(format!("results/reviews.{perspective}/prompt.md"));
        assert!(prompts.contains(&std::fs::read_to_string(kept).expect("it is kept")));
    }
    let merged = place.run_folder(&run).join("merged-review-results.json");
    let merged: Value = serde_json::from_slice(&std::fs::read(merged).expect("there")).expect("JSON");
    assert_eq!(merged["assessment"], answer()["assessment"]);
    assert_eq!(merged["blockers"].as_array().expect("findings").len(), 1);
}

#[test]
fn a_decision_is_reviewed_from_all_perspectives_by_one_reviewer() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    place.run(&["review", "adr-0002", "--profile", "mine"]).success().prints("Review complete! 1 blockers");
    assert_eq!(agent.launches(), 1);
    let run = place.only_run();
    let names: Vec<String> = place.status(&run)["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .map(|stage| stage["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, ["gather-context", "review-all", "store-results", "note-review"]);
}
