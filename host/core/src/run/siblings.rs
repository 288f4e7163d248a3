//! Items of a matrix and each other's files. They run side by side in no certain order, so two of them that write the
//! same file differently would leave whichever came last: that is refused, however they happened to fall in time.

use super::{ChangeSet, Failure, FileChange, ProjectPath, RunState, StageState, StageStatus};

/// The failure of an item that wants to write what another item of its stage wrote differently; `None` when there is
/// no such file, or the stage is no item.
pub(super) fn contested_changes(state: &RunState, position: usize, changes: &ChangeSet) -> Option<Failure> {
    changes.files.iter().find_map(|change| contested(state, position, &change.path, Some(&change.after)))
}

/// The failure of an item that wants to write this file, to become `after` (its SHA-256; `None` when that is not
/// known), if another item of its stage wrote something else there.
pub fn contested(
    state: &RunState,
    position: usize,
    path: &ProjectPath,
    after: Option<&str>,
) -> Option<Failure> {
    let item = state.stages.get(position)?.item.as_ref()?;
    let wrote = |change: &FileChange| change.path == *path && Some(change.after.as_str()) != after;
    let is_other = |other: &StageState| {
        other.item.as_ref().is_some_and(|other| other.parent == item.parent && other.label != item.label)
            && matches!(other.status, StageStatus::Completed | StageStatus::Conflict)
            && other.change_set.iter().flat_map(|changes| &changes.files).any(wrote)
    };
    let (_, other) = state.current_stages().find(|(_, other)| is_other(other))?;
    let message =
        format!("'{path}' is written by '{}' too, and differently; its file was left as it is", other.name);
    Some(
        Failure::new("file-contested", message)
            .hint("name a file of its own for each item with ${matrix.…}, or write one file of the whole list in a stage behind"),
    )
}
