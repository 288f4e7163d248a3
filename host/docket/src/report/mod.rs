//! What happened, in words: folds events into lines for people. The same for a run that is happening and for one that
//! is read from its journal. Must not print or know where lines go.

pub mod context;
pub mod difference;
pub mod live;
pub mod prune;
pub mod results;
pub mod shapes;
pub mod status;
pub mod time;
pub mod timeline;
pub mod usage;
pub mod verify;
pub mod words;
