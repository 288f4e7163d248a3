//! Records of runs that are over: what is kept when a run's folder is pruned, that it is sound before the folder goes,
//! and that it answers afterwards.

use serde_json::{Value, json};

use crate::formats::assert_fits;
use crate::prune::{ALL, completed, ids, json_of, record, runs_folder, waiting};
use crate::support::{answer, file, place_with_document, status_of};

/// What a record of format 1 does not have.
const SINCE_FORMAT_2: [&str; 7] =
    ["archive_format", "results", "journal", "totals", "plugins", "started_by", "docket"];

#[test]
fn a_pruned_run_answers_from_its_record() {
    let place = place_with_document();
    let run = completed(&place);
    let other = waiting(&place);
    let ask = |what: &[&str]| json_of(place.run(&[&["workflow"], what, &["--output", "json"]].concat()));
    let before = (ask(&["status", &run]), ask(&["results", &run]), ask(&["show", &run, "--timeline"]));
    let head = ask(&["show", &run])["head"].clone();
    let text = place.run(&["workflow", "results", &run]).success().stdout;
    let markdown = place.run(&["workflow", "results", &run, "--format", "markdown"]).success().stdout;
    place.run(&ALL).success().prints(&run).prints("removed 1 run");
    assert_eq!(place.runs(), std::slice::from_ref(&other));

    let status = ask(&["status", &run]);
    assert_fits(&place, "run", &status);
    assert_eq!(status["pruned"], true);
    for field in ["id", "workflow", "status", "inputs", "stages", "outputs", "created_at", "ended_at"] {
        assert_eq!(status[field], before.0[field], "{field}");
    }
    assert_eq!(ask(&["results", &run]), before.1);
    let said = format!("the folder of {run} was pruned; this is the record that was kept");
    for what in [vec!["status"], vec!["results"], vec!["show"], vec!["show", "--timeline"]] {
        place.run(&[&["workflow"], &what[..], &[run.as_str()]].concat()).success().says(&said);
    }
    assert_eq!(place.run(&["workflow", "results", &run]).success().stdout, text);
    assert_eq!(place.run(&["workflow", "results", &run, "--format", "markdown"]).success().stdout, markdown);
    let shown = ask(&["show", &run]);
    assert_eq!(shown["head"], head);
    assert_fits(&place, "archive", &shown["record"]);
    assert_eq!(shown["record"]["started_by"]["user"], "tester");
    assert_eq!(shown["record"]["plugins"].as_array().expect("plugins").len(), 4);
    let timeline = ask(&["show", &run, "--timeline"]);
    assert_fits(&place, "timeline", &timeline);
    assert_eq!((&timeline["pruned"], &timeline["totals"]), (&json!(true), &before.2["totals"]));
    let kept: Value =
        serde_json::from_slice(&std::fs::read(record(&place, &run)).expect("kept")).expect("JSON");
    assert_fits(&place, "archive", &kept);

    // The list has it when it is asked for, with or without the index.
    for _ in 0..2 {
        assert_eq!(ids(&ask(&["list"])["runs"]), std::slice::from_ref(&other));
        let all = ask(&["list", "--archived"]);
        assert_fits(&place, "list", &all);
        let mut wanted = [run.clone(), other.clone()];
        wanted.sort();
        assert_eq!(ids(&all["runs"]), wanted);
        place.run(&["workflow", "list", "--archived", "--status", "completed"]).success().prints("(pruned)");
        std::fs::write(runs_folder(&place).join("index.jsonl"), "").expect("emptied");
    }
    // Everything else says that it is gone.
    let right = file(&place, "right.json", answer().to_string());
    for what in [
        vec!["logs", &run],
        vec!["diff", &run],
        vec!["resume", &run],
        vec!["cancel", &run],
        vec!["submit", &run, "--file", &right],
    ] {
        let output = place.run(&[&["workflow"], &what[..]].concat()).code(2);
        let _ = output.says("was pruned").says(&format!("docket workflow results {run}"));
    }
    let head = head.as_str().expect("a head");
    place.run(&["workflow", "verify", &run, "--head", head]).success().prints("pruned");
    place.run(&["workflow", "verify", &run, "--head", &"0".repeat(64)]).code(1).prints(head);
}

#[test]
fn the_record_is_made_sound_before_the_folder_goes() {
    for damage in ["missing", "garbage", "older", "tampered"] {
        let place = place_with_document();
        let run = completed(&place);
        let path = record(&place, &run);
        let text = std::fs::read_to_string(&path).expect("a record");
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        match damage {
            "missing" => std::fs::remove_file(&path).expect("removed"),
            "garbage" => std::fs::write(&path, "{").expect("written"),
            "tampered" => {
                std::fs::write(&path, text.replace("\"completed\"", "\"failed\"")).expect("written")
            }
            _ => {
                let fields = value.as_object_mut().expect("an object");
                for name in
                    ["archive_format", "results", "journal", "totals", "plugins", "started_by", "docket"]
                {
                    assert!(fields.remove(name).is_some(), "{name} is kept");
                }
                std::fs::write(&path, value.to_string()).expect("written");
            }
        }
        place.run(&ALL).success().prints(&run);
        assert_eq!(place.runs(), [""; 0], "{damage}");
        assert_eq!(std::fs::read_to_string(&path).expect("a record"), text, "{damage}");
    }
}

#[test]
fn a_run_whose_record_can_not_be_kept_stays_whole() {
    let place = place_with_document();
    let run = completed(&place);
    let other = completed(&place);
    let path = record(&place, &run);
    // A newer docket's record, out of which this one would take things.
    let newer = std::fs::read_to_string(&path)
        .expect("a record")
        .replace("\"archive_format\": 2", "\"archive_format\": 3");
    std::fs::write(&path, &newer).expect("written");
    let output =
        place.run(&ALL).code(1).prints(&run).prints("format 3 is newer").says("could not be removed");
    // What can go, goes.
    let _ = output.prints(&other);
    assert_eq!(place.runs(), std::slice::from_ref(&run));
    assert_eq!(std::fs::read_to_string(&path).expect("a record"), newer);
    assert_eq!(status_of(&place, &run), "completed");
    // A folder in the record's place.
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("created");
    place.run(&ALL).code(1).prints(&run);
    assert_eq!(place.runs(), std::slice::from_ref(&run));
    std::fs::remove_dir(&path).expect("removed");
    place.run(&ALL).success();
    place.run(&["workflow", "status", &run]).success();
}

#[test]
fn records_of_an_older_docket_are_read_and_those_of_a_newer_one_refused() {
    let place = place_with_document();
    let run = completed(&place);
    let path = record(&place, &run);
    place.run(&ALL).success();
    let text = std::fs::read_to_string(&path).expect("a record");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    for name in SINCE_FORMAT_2 {
        fields.remove(name);
    }
    std::fs::write(&path, value.to_string()).expect("written");
    place.run(&["workflow", "status", &run]).success().prints("Status: Completed");
    place.run(&["workflow", "results", &run]).success().says("kept no results");
    place.run(&["workflow", "show", &run]).success().prints("Definition: rfc-review");
    place.run(&["workflow", "show", &run, "--timeline"]).code(2).says("kept no totals");
    place.run(&["workflow", "list", "--archived"]).success().prints(&run);
    place.run(&["workflow", "verify"]).success().prints(&run);
    let newer = text.replace("\"archive_format\": 2", "\"archive_format\": 3");
    for (text, words) in [(newer.as_str(), "format 3 is newer"), ("{", "is damaged")] {
        std::fs::write(&path, text).expect("written");
        place.run(&["workflow", "status", &run]).code(1).says(words);
        place.run(&["workflow", "verify"]).code(1).prints(words);
    }
    // A record is believed for the run it is named after, and for no other.
    let other = path.with_file_name("wf-000000.json");
    std::fs::write(&other, text).expect("written");
    place.run(&["workflow", "status", "wf-000000"]).code(1).says("the record of another run");
}
