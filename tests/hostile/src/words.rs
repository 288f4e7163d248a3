//! Texts that a terminal obeys, in every text that docket takes from a plugin. The text comes from the test.

use std::io::Write as _;

use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Outcome, Question, Request, json};

use crate::tries::{over, text};

/// In a result, as a value and as a name.
pub(crate) fn in_result(request: &Request) -> Result<Outcome, Error> {
    let evil = text(request, "evil");
    over(json!({ evil: evil, "summary": evil, "list": [evil], "path": evil }))
}

/// In all parts of an error.
pub(crate) fn in_error(request: &Request) -> Result<Outcome, Error> {
    let evil = text(request, "evil");
    Err(Error::new(evil, format!("message {evil}")).hint(format!("hint {evil}")))
}

/// In a question and the schema of its answer.
pub(crate) fn in_question(request: &Request) -> Result<Outcome, Error> {
    let evil = text(request, "evil");
    let schema = json!({
        "type": "object", "title": evil, "description": evil, "required": [evil],
        "properties": { evil: { "enum": [evil] } },
    });
    Ok(Outcome::Waiting(Question { prompt: format!("question {evil}"), schema: Some(schema) }))
}

/// In log lines of all levels.
pub(crate) fn in_log(request: &Request) -> Result<Outcome, Error> {
    for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
        report::log(level, text(request, "evil"));
    }
    over(json!({ "logged": true }))
}

/// In activities.
pub(crate) fn in_progress(request: &Request) -> Result<Outcome, Error> {
    report::progress(text(request, "evil"));
    over(json!({ "reported": true }))
}

/// On standard output and standard error, in pieces, whole, and as bytes that are no text.
pub(crate) fn in_output(request: &Request) -> Result<Outcome, Error> {
    let evil = text(request, "evil");
    for byte in evil.bytes().chain([b'\n', 0x9b, b'2', b'J', 0xff, b'\n']) {
        let _ = std::io::stdout().write_all(&[byte]);
        let _ = std::io::stderr().write_all(&[byte]);
    }
    let whole = format!("{evil}\n");
    let _ = std::io::stdout().write_all(whole.as_bytes());
    let _ = std::io::stderr().write_all(whole.as_bytes());
    over(json!({ "printed": true }))
}

/// In the last words of a crash.
pub(crate) fn in_panic(request: &Request) -> Result<Outcome, Error> {
    panic!("{}", text(request, "evil"))
}

/// In the name of a proposed file.
pub(crate) fn in_file_names(request: &Request) -> Result<Outcome, Error> {
    let made = std::fs::create_dir_all("/out/out")
        .and_then(|()| std::fs::write(format!("/out/out/{}", text(request, "name")), "x"));
    over(json!({ "made": made.is_ok() }))
}

/// In the text of a proposed file.
pub(crate) fn in_file_contents(request: &Request) -> Result<Outcome, Error> {
    let made = std::fs::create_dir_all("/out/out")
        .and_then(|()| std::fs::write("/out/out/words.md", text(request, "evil")));
    over(json!({ "made": made.is_ok() }))
}

/// In what an agent is said to have said.
pub(crate) fn in_kept_answer(request: &Request) -> Result<Outcome, Error> {
    over(json!({ "kept": docket_plugin::answer::keep(text(request, "evil")) }))
}

/// A question whose schema refers to itself without end.
pub(crate) fn endless_schema(request: &Request) -> Result<Outcome, Error> {
    let schema = request.config.get("schema").cloned();
    Ok(Outcome::Waiting(Question { prompt: "What is the answer?".into(), schema }))
}
