//! The log of decisions about safety: every grant, denial and trust decision is one line of JSON in
//! `audit.jsonl` in the user's folder. It is only ever appended to.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use docket_core::Timestamp;
use docket_core::run::Actor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Home, StoreError};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What was decided.
    pub decision: Decision,
    /// About what: a path or a plugin's name.
    pub subject: String,
    /// SHA-256 of its bytes, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The project it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Capabilities, or the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A file of a project was trusted.
    Trusted,
    /// Trust was taken back.
    Revoked,
    /// A plugin was granted capabilities.
    Granted,
    /// Something was refused.
    Denied,
    /// A plugin was put into the user's folder or a project.
    Added,
    /// A plugin was removed.
    Removed,
}

impl Decision {
    /// Every decision, as it is stored and shown.
    pub const ALL: [(&'static str, Self); 6] = [
        ("trusted", Self::Trusted),
        ("revoked", Self::Revoked),
        ("granted", Self::Granted),
        ("denied", Self::Denied),
        ("added", Self::Added),
        ("removed", Self::Removed),
    ];

    /// As it is stored and shown.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, decision)| *decision == self).map_or("", |(word, _)| word)
    }
}

/// The log, read.
#[derive(Debug, Default)]
pub struct Log {
    /// Its entries, oldest first.
    pub entries: Vec<Entry>,
    /// Numbers of lines that are no entries: damaged, or of a newer docket.
    pub unreadable: Vec<usize>,
}

/// Reads the log. Lines that can't be read are counted and stand in nobody's way.
///
/// # Errors
/// When the file can't be read, or others could have written it.
pub fn read(home: &Home) -> Result<Log, StoreError> {
    let Some(bytes) = home.read_private(&home.audit_file())? else { return Ok(Log::default()) };
    let mut log = Log::default();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice(line) {
            Ok(entry) => log.entries.push(entry),
            Err(_) if line.is_empty() => {}
            Err(_) => log.unreadable.push(number + 1),
        }
    }
    Ok(log)
}

/// Appends an entry.
///
/// # Errors
/// When the log can't be written: a decision that leaves no trace is not made.
pub fn append(home: &Home, entry: &Entry) -> Result<(), StoreError> {
    home.create()?;
    let path = home.audit_file();
    let text = serde_json::to_vec(entry)
        .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
    let written = || {
        let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(&path)?;
        // A line that was cut short by a crash must not take this one with it.
        let mut line = if ends_within_a_line(&file)? { b"\n".to_vec() } else { Vec::new() };
        line.extend(&text);
        line.push(b'\n');
        // In one write, so that lines of two processes don't mix; and kept, because decisions must leave a trace.
        file.write_all(&line)?;
        file.sync_data()
    };
    written().map_err(StoreError::io("can't append to", &path))
}

fn ends_within_a_line(file: &std::fs::File) -> std::io::Result<bool> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    Ok(last != [b'\n'])
}
