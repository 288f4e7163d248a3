//! A run being tested: its state, its journal, and the effects of the last decision. Every decision is checked for what
//! holds for all of them, so that the tests need not say it.

use docket_core::Budget;
use docket_core::definition::Workflow;
use docket_core::run::{
    Actor, Decision, Effect, Ending, Event, Failure, Input, NewRun, PluginUsed, Question, Refusal, RunState,
    StageState, StageTask, Usage, Writer, create, decide, read, task,
};
use serde_json::{Value, json};

pub(crate) use crate::common::me;
use crate::common::{at, change_set, new_run, plugin, workflow};

/// Three stages, one after the other.
pub(crate) const THREE: &str = "name: T\nversion: 1\nstages:\n  - { name: one, type: work }\n  - { name: two, type: storage }\n  - { name: three, type: work }\n";

pub(crate) struct Run {
    pub(crate) workflow: Workflow,
    pub(crate) state: RunState,
    pub(crate) effects: Vec<Effect>,
    pub(crate) seconds: i64,
    writer: Writer,
    journal: Vec<u8>,
}

impl Run {
    pub(crate) fn start(text: &str) -> Self {
        Self::start_with(text, |_| ())
    }

    pub(crate) fn start_with(text: &str, change: impl FnOnce(&mut NewRun)) -> Self {
        let workflow = workflow(text);
        let mut start = new_run(&workflow, text);
        change(&mut start);
        let (state, decision) = create(&workflow, start, at(0));
        assert!(decision.durable);
        let mut run = Self {
            workflow,
            state,
            effects: decision.effects,
            seconds: 0,
            writer: Writer::default(),
            journal: Vec::new(),
        };
        run.record(&decision.events);
        run
    }

    /// Starts a run of stages, each given as what stands between its braces.
    pub(crate) fn of(stages: &[&str]) -> Self {
        Self::at_once(4, stages)
    }

    /// The same, with so many stages at once.
    pub(crate) fn at_once(max_parallel: usize, stages: &[&str]) -> Self {
        let stages: String = stages.iter().map(|stage| format!("  - {{ {stage} }}\n")).collect();
        Self::start(&format!("name: T\nversion: 1\nmax_parallel: {max_parallel}\nstages:\n{stages}"))
    }

    fn record(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let line = self.writer.line(at(self.seconds), events).expect("events are JSON");
        self.journal.extend(line.into_bytes());
        let state = read(&self.journal).expect("a sound journal").state().expect("a state");
        assert_eq!(state, self.state, "the journal alone must lead to the same state");
    }

    pub(crate) fn try_feed(&mut self, input: Input) -> Result<Decision, Refusal> {
        self.seconds += 1;
        let before = self.state.clone();
        let decision = decide(&self.workflow, &mut self.state, input, at(self.seconds));
        match &decision {
            Ok(decision) => {
                self.effects.clone_from(&decision.effects);
                self.record(&decision.events);
            }
            Err(_) => assert_eq!(before, self.state, "a refusal must change nothing"),
        }
        decision
    }

    pub(crate) fn feed(&mut self, input: Input) -> Decision {
        self.try_feed(input).expect("not refused")
    }

    pub(crate) fn refused(&mut self, input: Input) -> Refusal {
        self.try_feed(input).expect_err("refused")
    }

    pub(crate) fn end(&mut self, stage: usize, ending: Ending) -> Decision {
        let attempt = self.state.stages[stage].attempt;
        self.end_attempt(stage, attempt, ending)
    }

    pub(crate) fn end_attempt(&mut self, stage: usize, attempt: u32, ending: Ending) -> Decision {
        // What another workflow does no plugin does.
        let uses = self.workflow.stages[self.state.stages[stage].definition].uses.is_some();
        self.end_by(stage, attempt, ending, (!uses).then(plugin))
    }

    pub(crate) fn end_by(
        &mut self,
        stage: usize,
        attempt: u32,
        ending: Ending,
        plugin: Option<PluginUsed>,
    ) -> Decision {
        self.feed(Input::StageEnded { stage, attempt, ending, plugin, usage: Usage::default() })
    }

    pub(crate) fn complete(&mut self, stage: usize, result: Value) -> Decision {
        self.end(stage, Ending::Completed { result, change_set: None })
    }

    pub(crate) fn write(&mut self, stage: usize) -> Decision {
        let change_set = Some(change_set("docs/a.md", "text"));
        self.end(stage, Ending::Completed { result: json!({}), change_set })
    }

    pub(crate) fn fail(&mut self, stage: usize) -> Decision {
        self.end(stage, Ending::Failed(Failure::new("x", "broke")))
    }

    pub(crate) fn wait(&mut self, stage: usize) -> Decision {
        self.end(stage, wait(None))
    }

    /// Rejects with the comment "poor".
    pub(crate) fn reject(&mut self, stage: Option<&str>, to: Option<&str>) -> Result<Decision, Refusal> {
        self.try_feed(reject(stage, to, Some("poor")))
    }

    pub(crate) fn retry(&mut self, from: Option<&str>) -> Result<Decision, Refusal> {
        self.retry_with(from, Budget::default())
    }

    pub(crate) fn retry_with(&mut self, from: Option<&str>, budget: Budget) -> Result<Decision, Refusal> {
        self.try_feed(Input::Retry { from: from.map(str::to_owned), budget, by: me() })
    }

    /// So much later, the clock ticks.
    pub(crate) fn tick_after(&mut self, seconds: i64) -> Decision {
        self.seconds += seconds - 1;
        self.feed(Input::Tick)
    }

    pub(crate) fn statuses(&self) -> Vec<&'static str> {
        self.state.stages.iter().map(|stage| stage.status.name()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.state.stages.iter().map(|stage| stage.name.as_str()).collect()
    }

    pub(crate) fn stage(&self, name: &str) -> &StageState {
        &self.state.stages[self.position(name)]
    }

    pub(crate) fn position(&self, name: &str) -> usize {
        self.state.stages.iter().position(|stage| stage.name == name).expect("a stage of this name")
    }

    pub(crate) fn task(&self, name: &str) -> StageTask {
        task(&self.workflow, &self.state, self.position(name)).expect("a task")
    }

    /// The stages and attempts that the last decision wants executed.
    pub(crate) fn executions(&self) -> Vec<(&str, u32)> {
        let execution = |effect: &Effect| match effect {
            Effect::Execute { stage, attempt } => Some((self.state.stages[*stage].name.as_str(), *attempt)),
            _ => None,
        };
        self.effects.iter().filter_map(execution).collect()
    }
}

pub(crate) fn execute(stage: usize) -> Effect {
    Effect::Execute { stage, attempt: 1 }
}

pub(crate) fn wait(schema: Option<Value>) -> Ending {
    Ending::Waiting(Question { prompt: "?".into(), schema })
}

pub(crate) fn approve(stage: Option<&str>, comment: Option<&str>) -> Input {
    let (stage, comment) = (stage.map(str::to_owned), comment.map(str::to_owned));
    Input::Approve { stage, comment, form: None, by: me() }
}

pub(crate) fn reject(stage: Option<&str>, to: Option<&str>, comment: Option<&str>) -> Input {
    let own = |text: Option<&str>| text.map(str::to_owned);
    Input::Reject { stage: own(stage), to: own(to), comment: own(comment), by: me() }
}

pub(crate) fn somebody_else() -> Actor {
    Actor { user: "you".into(), process: 2, client: None }
}
