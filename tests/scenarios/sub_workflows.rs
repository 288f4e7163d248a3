//! Stages that run another workflow: a child run of its own, whose waiting, failing and ending is its parent's.

use docket_tests::{Output, Place, finish, kill, wait_until};
use serde_json::{Value, json};

use crate::place;
use crate::support::{Agent, file, journal, run_with, stage, status_of};

/// Asks for approval and writes down what was said.
pub(crate) const CHILD: &str = "\
name: Child
version: 1
inputs:
  - {name: word, type: string, default: hello}
stages:
  - {name: ok, type: approval, config: {prompt: \"Is {word} fine?\"}}
  - {name: keep, type: storage, config: {source: ok.result, destination: \"docs/{word}.json\"}}
completion: {outputs: [ok.comment, keep.destination]}
";

/// Uses it, and what it puts out in an expression and a file.
pub(crate) const PARENT: &str = "\
name: Parent
version: 1
stages:
  - {name: sub, uses: child, with: {word: fish}}
  - {name: note, type: storage, config: {source: sub.result, destination: docs/parent.json}}
completion:
  outputs: [sub.comment]
  notifications:
    - {type: stdout, message: \"the child said ${{ stages.sub.outputs.comment }}\"}
";

/// Has an agent work.
pub(crate) const WORK: &str = "\
name: Work
version: 1
stages:
  - {name: work, type: agent, config: {prompt_template: templates/ask.md}, outputs: {answer: {}}}
completion: {outputs: [work.answer]}
";

/// Uses it.
pub(crate) const BOSS: &str = "\
name: Boss
version: 1
stages:
  - {name: sub, uses: work}
  - {name: note, type: storage, config: {source: sub.result, destination: docs/parent.json}}
";

/// A place with these trusted definitions.
pub(crate) fn place_with(definitions: &[(&str, &str)]) -> Place {
    let place = place();
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    for (name, text) in definitions {
        place.write(&format!(".docket/workflows/definitions/{name}.yml"), text);
    }
    place.run(&["trust", "--yes"]).success();
    place
}

/// A parent whose child waits for approval; both runs.
pub(crate) fn waiting() -> (Place, String, String) {
    let place = place_with(&[("child", CHILD), ("parent", PARENT)]);
    place.run(&["workflow", "start", "parent"]).code(3).says("Is fish fine?");
    let parent = run_of(&place, "parent");
    let child = child_of(&place, &parent, "sub");
    (place, parent, child)
}

/// The only run of this definition.
#[track_caller]
pub(crate) fn run_of(place: &Place, definition: &str) -> String {
    let runs = runs_of(place, definition);
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// The runs of this definition, newest first.
fn runs_of(place: &Place, definition: &str) -> Vec<String> {
    let list = place.run(&["workflow", "list", "--output", "json"]).success().json();
    let runs = list["runs"].as_array().expect("runs").iter().filter(|run| run["definition"] == definition);
    runs.map(|run| run["id"].as_str().expect("an id").to_owned()).collect()
}

/// The run that carries a stage out.
#[track_caller]
pub(crate) fn child_of(place: &Place, run: &str, name: &str) -> String {
    stage(place, run, name)["child"].as_str().expect("a child").to_owned()
}

pub(crate) fn workflow(place: &Place, command: &str, run: &str, more: &[&str]) -> Output {
    place.run(&[&["workflow", command, run], more].concat())
}

pub(crate) fn json_of(place: &Place, path: &str) -> Value {
    serde_json::from_str(&place.read(path)).expect("JSON")
}

pub(crate) fn is_there(place: &Place, path: &str) -> bool {
    place.project().join(path).exists()
}

/// A boss whose child's agent works, and the docket that runs both.
pub(crate) fn working() -> (Place, Agent, std::process::Child, String, String) {
    let place = place_with(&[("work", WORK), ("boss", BOSS)]);
    let agent = Agent::patient(&place);
    agent.answers("{\"said\": \"done\"}");
    let owner = place.spawn(&["workflow", "start", "boss", "--profile", "mine"]);
    agent.wait_for_launch();
    let parent = run_of(&place, "boss");
    let child = child_of(&place, &parent, "sub");
    (place, agent, owner, parent, child)
}

#[test]
fn what_the_child_puts_out_reaches_expressions_and_files_of_the_parent() {
    let place = place_with(&[("work", WORK), ("boss", BOSS)]);
    let agent = Agent::quick(&place);
    agent.answers("{\"said\": \"done\"}");
    let output = place.run(&["workflow", "start", "boss", "--profile", "mine"]).success();
    let parent = run_of(&place, "boss");
    let child = child_of(&place, &parent, "sub");
    let _ = output.says(&format!("sub (run {child})")).says("Workflow completed");
    assert_eq!(json_of(&place, "docs/parent.json"), json!({ "run": child, "answer": { "said": "done" } }));
    // The child is a run like any other.
    assert_eq!(status_of(&place, &child), "completed");
    let shown = place.status(&child);
    assert_eq!(shown["parent"], json!({ "run": parent, "stage": "sub", "attempt": 1 }));
    workflow(&place, "status", &child, &[]).success().prints(&format!("Part of: {parent} (sub)"));
    workflow(&place, "status", &parent, &[]).success().prints(&format!("→ {child}"));
    workflow(&place, "logs", &parent, &[]).success().prints(&format!("started as run {child}"));
    place.run(&["workflow", "list"]).success().prints(&parent).prints(&child);
    for run in [&parent, &child] {
        workflow(&place, "verify", run, &[]).success();
        workflow(&place, "show", run, &["--timeline"]).success().prints(&child);
    }
}

#[test]
fn a_parent_waits_for_its_child_and_one_answer_continues_both() {
    for by_parent in [true, false] {
        let (place, parent, child) = waiting();
        for run in [&parent, &child] {
            assert_eq!(status_of(&place, run), "waiting");
            workflow(&place, "status", run, &[])
                .success()
                .prints("Status: Waiting")
                .prints("Is fish fine?")
                .prints(&format!("docket workflow approve {child} --stage ok"));
            workflow(&place, "resume", run, &[]).code(3).says("Is fish fine?");
        }
        let answered = if by_parent { &parent } else { &child };
        workflow(&place, "approve", answered, &["-m", "very"]).success().prints("the child said very\n");
        for run in [&parent, &child] {
            assert_eq!(status_of(&place, run), "completed", "answered through {answered}");
            workflow(&place, "verify", run, &[]).success();
        }
        let expected = json!({ "comment": "very", "destination": "docs/fish.json", "run": child });
        assert_eq!(json_of(&place, "docs/parent.json"), expected);
        // Said again through either: no mistake. Something else: a conflict.
        for run in [&parent, &child] {
            workflow(&place, "approve", run, &[]).success();
            workflow(&place, "approve", run, &["-m", "other"]).code(5);
            workflow(&place, "reject", run, &[]).code(5).says("was approved by tester");
        }
    }
}

#[test]
fn a_childs_stage_can_be_named_through_its_parent() {
    for name in ["sub", "ok"] {
        let (place, parent, _) = waiting();
        workflow(&place, "approve", &parent, &["--stage", "oj"]).code(2).says("'oj'").says("sub");
        workflow(&place, "approve", &parent, &["--stage", name, "-m", "x"]).success();
        assert_eq!(status_of(&place, &parent), "completed", "by {name}");
        workflow(&place, "approve", &parent, &["--stage", name]).success();
    }
}

#[test]
fn an_agent_that_a_person_runs_is_answered_through_the_parent() {
    let place = place_with(&[("work", WORK), ("boss", BOSS)]);
    place.run(&["workflow", "start", "boss"]).code(3).says("docket workflow submit");
    let parent = run_of(&place, "boss");
    let bad = file(&place, "bad.json", "{ \"said\": }");
    workflow(&place, "submit", &parent, &["--file", &bad]).code(2);
    let answer = file(&place, "answer.json", "{\"said\": \"mine\"}");
    workflow(&place, "submit", &parent, &["--file", &answer]).success();
    assert_eq!(json_of(&place, "docs/parent.json")["answer"]["said"], "mine");
    // Somebody's answer again, or another one.
    workflow(&place, "submit", &parent, &["--file", &answer]).success();
    let other = file(&place, "other.json", "{\"said\": \"yours\"}");
    workflow(&place, "submit", &parent, &["--file", &other]).code(5);
}

#[test]
fn a_rejection_in_the_child_fails_the_parent_and_a_retry_starts_a_new_child() {
    let (place, parent, child) = waiting();
    workflow(&place, "reject", &parent, &["-m", "no fish"])
        .code(1)
        .says("rejected by tester: no fish")
        .says(&format!("docket workflow logs {child}"));
    assert_eq!(status_of(&place, &child), "failed");
    assert_eq!(status_of(&place, &parent), "failed");
    let failure = stage(&place, &parent, "sub")["failure"].clone();
    assert_eq!(failure["code"], "sub-workflow-failed");
    let message = failure["message"].as_str().expect("a message");
    assert!(
        message.contains(&child) && message.contains("'child'") && message.contains("no fish"),
        "{message}"
    );

    workflow(&place, "retry", &parent, &[]).code(3).says("Is fish fine?");
    let second = child_of(&place, &parent, "sub");
    assert_ne!(second, child);
    assert_eq!(status_of(&place, &child), "failed", "the first one is kept as it was");
    // The first one's question is not the second one's.
    workflow(&place, "approve", &child, &[]).code(5);
    workflow(&place, "approve", &parent, &["-m", "yes"]).success();
    assert_eq!(json_of(&place, "docs/parent.json")["run"], second.as_str());
    for run in [&parent, &child, &second] {
        workflow(&place, "verify", run, &[]).success();
    }
}

#[test]
fn a_child_that_fails_leads_to_its_own_log() {
    let place = place_with(&[("work", WORK), ("boss", BOSS)]);
    let agent = Agent::new(&place, "echo 'out of paper' >&2\nexit 7\n");
    place
        .run(&["workflow", "start", "boss", "--profile", "mine"])
        .code(1)
        .says("out of paper")
        .says("docket workflow logs wf-");
    let parent = run_of(&place, "boss");
    let child = child_of(&place, &parent, "sub");
    workflow(&place, "status", &parent, &[]).success().prints(&format!("docket workflow logs {child}"));
    workflow(&place, "logs", &child, &[]).success().prints("out of paper");
    assert_eq!(status_of(&place, &child), "failed");
    assert!(!is_there(&place, "docs/parent.json"));
    assert_eq!(agent.launches(), 0);
}

#[test]
fn a_parent_and_child_that_were_killed_launch_the_agent_once() {
    let (place, agent, mut owner, parent, child) = working();
    kill(&mut owner);
    assert!(agent.is_alive(), "agents outlive docket");
    for run in [&parent, &child] {
        assert_eq!(status_of(&place, run), "interrupted");
    }
    let resumed = place.spawn(&["workflow", "resume", &parent]);
    wait_until("the child is owned again", || status_of(&place, &child) == "running");
    agent.go();
    Output::of_child(resumed).success();
    assert_eq!(agent.launches(), 1);
    assert_eq!(json_of(&place, "docs/parent.json"), json!({ "run": child, "answer": { "said": "done" } }));
    assert_eq!(runs_of(&place, "work"), [child]);
    assert_eq!(stage(&place, &parent, "sub")["attempt"], 1);
}

#[test]
fn a_child_can_be_resumed_by_itself_and_its_parent_after_it() {
    let (place, agent, mut owner, parent, child) = working();
    kill(&mut owner);
    agent.go();
    wait_until("the agent ended", || !agent.is_alive());
    workflow(&place, "resume", &child, &[]).success();
    assert_eq!(status_of(&place, &child), "completed");
    assert!(!is_there(&place, "docs/parent.json"));
    workflow(&place, "resume", &parent, &[]).success();
    assert_eq!(agent.launches(), 1);
    assert_eq!(json_of(&place, "docs/parent.json"), json!({ "run": child, "answer": { "said": "done" } }));
}

#[test]
fn a_child_that_somebody_resumes_is_waited_for() {
    let (place, agent, mut owner, parent, child) = working();
    kill(&mut owner);
    let by_itself = place.spawn(&["workflow", "resume", &child]);
    wait_until("the child is owned", || status_of(&place, &child) == "running");
    let with_parent = place.spawn(&["workflow", "resume", &parent]);
    wait_until("the parent is owned", || status_of(&place, &parent) == "running");
    agent.go();
    Output::of_child(by_itself).success();
    Output::of_child(with_parent).success();
    assert_eq!(agent.launches(), 1);
    assert_eq!(json_of(&place, "docs/parent.json"), json!({ "run": child, "answer": { "said": "done" } }));
}

#[test]
fn cancelling_a_parent_cancels_its_child_and_that_ones_agent() {
    for killed in [false, true] {
        let (place, agent, mut owner, parent, child) = working();
        if killed {
            kill(&mut owner);
        }
        workflow(&place, "cancel", &parent, &[]).success().prints("cancelled");
        wait_until("the agent ends", || !agent.is_alive());
        if !killed {
            Output::of_child(owner).code(1);
        }
        for run in [&parent, &child] {
            assert_eq!(status_of(&place, run), "cancelled", "killed: {killed}");
        }
        workflow(&place, "resume", &child, &[]).code(2).says("is cancelled");
        assert!(!is_there(&place, "docs/parent.json"));
    }
}

#[test]
fn cancelling_a_parent_takes_back_its_childs_question() {
    let (place, parent, child) = waiting();
    workflow(&place, "cancel", &parent, &[]).success();
    for run in [&parent, &child] {
        assert_eq!(status_of(&place, run), "cancelled");
        workflow(&place, "approve", run, &[]).code(2).says("is cancelled");
    }
    assert!(!is_there(&place, "docs/fish.json"));
    // Begun again, there is a new child.
    workflow(&place, "retry", &parent, &[]).code(3);
    workflow(&place, "approve", &parent, &["-m", "x"]).success();
    assert_ne!(child_of(&place, &parent, "sub"), child);
}

/// docket dies when the cancellation is recorded and before the child hears of it.
#[cfg(debug_assertions)]
#[test]
fn a_child_hears_late_that_its_parent_was_cancelled() {
    let (place, parent, child) = waiting();
    let killed =
        run_with(&place, &[("DOCKET_FAULTS", "kill-after:journal.sync:1")], &["workflow", "cancel", &parent]);
    assert_eq!(killed.code, -1, "{}", killed.stderr);
    assert_eq!(
        (status_of(&place, &parent), status_of(&place, &child)),
        ("cancelled".into(), "waiting".into())
    );
    workflow(&place, "approve", &child, &[]).code(2).says("is cancelled");
    assert_eq!(status_of(&place, &child), "cancelled");
    assert!(!is_there(&place, "docs/fish.json"));
}

#[test]
fn cancelling_a_child_fails_its_parent() {
    let (place, parent, child) = waiting();
    workflow(&place, "cancel", &child, &[]).success();
    assert_eq!(status_of(&place, &child), "cancelled");
    assert_eq!(status_of(&place, &parent), "failed");
    assert_eq!(stage(&place, &parent, "sub")["failure"]["code"], "sub-workflow-cancelled");
    workflow(&place, "retry", &parent, &[]).code(3).says("Is fish fine?");
}

#[test]
fn a_child_that_is_paused_holds_its_parent_until_it_is_resumed() {
    let (place, parent, child) = waiting();
    workflow(&place, "pause", &child, &[]).success();
    workflow(&place, "approve", &parent, &["-m", "yes"])
        .code(3)
        .says(&format!("docket workflow resume {child}"));
    assert_eq!(status_of(&place, &child), "paused");
    assert_eq!(status_of(&place, &parent), "waiting");
    workflow(&place, "resume", &child, &[]).success().prints("the child said yes\n");
    assert_eq!(status_of(&place, &parent), "completed");
}

/// A child for each of two words.
pub(crate) const EACH: &str = "\
name: Each
version: 1
stages:
  - name: each
    uses: child
    matrix: {word: [fish, fowl]}
    with: {word: \"${{ matrix.word }}\"}
  - {name: note, type: storage, config: {source: each.comment, destination: docs/parent.json}}
";

#[test]
fn each_item_of_a_matrix_has_a_child_of_its_own() {
    let place = place_with(&[("child", CHILD), ("each", EACH)]);
    place.run(&["workflow", "start", "each"]).code(3).says("Is fish fine?").says("Is fowl fine?");
    let parent = run_of(&place, "each");
    let children = ["each.fish", "each.fowl"].map(|name| child_of(&place, &parent, name));
    assert_ne!(children[0], children[1]);
    let before = children.clone().map(|child| journal(&place, &child));
    workflow(&place, "approve", &parent, &[]).code(2).says("each.fish, each.fowl").says("--stage");
    // Both have a stage of this name: whose is meant?
    workflow(&place, "approve", &parent, &["--stage", "ok"]).code(2).says("each.fish, each.fowl");
    assert_eq!(children.clone().map(|child| journal(&place, &child)), before);
    workflow(&place, "approve", &parent, &["--stage", "each.fowl", "-m", "b"]).code(3).says("Is fish fine?");
    assert_eq!(status_of(&place, &children[0]), "waiting");
    assert_eq!(status_of(&place, &children[1]), "completed");
    workflow(&place, "approve", &children[0], &["-m", "a"]).success();
    assert_eq!(json_of(&place, "docs/parent.json"), json!(["a", "b"]));
    assert_eq!(json_of(&place, "docs/fowl.json")["comment"], "b");
}

#[test]
fn a_used_definition_that_is_not_trusted_is_named() {
    let place = place_with(&[("child", CHILD), ("parent", PARENT)]);
    let path = ".docket/workflows/definitions/child.yml";
    place.write(path, format!("{CHILD}# changed\n"));
    place.run(&["workflow", "start", "parent"]).code(4).says(path).says("changed").says("docket trust");
    assert_eq!(place.runs(), [""; 0]);
    place.run(&["trust", "--yes"]).success();
    place.run(&["workflow", "start", "parent"]).code(3);
    // A run that was started has its own copy.
    place.write(path, "name: Other\n");
    let parent = run_of(&place, "parent");
    workflow(&place, "approve", &parent, &["-m", "x"]).success();
    assert_eq!(status_of(&place, &parent), "completed");
}

#[test]
fn files_of_a_child_are_found_from_the_project_wherever_the_user_is() {
    let reader = "name: Reader\nversion: 1\ninputs:\n  - {name: paper_path, type: file, required: true}\nstages:\n  \
                  - {name: gather, type: context, config: {target: \"${inputs.paper_path}\"}}\n  \
                  - {name: keep, type: storage, config: {source: gather.result, destination: \"docs/{paper_name}.json\"}}\n\
                  completion: {outputs: [keep.destination]}\n";
    let outer = "name: Outer\nversion: 1\ninputs:\n  - {name: paper_path, type: file, required: true}\nstages:\n  \
                 - {name: given, uses: reader, with: {paper_path: \"${inputs.paper_path}\"}}\n  \
                 - {name: fixed, uses: reader, with: {paper_path: papers/fixed.md}}\n";
    let place = place_with(&[("reader", reader), ("outer", outer)]);
    place.write("papers/given.md", "# Given\n");
    place.write("papers/fixed.md", "# Fixed\n");
    let start = |path: &str| {
        let mut command = place.command(&["workflow", "start", "outer", "--paper-path", path]);
        finish(command.current_dir(place.project().join("papers")))
    };
    start("given.md").success();
    assert!(is_there(&place, "docs/given.json") && is_there(&place, "docs/fixed.json"));
    // What is gone by the time the child starts fails it with the name.
    std::fs::remove_file(place.project().join("papers/fixed.md")).expect("removed");
    start("given.md").code(1).says("papers/fixed.md").says("docket workflow retry");
}

const TOP: &str = "\
name: Top
version: 1
stages:
  - {name: outer, uses: parent}
";

#[test]
fn a_child_can_have_a_child() {
    for name in [None, Some("outer"), Some("sub"), Some("ok")] {
        let place = place_with(&[("child", CHILD), ("parent", PARENT), ("top", TOP)]);
        place.run(&["workflow", "start", "top"]).code(3).says("Is fish fine?");
        let top = run_of(&place, "top");
        let parent = child_of(&place, &top, "outer");
        let child = child_of(&place, &parent, "sub");
        let named = name.map_or_else(Vec::new, |name| vec!["--stage", name]);
        workflow(&place, "approve", &top, &[&named[..], &["-m", "deep"]].concat()).success();
        for run in [&top, &parent, &child] {
            assert_eq!(status_of(&place, run), "completed", "by {name:?}");
        }
        assert_eq!(json_of(&place, "docs/parent.json")["comment"], "deep");
        workflow(&place, "approve", &top, &named).success();
    }
}

#[test]
fn cancelling_reaches_a_childs_child() {
    let place = place_with(&[("child", CHILD), ("parent", PARENT), ("top", TOP)]);
    place.run(&["workflow", "start", "top"]).code(3);
    let runs = place.runs();
    assert_eq!(runs.len(), 3);
    workflow(&place, "cancel", &run_of(&place, "top"), &[]).success();
    for run in &runs {
        assert_eq!(status_of(&place, run), "cancelled");
    }
}

#[test]
fn an_answer_to_a_child_reaches_a_parent_that_does_something_else() {
    let definition = "name: D\nversion: 1\nstages:\n  \
        - {name: sub, uses: child, depends_on: []}\n  \
        - {name: note, type: storage, depends_on: sub, config: {source: sub.result, destination: docs/parent.json}}\n  \
        - {name: work, type: agent, depends_on: [], config: {prompt_template: templates/ask.md}}\n";
    for by_parent in [true, false] {
        let place = place_with(&[("child", CHILD), ("d", definition)]);
        let agent = Agent::patient(&place);
        let owner = place.spawn(&["workflow", "start", "d", "--profile", "mine"]);
        agent.wait_for_launch();
        let parent = run_of(&place, "d");
        wait_until("the child waits", || stage(&place, &parent, "sub")["status"] == "waiting");
        let child = child_of(&place, &parent, "sub");
        workflow(&place, "approve", if by_parent { &parent } else { &child }, &["-m", "yes"]).success();
        wait_until("the parent goes on", || is_there(&place, "docs/parent.json"));
        assert_eq!(status_of(&place, &parent), "running");
        agent.go();
        Output::of_child(owner).success();
        assert_eq!(agent.launches(), 1);
    }
}

#[test]
fn work_that_is_sent_back_to_a_workflow_is_done_by_a_new_child() {
    let definition = "name: D\nversion: 1\nstages:\n  \
        - {name: sub, uses: child}\n  \
        - {name: gate, type: approval, config: {prompt: Good?}}\n";
    let place = place_with(&[("child", CHILD), ("d", definition)]);
    place.run(&["workflow", "start", "d"]).code(3);
    let parent = run_of(&place, "d");
    let first = child_of(&place, &parent, "sub");
    workflow(&place, "approve", &parent, &["-m", "one"]).code(3).says("Good?");
    // Without the stage's name it could be the answer to the child, repeated.
    workflow(&place, "reject", &parent, &["--to", "sub", "-m", "again"]).code(2).says("--stage");
    workflow(&place, "reject", &parent, &["--stage", "gate", "--to", "sub", "-m", "again"])
        .code(3)
        .says("Is hello fine?");
    let second = child_of(&place, &parent, "sub");
    assert_ne!(first, second);
    assert_eq!(status_of(&place, &first), "completed", "what is over stays as it was");
    // A stage of the child can be the one that work is sent back to.
    workflow(&place, "reject", &parent, &["--stage", "sub", "--to", "keep"])
        .code(2)
        .says("'keep'")
        .says("builds on no stage");
    workflow(&place, "approve", &parent, &["--stage", "sub", "-m", "two"]).code(3).says("Good?");
    workflow(&place, "approve", &parent, &["--stage", "gate"]).success();
    let results = workflow(&place, "results", &parent, &["--output", "json"]).success().json();
    assert_eq!(results["stages"]["sub"]["comment"], "two");
    workflow(&place, "verify", &parent, &[]).success();
}

#[test]
fn an_approval_that_is_repeated_is_none_of_what_the_child_asks_next() {
    let definition = "name: D\nversion: 1\nstages:\n  \
        - {name: gate, type: approval, config: {prompt: Begin?}}\n  \
        - {name: sub, uses: child}\n";
    let place = place_with(&[("child", CHILD), ("d", definition)]);
    place.run(&["workflow", "start", "d"]).code(3);
    let parent = run_of(&place, "d");
    workflow(&place, "approve", &parent, &[]).code(3).says("Is hello fine?");
    let child = child_of(&place, &parent, "sub");
    for command in ["approve", "reject"] {
        workflow(&place, command, &parent, &[]).code(2).says("sub, gate").says("--stage");
    }
    assert_eq!(status_of(&place, &child), "waiting");
    workflow(&place, "approve", &parent, &["--stage", "gate"]).code(3);
    assert_eq!(status_of(&place, &child), "waiting");
    workflow(&place, "approve", &parent, &["--stage", "sub"]).success();
}
