//! Runs of sub-workflows that are cut off anywhere, answered at once, paused, in conflict or not needed any more.

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::json;

use crate::sub_workflows::{
    BOSS, CHILD, EACH, PARENT, WORK, child_of, is_there, json_of, place_with, run_of, waiting, workflow,
    working,
};
use crate::support::{Agent, journal, stage, status_of};

/// A child beside something that fails when somebody rejects it.
const BESIDE: &str = "\
name: Beside
version: 1
stages:
  - {name: base, type: approval, config: {prompt: Begin?}}
  - {name: sub, uses: child, depends_on: base}
  - {name: gate, type: approval, depends_on: base, config: {prompt: Go on?}}
";

#[test]
fn a_child_that_nobody_waits_for_any_more_is_cancelled() {
    let place = place_with(&[("child", CHILD), ("beside", BESIDE)]);
    place.run(&["workflow", "start", "beside"]).code(3);
    let parent = run_of(&place, "beside");
    workflow(&place, "approve", &parent, &[]).code(3).says("Is hello fine?").says("Go on?");
    let first = child_of(&place, &parent, "sub");
    // Two ask: one here, one in the child.
    workflow(&place, "approve", &parent, &[]).code(2).says("sub").says("gate").says("--stage");
    // Sent back to before the child: it is begun anew, and the first one's question is void.
    workflow(&place, "reject", &parent, &["--stage", "gate", "--to", "base"]).code(3).says("Begin?");
    assert_eq!(status_of(&place, &first), "cancelled");
    workflow(&place, "approve", &parent, &["--stage", "base"]).code(3);
    let second = child_of(&place, &parent, "sub");
    assert_ne!(first, second);
    // The run fails: nobody will ever need the answer.
    workflow(&place, "reject", &parent, &["--stage", "gate"]).code(1);
    assert_eq!(status_of(&place, &second), "cancelled");
    workflow(&place, "approve", &second, &[]).code(2);
    assert_eq!(status_of(&place, &parent), "failed");
}

#[test]
fn a_child_of_a_dry_run_writes_nothing() {
    let place = place_with(&[("child", CHILD), ("parent", PARENT)]);
    place.run(&["workflow", "start", "parent", "--dry-run"]).code(3);
    let parent = run_of(&place, "parent");
    let child = child_of(&place, &parent, "sub");
    workflow(&place, "approve", &parent, &["-m", "x"]).success();
    assert!(!is_there(&place, "docs/fish.json") && !is_there(&place, "docs/parent.json"));
    workflow(&place, "diff", &child, &[]).success().prints("docs/fish.json");
}

#[test]
fn a_child_is_kept_until_its_parent_is_over() {
    let (place, agent, mut owner, parent, child) = working();
    kill(&mut owner);
    agent.go();
    wait_until("the agent ended", || !agent.is_alive());
    workflow(&place, "resume", &child, &[]).success();
    let prune = || place.run(&["workflow", "prune", "--older-than", "0s", "--yes"]).success();
    let _ = prune();
    assert_eq!(place.runs().len(), 2, "the parent needs its child's result");
    workflow(&place, "resume", &parent, &[]).success();
    assert_eq!(json_of(&place, "docs/parent.json"), json!({ "run": child, "answer": { "said": "done" } }));
    place.run(&["workflow", "verify"]).success();
    let _ = prune();
    assert_eq!(place.runs(), [""; 0]);
    for run in [&parent, &child] {
        workflow(&place, "status", run, &[]).success().prints("Completed");
    }
    // Without its child, the parent's record still says which run it was.
    workflow(&place, "verify", &parent, &[]).success();
    workflow(&place, "retry", &parent, &["--from", "sub"]).code(2).says("pruned");
}

#[test]
fn a_parent_that_is_paused_takes_what_came_of_its_child_when_it_is_resumed() {
    let (place, parent, child) = waiting();
    workflow(&place, "pause", &parent, &[]).success();
    workflow(&place, "approve", &child, &["-m", "yes"])
        .code(3)
        .says(&format!("docket workflow resume {parent}"));
    assert_eq!(status_of(&place, &child), "completed");
    assert_eq!(status_of(&place, &parent), "paused");
    assert!(!is_there(&place, "docs/parent.json"));
    workflow(&place, "resume", &parent, &[]).success().prints("the child said yes\n");
    assert_eq!(json_of(&place, "docs/parent.json")["run"], child.as_str());
}

/// A run's journal cut after each of its records from one on, the whole of it last.
fn cuts(records: &str, first: usize) -> Vec<String> {
    let lines: Vec<&str> = records.lines().collect();
    (first..=lines.len()).map(|count| format!("{}\n", lines[..count].join("\n"))).collect()
}

fn set_journal(place: &Place, run: &str, records: &str) {
    std::fs::write(place.run_folder(run).join("journal.jsonl"), records).expect("written");
}

/// Wherever docket died in the parent and in the child, resuming the parent leads to the same end.
#[test]
fn from_every_record_of_both_journals_a_parent_reaches_the_same_end() {
    let place = place_with(&[("work", WORK), ("boss", BOSS)]);
    let agent = Agent::quick(&place);
    agent.answers("{\"said\": \"done\"}");
    place.run(&["workflow", "start", "boss", "--profile", "mine"]).success();
    let parent = run_of(&place, "boss");
    let child = child_of(&place, &parent, "sub");
    let (parents, children) = (journal(&place, &parent), journal(&place, &child));
    let wanted = place.read("docs/parent.json");
    let mut tried = 0;
    for parents in cuts(&parents, 1) {
        // The parent recorded what came of its child after that was over.
        let is_told = parents.contains("stage_completed");
        for children in cuts(&children, 1).into_iter().filter(|cut| !is_told || *cut == children) {
            set_journal(&place, &parent, &parents);
            set_journal(&place, &child, &children);
            if !parents.contains("changes_applied") {
                let _ = std::fs::remove_file(place.project().join("docs/parent.json"));
            }
            let what = format!("parent:\n{parents}\nchild:\n{children}");
            if !parents.contains("run_completed") {
                let output = workflow(&place, "resume", &parent, &[]);
                assert_eq!(output.code, 0, "{what}{}", output.stderr);
            }
            assert_eq!(place.read("docs/parent.json"), wanted, "{what}");
            for run in [&parent, &child] {
                assert_eq!(status_of(&place, run), "completed", "{what}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 5, "{tried}");
    assert_eq!(agent.launches(), 1);
    assert_eq!(place.runs().len(), 2);
}

/// Whoever could not see whether the approval arrived says it again, to the parent or to the child.
#[test]
fn from_every_record_that_follows_the_question_an_approval_said_again_reaches_the_same_end() {
    let (place, parent, child) = waiting();
    let first = [&parent, &child].map(|run| journal(&place, run).lines().count());
    workflow(&place, "approve", &parent, &["-m", "yes"]).success();
    let (parents, children) = (journal(&place, &parent), journal(&place, &child));
    let wanted = place.read("docs/parent.json");
    for parents in cuts(&parents, first[0]) {
        let is_told = parents.contains("stage_completed");
        for children in cuts(&children, first[1]).into_iter().filter(|cut| !is_told || *cut == children) {
            set_journal(&place, &parent, &parents);
            set_journal(&place, &child, &children);
            let what = format!("parent:\n{parents}\nchild:\n{children}");
            let output = workflow(&place, "approve", &parent, &["-m", "yes"]);
            assert_eq!(output.code, 0, "{what}{}", output.stderr);
            for run in [&parent, &child] {
                assert_eq!(status_of(&place, run), "completed", "{what}");
            }
            assert_eq!(place.read("docs/parent.json"), wanted, "{what}");
        }
    }
}

#[test]
fn children_that_are_answered_at_once_continue_their_parent_together() {
    for by_parent in [true, false] {
        let place = place_with(&[("child", CHILD), ("each", EACH)]);
        place.run(&["workflow", "start", "each"]).code(3);
        let parent = run_of(&place, "each");
        let children = ["each.fish", "each.fowl"].map(|name| (name, child_of(&place, &parent, name)));
        let terminals = children.map(|(name, child)| {
            let arguments = ["workflow", "approve", if by_parent { &parent } else { &child }, "-m", name];
            let named: &[&str] = if by_parent { &["--stage", name] } else { &[] };
            place.spawn(&[&arguments[..], named].concat())
        });
        for terminal in terminals {
            let output = Output::of_child(terminal);
            assert!(matches!(output.code, 0 | 3), "{}: {}", output.code, output.stderr);
        }
        assert_eq!(status_of(&place, &parent), "completed");
        assert_eq!(json_of(&place, "docs/parent.json"), json!(["each.fish", "each.fowl"]));
    }
}

#[test]
fn a_child_whose_files_are_in_conflict_says_so_through_its_parent() {
    let (place, parent, child) = waiting();
    // Where the child is about to make a folder there is a file.
    place.write("docs", "mine\n");
    workflow(&place, "approve", &parent, &["-m", "yes"])
        .code(3)
        .says("docs/fish.json")
        .says(&format!("docket workflow resume {child}"));
    assert_eq!(stage(&place, &child, "keep")["status"], "conflict");
    let asked = stage(&place, &parent, "sub")["question"]["prompt"].as_str().expect("a prompt").to_owned();
    assert!(asked.contains(&child) && asked.contains("docs/fish.json"), "{asked}");
    workflow(&place, "resume", &parent, &[]).code(3);
    std::fs::remove_file(place.project().join("docs")).expect("removed");
    workflow(&place, "resume", &child, &[]).success().prints("the child said yes\n");
    for run in [&parent, &child] {
        assert_eq!(status_of(&place, run), "completed");
        workflow(&place, "verify", run, &[]).success();
    }
    assert!(is_there(&place, "docs/fish.json") && is_there(&place, "docs/parent.json"));
}
