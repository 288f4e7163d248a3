//! Processes as the system shows them in `/proc` (proc(5)): who lives, who is whose parent, who works in a room.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// A process that was seen alive: a number alone may be used again by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: i32,
    started: u64,
}

/// State letter, parent and start time of a process.
fn stat(id: i32) -> Option<(String, i32, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The program's name stands in brackets and may contain anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    Some(((*fields.first()?).to_owned(), fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?))
}

/// A living process with this id. One that has ended and was not waited for yet does not live.
pub fn look(id: i32) -> Option<Seen> {
    let (state, _, started) = stat(id)?;
    (state != "Z" && state != "X").then_some(Seen { id, started })
}

/// The living parent of a process, if it is a supervisor of docket's.
pub fn supervisor_of(id: i32) -> Option<Seen> {
    let (_, parent, _) = stat(id)?;
    let line = std::fs::read(format!("/proc/{parent}/cmdline")).ok()?;
    let is_supervisor = line.split(|byte| *byte == 0).nth(1) == Some(b"__supervise");
    is_supervisor.then(|| look(parent)).flatten()
}

/// Whether it still lives.
pub fn lives(seen: Seen) -> bool {
    look(seen.id) == Some(seen)
}

/// Kills a process that lives. True when it died of it: it lived right before and is gone after.
pub fn kill(seen: Seen) -> bool {
    let Some(id) = Pid::from_raw(seen.id) else { return false };
    if !lives(seen) || kill_process(id, Signal::KILL).is_err() {
        return false;
    }
    crate::wait_until("a killed process is gone", || !lives(seen));
    true
}

/// The command lines of living processes that mention this folder, but for this process's own.
pub fn below(folder: &Path) -> Vec<String> {
    let needle = folder.as_os_str().as_encoded_bytes();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let line = |id: u32| std::fs::read(format!("/proc/{id}/cmdline")).ok();
    let mentions = |line: &Vec<u8>| line.windows(needle.len()).any(|window| window == needle);
    ids.filter(|id| *id != std::process::id())
        .filter_map(line)
        .filter(mentions)
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}
