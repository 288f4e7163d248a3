//! Processes that are played back: when one is waited for, when it is stopped, and what is told of it.

use std::cell::{Cell, RefCell};

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

/// Is over at the line "over", goes on at "again", and answers how the process ended.
#[derive(Default)]
struct Echo {
    lines: usize,
}

impl Reader for Echo {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        self.lines += 1;
        match line {
            "over" => vec![Signal::Progress("last words".into()), Signal::Over],
            "again" => vec![Signal::GoesOn],
            _ => Vec::new(),
        }
    }

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        if end.exit.code == Some(1) {
            Err(Error::new("bad", "it failed"))
        } else {
            Ok(Reply::Text(format!("{} after {}", described(&end.exit), self.lines)))
        }
    }
}

fn exited(code: i32) -> Event {
    Event::Exited(ExitStatus { code: Some(code), ..ExitStatus::default() })
}

fn out(line: &str) -> Event {
    Event::Stdout(line.into())
}

fn followed(process: &Transcript) -> Result<Reply, Error> {
    let patience = Patience { idle: Duration::from_millis(20), afterlife: Duration::from_millis(200) };
    follow(process, &mut Echo::default(), "agent", patience)
}

fn said(text: &str) -> Result<Reply, Error> {
    Ok(Reply::Text(text.into()))
}

#[test]
fn the_end_of_a_process_is_the_end() {
    let process = Transcript::new([out("x"), exited(0)]);
    assert_eq!(followed(&process), said("exit code 0 after 1"));
    assert!(!process.stopped.get());
}

#[test]
fn after_the_terminal_event_a_process_has_a_moment() {
    let quick = Transcript::new([out("over"), out("more"), exited(0)]);
    assert_eq!(followed(&quick), said("exit code 0 after 2"));
    let start = Instant::now();
    let slow = Transcript::new([out("over")]);
    assert_eq!(followed(&slow), said("signal 15 after 1"));
    assert!(slow.stopped.get());
    assert!(start.elapsed() >= Duration::from_millis(200), "it had its moment");
}

#[test]
fn an_agent_that_was_not_done_after_all_is_waited_for() {
    let process = Transcript::new([out("over"), out("again"), out("x")]);
    assert_eq!(followed(&process).expect_err("silent").code, "agent-idle");
    assert!(process.stopped.get());
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
fn a_flood_is_an_error_and_ends_the_process() {
    let process = Transcript::new((0..100).map(|_| out(&"x".repeat(1024 * 1024))));
    assert_eq!(followed(&process).expect_err("too much").code, "agent-output-too-large");
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
