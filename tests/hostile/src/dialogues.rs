//! Attempts with the right to talk to one command: to send what is no line, too much, to nobody, or to too many.

use docket_plugin::dialogue::{self, Partner, SendError};
use docket_plugin::process::{self, Argument, Command, Event, SpawnError};
use docket_plugin::{Error, Outcome, Request, json};

use crate::tries::{Tries, over, text};

/// More than one call may carry.
const GIANT: usize = 32 * 1024 * 1024;
/// More than a line may have, and less than one call may carry.
const LONG: usize = 5 * 1024 * 1024;

fn command(request: &Request) -> Command {
    Command { program: text(request, "program").to_owned(), ..Command::default() }
}

fn open(request: &Request) -> Result<Partner, SpawnError> {
    dialogue::open(&command(request))
}

/// Everything that a partner still says.
fn rest(partner: &Partner) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match partner.next(60_000) {
            Event::Stdout(line) | Event::Stderr(line) => lines.push(line),
            Event::Exited(_) | Event::Idle => return lines,
        }
    }
}

/// Line ends inside a line, which would make two of it, and what is one line and looks as if it were not.
pub(crate) fn line_ends(request: &Request) -> Result<Outcome, Error> {
    let partner = open(request)?;
    let mut tries = Tries::default();
    for line in ["a\nb", "a\r\nb", "\n", "\r", "a\n"] {
        tries.refused(format!("{line:?}"), partner.send(line));
    }
    let lines = ["plain", "", "a\u{2028}b", "nul \0 inside", "{\"jsonrpc\":\"2.0\"}", "\u{1b}[31mred"];
    for line in lines {
        tries.allowed(format!("{line:?}"), partner.send(line));
    }
    partner.finish();
    let heard = rest(&partner);
    tries.allowed("heard as they were sent", if heard == lines { Ok(()) } else { Err(heard) });
    tries.done()
}

/// One line of more than one call may carry.
pub(crate) fn giant_line(request: &Request) -> Result<Outcome, Error> {
    let sent = open(request)?.send(&"x".repeat(GIANT));
    over(json!({ "refused": sent.is_err() }))
}

/// One line of more than a line may have; the next one is sent as ever.
pub(crate) fn long_line(request: &Request) -> Result<Outcome, Error> {
    let partner = open(request)?;
    let mut tries = Tries::default();
    tries.refused("a long one", partner.send(&"x".repeat(LONG)));
    tries.allowed("a short one", partner.send("x"));
    partner.finish();
    tries.allowed("heard", if rest(&partner) == ["x"] { Ok(()) } else { Err("something else") });
    tries.done()
}

/// Lines without end.
pub(crate) fn flood(request: &Request) -> Result<Outcome, Error> {
    let partner = open(request)?;
    let line = "\u{7f}\"".repeat(64 * 1024);
    let mut sent = 0;
    while sent < 100_000 {
        match partner.send(&line) {
            Ok(()) => sent += 1,
            Err(SendError::Failed(told)) => {
                partner.stop(0);
                return over(json!({ "sent": sent, "told": told }));
            }
            Err(other) => return Err(other.into()),
        }
    }
    over(json!({ "sent": sent }))
}

/// Lines to somebody who reads none of them.
pub(crate) fn never_read(request: &Request) -> Result<Outcome, Error> {
    let arguments = vec![Argument::Text("100000".into())];
    let partner = dialogue::open(&Command { arguments, ..command(request) })?;
    let line = "x".repeat(64 * 1024);
    let sent = (0..100).filter(|_| partner.send(&line).is_ok()).count();
    partner.finish();
    let silent = matches!(partner.next(50), Event::Idle);
    partner.stop(0);
    over(json!({ "sent": sent, "silent": silent, "rest": rest(&partner) }))
}

/// Lines to somebody who is gone.
pub(crate) fn after_the_end(request: &Request) -> Result<Outcome, Error> {
    let partner = open(request)?;
    let mut tries = Tries::default();
    tries.allowed("it ends", if rest(&partner).is_empty() { Ok(()) } else { Err("it said something") });
    for number in 0..3 {
        tries.refused(format!("line {number}"), partner.send("x"));
    }
    partner.finish();
    partner.stop(u64::MAX);
    tries.refused("a line after the end and the end", partner.send("x"));
    tries.done()
}

/// Lines after the end of the input.
pub(crate) fn after_finish(request: &Request) -> Result<Outcome, Error> {
    let partner = open(request)?;
    let mut tries = Tries::default();
    tries.allowed("before", partner.send("before"));
    for number in 0..3 {
        partner.finish();
        tries.refused(format!("after {number}"), partner.send("after"));
    }
    let heard = rest(&partner);
    tries.allowed("heard", if heard == ["before"] { Ok(()) } else { Err(heard) });
    tries.done()
}

/// Dialogues and processes, over and over.
pub(crate) fn many_partners(request: &Request) -> Result<Outcome, Error> {
    let (mut partners, mut children) = (Vec::new(), Vec::new());
    while partners.len() < 100 {
        partners.push(open(request)?);
        children.push(process::spawn(&command(request))?);
    }
    over(json!({ "started": partners.len() + children.len() }))
}

/// Waits for a word for as long as a number can say.
pub(crate) fn waits_for_ever(request: &Request) -> Result<Outcome, Error> {
    let ended = open(request)?.next(u64::MAX);
    over(json!({ "ended": matches!(ended, Event::Exited(_)) }))
}

/// Commands that were not granted.
pub(crate) fn other_programs(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for program in ["/bin/sh", "sh", "", "./tool", "../project/tool"] {
        let other = Command { program: program.to_owned(), ..Command::default() };
        tries.refused(program, dialogue::open(&other).map(|_| ()));
    }
    tries.allowed("the granted one", open(request).map(|partner| partner.finish()));
    tries.done()
}
