//! A series as Markdown: the table that `docs/reliability.md` publishes, and what to say about a violation.

use std::fmt::Write as _;

use super::plan::{Kind, POINTS};
use super::tally::{Cause, Victim};
use super::{Found, Series, subject};

/// A column of the table of points.
const KINDS: [Kind; 5] = [Kind::KillBefore, Kind::KillAfter, Kind::Torn, Kind::NoSpace, Kind::InputOutput];

/// What a kind of fault is called in the report.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::KillBefore => "killed before",
        Kind::KillAfter => "killed after",
        Kind::Torn => "killed in mid-write",
        Kind::NoSpace => "disk full",
        Kind::InputOutput => "disk failed",
    }
}

/// The whole report. `command` is what makes it again.
pub fn markdown(series: &Series, command: &str) -> String {
    let tally = &series.tally;
    let mut text = String::new();
    let minutes = series.took.as_secs_f64() / 60.0;
    let disk_faults: u64 = tally.disk_faults.values().sum();
    let _ = writeln!(
        text,
        "**{} process deaths, {} violations**, made by `{command}` in {minutes:.1} minutes.\n",
        grouped(tally.all_deaths()),
        series.found.len(),
    );
    text.push_str("| what | how often |\n|---|---:|\n");
    let of = |wanted: Victim| tally.deaths_of(|victim, _| victim == wanted);
    let by = |wanted: &Cause| tally.deaths_of(|_, cause| cause == wanted);
    let at_points = tally.deaths_of(|_, cause| matches!(cause, Cause::Point { .. }));
    for (what, count) in [
        ("runs, each started and brought to its end", tally.cases),
        ("commands of docket", tally.commands),
        ("deaths of docket", of(Victim::Docket)),
        ("deaths of supervisors", of(Victim::Supervisor)),
        ("deaths of launchers, which turn into agents", of(Victim::Launcher)),
        ("deaths of agents", of(Victim::Agent)),
        ("of all deaths: at a fault point", at_points),
        ("of all deaths: at a random moment", by(&Cause::Moment)),
        ("of all deaths: while an agent worked or another terminal asked", by(&Cause::Working)),
        ("writes, syncs and renames that the disk refused", disk_faults),
        ("journals whose end was torn, garbled or cut after a death", tally.tails),
        (
            "runs that failed because an agent was killed or the disk refused, done again with `retry`",
            tally.retried,
        ),
        ("violations", series.found.len() as u64),
    ] {
        let _ = writeln!(text, "| {what} | {} |", grouped(count));
    }
    text.push_str(&points(series));
    text.push_str(&ends(series));
    text
}

/// Faults by point and kind.
fn points(series: &Series) -> String {
    let mut text = String::from("\n| fault point |");
    KINDS.iter().for_each(|kind| text.push_str(&format!(" {} |", name(*kind))));
    text.push_str("\n|---|");
    KINDS.iter().for_each(|_| text.push_str("---:|"));
    text.push('\n');
    for point in POINTS {
        let _ = write!(text, "| `{}` |", point.name);
        for kind in KINDS {
            let deaths = series.tally.deaths_of(|_, cause| {
                matches!(cause, Cause::Point { kind: found, point: place } if *found == kind && place == point.name)
            });
            let refused = series.tally.disk_faults.get(&(kind, point.name.to_owned())).copied().unwrap_or(0);
            let _ = write!(text, " {} |", grouped(deaths + refused));
        }
        text.push('\n');
    }
    text
}

/// How runs ended, by workflow.
fn ends(series: &Series) -> String {
    let statuses = ["completed", "failed", "cancelled"];
    let mut text = format!("\n| workflow | {} |\n|---|---:|---:|---:|\n", statuses.join(" | "));
    for subject in subject::ALL {
        let _ = write!(text, "| `{}`: {} |", subject.name, subject.about);
        for status in statuses {
            let count = series.tally.ends.get(&(subject.name, status.to_owned())).copied().unwrap_or(0);
            let _ = write!(text, " {} |", grouped(count));
        }
        text.push('\n');
    }
    text
}

/// A violation with everything needed to see it again.
pub fn violation(found: &Found) -> String {
    let kept = found.kept.as_ref().map_or_else(
        || "nothing was kept".to_owned(),
        |folder| format!("everything is left as it is in {}", folder.display()),
    );
    format!(
        "case {} ({}): {}\n  {}\n  {kept}\n  again: cargo xtask crash --seed {} --case {}",
        found.number,
        found.subject,
        found.violation,
        found.story.join("\n  "),
        found.seed,
        found.number,
    )
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 21_456, 1_000_000].map(grouped),
            ["0", "999", "1,000", "21,456", "1,000,000"]
        );
    }

    #[test]
    fn a_report_has_every_point_and_subject() {
        let mut series = Series::default();
        let cause = Cause::Point { kind: Kind::Torn, point: "journal.write".into() };
        series.tally.death(Victim::Docket, cause);
        let text = markdown(&series, "cargo xtask crash");
        assert!(text.contains("**1 process deaths, 0 violations**"), "{text}");
        assert!(text.contains("| `journal.write` | 0 | 0 | 1 | 0 | 0 |"), "{text}");
        assert!(POINTS.iter().all(|point| text.contains(point.name)), "{text}");
        assert!(subject::ALL.iter().all(|subject| text.contains(subject.about)), "{text}");
    }
}
