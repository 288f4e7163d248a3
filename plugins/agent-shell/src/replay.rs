//! What the launcher makes of an agent without any process: the command it would start, and what it would take from
//! lines that somebody wrote down. For tests and tools outside of this crate; must not decide anything by itself.

use docket_launcher::answer;
use docket_plugin::process::{Command, ExitStatus};
use docket_plugin::report::Usage;
use docket_plugin::{Agent, Error, Value};

use crate::presets::{End, Launch, Preset, Reader, Resumable, Signal};
use crate::{chosen, program};

/// What was made of an agent's lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The activities that would have been shown, in order.
    pub activities: Vec<String>,
    /// What would have been logged.
    pub logged: Vec<String>,
    /// What it used, in the order in which it was told.
    pub used: Vec<Usage>,
    /// How many lines were read when the agent was done for good; `None` when it never said so.
    pub over_after: Option<usize>,
    /// The id by which its session could be taken up again.
    pub session: Option<String>,
    /// The answer, or why there is none.
    pub answer: Result<Value, Error>,
}

/// A session that is taken up again.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// The program's name of it.
    pub session: String,
    /// What it had used.
    pub used: Usage,
}

/// The command for an agent's task, in a new session or in one it had.
///
/// # Errors
/// When its profile names no program, or an agent that is not known.
pub fn command(agent: &Agent, before: Option<&Before>) -> Result<Command, Error> {
    let resumed = before.map(resumable);
    let program = program(agent)?;
    Ok(chosen(agent)?.command(&Launch { program, agent, prompt: &agent.prompt, resumed: resumed.as_ref() }))
}

fn resumable(before: &Before) -> Resumable {
    Resumable { id: before.session.clone(), used: before.used }
}

/// Reads lines of standard output as the launcher does, then the process's end. `complaint` is what it printed on standard
/// error.
///
/// # Errors
/// When the profile names an agent that is not known.
pub fn replay<'a>(
    agent: &Agent,
    before: Option<&Before>,
    lines: impl IntoIterator<Item = &'a str>,
    exit: &ExitStatus,
    complaint: &str,
) -> Result<Replayed, Error> {
    let resumed = before.map(resumable);
    let preset: &dyn Preset = chosen(agent)?;
    let launch = Launch { program: "", agent, prompt: &agent.prompt, resumed: resumed.as_ref() };
    let mut reader = preset.reader(&launch);
    let mut replayed = Replayed {
        activities: Vec::new(),
        logged: Vec::new(),
        used: Vec::new(),
        over_after: None,
        session: None,
        answer: Ok(Value::Null),
    };
    for (number, line) in lines.into_iter().enumerate() {
        for signal in reader.line(line) {
            match signal {
                Signal::Progress(activity) => replayed.activities.push(activity),
                Signal::Log(_, text) => replayed.logged.push(text),
                Signal::Usage(used) => replayed.used.push(used),
                Signal::Over => replayed.over_after = replayed.over_after.or(Some(number + 1)),
                Signal::GoesOn => replayed.over_after = None,
            }
        }
    }
    let end = End { exit: exit.clone(), complaint: complaint.to_owned() };
    replayed.answer = answered(&mut *reader, &end);
    replayed.session = reader.session().map(|session| session.id);
    Ok(replayed)
}

fn answered(reader: &mut dyn Reader, end: &End) -> Result<Value, Error> {
    let reply = reader.finish(end)?;
    reply.value().ok_or_else(|| answer::unreadable(&reply.text()))
}
