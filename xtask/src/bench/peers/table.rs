//! How the comparison is shown: a Markdown table for people, JSON for programs. Must not measure or judge beyond what
//! was expected.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Comparison, Row};

/// The comparison as a Markdown table, followed by how everyone was configured and who was left out.
pub(in crate::bench) fn text(comparison: &Comparison) -> String {
    let mut text = String::from("the same four steps, durably, one process per run");
    if let Some(python) = &comparison.python {
        let _ = write!(text, "; Python {python}");
    }
    text.push_str(
        "\n\n| engine          | wall, median |          from..to | user+sys (mean) | of docket | expected        | without start-up | of docket | syncs |\
         \n|-----------------|-------------:|------------------:|----------------:|----------:|-----------------|-----------------:|----------:|------:|\n",
    );
    let Some(docket) = comparison.rows.first() else { return text };
    for row in &comparison.rows {
        let _ = writeln!(text, "{}", line(row, docket));
    }
    text.push('\n');
    for Row { engine, versions, configured, .. } in &comparison.rows {
        let _ = writeln!(text, "- {engine}: {versions}; {configured}");
    }
    for (engine, reason) in &comparison.skipped {
        let _ = writeln!(text, "- {engine}: skipped. {reason}");
    }
    text
}

fn line(row: &Row, docket: &Row) -> String {
    let range = row.series.walls.first().zip(row.series.walls.last());
    let range = range.map_or_else(String::new, |(from, to)| {
        format!("{:.1}..{:.1}", milliseconds(*from), milliseconds(*to))
    });
    let processor =
        row.series.processor.map_or_else(String::new, |time| format!("{:.1} ms", milliseconds(time)));
    let expected = match (row.expected, row.met(docket)) {
        (Some(times), Some(met)) => format!("{times}x: {}", if met { "met" } else { "not met" }),
        _ => String::new(),
    };
    let times = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}x"));
    format!(
        "| {:<15} | {:>12} | {range:>17} | {processor:>15} | {:>9} | {expected:<15} | {:>16} | {:>9} | {:>5} |",
        row.engine,
        format!("{:.1} ms", milliseconds(row.series.median())),
        times(row.wall_ratio(docket)),
        format!("{:.1} ms", milliseconds(row.inside)),
        times(ratio(row.inside, docket.inside)),
        row.syncs.map_or_else(String::new, |count| count.to_string()),
    )
}

/// The same for programs. Times are in milliseconds.
pub(in crate::bench) fn json(comparison: &Comparison) -> Value {
    let Some(docket) = comparison.rows.first() else { return Value::Null };
    let rows: Vec<Value> = comparison
        .rows
        .iter()
        .map(|row| {
            json!({
                "engine": row.engine,
                "versions": row.versions,
                "configured": row.configured,
                "runs": row.series.count(),
                "wallMs": milliseconds(row.series.median()),
                "fromMs": row.series.walls.first().map(|wall| milliseconds(*wall)),
                "toMs": row.series.walls.last().map(|wall| milliseconds(*wall)),
                "processorMs": row.series.processor.map(milliseconds),
                "wallOfDocket": row.wall_ratio(docket),
                "expected": row.expected,
                "met": row.met(docket),
                "withoutStartUpMs": milliseconds(row.inside),
                "withoutStartUpOfDocket": ratio(row.inside, docket.inside),
                "syncs": row.syncs,
            })
        })
        .collect();
    let skipped: Vec<Value> = comparison
        .skipped
        .iter()
        .map(|(engine, reason)| json!({ "engine": engine, "reason": reason }))
        .collect();
    json!({ "python": comparison.python, "engines": rows, "skipped": skipped })
}

impl Row {
    fn wall_ratio(&self, docket: &Self) -> Option<f64> {
        ratio(self.series.median(), docket.series.median())
    }

    /// Whether it took as many times as long as expected. `None` when nothing was expected.
    fn met(&self, docket: &Self) -> Option<bool> {
        Some(self.wall_ratio(docket)? >= self.expected?)
    }
}

fn ratio(time: Duration, to: Duration) -> Option<f64> {
    (!to.is_zero()).then(|| time.as_secs_f64() / to.as_secs_f64())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Series;

    fn row(engine: &str, milliseconds: u64, expected: Option<f64>) -> Row {
        let wall = Duration::from_millis(milliseconds);
        Row {
            engine: engine.to_owned(),
            versions: format!("{engine} 1"),
            configured: "defaults".to_owned(),
            series: Series { walls: vec![wall], processor: None },
            inside: wall / 2,
            syncs: Some(7),
            expected,
        }
    }

    fn comparison() -> Comparison {
        Comparison {
            python: Some("3.11.2".to_owned()),
            rows: vec![
                row("docket", 40, None),
                row("near", 799, Some(20.0)),
                row("far", 800, Some(20.0)),
                row("other", 80, None),
            ],
            skipped: vec![("gone".to_owned(), "It is not there.".to_owned())],
        }
    }

    #[test]
    fn ratios_stand_against_what_was_expected() {
        let text = text(&comparison());
        let cells = |engine: &str| -> Vec<String> {
            let start = format!("| {engine} ");
            let line = text.lines().find(|line| line.starts_with(&start)).expect("it has a line");
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        assert_eq!(
            cells("near"),
            ["near", "799.0 ms", "799.0..799.0", "", "20.0x", "20x: not met", "399.5 ms", "20.0x", "7"]
        );
        assert_eq!(cells("far")[5], "20x: met");
        assert_eq!(cells("other")[4..6], ["2.0x", ""]);
        assert!(text.contains("- gone: skipped. It is not there.\n"), "{text}");
    }

    #[test]
    fn programs_are_told_the_same() {
        let value = json(&comparison());
        assert_eq!(value["engines"][1]["met"], false);
        assert_eq!(value["engines"][2]["met"], true);
        assert_eq!(value["engines"][2]["wallOfDocket"], 20.0);
        assert_eq!(value["engines"][0]["met"], Value::Null);
        assert_eq!(value["skipped"][0]["engine"], "gone");
    }
}
