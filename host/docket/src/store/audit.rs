//! The log of decisions about safety: every grant, denial and trust decision is one line of JSON in
//! `audit.jsonl` in the user's folder. It is only ever appended to.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use docket_core::Timestamp;
use docket_core::run::Actor;
use serde::{Deserialize, Serialize};

use super::{Home, StoreError};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Appends an entry.
///
/// # Errors
/// When the log can't be written: a decision that leaves no trace is not made.
pub fn append(home: &Home, entry: &Entry) -> Result<(), StoreError> {
    home.create()?;
    let path = home.audit_file();
    let mut line = serde_json::to_vec(entry)
        .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
    line.push(b'\n');
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(&line))
        .map_err(StoreError::io("can't append to", &path))
}
