//! Keeps `docs/security.md` true: every promise there names the tests that hold docket to it, and they exist. Text only:
//! the tests themselves run elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where tests live that the document may name, as `module::test`.
const FOLDERS: [&str; 6] =
    ["tests", "host/core/src", "host/core/tests", "host/docket/src", "plugins", "examples"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the repository").to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of all functions, as `file::function` and `folder::function`.
fn functions() -> BTreeSet<String> {
    let mut files = Vec::new();
    FOLDERS.iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let mut names = BTreeSet::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let module = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folder =
            path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        for line in text.lines().map(str::trim_start) {
            let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
            let words = line.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next());
            let Some(name) = words else { continue };
            names.insert(format!("{module}::{name}"));
            names.insert(format!("{folder}::{name}"));
        }
    }
    names
}

/// What stands in backticks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_promise_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).expect("the document");
    let functions = functions();
    let mut promises = 0;
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| P")) {
        promises += 1;
        let column = line.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
        let tests: Vec<&str> = quoted(column).collect();
        if tests.is_empty() {
            wrong.push(format!("no test: {line}"));
        }
        wrong.extend(
            tests
                .iter()
                .filter(|test| !functions.contains(**test))
                .map(|test| format!("no such test: {test}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(promises >= 30, "only {promises} promises were found: has the table changed its form?");
}

#[test]
fn every_promise_has_its_own_number() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).expect("the document");
    let number = |line: &str| line.strip_prefix("| P")?.split(' ').next()?.parse::<u32>().ok();
    let numbers: Vec<u32> = text.lines().filter_map(number).collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}
