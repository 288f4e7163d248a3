//! Several agents of one run at work at the same time, each held in the test's hand by the name of its stage. Has no
//! tests of its own.

use std::path::PathBuf;

use docket_tests::{Place, wait_until};
use serde_json::Value;

use crate::support::Agent;

/// The prompt template that tells an agent which stage it works for.
pub(crate) const TEMPLATE: &str = "templates/item.md";
/// What an agent does first: it learns its stage's name and leaves word that it was launched.
const BEGIN: &str = "read -r _ item\necho \"$item\" >> \"$1/ledger\"\necho $$ > \"$1/started-$item\"\n";
/// What an agent does last.
const END: &str = "printf '{\"said\":\"%s\"}\\n' \"$item\"\n";
/// Waits until the test says so; gives up by itself should it never do.
pub(crate) const WAIT: &str = "tries=0\nwhile [ ! -e \"$1/go\" ] && [ ! -e \"$1/go-$item\" ] && [ $tries -lt 1200 ]; \
                               do sleep 0.05; tries=$((tries+1)); done\n";

/// The agents of one place.
pub(crate) struct Crew {
    folder: PathBuf,
}

impl Crew {
    /// Agents that do this between being launched and answering with their stage's name. `$1` is their folder, `$item`
    /// the stage's name.
    pub(crate) fn new(place: &Place, work: &str) -> Self {
        Agent::new(place, &format!("{BEGIN}{work}{END}"));
        place.write(&format!(".docket/workflows/{TEMPLATE}"), "ITEM {{ stage }}\n");
        Self { folder: place.home().join("agent") }
    }

    /// Agents that answer when they are told to.
    pub(crate) fn patient(place: &Place) -> Self {
        Self::new(place, WAIT)
    }

    /// The names of the stages agents were launched for, in order.
    pub(crate) fn launches(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("ledger")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The same, sorted.
    pub(crate) fn launched(&self) -> Vec<String> {
        let mut names = self.launches();
        names.sort();
        names
    }

    /// Waits until so many were launched.
    pub(crate) fn wait_for(&self, count: usize) {
        wait_until("the agents were launched", || self.launches().len() >= count);
    }

    /// Tells the agent of a stage to answer.
    pub(crate) fn go(&self, stage: &str) {
        std::fs::write(self.folder.join(format!("go-{stage}")), "").expect("written");
    }

    /// Tells all of them to answer, those to come included.
    pub(crate) fn all_go(&self) {
        std::fs::write(self.folder.join("go"), "").expect("written");
    }

    /// What an agent left in their folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The process id of a stage's agent.
    pub(crate) fn pid(&self, stage: &str) -> Option<i32> {
        self.read(&format!("started-{stage}")).trim().parse().ok()
    }

    /// Whether a stage's agent is there.
    pub(crate) fn is_alive(&self, stage: &str) -> bool {
        self.pid(stage).is_some_and(is_there)
    }
}

/// Whether a process is there and not only waits to be noticed dead.
pub(crate) fn is_there(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// A stage with such an agent.
pub(crate) fn agent(name: &str, more: Value) -> Value {
    let mut stage = serde_json::json!({
        "name": name, "type": "agent", "launcher": "shell", "config": { "prompt_template": TEMPLATE },
    });
    stage.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    stage
}

/// A project's definition `crew` with these stages and other fields.
pub(crate) fn define(place: &Place, more: Value) {
    let mut definition = serde_json::json!({ "name": "Crew", "version": 1 });
    definition.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    place.trusted_definition("crew", &definition.to_string());
}

/// The command that starts it.
pub(crate) const START: [&str; 5] = ["workflow", "start", "crew", "--profile", "mine"];
