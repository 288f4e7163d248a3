//! The stored format of what is trusted: JSON with a version. Older versions are read, newer ones refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Grant, Trust};

/// The version that is written.
const FORMAT: u32 = 2;

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Version 1: grants were a list of capabilities, all that was asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    #[serde(rename = "format")]
    _format: u32,
    projects: BTreeMap<String, BTreeMap<String, String>>,
    grants: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Second {
    format: u32,
    projects: BTreeMap<String, BTreeMap<String, String>>,
    grants: BTreeMap<String, Grant>,
}

/// Why what is trusted can't be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// What is wrong with the text.
    Damaged(String),
    /// A newer docket wrote it, in this format.
    Newer(u32),
}

impl Unread {
    /// What is wrong with the file, behind its name, and what to do.
    pub(super) fn told(self) -> (String, &'static str) {
        match self {
            Self::Damaged(detail) => (
                format!("is damaged: {detail}"),
                "put it back from a backup; or remove it, and trust and grant anew what you want",
            ),
            Self::Newer(format) => (
                format!("can't be used: format {format} is newer than this docket reads ({FORMAT})"),
                "use the newer docket that wrote it",
            ),
        }
    }
}

/// Reads what is trusted.
pub(super) fn read(bytes: &[u8]) -> Result<Trust, Unread> {
    let text = |cause: serde_json::Error| Unread::Damaged(cause.to_string());
    let version: Version = serde_json::from_slice(bytes).map_err(text)?;
    match version.format {
        1 => {
            let first: First = serde_json::from_slice(bytes).map_err(text)?;
            let grant =
                |granted: BTreeSet<String>| Grant { asked: granted.clone(), granted, ..Grant::default() };
            let grants = first.grants.into_iter().map(|(hash, granted)| (hash, grant(granted))).collect();
            Ok(Trust { projects: first.projects, grants })
        }
        FORMAT => {
            let second: Second = serde_json::from_slice(bytes).map_err(text)?;
            Ok(Trust { projects: second.projects, grants: second.grants })
        }
        0 => Err(Unread::Damaged("there is no format 0".to_owned())),
        newer => Err(Unread::Newer(newer)),
    }
}

/// Writes it.
pub(super) fn write(trust: &Trust) -> Result<Vec<u8>, String> {
    let stored = Second { format: FORMAT, projects: trust.projects.clone(), grants: trust.grants.clone() };
    serde_json::to_vec_pretty(&stored).map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_format_is_read_and_the_second_written() {
        let first =
            r#"{"format":1,"projects":{"/p":{"workflows/a.yml":"aa"}},"grants":{"bb":["read docs"]}}"#;
        let trust = read(first.as_bytes()).expect("the first format");
        assert_eq!(trust.pinned(std::path::Path::new("/p"), "workflows/a.yml"), Some("aa"));
        let granted = trust.granted("bb").expect("a decision");
        assert!(
            granted.contains("read docs") && trust.decided("bb").is_some_and(|grant| grant.asked == *granted)
        );
        let again = read(&write(&trust).expect("written")).expect("the second format");
        assert_eq!(again, trust);
    }

    #[test]
    fn what_is_newer_or_damaged_is_refused() {
        for text in ["", "{", "[]", r#"{"format":3}"#, r#"{"format":0}"#, r#"{"format":2,"projects":{}}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let surprise = r#"{"format":2,"projects":{},"grants":{},"more":1}"#;
        assert!(read(surprise.as_bytes()).expect_err("refused").told().0.contains("more"));
        assert!(matches!(read(br#"{"format":3,"more":1}"#), Err(Unread::Newer(3))));
    }
}
