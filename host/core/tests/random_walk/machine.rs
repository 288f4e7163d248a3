//! The machine around the rules, played by a few lines: it does what effects say, keeps a journal, dies, and counts
//! what was executed. It decides nothing; what must hold is in `promises`.

use std::collections::{BTreeMap, BTreeSet};

use docket_core::Budget;
use docket_core::definition::Workflow;
use docket_core::run::{
    AttemptUsage, Decision, Effect, Ending, Event, Failure, Input, Question, RunState, StageState,
    StageStatus, Usage, Writer, create, decide, read,
};
use serde_json::json;

use crate::common::{at, change_set, me, new_run, plugin, workflow};
use crate::promises;
use crate::step::{How, Step, Then};

/// A journal, files, and what is being done.
pub(crate) struct Machine {
    pub(crate) workflow: Workflow,
    pub(crate) state: RunState,
    pub(crate) running: Vec<(usize, u32)>,
    journal: Vec<u8>,
    /// Length of the part of the journal that has surely reached the disk.
    durable: usize,
    writer: Writer,
    effects: Vec<Effect>,
    meddled: bool,
    /// Names and attempts of everything that was ever executed: what folders of processes are named by.
    executed: BTreeSet<(String, u32)>,
    /// Those that docket's death interrupted, or whose sub-workflow waits: they may be executed again.
    unfinished: BTreeSet<(String, u32)>,
    /// How many processes each attempt has started: what the folders of processes tell.
    pub(crate) processes: BTreeMap<(usize, u32), u64>,
    /// Attempts that were refused a process.
    refused: BTreeSet<(usize, u32)>,
    seconds: i64,
}

impl Machine {
    pub(crate) fn start(text: &str, budget: Budget) -> Self {
        let workflow = workflow(text);
        let mut start = new_run(&workflow, text);
        start.options.budget = budget;
        let (state, decision) = create(&workflow, start, at(0));
        let mut machine = Self {
            workflow,
            state,
            running: Vec::new(),
            journal: Vec::new(),
            durable: 0,
            writer: Writer::default(),
            effects: Vec::new(),
            meddled: false,
            executed: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            processes: BTreeMap::new(),
            refused: BTreeSet::new(),
            seconds: 0,
        };
        machine.record(&decision);
        machine.act();
        promises::check_standing(&machine);
        machine
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.take(step);
        self.act();
        if self.state.status.is_over() {
            self.running.clear();
        }
        promises::check_standing(self);
    }

    /// Nobody meddles with files any more.
    pub(crate) fn calm(&mut self) {
        self.meddled = false;
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::End { which, how } => self.end(*which, how),
            Step::Answer { which, value } => {
                let waiting = self.positions(|_, status| status == StageStatus::Waiting);
                if let Some(stage) = self.pick(&waiting, *which) {
                    let position = self.state.stages.iter().position(|now| now.name == stage);
                    let uses = position.is_some_and(|position| self.uses(position));
                    let answer = Input::Answer { stage: Some(stage), value: json!(value), by: me() };
                    assert_ne!(self.feed(answer), uses, "only what waits for its child takes no answer");
                }
            }
            Step::Approve { which } => self.approve(*which),
            Step::Reject { which, to } => self.reject(*which, *to),
            Step::Retry { from, more } => {
                let all = self.positions(|_, _| true);
                let from = from.and_then(|which| self.pick(&all, which));
                let launches = more.map(|more| self.processes.values().sum::<u64>() + more);
                let budget = Budget { launches, ..Budget::default() };
                let is_idle = !self.state.stages.iter().any(StageState::is_executing);
                let leaves_nothing = *more == Some(0) && is_idle && !self.processes.is_empty();
                let taken = self.feed(Input::Retry { from, budget, by: me() });
                assert!(!taken || !leaves_nothing, "a budget that leaves nothing is refused");
            }
            Step::Launch { which } => {
                let agents: Vec<(usize, u32)> =
                    self.running.iter().copied().filter(|(stage, _)| self.is_agent(*stage)).collect();
                if let Some(key) = which.checked_rem(agents.len()).map(|which| agents[which]) {
                    self.launch(key);
                }
            }
            Step::ChildChanged { which } => {
                let waiting = self.positions(|uses, status| uses && status == StageStatus::Waiting);
                if !waiting.is_empty() {
                    let now = &self.state.stages[waiting[which % waiting.len()]];
                    let (stage, attempt) = (now.name.clone(), now.attempt);
                    self.feed(Input::ChildChanged { stage, attempt });
                }
            }
            Step::Tick => {
                if let Some(due) = self.state.next_retry() {
                    while at(self.seconds + 1) < due {
                        self.seconds += 1;
                    }
                    self.feed(Input::Tick);
                }
            }
            Step::Pause => drop(self.feed(Input::Pause { by: me() })),
            Step::Resume if self.running.is_empty() => drop(self.feed(Input::Resume { by: me() })),
            Step::Resume => {}
            Step::Cancel => self.cancel(),
            Step::Meddle => self.meddled = !self.meddled,
            Step::Crash { loses, then } => self.crash(*loses, then),
        }
    }

    /// Positions of current stages, by whether they use a workflow and where they stand.
    fn positions(&self, which: impl Fn(bool, StageStatus) -> bool) -> Vec<usize> {
        let stages = self.state.current_stages();
        stages
            .filter(|(position, now)| which(self.uses(*position), now.status))
            .map(|(position, _)| position)
            .collect()
    }

    fn uses(&self, position: usize) -> bool {
        self.workflow.stages[self.state.stages[position].definition].uses.is_some()
    }

    /// Whether a stage asks an agent that is a process.
    pub(crate) fn is_agent(&self, position: usize) -> bool {
        self.workflow.stages[self.state.stages[position].definition].stage_type == "agent"
    }

    /// Starts a process for an attempt, unless the budget has no launch left.
    fn launch(&mut self, key: (usize, u32)) {
        let launched: u64 = self.processes.values().sum();
        if self.state.budget.launches.is_some_and(|most| launched >= most) {
            self.refused.insert(key);
        } else {
            *self.processes.entry(key).or_default() += 1;
        }
    }

    /// What an attempt has used: some agents cost something, all of them need tokens.
    fn usage(&self, key: (usize, u32)) -> Usage {
        let Some(launches) = self.processes.get(&key).copied() else { return Usage::default() };
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let cost_usd = key.0.is_multiple_of(2).then_some(launches as f64 / 10.0);
        Usage { input_tokens: Some(10 * launches), cost_usd, launches: Some(launches), ..Usage::default() }
    }

    fn cancel(&mut self) {
        // Those that docket left behind when it died included.
        let executing = self.state.stages.iter().enumerate().filter(|(_, stage)| stage.is_executing());
        let used = executing.map(|(stage, now)| AttemptUsage {
            stage,
            attempt: now.attempt,
            usage: self.usage((stage, now.attempt)),
        });
        let used = used.collect();
        self.feed(Input::Cancel { by: me(), used });
    }

    fn pick(&self, positions: &[usize], which: usize) -> Option<String> {
        let position = positions.get(which.checked_rem(positions.len())?)?;
        Some(self.state.stages[*position].name.clone())
    }

    fn waiting_for_approval(&self, which: usize) -> Option<String> {
        let waiting: Vec<usize> = self
            .positions(|_, status| status == StageStatus::Waiting)
            .into_iter()
            .filter(|position| {
                let definition = self.state.stages[*position].definition;
                self.workflow.stages[definition].stage_type == "approval"
            })
            .collect();
        self.pick(&waiting, which)
    }

    /// Approves, and again, and tries to take it back.
    fn approve(&mut self, which: usize) {
        let Some(stage) = self.waiting_for_approval(which) else { return };
        let approve = || Input::Approve {
            stage: Some(stage.clone()),
            comment: Some("fine".into()),
            form: None,
            by: me(),
        };
        assert!(self.feed(approve()), "an approval that was asked for is taken");
        let events = self.journal.len();
        assert!(self.feed(approve()), "the same again is no error");
        assert_eq!(events, self.journal.len(), "the same again changes nothing");
        let reject = Input::Reject { stage: Some(stage.clone()), to: None, comment: None, by: me() };
        assert!(!self.feed(reject), "the opposite is a conflict");
    }

    /// Rejects, and again, and tries to take it back.
    fn reject(&mut self, which: usize, to: Option<usize>) {
        let Some(stage) = self.waiting_for_approval(which) else { return };
        let all = self.positions(|_, _| true);
        let to = to.and_then(|which| self.pick(&all, which));
        let reject = || Input::Reject {
            stage: Some(stage.clone()),
            to: to.clone(),
            comment: Some("poor".into()),
            by: me(),
        };
        if !self.feed(reject()) {
            assert!(to.is_some(), "only where work is sent back to can be wrong");
            return;
        }
        let events = self.journal.len();
        let is_known =
            self.state.current_stages().any(|(_, now)| to.as_ref().is_none_or(|to| now.name == *to));
        // An item that another round does not have can't be named any more.
        if is_known && self.state.current_stages().any(|(_, now)| now.name == stage) {
            assert!(self.feed(reject()), "the same again is no error");
            assert_eq!(events, self.journal.len(), "the same again changes nothing");
        }
        let approve = Input::Approve { stage: Some(stage.clone()), comment: None, form: None, by: me() };
        assert!(!self.feed(approve), "the opposite is a conflict");
    }

    fn end(&mut self, which: usize, how: &How) {
        if self.running.is_empty() {
            return;
        }
        let (stage, attempt) = self.running.remove(which % self.running.len());
        let now = &self.state.stages[stage];
        let uses = self.workflow.stages[now.definition].uses.is_some();
        let key = (now.name.clone(), attempt);
        let list: Vec<usize> = match how {
            How::Well(found) => (0..*found).collect(),
            _ => Vec::new(),
        };
        let result = json!({ "stage": stage, "attempt": attempt, "list": list });
        let ending = match how {
            How::Well(_) => Ending::Completed { result, change_set: None },
            How::WithFiles if uses => Ending::Completed { result, change_set: None },
            How::WithFiles => Ending::Completed {
                result,
                change_set: Some(change_set(&format!("docs/{stage}.md"), "text")),
            },
            How::Waiting => Ending::Waiting(Question { prompt: "?".into(), schema: None }),
            How::Badly => Ending::Failed(Failure::new("x", "broke")),
            How::ForGood => Ending::Failed(Failure::new("not-granted", "not allowed")),
        };
        if !(uses && matches!(how, How::Waiting)) {
            self.unfinished.remove(&key);
        } else {
            self.unfinished.insert(key);
        }
        let plugin = (!uses).then(plugin);
        let is_refused = self.refused.contains(&(stage, attempt));
        let ending = if is_refused { Ending::OverBudget { below: None } } else { ending };
        let usage = self.usage((stage, attempt));
        self.feed(Input::StageEnded { stage, attempt, ending, plugin, usage });
    }

    /// Forgets everything, reads the journal, and goes on.
    fn crash(&mut self, loses: bool, then: &Then) {
        if loses {
            self.journal.truncate(self.durable);
        }
        let journal = read(&self.journal).expect("the journal is sound");
        let state = journal.state().expect("it begins with the start");
        if !loses {
            assert_eq!(state, self.state, "the journal leads to another state");
        }
        self.state = state;
        self.writer = journal.writer;
        self.effects.clear();
        for (stage, attempt) in std::mem::take(&mut self.running) {
            self.unfinished.insert((self.state.stages[stage].name.clone(), attempt));
        }
        if self.state.status.is_over() {
            return;
        }
        match then {
            Then::Resume => drop(self.feed(Input::Resume { by: me() })),
            Then::Cancel => self.cancel(),
            Then::Pause => {
                self.feed(Input::Pause { by: me() });
                self.feed(Input::Resume { by: me() });
            }
            Then::Told(step) => {
                self.feed(Input::Resume { by: me() });
                self.take(step);
            }
        }
    }

    /// Whether the input was taken.
    fn feed(&mut self, input: Input) -> bool {
        self.seconds += 1;
        let before = self.state.clone();
        match decide(&self.workflow, &mut self.state, input.clone(), at(self.seconds)) {
            Ok(decision) => {
                let mut folded = before.clone();
                decision.events.iter().for_each(|event| folded.apply(event, at(self.seconds)));
                assert_eq!(folded, self.state, "the events alone lead to another state");
                promises::check_decision(&self.workflow, &before, &self.state, &input, &decision);
                self.record(&decision);
                true
            }
            Err(_) => {
                assert_eq!(before, self.state, "a refusal changed something");
                false
            }
        }
    }

    fn record(&mut self, decision: &Decision) {
        if !decision.events.is_empty() {
            let line = self.writer.line(at(self.seconds), &decision.events).expect("events are JSON");
            self.journal.extend(line.into_bytes());
        }
        if decision.durable {
            self.durable = self.journal.len();
        }
        // A sub-workflow's stage that is looked at again goes on with what it began.
        for event in &decision.events {
            if let Event::StageStarted { stage, child: Some(_), attempt } = event {
                let key = (self.state.stages[*stage].name.clone(), *attempt);
                assert!(!self.executed.contains(&key) || self.unfinished.contains(&key), "{key:?} is over");
            }
        }
        self.effects.extend(decision.effects.iter().cloned());
    }

    /// Does what is to be done, in order, until only executed stages are left.
    fn act(&mut self) {
        while !self.effects.is_empty() {
            match self.effects.remove(0) {
                Effect::Apply { stage } if self.meddled => {
                    let failure = Failure::new("file-changed", "meddled with");
                    self.feed(Input::ApplyFailed { stage, failure });
                }
                Effect::Apply { stage } => drop(self.feed(Input::Applied { stage })),
                Effect::Execute { stage, attempt } => self.execute(stage, attempt),
                Effect::Notify { .. } => {}
            }
        }
    }

    fn execute(&mut self, stage: usize, attempt: u32) {
        let now = &self.state.stages[stage];
        let is_meant = now.is_executing() && now.attempt == attempt;
        // Resumed and then told something, a stage may be meant twice.
        if !is_meant || self.running.contains(&(stage, attempt)) {
            return;
        }
        assert!(self.running.iter().all(|(other, _)| *other != stage), "stage {stage} runs twice at once");
        let key = (now.name.clone(), attempt);
        let is_new = self.executed.insert(key.clone());
        assert!(is_new || self.unfinished.remove(&key), "{key:?} is executed again though it came to an end");
        self.running.push((stage, attempt));
        // What was started before docket died is taken up, not started again.
        if self.is_agent(stage) && !self.processes.contains_key(&(stage, attempt)) {
            self.launch((stage, attempt));
        }
    }
}
