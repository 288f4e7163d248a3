//! What the scenarios of agents that are talked to share: a program that plays an agent or a server, well or badly, and
//! writes down what it hears. Has no tests of its own.

use std::path::PathBuf;

use docket_tests::{Output, PEER, Place, wait_until};
use serde_json::Value;

use crate::support::{CONFIG, answer, is_alive, start, start_arguments};

/// A program that plays an agent (`acp`) or a server (`mcp`); the profile `mine` names it.
pub(crate) struct Peer {
    folder: PathBuf,
    launcher: &'static str,
    behaviour: String,
}

impl Peer {
    /// A program that behaves like this.
    pub(crate) fn new(place: &Place, launcher: &'static str, behaviour: &str) -> Self {
        let folder = place.home().join("peer");
        std::fs::create_dir_all(&folder).expect("a folder");
        let peer = Self { folder, launcher, behaviour: behaviour.to_owned() };
        peer.answers("answer", &answer().to_string());
        peer.profile(place, "");
        peer
    }

    /// Sets the profile, with more fields such as `idle_timeout: 1`.
    pub(crate) fn profile(&self, place: &Place, more: &str) {
        let (launcher, behaviour, folder) = (self.launcher, &self.behaviour, self.folder.display());
        let fields = if more.is_empty() { String::new() } else { format!(", {more}") };
        let command = format!("['{PEER}', {launcher}, {behaviour}, '{folder}']");
        place.write_home(
            CONFIG,
            format!("profiles:\n  mine: {{ launcher: {launcher}, command: {command}{fields} }}\n"),
        );
    }

    /// What it will say: `answer`, or `answer-1` for the first time it is asked.
    pub(crate) fn answers(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("written");
    }

    /// The lines of a file that it wrote.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What it heard for a method, in all its lives.
    pub(crate) fn heard(&self, method: &str) -> Vec<Value> {
        let messages = self.lines("heard").into_iter().filter_map(|line| serde_json::from_str(&line).ok());
        messages.filter(|message: &Value| message["method"] == method).collect()
    }

    /// How often it was started.
    pub(crate) fn starts(&self) -> usize {
        self.lines("started").len()
    }

    /// Waits until it was told this.
    pub(crate) fn wait_for(&self, method: &str) {
        wait_until(&format!("{method} was heard"), || !self.heard(method).is_empty());
    }

    /// Tells it to answer.
    pub(crate) fn go(&self) {
        std::fs::write(self.folder.join("go"), "").expect("written");
    }

    /// Whether the process that was started last is there.
    pub(crate) fn is_alive(&self) -> bool {
        self.lines("started").last().is_some_and(|pid| is_alive(pid))
    }
}

/// Runs the review with the profile.
pub(crate) fn review(place: &Place) -> Output {
    start(place, &["--profile", "mine"])
}

/// Starts the review with the profile and does not wait for it.
pub(crate) fn begin_review(place: &Place) -> std::process::Child {
    place.spawn(&start_arguments(&["--profile", "mine"]))
}
