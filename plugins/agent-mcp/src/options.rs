//! What a profile's `options` can say for this launcher.

use docket_plugin::Value;
use serde::Deserialize;

/// The options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The tool that runs the agent; may be left out for a server that has one alone.
    pub(crate) tool: Option<String>,
    /// The argument that takes the prompt; `prompt` when left out.
    pub(crate) prompt_argument: Option<String>,
    /// The argument that takes the result's schema; `schema` when left out, if the tool has one.
    pub(crate) schema_argument: Option<String>,
    /// Other arguments, always the same.
    pub(crate) arguments: serde_json::Map<String, Value>,
    /// The field of a structured result that holds the answer, when it is not the whole.
    pub(crate) answer_field: Option<String>,
    /// The tool by which the agent is asked again in its session; found by its name and arguments when left out.
    pub(crate) reply_tool: Option<String>,
}
