//! Runs that older versions stored, put into places of their own. What the scenarios of `old_formats` share; has no
//! tests of its own.

use std::path::{Path, PathBuf};

use docket_tests::Place;
use serde_json::Value;

use crate::place;

/// The document that the runs are about.
pub(crate) const DOCUMENT: &str = "docs/rfcs/rfc-0007-queue-limits.md";
/// What stands for the project's path in a fixture.
const PROJECT_MARK: &str = "@PROJECT@";
/// Where docket keeps runs, below a project.
pub(crate) const RUNS: &str = ".docket/workflows/state";

/// A fixture in a place of its own.
pub(crate) struct Stored {
    /// Where it is.
    pub(crate) place: Place,
    frozen: PathBuf,
    /// The run.
    pub(crate) run: String,
}

/// Where the fixtures are.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// The folders in a folder.
pub(crate) fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    let entries = entries.map(|entry| entry.expect("readable")).filter(|entry| entry.path().is_dir());
    entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect()
}

/// Copies a fixture's files, with the path of the project it comes to.
fn install(from: &Path, to: &Path, project: &str) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("readable") {
            let name = entry.expect("readable").file_name();
            install(&from.join(&name), &to.join(&name), project);
        }
        return;
    }
    let bytes = std::fs::read(from).expect("readable");
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if from.ends_with("command.json") => text.replace(PROJECT_MARK, project).into_bytes(),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    std::fs::write(to, bytes).expect("written");
}

/// Every file below a folder with its content, except for locks, which say who looked last.
pub(crate) fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if !path.ends_with("lock") {
            let bytes = std::fs::read(&path).expect("readable");
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

impl Stored {
    /// Puts the fixture of this folder into a project, and the key of its format into the home folder.
    pub(crate) fn new(fixture: &str) -> Self {
        let place = place();
        let folder = fixtures().join(fixture);
        let project = place.project().canonicalize().expect("there");
        install(&folder, &project, &project.display().to_string());
        let key = folder.parent().expect("the format").join("key");
        place.write_home("key", std::fs::read(key).expect("a key"));
        let run = place.only_run();
        Self { frozen: folder.join(RUNS).join(&run), place, run }
    }

    /// Its journal as it is now.
    pub(crate) fn journal(&self) -> Vec<u8> {
        std::fs::read(self.place.run_folder(&self.run).join("journal.jsonl")).expect("a journal")
    }

    /// A file of the run as it was frozen.
    pub(crate) fn frozen(&self, name: &str) -> String {
        let path = self.frozen.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
    }

    /// As [`Self::frozen`], as JSON.
    pub(crate) fn frozen_json(&self, name: &str) -> Value {
        serde_json::from_str(&self.frozen(name)).expect("JSON")
    }

    /// What a command about the run prints for programs.
    pub(crate) fn json(&self, command: &str) -> Value {
        self.place.run(&["workflow", command, &self.run, "--output", "json"]).success().json()
    }

    /// What a stage gave.
    pub(crate) fn result(&self, stage: &str) -> Value {
        self.json("results")["stages"][stage].clone()
    }

    /// The statuses of its stages, in order.
    pub(crate) fn stage_statuses(&self) -> Vec<String> {
        let status = self.place.status(&self.run);
        let stages = status["stages"].as_array().expect("stages");
        stages.iter().map(|stage| stage["status"].as_str().expect("a status").to_owned()).collect()
    }

    /// The review went to its end, and nothing in it happened twice.
    #[track_caller]
    pub(crate) fn assert_reviewed_once(&self) {
        assert_eq!(self.stage_statuses(), ["completed"; 4]);
        let text = self.place.read(DOCUMENT);
        let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        // The definition asks for a field and for a line of that name.
        assert_eq!((lines("**Status:** In Review"), lines("**Reviewed:** 2026-11-22")), (1, 2), "{text}");
        let reviews = std::fs::read_dir(self.place.project().join("docs/rfcs/.reviews")).expect("a folder");
        assert_eq!(reviews.count(), 1);
    }

    /// The agent that was launched before the fixture was made is the only one.
    #[track_caller]
    pub(crate) fn assert_launched_once(&self, stage: &str) {
        let folder = self.place.run_folder(&self.run).join("results").join(stage);
        assert_eq!(folders(&folder), ["attempt-1"]);
        assert_eq!(folders(&folder.join("attempt-1")), ["process-1"]);
        let started = format!("results/{stage}/attempt-1/process-1/started.json");
        let now = std::fs::read_to_string(self.place.run_folder(&self.run).join(&started)).expect("a record");
        assert_eq!(now, self.frozen(&started));
    }
}
