//! A short run of the crash harness, the proof that it can fail, and counts of what the fault points tell. The long run
//! is `cargo xtask crash`. Release builds have no fault points, so there is nothing to test in them.

#![cfg(debug_assertions)]

mod counts;

use docket_tests::crash::{Options, Series, report, run};

/// The binary under test.
const DOCKET: &str = env!("CARGO_BIN_EXE_docket");
/// The series that the short run begins with. Any other would do.
const SEED: u64 = 3;

fn options(deaths: u64, sabotage: &str) -> Options {
    Options {
        docket: DOCKET.to_owned(),
        seed: SEED,
        first: 0,
        deaths,
        cases: u64::MAX,
        jobs: 2,
        sabotage: sabotage.to_owned(),
        stop_at_violation: true,
    }
}

fn series(options: &Options) -> Series {
    run(options, &|_, _| ()).expect("every workflow runs undisturbed")
}

#[test]
fn nothing_is_lost_and_nothing_is_done_twice_whatever_is_killed() {
    let series = series(&options(300, ""));
    let told: Vec<String> = series.found.iter().map(report::violation).collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
    assert!(series.tally.all_deaths() >= 300, "{:?}", series.tally);
}

/// The harness with docket broken in a known way. As many cases as the short run has must show it.
#[track_caller]
fn finds(sabotage: &str, words: &[&str]) {
    let found = series(&Options { cases: 150, ..options(300, sabotage) }).found;
    let violation = &found.first().unwrap_or_else(|| panic!("{sabotage} was not noticed")).violation;
    assert!(words.iter().any(|words| violation.contains(words)), "{sabotage}: {violation}");
}

#[test]
fn acting_before_the_journal_has_it_is_found() {
    // A disk that acknowledges a record and writes it with the next one: whatever docket does then is done before it is
    // recorded.
    finds(
        "late:journal.write",
        &[
            "before it was recorded",
            "before its stage's start",
            "does not have it",
            "lost or changed a record",
            "does not follow the one before",
            // The record of its end is made from the journal, which does not have the end yet.
            "record by month says",
            "is stuck",
            "`verify` exits",
        ],
    );
}

#[test]
fn launching_without_the_claim_is_found() {
    finds("skip:launcher.claim", &["launched twice"]);
}

#[test]
fn writing_on_behind_a_torn_record_is_found() {
    finds("skip:journal.cut", &["the journal of"]);
}

#[test]
fn saying_that_a_file_was_written_is_found() {
    finds("skip:apply.rename", &["not the undisturbed run's end", "is stuck", "temporary file"]);
}
