//! `docket workflow verify` for people. What was found may quote names from definitions and file names, so all of it is
//! made safe to show.

use std::fmt::Write as _;

use docket_core::text::printable;

use crate::store::verify::{VerifiedRun, Weight};

/// What was found about a run: one line for the run, two for each finding.
pub fn text(run: &VerifiedRun) -> String {
    let mut text = format!("{}  {}", run.id, if run.sound { "sound" } else { "BROKEN" });
    if run.pruned {
        text.push_str("  its folder was pruned; only its record could be looked at");
    }
    if let (Some(records), Some(head)) = (run.records, &run.head) {
        let _ = write!(text, "  {records} records, head {}", printable(head));
    }
    text.push('\n');
    for finding in &run.findings {
        let weight = match finding.weight {
            Weight::Fault => "FAULT",
            Weight::Note => "note ",
        };
        let _ = writeln!(text, "  {weight} {}: {}", printable(&finding.place), printable(&finding.found));
        let _ = writeln!(text, "        {}", printable(&finding.meaning));
    }
    text
}
