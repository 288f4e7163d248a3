//! Shows a run while it happens: lines for people on standard error, events for programs on standard output. On a
//! terminal, what stages say they are doing is one line that changes; the run's log has all of it.

use std::collections::BTreeMap;

use docket_core::Timestamp;
use docket_core::run::{Event, Notice, RunState};

use super::args::Output;
use super::ui::Ui;
use super::wire::EventLine;
use crate::engine::Observer;
use crate::report::live::{self, Doing};

/// How long a stage may be silent before it is shown that it is at work, in milliseconds.
const SILENCE: i64 = 1_000;

/// Shows a run through a [`Ui`].
pub(super) struct Shown<'a> {
    ui: &'a mut Ui,
    /// The stages at work, by name.
    at_work: BTreeMap<String, Doing>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(ui: &'a mut Ui) -> Self {
        Self { ui, at_work: BTreeMap::new() }
    }

    /// Shows what the stage that spoke last is doing.
    fn show_live(&mut self) {
        let now = Timestamp::now();
        if let Some(text) = live::doing(&self.at_work, now, Ui::live_columns()) {
            self.ui.show_live(&text);
        }
    }
}

impl Observer for Shown<'_> {
    fn event(&mut self, state: &RunState, event: &Event, at: Timestamp) {
        match self.ui.output() {
            Output::Human => live::event(state, event, at).iter().for_each(|line| self.ui.line(line)),
            // A reader that went away is noticed at the end; the run goes on.
            Output::Jsonl => drop(self.ui.json(&EventLine::of(state, event, at), false)),
            Output::Json => {}
        }
        if let Some(stage) = event.stage().and_then(|stage| state.stages.get(stage)) {
            if stage.is_executing() {
                self.at_work.insert(stage.name.clone(), Doing::since(at));
            } else {
                self.at_work.remove(&stage.name);
            }
        }
        if state.status.is_over() {
            self.at_work.clear();
        }
    }

    fn notice(&mut self, stage: &str, notice: &Notice) {
        let is_crowded = self.at_work.len() > 1;
        if let Some(doing) = self.at_work.get_mut(stage) {
            doing.hear(notice, Timestamp::now());
        }
        match notice {
            Notice::Progress(_) if self.ui.has_live_line() => self.show_live(),
            notice if self.ui.output() == Output::Human => {
                if let Some(line) = live::notice(is_crowded.then_some(stage), notice) {
                    self.ui.line(&line);
                }
            }
            _ => {}
        }
    }

    fn notify(&mut self, message: &str) {
        match self.ui.output() {
            Output::Human => drop(self.ui.data(message)),
            // With JSON on standard output, the message would spoil it.
            Output::Json | Output::Jsonl => self.ui.say(message),
        }
    }

    fn idle(&mut self, _: &RunState) {
        let now = Timestamp::now().as_millisecond();
        let is_worth_it = |doing: &Doing| doing.has_spoken() || now - doing.since.as_millisecond() > SILENCE;
        if self.at_work.values().any(is_worth_it) {
            self.show_live();
        }
    }
}
