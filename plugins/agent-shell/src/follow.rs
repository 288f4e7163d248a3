//! Follows one process from its start to what its agent said in the end. What its lines mean is a [`Reader`]'s business.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use docket_launcher::ask::Reply;
use docket_plugin::Error;
use docket_plugin::process::{Child, Event, ExitStatus};
use docket_plugin::report::{self, Level};

use crate::presets::{End, Reader, Signal};
use docket_launcher::tail::described;

/// How long a process that is stopped may take to end by itself, in milliseconds.
const GRACE_MILLISECONDS: u64 = 2_000;
/// How long to wait for the end of a process that was killed, in milliseconds.
const BURIAL_MILLISECONDS: u64 = 5_000;
/// How many bytes a process may print in all: one that never stops would fill the disk.
const MAXIMUM_OUTPUT: usize = 64 * 1024 * 1024;
/// How many of the last lines of standard error go into an error, and how many characters of each.
const TAIL_LINES: usize = 20;
const TAIL_CHARACTERS: usize = 300;

/// How long a process is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// While it prints nothing.
    pub(crate) idle: Duration,
    /// Once its agent is done.
    pub(crate) afterlife: Duration,
}

/// A running process: [`Child`], or a transcript in tests.
pub(crate) trait Process {
    /// See [`Child::next`].
    fn next(&self, timeout_milliseconds: u64) -> Event;
    /// See [`Child::stop`].
    fn stop(&self, grace_milliseconds: u64);
}

impl Process for Child {
    fn next(&self, timeout_milliseconds: u64) -> Event {
        Child::next(self, timeout_milliseconds)
    }

    fn stop(&self, grace_milliseconds: u64) {
        Child::stop(self, grace_milliseconds);
    }
}

/// Follows `process` until it ends, or its agent is done and it was stopped, and returns what the agent said.
///
/// # Errors
/// `agent-idle` when nothing was printed for too long, `agent-output-too-large` when too much was, else the reader's
/// error. All with the last lines of standard error.
pub(crate) fn follow(
    process: &dyn Process,
    reader: &mut dyn Reader,
    program: &str,
    patience: Patience,
) -> Result<Reply, Error> {
    let mut tail = Tail::default();
    let exit = watch(process, reader, program, patience, &mut tail).map_err(|error| tail.attach(error))?;
    report::log(Level::Debug, format!("'{program}' ended with {}", described(&exit)));
    let end = End { exit, complaint: tail.text() };
    reader.finish(&end).map_err(|error| tail.attach(error))
}

/// Hands every line on until the process is gone. One whose agent is done has a moment to end by itself.
fn watch(
    process: &dyn Process,
    reader: &mut dyn Reader,
    program: &str,
    patience: Patience,
    tail: &mut Tail,
) -> Result<ExitStatus, Error> {
    let mut printed = 0_usize;
    let mut over: Option<Instant> = None;
    loop {
        let left = over.map(|since| patience.afterlife.saturating_sub(since.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(bury(process, tail));
        }
        let event = process.next(milliseconds(left.unwrap_or(patience.idle)));
        match &event {
            Event::Stdout(line) => {
                for signal in reader.line(line) {
                    match signal {
                        Signal::Over => over = over.or_else(|| Some(Instant::now())),
                        Signal::GoesOn => over = None,
                        other => tell(other),
                    }
                }
            }
            Event::Stderr(line) => tail.add(line),
            Event::Exited(exit) => return Ok(exit.clone()),
            Event::Idle if over.is_some() => {}
            Event::Idle => {
                process.stop(GRACE_MILLISECONDS);
                return Err(idle(program, patience.idle, reader.trouble()));
            }
        }
        if let Event::Stdout(line) | Event::Stderr(line) = &event {
            printed = printed.saturating_add(line.len() + 1);
        }
        if printed > MAXIMUM_OUTPUT {
            process.stop(GRACE_MILLISECONDS);
            return Err(too_much(program));
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    // Rounded up: waiting for nothing at all would be asking again and again.
    u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

fn idle(program: &str, time: Duration, trouble: Option<&str>) -> Error {
    let trouble = trouble.map(|trouble| format!("; before, it said: {trouble}")).unwrap_or_default();
    let message = format!("'{program}' printed nothing for {} s and was stopped{trouble}", time.as_secs());
    Error::new("agent-idle", message)
        .hint("raise `idle_timeout` in the launcher profile if the agent may be silent for longer")
        .retryable()
}

fn too_much(program: &str) -> Error {
    let message =
        format!("'{program}' printed more than {} MiB and was stopped", MAXIMUM_OUTPUT / (1024 * 1024));
    Error::new("agent-output-too-large", message)
        .hint("its transcript in the run's results shows what it printed; run it by hand to see why")
}

/// Passes a signal on.
fn tell(signal: Signal) {
    match signal {
        Signal::Progress(activity) => report::progress(activity),
        Signal::Log(level, message) => report::log(level, message),
        Signal::Usage(used) => report::usage(used),
        Signal::Over | Signal::GoesOn => {}
    }
}

/// Ends a process whose agent is done. What it still prints means nothing any more.
fn bury(process: &dyn Process, tail: &mut Tail) -> ExitStatus {
    process.stop(GRACE_MILLISECONDS);
    let start = Instant::now();
    loop {
        match process.next(BURIAL_MILLISECONDS) {
            Event::Exited(exit) => return exit,
            Event::Stderr(line) => tail.add(&line),
            Event::Idle => return ExitStatus::default(),
            Event::Stdout(_) => {}
        }
        // What was printed before the end may take long to be read.
        if start.elapsed() > Duration::from_millis(BURIAL_MILLISECONDS) {
            return ExitStatus::default();
        }
    }
}

/// The last lines of standard error.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    fn add(&mut self, line: &str) {
        let line: String = line.chars().take(TAIL_CHARACTERS).collect();
        report::log(Level::Debug, format!("stderr: {line}"));
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn attach(&self, mut error: Error) -> Error {
        if !self.lines.is_empty() {
            error.message.push_str("\nthe last lines of its standard error:");
            for line in &self.lines {
                error.message.push_str("\n  ");
                error.message.push_str(line);
            }
        }
        error
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
