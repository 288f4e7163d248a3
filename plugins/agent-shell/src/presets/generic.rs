//! The preset `generic`: any program that reads a prompt on standard input and prints a JSON result on standard output.
//!
//! A program that wants files gets them: an argument `{prompt_file}` of the profile's `command` becomes the path of a file
//! with the prompt, and standard input is then empty; `{schema_file}` that of the result's JSON Schema; `{answer_file}`
//! that of a file to which it writes its answer, instead of standard output.
//!
//! What it may do is its own business, and whether it failed is told by its exit code. It knows no session: an answer that
//! does not fit is mended in a second launch.

use docket_launcher::ask::Reply;
use docket_launcher::tail::described;
use docket_plugin::process::{Argument, Command};
use docket_plugin::report::Level;
use docket_plugin::{Agent, Error};

use super::{End, Launch, Preset, Reader, Signal};

/// How much standard output is kept; docket gives a stage 256 MiB of memory.
const MAXIMUM_OUTPUT: usize = 16 * 1024 * 1024;

/// Arguments that stand for files, and the files' names.
const PROMPT: (&str, &str) = ("{prompt_file}", "prompt.md");
const SCHEMA: (&str, &str) = ("{schema_file}", "schema.json");
const ANSWER: (&str, &str) = ("{answer_file}", "answer.txt");

/// The preset `generic`.
pub(super) struct Generic;

impl Preset for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn command(&self, launch: &Launch<'_>) -> Command {
        let agent = launch.agent;
        let argument = |text: &String| match text {
            text if text == PROMPT.0 => Argument::Attachment(PROMPT.1.to_owned()),
            text if text == SCHEMA.0 => Argument::Attachment(SCHEMA.1.to_owned()),
            text if text == ANSWER.0 => Argument::AnswerFile(ANSWER.1.to_owned()),
            text => Argument::Text(text.clone()),
        };
        let mut attachments = Vec::new();
        if wants(agent, PROMPT.0) {
            attachments.push((PROMPT.1.to_owned(), launch.prompt.to_owned()));
        }
        if wants(agent, SCHEMA.0) {
            let schema = agent.schema.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string);
            attachments.push((SCHEMA.1.to_owned(), schema));
        }
        Command {
            program: launch.program.to_owned(),
            arguments: agent.profile.arguments.iter().map(argument).collect(),
            attachments,
            stdin: (!wants(agent, PROMPT.0)).then(|| launch.prompt.to_owned()),
        }
    }

    fn reader(&self, launch: &Launch<'_>) -> Box<dyn Reader> {
        let writes = wants(launch.agent, ANSWER.0);
        Box::new(GenericReader { output: String::new(), too_much: false, writes })
    }

    fn takes_schema(&self, agent: &Agent) -> bool {
        wants(agent, SCHEMA.0)
    }

    fn resumes(&self, _agent: &Agent) -> bool {
        false
    }
}

fn wants(agent: &Agent, file: &str) -> bool {
    agent.profile.arguments.iter().any(|argument| argument == file)
}

struct GenericReader {
    output: String,
    too_much: bool,
    /// Whether its answer is written to a file.
    writes: bool,
}

impl Reader for GenericReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        if self.too_much || self.writes {
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

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        if self.too_much {
            let message = format!("the agent printed more than {} MiB", MAXIMUM_OUTPUT / (1024 * 1024));
            return Err(Error::new("agent-output-too-large", message).hint(
                "print the result and nothing else on standard output; other text belongs on standard error",
            ));
        }
        if end.exit.code != Some(0) {
            let message = format!("the agent failed with {}", described(&end.exit));
            return Err(Error::new("agent-failed", message)
                .hint("run the command by hand with the prompt file on standard input to see what is wrong")
                .retryable());
        }
        let written = end.exit.answer(ANSWER.1).filter(|_| self.writes);
        Ok(Reply::Text(written.map_or_else(|| std::mem::take(&mut self.output), str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;
    use docket_plugin::process::ExitStatus;

    use super::*;

    fn launched(arguments: &[&str]) -> Command {
        let agent: Agent = serde_json::from_value(json!({
            "prompt": "", "prompt_file": "", "schema": { "type": "object" },
            "profile": { "name": "", "agent": null, "program": "x", "arguments": arguments, "idle_timeout": null },
        }))
        .expect("an agent's task");
        Generic.command(&Launch { program: "x", agent: &agent, prompt: "Review!", resumed: None })
    }

    #[test]
    fn the_prompt_comes_on_standard_input_or_in_a_file() {
        let command = launched(&["--quick"]);
        assert_eq!((command.stdin.as_deref(), command.attachments.len()), (Some("Review!"), 0));
        let command =
            launched(&["--prompt", "{prompt_file}", "{schema_file}", "{answer_file}", "a{prompt_file}"]);
        assert_eq!(command.stdin, None);
        assert_eq!(
            command.arguments,
            [
                "--prompt".into(),
                Argument::Attachment("prompt.md".into()),
                Argument::Attachment("schema.json".into()),
                Argument::AnswerFile("answer.txt".into()),
                "a{prompt_file}".into(),
            ]
        );
        assert_eq!(command.attachments[0], ("prompt.md".to_owned(), "Review!".to_owned()));
        assert_eq!(command.attachments[1].1, r#"{"type":"object"}"#);
    }

    #[test]
    fn endless_output_is_cut_off() {
        let line = "x".repeat(1024 * 1024);
        let mut reader = GenericReader { output: String::new(), too_much: false, writes: false };
        let over = (0..100).any(|_| reader.line(&line).contains(&Signal::Over));
        assert!(over);
        assert!(reader.output.len() <= MAXIMUM_OUTPUT);
        assert_eq!(reader.finish(&End::default()).expect_err("too much").code, "agent-output-too-large");
    }

    #[test]
    fn an_answer_in_a_file_is_the_answer() {
        let mut reader = GenericReader { output: String::new(), too_much: false, writes: true };
        assert_eq!(reader.line("chatter"), []);
        let answers = vec![("answer.txt".to_owned(), "{}".to_owned())];
        let exit = ExitStatus { code: Some(0), answers, ..ExitStatus::default() };
        let reply = reader.finish(&End { exit, complaint: String::new() });
        assert_eq!(reply, Ok(Reply::Text("{}".into())));
    }
}
