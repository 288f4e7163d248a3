//! `docket workflow prune` for people: what goes, what went, what stays.

use std::fmt::Write as _;

use docket_core::text::printable;

use super::time::local;
use crate::store::prune::{Kept, Plan};

/// What a plan would remove, and what it leaves alone, as a list.
pub fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    if !plan.runs.is_empty() {
        let names = plan.runs.iter().map(|run| run.definition.chars().count());
        let width = names.max().unwrap_or(0).max("WORKFLOW".len());
        let _ = writeln!(text, "{:<10} {:<width$} {:<10} {:<19} SIZE", "RUN", "WORKFLOW", "STATUS", "ENDED");
        for run in &plan.runs {
            let _ = writeln!(
                text,
                "{:<10} {:<width$} {:<10} {:<19} {}",
                run.id,
                printable(&run.definition),
                run.status.name(),
                local(run.ended_at),
                size(run.bytes)
            );
        }
    }
    for leftover in &plan.leftovers {
        let path = printable(&leftover.path.display().to_string());
        let _ = writeln!(text, "{path}: {}, {}", leftover.kind.words(), size(leftover.bytes));
    }
    kept(&mut text, &plan.kept);
    text
}

/// What stays although it was looked at, and why.
pub fn kept(text: &mut String, kept: &[Kept]) {
    for kept in kept {
        let _ = writeln!(text, "left alone: {}: {}", printable(&kept.id), printable(&kept.reason));
    }
}

/// What there is to remove, in short: "2 runs and 1 leftover, 3.4 MiB".
pub fn count(plan: &Plan) -> String {
    let some = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let runs = some(plan.runs.len(), "run", "runs");
    let leftovers = some(plan.leftovers.len(), "leftover", "leftovers");
    let parts: Vec<String> = [runs, leftovers].into_iter().flatten().collect();
    format!("{}, {}", parts.join(" and "), size(bytes(plan)))
}

/// Bytes of everything a plan would remove.
pub fn bytes(plan: &Plan) -> u64 {
    plan.runs.iter().map(|run| run.bytes).chain(plan.leftovers.iter().map(|left| left.bytes)).sum()
}

/// A size as people read it: `512 B`, `3.4 KiB`, `1.2 MiB`.
pub fn size(bytes: u64) -> String {
    const STEP: u64 = 1024;
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < STEP {
        return format!("{bytes} B");
    }
    let mut divisor = STEP;
    let mut position = 0;
    while bytes / divisor >= STEP && position + 1 < units.len() {
        divisor *= STEP;
        position += 1;
    }
    format!("{}.{} {}", bytes / divisor, bytes % divisor * 10 / divisor, units[position])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (3500, "3.4 KiB"),
            (5 << 20, "5.0 MiB"),
            (3 << 40, "3.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
