//! A dialogue with one program: requests in order, one at a time, and what the program says and asks meanwhile.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use docket_launcher::tail::{Tail, described};
use docket_launcher::words::cut;
use docket_plugin::dialogue::{Partner, SendError};
use docket_plugin::process::{Event, ExitStatus};
use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Value};

use crate::lines::{Line, Lines};
use crate::message::{Message, Refusal};
use crate::trouble::Trouble;

/// How long a program may go on after its input was closed.
const AFTERLIFE: Duration = Duration::from_secs(3);
/// How long a program that is stopped may take to end by itself, in milliseconds.
const GRACE_MILLISECONDS: u64 = 2_000;
/// How long to wait for the end of a program that was killed, or that reads no more, in milliseconds.
const BURIAL_MILLISECONDS: u64 = 5_000;
/// How long a program may take to answer after it was asked to stop working.
const SETTLING: Duration = Duration::from_secs(5);
/// How much of a line that is no message goes to the log.
const LOGGED_CHARACTERS: usize = 500;

/// The way to a program: [`Partner`], or a list in tests.
pub trait Wire {
    /// See [`Partner::next`].
    fn next(&self, timeout_milliseconds: u64) -> Event;
    /// See [`Partner::send`].
    ///
    /// # Errors
    /// See [`SendError`].
    fn send(&self, line: &str) -> Result<(), SendError>;
    /// See [`Partner::finish`].
    fn finish(&self);
    /// See [`Partner::stop`].
    fn stop(&self, grace_milliseconds: u64);
}

impl Wire for Partner {
    fn next(&self, timeout_milliseconds: u64) -> Event {
        Partner::next(self, timeout_milliseconds)
    }

    fn send(&self, line: &str) -> Result<(), SendError> {
        Partner::send(self, line)
    }

    fn finish(&self) {
        Partner::finish(self);
    }

    fn stop(&self, grace_milliseconds: u64) {
        Partner::stop(self, grace_milliseconds);
    }
}

/// The launcher's side of a dialogue, while it waits for an answer.
pub trait Peer {
    /// The program tells something.
    ///
    /// # Errors
    /// Why the launcher does not want to hear more.
    fn told(&mut self, method: &str, params: Value) -> Result<(), Error>;

    /// The program asks for something.
    ///
    /// # Errors
    /// Why it does not get it; the program is told.
    fn asked(&mut self, method: &str, params: Value) -> Result<Value, Refusal>;
}

/// A dialogue with a program.
pub struct Connection {
    wire: Box<dyn Wire>,
    program: String,
    idle_timeout: Duration,
    requests: u64,
    /// Whether the program said anything since the last request.
    heard: bool,
    lines: Lines,
    waiting: VecDeque<Message>,
    tail: Tail,
    end: Option<ExitStatus>,
}

impl Connection {
    /// A dialogue that has not begun. `program` is the name for errors; a program that says nothing for `idle_timeout`
    /// while it is waited for counts as stuck.
    pub fn new(wire: Box<dyn Wire>, program: &str, idle_timeout: Duration) -> Self {
        Self {
            wire,
            program: program.to_owned(),
            idle_timeout,
            requests: 0,
            heard: false,
            lines: Lines::default(),
            waiting: VecDeque::new(),
            tail: Tail::default(),
            end: None,
        }
    }

    /// Tells the program something.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn tell(&mut self, method: &str, params: Value) -> Result<(), Trouble> {
        self.send(&Message::Notification { method: method.to_owned(), params })
    }

    /// Asks the program and waits for its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn ask(&mut self, method: &str, params: Value, peer: &mut dyn Peer) -> Result<Value, Trouble> {
        let id = self.request(method, params)?;
        self.answer(id, peer)
    }

    /// Asks the program something; returns the request's number, from 1.
    ///
    /// # Errors
    /// When it can't be asked.
    pub fn request(&mut self, method: &str, params: Value) -> Result<u64, Trouble> {
        self.requests += 1;
        self.heard = false;
        let id = self.requests;
        self.send(&Message::Request { id: id.into(), method: method.to_owned(), params })?;
        Ok(id)
    }

    /// Waits for the answer to request `id`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn answer(&mut self, id: u64, peer: &mut dyn Peer) -> Result<Value, Trouble> {
        self.answer_until(id, None, peer)
    }

    /// Waits a moment for the answer to request `id` of a program that was asked to stop working on it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn settle(&mut self, id: u64, peer: &mut dyn Peer) -> Result<Value, Trouble> {
        self.answer_until(id, Some(Instant::now() + SETTLING), peer)
    }

    /// Whether the program ended without a word since the last request: it can't have worked on it.
    pub fn ended_unheard(&self) -> bool {
        self.end.is_some() && !self.heard
    }

    /// The error for what went wrong with `method`, with the program's last lines of standard error.
    pub fn error(&self, trouble: Trouble, method: &str) -> Error {
        self.tail.attach(trouble.error(&self.program, method))
    }

    /// An error of the launcher's own about this program, with its last lines of standard error.
    pub fn attach(&self, error: Error) -> Error {
        self.tail.attach(error)
    }

    /// Says that nothing more will be said, gives the program a moment to end, then ends it. What it still says means
    /// nothing any more.
    pub fn close(&mut self) {
        if self.end.is_some() {
            return;
        }
        self.wire.finish();
        let start = Instant::now();
        loop {
            let left = AFTERLIFE.saturating_sub(start.elapsed());
            // A program that never stops talking is never idle, so time counts as well.
            if left.is_zero() || self.is_over(left) {
                break;
            }
        }
        self.stop();
    }

    /// Ends the program, if it has not ended.
    pub fn stop(&mut self) {
        if self.end.is_none() {
            self.wire.stop(GRACE_MILLISECONDS);
            self.bury();
        }
        let end = self.end.clone().unwrap_or_default();
        report::log(Level::Debug, format!("'{}' ended with {}", self.program, described(&end)));
    }

    /// Whether nothing more will come, or nothing came in this time.
    fn is_over(&mut self, patience: Duration) -> bool {
        match self.wire.next(milliseconds(patience)) {
            Event::Exited(exit) => self.end = Some(exit),
            Event::Stderr(line) => self.tail.add(&line),
            Event::Idle => return true,
            Event::Stdout(_) => {}
        }
        self.end.is_some()
    }

    /// Waits for the end of a program that can't go on.
    fn bury(&mut self) {
        let end = Instant::now() + Duration::from_millis(BURIAL_MILLISECONDS);
        while self.end.is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_over(left) {
                break;
            }
        }
    }

    fn send(&mut self, message: &Message) -> Result<(), Trouble> {
        match self.wire.send(&message.line()) {
            Ok(()) => Ok(()),
            // Why it reads no more is what its last lines and its end say.
            Err(SendError::Closed) => {
                self.bury();
                if self.end.is_none() {
                    self.wire.stop(GRACE_MILLISECONDS);
                    self.bury();
                }
                Err(Trouble::Gone(self.end.get_or_insert_default().clone()))
            }
            Err(error) => Err(Trouble::Unsent(error)),
        }
    }

    fn answer_until(
        &mut self,
        id: u64,
        deadline: Option<Instant>,
        peer: &mut dyn Peer,
    ) -> Result<Value, Trouble> {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                if let Some(outcome) = self.take(message, id, peer)? {
                    return outcome.map_err(Trouble::Refused);
                }
            }
            if let Some(exit) = &self.end {
                return Err(Trouble::Gone(exit.clone()));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let patience = left.map_or(self.idle_timeout, |left| left.min(self.idle_timeout));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Trouble::Silent(SETTLING.as_secs()));
            }
            match self.wire.next(milliseconds(patience)) {
                Event::Stdout(line) => self.hear(&line)?,
                Event::Stderr(line) => self.tail.add(&line),
                Event::Exited(exit) => self.end = Some(exit),
                Event::Idle => return Err(Trouble::Silent(patience.as_secs())),
            }
        }
    }

    fn hear(&mut self, line: &str) -> Result<(), Trouble> {
        match self.lines.read(line) {
            Line::Messages(messages) => {
                self.heard = true;
                self.waiting.extend(messages);
            }
            Line::Other if !line.trim().is_empty() => self.ignore("a line that is no message", line),
            Line::Piece | Line::Other => {}
            Line::TooLarge(mebibytes) => return Err(Trouble::TooLarge(mebibytes)),
        }
        Ok(())
    }

    /// Takes a message; returns the answer to request `id`, if it is that.
    fn take(
        &mut self,
        message: Message,
        id: u64,
        peer: &mut dyn Peer,
    ) -> Result<Option<Result<Value, Refusal>>, Trouble> {
        match message {
            Message::Answer { id: answered, outcome } if is(&answered, id) => return Ok(Some(outcome)),
            Message::Answer { id, .. } => self.ignore("an answer to no request", &id.to_string()),
            Message::Notification { method, params } => {
                peer.told(&method, params).map_err(Trouble::Ended)?;
            }
            Message::Request { id, method, params } => {
                let outcome = peer.asked(&method, params);
                match self.wire.send(&Message::Answer { id, outcome }.line()) {
                    // What a program said before it stopped reading may still be the answer.
                    Ok(()) | Err(SendError::Closed) => {}
                    Err(error) => return Err(Trouble::Unsent(error)),
                }
            }
        }
        Ok(None)
    }

    fn ignore(&self, what: &str, text: &str) {
        let text = cut(text, LOGGED_CHARACTERS);
        report::log(Level::Debug, format!("{what}, from '{}': {text}", self.program));
    }
}

/// Whether an answer's id is that of request `id`. Some programs answer with the number as text.
fn is(answered: &Value, id: u64) -> bool {
    answered.as_u64() == Some(id) || answered.as_str().is_some_and(|text| text == id.to_string())
}

/// In whole milliseconds, and never none for a time that is not over.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
