//! Budgets: what is not started, what is stopped, and how a run goes on that was given more.

use docket_core::run::{AttemptUsage, Ending, Event, Failure, Input, Refusal, RunStatus, Shortage, Usage};
use docket_core::{Budget, Dollars};
use serde_json::json;

use crate::common::plugin;
use crate::run::{Run, me};

/// An agent that is a process.
const AGENT: &str = "type: agent, launcher: shell, config: { prompt_template: ask.md }";

fn dollars(number: f64) -> Option<Dollars> {
    Some(Dollars::of(number).expect("an amount"))
}

fn usd(number: f64) -> Budget {
    Budget { usd: dollars(number), ..Budget::default() }
}

fn launches(number: u64) -> Budget {
    Budget { launches: Some(number), ..Budget::default() }
}

fn cost(number: f64) -> Usage {
    Usage { cost_usd: Some(number), launches: Some(1), ..Usage::default() }
}

/// Stages, each as what stands between its braces, in a run with this budget.
fn run_with(budget: Budget, stages: &[&str]) -> Run {
    let stages: String = stages.iter().map(|stage| format!("  - {{ {stage} }}\n")).collect();
    let text = format!("name: T\nversion: 1\nstages:\n{stages}");
    Run::start_with(&text, |start| {
        start.options.budget = budget;
        start.idle_launchers = vec!["manual".into()];
    })
}

fn agent(name: &str, more: &str) -> String {
    format!("name: {name}, {AGENT}{more}")
}

impl Run {
    fn use_up(&mut self, stage: usize, usage: Usage, ending: Ending) {
        let attempt = self.state.stages[stage].attempt;
        self.feed(Input::StageEnded { stage, attempt, ending, plugin: Some(plugin()), usage });
    }

    fn do_for(&mut self, stage: usize, usage: Usage) {
        self.use_up(stage, usage, Ending::Completed { result: json!({}), change_set: None });
    }

    #[track_caller]
    fn exhausted(&self, stage: &str) -> &Failure {
        let failure = self.stage(stage).failure.as_ref().expect("it failed");
        assert_eq!(failure.code, "budget-exhausted");
        failure
    }
}

#[test]
fn an_agent_is_not_started_when_nothing_is_left_and_goes_on_when_there_is_more() {
    let mut run = run_with(usd(1.0), &[&agent("one", ""), &agent("two", ""), "name: last, type: work"]);
    run.do_for(0, cost(1.25));
    assert_eq!(
        (run.state.status, run.statuses()),
        (RunStatus::Failed, vec!["completed", "failed", "pending"])
    );
    let failure = run.exhausted("two");
    assert_eq!(failure.message, "the budget of run wf-aaaaaa is used up: $1.25 of $1.00; it was not started");
    let hint = failure.hint.as_deref().expect("a hint");
    assert!(hint.contains("`docket workflow retry wf-aaaaaa --budget-usd 2.5`"), "{hint}");
    assert_eq!(run.stage("two").attempt, 0, "it never was");

    let refused = run.retry_with(None, usd(1.2)).expect_err("that is less than was used");
    assert!(matches!(refused, Refusal::BudgetTooSmall { .. }), "{refused}");
    assert!(refused.to_string().contains("$1.25 of $1.20"), "{refused}");
    run.retry_with(None, usd(2.0)).expect("there is more");
    assert_eq!(run.executions(), [("two", 1)]);
    run.do_for(1, cost(0.5));
    run.complete(2, json!({}));
    assert_eq!(run.state.status, RunStatus::Completed);
    assert_eq!(run.state.spending.total().cost_usd, Some(1.75));
    assert_eq!(run.state.budget, usd(2.0));
}

#[test]
fn only_what_starts_a_process_asks_the_budget() {
    let manual = "name: asked, type: agent, launcher: manual, config: { prompt_template: ask.md }";
    let mut run = run_with(launches(1), &[&agent("one", ""), "name: work, type: work", manual]);
    run.do_for(0, cost(0.0));
    assert_eq!(run.executions(), [("work", 1)]);
    run.complete(1, json!({}));
    assert_eq!(run.executions(), [("asked", 1)]);
}

#[test]
fn launches_that_others_may_take_are_waited_for() {
    let side = |name: &str| agent(name, ", depends_on: [], continue_on_error: true");
    let mut run = run_with(launches(2), &[&side("a"), &side("b"), &side("c")]);
    assert_eq!(run.statuses(), ["running", "running", "pending"], "two are left for three");
    // The first one took both.
    run.do_for(0, Usage { launches: Some(2), ..Usage::default() });
    assert_eq!(run.statuses(), ["completed", "running", "failed"]);
    assert!(run.exhausted("c").message.contains("2 of 2 launches"));
    run.use_up(1, Usage::default(), Ending::OverBudget { below: None });
    assert!(run.exhausted("b").message.ends_with("2 of 2 launches; it was stopped"));
    assert_eq!(run.state.status, RunStatus::Completed, "the definition allows for it");
}

#[test]
fn an_agent_that_was_stopped_failed_and_what_it_used_is_kept() {
    let retry = ", retry: { max_attempts: 5, backoff: 0 }";
    let tokens = Budget { tokens: Some(100), ..usd(9.0) };
    let mut run = run_with(tokens, &[&agent("one", retry)]);
    let used = Usage { input_tokens: Some(80), cached_tokens: Some(15), output_tokens: Some(6), ..cost(0.5) };
    run.use_up(0, used, Ending::OverBudget { below: None });
    assert_eq!(run.state.status, RunStatus::Failed, "it is not tried again by itself");
    let failure = run.exhausted("one");
    assert_eq!(failure.message, "the budget of run wf-aaaaaa is used up: 101 of 100 tokens; it was stopped");
    assert!(
        failure.hint.as_deref().is_some_and(|hint| hint.contains(" --budget-tokens 202`")),
        "{failure:?}"
    );
    assert_eq!(run.stage("one").usage, used);
    assert!(run.state.failure.as_ref().is_some_and(|failure| failure.code == "budget-exhausted"));
    run.retry_with(None, Budget { tokens: Some(300), ..Budget::default() }).expect("more");
    assert_eq!(run.executions(), [("one", 2)]);
    assert_eq!(run.state.budget, Budget { tokens: Some(300), ..usd(9.0) });
    assert_eq!(run.stage("one").usage, Usage::default(), "of this attempt");
    assert_eq!(run.state.spending.of_stage(0), used, "of all");
}

#[test]
fn every_attempt_counts_also_those_that_are_tried_again() {
    let retry = ", retry: { max_attempts: 5, backoff: 0 }";
    let mut run = run_with(usd(1.0), &[&agent("one", retry)]);
    for attempt in 2..=3 {
        run.use_up(0, cost(0.4), Ending::Failed(Failure::new("x", "broke")));
        assert_eq!(run.executions(), [("one", attempt)]);
    }
    run.use_up(0, cost(0.4), Ending::Failed(Failure::new("x", "broke")));
    assert!(run.exhausted("one").message.contains("$1.20 of $1.00"));
    assert_eq!(run.stage("one").attempt, 3);
}

#[test]
fn what_was_used_until_a_run_was_cancelled_counts() {
    let mut run = run_with(usd(1.0), &[&agent("one", "")]);
    let usage = Usage { launches: Some(1), input_tokens: Some(7), ..Usage::default() };
    let used = vec![AttemptUsage { stage: 0, attempt: 1, usage }];
    run.feed(Input::Cancel { by: me(), used });
    assert_eq!(run.state.status, RunStatus::Cancelled);
    assert_eq!(run.state.spending.total(), Usage { unpriced: Some(1), ..usage });
    assert_eq!(run.stage("one").usage.unpriced, Some(1));
}

#[test]
fn a_child_reports_its_sum_each_time() {
    let mut run = run_with(usd(3.0), &["name: child, uses: child", &agent("after", "")]);
    let end = |run: &mut Run, usage, ending| {
        run.feed(Input::StageEnded { stage: 0, attempt: 1, ending, plugin: None, usage });
    };
    end(&mut run, cost(1.0), crate::run::wait(None));
    assert_eq!(run.state.spending.total(), cost(1.0));
    run.feed(Input::ChildChanged { stage: "child".into(), attempt: 1 });
    assert_eq!(run.state.spending.total(), cost(1.0), "while it goes on");
    end(&mut run, cost(2.5), Ending::Completed { result: json!({}), change_set: None });
    assert_eq!(run.state.spending.total(), cost(2.5));
    assert_eq!(run.executions(), [("after", 1)]);
    let sum = Usage { launches: Some(1), ..cost(0.0) };
    run.do_for(1, sum);
    assert_eq!(run.state.spending.total().launches, Some(2));
}

#[test]
fn a_stage_says_what_its_child_lacked_and_how_much_would_do_here() {
    let mut run = run_with(Budget::default(), &[&agent("one", ""), "name: child, uses: child"]);
    run.do_for(0, cost(1.0));
    let below =
        Shortage { message: "the budget of run wf-c is used up: $0.50 of $0.25".into(), enough: usd(1.0) };
    let ending = Ending::OverBudget { below: Some(below) };
    run.feed(Input::StageEnded { stage: 1, attempt: 1, ending, plugin: None, usage: cost(0.5) });
    let failure = run.exhausted("child");
    assert_eq!(failure.message, "the budget of run wf-c is used up: $0.50 of $0.25; it was stopped");
    let hint = failure.hint.as_deref().expect("a hint");
    assert!(hint.contains("`docket workflow retry wf-aaaaaa --budget-usd 2`"), "{hint}");
    run.retry_with(None, usd(2.0)).expect("more");
    assert_eq!((run.state.budget, run.state.raised), (usd(2.0), usd(2.0)));
}

#[test]
fn a_run_that_is_part_of_another_points_to_that_one() {
    let text = format!("name: T\nversion: 1\nstages:\n  - {{ {} }}\n", agent("one", ""));
    let mut run = Run::start_with(&text, |start| {
        start.parent =
            Some(docket_core::run::ParentRun { run: "wf-p".into(), stage: "s".into(), attempt: 1 });
    });
    run.use_up(0, cost(1.0), Ending::OverBudget { below: None });
    let failure = run.exhausted("one");
    assert!(failure.message.contains("the budget of run wf-p, which this one is part of, is used up"));
    assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("`docket workflow status wf-p`")));
}

#[test]
fn a_budget_of_the_other_kind_stays_when_one_is_raised() {
    let mut run = run_with(Budget { tokens: Some(5), ..launches(1) }, &[&agent("one", "")]);
    let event = |run: &mut Run| {
        let decision = run.retry_with(Some("one"), launches(4)).expect("more");
        decision.events.into_iter().find(|event| matches!(event, Event::RetryRequested { .. }))
    };
    run.do_for(0, Usage { launches: Some(1), ..Usage::default() });
    assert_eq!(run.state.status, RunStatus::Completed);
    assert!(matches!(event(&mut run), Some(Event::RetryRequested { budget, .. }) if budget == launches(4)));
    assert_eq!(run.state.budget, Budget { tokens: Some(5), ..launches(4) });
}
