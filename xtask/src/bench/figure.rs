//! A figure, its budget, and how both are shown. Must not measure.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::baseline::Baseline;
use super::machine::Machine;
use super::measure::Series;
use super::peers::{self, Comparison};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Mebibytes,
    Calls,
    Times,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::Calls => "calls",
            Self::Times => "times",
        }
    }
}

/// Something measured.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    name: String,
    unit: Unit,
    value: f64,
    range: Option<(f64, f64)>,
    runs: u32,
    budget: Option<f64>,
}

impl Figure {
    /// Wall-clock time of a series: its median and range.
    pub(super) fn wall(name: &str, series: &Series) -> Self {
        let range = series.walls.first().zip(series.walls.last());
        Self {
            range: range.map(|(shortest, longest)| (milliseconds(*shortest), milliseconds(*longest))),
            runs: series.count(),
            ..Self::time(name, series.median())
        }
    }

    /// Processor time of a series: one run's share. `None` where it is not known.
    pub(super) fn processor(name: &str, series: &Series) -> Option<Self> {
        Some(Self { runs: series.count(), ..Self::time(name, series.processor?) })
    }

    /// A time that was worked out.
    pub(super) fn time(name: &str, time: Duration) -> Self {
        Self::plain(name, Unit::Milliseconds, milliseconds(time))
    }

    /// Memory in bytes.
    pub(super) fn memory(name: &str, bytes: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read, far below 2^52")]
        let mebibytes = bytes as f64 / (1024.0 * 1024.0);
        Self::plain(name, Unit::Mebibytes, mebibytes)
    }

    /// A number of calls.
    pub(super) fn calls(name: &str, count: f64) -> Self {
        Self::plain(name, Unit::Calls, count)
    }

    /// A multiple of something else.
    pub(super) fn times_of(name: &str, times: f64) -> Self {
        Self::plain(name, Unit::Times, times)
    }

    /// With what it should not exceed, in its own unit.
    pub(super) fn budget(self, budget: f64) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// From how many runs it was taken.
    pub(super) fn runs(self, runs: u32) -> Self {
        Self { runs, ..self }
    }

    fn plain(name: &str, unit: Unit, value: f64) -> Self {
        Self { name: name.to_owned(), unit, value, range: None, runs: 1, budget: None }
    }

    fn ratio(&self) -> Option<f64> {
        self.budget.map(|budget| self.value / budget)
    }

    /// A time in multiples of another.
    fn times(&self, of: Duration) -> Option<f64> {
        let of = milliseconds(of);
        (self.unit == Unit::Milliseconds && of > 0.0).then(|| self.value / of)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// What the figures were taken on, in two lines.
pub(super) fn heading(machine: &Machine, baseline: &Baseline) -> String {
    let (process, sync) = (milliseconds(baseline.process), milliseconds(baseline.sync));
    let machine = machine.text();
    format!("{machine}\nstarting a process: {process:.2} ms, a synced write of 1 KiB: {sync:.2} ms")
}

/// The figures as a Markdown table.
pub(super) fn text(baseline: &Baseline, figures: &[Figure]) -> String {
    let mut text = String::new();
    let width = figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0).max(6);
    let _ = writeln!(
        text,
        "| {:<width$} | {:>11} | {:>15} | {:>4} | {:>9} | {:>9} | {:>9} | {:>8} |",
        "figure", "median", "from..to", "runs", "budget", "of budget", "processes", "syncs"
    );
    let dashes = |count: usize| "-".repeat(count);
    let _ = writeln!(
        text,
        "|{}|{}:|{}:|{}:|{}:|{}:|{}:|{}:|",
        dashes(width + 2),
        dashes(12),
        dashes(16),
        dashes(5),
        dashes(10),
        dashes(10),
        dashes(10),
        dashes(9)
    );
    for figure in figures {
        let _ = writeln!(text, "{}", row(figure, baseline, width));
    }
    text
}

fn row(figure: &Figure, baseline: &Baseline, width: usize) -> String {
    let unit = figure.unit.name();
    let range = figure.range.map_or_else(String::new, |(from, to)| format!("{from:.1}..{to:.1}"));
    let budget = figure.budget.map_or_else(String::new, |budget| format!("{budget} {unit}"));
    let percent = figure.ratio().map_or_else(String::new, |ratio| format!("{:.0} %", ratio * 100.0));
    let times = |of| figure.times(of).map_or_else(String::new, |times| format!("{times:.1}"));
    format!(
        "| {:<width$} | {:>11} | {range:>15} | {:>4} | {budget:>9} | {percent:>9} | {:>9} | {:>8} |",
        figure.name,
        format!("{:.2} {unit}", figure.value),
        figure.runs,
        times(baseline.process),
        times(baseline.sync),
    )
}

/// The same for programs, with the comparison with other engines when there is one.
pub(super) fn json(
    machine: &Machine,
    baseline: &Baseline,
    figures: &[Figure],
    comparison: Option<&Comparison>,
) -> String {
    let figures: Vec<Value> = figures
        .iter()
        .map(|figure| {
            json!({
                "figure": figure.name,
                "unit": figure.unit.name(),
                "value": figure.value,
                "from": figure.range.map(|(from, _)| from),
                "to": figure.range.map(|(_, to)| to),
                "runs": figure.runs,
                "budget": figure.budget,
                "ofBudget": figure.ratio(),
                "processes": figure.times(baseline.process),
                "syncs": figure.times(baseline.sync),
            })
        })
        .collect();
    let baseline =
        json!({ "processMs": milliseconds(baseline.process), "syncMs": milliseconds(baseline.sync) });
    let peers = comparison.map(peers::json);
    let all = json!({
        "machine": machine.json(), "baseline": baseline, "figures": figures, "peers": peers,
    });
    format!("{all:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: Baseline = Baseline { process: Duration::from_millis(2), sync: Duration::from_millis(4) };

    #[test]
    fn a_figure_stands_against_its_budget_and_the_machine() {
        let walls = [20, 30, 40].map(Duration::from_millis).to_vec();
        let series = Series { walls, processor: Some(Duration::from_millis(12)) };
        let row = row(&Figure::wall("review", &series).budget(60.0), &BASELINE, 6);
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells, ["review", "30.00 ms", "20.0..40.0", "3", "60 ms", "50 %", "15.0", "7.5"]);
    }

    #[test]
    fn memory_has_no_ratio_to_time() {
        let figure = Figure::memory("peak", 50 * 1024 * 1024).budget(100.0);
        assert_eq!(figure.times(BASELINE.process), None);
        assert_eq!(figure.ratio(), Some(0.5));
    }
}
