//! The languages in which agents talk to models: what they sent, and how an answer is said. Only as much of each as the
//! agents under test use; shapes as the services document them. Must not decide what the answer is.

use serde_json::{Value, json};

/// What the scripted model says it used, as every dialect is told it.
pub(crate) const INPUT_TOKENS: u64 = 1200;
/// How many of those it says were cached, where the dialect can tell.
pub(crate) const CACHED_TOKENS: u64 = 200;
/// How many it says it wrote.
pub(crate) const OUTPUT_TOKENS: u64 = 34;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI's Responses, which codex speaks.
    Responses,
    /// OpenAI's Chat Completions, which opencode speaks with a provider of the user's own.
    Chat,
    /// Google's `generateContent`.
    Gemini,
    /// A prompt and a schema: what a client of `docket mcp` was given.
    Task,
}

impl Dialect {
    /// The language of a request's path.
    pub(crate) fn of(target: &str) -> Option<Self> {
        let path = target.split('?').next().unwrap_or_default();
        if path.ends_with("/responses") {
            Some(Self::Responses)
        } else if path.ends_with("/chat/completions") {
            Some(Self::Chat)
        } else if path.ends_with("enerateContent") {
            Some(Self::Gemini)
        } else if path.ends_with("/task") {
            Some(Self::Task)
        } else {
            None
        }
    }

    /// The schema that was sent beside the prompt.
    pub(crate) fn native_schema(self, body: &Value) -> Option<&Value> {
        let pointers: &[&str] = match self {
            Self::Responses => &["/text/format/schema"],
            Self::Chat => &["/response_format/json_schema/schema"],
            Self::Gemini => &["/generationConfig/responseJsonSchema", "/generationConfig/responseSchema"],
            Self::Task => &["/schema"],
        };
        pointers.iter().find_map(|pointer| body.pointer(pointer)).filter(|schema| schema.is_object())
    }

    /// Everything a person or docket said in the conversation, as one text; not the agent's own instructions.
    pub(crate) fn said(self, body: &Value) -> String {
        let turns = match self {
            Self::Responses => body.get("input"),
            Self::Chat => body.get("messages"),
            Self::Gemini => body.get("contents"),
            Self::Task => return text(body.get("prompt").unwrap_or(&Value::Null)),
        };
        let of_user = |turn: &&Value| turn.get("role").and_then(Value::as_str) == Some("user");
        let turns = turns.and_then(Value::as_array).into_iter().flatten().filter(of_user);
        turns.map(text).collect::<Vec<_>>().join("\n")
    }

    /// Whether all of the answer is wanted at once, without a stream.
    fn is_whole(self, target: &str, body: &Value) -> bool {
        match self {
            Self::Responses | Self::Chat => body.get("stream") != Some(&Value::Bool(true)),
            Self::Gemini => !target.contains("streamGenerateContent"),
            Self::Task => true,
        }
    }

    /// An answer's content type and body.
    pub(crate) fn answer(self, target: &str, body: &Value, text: &str) -> (&'static str, String) {
        let whole = self.is_whole(target, body);
        let events = match self {
            Self::Responses => responses(text),
            Self::Chat => chat(text, whole),
            Self::Gemini => vec![gemini(text)],
            Self::Task => vec![json!({ "answer": text })],
        };
        if whole {
            let last = events.last().map(ToString::to_string).unwrap_or_default();
            return ("application/json", last);
        }
        let mut stream = String::new();
        for event in &events {
            if let Some(kind) = event.get("type").and_then(Value::as_str) {
                stream.push_str(&format!("event: {kind}\n"));
            }
            stream.push_str(&format!("data: {event}\n\n"));
        }
        if self == Self::Chat {
            stream.push_str("data: [DONE]\n\n");
        }
        ("text/event-stream", stream)
    }
}

/// The texts in a value, wherever they are.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => fields.values().map(text).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn responses(text: &str) -> Vec<Value> {
    let item = |content: Value, status: &str| json!({ "type": "message", "id": "message-1", "role": "assistant", "status": status, "content": content });
    let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
    vec![
        json!({ "type": "response.created", "response": { "id": "response-1" } }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": item(json!([]), "in_progress") }),
        json!({
            "type": "response.output_text.delta", "item_id": "message-1", "output_index": 0, "content_index": 0,
            "delta": text,
        }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item(content, "completed") }),
        json!({ "type": "response.completed", "response": { "id": "response-1", "usage": {
            "input_tokens": INPUT_TOKENS, "input_tokens_details": { "cached_tokens": CACHED_TOKENS },
            "output_tokens": OUTPUT_TOKENS, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        } } }),
    ]
}

fn chat(text: &str, whole: bool) -> Vec<Value> {
    let usage = json!({
        "prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "prompt_tokens_details": { "cached_tokens": CACHED_TOKENS },
    });
    let common = |object: &str, choice: Value| json!({ "id": "chat-1", "object": object, "created": 1, "model": "scripted", "choices": [choice] });
    let message = json!({ "role": "assistant", "content": text });
    let with_usage = |mut value: Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("usage".to_owned(), usage.clone());
        }
        value
    };
    if whole {
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        return vec![with_usage(common("chat.completion", choice))];
    }
    let chunk = "chat.completion.chunk";
    vec![
        common(chunk, json!({ "index": 0, "delta": message, "finish_reason": null })),
        with_usage(common(chunk, json!({ "index": 0, "delta": {}, "finish_reason": "stop" }))),
    ]
}

fn gemini(text: &str) -> Value {
    json!({
        "candidates": [{
            "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": "STOP", "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS, "cachedContentTokenCount": CACHED_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS, "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "modelVersion": "scripted",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_found_in_every_dialect() {
        let said = json!([{ "role": "user", "content": [{ "type": "input_text", "text": "Review!" }] }]);
        let system =
            json!([{ "role": "system", "content": "secret" }, { "role": "user", "content": "Review!" }]);
        let contents = json!([{ "role": "user", "parts": [{ "text": "Review!" }] }]);
        for (target, body) in [
            ("/v1/responses", json!({ "input": said, "tools": [{ "description": "no" }] })),
            ("/v1/chat/completions", json!({ "messages": system })),
            ("/v1beta/models/m:streamGenerateContent?alt=sse", json!({ "contents": contents })),
            ("/task", json!({ "prompt": "Review!" })),
        ] {
            let dialect = Dialect::of(target).expect("known");
            assert!(dialect.said(&body).contains("Review!"), "{target}");
            assert!(!dialect.said(&body).contains("secret"), "{target}");
            assert_eq!(dialect.native_schema(&body), None, "{target}");
        }
        assert_eq!(Dialect::of("/v1/models"), None);
    }

    #[test]
    fn an_answer_is_a_stream_unless_it_is_wanted_whole() {
        let (kind, body) = Dialect::Responses.answer("/v1/responses", &json!({ "stream": true }), "hi");
        assert_eq!(kind, "text/event-stream");
        assert!(body.starts_with("event: response.created\ndata: {"), "{body}");
        assert!(body.trim_end().ends_with('}') && body.contains("\"delta\":\"hi\""), "{body}");
        let (kind, body) = Dialect::Gemini.answer("/m:generateContent", &json!({}), "hi");
        assert_eq!((kind, body.contains("\"text\":\"hi\"")), ("application/json", true));
        let (_, body) = Dialect::Chat.answer("/chat/completions", &json!({ "stream": true }), "hi");
        assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    }
}
