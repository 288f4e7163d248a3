//! A program that is played from a list, for the tests of launchers. Must not be used by a launcher.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use docket_plugin::Value;
use docket_plugin::dialogue::SendError;
use docket_plugin::process::{Event, ExitStatus};

use crate::connection::Wire;

/// What the program does when it is asked something.
#[derive(Debug, Clone)]
pub enum Act {
    /// Prints this line; `$id` in it is the request's id.
    Line(String),
    /// Prints this line on standard error.
    Stderr(String),
    /// Ends with this exit code, without waiting to be told.
    Exit(i32),
}

/// Prints this JSON.
pub fn says(value: &Value) -> Act {
    Act::Line(value.to_string())
}

/// Answers a request with this result.
pub fn answers(result: &Value) -> Act {
    Act::Line(format!("{{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{result}}}"))
}

/// Answers a request with this error.
pub fn refuses(code: i64, message: &str) -> Act {
    let message = Value::from(message);
    Act::Line(format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{{\"code\":{code},\"message\":{message}}}}}"
    ))
}

/// Tells something.
pub fn tells(method: &str, params: &Value) -> Act {
    says(&docket_plugin::json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// A program that is played. Clones are the same program. When it has nothing to say it is silent at once, so that no
/// test waits.
#[derive(Clone, Default)]
pub struct Script(Rc<RefCell<Program>>);

#[derive(Default)]
struct Program {
    /// What it will do when it is asked for a method; each of several is for one request.
    plans: Vec<(String, Vec<Act>)>,
    events: VecDeque<Event>,
    sent: Vec<Value>,
    finished: bool,
    stopped: bool,
    gone: bool,
}

impl Script {
    /// A program that says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// It does this when it is asked, or told, for the next time with this method.
    #[must_use]
    pub fn on(self, method: &str, acts: impl IntoIterator<Item = Act>) -> Self {
        self.0.borrow_mut().plans.push((method.to_owned(), acts.into_iter().collect()));
        self
    }

    /// All that was sent to it.
    pub fn sent(&self) -> Vec<Value> {
        self.0.borrow().sent.clone()
    }

    /// What was sent to it with this method.
    pub fn sent_for(&self, method: &str) -> Vec<Value> {
        self.sent().into_iter().filter(|message| message["method"] == method).collect()
    }

    /// What it was answered, in order.
    pub fn answered(&self) -> Vec<Value> {
        self.sent().into_iter().filter(|message| message.get("method").is_none()).collect()
    }

    /// Whether its input was closed.
    pub fn is_finished(&self) -> bool {
        self.0.borrow().finished
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.borrow().stopped
    }
}

impl Wire for Script {
    fn next(&self, _timeout_milliseconds: u64) -> Event {
        let program = &mut *self.0.borrow_mut();
        if let Some(event) = program.events.pop_front() {
            program.gone |= matches!(event, Event::Exited(_));
            return event;
        }
        if program.stopped {
            program.gone = true;
            return Event::Exited(ExitStatus { signal: Some(15), ..ExitStatus::default() });
        }
        if program.finished {
            program.gone = true;
            return exited(0);
        }
        Event::Idle
    }

    fn send(&self, line: &str) -> Result<(), SendError> {
        let program = &mut *self.0.borrow_mut();
        if program.gone || program.finished {
            return Err(SendError::Closed);
        }
        let message: Value = serde_json::from_str(line).expect("a line is JSON");
        let id = message["id"].to_string();
        let plan = program.plans.iter().position(|(method, _)| message["method"] == method.as_str());
        for act in plan.map(|index| program.plans.remove(index).1).unwrap_or_default() {
            program.events.push_back(match act {
                Act::Line(line) => Event::Stdout(line.replace("$id", &id)),
                Act::Stderr(line) => Event::Stderr(line),
                Act::Exit(code) => exited(code),
            });
        }
        program.sent.push(message);
        Ok(())
    }

    fn finish(&self) {
        self.0.borrow_mut().finished = true;
    }

    fn stop(&self, _grace_milliseconds: u64) {
        self.0.borrow_mut().stopped = true;
    }
}

fn exited(code: i32) -> Event {
    Event::Exited(ExitStatus { code: Some(code), ..ExitStatus::default() })
}
