//! The preset `generic`: any program that reads a prompt on standard input and prints a JSON result.

use docket_launcher::answer;
use docket_plugin::process::{Command, ExitStatus};
use docket_plugin::report::Level;
use docket_plugin::{Agent, Error, Value};

use crate::preset::{Preset, Reader, Signal, described, users_arguments};

/// How much standard output is kept; docket gives a stage 256 MiB of memory.
const MAXIMUM_OUTPUT: usize = 16 * 1024 * 1024;

/// The preset `generic`.
pub(crate) struct Generic;

impl Preset for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn command(&self, program: &str, agent: &Agent) -> Command {
        Command {
            program: program.to_owned(),
            arguments: users_arguments(agent),
            attachments: Vec::new(),
            stdin: Some(agent.prompt.clone()),
        }
    }

    fn reader(&self, _agent: &Agent) -> Box<dyn Reader> {
        Box::new(GenericReader::default())
    }
}

#[derive(Default)]
struct GenericReader {
    output: String,
    too_much: bool,
}

impl Reader for GenericReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        if self.too_much {
            return Vec::new();
        }
        if self.output.len() + line.len() > MAXIMUM_OUTPUT {
            self.too_much = true;
            return vec![
                Signal::Log(Level::Error, format!("more than {MAXIMUM_OUTPUT} bytes of output")),
                Signal::Over,
            ];
        }
        self.output.push_str(line);
        self.output.push('\n');
        Vec::new()
    }

    fn finish(self: Box<Self>, exit: &ExitStatus) -> Result<Value, Error> {
        if self.too_much {
            let message = format!("the agent printed more than {} MiB", MAXIMUM_OUTPUT / (1024 * 1024));
            return Err(Error::new("agent-output-too-large", message).hint(
                "print the result and nothing else on standard output; other text belongs on standard error",
            ));
        }
        if exit.code != Some(0) {
            let message = format!("the agent failed with {}", described(exit));
            return Err(Error::new("agent-failed", message)
                .hint("run the command by hand with the prompt file on standard input to see what is wrong")
                .retryable());
        }
        answer::read(&self.output).ok_or_else(|| answer::unreadable(&self.output))
    }
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn read(lines: &[&str], code: i32) -> Result<Value, Error> {
        let mut reader = Box::new(GenericReader::default());
        for line in lines {
            assert_eq!(reader.line(line), []);
        }
        reader.finish(&ExitStatus { code: Some(code), ..ExitStatus::default() })
    }

    #[test]
    fn what_is_printed_is_the_answer() {
        assert_eq!(read(&["{", "\"a\": 1", "}"], 0), Ok(json!({ "a": 1 })));
        assert_eq!(read(&["Here it is:", "```json", "{\"a\": 2}", "```", "Bye"], 0), Ok(json!({ "a": 2 })));
    }

    #[test]
    fn a_failed_program_has_no_answer_even_if_it_printed_one() {
        let error = read(&["{\"a\": 1}"], 3).expect_err("failed");
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("agent-failed", "the agent failed with exit code 3")
        );
    }

    #[test]
    fn text_without_json_is_named_by_its_first_bytes() {
        let error = read(&["I could not", "do it \u{1b}[31m"], 0).expect_err("no JSON");
        assert_eq!(error.code, "agent-output-unreadable");
        assert!(error.message.contains(r"'I could not\ndo it \u{1b}[31m'"), "{error}");
        assert!(error.hint.is_some());
    }

    #[test]
    fn endless_output_is_cut_off() {
        let line = "x".repeat(1024 * 1024);
        let mut reader = Box::new(GenericReader::default());
        let over = (0..100).any(|_| reader.line(&line).contains(&Signal::Over));
        assert!(over);
        assert!(reader.output.len() <= MAXIMUM_OUTPUT);
        assert_eq!(
            reader.finish(&ExitStatus::default()).expect_err("too much").code,
            "agent-output-too-large"
        );
    }
}
