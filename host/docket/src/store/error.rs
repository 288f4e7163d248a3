//! What can go wrong with files, each with the path it is about.

use std::path::{Path, PathBuf};

use docket_core::run::JournalError;

use crate::disk::DiskError;

/// Something went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file can't be read or written, or is not to be believed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file of docket's own is not what docket writes.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// What is trusted can't be told, so nothing is.
    #[error("{} {detail}", path.display())]
    NotBelieved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
        /// What to do.
        fix: &'static str,
    },
    /// A run's journal can't be used.
    #[error("{} can't be used: {cause}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        #[source]
        cause: JournalError,
    },
    /// Another process owns the run.
    #[error("run {run} is owned by another docket process{}", owner.map(|id| format!(" (process {id})")).unwrap_or_default())]
    Owned {
        /// The run.
        run: String,
        /// The owner's process id, if it said so.
        owner: Option<u32>,
    },
    /// There is no such run.
    #[error("there is no run '{run}' in {}", project.display())]
    NoSuchRun {
        /// What was asked for.
        run: String,
        /// Where it was looked for.
        project: PathBuf,
        /// A run with a similar id.
        similar: Option<String>,
    },
    /// The run's folder was pruned; its record is still there.
    #[error("the folder of run {run} was pruned; what was kept of it is {}", record.display())]
    Pruned {
        /// The run.
        run: String,
        /// Its record.
        record: PathBuf,
    },
    /// A project's plugins.lock can't be read: it might refuse something.
    #[error("{}: {detail}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// No project here.
    #[error("{} is not inside a docket project (no folder above it has a .docket folder)", from.display())]
    NoProject {
        /// Where the search began.
        from: PathBuf,
    },
    /// A path leads through a symbolic link or out of the project.
    #[error("'{path}' {detail}")]
    OutsideProject {
        /// The path as given.
        path: String,
        /// How it leads out.
        detail: String,
    },
    /// A settings file has faults.
    #[error("{0}")]
    Faulty(docket_core::definition::Faults),
    /// A settings file can't be read as one.
    #[error("{}: {detail}", path.display())]
    BadConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong, with position where known.
        detail: String,
    },
}

impl StoreError {
    /// For `map_err`: says what was tried on which path.
    pub fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |cause| Self::Disk(DiskError::Io { action, path: path.to_owned(), cause })
    }
}
