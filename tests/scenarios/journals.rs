//! Journals that were cut, changed, or written by a newer docket; and files that are derived from them.

use std::path::PathBuf;

use docket_core::run::sha256;
use docket_tests::Place;

use crate::support::{
    answer, assert_document_reviewed_once, assert_nothing_written, file, place_with_document, start,
    status_of, waiting_run,
};

fn journal(place: &Place, run: &str) -> PathBuf {
    place.run_folder(run).join("journal.jsonl")
}

fn read(place: &Place, run: &str) -> String {
    std::fs::read_to_string(journal(place, run)).expect("a journal")
}

/// Nothing can be done with this run: every command says why, and none touches anything.
#[track_caller]
fn assert_refused(place: &Place, run: &str, words: &[&str]) {
    let before = std::fs::read(journal(place, run)).expect("a journal");
    let right = file(place, "right.json", answer().to_string());
    for arguments in
        [vec!["status"], vec!["resume"], vec!["cancel"], vec!["results"], vec!["submit", "--file", &right]]
    {
        let (name, rest) = arguments.split_first().expect("a command");
        let mut output = place.run(&[&["workflow", name, run], rest].concat()).code(1).says("journal.jsonl");
        for word in words {
            output = output.says(word);
        }
    }
    assert_eq!(std::fs::read(journal(place, run)).expect("a journal"), before);
    assert_nothing_written(place);
}

#[test]
fn a_journal_that_was_changed_is_refused_with_its_line() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let text = read(&place, &run);
    let second = text.find('\n').expect("a line end") + 1;
    let position = second + text[second..].find("gather").or(text[second..].find("events")).expect("words");
    let mut bytes = text.into_bytes();
    bytes[position] ^= 1;
    std::fs::write(journal(&place, &run), &bytes).expect("written");
    assert_refused(&place, &run, &["line 2", "was changed after it was written", "start a new run"]);
    // Other runs are not affected, and the list says what it leaves out.
    start(&place, &["--launcher", "checklist"]).success();
    place.run(&["workflow", "list"]).success().prints("completed");
    place.run(&["doctor"]).success().prints("runs");
}

#[test]
fn a_journal_with_a_record_missing_is_refused() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let text = read(&place, &run);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() >= 3, "{text}");
    let without: String =
        lines.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, line)| format!("{line}\n")).collect();
    std::fs::write(journal(&place, &run), without).expect("written");
    assert_refused(&place, &run, &["line 2", "a record is missing, doubled or out of order"]);
}

#[test]
fn a_journal_of_a_newer_docket_is_refused_by_its_format() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let body = "{\"format\":3,\"seq\":1,\"novelty\":true";
    let line = format!("{body},\"hash\":\"{}\"}}\n", sha256(body.as_bytes()));
    std::fs::write(journal(&place, &run), line).expect("written");
    assert_refused(
        &place,
        &run,
        &["format 3 is newer than this docket reads (2)", "use the docket that wrote it"],
    );
}

#[test]
fn a_record_that_was_not_wholly_written_did_not_happen() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let text = read(&place, &run);
    for cut in [1, 40, 200] {
        let whole = text.trim_end().rfind('\n').expect("several records") + 1;
        std::fs::write(journal(&place, &run), &text[..(whole + cut).min(text.len() - 1)]).expect("written");
        place.run(&["workflow", "resume", &run]).code(3).says("docket workflow submit");
        assert_eq!(status_of(&place, &run), "waiting");
    }
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn what_is_derived_can_be_thrown_away() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let shown = place.run(&["workflow", "show", &run]).success().stdout;
    for name in ["state.json", "logs.txt", "context.json", "definition.yml", "inputs.json", "results", "lock"]
    {
        let path = place.run_folder(&run).join(name);
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.unwrap_or_else(|cause| panic!("{name}: {cause}"));
    }
    std::fs::remove_file(place.project().join(".docket/workflows/state/index.jsonl")).expect("removed");
    assert_eq!(status_of(&place, &run), "waiting");
    let elapsed = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("Elapsed") && !line.contains("(waiting"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(elapsed(&place.run(&["workflow", "show", &run]).success().stdout), elapsed(&shown));
    place.run(&["workflow", "list"]).success().prints(&run).prints("waiting");
    place.run(&["workflow", "logs", &run]).success();
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    assert_document_reviewed_once(&place);
    let state = std::fs::read_to_string(place.run_folder(&run).join("state.json")).expect("made again");
    assert!(state.contains("\"completed\""), "{state}");
}

#[test]
fn a_damaged_state_or_index_is_never_believed() {
    let place = place_with_document();
    let run = waiting_run(&place);
    std::fs::write(place.run_folder(&run).join("state.json"), "{\"status\": \"completed\"").expect("written");
    let index = place.project().join(".docket/workflows/state/index.jsonl");
    std::fs::write(&index, "garbage\n{\"id\":\n").expect("written");
    assert_eq!(status_of(&place, &run), "waiting");
    place.run(&["workflow", "list"]).success().prints("waiting");
}

#[test]
fn a_start_that_died_before_its_first_record_is_no_run() {
    let place = place_with_document();
    let folder = place.run_folder("wf-000000");
    std::fs::create_dir_all(&folder).expect("created");
    place.run(&["workflow", "list"]).success().says("no runs");
    std::fs::write(folder.join("journal.jsonl"), "").expect("written");
    place.run(&["workflow", "list"]).success().says("no runs");
    let output = place.run(&["workflow", "status", "wf-000000"]);
    assert!([1, 2].contains(&output.code), "{output:?}");
    start(&place, &["--launcher", "checklist"]).success();
}
