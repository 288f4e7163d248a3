//! Counting: which processes died of what and where, which faults of the disk were brought about.

use std::collections::BTreeMap;

use super::plan::Kind;

/// Whose death it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// A docket that a user started.
    Docket,
    /// The supervisor of an agent.
    Supervisor,
    /// What a supervisor starts and what turns into the agent.
    Launcher,
    /// An agent.
    Agent,
}

/// How a process was killed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// By itself, at a fault point.
    Point {
        /// What kind of fault.
        kind: Kind,
        /// Which point.
        point: String,
    },
    /// From outside, at a random moment.
    Moment,
    /// From outside, while an agent worked.
    Working,
}

/// What happened in one case or many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases.
    pub cases: u64,
    /// Commands of docket that were run.
    pub commands: u64,
    /// Deaths.
    pub deaths: BTreeMap<(Victim, Cause), u64>,
    /// Failed writes, syncs and renames, by kind and point.
    pub disk_faults: BTreeMap<(Kind, String), u64>,
    /// Journals whose end was cut or garbled after a death.
    pub tails: u64,
    /// Runs that failed honestly and were done again with `retry`.
    pub retried: u64,
    /// How runs ended, by subject and status.
    pub ends: BTreeMap<(&'static str, String), u64>,
}

impl Tally {
    /// Counts a death.
    pub fn death(&mut self, victim: Victim, cause: Cause) {
        *self.deaths.entry((victim, cause)).or_default() += 1;
    }

    /// All deaths that fit.
    pub fn deaths_of(&self, fits: impl Fn(Victim, &Cause) -> bool) -> u64 {
        self.deaths.iter().filter(|((victim, cause), _)| fits(*victim, cause)).map(|(_, count)| count).sum()
    }

    /// All deaths.
    pub fn all_deaths(&self) -> u64 {
        self.deaths.values().sum()
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.commands += other.commands;
        self.tails += other.tails;
        self.retried += other.retried;
        for (key, count) in other.deaths {
            *self.deaths.entry(key).or_default() += count;
        }
        for (key, count) in other.disk_faults {
            *self.disk_faults.entry(key).or_default() += count;
        }
        for (key, count) in other.ends {
            *self.ends.entry(key).or_default() += count;
        }
    }
}
