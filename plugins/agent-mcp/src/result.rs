//! What a tool's result says: a failure, or an answer that is structured, or text. Pure.

use docket_launcher::ask::Reply;
use docket_launcher::words::cut;
use docket_plugin::{Error, Value};

use crate::options::Options;
use crate::tool::{SessionId, session};
use crate::wire::CallResult;

/// The largest answer: docket looks at one, and keeps it, in calls of at most 8 MiB.
const MAXIMUM_ANSWER: usize = 4 * 1024 * 1024;
/// How much of an error's text is shown.
const SHOWN_CHARACTERS: usize = 2_000;

/// The answer, and the session in which the agent can be asked again.
///
/// # Errors
/// `agent-failed` with the tool's own words when it says that it failed; `agent-protocol-broken` for what is no result.
pub(crate) fn read(
    result: Value,
    tool: &str,
    options: &Options,
) -> Result<(Reply, Option<SessionId>), Error> {
    let result: CallResult = serde_json::from_value(result).map_err(|cause| {
        Error::new("agent-protocol-broken", format!("what tool '{tool}' returned is no result: {cause}"))
    })?;
    let text = result.text();
    if result.is_error == Some(true) {
        let said = if text.trim().is_empty() { "no reason given" } else { text.trim() };
        let message = format!("tool '{tool}' failed: {}", cut(said, SHOWN_CHARACTERS));
        return Err(Error::new("agent-failed", message).retryable());
    }
    let structured = result.structured_content.filter(|content| !content.is_null());
    let size = structured.as_ref().map_or(0, |content| content.to_string().len());
    if size.max(text.len()) > MAXIMUM_ANSWER {
        let message = format!("tool '{tool}' returned more than {} MiB", MAXIMUM_ANSWER / (1024 * 1024));
        return Err(Error::new("agent-output-too-large", message).hint("have the agent answer with less"));
    }
    let again = structured.as_ref().and_then(session).or_else(|| session(&result.meta));
    let Some(structured) = structured else { return Ok((Reply::Text(text), again)) };
    let field = options.answer_field.as_deref().map(|field| (field, structured.get(field)));
    let reply = match field {
        Some((_, Some(Value::String(text)))) => Reply::Text(text.clone()),
        Some((_, Some(value))) => Reply::Value(value.clone()),
        Some((field, None)) => {
            let message = format!("the result of tool '{tool}' has no field '{field}'");
            return Err(Error::new("agent-protocol-broken", message)
                .hint("correct `answer_field` in the `options` of the launcher profile"));
        }
        None => match wrapped(&structured, &text) {
            Some(text) => Reply::Text(text),
            None => Reply::Value(structured),
        },
    };
    Ok((reply, again))
}

/// The text that a structured result only wraps: it has a field that says the same as the result's text, as servers do
/// for tools that return plain text, or text and a session.
fn wrapped(structured: &Value, text: &str) -> Option<String> {
    let mut fields = structured.as_object()?.values().filter_map(Value::as_str);
    let text = text.trim();
    fields.find(|field| !text.is_empty() && field.trim() == text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn reply(result: Value, options: Value) -> Result<Reply, Error> {
        let options = serde_json::from_value(options).expect("options");
        read(result, "review", &options).map(|(reply, _)| reply)
    }

    #[test]
    fn what_is_structured_comes_before_text() {
        let text = |text: &str| json!([{ "type": "text", "text": text }, { "type": "image", "data": "" }, 7]);
        assert_eq!(reply(json!({ "content": text("{}") }), json!({})), Ok(Reply::Text("{}".into())));
        let both = json!({ "content": text("{\"ok\": 1}"), "structuredContent": { "ok": 1 } });
        assert_eq!(reply(both, json!({})), Ok(Reply::Value(json!({ "ok": 1 }))));
        let plain = json!({ "content": text("I say so"), "structuredContent": { "result": "I say so" } });
        assert_eq!(reply(plain, json!({})), Ok(Reply::Text("I say so".into())));
        let named = json!({ "structuredContent": { "review": { "ok": 1 }, "cost": 3 } });
        assert_eq!(
            reply(named.clone(), json!({ "answer_field": "review" })),
            Ok(Reply::Value(json!({ "ok": 1 })))
        );
        let error = reply(named, json!({ "answer_field": "answer" })).expect_err("not there");
        assert!(error.message.contains("no field 'answer'"), "{error}");
        assert_eq!(reply(json!({}), json!({})), Ok(Reply::Text(String::new())));
    }

    #[test]
    fn a_result_that_says_it_is_an_error_is_one() {
        let failed = json!({ "isError": true, "content": [{ "type": "text", "text": "out of quota" }],
            "structuredContent": { "ok": 1 } });
        let error = reply(failed, json!({})).expect_err("failed");
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("agent-failed", "tool 'review' failed: out of quota")
        );
        assert_eq!(reply(json!([1]), json!({})).expect_err("no result").code, "agent-protocol-broken");
    }

    #[test]
    fn an_answer_has_a_size() {
        let text = "x".repeat(MAXIMUM_ANSWER);
        let result = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
        assert!(reply(result(&text), json!({})).is_ok());
        let error = reply(result(&format!("{text}x")), json!({})).expect_err("too large");
        assert_eq!(error.code, "agent-output-too-large");
    }

    #[test]
    fn a_session_is_found_where_servers_tell_of_it() {
        let again = |result: Value| {
            read(result, "t", &Options::default()).expect("a result").1.map(|session| session.id)
        };
        assert_eq!(
            again(json!({ "structuredContent": { "threadId": "t1", "content": "x" } })),
            Some("t1".into())
        );
        assert_eq!(again(json!({ "content": [], "_meta": { "sessionId": "s1" } })), Some("s1".into()));
        assert_eq!(again(json!({ "content": [] })), None);
    }
}
