//! The four steps that are compared: the project they work on, how it is put back before each run, and the check
//! afterwards that every step really did its work. Knows no engine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::scratch;

/// The document whose line is edited.
pub(super) const DOCUMENT: &str = "docs/rfcs/rfc-0001-queue-limits.md";
/// What `/bin/echo` is given to print.
pub(super) const ANSWER: &str = "{\"summary\": \"The limit has no number.\", \"findings\": [\"How many entries\", \"Für wen\"], \"count\": 2}";
/// The file that is written, below the project, and what has to be in it: [`ANSWER`] with line breaks.
pub(super) const WRITTEN: &str = "answer.json";
const WRITTEN_TEXT: &str = "{\n  \"summary\": \"The limit has no number.\",\n  \"findings\": [\n    \"How many \
                            entries\",\n    \"Für wen\"\n  ],\n  \"count\": 2\n}\n";
const BEFORE: &str = "**Status:** Draft\n";
const AFTER: &str = "**Status:** Reviewed\n";
/// Documents beside the one that is edited, which names each of them.
const DECISIONS: u32 = 11;

/// What a step listed: a document's path in the project, and its title.
pub(super) type Listing = BTreeSet<(String, String)>;

/// Writes the project as it is before a run.
pub(super) fn reset(project: &Path) -> Result<(), Failure> {
    for number in 1..=DECISIONS {
        let text = format!("# {}\n\n**Status:** Accepted\n\nEvery queue has a limit.\n", title(number));
        scratch::write(&project.join(decision(number)), text.as_bytes())?;
    }
    scratch::write(&project.join(DOCUMENT), document().as_bytes())?;
    let written = project.join(WRITTEN);
    if written.exists() {
        fs::remove_file(&written).map_err(|cause| Failure::file("remove", &written, &cause))?;
    }
    Ok(())
}

/// Whether a run did all four steps: it listed every document, and what `/bin/echo` printed is in the file that
/// was written, and the document differs from before in its one line.
pub(super) fn check(project: &Path, engine: &str, listed: &Listing) -> Result<(), Failure> {
    let wrong = |what: &str, is: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
        Err(Failure::new(format!("{engine} did not do its work: {what} {is:?}, expected {expected:?}")))
    };
    let expected = expected_listing();
    if *listed != expected {
        return wrong("it listed", listed, &expected);
    }
    let read = |name: &str| {
        let path = project.join(name);
        fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))
    };
    let written = read(WRITTEN)?;
    if written != WRITTEN_TEXT {
        return wrong("it wrote", &written, &WRITTEN_TEXT);
    }
    let edited = read(DOCUMENT)?;
    let expected = document().replace(BEFORE, AFTER);
    if edited != expected {
        return wrong("it edited the document to", &edited, &expected);
    }
    Ok(())
}

/// Reads a list of documents that has objects with `path` and `title`.
pub(super) fn listing<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Listing {
    let word = |document: &Value, key: &str| document[key].as_str().unwrap_or_default().to_owned();
    documents.into_iter().map(|document| (word(document, "path"), word(document, "title"))).collect()
}

fn expected_listing() -> Listing {
    let decisions = (1..=DECISIONS).map(|number| (decision(number), title(number)));
    decisions.chain([(DOCUMENT.to_owned(), "RFC-0001: Queue limits".to_owned())]).collect()
}

fn decision(number: u32) -> String {
    format!("docs/adr/adr-{number:04}-queue-{number}.md")
}

fn title(number: u32) -> String {
    format!("ADR-{number:04}: Queue {number}")
}

fn document() -> String {
    let mut text =
        format!("# RFC-0001: Queue limits\n\n{BEFORE}\n## Summary\n\nA queue that is full refuses work.\n\n");
    for number in 1..=DECISIONS {
        text.push_str(&format!("- It follows ADR-{number:04}.\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project below the temporary folder, removed at the end.
    struct Project(std::path::PathBuf);

    impl Project {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("docket-bench-{name}-{}", std::process::id()));
            reset(&folder).expect("written");
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) {
            scratch::write(&self.0.join(name), text.as_bytes()).expect("written");
        }

        fn refusal(&self, listed: &Listing) -> String {
            let failure = check(&self.0, "an engine", listed).expect_err("not all was done");
            failure.message().expect("it says what").to_owned()
        }
    }

    impl Drop for Project {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn every_step_left_out_is_noticed() {
        let project = Project::new("left-out");
        let all = expected_listing();
        assert!(project.refusal(&all).contains("answer.json"));
        project.write(WRITTEN, ANSWER);
        assert!(project.refusal(&all).contains("it wrote"));
        project.write(WRITTEN, WRITTEN_TEXT);
        assert!(project.refusal(&all).contains("it edited"));
        project.write(DOCUMENT, &document().replace(BEFORE, AFTER));
        check(&project.0, "an engine", &all).expect("all was done");
        let some = all.into_iter().skip(1).collect();
        assert!(project.refusal(&some).contains("it listed"));
    }

    #[test]
    fn a_reset_leaves_nothing_of_the_last_run() {
        let project = Project::new("reset");
        project.write(WRITTEN, WRITTEN_TEXT);
        project.write(DOCUMENT, &document().replace(BEFORE, AFTER));
        reset(&project.0).expect("written");
        assert!(!project.0.join(WRITTEN).exists());
        assert_eq!(fs::read_to_string(project.0.join(DOCUMENT)).expect("there"), document());
    }

    #[test]
    fn the_file_has_what_echo_prints() {
        let printed: Value = serde_json::from_str(ANSWER).expect("JSON");
        let written: Value = serde_json::from_str(WRITTEN_TEXT).expect("JSON");
        assert_eq!(printed, written);
    }
}
