//! Acts that tell docket something.

use std::io::Write as _;

use docket_plugin::report::{self, Level, Usage};
use docket_plugin::{Value, json};

use crate::files::told;

/// Says a text as it is in every way there is, but as a result.
pub(crate) fn say(text: &str) -> Value {
    report::progress(text);
    for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
        report::log(level, text);
    }
    let line = format!("{text}\n");
    json!({
        "stdout": told(std::io::stdout().lock().write_all(line.as_bytes()).map(|()| true)),
        "stderr": told(std::io::stderr().lock().write_all(line.as_bytes()).map(|()| true)),
    })
}

/// Logs lines of a length, their level going round.
pub(crate) fn log(lines: usize, length: usize) -> Value {
    let levels = [Level::Info, Level::Warn, Level::Error, Level::Debug];
    for (number, level) in (0..lines).zip(levels.into_iter().cycle()) {
        let start = format!("line {} ", number + 1);
        report::log(level, format!("{start}{}", "x".repeat(length.saturating_sub(start.len()))));
    }
    json!({ "lines": lines })
}

/// Reports a text as activity, between sequences that would colour, clear and retitle a terminal.
pub(crate) fn progress(text: &str) -> Value {
    report::progress(format!("\u{1b}[31m\u{1b}[2J\u{1b}]0;title\u{7}{text}\r\u{8}\u{9b}1A\u{202e}"));
    json!({ "text": text })
}

/// Writes to standard output and standard error.
pub(crate) fn standard_output(bytes: usize) -> Value {
    let text = "x".repeat(bytes);
    json!({
        "stdout": told(std::io::stdout().lock().write_all(text.as_bytes()).map(|()| true)),
        "stderr": told(std::io::stderr().lock().write_all(text.as_bytes()).map(|()| true)),
    })
}

/// Reports usage as the config gives it; what it leaves out is unknown.
pub(crate) fn usage(config: &Value) -> Value {
    let number = |field: &str| config.get(field).and_then(Value::as_u64);
    report::usage(Usage {
        input_tokens: number("input_tokens"),
        cached_tokens: number("cached_tokens"),
        output_tokens: number("output_tokens"),
        cost_usd: config.get("cost_usd").and_then(Value::as_f64),
    });
    json!({ "reported": true })
}
