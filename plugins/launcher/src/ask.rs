//! From a task to an answer that fits: ask, read, check, and have it mended as often as allowed. How an agent is
//! reached is its launcher's business, behind [`Session`].

use docket_plugin::report::{self, Level};
use docket_plugin::{Agent, Error, Fault, Value};

use crate::answer;

/// What an agent said in the end.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Text that should hold one JSON value.
    Text(String),
    /// A value, from an agent that takes a schema natively.
    Value(Value),
}

impl Reply {
    /// What was said, word for word.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Value(value) => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
        }
    }

    /// The JSON in it, if there is any.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Text(text) => answer::read(text),
            Self::Value(value) => Some(value.clone()),
        }
    }
}

/// A session with an agent, in which it can be asked more than once.
pub trait Session {
    /// Gives the agent its task and waits for what it says in the end.
    ///
    /// # Errors
    /// Why it said nothing.
    fn ask(&mut self, agent: &Agent) -> Result<Reply, Error>;

    /// Has it mend its last answer, `text`, in which `faults` were found; in the same session where the agent can.
    ///
    /// # Errors
    /// Why it said nothing.
    fn mend(&mut self, agent: &Agent, text: &str, faults: &[Fault]) -> Result<Reply, Error>;
}

/// docket's side of an answer: [`docket_plugin::answer`], or a list in tests.
pub trait Judge {
    /// What is wrong with an answer.
    fn check(&self, answer: &Value) -> Vec<Fault>;
    /// Keeps a text and names its file.
    fn keep(&self, text: &str) -> String;
}

/// docket itself.
pub struct Host;

impl Judge for Host {
    fn check(&self, answer: &Value) -> Vec<Fault> {
        docket_plugin::answer::check(answer)
    }

    fn keep(&self, text: &str) -> String {
        docket_plugin::answer::keep(text)
    }
}

/// Asks for an answer that fits, mending it at most `agent.repairs` times. Every answer is kept word for word.
///
/// # Errors
/// The session's, when the agent said nothing; `agent-output-unreadable` or `agent-result-invalid` when what it said
/// can't be used, naming the file in which it is kept.
pub fn until_it_fits(agent: &Agent, session: &mut dyn Session, judge: &dyn Judge) -> Result<Value, Error> {
    let mut reply = session.ask(agent)?;
    let mut round = 0;
    loop {
        let text = reply.text();
        let file = judge.keep(end_of(&text));
        let problem = match reply.value() {
            Some(value) => match judge.check(&value) {
                faults if faults.is_empty() => return Ok(value),
                faults => Problem { error: unfit(&faults), faults },
            },
            None => Problem::unreadable(&text),
        };
        if round == agent.repairs {
            return Err(problem.kept(&file, round));
        }
        round += 1;
        report::log(Level::Warn, format!("{}; asking the agent to mend it", problem.error.message));
        report::progress(format!("Asking the agent to mend its answer ({round} of {})", agent.repairs));
        reply =
            session.mend(agent, &text, &problem.faults).map_err(|error| problem.unmended(error, &file))?;
    }
}

/// How much of a text is kept: docket takes 8 MiB in all.
const MAXIMUM_KEPT: usize = 2 * 1024 * 1024;

/// The end of a text, where its answer is, as far as it is kept.
fn end_of(text: &str) -> &str {
    let start = text.ceil_char_boundary(text.len().saturating_sub(MAXIMUM_KEPT));
    text.get(start..).unwrap_or(text)
}

/// Why an answer can't be used.
struct Problem {
    error: Error,
    faults: Vec<Fault>,
}

impl Problem {
    fn unreadable(text: &str) -> Self {
        let error = answer::unreadable(text);
        let fault = Fault { pointer: String::new(), message: error.message.clone(), hint: None };
        Self { error, faults: vec![fault] }
    }

    /// The error that says where the answer is kept.
    fn kept(self, file: &str, rounds: u32) -> Error {
        let mut error = self.error;
        if rounds > 0 {
            let times = if rounds == 1 { "once".to_owned() } else { format!("{rounds} times") };
            error.message.push_str(&format!("\nthe agent was asked {times} to mend it"));
        }
        if !file.is_empty() {
            error.message.push_str(&format!("\nwhat it said is kept in {file}"));
        }
        error
    }

    /// The agent failed while it was to mend its answer: what it had said before counts as well.
    fn unmended(&self, mut error: Error, file: &str) -> Error {
        error.message =
            format!("while it was to mend its answer ({}): {}", self.error.message, error.message);
        if !file.is_empty() {
            error.message.push_str(&format!("\nwhat it said before is kept in {file}"));
        }
        error
    }
}

fn unfit(faults: &[Fault]) -> Error {
    let told: Vec<String> = faults
        .iter()
        .take(5)
        .map(|fault| {
            format!("{}: {}", if fault.pointer.is_empty() { "/" } else { &fault.pointer }, fault.message)
        })
        .collect();
    let more = faults.len().saturating_sub(told.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Error::new("agent-result-invalid", format!("the agent's answer does not fit its schema: {}{more}", told.join("; ")))
        .hint("retry the stage, raise `repairs` in the launcher profile, or have the prompt say more clearly what is wanted")
        .retryable()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use docket_plugin::json;

    use super::*;
    use crate::prompt;

    /// An agent that says what it is told to, and remembers what it was told.
    struct Script {
        replies: Vec<Result<Reply, Error>>,
        heard: Vec<String>,
    }

    impl Session for Script {
        fn ask(&mut self, agent: &Agent) -> Result<Reply, Error> {
            self.heard.push(agent.prompt.clone());
            self.replies.remove(0)
        }

        fn mend(&mut self, agent: &Agent, _text: &str, faults: &[Fault]) -> Result<Reply, Error> {
            self.heard.push(prompt::mend(faults, agent.schema.as_ref()));
            self.replies.remove(0)
        }
    }

    /// Wants an object with `ok`.
    #[derive(Default)]
    struct WantsOk {
        kept: RefCell<Vec<String>>,
    }

    impl Judge for WantsOk {
        fn check(&self, answer: &Value) -> Vec<Fault> {
            if answer.get("ok").is_some() {
                return Vec::new();
            }
            vec![Fault { pointer: String::new(), message: "'ok' is missing".into(), hint: None }]
        }

        fn keep(&self, text: &str) -> String {
            self.kept.borrow_mut().push(text.to_owned());
            format!("answer-{}.txt", self.kept.borrow().len())
        }
    }

    fn asked(
        repairs: u32,
        replies: Vec<Result<Reply, Error>>,
    ) -> (Result<Value, Error>, Vec<String>, Vec<String>) {
        let agent: Agent = serde_json::from_value(json!({
            "prompt": "Review!", "prompt_file": "p.md", "schema": { "type": "object" }, "repairs": repairs,
            "profile": { "name": "", "agent": null, "program": null, "idle_timeout": null },
        }))
        .expect("an agent's task");
        let (mut script, judge) = (Script { replies, heard: Vec::new() }, WantsOk::default());
        let answer = until_it_fits(&agent, &mut script, &judge);
        (answer, script.heard, judge.kept.into_inner())
    }

    fn said(text: &str) -> Result<Reply, Error> {
        Ok(Reply::Text(text.to_owned()))
    }

    #[test]
    fn an_answer_that_fits_is_not_mended() {
        let (answer, heard, kept) = asked(1, vec![said("```json\n{\"ok\":1}\n```")]);
        assert_eq!(answer, Ok(json!({ "ok": 1 })));
        assert_eq!((heard.len(), kept.len()), (1, 1));
    }

    #[test]
    fn an_answer_is_mended_as_often_as_allowed() {
        let (answer, heard, kept) = asked(2, vec![said("no"), said("{\"bad\":1}"), said("{\"ok\":2}")]);
        assert_eq!(answer, Ok(json!({ "ok": 2 })));
        assert!(
            heard[1].contains("no JSON can be found") && heard[2].contains("'ok' is missing"),
            "{heard:?}"
        );
        assert_eq!(kept, ["no", "{\"bad\":1}", "{\"ok\":2}"]);
    }

    #[test]
    fn then_it_is_a_failure_that_names_the_file_with_what_was_said() {
        let (answer, heard, _) = asked(1, vec![said("{\"bad\":1}"), said("{\"bad\":2}")]);
        let error = answer.expect_err("unfit");
        assert_eq!(error.code, "agent-result-invalid");
        assert!(
            error.message.contains("asked once to mend it\nwhat it said is kept in answer-2.txt"),
            "{error}"
        );
        assert_eq!(heard.len(), 2);
        let (answer, heard, _) = asked(0, vec![said("nothing")]);
        assert_eq!(
            (answer.expect_err("unreadable").code.as_str(), heard.len()),
            ("agent-output-unreadable", 1)
        );
    }

    #[test]
    fn an_agent_that_fails_while_mending_is_told_with_what_it_said_before() {
        let (answer, _, _) = asked(1, vec![said("no"), Err(Error::new("agent-idle", "it was silent"))]);
        let error = answer.expect_err("failed");
        assert_eq!(error.code, "agent-idle");
        assert!(
            error.message.contains("it was silent\nwhat it said before is kept in answer-1.txt"),
            "{error}"
        );
    }
}
