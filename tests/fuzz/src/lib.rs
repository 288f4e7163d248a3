//! Docket's fuzz targets: one function each, which takes any bytes and panics when something that docket promises does
//! not hold. They are run by the fuzzer (`fuzz/`, `cargo xtask fuzz`), and for a moment each by the tests.
//!
//! Every target says in its module what holds. Must not contain rules of docket's: what is expected is said again here
//! in another way, or follows from two things that docket says.

mod agent;
mod definition;
mod document;
mod drive;
mod expression;
#[cfg(feature = "host")]
mod host;
mod journal;
#[cfg(feature = "host")]
mod manifest;
pub mod mutate;
#[cfg(feature = "host")]
mod paths;
mod prompt;
mod sample;
mod seeds;

pub use agent::agent;
pub use definition::definition;
pub use document::document;
pub use expression::expression;
#[cfg(feature = "host")]
pub use host::{become_helper, clean_up, host, sabotage};
pub use journal::journal;
#[cfg(feature = "host")]
pub use manifest::manifest;
#[cfg(feature = "host")]
pub use paths::paths;
pub use prompt::prompt;
pub use seeds::{Seed, regressions};

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of its function here, of its file below `fuzz/fuzz_targets`, and of its corpus.
    pub name: &'static str,
    /// Takes an input; panics when something does not hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Seed>,
    /// How many changed inputs the tests run.
    pub smoke_runs: usize,
}

/// All targets that were built.
pub const TARGETS: &[Target] = &[
    Target { name: "definition", run: definition, seeds: seeds::definition, smoke_runs: 1_500 },
    Target { name: "expression", run: expression, seeds: seeds::expression, smoke_runs: 3_000 },
    Target { name: "prompt", run: prompt, seeds: seeds::prompt, smoke_runs: 3_000 },
    Target { name: "journal", run: journal, seeds: seeds::journal, smoke_runs: 1_500 },
    Target { name: "agent", run: agent, seeds: seeds::agent, smoke_runs: 4_000 },
    Target { name: "document", run: document, seeds: seeds::document, smoke_runs: 1_500 },
    #[cfg(feature = "host")]
    Target { name: "paths", run: paths, seeds: seeds::paths, smoke_runs: 20_000 },
    #[cfg(feature = "host")]
    Target { name: "manifest", run: manifest, seeds: seeds::manifest, smoke_runs: 4_000 },
    #[cfg(feature = "host")]
    Target { name: "host", run: host, seeds: seeds::host, smoke_runs: 400 },
];

/// An input as text; `None` when it is none, or longer than makes sense to look at.
pub(crate) fn text(data: &[u8]) -> Option<&str> {
    const LONGEST: usize = 64 * 1024;
    std::str::from_utf8(data).ok().filter(|text| text.len() <= LONGEST)
}

/// Asserts that a text that people are shown holds nothing that a terminal obeys. Line ends are fine.
pub(crate) fn assert_harmless(what: &str, text: &str) {
    let bad = text.chars().find(|character| character.is_control() && *character != '\n');
    assert!(bad.is_none(), "{what} contains {bad:?}: {text:?}");
}
