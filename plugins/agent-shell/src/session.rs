//! Follows one process from its start to its answer. What its lines mean is a [`Reader`]'s business.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use docket_plugin::process::{Child, Event, ExitStatus};
use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Value};

use crate::preset::{Reader, Signal, described};

/// How long a process may go on after its agent said that it is done.
const AFTERLIFE: Duration = Duration::from_secs(3);
/// How long a process that is stopped may take to end by itself, in milliseconds.
const GRACE_MILLISECONDS: u64 = 2_000;
/// How long to wait for the end of a process that was killed, in milliseconds.
const BURIAL_MILLISECONDS: u64 = 5_000;
/// How many of the last lines of standard error go into an error, and how many characters of each.
const TAIL_LINES: usize = 20;
const TAIL_CHARACTERS: usize = 300;

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

/// Follows `process` until it ends, or its agent is done and it was stopped, and returns the answer.
///
/// # Errors
/// `agent-idle` when nothing was printed for `idle_timeout`, else the reader's error. Both with the last lines of
/// standard error.
pub(crate) fn follow(
    process: &dyn Process,
    mut reader: Box<dyn Reader>,
    program: &str,
    idle_timeout: Duration,
) -> Result<Value, Error> {
    let mut tail = Tail::default();
    let idle_milliseconds = u64::try_from(idle_timeout.as_millis()).unwrap_or(u64::MAX);
    let exit = loop {
        match process.next(idle_milliseconds) {
            Event::Stdout(line) => {
                if reader.line(&line).into_iter().any(told) {
                    break bury(process, &mut tail);
                }
            }
            Event::Stderr(line) => tail.add(&line),
            Event::Exited(exit) => break exit,
            Event::Idle => {
                process.stop(GRACE_MILLISECONDS);
                let message =
                    format!("'{program}' printed nothing for {} s and was stopped", idle_timeout.as_secs());
                return Err(tail.attach(
                    Error::new("agent-idle", message)
                        .hint("raise `idle_timeout` in the launcher profile if the agent may be silent for longer")
                        .retryable(),
                ));
            }
        }
    };
    report::log(Level::Debug, format!("'{program}' ended with {}", described(&exit)));
    reader.finish(&exit).map_err(|error| tail.attach(error))
}

/// Passes a signal on; returns whether the agent is done.
fn told(signal: Signal) -> bool {
    match signal {
        Signal::Progress(activity) => report::progress(activity),
        Signal::Log(level, message) => report::log(level, message),
        Signal::Usage(used) => report::usage(used),
        Signal::Over => return true,
    }
    false
}

/// Gives a process whose agent is done a moment to end, then ends it. What it still prints means nothing any more.
fn bury(process: &dyn Process, tail: &mut Tail) -> ExitStatus {
    let start = Instant::now();
    let mut stopped = false;
    loop {
        let left = AFTERLIFE.saturating_sub(start.elapsed());
        let wait = if stopped { BURIAL_MILLISECONDS } else { u64::try_from(left.as_millis()).unwrap_or(0) };
        match process.next(wait) {
            Event::Exited(exit) => return exit,
            Event::Stderr(line) => tail.add(&line),
            Event::Idle if stopped => return ExitStatus::default(),
            Event::Stdout(_) | Event::Idle => {}
        }
        // A process that never stops printing is never idle, so time counts as well.
        let burial_over = AFTERLIFE + Duration::from_millis(GRACE_MILLISECONDS + BURIAL_MILLISECONDS);
        if stopped && start.elapsed() > burial_over {
            return ExitStatus::default();
        }
        if !stopped && (wait == 0 || start.elapsed() >= AFTERLIFE) {
            process.stop(GRACE_MILLISECONDS);
            stopped = true;
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
        report::log(Level::Debug, format!("stderr: {line}"));
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.chars().take(TAIL_CHARACTERS).collect());
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
mod tests {
    use std::cell::{Cell, RefCell};

    use docket_plugin::json;

    use super::*;

    /// A process that plays back what it is given; stopping it makes it exit by a signal. Waiting takes real time.
    struct Transcript {
        events: RefCell<VecDeque<Event>>,
        stopped: Cell<bool>,
    }

    impl Transcript {
        fn new(events: impl IntoIterator<Item = Event>) -> Self {
            Self { events: RefCell::new(events.into_iter().collect()), stopped: Cell::new(false) }
        }
    }

    impl Process for Transcript {
        fn next(&self, timeout_milliseconds: u64) -> Event {
            match self.events.borrow_mut().pop_front() {
                Some(event) => event,
                None if self.stopped.get() => {
                    Event::Exited(ExitStatus { signal: Some(15), ..ExitStatus::default() })
                }
                None => {
                    std::thread::sleep(Duration::from_millis(timeout_milliseconds));
                    Event::Idle
                }
            }
        }

        fn stop(&self, _grace_milliseconds: u64) {
            self.stopped.set(true);
        }
    }

    /// Is over at the line "over" and answers how the process ended.
    struct Echo;

    impl Reader for Echo {
        fn line(&mut self, line: &str) -> Vec<Signal> {
            if line == "over" {
                vec![Signal::Progress("last words".into()), Signal::Over]
            } else {
                Vec::new()
            }
        }

        fn finish(self: Box<Self>, exit: &ExitStatus) -> Result<Value, Error> {
            if exit.code == Some(1) {
                Err(Error::new("bad", "it failed"))
            } else {
                Ok(json!(described(exit)))
            }
        }
    }

    fn exited(code: i32) -> Event {
        Event::Exited(ExitStatus { code: Some(code), ..ExitStatus::default() })
    }

    fn followed(process: &Transcript) -> Result<Value, Error> {
        follow(process, Box::new(Echo), "agent", Duration::from_millis(20))
    }

    #[test]
    fn the_end_of_a_process_is_the_end() {
        let process = Transcript::new([Event::Stdout("x".into()), exited(0)]);
        assert_eq!(followed(&process), Ok(json!("exit code 0")));
        assert!(!process.stopped.get());
    }

    #[test]
    fn after_the_terminal_event_a_process_has_three_seconds() {
        let quick = Transcript::new([Event::Stdout("over".into()), Event::Stdout("more".into()), exited(0)]);
        assert_eq!(followed(&quick), Ok(json!("exit code 0")));
        let start = Instant::now();
        let slow = Transcript::new([Event::Stdout("over".into())]);
        assert_eq!(followed(&slow), Ok(json!("signal 15")));
        assert!(slow.stopped.get());
        // Waiting is in whole milliseconds, rounded down.
        assert!(start.elapsed() + Duration::from_millis(10) >= AFTERLIFE && start.elapsed() < AFTERLIFE * 2);
    }

    #[test]
    fn silence_is_an_error_and_ends_the_process() {
        let process = Transcript::new([Event::Stderr("thinking".into())]);
        let error = followed(&process).expect_err("idle");
        assert_eq!(error.code, "agent-idle");
        assert!(error.message.ends_with("\n  thinking"), "{error}");
        assert!(process.stopped.get());
    }

    #[test]
    fn a_failure_shows_the_last_lines_of_standard_error() {
        let lines = (1..=30).map(|number| Event::Stderr(format!("line {number}")));
        let error = followed(&Transcript::new(lines.chain([exited(1)]))).expect_err("failed");
        assert!(
            error.message.starts_with("it failed\nthe last lines of its standard error:\n  line 11\n"),
            "{error}"
        );
        assert!(error.message.ends_with("line 30"), "{error}");
    }
}
