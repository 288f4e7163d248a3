//! Carrying out a case: command after command, each with its trouble, until the run is over; then without any.

use super::command::{Ended, Running, notes};
use super::oracle::{View, Violation, Watch};
use super::person::words;
use super::plan::{Case, Kind, PointFault, Request, Step, Tail, Trouble};
use super::process::{self, Seen};
use super::random::Random;
use super::room::Room;
use super::tally::{Cause, Tally, Victim};
use super::{finale, oracle, person};

/// How many commands without trouble a run may need to end: each answers a question or goes on.
const LAST_COMMANDS: usize = 12;

/// How long a run may seem to be owned by a docket that died.
const MOMENT: std::time::Duration = std::time::Duration::from_secs(5);

/// What came of a case.
pub struct Outcome {
    /// What happened.
    pub tally: Tally,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// Every command and how it ended.
    pub story: Vec<String>,
    /// The room, for a look at what is left.
    pub room: Room,
}

/// A case while it is carried out.
pub(super) struct Execution<'a> {
    pub(super) case: &'a Case,
    pub(super) room: Room,
    /// Faults that every command has, for proving that the oracles see them.
    sabotage: &'a str,
    watch: Watch,
    pub(super) view: Option<View>,
    pub(super) tally: Tally,
    pub(super) story: Vec<String>,
    commands: usize,
    /// Whether the last command died or failed.
    was_cut_short: bool,
}

/// Carries out a case and compares its end with that of the undisturbed run. `sabotage` is put into every command's
/// faults; empty for none.
pub fn execute(case: &Case, docket: &str, sabotage: &str, references: &super::References) -> Outcome {
    let mut execution = Execution {
        case,
        room: Room::new(docket, case.subject),
        sabotage,
        watch: Watch::default(),
        view: None,
        tally: Tally { cases: 1, ..Tally::default() },
        story: Vec::new(),
        commands: 0,
        was_cut_short: false,
    };
    let violation = execution.whole(references).err();
    let Execution { room, mut tally, story, .. } = execution;
    tally.commands = u64::try_from(story.len()).unwrap_or_default();
    room.release_agents();
    Outcome { tally, violation, story, room }
}

/// Runs a subject without trouble.
///
/// # Errors
/// What is wrong even so.
pub(super) fn undisturbed(
    case: &Case,
    docket: &str,
) -> Result<std::collections::BTreeMap<String, String>, Violation> {
    let outcome = execute(case, docket, "", &super::References::default());
    if let Some(violation) = outcome.violation {
        return Err(format!("undisturbed: {violation}\n{}", outcome.story.join("\n")));
    }
    let view = View::of(&outcome.room)?.ok_or("undisturbed: there is no run")?;
    Ok(oracle::end_state(&outcome.room, &view))
}

impl Execution<'_> {
    fn whole(&mut self, references: &super::References) -> Result<(), Violation> {
        for (place, step) in self.case.steps.iter().enumerate() {
            if self.is_over() {
                break;
            }
            let cancels = self.case.cancel_from.is_some_and(|from| place >= from);
            self.step(step, cancels)?;
            self.look()?;
        }
        for _ in 0..LAST_COMMANDS {
            if self.is_over() {
                break;
            }
            let arguments = self.next_command(self.case.cancel_from.is_some());
            let ended = self.start(&arguments, "").finish()?;
            self.ended(&arguments, &ended, Cause::Moment);
            self.look()?;
        }
        // docket may have died after the run was over and before everything that follows from it was done. Who wanted
        // it cancelled and was not told that it is says so again; anybody else is refused, and that makes it good.
        if let Some(view) = self.view.clone().filter(|_| self.is_over() && self.was_cut_short) {
            let verb = if view.root.status() == "cancelled" { "cancel" } else { "resume" };
            self.touch(verb, &view.root.run)?;
        }
        // The same goes for a workflow inside it whose stage was done again with another run.
        let children = self.view.iter().flat_map(|view| &view.children);
        let over: Vec<String> =
            children.filter(|child| child.is_over()).map(|child| child.run.clone()).collect();
        for child in over.iter().filter(|_| !self.case.steps.is_empty()) {
            self.touch("resume", child)?;
        }
        finale::judge(self, references)
    }

    /// One more command, without trouble.
    fn touch(&mut self, verb: &str, run: &str) -> Result<(), Violation> {
        let arguments = words(&["workflow", verb, run]);
        let ended = self.start(&arguments, "").finish()?;
        self.ended(&arguments, &ended, Cause::Moment);
        self.look()
    }

    /// Whether nothing is left to do. A run that failed honestly is done again, unless it was to be cancelled.
    fn is_over(&self) -> bool {
        let over = |view: &View| {
            let is_retried = view.root.status() == "failed" && self.case.cancel_from.is_none();
            view.root.is_over() && !is_retried
        };
        self.view.as_ref().is_some_and(over)
    }

    fn look(&mut self) -> Result<(), Violation> {
        self.view = View::of(&self.room)?;
        let start = std::time::Instant::now();
        // A process that a dying docket was just starting holds its open files, the run's lock among them, until it is
        // the other program: a moment, on a busy machine a long one.
        while self.view.as_ref().is_some_and(View::is_running) && start.elapsed() < MOMENT {
            self.view = View::of(&self.room)?;
        }
        self.watch.check(&self.room, self.view.as_ref())?;
        match &self.view {
            Some(view) if view.root.status() == "failed" => finale::may_fail(self, view),
            _ => Ok(()),
        }
    }

    /// What a user would type now.
    fn next_command(&self, cancels: bool) -> Vec<String> {
        person::next_command(&self.room, self.view.as_ref(), cancels)
    }

    fn start(&mut self, arguments: &[String], faults: &str) -> Running {
        self.commands += 1;
        let all = [faults, self.sabotage].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        Running::start(&self.room, self.commands, arguments, &all.join(","))
    }

    fn step(&mut self, step: &Step, cancels: bool) -> Result<(), Violation> {
        let arguments = self.next_command(cancels);
        let ended = match step.trouble {
            Trouble::Points(first, second) => {
                let second = second.map(|fault| format!(",{fault}")).unwrap_or_default();
                let ended = self.start(&arguments, &format!("{first}{second}")).finish()?;
                self.ended(&arguments, &ended, Cause::Moment);
                ended
            }
            Trouble::Moment { after } => {
                let mut running = self.start(&arguments, "");
                // Not to wait for anything: the moment of death is to be any.
                std::thread::sleep(std::time::Duration::from_micros(after));
                running.kill();
                let ended = running.finish()?;
                self.ended(&arguments, &ended, Cause::Moment);
                ended
            }
            Trouble::Held { docket, supervisor, agent } => {
                self.held(&arguments, docket, supervisor, agent)?
            }
            Trouble::Beside { request, asker, owner } => {
                let request = if cancels { Request::Cancel } else { request };
                self.beside(&arguments, request, asker, owner)?
            }
        };
        match step.tail {
            Some(tail) if ended.death.is_some() => self.damage(tail, &ended),
            _ => Ok(()),
        }
    }

    /// Notes how a command ended. `outside` is what it died of when no fault point killed it.
    fn ended(&mut self, arguments: &[String], ended: &Ended, outside: Cause) {
        let how = match (&ended.death, ended.code) {
            (Some(Some(noted)), _) => format!("died at {}", noted.point),
            (Some(None), _) => "was killed".to_owned(),
            (None, code) => format!("exit code {}", code.unwrap_or(-1)),
        };
        let last = ended.stderr.lines().rev().find(|line| line.starts_with("error")).unwrap_or_default();
        self.story.push(format!("{}: {how} {last}", ended.shown));
        if ended.code.is_some() && arguments.get(1).is_some_and(|word| word == "retry") {
            self.tally.retried += 1;
        }
        self.was_cut_short = ended.death.is_some() || !ended.disk_faults.is_empty();
        if let Some(cause) = &ended.death {
            let cause = match cause {
                Some(noted) => {
                    Cause::Point { kind: noted.kind.unwrap_or(Kind::KillBefore), point: noted.point.clone() }
                }
                None => outside,
            };
            self.tally.death(Victim::Docket, cause);
        }
        for noted in &ended.disk_faults {
            if let Some(kind) = noted.kind {
                *self.tally.disk_faults.entry((kind, noted.point.clone())).or_default() += 1;
            }
        }
        let Some(done) = person::acknowledged(arguments, ended.code) else { return };
        self.watch.acknowledge(done);
    }

    /// Agents work while processes are killed.
    fn held(
        &mut self,
        arguments: &[String],
        docket: bool,
        supervisor: bool,
        agent: bool,
    ) -> Result<Ended, Violation> {
        self.room.hold_agents();
        let mut running = self.start(arguments, "");
        let agents = self.working_agents(&mut running);
        let supervisors: Vec<Seen> =
            agents.iter().filter_map(|agent| process::supervisor_of(agent.id)).collect();
        if docket && !agents.is_empty() {
            running.kill();
        }
        for victim in supervisors.into_iter().filter(|_| supervisor) {
            if process::kill(victim) {
                self.tally.death(Victim::Supervisor, Cause::Working);
            }
        }
        for victim in agents.into_iter().filter(|_| agent) {
            if process::kill(victim) {
                self.tally.death(Victim::Agent, Cause::Working);
            }
        }
        self.room.release_agents();
        let ended = running.finish()?;
        self.ended(arguments, &ended, Cause::Working);
        Ok(ended)
    }

    /// Waits until an agent works, or docket ended without one; the agents that work then.
    fn working_agents(&self, running: &mut Running) -> Vec<Seen> {
        let mut agents = Vec::new();
        crate::wait_until("an agent works or docket ends", || {
            let ended = running.is_over();
            agents = self.room.ledger().iter().filter_map(|(id, _)| process::look(*id)).collect();
            ended || !agents.is_empty()
        });
        agents
    }

    /// While agents work, another terminal asks something of the owner.
    fn beside(
        &mut self,
        arguments: &[String],
        request: Request,
        asker: Option<PointFault>,
        owner: Option<PointFault>,
    ) -> Result<Ended, Violation> {
        let text = |fault: Option<PointFault>| fault.map(|fault| fault.to_string()).unwrap_or_default();
        self.room.hold_agents();
        let mut running = self.start(arguments, &text(owner));
        let agents = self.working_agents(&mut running);
        // Asked of the run as it stands now.
        let view = if agents.is_empty() { None } else { View::of(&self.room)? };
        let question = view.map(|view| person::question(&self.room, &view, request));
        let mut asked = None;
        if let Some(question) = question {
            let mut asking = self.start(&question, &text(asker));
            // An asker that finds the owner dead becomes the owner, and waits for the agents itself.
            crate::wait_until("the request is answered or the owner is dead", || {
                asking.is_over() || running.is_over()
            });
            if asking.is_over() && question[1] == "cancel" {
                let told = asking.finish()?;
                if told.code == Some(0) {
                    refuse_working_on(&agents)?;
                }
                asked = Some((question, told));
            } else {
                self.room.release_agents();
                asked = Some((question, asking.finish()?));
            }
        }
        self.room.release_agents();
        let ended = running.finish()?;
        self.ended(arguments, &ended, Cause::Working);
        if let Some((question, asked)) = asked {
            self.ended(&question, &asked, Cause::Working);
        }
        Ok(ended)
    }

    /// Leaves at the journal's end what a torn write, or a machine that lost its power, may leave there.
    fn damage(&mut self, tail: Tail, ended: &Ended) -> Result<(), Violation> {
        let Some(view) = View::of(&self.room)? else { return Ok(()) };
        let now = view.children.last().unwrap_or(&view.root);
        let journal = &now.journal;
        if journal.sound != journal.bytes.len() {
            return Ok(());
        }
        let part = |part: u64| {
            let length = (journal.sound - journal.last) as u64;
            usize::try_from(length * part / 1000).unwrap_or_default()
        };
        let mut bytes = journal.bytes.clone();
        match tail {
            Tail::Begun { part: begun } => {
                bytes.extend_from_within(journal.last..journal.last + part(begun));
            }
            Tail::Garbage { seed } => {
                let mut random = Random::of(seed, 0);
                let garbage = (0..1 + random.below(300)).map(|_| random.draw().to_le_bytes()[0]);
                bytes.extend(garbage.filter(|byte| *byte != b'\n'));
            }
            Tail::Lost { part: lost } => {
                // Of several journals it can't be said whose record it was.
                if !was_not_synced(ended) || !view.children.is_empty() {
                    return Ok(());
                }
                bytes.truncate(journal.sound - part(lost));
                self.watch.forget_after(&now.run, journal.last);
            }
        }
        if bytes.len() == journal.bytes.len() {
            return Ok(());
        }
        let path = self.room.place.run_folder(&now.run).join("journal.jsonl");
        std::fs::write(&path, bytes).map_err(|cause| format!("{}: {cause}", path.display()))?;
        self.tally.tails += 1;
        self.story.push(format!("the journal's end was damaged: {tail:?}"));
        Ok(())
    }

    /// Deaths of supervisors and launchers at fault points, which only their logs tell of.
    pub(super) fn helpers_that_died(&self) -> Vec<(Victim, Cause)> {
        let logs = (1..=self.commands).map(|command| self.room.fault_log(command));
        let notes = logs.flat_map(|log| notes(&log));
        let died = |note: super::command::Noted| {
            let kind = note.kind.filter(|kind| kind.kills())?;
            let victim = match note.role.as_str() {
                "supervisor" => Victim::Supervisor,
                "launcher" => Victim::Launcher,
                _ => return None,
            };
            Some((victim, Cause::Point { kind, point: note.point }))
        };
        notes.filter_map(died).collect()
    }
}

/// Agents of a run whose cancellation was acknowledged are ended, though nobody let them go.
fn refuse_working_on(agents: &[Seen]) -> Result<(), Violation> {
    let start = std::time::Instant::now();
    while let Some(agent) = agents.iter().find(|agent| process::lives(**agent)) {
        if start.elapsed() > std::time::Duration::from_secs(20) {
            return Err(format!("agent {} of a cancelled run works on", agent.id));
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(())
}

/// Whether docket died between writing a record and waiting for the disk: a machine that loses its power then may
/// lose the record, and nothing was done on the strength of it.
fn was_not_synced(ended: &Ended) -> bool {
    matches!(&ended.death, Some(Some(noted)) if noted.point == "journal.sync" && noted.kind == Some(Kind::KillBefore))
}
