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
            Event::StageStarted { stage, attempt, child } => {
                self.started(*stage, *attempt, at);
                self.change(*stage, |attempt| attempt.child.clone_from(child));
            }
            Event::StageExpanded { stage, items } => {
                let attempt = self.state.stages.get(*stage).map_or(1, |stage| stage.attempt);
                self.started(*stage, attempt, at);
                self.change(*stage, |attempt| attempt.items = Some(items.len()));
            }
            Event::StageGathered { stage } => self.ended(*stage, AttemptOutcome::Completed, at, |_| {}),
            Event::StageCompleted { stage, change_set, plugin, usage, answered_by, .. } => {
                let answered_by = answered_by.clone();
                let files = change_set.as_ref().map(files).unwrap_or_default();
                self.ended(*stage, AttemptOutcome::Completed, at, |attempt| {
                    attempt.answered_by = answered_by;
                    attempt.usage = used(attempt, *usage);
                    attempt.files = files;
                });
                self.ran_by(*stage, plugin.as_ref());
            }
            Event::StageWaiting { stage, plugin, usage, .. } => {
                self.stands(*stage, AttemptOutcome::Waiting, at);
                self.change(*stage, |attempt| attempt.usage = used(attempt, *usage));
                self.ran_by(*stage, plugin.as_ref());
            }
            Event::StageFailed { stage, failure, plugin, usage, answered_by, retry_at } => {
                if !self.is_open(*stage) {
                    return self.note("stage_failed", Some(*stage), None, event, at);
                }
                self.ended(*stage, AttemptOutcome::Failed, at, |attempt| {
                    attempt.failure = Some(failure.clone());
                    attempt.answered_by.clone_from(answered_by);
                    attempt.retry_at = *retry_at;
                    attempt.usage = used(attempt, *usage);
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
            Event::RunCancelled { by, used } => {
                for used in used {
                    self.change(used.stage, |attempt| attempt.usage = used.usage);
                }
                self.over("cancelled", Some(by), event, at);
            }
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
            retry_at: None,
            items: None,
            child: None,
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
            let is_one = attempt.items.is_none();
            totals.attempts += u64::from(is_one);
            totals.failed_attempts += u64::from(is_one && attempt.outcome == AttemptOutcome::Failed);
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

/// What an attempt has used when it reports this: the run of another workflow reports its sum each time.
fn used(attempt: &Attempt, reported: Usage) -> Usage {
    if attempt.child.is_some() && !reported.is_unknown() { reported } else { attempt.usage.plus(reported) }
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
mod tests;
