//! Attempts from within `check`, which looks at a config before anything is run and sees no file.

use docket_plugin::report::{self, Level};
use docket_plugin::{Fault, Value};

fn fault(message: impl Into<String>) -> Fault {
    Fault { pointer: "/act".into(), message: message.into(), hint: None }
}

/// Never comes to an end with a config.
pub(crate) fn endless_check(_: &Value) -> Vec<Fault> {
    crate::limits::endless()
}

/// Traps over a config.
pub(crate) fn trap_in_check(_: &Value) -> Vec<Fault> {
    core::arch::wasm32::unreachable()
}

/// Looks for files while it should look at a config; what it finds is a fault that says so.
pub(crate) fn files_in_check(_: &Value) -> Vec<Fault> {
    let folders = wasip2::filesystem::preopens::get_directories().len();
    let read = std::fs::read("/project/docs/a.md").is_ok();
    let written = std::fs::write("/cache/x", "x").is_ok() || std::fs::write("/out/x", "x").is_ok();
    vec![fault(format!("folders: {folders}; read: {read}; written: {written}"))]
}

/// Words for a terminal in all parts of a fault.
pub(crate) fn words_in_check(config: &Value) -> Vec<Fault> {
    let evil = config.get("evil").and_then(Value::as_str).unwrap_or_default();
    report::log(Level::Error, evil);
    report::progress(evil);
    vec![
        Fault { hint: Some(format!("hint {evil}")), ..fault(format!("message {evil}")) },
        Fault { pointer: format!("/{evil}"), ..fault("at a place that is not there") },
    ]
}

/// More faults than anybody reads.
pub(crate) fn many_faults(_: &Value) -> Vec<Fault> {
    (0..10_000).map(|number| fault(format!("fault {number}"))).collect()
}
