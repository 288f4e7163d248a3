//! What the stage is asked for: its config, and which document it is about.

use std::path::Path;

use docket_markdown::join;
use docket_plugin::{Error, Request, Value};
use serde::Deserialize;

/// The stage's config as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    strategy: Strategy,
    #[serde(default = "everything")]
    include: Vec<Include>,
    target: Option<String>,
}

/// What the context is for. All gather the same things so far; the name is passed on to the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The review of an RFC.
    #[default]
    RfcReview,
    /// The review of an ADR.
    AdrReview,
    /// The validation of a specification.
    SpecValidation,
}

impl Strategy {
    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RfcReview => "rfc-review",
            Self::AdrReview => "adr-review",
            Self::SpecValidation => "spec-validation",
        }
    }
}

/// One thing to gather.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// What the document refers to.
    ParseReferences,
    /// Decisions, proposals and other documents on the same topic.
    RelatedAdrs,
    /// Commands the document is about, and where they are defined.
    AffectedCommands,
    /// The project's architecture documents.
    ArchitectureDocs,
}

/// What to gather for which document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the context is for.
    pub strategy: Strategy,
    /// What to gather.
    pub include: Vec<Include>,
    /// The document's project path.
    pub target: String,
}

impl Settings {
    /// Reads the config of `request`. Without a `target`, the document is the first of the run's inputs that names a
    /// Markdown file below `root`.
    ///
    /// # Errors
    /// `strategy-unsupported`, `config-invalid`, `target-missing` when the named file is not there, and
    /// `target-unknown` when neither config nor inputs name one.
    pub fn read(request: &Request, root: &Path) -> Result<Self, Error> {
        if request.config.get("strategy").and_then(Value::as_str) == Some("session-start") {
            return Err(Error::new(
                "strategy-unsupported",
                format!(
                    "the strategy 'session-start' of stage '{}' is about a project, not a document",
                    request.stage
                ),
            )
            .hint("use rfc-review, adr-review or spec-validation"));
        }
        let config: Config = request.config()?;
        let target = match &config.target {
            Some(target) => existing(root, target).ok_or_else(|| missing(target, &request.stage))?,
            None => (request.inputs.values().filter_map(Value::as_str))
                .filter(|input| is_markdown(input))
                .find_map(|input| existing(root, input))
                .ok_or_else(|| unknown(request))?,
        };
        Ok(Self { strategy: config.strategy, include: config.include, target })
    }

    /// Whether `what` is asked for.
    pub fn wants(&self, what: Include) -> bool {
        self.include.contains(&what)
    }
}

fn everything() -> Vec<Include> {
    vec![Include::ParseReferences, Include::RelatedAdrs, Include::AffectedCommands, Include::ArchitectureDocs]
}

fn is_markdown(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| matches!(extension.to_ascii_lowercase().as_str(), "md" | "markdown"))
}

/// The project path of an existing file, without `.` and `..`.
fn existing(root: &Path, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    join("", path).filter(|path| !path.is_empty() && root.join(path).is_file())
}

fn missing(target: &str, stage: &str) -> Error {
    Error::new("target-missing", format!("stage '{stage}' is about '{target}', which is no file this stage can read"))
        .hint("'target' is a path relative to the project's folder, such as docs/rfcs/rfc-0001.md; hidden and ignored files can't be read")
}

fn unknown(request: &Request) -> Error {
    Error::new("target-unknown", format!("stage '{}' can't tell which document it is about", request.stage))
        .hint("give the workflow an input of type file that names a Markdown document, or set 'target' in the stage's config")
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_plugin::json;

    fn request(config: Value, inputs: Value) -> Request {
        serde_json::from_value(json!({
            "run": "wf-1", "workflow": "W", "stage": "gather", "type": "context", "attempt": 1,
            "date": "2026-01-02", "config": config, "inputs": inputs,
        }))
        .expect("a request")
    }

    #[test]
    fn the_target_is_the_first_markdown_input_that_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project");
        let inputs =
            json!({ "a": "docs/none.md", "b": "./docs/rfcs/rfc-0002-journal.md", "c": 3, "d": "Cargo.toml" });
        let settings = Settings::read(&request(json!({}), inputs), &root).expect("settings");
        assert_eq!(settings.target, "docs/rfcs/rfc-0002-journal.md");
        assert_eq!(settings.strategy, Strategy::RfcReview);
        assert!(settings.wants(Include::ArchitectureDocs));
    }

    #[test]
    fn what_does_not_fit_is_an_error_with_a_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let code =
            |config: Value| Settings::read(&request(config, json!({})), root).expect_err("an error").code;
        assert_eq!(code(json!({})), "target-unknown");
        assert_eq!(code(json!({ "target": "none.md" })), "target-missing");
        assert_eq!(code(json!({ "target": "../../Cargo.toml" })), "target-missing");
        assert_eq!(code(json!({ "strategy": "session-start" })), "strategy-unsupported");
        assert_eq!(code(json!({ "unknown": 1 })), "config-invalid");
    }
}
