//! Finds the JSON in what an agent said. Pure; knows nothing about what the JSON should look like.

use docket_plugin::{Error, Value};

/// How much of an unreadable answer is shown.
const SHOWN_CHARACTERS: usize = 120;

/// The JSON value in a text: the whole text, else the last fenced `json` block, else the last balanced object.
pub fn read(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    serde_json::from_str(text)
        .ok()
        .or_else(|| last_fenced(text).and_then(|block| serde_json::from_str(&block).ok()))
        .or_else(|| last_object(text))
}

/// The error for a text without JSON, naming how it begins.
pub fn unreadable(text: &str) -> Error {
    let text = text.trim();
    let message = if text.is_empty() {
        "the agent ended without an answer".to_owned()
    } else {
        let shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        format!("no JSON can be found in the agent's answer, which begins '{}{more}'", shown.escape_debug())
    };
    Error::new("agent-output-unreadable", message)
        .hint("the agent has to answer with one JSON object, alone or in a ```json block")
        .retryable()
}

/// The content of the last closed block fenced with ``` and marked as `json`.
fn last_fenced(text: &str) -> Option<String> {
    let mut last = None;
    let mut open: Option<Vec<&str>> = None;
    let mut in_other = false;
    for line in text.lines() {
        let information = line.trim().strip_prefix("```");
        match (&mut open, information) {
            (Some(lines), Some("")) => {
                last = Some(lines.join("\n"));
                open = None;
            }
            (Some(lines), _) => lines.push(line),
            (None, Some("")) => in_other = !in_other,
            (None, Some(language)) if !in_other => {
                if language.trim().eq_ignore_ascii_case("json") {
                    open = Some(Vec::new());
                } else {
                    in_other = true;
                }
            }
            (None, _) => {}
        }
    }
    last
}

/// The last object that starts somewhere in a text and is not inside another one. In a text that ends within an object
/// there is none: what was said was cut off.
fn last_object(text: &str) -> Option<Value> {
    let mut last = None;
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = rest.get(start..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let step = match values.next() {
            Some(Ok(value)) => {
                last = Some(value);
                values.byte_offset()
            }
            Some(Err(cause)) if cause.is_eof() => return None,
            _ => 1,
        };
        rest = rest.get(step..)?;
    }
    last
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    #[test]
    fn json_is_found_wherever_agents_put_it() {
        for (text, expected) in [
            ("\u{feff}{\"a\":1}\n", json!({ "a": 1 })),
            ("[1, 2]", json!([1, 2])),
            ("```json\n{\"a\":1}\n```\nand better:\n```JSON\n{\"a\":2}\n```", json!({ "a": 2 })),
            ("```\n{\"a\":1}\n```\n", json!({ "a": 1 })),
            ("```rust\n```json\n```\n```json\n{\"a\":3}\n```", json!({ "a": 3 })),
            ("Use {braces}. First {\"a\":1}, then {\"a\":{\"b\":\"}\"}} done.", json!({ "a": { "b": "}" } })),
            ("```json\n{\"a\": broken\n```\n{\"a\":4}", json!({ "a": 4 })),
            ("```json\n{\"a\": 5}", json!({ "a": 5 })),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_has_none() {
        for text in [
            "",
            "no",
            "{",
            "{\"a\": ",
            "{\"a\": {\"b\": 1}, ",
            "{\"a\": 1} {\"a\": {\"b\": 2}",
            "{a: 1}",
            "é{é",
            "{{{{{{",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(unreadable(" \n").message, "the agent ended without an answer");
    }
}
