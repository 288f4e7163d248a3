//! A server that speaks the Model Context Protocol and has a tool that runs an agent.

use serde_json::{Value, json};

use crate::line::Line;

/// How many notifications a flood has.
const FLOOD: usize = 20_000;
const MEBIBYTE: usize = 1024 * 1024;

/// The server.
pub(crate) struct Server {
    line: Line,
    behaviour: String,
    /// Calls so far.
    calls: usize,
}

impl Server {
    pub(crate) fn new(line: Line, behaviour: &str) -> Self {
        Self { line, behaviour: behaviour.to_owned(), calls: 0 }
    }

    /// Works until its input ends, or as its behaviour has it; returns the exit code.
    pub(crate) fn serve(mut self) -> u8 {
        if self.is("noisy") {
            self.line.print(b"Starting up\n\n{\"level\":\"info\"}\n\x1b[31m\xff\xfe\n[1,2\n");
        }
        while let Some(message) = self.line.hear() {
            match message["method"].as_str().unwrap_or_default() {
                "initialize" if self.is("mute") => {}
                "initialize" => self.initialize(&message),
                "tools/list" => self.list(&message),
                "tools/call" => {
                    self.calls += 1;
                    if let Some(code) = self.call(&message) {
                        return code;
                    }
                }
                method if method.starts_with("notifications/") => {}
                _ => self.line.refuse(&message, -32601, "Method not found"),
            }
        }
        if self.is("hangs-after") {
            self.line.hang();
        }
        0
    }

    fn is(&self, behaviour: &str) -> bool {
        self.behaviour == behaviour
    }

    fn initialize(&self, request: &Value) {
        let version = if self.is("other-version") { "1999-01-01" } else { "2025-06-18" };
        let about = json!({ "protocolVersion": version, "capabilities": { "tools": {} },
            "serverInfo": { "name": "test-peer", "version": "1.0.0" } });
        self.line.answer(request, &about);
    }

    /// Two pages of tools.
    fn list(&self, request: &Value) {
        let text = json!({ "type": "string" });
        let tool = |name: &str, properties: Value, required: Value| {
            json!({ "name": name, "description": name,
                "inputSchema": { "type": "object", "properties": properties, "required": required } })
        };
        let page = if request["params"]["cursor"] == "2" {
            json!({ "tools": [
                tool("review", json!({ "prompt": text, "style": text }), json!(["prompt"])),
                tool("review-reply", json!({ "prompt": text, "threadId": text }), json!(["prompt", "threadId"])),
            ] })
        } else {
            json!({ "tools": [tool("other", json!({}), json!([]))], "nextCursor": "2" })
        };
        self.line.answer(request, &page);
    }

    /// Works on a call; returns the exit code if that is the end.
    fn call(&mut self, request: &Value) -> Option<u8> {
        self.progress(request, 1, "Reading the document");
        match self.behaviour.as_str() {
            "patient" => self.line.wait_for("go"),
            "stalls" => return None,
            "floods" => (0..FLOOD).for_each(|number| self.progress(request, number, &format!("Step {number}"))),
            "endless" => {
                let start = json!({ "jsonrpc": "2.0", "id": request["id"], "result": "" }).to_string();
                self.line.print(start.trim_end_matches("\"}").as_bytes());
                (0..40).for_each(|_| self.line.print("x".repeat(MEBIBYTE).as_bytes()));
                self.line.print(b"\n");
            }
            "dies-mid-line" => {
                self.line.print(b"{\"jsonrpc\":\"2.0\",\"id\":3,\"resu");
                return Some(3);
            }
            "not-utf8" => self.line.print(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":\"\xff\xfe\"}\n\xc3\x28\n"),
            "unknown-ids" => {
                for id in [json!(9999), json!("x"), Value::Null] {
                    self.line.answer(&json!({ "id": id }), &json!({ "isError": true }));
                }
            }
            "asks-much" => {
                for method in ["ping", "roots/list", "sampling/createMessage", "elicitation/create"] {
                    let answer = self.line.ask(method, method, &json!({}));
                    let told = if answer.get("error").is_some() { &answer["error"]["code"] } else { &answer["result"] };
                    self.line.note("answers", &format!("{method} {told}"));
                }
            }
            "over-quota" => {
                let said = json!([{ "type": "text", "text": "You have hit your usage limit" }]);
                let structured: Value = serde_json::from_str(&self.line.text(1)).unwrap_or_default();
                self.line.answer(request, &json!({ "isError": true, "content": said, "structuredContent": structured }));
                return None;
            }
            "refuses" => {
                self.line.refuse(request, -32602, "no such style");
                return None;
            }
            _ => {}
        }
        self.finish(request);
        self.is("exits-after").then_some(0)
    }

    /// Returns the answer: as it is when it is an object, else as text of a thread.
    fn finish(&self, request: &Value) {
        let mut text = self.line.text(self.calls);
        if self.is("huge") {
            text.push_str(&" ".repeat(3 * MEBIBYTE));
        }
        let structured = match serde_json::from_str::<Value>(&text) {
            Ok(value) if value.is_object() && !self.is("threads") => value,
            _ => json!({ "threadId": "thread-1", "content": text }),
        };
        let content = json!([{ "type": "text", "text": text }]);
        self.line.answer(request, &json!({ "content": content, "structuredContent": structured }));
    }

    fn progress(&self, request: &Value, progress: usize, message: &str) {
        let token = &request["params"]["_meta"]["progressToken"];
        let params = json!({ "progressToken": token, "progress": progress, "message": message });
        self.line.tell("notifications/progress", &params);
    }
}
