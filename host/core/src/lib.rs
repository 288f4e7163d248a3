//! docket's rules: what should happen, as plain functions over plain data.
//!
//! Nothing here does anything: no file, no clock, no randomness, no process, no terminal, no WebAssembly. Time,
//! ids and the text of files come in as arguments; what has to be done goes out as values. That is what makes
//! the rules testable without a machine around them, and a crashed run resumable: the same facts, folded the same
//! way, lead to the same decision.

mod budget;
pub mod definition;
mod duration;
pub mod run;
pub mod secret;
pub mod text;

pub use budget::{Budget, Dollars};
pub use duration::Duration;

/// The date and time of something, as the journal keeps it.
pub type Timestamp = jiff::Timestamp;
