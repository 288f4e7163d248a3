//! Walking commits from the newest back, in the order of `git log`, and what they say. Must not know how objects are
//! stored.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use docket_plugin::Error;
use serde::Serialize;

use crate::changes::{FileChange, changed_files};
use crate::repository::{Hash, Kind, Repository, corrupt};

/// Most files of one commit that are listed.
const MOST_FILES: usize = 500;
/// Most files that are told to have changed together with a document.
const MOST_TOGETHER: usize = 100;

/// A commit and what it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitChanges {
    /// Its hash.
    pub hash: String,
    /// Who wrote the change.
    pub author: String,
    /// When: ISO 8601 with the author's offset from UTC.
    pub time: String,
    /// First paragraph of the message, in one line.
    pub subject: String,
    /// What changed, by path.
    pub files: Vec<FileChange>,
    /// How many files were left out.
    pub more_files: usize,
}

impl CommitChanges {
    /// Without more files than anybody reads.
    pub(crate) fn shortened(mut self) -> Self {
        self.more_files = self.files.len().saturating_sub(MOST_FILES);
        self.files.truncate(MOST_FILES);
        self
    }
}

/// What changed together with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Together {
    /// The document.
    pub path: String,
    /// Commits that changed it.
    pub commits: Vec<String>,
    /// Other files of these commits, most often first.
    pub together: Vec<Companion>,
}

/// A file that changed together with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Companion {
    /// The file.
    pub path: String,
    /// In how many commits.
    pub count: usize,
}

/// The last commits from `head` back, newest first: by the time they were committed, as `git log` does.
///
/// # Errors
/// When an object is missing or can't be read.
pub(crate) fn last_commits(
    repository: &mut Repository,
    head: Hash,
    count: usize,
) -> Result<Vec<CommitChanges>, Error> {
    let mut seen = BTreeSet::from([head]);
    // Of the same second, the one that was found first comes first.
    let mut waiting =
        BinaryHeap::from([(read(repository, head)?.committed, std::cmp::Reverse(0_usize), head)]);
    let mut found = Vec::new();
    while let Some((_, _, hash)) = waiting.pop() {
        let commit = read(repository, hash)?;
        for parent in &commit.parents {
            if seen.insert(*parent) {
                let committed = read(repository, *parent)?.committed;
                waiting.push((committed, std::cmp::Reverse(seen.len()), *parent));
            }
        }
        let files = match commit.parents.as_slice() {
            [] => changed_files(repository, None, commit.tree)?,
            [parent] => {
                let before = read(repository, *parent)?.tree;
                changed_files(repository, Some(before), commit.tree)?
            }
            // What a merge brings was changed by the commits it merges.
            _ => Vec::new(),
        };
        let Commit { author, time, subject, .. } = commit;
        found.push(CommitChanges { hash: hash.to_string(), author, time, subject, files, more_files: 0 });
        if found.len() == count {
            break;
        }
    }
    Ok(found)
}

/// What changed in the same commits as a document.
pub(crate) fn together(document: &str, commits: &[CommitChanges]) -> Together {
    let touching: Vec<&CommitChanges> =
        commits.iter().filter(|commit| commit.files.iter().any(|file| file.path == document)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in touching.iter().flat_map(|commit| &commit.files).filter(|file| file.path != document) {
        *counts.entry(&file.path).or_default() += 1;
    }
    let mut together: Vec<Companion> =
        counts.into_iter().map(|(path, count)| Companion { path: path.to_owned(), count }).collect();
    together.sort_by_key(|companion| std::cmp::Reverse(companion.count));
    together.truncate(MOST_TOGETHER);
    let commits = touching.iter().map(|commit| commit.hash.clone()).collect();
    Together { path: document.to_owned(), commits, together }
}

/// What a commit object says.
struct Commit {
    tree: Hash,
    parents: Vec<Hash>,
    author: String,
    time: String,
    /// Seconds since 1970.
    committed: i64,
    subject: String,
}

fn read(repository: &mut Repository, hash: Hash) -> Result<Commit, Error> {
    let bytes = repository.read(hash, Kind::Commit)?;
    let mut commit = parse(&bytes).ok_or_else(|| corrupt(format!("commit {hash} can't be understood")))?;
    if repository.is_boundary(&hash) {
        commit.parents.clear();
    }
    Ok(commit)
}

/// Header lines, an empty line, the message (gitformat-commit: `git help cat-file`, `git help log`).
fn parse(bytes: &[u8]) -> Option<Commit> {
    let text = String::from_utf8_lossy(bytes);
    let (head, message) = text.split_once("\n\n").unwrap_or((text.as_ref(), ""));
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let parents = head.lines().filter_map(|line| line.strip_prefix("parent "));
    let (author, written) = signature(value("author")?)?;
    let (_, committed) = signature(value("committer")?)?;
    let paragraph: Vec<&str> = message
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .collect();
    Some(Commit {
        tree: Hash::parse(value("tree")?)?,
        parents: parents.map(Hash::parse).collect::<Option<_>>()?,
        author,
        time: written.shown(),
        committed: committed.seconds,
        subject: paragraph.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
    })
}

/// `Name <mail> seconds offset`.
fn signature(text: &str) -> Option<(String, Moment)> {
    let (name, rest) = text.split_once('<')?;
    let (_, time) = rest.rsplit_once('>')?;
    let (seconds, offset) = time.trim().split_once(' ')?;
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => return None,
    };
    let number: i64 = digits.parse().ok().filter(|number| (0..=9959).contains(number))?;
    let minutes = sign * (number / 100 * 60 + number % 100);
    Some((name.trim().to_owned(), Moment { seconds: seconds.parse().ok()?, minutes }))
}

/// A time, and the offset from UTC where it was noted, in minutes.
struct Moment {
    seconds: i64,
    minutes: i64,
}

impl Moment {
    fn shown(&self) -> String {
        let local = self.seconds.saturating_add(self.minutes * 60);
        let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let (sign, offset) = (if self.minutes < 0 { '-' } else { '+' }, self.minutes.abs());
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60,
            offset / 60,
            offset % 60
        )
    }
}

/// The Gregorian date so many days after 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`).
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_where_they_were_noted() {
        let shown = |text: &str| signature(text).map(|(name, moment)| (name, moment.shown()));
        let told = |name: &str, time: &str| Some((name.to_owned(), time.to_owned()));
        assert_eq!(shown("A B <a@b> 0 +0000"), told("A B", "1970-01-01T00:00:00+00:00"));
        assert_eq!(shown("A <a@b> 951827696 -0330"), told("A", "2000-02-29T09:04:56-03:30"));
        assert_eq!(shown("<> -1 +0530"), told("", "1970-01-01T05:29:59+05:30"));
        for nonsense in
            ["A", "A <a", "A <a> x +0000", "A <a> 1", "A <a> 1 0000", "A <a> 1 +x", "A <a> 1 +99999"]
        {
            assert_eq!(shown(nonsense), None, "{nonsense}");
        }
        assert!(shown(&format!("A <a> {} +0100", i64::MAX)).is_some());
    }

    #[test]
    fn a_subject_is_the_first_paragraph_and_signatures_are_no_headers() {
        let tree = "0123456789012345678901234567890123456789";
        let text = format!(
            "tree {tree}\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\ngpgsig -----\n parent no\n\nOne\ntwo\n\nthree\n"
        );
        let commit = parse(text.as_bytes()).expect("a commit");
        assert_eq!((commit.subject.as_str(), commit.committed, commit.parents.len()), ("One two", 2, 0));
        for broken in ["", "tree x\n\nm", &text.replace(tree, "01"), &text.replace("author", "nobody")] {
            assert!(parse(broken.as_bytes()).is_none(), "{broken}");
        }
    }
}
