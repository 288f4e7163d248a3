//! The crash harness: runs workflows through the real binary while docket, its supervisors and agents are killed and
//! the disk refuses, and checks after every command that nothing was lost and nothing done twice.
//!
//! - [`subject`]: what is run; [`plan`]: what goes wrong, from a seed; [`execute`]: making it happen;
//!   [`oracle`]: what must hold; [`tally`] and [`report`]: what came of it.
//!
//! Needs a debug build of docket: release builds have no fault points. Must not use docket's own code: an oracle that
//! shared it would share its mistakes.

pub mod command;
pub mod execute;
mod finale;
pub mod journal;
pub mod oracle;
mod person;
pub mod plan;
pub mod process;
pub mod random;
pub mod report;
pub mod room;
pub mod subject;
pub mod tally;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use execute::execute;
use plan::Case;
use tally::Tally;

/// How undisturbed runs end, by subject.
pub type References = BTreeMap<&'static str, BTreeMap<String, String>>;

/// How long a series is, and what disturbs it.
#[derive(Debug, Clone)]
pub struct Options {
    /// docket's program, a debug build.
    pub docket: String,
    /// The seed.
    pub seed: u64,
    /// The first case.
    pub first: u64,
    /// Cases are begun until this many processes died, or
    pub deaths: u64,
    /// this many cases were begun.
    pub cases: u64,
    /// How many cases run at the same time.
    pub jobs: usize,
    /// Faults that every command has, for proving that the oracles see them; empty for none.
    pub sabotage: String,
    /// Whether to stop at the first violation.
    pub stop_at_violation: bool,
}

/// A broken promise, and how to see it again.
#[derive(Debug, Clone)]
pub struct Found {
    /// The series' seed.
    pub seed: u64,
    /// The case's number.
    pub number: u64,
    /// What was run.
    pub subject: &'static str,
    /// What was broken.
    pub violation: String,
    /// Every command and how it ended.
    pub story: Vec<String>,
    /// Where everything was left as it is.
    pub kept: Option<PathBuf>,
}

/// What came of a series.
#[derive(Debug, Default)]
pub struct Series {
    /// What happened.
    pub tally: Tally,
    /// What was broken.
    pub found: Vec<Found>,
    /// How long it took.
    pub took: Duration,
}

/// Runs every subject undisturbed.
///
/// # Errors
/// When one does not reach its end even so.
pub fn references(docket: &str) -> Result<References, String> {
    // Compiles docket's plugins, once for every room: they share one cache.
    drop(crate::Place::new(docket));
    let undisturbed = |subject: &'static subject::Subject| {
        let case = Case { seed: 0, number: 0, subject, cancel_from: None, steps: Vec::new() };
        Ok((subject.name, execute::undisturbed(&case, docket)?))
    };
    subject::ALL.iter().map(undisturbed).collect()
}

/// Runs a series of cases. `tell` hears of every case that is over, with the deaths so far.
///
/// # Errors
/// When the subjects can't be run even undisturbed.
pub fn run(options: &Options, tell: &(dyn Fn(u64, u64) + Sync)) -> Result<Series, String> {
    let start = Instant::now();
    let references = references(&options.docket)?;
    let next = AtomicU64::new(options.first);
    let stop = AtomicBool::new(false);
    let series = Mutex::new(Series::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number - options.first >= options.cases {
                return;
            }
            let case = Case::plan(options.seed, number);
            let outcome = execute(&case, &options.docket, &options.sabotage, &references);
            let mut series = series.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            series.tally.add(outcome.tally);
            if let Some(violation) = outcome.violation {
                let kept = options.sabotage.is_empty().then(|| outcome.room.place.keep());
                let (seed, subject, story) = (case.seed, case.subject.name, outcome.story);
                series.found.push(Found { seed, number, subject, violation, story, kept });
                stop.fetch_or(options.stop_at_violation, Ordering::Relaxed);
            }
            let deaths = series.tally.all_deaths();
            stop.fetch_or(deaths >= options.deaths, Ordering::Relaxed);
            tell(series.tally.cases, deaths);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    let mut series = series.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    series.took = start.elapsed();
    Ok(series)
}
