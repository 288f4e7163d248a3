//! What a person does with a run as it stands: starts it, goes on with it, answers, decides, does it again. The same
//! situation leads to the same command, so whoever could not see whether it worked repeats it.

use serde_json::Value;

use super::oracle::{Acknowledged, RunView, View};
use super::plan::Request;
use super::room::Room;
use super::subject::answer;

/// The next command. `cancels`: the run is to be cancelled.
pub(super) fn next_command(room: &Room, view: Option<&View>, cancels: bool) -> Vec<String> {
    match view {
        None => {
            let start = ["workflow", "start", room.subject.name];
            words(&[&start, room.subject.arguments].concat())
        }
        Some(view) if cancels => words(&["workflow", "cancel", &view.root.run]),
        Some(view) => next_of(room, view, &view.root),
    }
}

/// The next command about this run of those that were seen.
fn next_of(room: &Room, view: &View, now: &RunView) -> Vec<String> {
    let waiting = now.stages("waiting");
    match waiting.first().filter(|_| now.status() == "waiting") {
        // What a workflow inside this one waits for is its own business.
        Some(stage) => match stage["child"].as_str().and_then(|child| view.find(child)) {
            Some(child) if !child.is_over() => next_of(room, view, child),
            Some(_) => words(&["workflow", "resume", &now.run]),
            None => reply(room, &now.run, stage),
        },
        None if now.status() == "failed" => words(&["workflow", "retry", &now.run]),
        None => words(&["workflow", "resume", &now.run]),
    }
}

/// What is replied to a stage that waits.
fn reply(room: &Room, run: &str, stage: &Value) -> Vec<String> {
    let name = stage["name"].as_str().unwrap_or_default();
    let attempt = stage["attempt"].as_u64().unwrap_or_default();
    let approval = room.subject.approvals.iter().find(|(asks, _)| *asks == name);
    match approval {
        Some((_, Some(to))) if attempt == 1 => {
            let comment = format!("{name} is not good enough");
            words(&["workflow", "reject", run, "--stage", name, "--comment", &comment, "--to", to])
        }
        Some(_) => words(&["workflow", "approve", run, "--stage", name, "--comment", name]),
        None => {
            let file = room.answer_file(name);
            words(&["workflow", "submit", run, "--stage", name, "--file", &file])
        }
    }
}

/// What is asked of a living owner.
pub(super) fn question(room: &Room, view: &View, request: Request) -> Vec<String> {
    let run = &view.root.run;
    let waiting = view.root.stages("waiting");
    let stage = waiting.first().filter(|stage| stage["child"].is_null());
    match (request, stage) {
        (Request::Cancel, _) => words(&["workflow", "cancel", run]),
        (Request::Answer, Some(stage)) => reply(room, run, stage),
        (Request::Pause | Request::Answer, _) => words(&["workflow", "pause", run]),
    }
}

/// What docket acknowledged with this exit code.
pub(super) fn acknowledged(arguments: &[String], code: Option<i32>) -> Option<Acknowledged> {
    let word = |place: usize| arguments.get(place).map(String::as_str);
    match (word(1)?, code?) {
        ("submit", 0 | 3) => Some(Acknowledged::Answer(answer(word(4)?))),
        ("approve" | "reject", 0 | 3) => Some(Acknowledged::Decision(word(6)?.to_owned())),
        ("cancel", 0) => Some(Acknowledged::Cancel),
        ("pause", 0) => Some(Acknowledged::Pause),
        _ => None,
    }
}

/// A command's words.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
