//! The fold from a journal's events to attempts, waits and totals.

use super::*;
use docket_core::run::{Content, Failure, NewRun, ProjectPath, Question, RunOptions, Writer, read};
use serde_json::json;

/// A time so many seconds after the start.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn tester() -> Actor {
    Actor { user: "tester".into(), process: 1, client: None }
}

fn created(stages: &[&str]) -> Event {
    Event::RunCreated(Box::new(NewRun {
        run: "wf-1".into(),
        definition: "d".into(),
        workflow: "D".into(),
        origin: "built-in".into(),
        text: String::new(),
        templates: [].into(),
        schemas: [].into(),
        stage_types: vec![],
        launchers: vec![],
        idle_launchers: vec![],
        stages: stages.iter().map(|name| (*name).to_owned()).collect(),
        inputs: [].into(),
        date: "2026-01-02".into(),
        options: RunOptions::default(),
        docket: "0.1.0".into(),
        by: tester(),
        workflows: [].into(),
        parent: None,
        seal: String::new(),
    }))
}

fn completed(stage: usize, answered_by: Option<Actor>, path: Option<&str>, cost: Option<f64>) -> Event {
    let change = |path: &str| FileChange {
        path: ProjectPath::parse(path).expect("a path"),
        before: None,
        after: "after".into(),
        content: Content::Text("new".into()),
    };
    Event::StageCompleted {
        stage,
        result: json!({}),
        change_set: path.map(|path| ChangeSet { files: vec![change(path)] }),
        plugin: None,
        usage: Usage { input_tokens: cost.map(|_| 10), cost_usd: cost, ..Usage::default() },
        answered_by,
    }
}

fn waiting(stage: usize) -> Event {
    let question = Question { prompt: "?".into(), schema: None };
    Event::StageWaiting { stage, question, plugin: None, usage: Usage::default() }
}

/// The timeline, `now` seconds after the start, of these records: seconds after the start, and events.
fn timeline(now: i64, records: &[(i64, Vec<Event>)]) -> Timeline {
    let mut writer = Writer::default();
    let lines: Vec<String> =
        records.iter().map(|(second, events)| writer.line(at(*second), events).expect("JSON")).collect();
    let journal = read(lines.concat().as_bytes()).expect("a sound journal");
    let status = journal.state().expect("a state").status.into();
    Timeline::of(&journal, status, at(now)).expect("a timeline")
}

fn attempts(timeline: &Timeline) -> Vec<(String, u32, AttemptOutcome, i64, i64)> {
    let seconds = |milliseconds: i64| milliseconds / 1000;
    let attempts = timeline.entries.iter().filter_map(|entry| match entry {
        Entry::Attempt(attempt) => Some(attempt),
        Entry::Event(_) => None,
    });
    attempts
        .map(|attempt| {
            let (took, waited) = (attempt.duration_milliseconds, attempt.waiting_milliseconds);
            (attempt.stage.clone(), attempt.attempt, attempt.outcome, seconds(took), seconds(waited))
        })
        .collect()
}

fn started(stage: usize, attempt: u32) -> Event {
    Event::StageStarted { stage, attempt, child: None }
}

#[test]
fn waiting_of_two_stages_at_once_counts_once_for_the_run_and_for_each_of_them() {
    let timeline = timeline(
        99,
        &[
            (0, vec![created(&["a", "b"]), started(0, 1), started(1, 1)]),
            (10, vec![waiting(0)]),
            (20, vec![waiting(1), Event::RunWaiting]),
            (50, vec![completed(0, Some(tester()), None, Some(0.5))]),
            (
                60,
                vec![
                    completed(1, Some(tester()), None, Some(0.25)),
                    Event::RunCompleted { outputs: [].into() },
                ],
            ),
        ],
    );
    let outcome = AttemptOutcome::Completed;
    assert_eq!(attempts(&timeline), [("a".into(), 1, outcome, 50, 40), ("b".into(), 1, outcome, 60, 40)]);
    let totals = timeline.totals;
    assert_eq!((totals.wall_milliseconds, totals.waiting_milliseconds), (60_000, 50_000));
    assert_eq!(
        (totals.attempts, totals.usage.input_tokens, totals.usage.cost_usd),
        (2, Some(20), Some(0.75))
    );
}

#[test]
fn every_attempt_is_a_row_at_its_place() {
    let failure = Failure::new("broke", "it broke");
    let failed = Event::StageFailed {
        stage: 0,
        failure,
        plugin: None,
        usage: Usage { cost_usd: Some(1.0), ..Usage::default() },
        retry_at: None,
        answered_by: None,
    };
    let timeline = timeline(
        9,
        &[
            (0, vec![created(&["a"]), started(0, 1)]),
            (2, vec![failed, started(0, 2)]),
            (5, vec![completed(0, None, Some("a.md"), Some(1.0))]),
            (6, vec![Event::ChangesApplied { stage: 0 }, Event::RunCompleted { outputs: [].into() }]),
        ],
    );
    assert_eq!(
        attempts(&timeline),
        [("a".into(), 1, AttemptOutcome::Failed, 2, 0), ("a".into(), 2, AttemptOutcome::Completed, 3, 0)]
    );
    let totals = timeline.totals;
    assert_eq!((totals.attempts, totals.failed_attempts, totals.files_written), (2, 1, 1));
    assert_eq!(totals.usage.cost_usd, Some(2.0));
}

#[test]
fn a_conflict_waits_until_it_is_settled_and_reverts_what_began_on_its_strength() {
    let conflict = Event::ChangesConflicted {
        stage: 0,
        failure: Failure::new("file-changed", "a.md"),
        reverted: vec![1],
    };
    let records = [
        (0, vec![created(&["a", "b"]), started(0, 1)]),
        (1, vec![completed(0, None, Some("a.md"), None), started(1, 1)]),
        (2, vec![conflict, Event::RunWaiting]),
        (8, vec![Event::RunResumed { by: tester() }]),
        (9, vec![Event::ChangesApplied { stage: 0 }, started(1, 1)]),
    ];
    let open = timeline(5, &records[..3]);
    assert_eq!(
        attempts(&open),
        [("a".into(), 1, AttemptOutcome::Conflict, 5, 3), ("b".into(), 1, AttemptOutcome::Reverted, 1, 0)]
    );
    assert_eq!(open.totals.files_written, 0);
    let settled = timeline(11, &records);
    assert_eq!(
        attempts(&settled),
        [
            ("a".into(), 1, AttemptOutcome::Completed, 9, 7),
            ("b".into(), 1, AttemptOutcome::Reverted, 1, 0),
            ("b".into(), 1, AttemptOutcome::Running, 2, 0)
        ]
    );
    assert_eq!((settled.totals.waiting_milliseconds, settled.totals.files_written), (7_000, 1));
}

#[test]
fn the_end_of_a_run_ends_what_is_open_and_says_who_did_it() {
    let timeline = timeline(
        99,
        &[
            (0, vec![created(&["a"]), started(0, 1)]),
            (3, vec![waiting(0), Event::RunWaiting]),
            (4, vec![Event::PauseRequested { by: tester() }, Event::RunPaused]),
            (10, vec![Event::RunCancelled { by: tester(), used: vec![] }]),
        ],
    );
    assert_eq!(attempts(&timeline), [("a".into(), 1, AttemptOutcome::Cancelled, 10, 7)]);
    assert_eq!((timeline.totals.paused_milliseconds, timeline.totals.wall_milliseconds), (6_000, 10_000));
    let events: Vec<(&str, bool)> = timeline
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Event(event) => Some((event.event.as_str(), event.by.is_some())),
            Entry::Attempt(_) => None,
        })
        .collect();
    assert_eq!(
        events,
        [("created", true), ("pause_requested", true), ("paused", false), ("cancelled", true)]
    );
}
