//! How attempts are told: those that must come to nothing and those that must succeed, so that a sandbox that lets a
//! plugin do nothing at all is not taken for a safe one. Must not judge.

use std::fmt::Debug;

use docket_plugin::{Error, Outcome, Request, Value, json};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// Attempts and what came of them.
#[derive(Default)]
pub(crate) struct Tries {
    refused: serde_json::Map<String, Value>,
    allowed: serde_json::Map<String, Value>,
}

impl Tries {
    /// Something that must be refused.
    pub(crate) fn refused<T, E: Debug>(&mut self, what: impl Into<String>, result: Result<T, E>) {
        self.refused.insert(what.into(), told(result));
    }

    /// Something that must work.
    pub(crate) fn allowed<T, E: Debug>(&mut self, what: impl Into<String>, result: Result<T, E>) {
        self.allowed.insert(what.into(), told(result));
    }

    /// The stage's result.
    pub(crate) fn done(self) -> Result<Outcome, Error> {
        over(json!({ "refused": self.refused, "allowed": self.allowed }))
    }
}

fn told<T, E: Debug>(result: Result<T, E>) -> Value {
    match result {
        Ok(_) => json!({ "ok": true }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

/// A stage that is over, with this result.
#[expect(clippy::unnecessary_wraps, reason = "this is what an act returns")]
pub(crate) fn over(result: Value) -> Result<Outcome, Error> {
    Ok(Outcome::Completed(result))
}

/// A text of the config; empty when it is not there.
pub(crate) fn text<'a>(request: &'a Request, field: &str) -> &'a str {
    request.config.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// An error of WASI as the stage's.
pub(crate) fn failed(code: ErrorCode) -> Error {
    Error::new("attempt-failed", format!("{code:?}"))
}

/// A folder of the sandbox as WASI has it: `/project`, `/project/docs`, `/in`, `/out`, `/cache`.
pub(crate) fn folder(guest: &str) -> Descriptor {
    let mut folders = get_directories();
    match folders.iter().position(|(_, path)| path == guest) {
        Some(position) => folders.swap_remove(position).0,
        None => {
            let known: Vec<String> = folders.into_iter().map(|(_, path)| path).collect();
            panic!("there is no folder {guest} among {known:?}")
        }
    }
}

/// The granted folder.
pub(crate) fn docs() -> Descriptor {
    folder("/project/docs")
}

/// Where proposals go.
pub(crate) fn out() -> Descriptor {
    folder("/out")
}

/// Opens a path below a folder to read, following links, without the library in between.
pub(crate) fn open(folder: &Descriptor, path: &str) -> Result<Descriptor, ErrorCode> {
    folder.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ)
}

/// Makes a file below a folder, to be read and written.
pub(crate) fn create(folder: &Descriptor, path: &str) -> Result<Descriptor, ErrorCode> {
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    folder.open_at(PathFlags::empty(), path, OpenFlags::CREATE, flags)
}

/// Reads a file below a folder.
pub(crate) fn read(folder: &Descriptor, path: &str) -> Result<Vec<u8>, ErrorCode> {
    open(folder, path)?.read(4096, 0).map(|(bytes, _)| bytes)
}
