//! The line to whoever started this program, and the folder that a test looks into.

use std::fs::OpenOptions;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// How often a file that a test writes is looked for, and for how long.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

/// Standard input and output, line by line.
pub(crate) struct Line {
    folder: PathBuf,
    input: std::io::StdinLock<'static>,
}

impl Line {
    /// The line, with a folder to write down what comes over it.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let line = Self { folder, input: std::io::stdin().lock() };
        line.note("started", &std::process::id().to_string());
        line
    }

    /// Adds a line to a file of the folder.
    pub(crate) fn note(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join(name))
            .expect("it can be written");
        file.write_all(format!("{text}\n").as_bytes()).expect("written");
    }

    /// The next message; nothing at the end of the input.
    pub(crate) fn hear(&mut self) -> Option<Value> {
        loop {
            let mut text = String::new();
            if self.input.read_line(&mut text).ok()? == 0 {
                self.note("heard", "end");
                return None;
            }
            self.note("heard", text.trim_end());
            if let Ok(message) = serde_json::from_str(&text) {
                return Some(message);
            }
        }
    }

    /// Prints bytes as they are. A reader that is gone is no failure of ours.
    pub(crate) fn print(&self, bytes: &[u8]) {
        let mut output = std::io::stdout().lock();
        let _ = output.write_all(bytes).and_then(|()| output.flush());
    }

    /// Says a message.
    pub(crate) fn say(&self, message: &Value) {
        self.print(format!("{message}\n").as_bytes());
    }

    /// Tells something.
    pub(crate) fn tell(&self, method: &str, params: &Value) {
        self.say(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Answers a request with a result.
    pub(crate) fn answer(&self, request: &Value, result: &Value) {
        self.say(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }));
    }

    /// Answers a request with an error.
    pub(crate) fn refuse(&self, request: &Value, code: i64, message: &str) {
        let error = json!({ "code": code, "message": message });
        self.say(&json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }));
    }

    /// Asks for something and waits for the answer; what is told meanwhile is only written down.
    pub(crate) fn ask(&mut self, id: &str, method: &str, params: &Value) -> Value {
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        while let Some(message) = self.hear() {
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
        Value::Null
    }

    /// What it is to say the `round`th time it is asked, from 1: `answer-<round>`, else `answer`.
    pub(crate) fn text(&self, round: usize) -> String {
        let read = |name: String| std::fs::read_to_string(self.folder.join(name));
        read(format!("answer-{round}")).or_else(|_| read("answer".to_owned())).unwrap_or_default()
    }

    /// Waits until the test says so by a file.
    pub(crate) fn wait_for(&self, name: &str) {
        for _ in 0..LOOKS {
            if self.folder.join(name).exists() {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Does nothing more for a long time, whatever is said.
    pub(crate) fn hang(&self) {
        std::thread::sleep(LOOK * LOOKS);
    }
}
