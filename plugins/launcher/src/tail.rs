//! What a program left behind when it ended: its last lines of standard error and its exit status, for errors. Must not
//! judge either.

use std::collections::VecDeque;

use docket_plugin::Error;
use docket_plugin::process::ExitStatus;
use docket_plugin::report::{self, Level};

/// How many of the last lines of standard error go into an error, and how many characters of each.
const TAIL_LINES: usize = 20;
const TAIL_CHARACTERS: usize = 300;

/// The last lines of standard error.
#[derive(Debug, Default)]
pub struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    /// Takes a line, which goes to the log as well.
    pub fn add(&mut self, line: &str) {
        report::log(Level::Debug, format!("stderr: {line}"));
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.chars().take(TAIL_CHARACTERS).collect());
    }

    /// The error with these lines, if there are any.
    #[must_use]
    pub fn attach(&self, mut error: Error) -> Error {
        if !self.lines.is_empty() {
            error.message.push_str("\nthe last lines of its standard error:");
            for line in &self.lines {
                error.message.push_str("\n  ");
                error.message.push_str(line);
            }
        }
        error
    }
}

/// How a process ended, for people.
pub fn described(exit: &ExitStatus) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_gets_the_last_lines_only() {
        let mut tail = Tail::default();
        assert_eq!(tail.attach(Error::new("a", "it failed")).message, "it failed");
        (1..=30).for_each(|number| tail.add(&format!("line {number}")));
        tail.add("  ");
        let message = tail.attach(Error::new("a", "it failed")).message;
        assert!(
            message.starts_with("it failed\nthe last lines of its standard error:\n  line 11\n"),
            "{message}"
        );
        assert!(message.ends_with("line 30"), "{message}");
    }
}
