//! What the stage is asked for: its config, and which document it is about.

use std::path::Path;

use docket_markdown::{Kind, join};
use docket_plugin::{Error, Request, Value};
use serde::Deserialize;

pub use crate::strategy::{Include, Strategy};

/// The target of a package that is about a project and no document: the project's folder.
pub const PROJECT: &str = ".";
/// The input with the runs that docket knows of, for the begin of a session.
const RUNS: &str = "runs";

/// The stage's config as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    strategy: Option<Strategy>,
    include: Option<Vec<Include>>,
    target: Option<String>,
    budget: Option<u64>,
}

/// What to gather for which document.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the context is for.
    pub strategy: Strategy,
    /// What to gather.
    pub include: Vec<Include>,
    /// The document's project path; [`PROJECT`] when it is about the project as a whole.
    pub target: String,
    /// How many tokens the package may have.
    pub budget: u64,
    /// The day of the run, `YYYY-MM-DD`.
    pub today: String,
    /// Runs that are not over, as docket tells.
    pub runs: Vec<Value>,
}

impl Settings {
    /// What a strategy gathers for a document when nobody says more.
    pub fn of(strategy: Strategy, target: &str) -> Self {
        Self {
            strategy,
            include: strategy.include(),
            target: target.to_owned(),
            budget: strategy.budget(),
            today: String::new(),
            runs: Vec::new(),
        }
    }

    /// Reads the config of `request`. Without a `target`, the document is the first of the run's inputs that names a
    /// Markdown file below `root`; the strategy `session-start` needs none. Without a `strategy`, the one for the kind
    /// of document.
    ///
    /// # Errors
    /// `config-invalid`, `target-missing` when the named file is not there, and `target-unknown` when neither config nor
    /// inputs name one.
    pub fn read(request: &Request, root: &Path) -> Result<Self, Error> {
        let config: Config = request.config()?;
        let is_session = config.strategy == Some(Strategy::SessionStart);
        let target = match &config.target {
            _ if is_session => PROJECT.to_owned(),
            Some(target) => existing(root, target).ok_or_else(|| missing(target, &request.stage))?,
            None => (request.inputs.values().filter_map(Value::as_str))
                .filter(|input| is_markdown(input))
                .find_map(|input| existing(root, input))
                .ok_or_else(|| unknown(request))?,
        };
        let strategy = config.strategy.unwrap_or_else(|| Strategy::for_kind(Kind::of(&target, "")));
        let usual = Self::of(strategy, &target);
        Ok(Self {
            include: config.include.unwrap_or(usual.include),
            budget: config.budget.unwrap_or(usual.budget),
            today: request.date.clone(),
            runs: request.inputs.get(RUNS).and_then(Value::as_array).cloned().unwrap_or_default(),
            strategy,
            target,
        })
    }

    /// Whether `what` is asked for.
    pub fn wants(&self, what: Include) -> bool {
        self.include.contains(&what)
    }
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
        .hint("give the workflow an input of type file that names a Markdown document, or set 'target' in the stage's config; the strategy session-start needs none")
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
    fn a_strategy_says_what_is_gathered_unless_the_config_does() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project");
        let read = |config| Settings::read(&request(config, json!({})), &root).expect("settings");
        let decision = read(json!({ "target": "docs/adr/adr-0001-plain-files.md" }));
        assert_eq!(decision.strategy, Strategy::AdrReview);
        assert!(!decision.wants(Include::AffectedCommands));
        let asked = read(
            json!({ "target": "docs/adr/adr-0001-plain-files.md", "include": ["affected_commands"], "budget": 900 }),
        );
        assert_eq!((asked.include, asked.budget), (vec![Include::AffectedCommands], 900));
        let session = read(json!({ "strategy": "session-start" }));
        assert_eq!((session.target.as_str(), session.today.as_str()), (".", "2026-01-02"));
        assert!(session.wants(Include::OpenTodos));
    }

    #[test]
    fn what_does_not_fit_is_an_error_with_a_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let code =
            |config: Value| Settings::read(&request(config, json!({})), root).expect_err("an error").code;
        assert_eq!(code(json!({})), "target-unknown");
        assert_eq!(code(json!({ "target": "none.md" })), "target-missing");
        assert_eq!(code(json!({ "target": "../../Cargo.toml" })), "target-missing");
        assert_eq!(code(json!({ "unknown": 1 })), "config-invalid");
    }
}
