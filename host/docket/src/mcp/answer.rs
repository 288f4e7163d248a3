//! What tools answer: a text for whoever reads it and a value for programs, or what went wrong and what helps.

use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde::Serialize;
use serde_json::Value;

/// Where the published shape of an error stands in a result that is one.
const ERROR_KEY: &str = "docket/error";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    value: Value,
}

/// Something that went wrong, in words.
#[derive(Debug, Clone)]
pub struct Told {
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The shape that `docket schema error` publishes.
    pub shape: Value,
}

impl Answer {
    pub(super) fn new(text: impl Into<String>, value: &impl Serialize) -> Result<Self, Told> {
        let value = serde_json::to_value(value)
            .map_err(|cause| Told::bug(&format!("an answer is no JSON: {cause}")))?;
        Ok(Self { text: text.into(), value })
    }

    pub(super) fn into_result(self) -> CallToolResult {
        let mut result = CallToolResult::success(vec![ContentBlock::text(self.text.trim_end())]);
        result.structured_content = Some(self.value);
        result
    }
}

impl Told {
    /// A mistake of the client's that only this room can see.
    pub(super) fn mistake(message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        let shape = serde_json::json!({ "message": message, "hint": hint });
        Self { message, hint: Some(hint), shape }
    }

    /// Our mistake.
    pub(super) fn bug(detail: &str) -> Self {
        let told = Self::mistake(format!("BUG: {detail}"), "please report it, with what you did");
        Self { hint: told.hint.clone(), ..told }
    }

    /// With a hint for whoever calls tools in place of one for whoever types commands.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if let Some(fields) = self.shape.as_object_mut() {
            fields.insert("hint".to_owned(), Value::from(hint.as_str()));
        }
        Self { hint: Some(hint), ..self }
    }

    /// The result of a tool that says so. It has no structured content: that would have to be what the tool promises.
    pub(super) fn into_result(self) -> CallToolResult {
        let hint = self.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let text = docket_core::text::printable_lines(&format!("error: {}{hint}", self.message));
        let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
        let mut meta = MetaObject::default();
        meta.insert(ERROR_KEY.to_owned(), self.shape);
        result.meta = Some(meta);
        result
    }
}
