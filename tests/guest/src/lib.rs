//! The stage type `test`: does what its config says and tells what happened, so that tests can see the contract and
//! the sandbox from the inside. Only for docket's own tests; never embedded.
//!
//! Every act returns what it found, errors included; none panics unless it is asked to. With the feature `spawn` the
//! component imports `docket:stage/process` and `docket:stage/dialogue`; without it, it must not.

mod files;
mod limits;
mod outside;
mod process;
mod talk;

use docket_plugin::{Error, Fault, Outcome, Question, Request, Stage, Value, json, plugin};

/// The stage type `test`.
pub struct Guest;

impl Stage for Guest {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let act = Act { config: &request.config };
        let result = match act.text("act")? {
            "echo" => echo(request),
            "wait" => return Ok(Outcome::Waiting(question(&act))),
            "fail" => return Err(failure(&act)),
            "read" => files::read(act.text("path")?),
            "list" => files::list(act.text("path")?),
            "write" => files::write(&files::proposal(act.text("path")?), act.text("content")?),
            "write-at" => files::write(act.text("path")?, act.text("content")?),
            "write-many" => files::write_many(act.text("path")?, act.size("count"), act.size("bytes")),
            "write-link" => files::symbolic_link(act.text("target")?, &files::proposal(act.text("path")?)),
            "hard-link" => files::hard_link(act.text("target")?, &files::proposal(act.text("path")?)),
            "write-project" => files::write_project(act.text("path")?),
            "rename-project" => files::rename_project(act.text("path")?),
            "cache-write" => files::write(&files::cached(act.text("path")?), act.text("content")?),
            "cache-read" => files::read(&files::cached(act.text("path")?)),
            "environment" => outside::environment(),
            "network" => outside::network(act.config.get("port").and_then(Value::as_u64)),
            "time" => outside::time(),
            "panic" => {
                panic!("{}", act.config.get("text").and_then(Value::as_str).unwrap_or("asked to panic"))
            }
            "abort" => std::process::abort(),
            "loop" => limits::endless(),
            "sleep" => limits::sleep(act.number("seconds")),
            "grow" => limits::grow(),
            "grow-or-die" => limits::grow_or_die(),
            "open-many" => limits::open_many(act.text("path")?, act.size("count")),
            "open-and-close" => limits::open_and_close(act.text("path")?, act.size("count")),
            "copy-storm" => limits::copy_storm(),
            "stumble" => limits::stumble(act.size("position")),
            "recurse" => json!({ "depth": limits::recurse(0) }),
            "big-result" => json!({ "text": "x".repeat(act.size("bytes")) }),
            "nest" => nested(act.size("depth")),
            "say" => talk::say(act.text("text")?),
            "log" => talk::log(act.size("lines"), act.size("length")),
            "progress" => talk::progress(act.text("text")?),
            "stdout" => talk::standard_output(act.size("bytes")),
            "usage" => talk::usage(&request.config),
            "spawn" => process::spawn(&act)?,
            "converse" => process::converse(&act)?,
            "listen" => process::listen(&act)?,
            "meter" => process::meter(request)?,
            "fixed" => act.config.get("value").cloned().unwrap_or_default(),
            "answer" => answers(&request.config),
            other => return Err(Error::new("act-unknown", format!("there is no act '{other}'"))),
        };
        Ok(Outcome::Completed(result))
    }

    fn check(_stage_type: &str, config: &Value) -> Vec<Fault> {
        match config.get("act").and_then(Value::as_str) {
            Some("faulty") => vec![Fault {
                pointer: "/act".into(),
                message: "the act is faulty, as asked".into(),
                hint: Some("choose another act".into()),
            }],
            Some("read-in-check") => vec![Fault {
                pointer: "/path".into(),
                message: format!(
                    "read: {}; write: {}; said: {}",
                    files::read(config.get("path").and_then(Value::as_str).unwrap_or_default()),
                    files::write(&files::cached("from-check"), "x"),
                    talk::say("\u{1b}[31msaid in check"),
                ),
                hint: Some("a hint\u{1b}[2J".into()),
            }],
            Some("panic-in-check") => panic!("asked to panic in check"),
            Some("loop-in-check") => {
                limits::endless();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

/// The config of an act.
struct Act<'a> {
    config: &'a Value,
}

impl<'a> Act<'a> {
    /// A text that the act needs.
    fn text(&self, field: &str) -> Result<&'a str, Error> {
        let text = self.config.get(field).and_then(Value::as_str);
        text.ok_or_else(|| Error::new("config-invalid", format!("this act needs a text '{field}'")))
    }

    /// A number, 0 when it is left out.
    fn number(&self, field: &str) -> f64 {
        self.config.get(field).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// A size, 0 when it is left out.
    fn size(&self, field: &str) -> usize {
        let size = self.config.get(field).and_then(Value::as_u64).unwrap_or(0);
        usize::try_from(size).unwrap_or(usize::MAX)
    }
}

/// What the request said. References are read, each to its value or error.
fn echo(request: &Request) -> Value {
    let references: serde_json::Map<String, Value> = request
        .references
        .iter()
        .map(|(field, reference)| {
            let value = request.reference(field).map_or_else(|error| json!({ "error": error.code }), |value| json!({ "value": value }));
            let shown = json!({ "stage": reference.stage, "output": reference.output, "path": reference.path, "read": value });
            (field.clone(), shown)
        })
        .collect();
    json!({
        "run": request.run, "workflow": request.workflow, "stage": request.stage, "type": request.stage_type,
        "attempt": request.attempt, "date": request.date, "config": request.config, "inputs": request.inputs,
        "references": references,
    })
}

/// Lists in lists.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| Value::Array(vec![inner]))
}

/// What docket finds wrong with each value of `values`, and where each text of `texts` is kept; with the fields of `also`.
fn answers(config: &Value) -> Value {
    let list = |field: &str| config.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let fault = |fault: Fault| json!({ "pointer": fault.pointer, "message": fault.message });
    let faults = |value: &Value| docket_plugin::answer::check(value).into_iter().map(fault).collect();
    let kept = |text: &Value| docket_plugin::answer::keep(text.as_str().unwrap_or_default());
    let mut result = config.get("also").cloned().unwrap_or_else(|| json!({}));
    result["faults"] = list("values").iter().map(faults).collect::<Vec<Vec<Value>>>().into();
    result["kept"] = list("texts").iter().map(kept).collect::<Vec<String>>().into();
    result
}

fn question(act: &Act<'_>) -> Question {
    let prompt = act.config.get("prompt").and_then(Value::as_str).unwrap_or("What is the answer?");
    let usual = json!({ "type": "object", "required": ["answer"], "properties": { "answer": { "type": "integer" } } });
    Question { prompt: prompt.to_owned(), schema: Some(act.config.get("schema").cloned().unwrap_or(usual)) }
}

fn failure(act: &Act<'_>) -> Error {
    let text = |field: &str| act.config.get(field).and_then(Value::as_str);
    let mut error = Error::new(
        text("code").unwrap_or("asked-to-fail"),
        text("message").unwrap_or("it was asked to fail"),
    );
    error.hint = text("hint").map(str::to_owned);
    error.retryable = act.config.get("retryable").and_then(Value::as_bool).unwrap_or(false);
    error
}

plugin!(Guest, manifest = "../manifest.json");

#[cfg(test)]
mod tests;
