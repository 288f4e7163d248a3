//! What a process left behind in its group when it ended: helpers that it started and did not end. Ended while the process
//! itself is a zombie, because only so long is it certain that the group's number is not another's. Descendants that left
//! the group (daemons) are not looked for, and nobody waits for them.

use std::io;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long they may take to end by themselves.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether they have.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits for the end of a process that leads its group, then ends the rest of the group. The process still has to be
/// waited for.
///
/// # Errors
/// When the process can't be waited for.
pub(super) fn wait_and_end_rest(leader: &Child) -> io::Result<()> {
    let leader = Pid::from_child(leader);
    loop {
        match waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    // Ones that have ended meanwhile need no signal.
    if !has_others(leader) {
        return Ok(());
    }
    let _ = kill_process_group(leader, Signal::TERM);
    let deadline = Instant::now() + GRACE;
    while has_others(leader) && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
    }
    let _ = kill_process_group(leader, Signal::KILL);
    Ok(())
}

/// Whether there are other processes in the group of this one. Where the system does not tell, there may be.
fn has_others(leader: Pid) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return true };
    let number = leader.as_raw_nonzero().get();
    let mut processes = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes.any(|process| process != number && is_member(process, number))
}

/// Whether a process is in this group and has not ended: fields 3 and 5 of `/proc/<pid>/stat` (proc(5)), counted after the
/// last `)`, because the program's name may contain anything.
fn is_member(process: i32, group: i32) -> bool {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    let Some((_, rest)) = text.rsplit_once(')') else { return false };
    let mut fields = rest.split_ascii_whitespace();
    let has_ended = fields.next().is_none_or(|state| matches!(state, "Z" | "X"));
    !has_ended && fields.nth(1).and_then(|field| field.parse().ok()) == Some(group)
}
