//! Handing on what is said to a process: a supervisor's thread reads what docket recorded (see [`super::said`]) and writes
//! it to the process's standard input, until its end is said or nobody reads any more. A process that does not read
//! holds up this thread and nothing else. Must not write anything to the process's folder but words about its own failure.

use std::io::{self, Write as _};
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::process_folder::ProcessFolder;
use super::said::Records;
use crate::disk::fault::{self, Point};

/// How soon it is looked again after something was said.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
/// How often once nothing has been said for a while: an agent works for minutes.
const PAUSE: Duration = Duration::from_millis(20);

/// A thread that hands on, as long as this lives.
pub(super) struct Pump {
    is_over: Arc<AtomicBool>,
}

impl Pump {
    /// Hands on to this input what is, and will be, said to the process of a folder, from the beginning.
    pub(super) fn start(folder: &ProcessFolder, input: ChildStdin) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (folder, told) = (folder.clone(), Arc::clone(&is_over));
        std::thread::spawn(move || {
            match hand_on(&folder, input, &told) {
                Ok(()) => {}
                // It does not read any more: its own business.
                Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {}
                Err(cause) => folder.explain(&format!("docket could not hand on what was said: {cause}")),
            }
        });
        Self { is_over }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Comes back when the end was said, or nobody reads, or it is told to. The input is closed then.
fn hand_on(folder: &ProcessFolder, mut input: ChildStdin, is_over: &AtomicBool) -> io::Result<()> {
    input.write_all(&std::fs::read(folder.stdin())?)?;
    let mut records = Records::open(&folder.said())?;
    let mut pause = FIRST_PAUSE;
    while !is_over.load(Ordering::Relaxed) {
        let Some(record) = records.next()? else {
            std::thread::sleep(pause);
            pause = (pause * 3 / 2).min(PAUSE);
            continue;
        };
        let Some(line) = record.line else { return Ok(()) };
        pause = FIRST_PAUSE;
        let text = line + "\n";
        fault::act(Point::DialoguePump, || input.write_all(text.as_bytes()))?;
    }
    Ok(())
}
