//! Everything docket keeps in files: projects, runs, journals, change sets, trust, config.
//!
//! Besides `plugin/host` this is the only place that touches files. It must not know plugins, run anything, print
//! anything or decide anything about a run: it stores what `docket-core` decides.

#![expect(clippy::disallowed_methods, reason = "this is the room that touches files")]

pub mod archive;
pub mod audit;
pub mod change;
pub mod claims;
pub mod config;
pub mod definitions;
mod error;
pub mod home;
pub mod inbox;
pub mod journal;
pub mod list;
pub mod plugin_files;
pub mod plugin_lock;
pub mod project;
pub mod prune;
pub mod run_folder;
pub mod snapshot;
pub mod trust;
pub mod user_file;
pub mod verify;

pub use error::StoreError;
pub use home::Home;
pub use project::Project;
pub use run_folder::RunFolder;
