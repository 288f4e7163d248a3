//! Budgets through the real command: agents that are not started or are stopped, what they used all the same, and how a run
//! goes on that was given more.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::crew::{Crew, START};
use crate::formats::assert_fits;
use crate::metered::{agent, allow, define_with, metered, settings, step, wait_for};
use crate::place;
use crate::support::{run_with, stage, status_of};

#[track_caller]
fn exhausted(place: &Place, run: &str, name: &str) -> Value {
    let stage = stage(place, run, name);
    assert_eq!(
        (&stage["status"], &stage["failure"]["code"]),
        (&"failed".into(), &"budget-exhausted".into()),
        "{stage}"
    );
    stage
}

fn usage(place: &Place, run: &str) -> Value {
    place.status(run)["usage"].clone()
}

/// Three agents one after the other that answer at once and cost nothing.
fn three() -> (Place, Crew) {
    let (place, crew) = metered(&step("Thinking", 0.0));
    define_with(
        &place,
        &Value::Null,
        json!([agent("a", json!({})), agent("b", json!({})), agent("c", json!({}))]),
    );
    (place, crew)
}

fn start(place: &Place, more: &[&str]) -> Output {
    place.run_or_kill(&[&START[..], more].concat())
}

#[test]
fn an_agent_that_passes_the_budget_is_stopped_and_the_run_goes_on_with_more() {
    let work = [step("Reading", 0.6), wait_for("first"), step("Writing", 0.6), wait_for("never")].concat();
    let (place, crew) = metered(&work);
    define_with(
        &place,
        &json!({ "usd": 1.0 }),
        json!([agent("review", json!({})), agent("after", json!({}))]),
    );
    let owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("the first step was told", || usage(&place, &run)["cost_usd"] == 0.6);
    assert!(crew.is_alive("review"), "it is within the budget");
    allow(&place, "first");
    let output = Output::of_child(owner).code(1).says("Budget: at most $1.00");
    let _ = output.says("the budget is used up: $1.20 of $1.00; what uses it is stopped");
    assert!(!crew.is_alive("review"), "it was stopped");
    let review = exhausted(&place, &run, "review");
    assert_eq!(
        review["failure"]["message"],
        format!("the budget of run {run} is used up: $1.20 of $1.00; it was stopped")
    );
    let more = format!("docket workflow retry {run} --budget-usd 2.4");
    assert!(review["failure"]["hint"].as_str().expect("a hint").contains(&more), "{review}");
    let used = json!({ "input_tokens": 2000, "output_tokens": 100, "cost_usd": 1.2, "launches": 1 });
    assert_eq!((&review["usage"], &usage(&place, &run)), (&used, &used), "what it used is kept");

    // The same again would be stopped again, before anything is started.
    place.run(&["workflow", "retry", &run]).code(1).says("it was not started");
    assert_eq!(crew.launches(), ["review"]);
    place
        .run(&["workflow", "retry", &run, "--budget-usd", "1.20"])
        .code(2)
        .says("has used $1.20 of $1.20 already");
    crew.all_go();
    let output = place.run_or_kill(&["workflow", "retry", &run, "--budget-usd", "4"]).success();
    let _ = output.says("Workflow completed");
    assert_eq!(crew.launches(), ["review", "review", "after"]);
    let status = place.status(&run);
    assert_fits(&place, "run", &status);
    assert_eq!(status["budget"], json!({ "usd": 4.0 }));
    assert!((status["usage"]["cost_usd"].as_f64().expect("a cost") - 3.6).abs() < 1e-9, "{status}");
    let review = stage(&place, &run, "review");
    assert_eq!((&review["usage"]["launches"], &review["usage_in_all"]["launches"]), (&1.into(), &2.into()));
    place.run(&["workflow", "verify", &run]).success();

    // Wherever it is looked at.
    place
        .run(&["workflow", "status", &run])
        .success()
        .prints("Usage: 6000 input tokens, 300 output tokens, $3.60, 3 launches\nBudget: $3.60 of $4.00\n");
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    assert_fits(&place, "results", &results);
    assert_eq!(results["stage_usage"]["review"]["launches"], 2);
    place.run(&["workflow", "results", &run]).success().prints("$3.60, 3 launches");
    place
        .run(&["workflow", "show", &run, "--timeline"])
        .success()
        .prints("used 2000 input tokens, 100 output tokens, $1.20, 1 launch");
    place.run(&["workflow", "list"]).success().prints("$3.60");
    let list = place.run(&["workflow", "list", "--output", "json"]).success().json();
    assert_fits(&place, "list", &list);
    assert_eq!(list["runs"][0]["usage"]["launches"], 3);
}

#[test]
fn launches_are_counted_and_the_one_too_many_is_not_made() {
    let (place, crew) = three();
    start(&place, &["--budget-launches", "2"]).code(1).says("2 of 2 launches; it was not started");
    let run = place.only_run();
    assert_eq!(crew.launches(), ["a", "b"]);
    exhausted(&place, &run, "c");
    place.run(&["workflow", "retry", &run, "--budget-launches", "3"]).success();
    assert_eq!(crew.launches(), ["a", "b", "c"]);
    assert_eq!(usage(&place, &run)["launches"], 3);
}

#[test]
fn an_agent_that_asks_for_a_further_process_is_refused_it() {
    let (place, crew) = metered("");
    let twice = json!({ "config": { "prompt_template": crate::crew::TEMPLATE, "act": "meter", "times": 2 } });
    define_with(&place, &json!({ "launches": 1 }), json!([agent("a", twice)]));
    start(&place, &[]).code(1).says("1 of 1 launches; it was stopped");
    assert_eq!(crew.launches(), ["a"]);
    exhausted(&place, &place.only_run(), "a");
}

#[test]
fn agents_side_by_side_share_the_budget() {
    let work = [step("Reading", 0.4), wait_for("second"), step("Writing", 0.4), wait_for("never")].concat();
    let (place, crew) = metered(&work);
    let matrix = json!({ "matrix": { "word": ["a", "b"] } });
    define_with(&place, &json!({ "usd": 1.0 }), json!([agent("many", matrix)]));
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let run = place.only_run();
    wait_until("both told", || usage(&place, &run)["cost_usd"] == 0.8);
    allow(&place, "second");
    Output::of_child(owner).code(1).says("the budget is used up");
    for item in ["many.a", "many.b"] {
        assert!(!crew.is_alive(item), "{item} was stopped");
        exhausted(&place, &run, item);
    }
    // Each said so much itself.
    assert!(usage(&place, &run)["cost_usd"].as_f64().expect("a cost") > 1.0);
    let many = stage(&place, &run, "many");
    assert_eq!(many["usage"], usage(&place, &run), "that of its items");
}

#[test]
fn no_more_items_are_launched_than_the_budget_has_launches() {
    let (place, crew) = metered("");
    let matrix = json!({ "matrix": { "word": ["a", "b", "c", "d", "e"] }, "continue_on_error": true });
    define_with(&place, &json!({ "launches": 3 }), json!([agent("many", matrix)]));
    start(&place, &[]).success();
    assert_eq!(crew.launches().len(), 3);
    let run = place.only_run();
    let failed = |item: &&str| stage(&place, &run, item)["failure"]["code"] == "budget-exhausted";
    let items = ["many.a", "many.b", "many.c", "many.d", "many.e"];
    assert_eq!(items.iter().filter(|item| failed(item)).count(), 2);
    place.run(&["workflow", "retry", &run, "--budget-launches", "5"]).success();
    assert_eq!(crew.launched(), items);
}

#[test]
fn what_was_launched_before_docket_was_killed_is_not_counted_twice() {
    let (place, crew) = metered(&wait_for("permit"));
    let matrix = json!({ "matrix": { "word": ["a", "b"] } });
    define_with(&place, &json!({ "launches": 2 }), json!([agent("many", matrix)]));
    for _ in 0..2 {
        let mut owner = match place.runs().first() {
            None => place.spawn(&START),
            Some(run) => place.spawn(&["workflow", "resume", run]),
        };
        crew.wait_for(2);
        kill(&mut owner);
    }
    let run = place.only_run();
    allow(&place, "permit");
    place.run_or_kill(&["workflow", "resume", &run]).success();
    assert_eq!(crew.launched(), ["many.a", "many.b"]);
    assert_eq!(usage(&place, &run)["launches"], 2);
}

#[test]
fn what_was_used_until_a_run_was_cancelled_counts() {
    let (place, crew) = metered(&[step("Reading", 0.6), wait_for("never")].concat());
    define_with(&place, &json!({ "usd": 1.0 }), json!([agent("a", json!({}))]));
    let owner = place.spawn(&START);
    crew.wait_for(1);
    let run = place.only_run();
    wait_until("it told", || usage(&place, &run)["cost_usd"] == 0.6);
    place.run(&["workflow", "cancel", &run]).success();
    Output::of_child(owner).code(1);
    assert_eq!(
        usage(&place, &run),
        json!({ "input_tokens": 1000, "output_tokens": 50, "cost_usd": 0.6, "launches": 1 })
    );
    let owner = place.spawn(&["workflow", "retry", &run]);
    Output::of_child(owner).code(1).says("$1.20 of $1.00; it was stopped");
}

#[test]
fn the_stricter_of_all_budgets_counts_and_a_project_can_only_tighten() {
    let (place, crew) = three();
    let launched = |more: &[&str]| {
        let before = (crew.launches().len(), place.runs());
        let output = start(&place, more);
        let run = place.runs().into_iter().find(|run| !before.1.contains(run)).expect("a run");
        (crew.launches().len() - before.0, output.code, place.status(&run)["budget"]["launches"].clone(), run)
    };
    assert_eq!(launched(&[]).0, 3, "nothing limits it");
    settings(&place, "budget: { launches: 2 }\n");
    let (count, code, budget, run) = launched(&["--budget-launches", "9"]);
    assert_eq!((count, code, &budget), (2, 1, &2.into()), "the user's settings are an upper bound");
    place
        .run(&["workflow", "retry", &run, "--budget-launches", "3"])
        .code(2)
        .says("more than your settings allow");
    place.write(".docket/config.yml", "budget: { launches: 9 }\n");
    assert_eq!(launched(&[]).0, 2, "a project can't loosen it");
    place.write(".docket/config.yml", "budget: { launches: 1 }\n");
    assert_eq!(launched(&[]).0, 1, "but tighten");
    place.write(".docket/config.yml", "budget: { lunches: 1 }\n");
    start(&place, &[]).code(2).says("lunches");
    place.write(".docket/config.yml", "budget: { launches: 0 }\n");
    start(&place, &[]).code(2).says("must be above 0");
    place.write(".docket/config.yml", "");
    for wrong in ["0", "-1", "many"] {
        let runs = place.runs();
        start(&place, &[&format!("--budget-usd={wrong}")]).code(2).says("--budget-usd");
        start(&place, &[&format!("--budget-launches={wrong}")]).code(2).says("--budget-launches");
        assert_eq!(place.runs(), runs);
    }
}

#[test]
fn an_agent_does_not_raise_its_own_budget() {
    let (place, crew) = three();
    start(&place, &["--budget-launches", "2"]).code(1);
    let run = place.only_run();
    let retry = ["workflow", "retry", &run, "--budget-launches", "9"];
    run_with(&place, &[("DOCKET_AGENT_OF", "wf-x/stage")], &retry).code(4).says("only a person decides that");
    assert_eq!(crew.launches(), ["a", "b"]);
}

/// A workflow of two agents, and one that uses it beside an agent of its own.
fn parent_and_child(place: &Place, parents: &Value, childs: &Value) {
    let mut child =
        json!({ "name": "Child", "version": 1, "stages": [agent("x", json!({})), agent("y", json!({}))] });
    if !childs.is_null() {
        child["budget"] = childs.clone();
    }
    place.write(".docket/workflows/definitions/child.yml", child.to_string());
    define_with(place, parents, json!([agent("first", json!({})), { "name": "sub", "uses": "child" }]));
}

#[test]
fn a_sub_workflow_has_what_is_left_of_its_parents_budget() {
    let (place, crew) = metered(&step("Thinking", 0.5));
    parent_and_child(&place, &json!({ "usd": 1.0 }), &Value::Null);
    start(&place, &[]).code(1).says("$1.00 of $1.00");
    assert_eq!(crew.launches(), ["first", "x"]);
    let parent = place.runs().into_iter().find(|run| run.len() == 9).expect("the parent's id is short");
    let sub = exhausted(&place, &parent, "sub");
    assert_eq!(sub["usage"]["cost_usd"], 0.5, "what its run used");
    assert_eq!(usage(&place, &parent)["launches"], 2);
    let child = sub["child"].as_str().expect("a run").to_owned();
    let there = exhausted(&place, &child, "y");
    let hint = there["failure"]["hint"].as_str().expect("a hint");
    assert!(hint.contains(&format!("`docket workflow status {parent}`")), "{hint}");
    place.run(&["workflow", "retry", &parent, "--budget-usd", "3"]).success();
    assert_eq!(crew.launches(), ["first", "x", "x", "y"]);
    assert_eq!(usage(&place, &parent)["cost_usd"], 2.0, "of both attempts");
}

#[test]
fn a_sub_workflows_own_budget_may_be_stricter_until_a_person_gives_more() {
    let (place, crew) = metered(&step("Thinking", 0.5));
    parent_and_child(&place, &Value::Null, &json!({ "launches": 1 }));
    start(&place, &[]).code(1).says("1 of 1 launches");
    let parent = place.runs().into_iter().find(|run| run.len() == 9).expect("the parent's id is short");
    let sub = exhausted(&place, &parent, "sub");
    // Two were used here, one of them there, where two would do.
    let more = format!("docket workflow retry {parent} --budget-launches 3");
    assert!(sub["failure"]["hint"].as_str().expect("a hint").contains(&more), "{sub}");
    place.run(&["workflow", "retry", &parent, "--budget-launches", "4"]).success();
    assert_eq!(crew.launches(), ["first", "x", "x", "y"]);
}

#[test]
fn a_child_is_stopped_when_its_parent_passes_its_budget() {
    let work = [step("Reading", 0.4), wait_for("second"), step("Writing", 0.4), wait_for("never")].concat();
    let (place, crew) = metered(&work);
    place.write(
        ".docket/workflows/definitions/child.yml",
        json!({ "name": "Child", "version": 1, "stages": [agent("x", json!({}))] }).to_string(),
    );
    let stages = json!([agent("own", json!({ "depends_on": [] })), { "name": "sub", "uses": "child", "depends_on": [] }]);
    define_with(&place, &json!({ "usd": 1.0 }), stages);
    let owner = place.spawn(&START);
    crew.wait_for(2);
    let parent = place.runs().into_iter().find(|run| run.len() == 9).expect("the parent's id is short");
    wait_until("the child's usage is seen in the parent", || usage(&place, &parent)["cost_usd"] == 0.8);
    allow(&place, "second");
    Output::of_child(owner).code(1).says("the budget is used up");
    for name in ["own", "x"] {
        assert!(!crew.is_alive(name), "{name} was stopped");
    }
    exhausted(&place, &parent, "own");
    let sub = exhausted(&place, &parent, "sub");
    let child = sub["child"].as_str().expect("a run").to_owned();
    assert_eq!(status_of(&place, &child), "failed");
    let message = exhausted(&place, &child, "x")["failure"]["message"].clone();
    assert_eq!(
        message,
        format!("the budget of run {parent}, which this one is part of, is used up; it was stopped")
    );
}

#[test]
fn an_agent_that_does_not_say_what_it_costs_is_named_unpriced() {
    let place = place();
    let crew = Crew::new(&place, "");
    let agents = ["a", "b"].map(|name| crate::crew::agent(name, json!({})));
    crate::crew::define(&place, json!({ "stages": agents }));
    let output = start(&place, &["--budget-usd", "1"]).success();
    let output = output.says("does not say what it costs");
    assert_eq!(output.stderr.matches("does not say what it costs").count(), 1, "{}", output.stderr);
    assert_eq!(crew.launches(), ["a", "b"]);
    let run = place.only_run();
    assert_eq!(usage(&place, &run), json!({ "launches": 2, "unpriced": 2 }));
    place
        .run(&["workflow", "status", &run])
        .success()
        .prints("Usage: unpriced, 2 launches\nBudget: at least $0.00 of $1.00\n");
    start(&place, &[]).success();
}
