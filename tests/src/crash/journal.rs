//! A run's journal as an outsider reads it: lines, hashes and facts, without docket's own code. The format is described
//! in `host/core/src/run/journal.rs`.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What stands before the hash of a line.
const HASH_KEY: &str = ",\"hash\":\"";

/// A journal that was read.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// The events of its whole records, in order.
    pub events: Vec<Value>,
    /// Length in bytes of its whole records.
    pub sound: usize,
    /// Where its last whole record begins.
    pub last: usize,
    /// Everything it consists of, the torn end included.
    pub bytes: Vec<u8>,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Journal {
    /// The date on which the run was started, where it takes the day from. `None` before its first record.
    pub fn date(&self) -> Option<&str> {
        self.events.first()?["date"].as_str()
    }

    /// Reads a journal: each record's hash fits its text, names the one before, and counts on by one. What comes after
    /// the last whole record must be the very last line.
    ///
    /// # Errors
    /// What is unsound about it.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let mut journal = Self::default();
        let mut before = String::new();
        let mut count = 0;
        while journal.sound < bytes.len() {
            let rest = &bytes[journal.sound..];
            let end = rest.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
            let whole = end.and_then(|end| whole(&rest[..end]).map(|(record, hash)| (record, hash, end)));
            let Some((record, hash, end)) = whole else {
                if end.is_some_and(|end| end < rest.len()) {
                    return Err(format!("record {} is broken and others follow", count + 1));
                }
                break;
            };
            count += 1;
            if record["seq"] != count || record["prev"] != before.as_str() {
                return Err(format!("record {count} does not follow the one before"));
            }
            journal.events.extend(record["events"].as_array().into_iter().flatten().cloned());
            journal.last = journal.sound;
            journal.sound += end;
            before = hash;
        }
        journal.bytes = bytes;
        Ok(journal)
    }

    /// How many events of this type there are.
    pub fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event["type"] == kind).count()
    }

    /// The hashes of everything that was to be written to files, by path.
    pub fn planned_writes(&self) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for event in &self.events {
            for file in event["change_set"].as_array().into_iter().flatten() {
                let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
                found.insert((text("path"), text("after")));
            }
        }
        found
    }

    /// Whether somebody's answer of this value was taken.
    pub fn has_answer(&self, value: &Value) -> bool {
        self.events.iter().any(|event| !event["answered_by"].is_null() && event["result"] == *value)
    }

    /// Whether a decision was taken that somebody said this to.
    pub fn has_comment(&self, comment: &str) -> bool {
        let said = |event: &Value| event["comment"] == comment || event["result"]["comment"] == comment;
        self.events.iter().any(said)
    }

    /// The events of the last whole record.
    pub fn last_record(&self) -> Option<Value> {
        whole(self.bytes.get(self.last..self.sound)?).map(|(record, _)| record)
    }
}

/// A record and its hash, if the line is a whole one.
fn whole(line: &[u8]) -> Option<(Value, String)> {
    let text = std::str::from_utf8(line).ok()?;
    let (body, rest) = text.rsplit_once(HASH_KEY)?;
    let hash = rest.strip_suffix("\"}\n")?;
    (sha256(body.as_bytes()) == hash).then_some(())?;
    Some((serde_json::from_str(&format!("{body}}}")).ok()?, hash.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, before: &str, event: &str) -> (String, String) {
        let body = format!(
            r#"{{"format":1,"seq":{seq},"at":"2026-01-01T00:00:00Z","prev":"{before}","events":[{{"type":"{event}"}}]"#
        );
        let hash = sha256(body.as_bytes());
        (format!("{body}{HASH_KEY}{hash}\"}}\n"), hash)
    }

    #[test]
    fn a_chain_is_followed_and_a_torn_end_is_left_out() {
        let (one, hash) = line(1, "", "run_created");
        let (two, _) = line(2, &hash, "run_paused");
        let journal = Journal::read(format!("{one}{two}{}", &two[..20]).into_bytes()).expect("sound");
        assert_eq!(
            (journal.events.len(), journal.sound, journal.last),
            (2, one.len() + two.len(), one.len())
        );
        assert_eq!(journal.count("run_paused"), 1);
    }

    #[test]
    fn broken_chains_are_found() {
        let (one, hash) = line(1, "", "run_created");
        let (two, _) = line(2, &hash, "run_paused");
        let (stranger, _) = line(2, "0", "run_paused");
        let (later, _) = line(3, &hash, "run_paused");
        let changed = one.replace("created", "renamed");
        for text in [
            format!("{one}{stranger}"),
            format!("{one}{later}"),
            format!("{changed}{two}"),
            format!("{one}{one}{two}"),
        ] {
            assert!(Journal::read(text.clone().into_bytes()).is_err(), "{text}");
        }
    }
}
