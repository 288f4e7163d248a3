//! Plays the machine around a run: feeds inputs that bytes choose, and holds what is decided to what must hold. Whether
//! a run is any good is not its business: only that its rules keep together.

use std::collections::VecDeque;

use docket_core::Budget;
use docket_core::definition::{Workflow, render_prompt};
use docket_core::run::{
    Decision, Effect, Ending, Failure, Input, NewRun, Question, RunStages, RunState, StageStatus, Usage,
    Writer, create, decide, output_files, read, scope, task,
};
use serde_json::{Value, json};

use crate::sample::{at, change_set, me, plugin};

/// Most inputs that one run is fed.
const MOST_INPUTS: usize = 40;

/// A run with its journal.
pub(crate) struct Run<'a> {
    workflow: &'a Workflow,
    state: RunState,
    writer: Writer,
    /// Its journal so far.
    pub(crate) journal: Vec<u8>,
    running: VecDeque<(usize, u32)>,
    applying: VecDeque<usize>,
    seconds: u32,
}

impl<'a> Run<'a> {
    /// A new run.
    pub(crate) fn start(workflow: &'a Workflow, start: NewRun) -> Self {
        let (state, decision) = create(workflow, start, at(0));
        let mut run = Self::of(workflow, state, Writer::default(), Vec::new());
        run.take(&decision);
        run
    }

    /// A run that goes on after its journal was read.
    pub(crate) fn go_on(workflow: &'a Workflow, state: RunState, writer: Writer, journal: Vec<u8>) -> Self {
        Self::of(workflow, state, writer, journal)
    }

    fn of(workflow: &'a Workflow, state: RunState, writer: Writer, journal: Vec<u8>) -> Self {
        let (running, applying) = (VecDeque::new(), VecDeque::new());
        Self { workflow, state, writer, journal, running, applying, seconds: 0 }
    }

    /// Feeds it what the bytes choose, then reads its journal again: it must lead to the same state.
    pub(crate) fn drive(&mut self, choices: &[u8]) {
        for choice in choices.iter().take(MOST_INPUTS) {
            let (kind, which) = (choice % 16, usize::from(choice / 16));
            if let Some(input) = self.input(kind, which) {
                self.feed(input);
            }
        }
        self.look();
        let journal = read(&self.journal).expect("what was recorded is a sound journal");
        assert_eq!(journal.state().as_ref(), Some(&self.state), "the journal leads to another state");
    }

    fn input(&mut self, kind: u8, which: usize) -> Option<Input> {
        let by = me();
        let named = |which: usize| {
            let names: Vec<&str> = self.state.current_stages().map(|(_, now)| now.name.as_str()).collect();
            Some((*names.get(which.checked_rem(names.len())?)?).to_owned())
        };
        let list = json!({ "list": [1, 2], "blockers": [], "approved": true, "assessment": "APPROVE" });
        Some(match kind {
            0..=4 => {
                let (stage, attempt) = self.running.pop_front()?;
                let set = change_set(&format!("docs/{which}.md"), "text").filter(|_| which.is_multiple_of(3));
                let ending = match kind {
                    0 | 1 => Ending::Completed { result: list, change_set: set },
                    2 => Ending::Completed { result: Value::from(which), change_set: None },
                    3 => Ending::Waiting(Question { prompt: "?".into(), schema: None }),
                    _ => Ending::Failed(Failure::new("x", "broke")),
                };
                let usage =
                    Usage { input_tokens: Some(u64::MAX / 2), cost_usd: Some(0.5), ..Usage::default() };
                Input::StageEnded { stage, attempt, ending, plugin: Some(plugin()), usage }
            }
            5 => Input::Applied { stage: self.applying.pop_front()? },
            6 => Input::ApplyFailed {
                stage: self.applying.pop_front()?,
                failure: Failure::new("c", "conflict"),
            },
            7 => Input::Answer { stage: named(which), value: list, by },
            8 => Input::Approve { stage: named(which), comment: None, form: None, by },
            9 => Input::Reject { stage: named(which), to: named(which / 3), comment: Some("no".into()), by },
            10 => Input::Retry { from: named(which).filter(|_| which > 2), budget: Budget::default(), by },
            11 => Input::Tick,
            12 => Input::ChildChanged { stage: named(which)?, attempt: 1 },
            13 => Input::Pause { by },
            14 => Input::Resume { by },
            _ if which > 12 => Input::Cancel { by, used: Vec::new() },
            _ => Input::Answer { stage: None, value: list, by },
        })
    }

    fn feed(&mut self, input: Input) {
        self.seconds += 1;
        let before = self.state.clone();
        match decide(self.workflow, &mut self.state, input, at(self.seconds)) {
            Ok(decision) => {
                let mut folded = before;
                decision.events.iter().for_each(|event| folded.apply(event, at(self.seconds)));
                assert_eq!(folded, self.state, "the events lead to another state than was decided on");
                self.take(&decision);
            }
            Err(refusal) => {
                assert_eq!(before, self.state, "a refusal changes nothing: {refusal}");
            }
        }
    }

    fn take(&mut self, decision: &Decision) {
        if !decision.events.is_empty() {
            let line = self.writer.line(at(self.seconds), &decision.events).expect("events are JSON");
            self.journal.extend(line.into_bytes());
        }
        for effect in &decision.effects {
            match effect {
                Effect::Execute { stage, attempt } => {
                    let now = &self.state.stages[*stage];
                    assert_eq!(now.attempt, *attempt, "what is executed is the attempt at hand");
                    assert_eq!(now.status, StageStatus::Running, "what is executed runs");
                    self.running.push_back((*stage, *attempt));
                }
                Effect::Apply { stage } => self.applying.push_back(*stage),
                Effect::Notify { .. } => {}
            }
        }
        if self.state.status.is_over() {
            self.running.clear();
        }
    }

    /// Everything that is looked at when a run goes on or is shown.
    fn look(&self) {
        for position in 0..self.state.stages.len() {
            for file in output_files(self.workflow, &self.state, position) {
                let inside = !file.path.starts_with('/') && !file.path.split('/').any(|part| part == "..");
                assert!(inside, "an output leaves the run's folder: {:?}", file.path);
            }
            if let Ok(task) = task(self.workflow, &self.state, position) {
                assert_eq!(task.stage, position);
                // A template that can't be rendered with this little is an error, and nothing worse.
                for template in self.workflow.templates.values() {
                    let _ = render_prompt("t.md", template, &json!({ "date": "2026-01-02", "inputs": {} }));
                }
            }
        }
        let stages = RunStages { workflow: self.workflow, state: &self.state };
        assert_eq!(scope(&stages).facts.workflow_id, self.state.start.run);
    }
}
