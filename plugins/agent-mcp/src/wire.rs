//! The few messages of the Model Context Protocol that a caller of tools needs, as revisions 2024-11-05 to 2025-11-25
//! have them (<https://modelcontextprotocol.io/specification>).
//!
//! Own types and not a crate's: those that are alive bring an asynchronous runtime into the component. Must read
//! leniently: what a server leaves out or adds is no reason to fail.

use docket_plugin::Value;
use serde::Deserialize;

/// The revision that is asked for: the newest that begins with `initialize`.
pub(crate) const REVISION: &str = "2025-11-25";
/// The revisions that are understood; for calling a tool they are the same.
pub(crate) const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", REVISION];

/// The answer to `initialize`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initialized {
    pub(crate) protocol_version: String,
    #[serde(default)]
    pub(crate) server_info: Option<ServerInfo>,
}

/// Which server it is.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerInfo {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) version: String,
}

/// A page of `tools/list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolPage {
    pub(crate) tools: Vec<Tool>,
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
}

/// A tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) input_schema: Value,
}

/// The answer to `tools/call`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallResult {
    #[serde(default)]
    pub(crate) content: Vec<Value>,
    #[serde(default)]
    pub(crate) structured_content: Option<Value>,
    #[serde(default)]
    pub(crate) is_error: Option<bool>,
    #[serde(default, rename = "_meta")]
    pub(crate) meta: Value,
}

impl CallResult {
    /// The text of the result, block by block.
    pub(crate) fn text(&self) -> String {
        let text = |block: &Value| {
            let block =
                block.as_object().filter(|block| block.get("type").is_some_and(|kind| kind == "text"))?;
            block.get("text")?.as_str().map(str::to_owned)
        };
        self.content.iter().filter_map(text).collect::<Vec<_>>().join("\n")
    }
}
