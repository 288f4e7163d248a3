//! What is to go wrong in a case, worked out from a seed before anything runs: the same seed and number give the same
//! plan for ever after. Must not look at what happens.

use super::random::Random;
use super::subject::{self, Subject};

/// What goes wrong at a fault point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The process is killed before the operation.
    KillBefore,
    /// The process is killed after it.
    KillAfter,
    /// Half of a write is done, then the process is killed.
    Torn,
    /// The disk is full.
    NoSpace,
    /// The disk fails.
    InputOutput,
}

impl Kind {
    /// Its name in `DOCKET_FAULTS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
            Self::Torn => "torn",
            Self::NoSpace => "enospc",
            Self::InputOutput => "eio",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::KillBefore, Self::KillAfter, Self::Torn, Self::NoSpace, Self::InputOutput]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Whether the process dies of it.
    pub const fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter | Self::Torn)
    }
}

/// A fault point of docket, as the harness knows it.
#[derive(Debug)]
pub struct PointPlan {
    /// Its name.
    pub name: &'static str,
    /// How often it is reached in a life of docket, about; later times are not planned.
    pub most: u64,
    /// Whether bytes are written there.
    pub writes: bool,
    /// Whether the disk can fail there.
    pub fails: bool,
}

const fn write(name: &'static str, most: u64) -> PointPlan {
    PointPlan { name, most, writes: true, fails: true }
}

const fn disk(name: &'static str, most: u64) -> PointPlan {
    PointPlan { name, most, writes: false, fails: true }
}

const fn instant(name: &'static str, most: u64) -> PointPlan {
    PointPlan { name, most, writes: false, fails: false }
}

/// Every fault point of docket. A test compares this list with docket's own.
pub const POINTS: &[PointPlan] = &[
    disk("run.create", 1),
    instant("run.lock", 1),
    disk("journal.create", 1),
    write("journal.write", 12),
    disk("journal.sync", 10),
    disk("journal.name", 1),
    disk("journal.cut", 1),
    write("file.write", 30),
    disk("file.sync", 4),
    disk("file.rename", 30),
    disk("folder.sync", 4),
    disk("derived.replace", 25),
    write("log.write", 20),
    write("index.write", 3),
    disk("archive.replace", 1),
    disk("blob.replace", 2),
    disk("apply.file", 4),
    write("apply.write", 4),
    disk("apply.sync", 4),
    disk("apply.rename", 4),
    disk("apply.folder", 4),
    disk("inbox.request", 1),
    instant("inbox.take", 1),
    disk("inbox.reply", 1),
    disk("command.prepare", 2),
    instant("supervisor.spawn", 2),
    instant("supervisor.lock", 1),
    instant("launcher.spawn", 1),
    disk("launcher.started", 1),
    disk("launcher.claim", 1),
    instant("agent.spawn", 1),
    write("dialogue.write", 8),
    instant("dialogue.pump", 4),
    instant("agent.wait", 1),
    disk("supervisor.exited", 1),
];
/// In a fault, whichever point is reached.
const ANY: &str = "any";
/// Points that only a request to a run's owner reaches.
const INBOX: [&str; 3] = ["inbox.request", "inbox.take", "inbox.reply"];

/// One fault at one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointFault {
    /// What goes wrong.
    pub kind: Kind,
    /// Where.
    pub point: &'static str,
    /// The how many-th time.
    pub time: u64,
}

impl std::fmt::Display for PointFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.kind.name(), self.point, self.time)
    }
}

/// What is asked of a run's living owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To pause.
    Pause,
    /// To take an answer, if a stage waits for one; else to pause.
    Answer,
    /// To cancel.
    Cancel,
}

/// What happens while a command of docket runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A fault at a point, and perhaps another one: a supervisor or launcher that dies does not keep docket from it.
    Points(PointFault, Option<PointFault>),
    /// Death at any moment, this long after the start.
    Moment {
        /// In microseconds.
        after: u64,
    },
    /// While an agent works, some of the processes are killed.
    Held {
        /// docket itself.
        docket: bool,
        /// The agents' supervisors.
        supervisor: bool,
        /// The agents.
        agent: bool,
    },
    /// While an agent works, another terminal asks something of the run's owner.
    Beside {
        /// What.
        request: Request,
        /// What goes wrong with the one who asks.
        asker: Option<PointFault>,
        /// What goes wrong with the owner.
        owner: Option<PointFault>,
    },
}

/// What a dead docket, or the machine, left at the journal's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The beginning of a record, this many thousandths of it.
    Begun {
        /// Thousandths of the last whole record's length.
        part: u64,
    },
    /// Bytes that mean nothing.
    Garbage {
        /// What they are made from.
        seed: u64,
    },
    /// If the last record was not synced yet: this many thousandths of it are gone.
    Lost {
        /// Thousandths of its length.
        part: u64,
    },
}

/// One command of docket and what goes wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What goes wrong.
    pub trouble: Trouble,
    /// What is left at the journal's end if docket died.
    pub tail: Option<Tail>,
}

/// One run, from its start to its end, and everything that goes wrong on the way.
#[derive(Debug, Clone)]
pub struct Case {
    /// The seed of the whole series.
    pub seed: u64,
    /// The case's number in it.
    pub number: u64,
    /// What is run.
    pub subject: &'static Subject,
    /// From which step on the run is to be cancelled, if at all.
    pub cancel_from: Option<usize>,
    /// What goes wrong, command by command. Afterwards nothing does.
    pub steps: Vec<Step>,
}

impl Case {
    /// Plans a case.
    pub fn plan(seed: u64, number: u64) -> Self {
        let mut random = Random::of(seed, number);
        let subject = random.pick(subject::ALL);
        let count = usize::try_from(2 + random.below(7)).unwrap_or(2);
        let steps = (0..count).map(|place| step(&mut random, subject, place)).collect();
        let cancel_from = random.chance(12).then(|| usize::try_from(random.below(4)).unwrap_or(0));
        Self { seed, number, subject, cancel_from, steps }
    }
}

fn step(random: &mut Random, subject: &Subject, place: usize) -> Step {
    let trouble = match random.below(100) {
        0..=9 => Trouble::Moment { after: random.below(45_000) },
        10..=17 if subject.agents => held(random),
        18..=27 if subject.agents => beside(random),
        28..=54 => Trouble::Points(anywhere(random, place), None),
        _ => points(random, place),
    };
    let tail = random.chance(30).then(|| match random.below(3) {
        0 => Tail::Begun { part: random.below(1000) },
        1 => Tail::Garbage { seed: random.draw() },
        _ => Tail::Lost { part: 1 + random.below(1000) },
    });
    Step { trouble, tail }
}

fn held(random: &mut Random) -> Trouble {
    // docket alone, mostly: that is what happens; never nothing.
    let (docket, supervisor, agent) = match random.below(10) {
        0..=4 => (true, false, false),
        5 => (false, true, false),
        6 => (false, false, true),
        7 => (true, true, false),
        8 => (true, false, true),
        _ => (true, true, true),
    };
    Trouble::Held { docket, supervisor, agent }
}

fn beside(random: &mut Random) -> Trouble {
    let request = *random.pick(&[Request::Pause, Request::Answer, Request::Answer]);
    let asker = random
        .chance(50)
        .then(|| if random.chance(50) { at(random, "inbox.request", 1) } else { point(random, 1) });
    let owner = random.chance(60).then(|| {
        let name = *random.pick(&["inbox.take", "inbox.reply"]);
        at(random, name, 1)
    });
    Trouble::Beside { request, asker, owner }
}

/// Death at any point, all of them being equal. A life reaches some eighty from start to end, and twenty at least.
fn anywhere(random: &mut Random, place: usize) -> PointFault {
    let kind = *random.pick(&[Kind::KillBefore, Kind::KillAfter]);
    PointFault { kind, point: ANY, time: 1 + random.below(if place == 0 { 80 } else { 30 }) }
}

fn points(random: &mut Random, place: usize) -> Trouble {
    let first = point(random, place);
    let is_helpers = ["supervisor.", "launcher.", "agent.", "dialogue.pump"]
        .iter()
        .any(|start| first.point.starts_with(start));
    let second = (is_helpers && random.chance(70)).then(|| point(random, place));
    Trouble::Points(first, second)
}

/// A fault at any point but those that are reached beside another docket only.
fn point(random: &mut Random, place: usize) -> PointFault {
    loop {
        let chosen = random.pick(POINTS);
        let is_first_of_a_run = ["run.create", "journal.create", "journal.name"].contains(&chosen.name);
        if INBOX.contains(&chosen.name) || (is_first_of_a_run && place > 0) {
            continue;
        }
        // Lives after the first are short: they begin where the last one got to.
        let most =
            if random.chance(if place == 0 { 60 } else { 25 }) { chosen.most } else { chosen.most.min(3) };
        return at(random, chosen.name, most);
    }
}

fn at(random: &mut Random, name: &'static str, most: u64) -> PointFault {
    let plan = POINTS.iter().find(|plan| plan.name == name);
    let kills: &[Kind] = if plan.is_some_and(|plan| plan.writes) {
        &[Kind::KillBefore, Kind::KillAfter, Kind::Torn]
    } else {
        &[Kind::KillBefore, Kind::KillAfter]
    };
    let fails = plan.is_some_and(|plan| plan.fails) && random.chance(12);
    let kind = *random.pick(if fails { &[Kind::NoSpace, Kind::InputOutput] } else { kills });
    PointFault { kind, point: name, time: 1 + random.below(most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed() {
        for number in 0..50 {
            let (one, again) = (Case::plan(7, number), Case::plan(7, number));
            assert_eq!((&one.steps, one.cancel_from), (&again.steps, again.cancel_from));
            assert_eq!(one.subject.name, again.subject.name);
        }
    }

    #[test]
    fn every_point_subject_and_kind_is_planned_sooner_or_later() {
        let mut wanted: std::collections::BTreeSet<String> =
            POINTS.iter().map(|plan| plan.name.to_owned()).collect();
        wanted.extend(subject::ALL.iter().map(|subject| subject.name.to_owned()));
        wanted.extend(["kill-before", "kill-after", "torn", "enospc", "eio"].map(str::to_owned));
        for number in 0..3_000 {
            let case = Case::plan(1, number);
            wanted.remove(case.subject.name);
            for step in &case.steps {
                let faults = match step.trouble {
                    Trouble::Points(first, second) => [Some(first), second],
                    Trouble::Beside { asker, owner, .. } => [asker, owner],
                    Trouble::Moment { .. } | Trouble::Held { .. } => [None, None],
                };
                for fault in faults.into_iter().flatten() {
                    wanted.remove(fault.point);
                    wanted.remove(fault.kind.name());
                }
            }
        }
        assert!(wanted.is_empty(), "never planned: {wanted:?}");
    }
}
