//! docket as one of the contestants: an ordinary definition of four stages, started like a user would. Must not
//! use anything that a user can't.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::task::{self, ANSWER, DOCUMENT, Listing};
use crate::bench::measure::{self, Sample};
use crate::bench::prepare;
use crate::failure::Failure;
use crate::scratch::{self, Scratch};

const NAME: &str = "four-steps";
const DEFINITION: &str = "\
name: Four steps
description: Lists documents, runs a program, writes a file, edits a line
version: 1
inputs:
  - name: document_path
    type: file
    required: true
stages:
  - name: list
    type: context
    outputs:
      documents: { path: \".docket/workflows/{workflow_id}/context.json\" }
  - name: run
    type: agent
    config: { prompt_template: four-steps.md }
    outputs:
      answer: { path: \".docket/workflows/{workflow_id}/answer.json\" }
  - name: write
    type: storage
    config: { source: run.answer, destination: answer.json, format: json }
  - name: edit
    type: metadata
    config:
      file: ${{ inputs.document_path }}
      updates:
        - field: Status
          value: Reviewed
";
const TEMPLATE: &str = "Print the answer.\n";
const START: [&str; 7] = ["workflow", "start", NAME, "--document-path", DOCUMENT, "--profile", "echo"];

/// docket in its project.
pub(super) struct Docket {
    scratch: Scratch,
}

impl Docket {
    /// Sets it up as its guide says: `docket init`, a definition of the user's own, and a launcher profile.
    pub(super) fn prepare(program: &Path) -> Result<Self, Failure> {
        let scratch = Scratch::empty("bench-peers-docket", program)?;
        task::reset(&scratch.project())?;
        prepare(&scratch, &["init"])?;
        let definitions = scratch.docket_home().join("workflows/definitions");
        scratch::write(&definitions.join(format!("{NAME}.yml")), DEFINITION.as_bytes())?;
        scratch::write(&definitions.join("four-steps.md"), TEMPLATE.as_bytes())?;
        scratch::write(&scratch.docket_home().join("config.yml"), profile().as_bytes())?;
        Ok(Self { scratch })
    }

    /// Runs the four steps in a process, and checks them.
    pub(super) fn run(&self) -> Result<Sample, Failure> {
        let project = self.scratch.project();
        task::reset(&project)?;
        let sample = measure::once(&self.scratch, &START)?;
        task::check(&project, "docket", &self.listed()?)?;
        Ok(sample)
    }

    /// Starts the program for nothing but its version.
    pub(super) fn run_empty(&self) -> Result<Sample, Failure> {
        measure::once(&self.scratch, &["--version"])
    }

    /// The program's own words about its version.
    pub(super) fn version(&self) -> Result<String, Failure> {
        let output = Command::new(self.scratch.program()).arg("--version").stdin(Stdio::null()).output();
        let output = output.map_err(|cause| Failure::file("run", self.scratch.program(), &cause))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// How many calls of a run wait for the disk.
    pub(super) fn synced_writes(&self) -> Result<Option<u32>, Failure> {
        task::reset(&self.scratch.project())?;
        measure::synced_writes(&self.scratch, &START)
    }

    /// What the stage `context` of the last run found: the document itself, and those related to it by kind.
    fn listed(&self) -> Result<Listing, Failure> {
        let path = self.last_run()?.join("context.json");
        let text = fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
        let package: Value =
            serde_json::from_str(&text).map_err(|cause| Failure::file("understand", &path, &cause))?;
        let related = package["related"].as_object().into_iter().flatten();
        let mut listed = task::listing(related.flat_map(|(_, kind)| kind.as_array().into_iter().flatten()));
        let word = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        listed.insert((word("target"), word("title")));
        Ok(listed)
    }

    fn last_run(&self) -> Result<PathBuf, Failure> {
        let runs = self.scratch.runs();
        let folders = scratch::entries(&runs)?.into_iter().filter(|path| path.is_dir());
        let newest = folders.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
        newest.ok_or_else(|| Failure::new(format!("docket left no run in {}", runs.display())))
    }
}

fn profile() -> String {
    format!(
        "profiles:\n  echo:\n    launcher: shell\n    agent: generic\n    command: [/bin/echo, '{ANSWER}']\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::task::WRITTEN;
    use super::*;

    #[test]
    fn the_definition_does_what_the_task_says() {
        assert!(DEFINITION.contains(&format!("destination: {WRITTEN},")));
        assert!(DEFINITION.contains("field: Status\n          value: Reviewed\n"));
        assert!(!ANSWER.contains('\''), "it stands in quotes in the profile");
    }
}
