//! Shows a run while it happens: lines for people on standard error, events for programs on standard output.

use docket_core::Timestamp;
use docket_core::run::{Event, RunState};

use super::args::Output;
use super::ui::Ui;
use super::wire::EventLine;
use crate::engine::Observer;
use crate::report::live;
use docket_core::run::Notice;

/// Shows a run through a [`Ui`].
pub(super) struct Shown<'a> {
    ui: &'a mut Ui,
    activity: Option<(String, Timestamp)>,
    /// Whether several stages are at work, so that it must be said which one says something.
    is_crowded: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(ui: &'a mut Ui) -> Self {
        Self { ui, activity: None, is_crowded: false }
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
        self.is_crowded = state.stages.iter().filter(|stage| stage.is_executing()).count() > 1;
        self.activity = match event {
            Event::StageStarted { stage, .. } => Some((state.stages[*stage].name.clone(), at)),
            _ => self.activity.take(),
        };
    }

    fn notice(&mut self, stage: &str, notice: &Notice) {
        if let Notice::Progress(text) = notice {
            self.activity = Some((format!("{stage}: {text}"), Timestamp::now()));
        }
        if self.ui.output() == Output::Human
            && let Some(line) = live::notice(self.is_crowded.then_some(stage), notice)
        {
            self.ui.line(&line);
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
        if let Some((text, since)) = &self.activity {
            let seconds = (Timestamp::now().as_millisecond() - since.as_millisecond()) / 1000;
            if seconds > 0 {
                let text = format!("… {text} ({seconds}s)");
                self.ui.show_live(&text);
            }
        }
    }
}
