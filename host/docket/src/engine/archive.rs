//! Making the record of a run that is over from its journal. The same journal gives the same record, whether it is
//! made when the run ends or when its folder is about to go.

use docket_core::run::{Journal, RunState, StageStatus};

use super::now;
use crate::report::timeline::Timeline;
use crate::store::StoreError;
use crate::store::archive::{ArchiveRecord, FORMAT, JournalMark};
use crate::store::snapshot::RunSnapshot;
use crate::store::{RunFolder, journal};

/// The record of a run as its journal on disk tells it.
///
/// # Errors
/// When the journal can't be trusted.
pub fn record(folder: &RunFolder) -> Result<ArchiveRecord, StoreError> {
    let path = folder.journal();
    let journal = journal::load(&path)?;
    let state = journal::state_of(&journal, &path)?;
    Ok(record_of(&journal, &state))
}

/// The record of a run with this journal, which folds to this state.
pub fn record_of(journal: &Journal, state: &RunState) -> ArchiveRecord {
    let timeline = Timeline::of(journal, state.status.into(), state.ended_at.unwrap_or_else(now));
    let done = state.stages.iter().filter(|stage| stage.status == StageStatus::Completed);
    ArchiveRecord {
        archive_format: FORMAT,
        run: RunSnapshot::of(state),
        results: Some(done.filter_map(|stage| Some((stage.name.clone(), stage.result.clone()?))).collect()),
        journal: Some(JournalMark {
            records: journal.records.len() as u64,
            head: journal.writer.head().to_owned(),
        }),
        started_by: Some(state.start.by.clone()),
        docket: Some(state.start.docket.clone()),
        plugins: timeline.as_ref().map(Timeline::plugins).unwrap_or_default(),
        totals: timeline.map(|timeline| timeline.totals),
    }
}
