//! Scenarios through the real binary, one module per subject. Each runs in a place of its own, needs no network and
//! nothing installed.

use docket_tests::Place;

mod review;

/// The binary under test.
const DOCKET: &str = env!("CARGO_BIN_EXE_docket");

/// A place with a project.
fn place() -> Place {
    Place::new(DOCKET)
}
