//! What the scenarios share: a document to review, an answer to give, and an agent that a test holds in its hand.
//! Has no tests of its own.

use std::path::PathBuf;
use std::process::Child;

use docket_tests::{Output, Place, finish, wait_until};
use serde_json::{Value, json};

use crate::place;

/// The specification's example definition, byte for byte.
pub(crate) const RFC_REVIEW: &str = include_str!("../../host/core/tests/definitions/good/rfc-review.yml");
/// The document that is reviewed.
pub(crate) const DOCUMENT: &str = "docs/rfcs/rfc-0007-queue-limits.md";
/// Its text. It has an open question and a broken link, so that a review of it is never empty.
pub(crate) const DOCUMENT_TEXT: &str = "\
# RFC-0007: Queue limits

**Status:** Draft
**Author:** The queue team
**Created:** 2026-01-10

## Summary

A queue refuses work when it is full. It follows [ADR-0002](../adr/adr-0002-bounded-queues.md) and
[a page that is not there](missing.md).

## Motivation

Memory grows without bounds when a consumer stops.

## Open Questions

- How many entries may wait?
";
/// Where the user's settings lie, below their docket folder.
pub(crate) const CONFIG: &str = "config.yml";

/// A place with the document and a decision it refers to.
pub(crate) fn place_with_document() -> Place {
    let place = place();
    place.write(DOCUMENT, DOCUMENT_TEXT);
    place.write(
        "docs/adr/adr-0002-bounded-queues.md",
        "# ADR-0002: Bounded queues\n\n**Status:** Accepted\n\n## Decision\n\nEvery queue has a limit.\n",
    );
    place
}

/// Starts the review of the document, with more arguments.
pub(crate) fn start_arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["workflow", "start", "rfc-review", "--rfc-path", DOCUMENT], more].concat()
}

/// Runs the review of the document, with more arguments.
pub(crate) fn start(place: &Place, more: &[&str]) -> Output {
    place.run(&start_arguments(more))
}

/// A run that waits for a person to answer its review stage.
pub(crate) fn waiting_run(place: &Place) -> String {
    start(place, &["--launcher", "manual"]).code(3).says("docket workflow submit");
    place.only_run()
}

/// A review that fits the schema: one blocker, two major concerns.
pub(crate) fn answer() -> Value {
    let finding = |id: &str| {
        json!({
            "id": id, "title": format!("Finding {id}"), "section": "Summary",
            "recommendation": "Say how many entries may wait.",
        })
    };
    json!({
        "assessment": "REQUEST_CHANGES", "summary": "The limit has no number.",
        "blockers": [finding("B1")], "major": [finding("M1"), finding("M2")], "minor": [], "strengths": ["It is short"],
    })
}

/// A file outside the project with this content; its path.
pub(crate) fn file(place: &Place, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = place.home().join(name);
    std::fs::write(&path, content).expect("written");
    path.display().to_string()
}

/// The Markdown files below the reviews' folder, with their text.
pub(crate) fn reviews(place: &Place) -> Vec<(String, String)> {
    let folder = place.project().join("docs/rfcs/.reviews");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<String> = names.collect();
    names.sort();
    let read = |name: String| {
        let text = std::fs::read_to_string(folder.join(&name)).expect("readable");
        (name, text)
    };
    names.into_iter().map(read).collect()
}

/// The document's lines, which a review must have changed in the known way and no other, exactly once.
#[track_caller]
pub(crate) fn assert_document_reviewed_once(place: &Place) {
    let text = place.read(DOCUMENT);
    let reviewed = text.lines().filter(|line| line.starts_with("**Reviewed:**")).count();
    // The definition asks for a field and for a line of that name.
    assert_eq!(reviewed, 2, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("**Status:**")).count(), 1, "{text}");
    let rest: String =
        text.lines()
            .filter(|line| !line.starts_with("**Reviewed:**"))
            .map(|line| {
                if line == "**Status:** In Review" {
                    "**Status:** Draft\n".into()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
    assert_eq!(rest, DOCUMENT_TEXT);
    let reviews = reviews(place);
    assert_eq!(reviews.len(), 1, "{reviews:?}");
}

/// The document and the reviews as if nothing had ever run.
#[track_caller]
pub(crate) fn assert_nothing_written(place: &Place) {
    assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
    assert_eq!(reviews(place), []);
}

/// Where a run stands.
#[track_caller]
pub(crate) fn status_of(place: &Place, run: &str) -> String {
    place.status(run)["status"].as_str().expect("a status").to_owned()
}

/// A stage of a run, by its name.
#[track_caller]
pub(crate) fn stage(place: &Place, run: &str, name: &str) -> Value {
    let status = place.status(run);
    let stages = status["stages"].as_array().expect("stages");
    stages
        .iter()
        .find(|stage| stage["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {status}"))
        .clone()
}

/// An agent of the user's: a shell script outside the project, with a folder where it leaves what it did.
pub(crate) struct Agent {
    folder: PathBuf,
}

impl Agent {
    /// An agent that does this when it is launched. `$1` is its folder. The profile `mine` names it.
    pub(crate) fn new(place: &Place, script: &str) -> Self {
        let folder = place.home().join("agent");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("agent.sh"), script).expect("written");
        std::fs::write(folder.join("answer"), answer().to_string()).expect("written");
        let agent = Self { folder };
        place.write_home(CONFIG, agent.profile());
        agent
    }

    /// An agent that answers at once.
    pub(crate) fn quick(place: &Place) -> Self {
        Self::new(place, "cat > \"$1/prompt\"\necho ran >> \"$1/ledger\"\ncat \"$1/answer\"\n")
    }

    /// An agent that answers when it is told to, and gives up by itself should nobody do so.
    pub(crate) fn patient(place: &Place) -> Self {
        let script = "echo ran >> \"$1/ledger\"\necho $$ > \"$1/pid.new\" && mv \"$1/pid.new\" \"$1/pid\"\n\
                      tries=0\nwhile [ ! -e \"$1/go\" ] && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries+1)); done\n\
                      cat \"$1/answer\"\n";
        Self::new(place, script)
    }

    /// The settings with the profile `mine`.
    pub(crate) fn profile(&self) -> String {
        // Run by a shell: a script that was just written may still be open in a process another test started.
        format!(
            "profiles:\n  mine: {{ launcher: shell, agent: generic, command: [/bin/sh, {0}/agent.sh, {0}] }}\n",
            self.folder.display()
        )
    }

    /// What the agent will say.
    pub(crate) fn answers(&self, text: &str) {
        std::fs::write(self.folder.join("answer"), text).expect("written");
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How often it was launched.
    pub(crate) fn launches(&self) -> usize {
        std::fs::read_to_string(self.folder.join("ledger")).map_or(0, |text| text.lines().count())
    }

    /// The prompt it was given.
    pub(crate) fn prompt(&self) -> String {
        std::fs::read_to_string(self.folder.join("prompt")).expect("the agent was given a prompt")
    }

    /// Waits until it was launched.
    pub(crate) fn wait_for_launch(&self) {
        wait_until("the agent was launched", || self.pid().is_some());
    }

    /// Tells it to answer.
    pub(crate) fn go(&self) {
        std::fs::write(self.folder.join("go"), "").expect("written");
    }

    /// Whether its process is there.
    pub(crate) fn is_alive(&self) -> bool {
        self.pid().is_some_and(|pid| is_alive(&pid))
    }

    /// The process id that was written down last.
    pub(crate) fn process(&self) -> String {
        self.pid().expect("the agent was launched")
    }

    fn pid(&self) -> Option<String> {
        Some(std::fs::read_to_string(self.folder.join("pid")).ok()?.trim().to_owned())
    }
}

/// Whether a process is there. The agent's supervisor waits for it, so it is no zombie for long.
pub(crate) fn is_alive(pid: &str) -> bool {
    let pid = rustix::process::Pid::from_raw(pid.parse().expect("a process id")).expect("not 0");
    rustix::process::test_kill_process(pid).is_ok()
}

/// Sends a signal to a process.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).expect("the process is there");
}

/// A run's journal.
#[track_caller]
pub(crate) fn journal(place: &Place, run: &str) -> String {
    std::fs::read_to_string(place.run_folder(run).join("journal.jsonl")).expect("a journal")
}

/// Runs docket with a variable set.
pub(crate) fn run_with(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    finish(place.command(arguments).envs(variables.iter().copied()))
}

/// A run whose agent works, and the docket process that owns it.
pub(crate) fn run_with_working_agent(place: &Place) -> (Agent, std::process::Child, String) {
    let agent = Agent::patient(place);
    let owner = place.spawn(&start_arguments(&["--profile", "mine"]));
    agent.wait_for_launch();
    (agent, owner, place.only_run())
}
