//! What the repository's history says: which commits touched the document, and what changed together with it.
//!
//! Runs `git` with a fixed argument vector through the ability `process`, and only if the user granted it. The project's
//! own `.git/config` is a stranger's: it can name programs for git to run, so everything that would make `git log` run
//! one, or fetch something, is turned off here. Must not fail a stage: without history there is a package all the same.

use std::collections::BTreeMap;

use docket_plugin::process::{self, Argument, Child, Command, Event, SpawnError};

use crate::package::{Commit, History, Together};

/// What a person or a script runs to let the stage see the history.
pub const GRANT: &str = "docket plugin grant context 'run the command git'";
/// How long git may take, in milliseconds: a history that is longer is used as far as it was told.
const PATIENCE: u64 = 5_000;
/// How long is waited for a line at a time, in milliseconds.
const STEP: u64 = 250;
/// So many commits that touched the document are looked at.
const COMMITS_OF_DOCUMENT: usize = 60;
/// So many commits of a project are looked at.
const COMMITS_OF_PROJECT: usize = 30;
/// So many commits of a document are listed.
const LISTED: usize = 12;
/// So many files that change together with a document are listed.
const MAXIMUM_TOGETHER: usize = 20;
/// A commit that touches more files says nothing about any two of them.
const BULK: usize = 40;
/// More output than this is not kept, in bytes.
const MAXIMUM_OUTPUT: usize = 4 << 20;
/// Begins the line of a commit: a control character, which git quotes in paths.
const MARK: char = '\u{1e}';
/// Between the fields of a commit.
const SEPARATOR: char = '\u{1f}';

/// What `git log` must not do here, whatever the repository's configuration says. `-c` comes before all files.
/// - no program is run: pager, hooks, the file system monitor, signature checks, diff and text conversion drivers, ssh;
/// - nothing is fetched: a partial clone would ask its remote for what is missing, with a transport of its choice;
/// - no repository is taken that is embedded in the working tree as if it were one of its folders.
const QUIET: [&str; 24] = [
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.sshCommand=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "log.follow=false",
    "-c",
    "gpg.program=false",
    "-c",
    "diff.external=",
    "-c",
    "safe.bareRepository=explicit",
    "-c",
    "core.quotePath=true",
    "-c",
    "protocol.allow=never",
];
/// Transports that a repository could allow one by one in spite of `protocol.allow`.
const TRANSPORTS: [&str; 7] = ["ext", "file", "git", "http", "https", "ssh", "bundle"];

/// Why there is no history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoHistory {
    /// The user did not let the stage run git.
    NotGranted,
    /// There is no git, no repository, or it can't be read: in words.
    Unavailable(String),
}

/// The commits that touched the document at `path`, and what changed with it.
///
/// # Errors
/// Why there is none.
pub fn of_document(path: &str) -> Result<History, NoHistory> {
    let limit = format!("--max-count={COMMITS_OF_DOCUMENT}");
    let lines = git(&arguments(&[&limit, "--full-diff"], path))?;
    let mut commits = read(&lines);
    let together = together(path, &commits);
    commits.truncate(LISTED);
    Ok(History { commits, together })
}

/// The last commits of the project.
///
/// # Errors
/// Why there are none.
pub fn of_project() -> Result<History, NoHistory> {
    let limit = format!("--max-count={COMMITS_OF_PROJECT}");
    Ok(History { commits: read(&git(&arguments(&[&limit], "."))?), together: Vec::new() })
}

/// The whole argument vector. Whatever `path` is, it is a path: it comes after `--`, and is taken literally.
fn arguments(options: &[&str], path: &str) -> Vec<String> {
    let transports = TRANSPORTS
        .iter()
        .flat_map(|transport| ["-c".to_owned(), format!("protocol.{transport}.allow=never")]);
    let format = format!("--format={MARK}%H{SEPARATOR}%as{SEPARATOR}%an{SEPARATOR}%s");
    let fixed = [
        "log",
        "--no-merges",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-show-signature",
        "--no-color",
        "--no-decorate",
        "--no-notes",
        "--encoding=UTF-8",
        "-O/dev/null",
        "--name-only",
        "--relative",
    ];
    let log = fixed.iter().chain(options).map(|text| (*text).to_owned());
    QUIET
        .iter()
        .map(|text| (*text).to_owned())
        .chain(transports)
        .chain(log)
        .chain([format, "--".to_owned(), path.to_owned()])
        .collect()
}

/// The lines that git prints.
fn git(arguments: &[String]) -> Result<Vec<String>, NoHistory> {
    let command = Command {
        program: "git".to_owned(),
        arguments: arguments.iter().cloned().map(Argument::Text).collect(),
        ..Command::default()
    };
    let child = process::spawn(&command).map_err(|error| match error {
        SpawnError::NotGranted(_) => NoHistory::NotGranted,
        SpawnError::NotFound(text) | SpawnError::Lost(text) | SpawnError::Failed(text) => {
            NoHistory::Unavailable(text)
        }
    })?;
    follow(&child)
}

fn follow(child: &Child) -> Result<Vec<String>, NoHistory> {
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    let (mut kept, mut waited) = (0_usize, 0_u64);
    loop {
        match child.next(STEP) {
            Event::Stdout(line) => {
                kept = kept.saturating_add(line.len());
                lines.push(line);
            }
            Event::Stderr(line) => errors.push(line),
            Event::Idle => waited += STEP,
            Event::Exited(status) if status.code == Some(0) || !lines.is_empty() => return Ok(lines),
            Event::Exited(_) => {
                let said = errors.first().map_or("git failed and said nothing", String::as_str);
                return Err(NoHistory::Unavailable(said.trim_start_matches("fatal: ").to_owned()));
            }
        }
        if waited >= PATIENCE || kept > MAXIMUM_OUTPUT {
            child.stop(0);
            // The last commit may be told in part only.
            let whole = lines.iter().rposition(|line: &String| line.starts_with(MARK)).unwrap_or(0);
            lines.truncate(whole);
            return Ok(lines);
        }
    }
}

/// Reads what git printed: a line for each commit, then its files.
fn read(lines: &[String]) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    for line in lines {
        if let Some(head) = line.strip_prefix(MARK) {
            let mut fields = head.splitn(4, SEPARATOR).map(str::to_owned);
            let mut next = || fields.next().unwrap_or_default();
            let (hash, date, author, subject) = (next(), next(), next(), next());
            commits.push(Commit { hash, date, author, subject, files: Vec::new() });
        } else if let (false, Some(commit)) = (line.is_empty(), commits.last_mut()) {
            commit.files.push(unquoted(line));
        }
    }
    commits
}

/// A path as git prints it: in quotes with escapes when it has characters that are not plain ASCII.
fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(first @ b'0'..=b'7') => {
                let digits = [first, rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                digits.iter().fold(0_u8, |value, digit| {
                    value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0') & 7)
                })
            }
            Some(other) => other,
            None => b'\\',
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How often each file changed in the same commit as `path`, most often first.
fn together(path: &str, commits: &[Commit]) -> Vec<Together> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| commit.files.len() <= BULK) {
        for file in commit.files.iter().filter(|file| *file != path) {
            *counts.entry(file).or_default() += 1;
        }
    }
    let mut together: Vec<Together> =
        counts.into_iter().map(|(path, count)| Together { path: path.to_owned(), count }).collect();
    together.sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.path.cmp(&right.path)));
    together.truncate(MAXIMUM_TOGETHER);
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn commits_and_their_files_are_read() {
        let printed = lines(
            "\u{1e}aa11\u{1f}2026-11-02\u{1f}Ana\u{1f}Add: x | y\n\ndocs/a.md\nsrc/b.rs\n\u{1e}bb22\u{1f}2026-11-01\u{1f}Bo\u{1f}\n\n\"docs/\\303\\244\\\" b.md\"\ndocs/a.md",
        );
        let commits = read(&printed);
        assert_eq!(commits.len(), 2);
        assert_eq!(
            (commits[0].hash.as_str(), commits[0].date.as_str(), commits[0].subject.as_str()),
            ("aa11", "2026-11-02", "Add: x | y")
        );
        assert_eq!(commits[1].files, ["docs/ä\" b.md", "docs/a.md"]);
        let together: Vec<_> =
            together("docs/a.md", &commits).into_iter().map(|file| (file.path, file.count)).collect();
        assert_eq!(together, [("docs/ä\" b.md".to_owned(), 1), ("src/b.rs".to_owned(), 1)]);
    }

    #[test]
    fn a_commit_of_everything_binds_nothing() {
        let commit = |count: usize| Commit {
            files: (0..count).map(|number| format!("{number}.md")).collect(),
            ..Commit::default()
        };
        assert!(together("0.md", &[commit(BULK + 1)]).is_empty());
        assert_eq!(together("0.md", &[commit(3), commit(2)])[0].count, 2);
    }

    #[test]
    fn a_document_can_not_become_an_option_or_a_pattern() {
        let arguments = arguments(&[], "--upload-pack=evil");
        let end = arguments.iter().position(|argument| argument == "--").expect("an end of options");
        assert_eq!(arguments[end + 1..], ["--upload-pack=evil"]);
        assert!(arguments.contains(&"--literal-pathspecs".to_owned()));
        let log = arguments.iter().position(|argument| argument == "log").expect("the command");
        for quiet in
            ["core.hooksPath=/dev/null", "log.showSignature=false", "protocol.ext.allow=never", "--no-pager"]
        {
            assert!(arguments[..log].contains(&quiet.to_owned()), "{quiet}");
        }
        assert!(arguments[log..].contains(&"--no-textconv".to_owned()));
    }

    #[test]
    fn odd_quoting_does_no_harm() {
        for text in ["\"", "\"\\", "\"\\\"", "\"\\1\"", "\"\\999\"", ""] {
            let _ = unquoted(text);
        }
        assert_eq!(unquoted("\"a\\tb\\\\\""), "a\tb\\");
    }

    #[test]
    fn outside_docket_there_is_no_git() {
        assert_eq!(of_document("a.md"), Err(NoHistory::NotGranted));
    }
}
