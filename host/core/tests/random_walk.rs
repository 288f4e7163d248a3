//! A random walk through the rules: whatever happens in whatever order, what was promised holds. The machine around
//! the rules is played by a few lines that do what effects say, fail at random, crash at random, and count.

mod common;

use std::collections::BTreeMap;

use common::{at, change_set, me, new_run, workflow};
use docket_core::definition::Workflow;
use docket_core::run::{
    Decision, Effect, Ending, Event, Failure, Input, Question, RunState, RunStatus, StageStatus, Usage,
    Writer, create, decide, read,
};
use proptest::prelude::*;
use serde_json::json;

/// What happens next, as far as it can.
#[derive(Debug, Clone)]
enum Step {
    /// The n-th running stage ends.
    End {
        which: usize,
        how: How,
    },
    /// The n-th waiting stage is answered.
    Answer {
        which: usize,
        value: u8,
    },
    Pause,
    Resume,
    Cancel,
    /// docket dies; everything but the journal is forgotten.
    Crash,
    /// Somebody changes a file, or changes it back.
    Meddle,
}

#[derive(Debug, Clone)]
enum How {
    Well,
    WithFiles,
    Waiting,
    Badly,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![4 => Just(How::Well), 4 => Just(How::WithFiles), 2 => Just(How::Waiting), 1 => Just(How::Badly)];
    prop_oneof![
        12 => (any::<usize>(), how).prop_map(|(which, how)| Step::End { which, how }),
        4 => (any::<usize>(), any::<u8>()).prop_map(|(which, value)| Step::Answer { which, value }),
        1 => Just(Step::Pause),
        3 => Just(Step::Resume),
        3 => Just(Step::Crash),
        2 => Just(Step::Meddle),
        1 => Just(Step::Cancel),
    ]
}

/// Five stages in random order of dependence, some of which may fail.
fn definition() -> impl Strategy<Value = String> {
    (proptest::collection::vec(any::<(u8, bool)>(), 2..6), 1_usize..4).prop_map(|(stages, parallel)| {
        let mut text = format!("name: T\nversion: 1\nmax_parallel: {parallel}\nstages:\n");
        for (position, (depends, may_fail)) in stages.iter().enumerate() {
            let before: Vec<String> =
                (0..position).filter(|other| depends & (1 << other) != 0).map(|other| format!("s{other}")).collect();
            let list = before.join(", ");
            text.push_str(&format!(
                "  - {{ name: s{position}, type: work, depends_on: [{list}], continue_on_error: {may_fail} }}\n"
            ));
        }
        text
    })
}

/// The machine: a journal, files, and what is being done.
struct Machine {
    workflow: Workflow,
    state: RunState,
    journal: Vec<u8>,
    writer: Writer,
    effects: Vec<Effect>,
    running: Vec<(usize, u32)>,
    meddled: bool,
    /// How often each stage's file was really written.
    written: BTreeMap<usize, u32>,
    seconds: i64,
}

impl Machine {
    fn start(text: &str) -> Self {
        let workflow = workflow(text);
        let (state, decision) = create(&workflow, new_run(&workflow, text), at(0));
        let mut machine = Self {
            workflow,
            state,
            journal: Vec::new(),
            writer: Writer::default(),
            effects: Vec::new(),
            running: Vec::new(),
            meddled: false,
            written: BTreeMap::new(),
            seconds: 0,
        };
        machine.record(&decision);
        machine.act();
        machine
    }

    fn record(&mut self, decision: &Decision) {
        if !decision.events.is_empty() {
            let line = self.writer.line(at(self.seconds), &decision.events).expect("events are JSON");
            self.journal.extend(line.into_bytes());
        }
        self.effects.extend(decision.effects.iter().cloned());
    }

    fn feed(&mut self, input: Input) {
        self.seconds += 1;
        let before = self.state.clone();
        match decide(&self.workflow, &mut self.state, input, at(self.seconds)) {
            Ok(decision) => {
                self.check(&before, &decision);
                self.record(&decision);
            }
            Err(_) => assert_eq!(before, self.state, "a refusal changed something"),
        }
    }

    /// Does what is to be done, in order, until only running stages are left.
    fn act(&mut self) {
        while !self.effects.is_empty() {
            match self.effects.remove(0) {
                Effect::Apply { stage } if self.meddled => {
                    self.feed(Input::ApplyFailed {
                        stage,
                        failure: Failure::new("file-changed", "meddled with"),
                    });
                }
                Effect::Apply { stage } => {
                    // Idempotent by hash, so a second time writes nothing.
                    self.written.entry(stage).or_insert(1);
                    self.feed(Input::Applied { stage });
                }
                Effect::Execute { stage, attempt } => {
                    let now = &self.state.stages[stage];
                    if now.status == StageStatus::Running && now.attempt == attempt {
                        assert!(
                            !self.running.contains(&(stage, attempt)),
                            "stage {stage} runs twice at once"
                        );
                        self.running.push((stage, attempt));
                    }
                }
                Effect::Notify { .. } => {}
            }
        }
    }

    /// What must hold for every decision.
    fn check(&self, before: &RunState, decision: &Decision) {
        for (position, (old, new)) in before.stages.iter().zip(&self.state.stages).enumerate() {
            if old.status == StageStatus::Completed && !old.changes_owed {
                assert_eq!(
                    (new.status, &new.result),
                    (StageStatus::Completed, &old.result),
                    "a finished stage changed"
                );
            }
            if new.status == StageStatus::Running && old.status != StageStatus::Running {
                for dependency in &self.workflow.stages[position].depends_on {
                    let status = self.state.stages[*dependency].status;
                    assert!(
                        status.is_over(),
                        "stage {position} started before {dependency}, which is {status:?}"
                    );
                }
            }
        }
        let running = self.state.stages.iter().filter(|stage| stage.status == StageStatus::Running).count();
        assert!(running <= self.workflow.max_parallel, "{running} stages run at once");
        if before.status.is_over() {
            assert!(decision.events.is_empty(), "something happened to a run that is over");
        }
        let over = self.state.status == RunStatus::Completed;
        assert!(
            !(over && self.state.stages.iter().any(|stage| stage.changes_owed)),
            "completed with files owed"
        );
        let starts: Vec<_> =
            decision.events.iter().filter(|event| matches!(event, Event::StageStarted { .. })).collect();
        let executes: Vec<_> =
            decision.effects.iter().filter(|effect| matches!(effect, Effect::Execute { .. })).collect();
        assert!(executes.len() >= starts.len(), "a stage was started and nobody runs it");
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::End { which, how } => self.end(which, &how),
            Step::Answer { which, value } => {
                let waiting: Vec<String> = self
                    .state
                    .stages
                    .iter()
                    .filter(|stage| stage.status == StageStatus::Waiting)
                    .map(|stage| stage.name.clone())
                    .collect();
                if !waiting.is_empty() {
                    let stage = Some(waiting[which % waiting.len()].clone());
                    self.feed(Input::Answer { stage, value: json!(value), by: me() });
                }
            }
            Step::Pause => self.feed(Input::Pause { by: me() }),
            Step::Resume if self.running.is_empty() => self.feed(Input::Resume { by: me() }),
            Step::Resume => {}
            Step::Cancel => self.feed(Input::Cancel { by: me() }),
            Step::Meddle => self.meddled = !self.meddled,
            Step::Crash => self.crash(),
        }
        self.act();
        if self.state.status.is_over() {
            self.running.clear();
        }
        self.check_liveness();
    }

    fn end(&mut self, which: usize, how: &How) {
        if self.running.is_empty() {
            return;
        }
        let (stage, attempt) = self.running.remove(which % self.running.len());
        let ending = match how {
            How::Well => Ending::Completed { result: json!({ "stage": stage }), change_set: None },
            How::WithFiles => Ending::Completed {
                result: json!({ "stage": stage }),
                change_set: Some(change_set(&format!("docs/{stage}.md"), "text")),
            },
            How::Waiting => Ending::Waiting(Question { prompt: "?".into(), schema: None }),
            How::Badly => Ending::Failed(Failure::new("x", "broke")),
        };
        self.feed(Input::StageEnded { stage, attempt, ending, plugin: None, usage: Usage::default() });
    }

    /// Forgets everything, reads the journal, and goes on.
    fn crash(&mut self) {
        let journal = read(&self.journal).expect("the journal is sound");
        let state = journal.state().expect("it begins with the start");
        assert_eq!(state, self.state, "the journal leads to another state");
        self.state = state;
        self.writer = journal.writer;
        self.effects.clear();
        self.running.clear();
        if !self.state.status.is_over() {
            self.feed(Input::Resume { by: me() });
        }
    }

    /// A run never just stands there: it is over, waits for somebody, is paused, or something is being done.
    fn check_liveness(&self) {
        let started: Vec<usize> = self
            .state
            .stages
            .iter()
            .enumerate()
            .filter(|(_, stage)| stage.status == StageStatus::Running)
            .map(|(position, _)| position)
            .collect();
        let mut running: Vec<usize> = self.running.iter().map(|(stage, _)| *stage).collect();
        running.sort_unstable();
        if !self.state.status.is_over() {
            assert_eq!(started, running, "recorded as running, and what really runs");
        }
        if self.state.status == RunStatus::Running {
            assert!(!running.is_empty(), "running, and nothing is being done: {:#?}", self.state.stages);
        }
        assert!(self.written.values().all(|times| *times == 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_promises_hold(
        text in definition(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut machine = Machine::start(&text);
        machine.check_liveness();
        for step in steps {
            machine.step(step);
        }
    }

    /// Left alone, every run comes to an end.
    #[test]
    fn every_run_ends(text in definition(), steps in proptest::collection::vec(step(), 0..30)) {
        let mut machine = Machine::start(&text);
        for step in steps {
            machine.step(step);
        }
        machine.meddled = false;
        for _ in 0..100 {
            if machine.state.status.is_over() {
                break;
            }
            machine.step(Step::End { which: 0, how: How::Well });
            machine.step(Step::Answer { which: 0, value: 1 });
            if machine.state.status != RunStatus::Running {
                machine.step(Step::Resume);
            }
        }
        prop_assert!(machine.state.status.is_over(), "{:?}", machine.state.status);
    }
}
