//! A run's journal as a file: read, cut off a torn end, append. The format is `docket_core::run`'s.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use docket_core::Timestamp;
use docket_core::run::{Decision, Journal, RunState, Tail, Writer, read};

use super::StoreError;
use crate::disk::fault::{self, Point};
use crate::disk::sync_folder;

/// An open journal. Only a run's owner has one.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
    writer: Writer,
}

/// Reads a journal without becoming its owner.
///
/// # Errors
/// [`StoreError::Journal`] when it can't be trusted.
pub fn load(path: &Path) -> Result<Journal, StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::io("can't read", path))?;
    read(&bytes).map_err(|cause| StoreError::Journal { path: path.to_owned(), cause })
}

/// Folds a journal into a state.
///
/// # Errors
/// When it can't be read or trusted.
pub fn load_state(path: &Path) -> Result<RunState, StoreError> {
    state_of(&load(path)?, path)
}

/// Folds a loaded journal into a state; `path` is for the error.
///
/// # Errors
/// When it does not begin with the start of a run.
pub fn state_of(journal: &Journal, path: &Path) -> Result<RunState, StoreError> {
    journal.state().ok_or_else(|| StoreError::Damaged {
        path: path.to_owned(),
        detail: "it does not begin with the start of a run".to_owned(),
    })
}

/// Refuses a journal that is not that of the run whose folder it lies in: one of a copied folder, which would write the
/// same files as the run itself.
///
/// # Errors
/// [`StoreError::Damaged`], with both ids and what to do.
pub fn refuse_other(state: &RunState, run: &str, path: &Path) -> Result<(), StoreError> {
    if state.id() == run {
        return Ok(());
    }
    let detail = format!(
        "it is the journal of run {}, not of {run}; if the folder is a copy, remove it and go on with the run itself",
        docket_core::text::printable(state.id())
    );
    Err(StoreError::Damaged { path: path.to_owned(), detail })
}

impl JournalFile {
    /// Creates an empty journal. Only for the run's owner, who knows that there is none with a whole record: what a
    /// start that died before its first record left is thrown away.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            file.set_len(0)?;
            Ok(file)
        };
        let file = fault::at(Point::JournalCreate, open).map_err(StoreError::io("can't create", path))?;
        Ok(Self { path: path.to_owned(), file, writer: Writer::default() })
    }

    /// Opens a journal that was loaded, to go on with it. What a torn write left at its end is cut off: that record
    /// was never acted upon. Only for the run's owner, who knows that nobody wrote since it was loaded.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn open(path: &Path, journal: Journal) -> Result<Self, StoreError> {
        let mut file =
            OpenOptions::new().append(true).open(path).map_err(StoreError::io("can't open", path))?;
        if let Tail::Torn { sound } = journal.tail {
            let cut = || {
                file.set_len(sound as u64)?;
                file.sync_all()?;
                file.seek(SeekFrom::End(0)).map(|_| ())
            };
            fault::act(Point::JournalCut, cut).map_err(StoreError::io("can't cut the torn end off", path))?;
        }
        Ok(Self { path: path.to_owned(), file, writer: journal.writer })
    }

    /// Appends a decision's events as one record, and waits for the disk when the decision asks for it. Nothing is
    /// written for a decision without events.
    ///
    /// # Errors
    /// When the record may not be on disk. Nothing may be done on the strength of it then.
    pub fn append(&mut self, at: Timestamp, decision: &Decision) -> Result<(), StoreError> {
        if decision.events.is_empty() {
            return Ok(());
        }
        let before = self.writer.clone();
        let length = self.file.metadata().map_err(StoreError::io("can't look at", &self.path))?.len();
        let line = self.writer.line(at, &decision.events).map_err(|cause| StoreError::Damaged {
            path: self.path.clone(),
            detail: format!("BUG: an event can't be written: {cause}"),
        })?;
        let sync = || fault::act(Point::JournalSync, || self.file.sync_data());
        let written = fault::write(Point::JournalWrite, &self.file, line.as_bytes())
            .and_then(|()| if decision.durable { sync() } else { Ok(()) });
        if let Err(cause) = written {
            // A half-written line would make the next one unreadable; if even cutting it off fails, the next
            // owner sees a torn end and cuts it off.
            self.writer = before;
            let _ = self.file.set_len(length);
            return Err(StoreError::io("can't append to", &self.path.clone())(cause));
        }
        Ok(())
    }

    /// Makes the journal's own name durable; once, after the first record.
    ///
    /// # Errors
    /// When the folders can't be synced.
    pub fn sync_name(&self) -> Result<(), StoreError> {
        fault::before(Point::JournalName).map_err(StoreError::io("can't sync", &self.path))?;
        for folder in self.path.ancestors().skip(1).take(2) {
            sync_folder(folder)?;
        }
        fault::after(Point::JournalName);
        Ok(())
    }
}
