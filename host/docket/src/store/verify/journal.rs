//! The journal by itself: format, chain of hashes, torn end; who started the run; and an outside witness's word.

use docket_core::run::{Journal, JournalFault, RunState, Tail, is_sealed, read, record_hashes, survey};

use super::{Check, NEVER_BEGAN, VerifiedRun, Witness};
use crate::store::RunFolder;
use crate::store::prune::holds_only_a_start;

/// Checks the journal. Gives it, with what it folds to, only when all of it can be trusted.
pub(super) fn check(
    verified: &mut VerifiedRun,
    folder: &RunFolder,
    witness: Witness<'_>,
) -> Option<(Journal, RunState)> {
    let path = folder.journal();
    let place = path.display().to_string();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) => {
            verified.fault(Check::Journal, place, format!("it can't be read: {cause}"), LOST);
            return None;
        }
    };
    verified.compared += 1;
    let journal = match read(&bytes) {
        Ok(journal) => journal,
        Err(error) if error.fault == JournalFault::Empty && holds_only_a_start(folder.path()) => {
            verified.note(Check::Journal, place, error.fault.to_string(), NEVER_BEGAN);
            return None;
        }
        Err(_) => {
            for error in survey(&bytes) {
                let place = format!("{place}:{}", error.line);
                verified.fault(Check::Journal, place, error.fault.to_string(), meaning(&error.fault));
            }
            return None;
        }
    };
    if let Tail::Torn { sound } = journal.tail {
        let left = bytes.len() - sound;
        verified.note(
            Check::Journal,
            format!("{place}:{}", journal.records.len() + 1),
            format!("the last record was not wholly written ({left} bytes)"),
            "its transition did not happen and nothing was done on its strength; it is cut off when the run is resumed",
        );
    }
    let state = journal.state()?;
    verified.records = Some(journal.records.len() as u64);
    verified.head = Some(journal.writer.head().to_owned());
    if state.id() != folder.id() {
        verified.fault(
            Check::Journal,
            place.clone(),
            format!("it is the journal of another run, {}", state.id()),
            "the folder was renamed or the journal put here from elsewhere",
        );
    }
    clock(verified, &place, &journal);
    seal(verified, &place, &state, witness);
    if let Some(head) = witness.head {
        compare_head(verified, &place, &record_hashes(&bytes), journal.records.len(), head);
    }
    Some((journal, state))
}

/// What follows from a journal that can't be trusted.
const LOST: &str = "what this run did can't be known from its journal any more, and it is not continued; nothing else \
                    was compared with it";

fn meaning(fault: &JournalFault) -> &'static str {
    match fault {
        JournalFault::Newer(_) => "look at it with the docket that wrote it",
        _ => LOST,
    }
}

fn clock(verified: &mut VerifiedRun, place: &str, journal: &Journal) {
    for pair in journal.records.windows(2) {
        if pair[1].at < pair[0].at {
            verified.note(
                Check::Journal,
                format!("{place}:{}", pair[1].seq),
                format!("it says {}, the record before it {}", pair[1].at, pair[0].at),
                "the clock was set back; the order of the records stands, durations around it don't",
            );
        }
    }
}

fn seal(verified: &mut VerifiedRun, place: &str, state: &RunState, witness: Witness<'_>) {
    let sealed = witness.key.is_some_and(|key| is_sealed(key, &state.start));
    verified.sealed = Some(sealed);
    if !sealed {
        verified.note(
            Check::Seal,
            format!("{place}:1"),
            format!("it does not carry your seal; it says that {} started it", state.start.by),
            "it was started by somebody else, or with another docket folder than this one; it is shown, and not continued",
        );
    }
}

/// The chain only shows that a journal fits itself; somebody could have written all of it anew. A hash that was kept
/// elsewhere shows that nobody did.
fn compare_head(verified: &mut VerifiedRun, place: &str, hashes: &[String], records: usize, head: &str) {
    verified.compared += 1;
    match hashes.iter().position(|hash| hash == head) {
        Some(position) if position + 1 == records => {}
        Some(position) => verified.note(
            Check::Head,
            format!("{place}:{}", position + 1),
            format!("the hash you gave is that of record {} of {records}", position + 1),
            "the journal has grown since you kept it; up to that record it is the same",
        ),
        None => verified.fault(
            Check::Head,
            place,
            format!("none of its {records} records has the hash you gave, {head}"),
            "this is not the journal you kept the hash of, or it was written anew since, or it lost its end",
        ),
    }
}
