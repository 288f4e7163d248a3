//! What a plugin is asked, as JSON. Published as `docket schema stage-request`; fields may be added within contract
//! 0.1 and are never changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One stage of one run, as its plugin is asked to do it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StageRequest<'a> {
    /// The run's id.
    pub run: &'a str,
    /// The workflow's name.
    pub workflow: &'a str,
    /// The stage's name.
    pub stage: &'a str,
    /// Which stage type is asked for.
    #[serde(rename = "type")]
    pub stage_type: &'a str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The run's date, `YYYY-MM-DD`.
    pub date: &'a str,
    /// The stage's config; expressions are replaced by their values.
    pub config: &'a Value,
    /// The run's inputs.
    pub inputs: &'a BTreeMap<String, Value>,
    /// Outputs that the config refers to, by config field.
    pub references: BTreeMap<&'a str, RequestReference<'a>>,
    /// What an agent has to do; only for stages of type `agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<RequestAgent<'a>>,
}

/// An output of an earlier stage.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestReference<'a> {
    /// The stage it comes from.
    pub stage: &'a str,
    /// The output.
    pub output: &'a str,
    /// Where its JSON lies in the sandbox.
    pub path: String,
}

/// What an agent has to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestAgent<'a> {
    /// The rendered prompt.
    pub prompt: &'a str,
    /// Where the prompt is kept for people, relative to the project.
    pub prompt_file: &'a str,
    /// JSON Schema the result must fit.
    pub schema: Option<&'a Value>,
    /// Whether the prompt already shows that schema.
    pub prompt_shows_schema: bool,
    /// How often the agent may be asked to mend an answer that does not fit.
    pub repairs: u32,
    /// Where the project lies on the host; only there for a launcher that may run the profile's command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_folder: Option<&'a str>,
    /// The launcher profile in force.
    pub profile: RequestProfile<'a>,
}

/// A launcher profile.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct RequestProfile<'a> {
    /// Its name; empty when none was chosen.
    pub name: &'a str,
    /// Which agent program it is for.
    pub agent: Option<&'a str>,
    /// The granted command's name.
    pub program: Option<&'a str>,
    /// Arguments of the user's own.
    pub arguments: &'a [String],
    /// Seconds without output after which the agent counts as stuck.
    pub idle_timeout: Option<u64>,
    /// Which model the agent is to use; the agent's own choice when none is said.
    pub model: Option<&'a str>,
    /// What the profile tells this launcher beyond the above.
    pub options: BTreeMap<&'a str, &'a Value>,
}
