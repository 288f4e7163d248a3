//! Plugins: what a component says about itself, which ones there are, and running one stage of one in a sandbox.
//!
//! Must not know runs, journals or where anything is stored: paths, grants and limits come in with each call.

#![expect(
    clippy::disallowed_methods,
    reason = "sandboxes are made of files, and plugin/host starts processes"
)]

mod asked_limits;
pub mod cache;
mod capabilities;
pub mod catalog;
mod compile;
pub mod conformance;
pub mod exports;
pub mod grants;
pub mod host;
mod imports;
pub mod limits;
mod machine;
pub mod manifest;
pub mod pack;
mod reply;
mod runtime;
pub mod scaffold;
mod tier;
mod trap;

pub use asked_limits::AskedLimits;
pub use catalog::{Catalog, Plugin, PluginOrigin};
pub use grants::{GrantError, Grants};
pub use limits::Limits;
pub use manifest::Manifest;
pub use runtime::{Outcome, Runtime, StageCall, StageReply};
