//! An agent that speaks the Agent Client Protocol, version 1.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::line::Line;

/// The session that this agent opens.
const SESSION: &str = "session-1";
/// How many updates a flood has.
const FLOOD: usize = 20_000;
const MEBIBYTE: usize = 1024 * 1024;

/// The agent.
pub(crate) struct Agent {
    line: Line,
    behaviour: String,
    /// Prompts so far.
    prompts: usize,
    /// Where it was told to work.
    folder: PathBuf,
}

impl Agent {
    pub(crate) fn new(line: Line, behaviour: &str) -> Self {
        Self { line, behaviour: behaviour.to_owned(), prompts: 0, folder: PathBuf::new() }
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
                "authenticate" if self.is("wants-login") => {
                    self.behaviour = "good".to_owned();
                    self.line.answer(&message, &json!({}));
                }
                "session/new" if self.is("wants-login") => {
                    self.line.refuse(&message, -32000, "Authentication required");
                }
                "session/new" | "session/resume" => self.open(&message),
                "session/set_mode" => self.line.answer(&message, &json!({})),
                "session/prompt" => {
                    self.prompts += 1;
                    if let Some(code) = self.prompt(&message) {
                        return code;
                    }
                }
                "session/cancel" => {}
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
        let version = if self.is("other-version") { 7 } else { 1 };
        let about = json!({
            "protocolVersion": version,
            "agentInfo": { "name": "test-peer", "version": "1.0.0" },
            "agentCapabilities": { "sessionCapabilities": { "resume": {} } },
            "authMethods": [{ "id": "api-key", "name": "API key" }],
        });
        self.line.answer(request, &about);
    }

    fn open(&mut self, request: &Value) {
        self.folder = request["params"]["cwd"].as_str().unwrap_or_default().into();
        let modes = json!({ "currentModeId": "free", "availableModes": [
            { "id": "free", "name": "Free" }, { "id": "read-only", "name": "Read-only" } ] });
        self.line.answer(request, &json!({ "sessionId": SESSION, "modes": modes }));
    }

    /// Works on a prompt; returns the exit code if that is the end.
    fn prompt(&mut self, request: &Value) -> Option<u8> {
        self.update(&json!({ "sessionUpdate": "agent_thought_chunk", "content": { "type": "text", "text": "Reading the document\n" } }));
        match self.behaviour.as_str() {
            "patient" => self.line.wait_for("go"),
            "stalls" => return None,
            "floods" => (0..FLOOD).for_each(|number| {
                self.update(&json!({ "sessionUpdate": "tool_call_update", "toolCallId": "c", "title": format!("Step {number}") }));
            }),
            "endless" => (0..40).for_each(|_| self.message(&"x".repeat(MEBIBYTE))),
            "dies-mid-line" => {
                self.line.print(b"{\"jsonrpc\":\"2.0\",\"method\":\"session/upda");
                return Some(3);
            }
            "not-utf8" => self.line.print(b"{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":\"\xff\xfe\"}\n\xc3\x28\n"),
            "unknown-ids" => {
                for id in [json!(9999), json!("x"), Value::Null] {
                    self.line.answer(&json!({ "id": id }), &json!({ "stopReason": "refusal" }));
                }
            }
            "asks-much" => self.ask_permissions(),
            "over-quota" => {
                self.message("{\"assessment\":\"APPROVE\"}");
                self.line.refuse(request, -32603, "You have hit your usage limit");
                return None;
            }
            "refuses" => {
                self.line.answer(request, &json!({ "stopReason": "refusal" }));
                return None;
            }
            _ => {}
        }
        self.finish(request);
        self.is("exits-after").then_some(0)
    }

    /// Says the answer in two pieces, what it cost, and that it is done.
    fn finish(&self, request: &Value) {
        let mut text = self.line.text(self.prompts);
        if self.is("huge") {
            text.push_str(&" ".repeat(3 * MEBIBYTE));
        }
        let middle = text.ceil_char_boundary(text.len().min(10));
        let (first, second) = text.split_at(middle);
        self.message(first);
        self.message(second);
        let spent = 0.25 * self.prompts as f64;
        let cost = json!({ "amount": spent, "currency": "USD" });
        self.update(&json!({ "sessionUpdate": "usage_update", "used": 100, "size": 1000, "cost": cost }));
        self.update(&json!({ "sessionUpdate": "usage_update", "used": 100, "size": 1000, "cost": cost }));
        let usage =
            json!({ "totalTokens": 107, "inputTokens": 60, "cachedReadTokens": 40, "outputTokens": 7 });
        self.line.answer(request, &json!({ "stopReason": "end_turn", "usage": usage }));
    }

    /// Wants to read, to write and to run, and does what it is allowed.
    fn ask_permissions(&mut self) {
        for kind in ["read", "edit", "execute"] {
            let path = self.folder.join(format!("permission-{kind}"));
            let call = json!({ "toolCallId": kind, "title": format!("Do {kind}"), "kind": kind, "locations": [{ "path": path }] });
            let options = json!([
                { "optionId": "always", "name": "Always", "kind": "allow_always" },
                { "optionId": "once", "name": "Once", "kind": "allow_once" },
                { "optionId": "no", "name": "No", "kind": "reject_once" },
            ]);
            let params = json!({ "sessionId": SESSION, "toolCall": call, "options": options });
            let answer = self.line.ask(&format!("permission-{kind}"), "session/request_permission", &params);
            let chosen = answer["result"]["outcome"]["optionId"].as_str().unwrap_or("cancelled").to_owned();
            self.line.note("permissions", &format!("{kind} {chosen}"));
            if kind != "read" && (chosen == "always" || chosen == "once") {
                std::fs::write(&path, "done").expect("written");
            }
        }
        for method in ["fs/write_text_file", "terminal/create"] {
            let path = self.folder.join("written");
            let params = json!({ "sessionId": SESSION, "path": path, "content": "x", "command": "touch", "args": [path] });
            let answer = self.line.ask(method, method, &params);
            self.line.note("permissions", &format!("{method} {}", answer["error"]["code"]));
        }
    }

    fn message(&self, text: &str) {
        self.update(
            &json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } }),
        );
    }

    fn update(&self, update: &Value) {
        self.line.tell("session/update", &json!({ "sessionId": SESSION, "update": update }));
    }
}
