//! Messages of JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>), read as leniently as peers write them. Must not
//! refuse what can be understood.

use docket_plugin::{Value, json};

/// The code for a method that is not offered.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The code for parameters that can't be read.
pub const INVALID_PARAMS: i64 = -32602;
/// The code of an error that names none.
const NO_CODE: i64 = 0;

/// What one side says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// It wants an answer.
    Request {
        /// Echoed in the answer.
        id: Value,
        /// What it wants.
        method: String,
        /// With what; null when left out.
        params: Value,
    },
    /// It wants none.
    Notification {
        /// What it tells.
        method: String,
        /// The details; null when left out.
        params: Value,
    },
    /// It answers.
    Answer {
        /// The request's id.
        id: Value,
        /// The result, or why there is none.
        outcome: Result<Value, Refusal>,
    },
}

/// Why a request got no result: an `error` object.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What kind of error, by number.
    pub code: i64,
    /// What went wrong.
    pub message: String,
    /// Whatever else the peer says about it.
    pub data: Option<Value>,
}

impl Refusal {
    /// A refusal without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The refusal of a method that is not offered.
    pub fn not_offered(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("docket does not offer '{method}'"))
    }

    fn read(error: Value) -> Self {
        let message = match (&error, error.get("message").and_then(Value::as_str)) {
            (_, Some(message)) => message.to_owned(),
            (Value::String(message), None) => message.clone(),
            _ => "no reason given".to_owned(),
        };
        Self {
            code: error.get("code").and_then(Value::as_i64).unwrap_or(NO_CODE),
            message,
            data: error.get("data").filter(|data| !data.is_null()).cloned(),
        }
    }
}

impl Message {
    /// The messages in a line's JSON: one, or those of a batch. Nothing in it: the line was no message.
    pub(crate) fn read_all(value: Value) -> Vec<Self> {
        match value {
            Value::Array(values) => values.into_iter().filter_map(Self::read).collect(),
            value => Self::read(value).into_iter().collect(),
        }
    }

    /// The message that a value is, if it is one.
    pub fn read(mut value: Value) -> Option<Self> {
        let fields = value.as_object_mut()?;
        let id = fields.remove("id").filter(|id| !id.is_null());
        if let Some(Value::String(method)) = fields.remove("method") {
            let params = fields.remove("params").unwrap_or_default();
            return Some(match id {
                Some(id) => Self::Request { id, method, params },
                None => Self::Notification { method, params },
            });
        }
        let error = fields.remove("error").filter(|error| !error.is_null()).map(Refusal::read);
        let outcome = match (error, fields.remove("result")) {
            (Some(refusal), _) => Err(refusal),
            (None, Some(result)) => Ok(result),
            (None, None) => return None,
        };
        Some(Self::Answer { id: id.unwrap_or_default(), outcome })
    }

    /// The message as a line, without a line end.
    pub fn line(&self) -> String {
        let value = match self {
            Self::Request { id, method, params } if params.is_null() => {
                json!({ "jsonrpc": "2.0", "id": id, "method": method })
            }
            Self::Request { id, method, params } => {
                json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
            }
            Self::Notification { method, params } if params.is_null() => {
                json!({ "jsonrpc": "2.0", "method": method })
            }
            Self::Notification { method, params } => {
                json!({ "jsonrpc": "2.0", "method": method, "params": params })
            }
            Self::Answer { id, outcome: Ok(result) } => {
                json!({ "jsonrpc": "2.0", "id": id, "result": result })
            }
            Self::Answer { id, outcome: Err(refusal) } => {
                let mut error = json!({ "code": refusal.code, "message": refusal.message });
                if let (Some(data), Some(fields)) = (&refusal.data, error.as_object_mut()) {
                    fields.insert("data".to_owned(), data.clone());
                }
                json!({ "jsonrpc": "2.0", "id": id, "error": error })
            }
        };
        // JSON on one line: `serde_json` escapes line ends inside of strings.
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Message> {
        Message::read_all(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn messages_are_read_as_peers_write_them() {
        let request = Message::Request { id: json!("a"), method: "ping".into(), params: Value::Null };
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#), [request]);
        let told = Message::Notification { method: "m".into(), params: json!({ "a": 1 }) };
        assert_eq!(read(r#"{"method":"m","params":{"a":1},"id":null}"#), std::slice::from_ref(&told));
        assert_eq!(read(r#"[{"method":"m","params":{"a":1}},7]"#), [told]);
        let answered = |outcome| Message::Answer { id: json!(1), outcome };
        assert_eq!(read(r#"{"id":1,"result":null,"error":null}"#), [answered(Ok(Value::Null))]);
        assert_eq!(
            read(r#"{"id":1,"result":{},"error":{"code":-1,"message":"no","data":{"a":1}}}"#),
            [answered(Err(Refusal { code: -1, message: "no".into(), data: Some(json!({ "a": 1 })) }))]
        );
        assert_eq!(read(r#"{"id":1,"error":"no"}"#), [answered(Err(Refusal::new(NO_CODE, "no")))]);
        for other in ["7", "{}", "[]", r#"{"id":1}"#, r#"{"type":"event"}"#, r#"{"method":7}"#] {
            assert_eq!(read(other), [], "{other}");
        }
    }

    #[test]
    fn what_is_written_is_one_line_that_is_read_as_the_same() {
        for message in [
            Message::Request { id: json!(1), method: "a".into(), params: json!({ "t": "x\ny\r\u{2028}" }) },
            Message::Notification { method: "b".into(), params: Value::Null },
            Message::Answer { id: json!("x"), outcome: Ok(json!([1])) },
            Message::Answer { id: json!(2), outcome: Err(Refusal::not_offered("fs/write")) },
        ] {
            let line = message.line();
            assert!(!line.contains(['\n', '\r']), "{line}");
            assert_eq!(read(&line), [message]);
        }
    }
}
