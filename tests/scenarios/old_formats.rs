//! Runs that older versions of docket stored (`tests/fixtures`): each can be looked at, goes on where it stopped, and
//! is refused when a newer docket has gone on with it.

use docket_core::run::sha256;
use docket_tests::Place;
use serde_json::{Value, json};

use crate::stored::{DOCUMENT, RUNS, Stored, content, fixtures, folders};
use crate::support::{answer, file, stage, status_of};

/// A format that no docket will have for a long time.
const NEWER: u32 = 4_000_000;

/// A stored run and what is known of it.
struct Fixture {
    /// Its folder below `tests/fixtures`.
    folder: &'static str,
    /// How docket calls where it stands.
    status: &'static str,
    /// Its stages' statuses, in order.
    stages: &'static [&'static str],
    /// What its status says to people, besides.
    says: &'static [&'static str],
    /// What its difference has; nothing when it changed no file.
    diff: &'static [&'static str],
    /// Goes on with the run as far as it can go. What comes out is checked by the function itself.
    goes_on: fn(&Stored),
}

/// Makes the tests of fixtures, and the list that [`every_fixture_has_its_tests`] holds against the folders.
macro_rules! fixtures {
    ($($name:ident: $fixture:ident;)+) => {
        const FIXTURES: &[&Fixture] = &[$(&$fixture),+];

        $(mod $name {
            #[test]
            fn is_read_like_on_its_first_day() {
                super::is_read(&super::$fixture);
            }

            #[test]
            fn goes_on_where_it_stopped() {
                super::goes_on(&super::$fixture);
            }

            #[test]
            fn is_left_alone_when_a_newer_docket_went_on_with_it() {
                super::is_refused_when_newer(&super::$fixture);
            }
        })+
    };
}

fixtures! {
    completed_1: COMPLETED;
    waiting_1: WAITING;
    failed_1: FAILED;
    cancelled_1: CANCELLED;
    paused_1: PAUSED;
    interrupted_1: INTERRUPTED;
    interrupted_with_agent_1: INTERRUPTED_WITH_AGENT;
    conflicted_1: CONFLICTED;
}

const COMPLETED: Fixture = Fixture {
    folder: "format-1/completed",
    status: "completed",
    stages: &["completed", "completed", "completed", "completed"],
    says: &["RFC Review"],
    diff: &[
        "-**Status:** Draft\n+**Status:** In Review\n",
        "+++ b/docs/rfcs/.reviews/rfc-0007-queue-limits-2026-11-22-architecture.md\n",
    ],
    goes_on: stays,
};

const WAITING: Fixture = Fixture {
    folder: "format-1/waiting",
    status: "waiting",
    stages: &["completed", "waiting", "pending", "pending"],
    says: &["docket workflow submit", "results/review-architecture/prompt.md"],
    diff: &[],
    goes_on: |stored| {
        let right = file(&stored.place, "right.json", answer().to_string());
        stored.place.run(&["workflow", "submit", &stored.run, "--file", &right]).success();
        stored.assert_reviewed_once();
        assert_eq!(stored.result("review-architecture"), answer());
    },
};

const FAILED: Fixture = Fixture {
    folder: "format-1/failed",
    status: "failed",
    stages: &["failed", "failed", "pending", "pending"],
    says: &["the result does not fit its schema", "result-invalid", "docs/not-there.md"],
    diff: &[],
    goes_on: stays,
};

const CANCELLED: Fixture = Fixture {
    folder: "format-1/cancelled",
    status: "cancelled",
    stages: &["cancelled", "failed", "cancelled", "cancelled"],
    says: &["docs/not-there.md"],
    diff: &[],
    goes_on: stays,
};

const PAUSED: Fixture = Fixture {
    folder: "format-1/paused",
    status: "paused",
    stages: &["completed", "failed", "pending", "pending"],
    says: &["docs/not-there.md"],
    diff: &[],
    goes_on: |stored| {
        let output = stored.place.run(&["workflow", "resume", &stored.run]).success();
        let _ = output.prints(&format!("1 blockers in {DOCUMENT}\n"));
        assert_eq!(stored.stage_statuses(), ["completed", "failed", "skipped", "completed"]);
        let kept = stored.place.read("docs/rfc-0007-queue-limits-2026-11-22.json");
        let kept: Value = serde_json::from_str(&kept).expect("JSON");
        assert_eq!(kept, stored.frozen_json("review.json"));
        stored.assert_launched_once("ask");
    },
};

const INTERRUPTED: Fixture = Fixture {
    folder: "format-1/interrupted",
    status: "interrupted",
    stages: &["completed", "running", "pending", "pending"],
    says: &["docket workflow resume"],
    diff: &[],
    goes_on: |stored| {
        stored.place.run(&["workflow", "resume", &stored.run]).success().prints("Review complete!");
        stored.assert_reviewed_once();
    },
};

const INTERRUPTED_WITH_AGENT: Fixture = Fixture {
    folder: "format-1/interrupted-with-agent",
    status: "interrupted",
    stages: &["completed", "running", "pending", "pending"],
    says: &["docket workflow resume"],
    diff: &[],
    goes_on: |stored| {
        stored.place.run(&["workflow", "resume", &stored.run]).success().prints("1 blockers, 0 major");
        stored.assert_reviewed_once();
        assert_eq!(stored.result("review-architecture")["summary"], "The limit has no number.");
        stored.assert_launched_once("review-architecture");
    },
};

const CONFLICTED: Fixture = Fixture {
    folder: "format-1/conflicted",
    status: "waiting",
    stages: &["completed", "completed", "completed", "conflict"],
    says: &["file-changed", DOCUMENT, "docket workflow resume"],
    diff: &["-**Status:** Draft\n+**Status:** In Review\n"],
    goes_on: |stored| {
        let theirs = stored.place.read(DOCUMENT);
        let resume = || stored.place.run(&["workflow", "resume", &stored.run]);
        resume().code(5);
        assert_eq!(stored.place.read(DOCUMENT), theirs);
        assert_eq!(stage(&stored.place, &stored.run, "update-status")["status"], "conflict");
        // Every fixture of a format began with the same document.
        let original = fixtures().join("format-1/waiting").join(DOCUMENT);
        stored.place.write(DOCUMENT, std::fs::read(original).expect("a document"));
        resume().success().prints("Review complete!");
        stored.assert_reviewed_once();
    },
};

/// A run that is over stays as it is, whatever is asked of it.
fn stays(stored: &Stored) {
    let (place, run) = (&stored.place, &stored.run);
    let (journal, document) = (stored.journal(), place.read(DOCUMENT));
    let status = status_of(place, run);
    place.run(&["workflow", "resume", run]).code(2).says(&format!("is {status}"));
    let right = file(place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", run, "--file", &right]).code(2).says(run);
    assert_eq!((stored.journal(), place.read(DOCUMENT)), (journal, document));
}

/// Whether everything that was known is still said, and the same: shapes gain fields and never change one.
fn holds(known: &Value, shown: &Value) -> bool {
    match (known, shown) {
        (Value::Object(known), Value::Object(shown)) => {
            known.iter().all(|(key, value)| shown.get(key).is_some_and(|shown| holds(value, shown)))
        }
        (Value::Array(known), Value::Array(shown)) => {
            known.len() == shown.len() && known.iter().zip(shown).all(|(known, shown)| holds(known, shown))
        }
        (known, shown) => known == shown,
    }
}

fn is_read(fixture: &Fixture) {
    let stored = Stored::new(fixture.folder);
    let (place, run) = (&stored.place, stored.run.as_str());
    let before = content(&place.project());
    // The status as it was, told from the journal: what is derived is thrown away for it.
    let mut known = stored.frozen_json("state.json");
    known["status"] = fixture.status.into();
    for stage in known["stages"].as_array_mut().expect("stages") {
        // What a stage was doing counts only while it does it.
        stage.as_object_mut().expect("an object").remove("activity");
    }
    let state = place.run_folder(run).join("state.json");
    std::fs::remove_file(&state).expect("removed");
    let shown = stored.json("status");
    assert!(holds(&known, &shown), "{known:#}\n{shown:#}");
    std::fs::write(&state, stored.frozen("state.json")).expect("written");
    assert_eq!(stored.stage_statuses(), fixture.stages);
    let mut said = place.run(&["workflow", "status", run]).success();
    for words in fixture.says {
        said = said.prints(words);
    }

    is_shown_in_full(&stored);
    assert_eq!(place.run(&["workflow", "logs", run]).success().stdout, stored.frozen("logs.txt"));
    assert_results(&stored, &known);
    let mut diff = place.run(&["workflow", "diff", run]).success();
    if fixture.diff.is_empty() {
        diff = diff.says("changes no file");
    }
    for words in fixture.diff {
        diff = diff.prints(words);
    }
    assert_eq!(diff.stdout.is_empty(), fixture.diff.is_empty());
    assert_eq!(content(&place.project()), before, "who looks changes nothing");

    assert_listed(&stored, fixture.status);
    std::fs::remove_file(place.project().join(RUNS).join("index.jsonl")).expect("removed");
    assert_listed(&stored, fixture.status);
}

/// `show` tells every event of the journal, by its name, and the journal's last hash.
#[track_caller]
fn is_shown_in_full(stored: &Stored) {
    let shown = stored.json("show");
    let journal = stored.frozen("journal.jsonl");
    let records: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    let recorded = records.iter().flat_map(|record| record["events"].as_array().expect("events"));
    let recorded: Vec<&Value> = recorded.map(|event| &event["type"]).collect();
    let told = shown["events"].as_array().expect("events");
    assert_eq!(told.iter().map(|event| &event["event"]).collect::<Vec<_>>(), recorded);
    assert_eq!(shown["head"], records.last().expect("a record")["hash"]);
    let text = stored.place.run(&["workflow", "show", &stored.run]).success();
    let _ = text.prints(&format!("Journal: {} records", records.len())).prints("started by fixture");
}

/// `results` has the result of every stage that completed, as it was kept beside the journal.
#[track_caller]
fn assert_results(stored: &Stored, known: &Value) {
    let results = stored.json("results");
    let completed = known["stages"].as_array().expect("stages").iter();
    let completed: Vec<&str> = completed
        // The result of a conflict is there, and counts only when it is applied.
        .filter(|stage| stage["status"] == "completed")
        .map(|stage| stage["name"].as_str().expect("a name"))
        .collect();
    let stages = results["stages"].as_object().expect("stages");
    assert_eq!(stages.len(), completed.len(), "{results:#}");
    for name in completed {
        assert_eq!(stages[name], stored.frozen_json(&format!("results/{name}/result.json")));
    }
    assert_eq!(results["outputs"], known["outputs"]);
}

#[track_caller]
fn assert_listed(stored: &Stored, status: &str) {
    let list = stored.place.run(&["workflow", "list", "--output", "json"]).success().json();
    assert_eq!(list["unreadable"], json!([]));
    let runs = list["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 1, "{list:#}");
    assert_eq!((&runs[0]["id"], &runs[0]["status"]), (&json!(stored.run), &json!(status)));
}

fn goes_on(fixture: &Fixture) {
    let stored = Stored::new(fixture.folder);
    let before = stored.journal();
    (fixture.goes_on)(&stored);
    let after = stored.journal();
    assert!(after.starts_with(&before), "what was recorded stays as it was");
    // Nothing is left for it to do, and it is kept as a run that is over.
    let status = status_of(&stored.place, &stored.run);
    assert!(["completed", "failed", "cancelled"].contains(&status.as_str()), "{status}");
    let archived = stored.place.read(&format!(".docket/workflows/completed/2026-11/{}.json", stored.run));
    let archived: Value = serde_json::from_str(&archived).expect("JSON");
    assert_eq!(archived["status"], status.as_str());
    assert_fits_schema(&stored.place, &archived);
    assert_fits_schema(&stored.place, &stored.frozen_json("state.json"));
}

/// What was written about a run, then and now, has the shape that is published.
#[track_caller]
fn assert_fits_schema(place: &Place, record: &Value) {
    let schema = place.run(&["schema", "run"]).success().json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = validator.iter_errors(record).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{record:#}");
}

fn is_refused_when_newer(fixture: &Fixture) {
    let stored = Stored::new(fixture.folder);
    let journal = String::from_utf8(stored.journal()).expect("UTF-8");
    let last: Value = serde_json::from_str(journal.lines().last().expect("a record")).expect("JSON");
    let (seq, hash) = (last["seq"].as_u64().expect("a number") + 1, last["hash"].as_str().expect("a hash"));
    let begun = newer_record(1, "");
    let went_on = journal.clone() + &newer_record(seq, hash);
    let path = stored.place.run_folder(&stored.run).join("journal.jsonl");
    let right = file(&stored.place, "right.json", answer().to_string());
    for text in [begun, went_on] {
        std::fs::write(&path, &text).expect("written");
        let before = content(&stored.place.project());
        for command in ["status", "show", "results", "diff", "pause", "resume", "cancel", "submit"] {
            let file = ["--file", &right];
            let more: &[&str] = if command == "submit" { &file } else { &[] };
            stored
                .place
                .run(&[&["workflow", command, &stored.run], more].concat())
                .code(1)
                .says("journal.jsonl")
                .says(&format!("format {NEWER} is newer than this docket reads"))
                .says("use the docket that wrote it");
        }
        assert_eq!(content(&stored.place.project()), before, "it is not touched");
    }
}

/// A record as a newer docket might write it: sound, in its place, and with events nobody knows yet.
fn newer_record(seq: u64, prev: &str) -> String {
    let body = format!(
        "{{\"format\":{NEWER},\"seq\":{seq},\"at\":\"2031-01-02T03:04:05Z\",\"prev\":\"{prev}\",\
         \"events\":[{{\"type\":\"novelty\"}}]"
    );
    format!("{body},\"hash\":\"{}\"}}\n", sha256(body.as_bytes()))
}

#[test]
fn every_fixture_has_its_tests() {
    let mut there = Vec::new();
    // Those of runs; other fixtures have tests of their own.
    for format in folders(&fixtures()).into_iter().filter(|folder| folder.starts_with("format-")) {
        there.extend(folders(&fixtures().join(&format)).iter().map(|name| format!("{format}/{name}")));
    }
    there.sort();
    let mut tested: Vec<&str> = FIXTURES.iter().map(|fixture| fixture.folder).collect();
    tested.sort_unstable();
    assert_eq!(there, tested, "name every folder of tests/fixtures/format-* in `fixtures!`");
}
