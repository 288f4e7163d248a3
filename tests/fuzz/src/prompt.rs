//! Prompts: any template, and any text that is marked as data.
//!
//! What holds: rendering the same twice gives the same, and never more than the limit. Whatever a document says, it
//! lies between its two marker lines and can't end itself. What is said of a mistake holds nothing that a terminal
//! obeys.

use std::sync::LazyLock;

use docket_core::definition::{as_data, render_prompt};
use serde_json::{Value, json};

use crate::{assert_harmless, text};

/// Bytes that a prompt may have: what docket's documentation says.
const MAX_PROMPT: usize = 16 * 1024 * 1024;

static CONTEXT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "date": "2026-01-02", "run": "wf-aaaaaa", "workflow": "W", "stage": "review", "perspective": "security",
        "inputs": { "rfc_path": "docs/rfc-1.md", "n": 3, "ratio": 1.5, "none": null },
        "document": { "path": "docs/rfc-1.md", "title": "RFC", "content": "{{ inputs }} {% raw %}" },
        "context": { "related": { "adrs": [{ "path": "a.md", "title": "A", "excerpt": "x\ny" }] } },
        "schema": "{\"type\":\"object\"}", "matrix": { "side": "left" },
    })
});

/// Runs the target: the first byte chooses between a template and data.
pub fn prompt(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let Some(text) = text(rest) else { return };
    if mode.is_multiple_of(4) { marked(text) } else { rendered(text) }
}

fn rendered(text: &str) {
    let first = render_prompt("fuzz.md", text, &CONTEXT);
    // What takes its time is not done twice.
    if first.as_ref().map_or(0, String::len) < 64 * 1024 {
        let again = render_prompt("fuzz.md", text, &CONTEXT);
        assert_eq!(first, again, "rendered twice: {text:?}");
    }
    match first {
        Ok(prompt) => assert!(prompt.len() <= MAX_PROMPT, "a prompt of {} bytes", prompt.len()),
        Err(error) => {
            assert_harmless("what is said of a template", &error.message);
            assert_harmless("a hint", error.hint.as_deref().unwrap_or_default());
        }
    }
}

fn marked(text: &str) {
    let origin: String = text.chars().take(40).collect();
    let marked = as_data(text, &origin);
    let (first, rest) = marked.split_once('\n').expect("a first line");
    assert_harmless("the line before the data", first);
    let last = rest.rsplit_once('\n').map_or(rest, |(_, last)| last);
    let marker = last.strip_prefix("<<<END ").and_then(|last| last.strip_suffix(">>>")).expect("a last line");
    assert!(!text.contains(marker), "the text holds its own end");
    assert!(first.contains(marker), "the beginning and the end belong together");
    let body = rest.strip_suffix(last).expect("the last line is the last");
    assert!(body == text || body == format!("{text}\n"), "the text lies between its lines as it is");
    let context = json!({ "document": { "path": origin, "content": text } });
    let template = "{{ document.content | as_data(document.path) }}";
    if !origin.is_empty() {
        assert_eq!(render_prompt("fuzz.md", template, &context), Ok(marked), "a filter does the same");
    }
}
