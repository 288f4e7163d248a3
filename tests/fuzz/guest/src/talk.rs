//! Calls that say something, look at a clock, start or talk to a command, or show an answer.

use std::io::Write as _;

use docket_plugin::dialogue::{self, Partner};
use docket_plugin::export::bindings::docket::stage::answer;
use docket_plugin::process::{Child, Command, spawn};
use docket_plugin::report::{self, Level, Usage};
use wasip2::clocks::{monotonic_clock, wall_clock};

use crate::machine::argument;
use crate::program::Program;

/// Most commands that one program starts: each costs the machine three processes.
const MOST_COMMANDS: usize = 2;
/// Longest wait, in milliseconds: a fuzzer has no time to lose.
const LONGEST_WAIT: u64 = 20;

/// The commands that were started.
#[derive(Default)]
pub(crate) struct Talk {
    children: Vec<Child>,
    partners: Vec<Partner>,
    started: usize,
}

impl Talk {
    /// One call that says something.
    pub(crate) fn step(&mut self, step: u8, program: &mut Program<'_>) -> Option<Vec<u8>> {
        match step {
            0 => report::log(Level::Debug, program.text()),
            1 => report::log(Level::Warn, program.text()),
            2 => report::progress(program.text()),
            3 | 4 => report::usage(Usage {
                input_tokens: Some(program.number()),
                cached_tokens: (program.below(2) == 0).then(|| program.number()),
                output_tokens: (program.below(2) == 0).then(|| program.number()),
                cost_usd: Some(f64::from_bits(program.number())),
            }),
            5 => drop(std::io::stdout().write_all(program.text().as_bytes())),
            6 => drop(std::io::stderr().write_all(program.text().as_bytes())),
            7 => {
                let _ = (wall_clock::now(), wall_clock::resolution(), monotonic_clock::now());
            }
            8 => {
                let nanoseconds = program.number() % 1_000_000;
                monotonic_clock::subscribe_duration(nanoseconds).block();
            }
            _ => {
                // Never waited for: only made and thrown away.
                let _ = monotonic_clock::subscribe_instant(program.number());
            }
        }
        None
    }

    /// One call about a command.
    pub(crate) fn process(&mut self, step: u8, program: &mut Program<'_>) -> Option<Vec<u8>> {
        match step {
            0 if self.started < MOST_COMMANDS => {
                let command = command(program);
                if let Ok(child) = spawn(&command) {
                    self.started += 1;
                    self.children.push(child);
                }
                None
            }
            1 if self.started < MOST_COMMANDS => {
                if let Ok(partner) = dialogue::open(&command(program)) {
                    self.started += 1;
                    self.partners.push(partner);
                }
                None
            }
            2 | 3 => {
                let child = self.children.get(program.below(self.children.len()))?;
                Some(format!("{:?}", child.next(program.number() % LONGEST_WAIT)).into_bytes())
            }
            4 => self.partner(program),
            5 => {
                let child = self.children.get(program.below(self.children.len()))?;
                child.stop(program.number() % LONGEST_WAIT);
                None
            }
            6 if !self.children.is_empty() => {
                self.children.remove(program.below(self.children.len()));
                None
            }
            7 => match program.below(3) {
                0 => Some(format!("{:?}", answer::check(&program.text())).into_bytes()),
                1 => Some(answer::keep(&program.text()).into_bytes()),
                _ => {
                    self.partners.pop();
                    None
                }
            },
            _ => None,
        }
    }

    /// One call about a command that is talked to.
    fn partner(&mut self, program: &mut Program<'_>) -> Option<Vec<u8>> {
        let partner = self.partners.get(program.below(self.partners.len()))?;
        match program.below(4) {
            0 => Some(format!("{:?}", partner.next(program.number() % LONGEST_WAIT)).into_bytes()),
            1 => Some(format!("{:?}", partner.send(&program.text())).into_bytes()),
            2 => {
                partner.finish();
                None
            }
            _ => {
                partner.stop(program.number() % LONGEST_WAIT);
                None
            }
        }
    }
}

fn command(program: &mut Program<'_>) -> Command {
    let name = if program.below(8) == 0 { program.text() } else { "granted".to_owned() };
    let arguments = (0..program.below(4)).map(|_| argument(program)).collect();
    let attachments = (0..program.below(3)).map(|_| (program.text(), program.text())).collect();
    Command { program: name, arguments, attachments, stdin: (program.below(2) == 0).then(|| program.text()) }
}
