//! The acts `spawn`, `converse`, `listen` and `meter`. Only with the feature `spawn` does the component import `docket:stage/process` and
//! `docket:stage/dialogue`.

use docket_plugin::{Error, Value};

use crate::Act;

#[cfg(not(feature = "spawn"))]
pub(crate) use {spawn as converse, spawn as listen};

#[cfg(not(feature = "spawn"))]
pub(crate) fn spawn(act: &Act<'_>) -> Result<Value, Error> {
    let message =
        format!("'{}' can't be run: this guest was built without the feature `spawn`", act.text("program")?);
    Err(Error::new("built-without-spawn", message))
}

#[cfg(not(feature = "spawn"))]
pub(crate) fn meter(_: &docket_plugin::Request) -> Result<Value, Error> {
    Err(Error::new("built-without-spawn", "this guest was built without the feature `spawn`"))
}

/// Is a launcher: runs the profile's command with the prompt, so often as `times` says. Lines that are `{"doing": …}` and
/// `{"used": {…}}` are told as they come; the last one of another kind is the result.
#[cfg(feature = "spawn")]
pub(crate) fn meter(request: &docket_plugin::Request) -> Result<Value, Error> {
    use docket_plugin::process::{self, Argument, Command, Event};
    use docket_plugin::report;

    let profile = &request.agent()?.profile;
    let times = request.config.get("times").and_then(Value::as_u64).unwrap_or(1);
    let mut answer = Value::Null;
    for _ in 0..times {
        let child = process::spawn(&Command {
            program: profile.program.clone().unwrap_or_default(),
            arguments: profile.arguments.iter().map(|text| Argument::from(text.as_str())).collect(),
            attachments: Vec::new(),
            stdin: Some(request.agent()?.prompt.clone()),
        })?;
        loop {
            match child.next(PATIENCE as u64) {
                Event::Stdout(line) => match serde_json::from_str::<Value>(&line) {
                    Ok(said) if said.get("doing").is_some() => {
                        report::progress(said["doing"].as_str().unwrap_or_default());
                    }
                    Ok(said) if said.get("used").is_some() => drop(crate::talk::usage(&said["used"])),
                    Ok(said) => answer = said,
                    Err(_) => {}
                },
                Event::Stderr(_) => {}
                Event::Exited(status) if status.code == Some(0) => break,
                Event::Exited(status) => {
                    return Err(Error::new("agent-failed", format!("it ended with {status:?}")));
                }
                Event::Idle => return Err(Error::new("agent-idle", "it is silent")),
            }
        }
    }
    Ok(answer)
}

/// How long a silent process is waited for, in milliseconds, when the config does not say.
#[cfg(feature = "spawn")]
const PATIENCE: f64 = 60_000.0;

/// The command that a config names.
#[cfg(feature = "spawn")]
fn command(act: &Act<'_>) -> Result<docket_plugin::process::Command, Error> {
    use docket_plugin::process::{Argument, Command};
    let listed = act.config.get("arguments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Command {
        program: act.text("program")?.to_owned(),
        arguments: listed.iter().filter_map(Value::as_str).map(Argument::from).collect(),
        attachments: Vec::new(),
        stdin: act.config.get("stdin").and_then(Value::as_str).map(str::to_owned),
    })
}

/// How long a silent process is waited for, in milliseconds. As `as` goes, negative and huge numbers become the nearest
/// that fits.
#[cfg(feature = "spawn")]
fn patience(act: &Act<'_>) -> u64 {
    act.config.get("patience").and_then(Value::as_f64).unwrap_or(PATIENCE) as u64
}

/// Runs a command to its end and returns all it printed.
#[cfg(feature = "spawn")]
pub(crate) fn spawn(act: &Act<'_>) -> Result<Value, Error> {
    use docket_plugin::json;
    use docket_plugin::process::{self, Event};

    let child = process::spawn(&command(act)?)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match child.next(patience(act)) {
            Event::Stdout(line) => stdout.push(line),
            Event::Stderr(line) => stderr.push(line),
            Event::Exited(status) => {
                return Ok(
                    json!({ "stdout": stdout, "stderr": stderr, "code": status.code, "signal": status.signal }),
                );
            }
            Event::Idle => {
                child.stop(1_000);
                return Ok(json!({ "stdout": stdout, "stderr": stderr, "idle": true }));
            }
        }
    }
}

/// Says each text of `says` to a command and waits for the line that answers it; `<time>` in a text is another one each
/// time the stage runs. Then, unless `finish` is false, closes its input and reads it to its end.
#[cfg(feature = "spawn")]
pub(crate) fn converse(act: &Act<'_>) -> Result<Value, Error> {
    use docket_plugin::dialogue::{self, SendError};
    use docket_plugin::json;
    use docket_plugin::process::Event;

    let says = act.config.get("says").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let partner = dialogue::open(&command(act)?)?;
    let (mut replies, mut stderr) = (Vec::new(), Vec::new());
    for text in says.iter().filter_map(Value::as_str) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos());
        match partner.send(&text.replace("<time>", &now.to_string())) {
            Ok(()) => {}
            Err(SendError::Closed) => return Err(gone(&partner, stderr, text)),
            Err(error) => return Err(error.into()),
        }
        loop {
            match partner.next(patience(act)) {
                Event::Stdout(line) => break replies.push(line),
                Event::Stderr(line) => stderr.push(line),
                Event::Exited(_) => return Err(gone(&partner, stderr, text)),
                Event::Idle => return Ok(json!({ "replies": replies, "idle": true })),
            }
        }
    }
    if act.config.get("finish") == Some(&Value::Bool(false)) {
        return Ok(json!({ "replies": replies }));
    }
    partner.finish();
    let mut rest = Vec::new();
    loop {
        match partner.next(patience(act)) {
            Event::Stdout(line) => rest.push(line),
            Event::Stderr(line) => stderr.push(line),
            Event::Exited(status) if status.code.is_none() => {
                return Err(gone(&partner, stderr, "nothing more"));
            }
            Event::Exited(status) => {
                return Ok(json!({
                    "replies": replies, "rest": rest, "stderr": stderr, "code": status.code,
                }));
            }
            Event::Idle => return Ok(json!({ "replies": replies, "rest": rest, "idle": true })),
        }
    }
}

/// The failure of a command that is gone, with what was said on standard error about it: `stderr` and the rest.
#[cfg(feature = "spawn")]
fn gone(partner: &docket_plugin::dialogue::Partner, mut stderr: Vec<String>, told: &str) -> Error {
    use docket_plugin::process::Event;

    let end = loop {
        match partner.next(10_000) {
            Event::Stdout(_) => {}
            Event::Stderr(line) => stderr.push(line),
            Event::Exited(status) => break format!("{status:?}"),
            Event::Idle => break "no end that was seen".to_owned(),
        }
    };
    let said = stderr.join(" / ");
    Error::new("agent-lost", format!("the command ended with {end} when it was told '{told}': {said}"))
}

/// Says each text of `says` only once the command has said something and then nothing for a while; what happened, in
/// order.
#[cfg(feature = "spawn")]
pub(crate) fn listen(act: &Act<'_>) -> Result<Value, Error> {
    use docket_plugin::dialogue;
    use docket_plugin::process::Event;

    /// How long nothing is said before it counts as silence, in milliseconds.
    const SILENCE: u64 = 50;

    let says = act.config.get("says").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let partner = dialogue::open(&command(act)?)?;
    let mut events = Vec::new();
    let mut hear = |events: &mut Vec<String>| {
        let mut wait = patience(act);
        while let Event::Stdout(line) | Event::Stderr(line) = partner.next(wait) {
            events.push(format!("heard {line}"));
            wait = SILENCE;
        }
    };
    for text in says.iter().filter_map(Value::as_str) {
        hear(&mut events);
        events.push(format!("said {text}"));
        partner.send(text)?;
    }
    hear(&mut events);
    Ok(Value::from(events))
}
