//! The act `spawn`. Only with the feature of that name does the component import `docket:stage/process`.

use docket_plugin::{Error, Value};

use crate::Act;

#[cfg(not(feature = "spawn"))]
pub(crate) fn spawn(act: &Act<'_>) -> Result<Value, Error> {
    let message =
        format!("'{}' can't be run: this guest was built without the feature `spawn`", act.text("program")?);
    Err(Error::new("built-without-spawn", message))
}

/// Runs a command to its end and returns all it printed.
#[cfg(feature = "spawn")]
pub(crate) fn spawn(act: &Act<'_>) -> Result<Value, Error> {
    use docket_plugin::json;
    use docket_plugin::process::{self, Argument, Command, Event};

    /// How long a silent process is waited for, in milliseconds, when the config does not say.
    const PATIENCE: f64 = 60_000.0;

    let listed = act.config.get("arguments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let command = Command {
        program: act.text("program")?.to_owned(),
        arguments: listed.iter().filter_map(Value::as_str).map(Argument::from).collect(),
        attachments: Vec::new(),
        stdin: act.config.get("stdin").and_then(Value::as_str).map(str::to_owned),
    };
    let patience = act.config.get("patience").and_then(Value::as_f64).unwrap_or(PATIENCE);
    let child = process::spawn(&command)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        // As `as` goes, negative and huge numbers become the nearest that fits.
        match child.next(patience as u64) {
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
