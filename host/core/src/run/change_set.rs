//! Change sets: the files a stage wants to write, each with the hash of what it replaces and of what it becomes.
//!
//! The rule that makes writing repeatable is [`FileChange::verdict`]; reading and writing the files is the host's.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ProjectPath;

/// The files a stage wants to write, in the order of their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeSet {
    /// One entry per file.
    pub files: Vec<FileChange>,
}

/// One file a stage wants to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Where.
    pub path: ProjectPath,
    /// SHA-256 of what was there when the stage looked; nothing when there was no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// SHA-256 of what is to be there.
    pub after: String,
    /// What is to be there.
    pub content: Content,
}

/// Where the bytes of a change are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// In the journal itself: texts of moderate size.
    Text(String),
    /// In the run's `blobs/` folder, under the `after` hash.
    Blob {
        /// Size in bytes.
        bytes: u64,
    },
}

/// What a stage put under `/out`, before it is checked and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedWrite {
    /// Where, checked.
    pub path: ProjectPath,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What is at a path now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Nothing.
    Missing,
    /// A regular file with this SHA-256.
    File(String),
}

/// What to do about a change, given what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The file is as the stage saw it: write.
    Write,
    /// The file is already what it is to become: nothing to do.
    Done,
    /// Somebody else changed it: touch nothing.
    Conflict,
}

impl FileChange {
    /// Decides by hashes alone, so that applying twice, or again after a crash, does nothing the second time.
    pub fn verdict(&self, now: &FileState) -> Verdict {
        match (now, &self.before) {
            (FileState::File(hash), _) if *hash == self.after => Verdict::Done,
            (FileState::File(hash), Some(before)) if hash == before => Verdict::Write,
            (FileState::Missing, None) => Verdict::Write,
            _ => Verdict::Conflict,
        }
    }
}

/// SHA-256 of some bytes, as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>) -> FileChange {
        FileChange {
            path: ProjectPath::parse("a.md").expect("a path"),
            before: before.map(str::to_owned),
            after: "new".into(),
            content: Content::Text("new text".into()),
        }
    }

    #[test]
    fn a_file_is_written_once_and_never_over_somebody_elses_change() {
        let file = |hash: &str| FileState::File(hash.to_owned());
        assert_eq!(change(Some("old")).verdict(&file("old")), Verdict::Write);
        assert_eq!(change(Some("old")).verdict(&file("new")), Verdict::Done);
        assert_eq!(change(Some("old")).verdict(&file("other")), Verdict::Conflict);
        assert_eq!(change(Some("old")).verdict(&FileState::Missing), Verdict::Conflict);
        assert_eq!(change(None).verdict(&FileState::Missing), Verdict::Write);
        assert_eq!(change(None).verdict(&file("new")), Verdict::Done);
        assert_eq!(change(None).verdict(&file("other")), Verdict::Conflict);
    }

    #[test]
    fn hashes_are_the_standard_ones() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
