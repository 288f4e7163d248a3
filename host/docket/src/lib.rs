//! docket: making what `docket-core` decides happen.
//!
//! Imports go one way: `main → cli → mcp → engine → {plugin, store} → docket-core`, and `cli → {store, report}`. `disk` lies
//! below `store` and `plugin`, which never meet. Only `cli/ui.rs` prints; only `store`, `disk` and `plugin` touch
//! files; only `cli/error.rs` knows exit codes; only `cli/settings.rs` reads the environment.

pub mod cli;
pub mod disk;
pub mod engine;
pub mod mcp;
pub mod plugin;
pub mod report;
pub mod store;

/// What is built into docket: its own components and the files of `workflows/`.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
