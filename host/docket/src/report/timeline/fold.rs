//! Folding events into a [`Timeline`]. A new kind of event is one more arm in [`Fold::event`]. Must not look at
//! anything but events: the same journal gives the same timeline.

use docket_core::Timestamp;
use docket_core::run::{
    Actor, ChangeSet, Event, FileChange, Journal, PluginUsed, RunState, StageState, StageStatus, Usage,
};

use super::{Attempt, AttemptOutcome, Entry, RunEvent, Timeline, TouchedFile};
use crate::report::words;
use crate::store::archive::Totals;
use crate::store::snapshot::ShownStatus;

/// Time in which at least one of several things goes on.
#[derive(Debug, Default)]
struct Stretch {
    open: usize,
    since: Option<Timestamp>,
    milliseconds: i64,
}

impl Stretch {
    fn begin(&mut self, at: Timestamp) {
        self.open += 1;
        self.since.get_or_insert(at);
    }

    fn end(&mut self, at: Timestamp) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0
            && let Some(since) = self.since.take()
        {
            self.milliseconds += elapsed(since, at);
        }
    }

    fn total(mut self, now: Timestamp) -> i64 {
        self.open = self.open.min(1);
        self.end(now);
        self.milliseconds
    }
}

/// Milliseconds from one time to another; none when a clock was set back.
fn elapsed(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0)
}

/// Events on their way to a timeline.
pub(super) struct Fold {
    state: RunState,
    entries: Vec<Entry>,
    /// The entry of each stage's last attempt.
    last: Vec<Option<usize>>,
    /// Since when each stage has been waiting.
    waits: Vec<Option<Timestamp>>,
    waiting: Stretch,
    paused: Stretch,
}

impl Fold {
    pub(super) fn new(journal: &Journal) -> Option<Self> {
        let first = journal.records.first()?;
        let Event::RunCreated(start) = first.events.first()? else { return None };
        Some(Self {
            state: RunState::new((**start).clone(), first.at),
            entries: Vec::new(),
            last: Vec::new(),
            waits: Vec::new(),
            waiting: Stretch::default(),
            paused: Stretch::default(),
        })
    }

    pub(super) fn event(&mut self, event: &Event, at: Timestamp) {
        self.state.apply(event, at);
        match event {
            Event::RunCreated(start) => self.note("created", None, Some(&start.by), event, at),
            Event::StageStarted { stage, attempt, .. } => self.started(*stage, *attempt, at),
            Event::StageExpanded { stage, .. } => {
                let attempt = self.state.stages.get(*stage).map_or(1, |stage| stage.attempt);
                self.started(*stage, attempt, at);
            }
            Event::StageGathered { stage } => self.ended(*stage, AttemptOutcome::Completed, at, |_| {}),
            Event::StageCompleted { stage, change_set, plugin, usage, answered_by, .. } => {
                let answered_by = answered_by.clone();
                let files = change_set.as_ref().map(files).unwrap_or_default();
                self.ended(*stage, AttemptOutcome::Completed, at, |attempt| {
                    attempt.answered_by = answered_by;
                    attempt.usage = attempt.usage.plus(*usage);
                    attempt.files = files;
                });
                self.ran_by(*stage, plugin.as_ref());
            }
            Event::StageWaiting { stage, plugin, usage, .. } => {
                self.stands(*stage, AttemptOutcome::Waiting, at);
                self.change(*stage, |attempt| attempt.usage = *usage);
                self.ran_by(*stage, plugin.as_ref());
            }
            Event::StageFailed { stage, failure, plugin, usage, answered_by, .. } => {
                if !self.is_open(*stage) {
                    return self.note("stage_failed", Some(*stage), None, event, at);
                }
                self.ended(*stage, AttemptOutcome::Failed, at, |attempt| {
                    attempt.failure = Some(failure.clone());
                    attempt.answered_by.clone_from(answered_by);
                    attempt.usage = attempt.usage.plus(*usage);
                });
                self.ran_by(*stage, plugin.as_ref());
            }
            Event::StageSkipped { stage, .. } => self.note("stage_skipped", Some(*stage), None, event, at),
            Event::ChangesApplied { stage } => self.ended(*stage, AttemptOutcome::Completed, at, |attempt| {
                attempt.failure = None;
                attempt.files.iter_mut().for_each(|file| file.written = true);
            }),
            Event::ChangesConflicted { stage, failure, reverted } => {
                self.stands(*stage, AttemptOutcome::Conflict, at);
                self.change(*stage, |attempt| attempt.failure = Some(failure.clone()));
                for stage in reverted {
                    self.ended(*stage, AttemptOutcome::Reverted, at, |_| {});
                }
                self.note("conflict", Some(*stage), None, event, at);
            }
            Event::StageSentBack { stage, by, .. } => {
                self.ended(*stage, AttemptOutcome::SentBack, at, |attempt| {
                    attempt.answered_by = Some(by.clone());
                });
                self.close_what_goes_back(at);
                self.note("sent_back", Some(*stage), Some(by), event, at);
            }
            Event::RetryRequested { by, .. } => {
                self.close_what_goes_back(at);
                self.note("retry_requested", None, Some(by), event, at);
            }
            Event::PauseRequested { by } => self.note("pause_requested", None, Some(by), event, at),
            Event::RunPaused => {
                self.paused.begin(at);
                self.note("paused", None, None, event, at);
            }
            Event::RunResumed { by } => {
                self.paused.end(at);
                self.note("resumed", None, Some(by), event, at);
            }
            // The stages that wait say so themselves.
            Event::RunWaiting => {}
            Event::RunCompleted { .. } => self.over("completed", None, event, at),
            Event::RunFailed { .. } => self.over("failed", None, event, at),
            Event::RunCancelled { by } => self.over("cancelled", Some(by), event, at),
        }
    }

    /// Attempts that waited for somebody when their stages went back to pending are over.
    fn close_what_goes_back(&mut self, at: Timestamp) {
        for stage in 0..self.last.len() {
            let pending = |stage: &StageState| stage.status == StageStatus::Pending;
            if self.is_open(stage) && self.state.stages.get(stage).is_some_and(pending) {
                self.ended(stage, AttemptOutcome::Cancelled, at, |_| {});
            }
        }
    }

    fn note(&mut self, name: &str, stage: Option<usize>, by: Option<&Actor>, event: &Event, at: Timestamp) {
        let text = words::of(&self.state, event).1;
        let stage = stage.map(|stage| self.name(stage));
        self.entries.push(Entry::Event(RunEvent {
            at,
            event: name.to_owned(),
            stage,
            by: by.cloned(),
            text,
        }));
    }

    fn name(&self, stage: usize) -> String {
        self.state.stages.get(stage).map(|stage| stage.name.clone()).unwrap_or_default()
    }

    fn started(&mut self, stage: usize, attempt: u32, at: Timestamp) {
        // The run of a sub-workflow that waited goes on: the same attempt.
        if self.is_open(stage) && self.number(stage) == Some(attempt) {
            self.goes_on(stage, at);
            return;
        }
        // An attempt that is still open here was taken back by an event of its own kind.
        self.ended(stage, AttemptOutcome::Reverted, at, |_| {});
        let entry = Attempt {
            stage: self.name(stage),
            attempt,
            started_at: at,
            ended_at: None,
            duration_milliseconds: 0,
            waiting_milliseconds: 0,
            outcome: AttemptOutcome::Running,
            failure: None,
            answered_by: None,
            plugin: None,
            usage: Usage::default(),
            files: Vec::new(),
        };
        if self.last.len() <= stage {
            self.last.resize(stage + 1, None);
            self.waits.resize(stage + 1, None);
        }
        self.last[stage] = Some(self.entries.len());
        self.entries.push(Entry::Attempt(Box::new(entry)));
    }

    /// The number of a stage's last attempt.
    fn number(&self, stage: usize) -> Option<u32> {
        match self.entries.get(self.last.get(stage).copied().flatten()?)? {
            Entry::Attempt(attempt) => Some(attempt.attempt),
            Entry::Event(_) => None,
        }
    }

    fn goes_on(&mut self, stage: usize, at: Timestamp) {
        let waited = self.waits.get_mut(stage).and_then(Option::take).map(|since| elapsed(since, at));
        if waited.is_some() {
            self.waiting.end(at);
        }
        self.change(stage, |attempt| {
            attempt.waiting_milliseconds += waited.unwrap_or(0);
            attempt.outcome = AttemptOutcome::Running;
        });
    }

    /// Changes a stage's last attempt, if there was one.
    fn change(&mut self, stage: usize, change: impl FnOnce(&mut Attempt)) {
        if let Some(position) = self.last.get(stage).copied().flatten()
            && let Some(Entry::Attempt(attempt)) = self.entries.get_mut(position)
        {
            change(attempt);
        }
    }

    fn is_open(&self, stage: usize) -> bool {
        let position = self.last.get(stage).copied().flatten();
        let entry = position.and_then(|position| self.entries.get(position));
        matches!(entry, Some(Entry::Attempt(attempt)) if attempt.outcome.is_open())
    }

    fn ran_by(&mut self, stage: usize, plugin: Option<&PluginUsed>) {
        if let Some(plugin) = plugin {
            self.change(stage, |attempt| attempt.plugin = Some(plugin.clone()));
        }
    }

    /// A stage's last attempt can't go on without somebody.
    fn stands(&mut self, stage: usize, outcome: AttemptOutcome, at: Timestamp) {
        if let Some(wait) = self.waits.get_mut(stage)
            && wait.is_none()
        {
            *wait = Some(at);
            self.waiting.begin(at);
        }
        self.change(stage, |attempt| {
            attempt.outcome = outcome;
            attempt.ended_at = None;
        });
    }

    /// A stage's last attempt is over, if it was open; what else is known of it is added in any case but a revert.
    fn ended(
        &mut self,
        stage: usize,
        outcome: AttemptOutcome,
        at: Timestamp,
        more: impl FnOnce(&mut Attempt),
    ) {
        let waited = self.waits.get_mut(stage).and_then(Option::take).map(|since| elapsed(since, at));
        if waited.is_some() {
            self.waiting.end(at);
        }
        self.change(stage, |attempt| {
            attempt.waiting_milliseconds += waited.unwrap_or(0);
            if attempt.outcome.is_open() {
                attempt.outcome = outcome;
                attempt.ended_at = Some(at);
            }
            more(attempt);
        });
    }

    fn over(&mut self, name: &str, by: Option<&Actor>, event: &Event, at: Timestamp) {
        for stage in 0..self.last.len() {
            if self.is_open(stage) {
                self.ended(stage, AttemptOutcome::Cancelled, at, |_| {});
            }
        }
        self.paused.end(at);
        self.note(name, None, by, event, at);
    }

    pub(super) fn finish(mut self, status: ShownStatus, now: Timestamp) -> Timeline {
        for stage in 0..self.last.len() {
            let waited = self.waits[stage].map_or(0, |since| elapsed(since, now));
            self.change(stage, |attempt| attempt.waiting_milliseconds += waited);
        }
        let mut totals = Totals::default();
        for entry in &mut self.entries {
            let Entry::Attempt(attempt) = entry else { continue };
            attempt.duration_milliseconds = elapsed(attempt.started_at, attempt.ended_at.unwrap_or(now));
            totals.attempts += 1;
            totals.failed_attempts += u64::from(attempt.outcome == AttemptOutcome::Failed);
            totals.files_written += attempt.files.iter().filter(|file| file.written).count() as u64;
            totals.usage = totals.usage.plus(attempt.usage);
        }
        totals.wall_milliseconds = elapsed(self.state.created_at, self.state.ended_at.unwrap_or(now));
        totals.waiting_milliseconds = self.waiting.total(now);
        totals.paused_milliseconds = self.paused.total(now);
        Timeline {
            id: self.state.start.run,
            workflow: self.state.start.workflow,
            definition: self.state.start.definition,
            origin: self.state.start.origin,
            status,
            entries: self.entries,
            totals,
            pruned: false,
        }
    }
}

fn files(changes: &ChangeSet) -> Vec<TouchedFile> {
    let touched = |change: &FileChange| TouchedFile {
        path: change.path.to_string(),
        sha256: change.after.clone(),
        written: false,
    };
    changes.files.iter().map(touched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_core::run::{Content, Failure, NewRun, ProjectPath, Question, RunOptions, Writer, read};
    use serde_json::json;

    /// A time so many seconds after the start.
    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("a time")
    }

    fn tester() -> Actor {
        Actor { user: "tester".into(), process: 1 }
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
            [
                ("a".into(), 1, AttemptOutcome::Conflict, 5, 3),
                ("b".into(), 1, AttemptOutcome::Reverted, 1, 0)
            ]
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
                (10, vec![Event::RunCancelled { by: tester() }]),
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
}
