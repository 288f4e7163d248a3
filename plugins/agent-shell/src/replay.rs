//! What the launcher makes of an agent without any process: the command it would start, and what it would take from
//! lines that somebody wrote down. For tests and tools outside of this crate; must not decide anything by itself.

use docket_plugin::process::{Command, ExitStatus};
use docket_plugin::{Agent, Error, Value};

use crate::preset::Signal;
use crate::{chosen, program};

/// What was made of an agent's lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The activities that would have been shown, in order.
    pub activities: Vec<String>,
    /// How many lines were read when the agent was done; `None` when it never said so.
    pub over_after: Option<usize>,
    /// The answer, or why there is none.
    pub answer: Result<Value, Error>,
}

/// The command for an agent's task.
///
/// # Errors
/// When its profile names no program, or an agent that is not known.
pub fn command(agent: &Agent) -> Result<Command, Error> {
    Ok(chosen(agent)?.command(program(agent)?, agent))
}

/// Reads lines of standard output as the launcher does: up to the one that says the agent is done, then its end.
///
/// # Errors
/// When the profile names an agent that is not known.
pub fn replay<'a>(
    agent: &Agent,
    lines: impl IntoIterator<Item = &'a str>,
    exit: &ExitStatus,
) -> Result<Replayed, Error> {
    let mut reader = chosen(agent)?.reader(agent);
    let mut activities = Vec::new();
    let mut over_after = None;
    for (number, line) in lines.into_iter().enumerate() {
        let signals = reader.line(line);
        let is_over = signals.contains(&Signal::Over);
        activities.extend(signals.into_iter().filter_map(|signal| match signal {
            Signal::Progress(activity) => Some(activity),
            _ => None,
        }));
        if is_over {
            over_after = Some(number + 1);
            break;
        }
    }
    Ok(Replayed { activities, over_after, answer: reader.finish(exit) })
}
