//! A client of `docket mcp` for tests: writes lines of JSON-RPC to the real binary and reads its answers. Has no tests of
//! its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use docket_tests::{Place, kill, wait_until};
use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// The version of the protocol that the client speaks.
pub(crate) const PROTOCOL: &str = "2025-06-18";

/// A client, and the server it started.
pub(crate) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    next_id: u64,
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// Whether it says that it could not be done.
    pub(crate) is_error: bool,
    /// The text.
    pub(crate) text: String,
    /// The value; null when there is none.
    pub(crate) value: Value,
    /// The published shape of an error.
    pub(crate) error: Value,
}

impl Said {
    /// What it gave.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        assert!(!self.is_error, "{}", self.text);
        self.value
    }

    /// Expects that it was refused with these words.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) -> &Self {
        assert!(self.is_error, "{}", self.text);
        assert!(self.value.is_null(), "an error promises no shape: {}", self.value);
        words.iter().for_each(|words| assert!(self.text.contains(words), "no '{words}' in: {}", self.text));
        self
    }
}

impl Client {
    /// A client that began the conversation.
    pub(crate) fn start(place: &Place, more: &[&str]) -> Self {
        let mut client = Self::mute(&mut place.command(&[&["mcp"], more].concat()));
        client.begin("test-agent", "1.0");
        client
    }

    /// One whose server another process started: another session than any other.
    pub(crate) fn elsewhere(place: &Place, more: &[&str]) -> Self {
        let docket = place.command(&[]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "\"$0\" mcp \"$@\"; exit $?"]).arg(docket.get_program()).args(more);
        command.current_dir(place.project()).env_clear();
        command.envs(docket.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut client = Self::mute(&mut command);
        client.begin("other-agent", "2.0");
        client
    }

    /// One that has said nothing yet.
    pub(crate) fn mute(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("docket starts");
        let (send, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { input: child.stdin.take(), child, lines, next_id: 1 }
    }

    /// Begins the conversation, as this client.
    pub(crate) fn begin(&mut self, name: &str, version: &str) -> Value {
        let answer = self.request(
            "initialize",
            json!({
                "protocolVersion": PROTOCOL, "capabilities": {},
                "clientInfo": { "name": name, "version": version },
            }),
        );
        self.line(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        answer["result"].clone()
    }

    /// Writes a line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("not closed");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the server reads");
    }

    /// The next line the server writes, which is one message of the protocol and nothing else.
    #[track_caller]
    pub(crate) fn message(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("the server answers");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// Asks something and waits for the answer to it.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.ask(method, parameters);
        loop {
            let message = self.message();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Asks something and does not wait.
    pub(crate) fn ask(&mut self, method: &str, parameters: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }).to_string());
        id
    }

    /// Calls a tool.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Said {
        let answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        assert!(result.is_object(), "{tool} is no error of the protocol: {answer}");
        Said {
            is_error: result["isError"] == true,
            text: result["content"][0]["text"].as_str().expect("a text").to_owned(),
            value: result["structuredContent"].clone(),
            error: result["_meta"]["docket/error"].clone(),
        }
    }

    /// Asks for a task.
    #[track_caller]
    pub(crate) fn task(&mut self, arguments: Value) -> Value {
        self.call("task_next", arguments).done()["task"].clone()
    }

    /// Hands in the answer to a task.
    #[track_caller]
    pub(crate) fn submit(&mut self, task: &Value, result: &Value) -> Said {
        let arguments = json!({
            "run": task["run"], "stage": task["stage"], "claim": task["claim"], "result": result,
        });
        self.call("task_submit", arguments)
    }

    /// Waits until a run is not running any more; its status.
    #[track_caller]
    pub(crate) fn settled(&mut self, run: &str) -> Value {
        let mut status = Value::Null;
        wait_until("the run came to its end", || {
            status = self.call("status", json!({ "run": run, "wait_seconds": 20 })).done();
            status["status"] != "running" && status["status"] != "interrupted"
        });
        status
    }

    /// Goes away; what the server's end was, and what it said to people.
    pub(crate) fn leave(mut self) -> (i32, String) {
        drop(self.input.take());
        let mut said = String::new();
        let mut pipe = self.child.stderr.take().expect("a pipe");
        std::io::Read::read_to_string(&mut pipe, &mut said).expect("UTF-8");
        (self.child.wait().expect("it ends").code().unwrap_or(-1), said)
    }

    /// Ends the server at once: SIGKILL.
    pub(crate) fn kill(mut self) {
        kill(&mut self.child);
    }
}
