//! The scripted model: answers what agents send it with a review that it makes of what it was sent. It knows no document:
//! the mark of the review comes out of the prompt, and without prompt, schema and key there is no review. So a check fails
//! when docket or the agent loses one of them on the way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::http::{self, Request, Response};

/// The key that agents are given for it.
pub(crate) const KEY: &str = "loopback-key-5c1f0a";
/// What a mark in a document begins with.
pub(crate) const MARK: &str = "review-mark-";

/// How a schema reached the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Beside the prompt, where the agent takes one.
    Native,
    /// In the prompt.
    InPrompt,
    /// Not at all.
    None,
}

/// What a request had in it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) dialect: Dialect,
    /// The mark in the document that was to be reviewed.
    pub(crate) mark: Option<String>,
    pub(crate) schema: Schema,
    /// Whether it came with the key.
    pub(crate) has_key: bool,
    /// Everything that was said.
    pub(crate) said: String,
}

/// How the model behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Script {
    /// How many reviews lack something before one is whole.
    pub(crate) spoiled: usize,
}

/// A running model.
pub(crate) struct Model {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Model {
    /// Starts one.
    pub(crate) fn start(script: Script) -> std::io::Result<Self> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        let address = http::serve(Arc::new(move |request: &Request| {
            let Some(dialect) = Dialect::of(&request.target) else { return nothing_here() };
            let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
            let now = listen(dialect, request, &body);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            let reviewed = all.iter().filter(|heard: &&Heard| heard.mark.is_some()).count();
            let text = review(&now, reviewed < script.spoiled);
            all.push(now);
            let (kind, body) = dialect.answer(&request.target, &body, &text);
            Response { status: "200 OK", kind, body }
        }))?;
        Ok(Self { address, heard })
    }

    /// Its address as agents want it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Lists of models and the like: agents ask, and do without.
fn nothing_here() -> Response {
    Response {
        status: "404 Not Found",
        kind: "application/json",
        body: "{\"error\":{\"message\":\"not here\"}}".into(),
    }
}

fn listen(dialect: Dialect, request: &Request, body: &Value) -> Heard {
    let said = dialect.said(body);
    let schema = match dialect.native_schema(body) {
        Some(schema) if is_of_a_review(&schema.to_string()) => Schema::Native,
        _ if is_of_a_review(&said) => Schema::InPrompt,
        _ => Schema::None,
    };
    let key = ["authorization", "x-goog-api-key"].iter().filter_map(|name| request.header(name));
    let has_key = key.into_iter().any(|value| value.contains(KEY));
    Heard { dialect, mark: mark(&said), schema, has_key, said }
}

/// The words of the schema that a review has to fit.
fn is_of_a_review(text: &str) -> bool {
    ["\"assessment\"", "\"REQUEST_CHANGES\"", "\"blockers\"", "\"required\""]
        .iter()
        .all(|word| text.contains(word))
}

/// The mark in a text.
fn mark(said: &str) -> Option<String> {
    let rest = said.split(MARK).nth(1)?;
    let number: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    Some(format!("{MARK}{number}"))
}

/// The review, or why there is none.
fn review(heard: &Heard, is_spoiled: bool) -> String {
    let Some(mark) = &heard.mark else { return "A title".to_owned() };
    if heard.schema == Schema::None {
        return "I was not told what a review has to look like.".to_owned();
    }
    if !heard.has_key {
        return "I was not given the key.".to_owned();
    }
    let finding = |id: &str, title: &str| json!({ "id": id, "title": title, "section": "Design", "recommendation": "Say it in a sentence." });
    let mut review = json!({
        "assessment": "REQUEST_CHANGES",
        "blockers": [finding("B1", &format!("What {mark} stands for is not said"))],
        "major": [],
        "minor": [finding("m1", "A word is missing")],
        "strengths": ["It is short."],
        "summary": format!("Read to its mark, {mark}."),
    });
    if let Some(fields) = review.as_object_mut().filter(|_| is_spoiled) {
        fields.remove("assessment");
    }
    review.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(said: &str, key: &str, schema: Option<Value>) -> Heard {
        let request = Request {
            headers: vec![("authorization".into(), format!("Bearer {key}"))],
            ..Request::default()
        };
        listen(Dialect::Task, &request, &json!({ "prompt": said, "schema": schema }))
    }

    #[test]
    fn there_is_no_review_without_document_schema_and_key() {
        let schema = json!({ "required": ["assessment", "blockers"], "enum": ["REQUEST_CHANGES"], "x": "\"blockers\"" });
        let prompt = format!("Read this: {MARK}12ab. Thanks.");
        let whole = review(&heard(&prompt, KEY, Some(schema.clone())), false);
        assert!(whole.contains("\"assessment\"") && whole.contains("review-mark-12ab."), "{whole}");
        assert!(!review(&heard(&prompt, KEY, Some(schema.clone())), true).contains("\"assessment\""));
        for poor in [
            heard("Read this.", KEY, Some(schema.clone())),
            heard(&prompt, "another", Some(schema)),
            heard(&prompt, KEY, None),
        ] {
            assert!(!review(&poor, false).starts_with('{'), "{poor:?}");
        }
    }
}
