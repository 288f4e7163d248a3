//! `cargo xtask bench --peers`: the same four steps, run durably by docket and by other engines, in turns. Skips
//! what is not there; never fails because Python or the package registry is missing.

mod contestant;
mod docket;
mod engine;
mod environment;
mod table;
mod task;

use std::path::Path;
use std::time::Duration;

use contestant::Contestant;
use docket::Docket;
use engine::{PEERS, Peer};
use environment::{Environments, Python};
pub(super) use table::{json, text};

use super::measure::{Sample, Series, median};
use crate::failure::Failure;
use crate::workspace;

/// How often each peer runs. All take a turn before any takes the next, and docket has one before each of theirs, so
/// that a busy moment of the machine hits all of them.
const ROUNDS: u32 = 10;

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// The version of the Python that ran the peers; `None` when there was none.
    python: Option<String>,
    /// docket first.
    rows: Vec<Row>,
    /// Peers that could not take part, and why.
    skipped: Vec<(String, String)>,
}

/// An engine's figures.
#[derive(Debug, Clone)]
struct Row {
    engine: String,
    versions: String,
    configured: String,
    /// Whole processes.
    series: Series,
    /// Without what comes before the workflow.
    inside: Duration,
    /// How many calls wait for the disk, where they could be counted.
    syncs: Option<u32>,
    /// How many times docket's wall time was expected at least.
    expected: Option<f64>,
}

/// Measures all that can be measured here.
///
/// # Errors
/// When docket can't be measured, or when an engine that worked before stops doing the work.
pub(super) fn measure(program: &Path, python: Option<&Path>) -> Result<Comparison, Failure> {
    let folder = workspace::target_folder()?.join("bench-peers");
    let mut comparison = Comparison { python: None, rows: Vec::new(), skipped: Vec::new() };
    let mut contestants = Vec::new();
    match Python::find(python) {
        Ok(python) => {
            comparison.python = Some(python.version().to_owned());
            let mut environments = Environments::new(python, folder.join("environments"));
            for peer in PEERS {
                match prepare(peer, &mut environments, &folder) {
                    Ok(contestant) => contestants.push(contestant),
                    Err(reason) => comparison.skip(peer, reason),
                }
            }
        }
        Err(reason) => PEERS.into_iter().for_each(|peer| comparison.skip(peer, reason.clone())),
    }
    comparison.rows = rounds(&Docket::prepare(program)?, &contestants)?;
    Ok(comparison)
}

impl Comparison {
    fn skip(&mut self, peer: Peer, reason: String) {
        self.skipped.push((peer.name.to_owned(), reason));
    }
}

/// A peer that has done the work once, which also made its database. The error says why it can't take part.
fn prepare(peer: Peer, environments: &mut Environments, folder: &Path) -> Result<Contestant, String> {
    let environment = environments.with(peer.packages)?;
    let place = folder.join(peer.name.replace(", ", "-"));
    let message = |failure: Failure| failure.message().unwrap_or("it failed").to_owned();
    let contestant = Contestant::prepare(peer, environment, place).map_err(message)?;
    contestant.run().map_err(message)?;
    Ok(contestant)
}

/// Runs everybody in turns.
fn rounds(docket: &Docket, contestants: &[Contestant]) -> Result<Vec<Row>, Failure> {
    docket.run()?;
    let (mut whole, mut empty) = (Vec::new(), Vec::new());
    let mut peers: Vec<(Vec<Sample>, Vec<Duration>)> = vec![Default::default(); contestants.len()];
    for _ in 0..ROUNDS {
        empty.push(docket.run_empty()?);
        whole.push(docket.run()?);
        for (contestant, (samples, insides)) in contestants.iter().zip(&mut peers) {
            whole.push(docket.run()?);
            let run = contestant.run()?;
            samples.push(run.sample);
            insides.push(run.inside);
        }
    }
    let series = Series::of(&whole);
    let mut rows = vec![Row {
        engine: "docket".to_owned(),
        versions: docket.version()?,
        configured: "stages context, agent (shell, /bin/echo), storage, metadata; every transition synced"
            .to_owned(),
        // All but starting the program counts as inside: also finding and checking the definition, and loading
        // components, which the peers' times leave out.
        inside: series.median().saturating_sub(Series::of(&empty).median()),
        series,
        syncs: docket.synced_writes()?,
        expected: None,
    }];
    for (contestant, (samples, mut insides)) in contestants.iter().zip(peers) {
        insides.sort_unstable();
        rows.push(Row {
            engine: contestant.peer.name.to_owned(),
            versions: contestant.environment.versions.clone(),
            configured: contestant.peer.configured.to_owned(),
            series: Series::of(&samples),
            inside: median(&insides),
            syncs: contestant.synced_writes()?,
            expected: contestant.peer.expected,
        });
    }
    Ok(rows)
}
