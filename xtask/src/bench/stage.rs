//! What one stage costs: the difference between runs with one stage and with many. The stage does as little as a
//! built-in one can: it makes sure of a field that is right already, and proposes no change.

use std::path::Path;
use std::time::Duration;

use super::baseline::Baseline;
use super::figure::Figure;
use super::measure::{self, Series};
use super::prepare;
use crate::failure::Failure;
use crate::scratch::{self, Scratch};

const FEW: u32 = 1;
const MANY: u32 = 41;
const RUNS: u32 = 10;
const DOCUMENT: &str = "# Note\n\n**Status:** Draft\n";

/// Measures it in a project with one small document.
pub(super) fn measure(program: &Path, baseline: &Baseline) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::empty("bench-stage", program)?;
    scratch::write(&scratch.project().join("note.md"), DOCUMENT.as_bytes())?;
    prepare(&scratch, &["init"])?;
    let (few, few_syncs) = runs(&scratch, FEW)?;
    let (many, many_syncs) = runs(&scratch, MANY)?;

    let wall = per_stage(few.median(), many.median());
    let mut figures = vec![Figure::time("one more stage: wall, with its synced record", wall).runs(RUNS)];
    if let Some((few, many)) = few.processor.zip(many.processor) {
        let name = "one more stage: user+sys (mean)";
        figures.push(Figure::time(name, per_stage(few, many)).runs(RUNS).budget(1.0));
    }
    if let Some((few, many)) = few_syncs.zip(many_syncs) {
        let syncs = f64::from(many.saturating_sub(few)) / f64::from(MANY - FEW);
        figures.push(Figure::calls("one more stage: waits for the disk", syncs));
        let waited = baseline.sync.mul_f64(syncs);
        let name = "one more stage: wall, less the baseline's time for its syncs";
        figures.push(Figure::time(name, wall.saturating_sub(waited)).runs(RUNS).budget(1.0));
    }
    Ok(figures)
}

/// Runs of a definition with this many stages, and how often one waits for the disk.
fn runs(scratch: &Scratch, stages: u32) -> Result<(Series, Option<u32>), Failure> {
    let name = format!("bench-{stages}");
    let file = scratch.docket_home().join(format!("workflows/definitions/{name}.yml"));
    scratch::write(&file, definition(stages).as_bytes())?;
    let start = ["workflow", "start", &name];
    // The first run compiles.
    prepare(scratch, &start)?;
    let series = measure::series(scratch, &start, RUNS, || Ok(()))?;
    Ok((series, measure::synced_writes(scratch, &start)?))
}

/// A definition of the user's own, which needs no trust.
fn definition(stages: u32) -> String {
    let mut text =
        format!("name: Bench {stages}\ndescription: Measures what a stage costs\nversion: 1\nstages:\n");
    for stage in 1..=stages {
        text.push_str(&format!(
            "  - name: stage-{stage}\n    type: metadata\n    config:\n      file: note.md\n      updates:\n        \
             - field: Status\n          value: Draft\n"
        ));
    }
    text
}

fn per_stage(few: Duration, many: Duration) -> Duration {
    many.saturating_sub(few) / (MANY - FEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stages_share_is_the_difference() {
        assert_eq!(per_stage(Duration::from_millis(10), Duration::from_millis(90)), Duration::from_millis(2));
        assert_eq!(per_stage(Duration::from_millis(10), Duration::from_millis(9)), Duration::ZERO);
    }

    #[test]
    fn the_definition_has_its_stages() {
        let text = definition(3);
        assert_eq!(text.matches("type: metadata").count(), 3);
        assert!(text.ends_with("        - field: Status\n          value: Draft\n"), "{text}");
    }
}
