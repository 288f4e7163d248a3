//! What docket asks of a stage: the typed form of the request's JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// One stage of one run. Fields that a later contract version adds are ignored by an older SDK.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// The run's id, such as `wf-a1b2c3`.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// The stage's name.
    pub stage: String,
    /// Which of the plugin's stage types is asked for.
    #[serde(rename = "type")]
    pub stage_type: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The run's date, `YYYY-MM-DD`, fixed when it started.
    pub date: String,
    /// The stage's config; expressions are already replaced by their values.
    pub config: Value,
    /// The run's inputs by name.
    pub inputs: BTreeMap<String, Value>,
    /// Outputs of earlier stages that the config refers to, by the config field that does.
    #[serde(default)]
    pub references: BTreeMap<String, Reference>,
    /// What an agent has to do; only there for a stage of type `agent`.
    pub agent: Option<Agent>,
}

/// An output of an earlier stage.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Reference {
    /// The stage it comes from.
    pub stage: String,
    /// The output's name.
    pub output: String,
    /// Where its JSON lies, under `/in`.
    pub path: String,
}

/// The task of an agent stage.
#[derive(Debug, Clone, Deserialize)]
pub struct Agent {
    /// The rendered prompt.
    pub prompt: String,
    /// Where docket keeps the prompt for people, relative to the project.
    pub prompt_file: String,
    /// JSON Schema the agent's result must fit.
    pub schema: Option<Value>,
    /// Whether the prompt already shows that schema.
    #[serde(default)]
    pub prompt_shows_schema: bool,
    /// How often the agent may be asked to mend an answer that does not fit, in the same session where it can.
    #[serde(default = "one")]
    pub repairs: u32,
    /// Where the project lies on the host, for an agent that has to be told; only there when the launcher may
    /// run the profile's command. The plugin itself sees the project's granted folders under `/project`.
    #[serde(default)]
    pub project_folder: Option<String>,
    /// The launcher profile in force.
    pub profile: Profile,
}

/// How the user wants agents to be launched.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name; empty when none was chosen.
    pub name: String,
    /// Which agent program it is for, such as `codex` or `generic`.
    pub agent: Option<String>,
    /// The granted command's name, to be given to [`crate::process::spawn`].
    pub program: Option<String>,
    /// Arguments of the user's own, to come before the launcher's.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Seconds without any output after which the agent counts as stuck.
    pub idle_timeout: Option<u64>,
    /// Which model the agent is to use; the agent's own choice when none is said.
    #[serde(default)]
    pub model: Option<String>,
    /// What the profile tells this launcher beyond the above, as the user wrote it: read it with [`Profile::options()`].
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
}

/// How often an answer may be mended, for a docket that does not say.
fn one() -> u32 {
    1
}

impl Request {
    /// Reads the config as a type of the plugin's own.
    ///
    /// # Errors
    /// `config-invalid`, naming the field, when the config does not fit the type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.config).map_err(|cause| {
            Error::new(
                "config-invalid",
                format!("the config of stage '{}' does not fit: {cause}", self.stage),
            )
        })
    }

    /// Reads the output that config field `field` refers to.
    ///
    /// # Errors
    /// `reference-missing` when the field refers to nothing, `reference-unreadable` when the value can't be read.
    pub fn reference(&self, field: &str) -> Result<Value, Error> {
        let reference = self.references.get(field).ok_or_else(|| {
            Error::new(
                "reference-missing",
                format!("config field '{field}' of stage '{}' refers to no output", self.stage),
            )
            .hint("write it as `stage-name.output-name`")
        })?;
        let text = std::fs::read_to_string(&reference.path).map_err(|cause| unreadable(reference, &cause))?;
        serde_json::from_str(&text).map_err(|cause| unreadable(reference, &cause))
    }

    /// What an agent stage has to do.
    ///
    /// # Errors
    /// `not-an-agent-stage` when the stage has another type.
    pub fn agent(&self) -> Result<&Agent, Error> {
        self.agent.as_ref().ok_or_else(|| {
            Error::new("not-an-agent-stage", format!("stage '{}' has no agent task", self.stage))
                .hint("a launcher serves stages of type `agent` only")
        })
    }
}

impl Profile {
    /// Reads the profile's options as a type of the launcher's own, which should refuse fields it does not know.
    ///
    /// # Errors
    /// `options-invalid`, naming the field, when they do not fit.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let options = Value::Object(self.options.clone().into_iter().collect());
        T::deserialize(options).map_err(|cause| {
            let message = format!("the `options` of launcher profile '{}' do not fit: {cause}", self.name);
            Error::new("options-invalid", message).hint("correct them in ~/.docket/config.yml")
        })
    }
}

fn unreadable(reference: &Reference, cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        "reference-unreadable",
        format!("output '{}.{}' can't be read: {cause}", reference.stage, reference.output),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_unknown_fields_are_ignored() {
        let request: Request = serde_json::from_value(serde_json::json!({
            "run": "wf-1", "workflow": "W", "stage": "s", "type": "storage", "attempt": 1, "date": "2026-01-02",
            "config": {"a": 1}, "inputs": {}, "from_the_future": true,
        }))
        .expect("a request");
        assert_eq!(request.stage_type, "storage");
        assert_eq!(request.reference("source").expect_err("no such reference").code, "reference-missing");
        assert_eq!(request.agent().expect_err("no agent").code, "not-an-agent-stage");
    }
}
