//! What programs that print one JSON event a line have in common: reading a line, words for what an agent does, counting
//! what it used. Knows no program.

use docket_plugin::Value;
use docket_plugin::report::{Level, Usage};

use crate::presets::Signal;

/// How many characters of an activity are shown.
pub(crate) const SHOWN_CHARACTERS: usize = 100;
/// How many lines that are not understood are logged, and how many characters of each.
const ODD_LINES: usize = 20;
const ODD_CHARACTERS: usize = 200;

/// The event of a line: an object with a `type`, and that type.
pub(crate) fn event(line: &str) -> Option<(String, Value)> {
    let event = serde_json::from_str::<Value>(line.trim_start_matches('\u{feff}')).ok()?;
    let kind = event.get("type")?.as_str()?.to_owned();
    Some((kind, event))
}

/// A field's text; empty when it has none.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A field's number.
pub(crate) fn number(value: &Value, field: &str) -> Option<u64> {
    value.get(field).and_then(Value::as_u64)
}

/// The first line of a text, cut to what fits a line of progress.
pub(crate) fn short(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default().trim().trim_end_matches('*');
    let shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < line.len() { format!("{shown}…") } else { shown }
}

/// What an agent does with a tool, in a few words. Programs call the same things by different names.
pub(crate) fn activity(tool: &str, input: &Value) -> Signal {
    let first = |names: &[&str]| {
        names.iter().map(|name| text(input, name)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let path = || first(&["file_path", "filePath", "absolute_path", "path", "dir_path", "notebook_path"]);
    let (words, what) = match tool.to_lowercase().as_str() {
        "read" | "read_file" | "read_many_files" | "notebookread" => ("Reading", path()),
        "ls" | "list" | "list_directory" => ("Listing", path()),
        "grep" | "glob" | "grep_search" | "search_file_content" => {
            ("Searching for", first(&["pattern", "query"]))
        }
        "bash" | "shell" | "run_shell_command" => ("Running", first(&["command"])),
        "edit" | "multiedit" | "write" | "write_file" | "replace" | "patch" | "notebookedit" => {
            ("Changing", path())
        }
        "webfetch" | "web_fetch" => ("Fetching", first(&["url", "prompt"])),
        "websearch" | "google_web_search" => ("Searching the web for", first(&["query"])),
        "task" | "agent" | "invoke_agent" => {
            ("Asking a helper:", first(&["description", "prompt", "agent_name"]))
        }
        "structuredoutput" => ("Answering", ""),
        _ => ("Using", tool),
    };
    Signal::Progress(short(&format!("{words} {what}")))
}

/// Lines that are not understood: passed over, and logged up to a number.
#[derive(Debug)]
pub(crate) struct Odd {
    agent: &'static str,
    seen: usize,
}

impl Odd {
    /// For what this agent prints.
    pub(crate) fn of(agent: &'static str) -> Self {
        Self { agent, seen: 0 }
    }

    /// Takes such a line.
    pub(crate) fn line(&mut self, line: &str) -> Vec<Signal> {
        if line.trim().is_empty() {
            return Vec::new();
        }
        self.seen += 1;
        let text = match self.seen {
            ODD_LINES.. if self.seen > ODD_LINES => return Vec::new(),
            ODD_LINES => format!("more lines of {} that are not understood are not logged", self.agent),
            _ => {
                let shown: String = line.chars().take(ODD_CHARACTERS).collect();
                format!("a line of {} that is not understood: {shown}", self.agent)
            }
        };
        vec![Signal::Log(Level::Debug, text)]
    }
}

/// What is in `total` beyond `counted`; all of `total` where it is less, because then it counts from anew.
pub(crate) fn beyond(total: Usage, counted: Usage) -> Usage {
    let less = |all: Option<u64>, part: Option<u64>| all.zip(part).is_some_and(|(all, part)| all < part);
    if less(total.input_tokens, counted.input_tokens)
        || less(total.cached_tokens, counted.cached_tokens)
        || less(total.output_tokens, counted.output_tokens)
    {
        return total;
    }
    let rest = |all: Option<u64>, part: Option<u64>| all.map(|all| all.saturating_sub(part.unwrap_or(0)));
    Usage {
        input_tokens: rest(total.input_tokens, counted.input_tokens),
        cached_tokens: rest(total.cached_tokens, counted.cached_tokens),
        output_tokens: rest(total.output_tokens, counted.output_tokens),
        cost_usd: total.cost_usd.map(|cost| (cost - counted.cost_usd.unwrap_or(0.0)).max(0.0)),
    }
}

/// A signal for what was used, when anything is known of it.
pub(crate) fn used(usage: Usage) -> Option<Signal> {
    (usage != Usage::default()).then_some(Signal::Usage(usage))
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    #[test]
    fn tools_of_all_programs_have_the_same_words() {
        for (tool, input, expected) in [
            ("Read", json!({ "file_path": "docs/a.md" }), "Reading docs/a.md"),
            ("read", json!({ "filePath": "docs/a.md" }), "Reading docs/a.md"),
            ("run_shell_command", json!({ "command": "ls\nrm" }), "Running ls"),
            ("mcp__docs__find", json!({}), "Using mcp__docs__find"),
            ("Grep", json!({ "pattern": 7 }), "Searching for"),
        ] {
            assert_eq!(activity(tool, &input), Signal::Progress(expected.into()));
        }
        assert_eq!(short(&"x".repeat(200)).chars().count(), SHOWN_CHARACTERS + 1);
        assert_eq!(short("\n **Reading**\nmore"), "**Reading");
    }

    #[test]
    fn odd_lines_are_logged_up_to_a_number() {
        let mut odd = Odd::of("codex");
        assert_eq!(odd.line("  "), []);
        let logged = (0..1000).flat_map(|_| odd.line(&"x".repeat(5000))).collect::<Vec<_>>();
        assert_eq!(logged.len(), ODD_LINES);
        assert!(logged.iter().all(|log| matches!(log, Signal::Log(Level::Debug, text) if text.len() < 300)));
    }

    #[test]
    fn of_a_growing_count_only_the_rest_is_new() {
        let usage =
            |tokens: u64| Usage { output_tokens: Some(tokens), cost_usd: Some(0.5), ..Usage::default() };
        assert_eq!(beyond(usage(30), usage(20)).output_tokens, Some(10));
        assert_eq!(beyond(usage(30), usage(20)).cost_usd, Some(0.0));
        assert_eq!(beyond(usage(10), usage(20)), usage(10), "it counts from anew");
        assert_eq!(beyond(usage(10), Usage::default()), usage(10));
    }
}
