//! Hears what a server tells while its tool works, and answers what it asks. Nothing is offered to it.

use docket_json_rpc::{Peer, Refusal};
use docket_launcher::words::{cut, short};
use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Value, json};

/// How much of what is not understood goes to the log.
const LOGGED_CHARACTERS: usize = 500;

/// Listens while a tool works; progress counts when it is about the call with this token.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    token: Option<String>,
    shown: String,
}

impl Listener {
    /// For a call with this progress token.
    pub(crate) fn new(token: String) -> Self {
        Self { token: Some(token), shown: String::new() }
    }

    /// The activity that a notification tells of, if it is news.
    fn activity(&mut self, method: &str, params: &Value) -> Option<String> {
        let words = match method {
            "notifications/progress" if self.token.as_deref() == params["progressToken"].as_str() => {
                progress(params)
            }
            "notifications/message" => short(said(&params["data"])),
            _ => return None,
        };
        if words.is_empty() || words == self.shown {
            return None;
        }
        self.shown.clone_from(&words);
        Some(words)
    }
}

impl Peer for Listener {
    fn told(&mut self, method: &str, params: Value) -> Result<(), Error> {
        if method == "notifications/message" {
            report::log(level(&params["level"]), cut(said(&params["data"]), LOGGED_CHARACTERS));
        }
        match self.activity(method, &params) {
            Some(activity) => report::progress(activity),
            None => {
                let text = cut(&params.to_string(), LOGGED_CHARACTERS);
                report::log(Level::Debug, format!("the server told {method}: {text}"));
            }
        }
        Ok(())
    }

    fn asked(&mut self, method: &str, _params: Value) -> Result<Value, Refusal> {
        match method {
            "ping" => Ok(json!({})),
            "roots/list" => Ok(json!({ "roots": [] })),
            _ => {
                report::log(
                    Level::Warn,
                    format!("the server asked for {method}, which docket does not offer"),
                );
                Err(Refusal::not_offered(method))
            }
        }
    }
}

/// What a progress notification says: its message, else how far it is.
fn progress(params: &Value) -> String {
    if let Some(message) = params["message"].as_str() {
        return short(message);
    }
    match (&params["progress"], &params["total"]) {
        (Value::Number(done), Value::Number(total)) => format!("Working: {done} of {total}"),
        (Value::Number(done), _) => format!("Working: {done}"),
        _ => String::new(),
    }
}

/// The words in a log message's data.
fn said(data: &Value) -> &str {
    data.as_str()
        .or_else(|| ["message", "msg", "text"].into_iter().find_map(|field| data[field].as_str()))
        .unwrap_or_default()
}

/// A level of syslog as docket's.
fn level(level: &Value) -> Level {
    match level.as_str() {
        Some("debug") => Level::Debug,
        Some("warning") => Level::Warn,
        Some("error" | "critical" | "alert" | "emergency") => Level::Error,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_that_of_the_call_and_told_once() {
        let mut listener = Listener::new("docket-1".into());
        let mut heard = |method: &str, params: Value| listener.activity(method, &params);
        let progress = |token: Value, rest: Value| {
            let mut params = json!({ "progressToken": token, "progress": 3 });
            params.as_object_mut().expect("fields").extend(rest.as_object().expect("fields").clone());
            params
        };
        let method = "notifications/progress";
        assert_eq!(
            heard(method, progress(json!("docket-1"), json!({ "message": "Reading\nmore" }))).as_deref(),
            Some("Reading")
        );
        assert_eq!(heard(method, progress(json!("docket-1"), json!({ "message": "Reading" }))), None);
        assert_eq!(
            heard(method, progress(json!("docket-1"), json!({ "total": 5 }))).as_deref(),
            Some("Working: 3 of 5")
        );
        assert_eq!(heard(method, progress(json!("other"), json!({ "message": "Elsewhere" }))), None);
        assert_eq!(
            heard("notifications/message", json!({ "level": "info", "data": { "msg": "Hm" } })).as_deref(),
            Some("Hm")
        );
        assert_eq!(heard("notifications/tools/list_changed", Value::Null), None);
    }

    #[test]
    fn a_server_is_offered_nothing() {
        let mut listener = Listener::default();
        assert_eq!(listener.asked("ping", Value::Null), Ok(json!({})));
        assert_eq!(listener.asked("roots/list", Value::Null), Ok(json!({ "roots": [] })));
        for method in ["sampling/createMessage", "elicitation/create", "tasks/get"] {
            assert_eq!(listener.asked(method, Value::Null), Err(Refusal::not_offered(method)));
        }
    }
}
