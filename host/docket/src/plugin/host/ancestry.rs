//! The processes that docket was started by, as far as the system lets it see. Reads `/proc`, and nothing else.

use std::path::PathBuf;

/// More ancestors than any shell has.
const MAX_ANCESTORS: usize = 128;

/// Which process started this one, told apart from others that have its number at other times. `None` where the system
/// does not say.
pub fn parent_process() -> Option<String> {
    let parent = parent(std::process::id())?;
    let text = std::fs::read_to_string(folder(parent).join("stat")).ok()?;
    // The 22nd field of the line is the time of its start (proc_pid_stat(5)); the third is the first after the name.
    let (_, rest) = text.rsplit_once(')')?;
    let started = rest.split_whitespace().nth(19)?;
    Some(format!("{parent}-{started}"))
}

/// The value of a variable in the environment that one of this process's ancestors was started with; the nearest one's.
/// Ancestors of other users can't be looked into.
pub fn variable_of_ancestors(name: &str) -> Option<String> {
    let mut process = parent(std::process::id());
    for _ in 0..MAX_ANCESTORS {
        let id = process.filter(|id| *id > 1)?;
        if let Some(value) = variable(id, name) {
            return Some(value);
        }
        process = parent(id);
    }
    None
}

fn folder(process: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}

fn variable(process: u32, name: &str) -> Option<String> {
    let environment = std::fs::read(folder(process).join("environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// `/proc/<id>/stat` is `id (name) state parent …`; the name may contain anything, so what counts is after its last `)`.
fn parent(process: u32) -> Option<u32> {
    let text = std::fs::read_to_string(folder(process).join("stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_runner_is_an_ancestor_and_has_a_path() {
        let id = parent(std::process::id()).expect("a parent");
        let name = parent_process().expect("a parent");
        let started = name.strip_prefix(&format!("{id}-")).expect("the parent's number").to_owned();
        assert!(started.parse::<u64>().is_ok_and(|ticks| ticks > 0), "{started}");
        assert_eq!(variable_of_ancestors("A_VARIABLE_THAT_NOBODY_SETS_8f3a"), None);
        // cargo gives it to every test.
        let own = variable(std::process::id(), "CARGO_MANIFEST_DIR");
        assert!(
            own.is_some_and(|folder| folder.ends_with("docket")),
            "a process can read what it was started with"
        );
    }
}
