//! `cargo xtask test`: what has to pass before anything is merged. Prints nothing after cargo's own summary.

use crate::failure::Failure;
use crate::process::{cargo, run};
use crate::setup;

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Formatting, lints and tests.
    Everything,
    /// Tests only.
    TestsAlone,
}

/// Runs the checks in the order of how soon they fail, up to the first that does, and exits with its code.
pub(crate) fn test(extent: Extent) -> Result<(), Failure> {
    setup::ensure()?;
    if extent == Extent::Everything {
        run(cargo().args(["fmt", "--all", "--check"])).inspect_err(|_| {
            eprintln!("\nThe formatting differs as shown above. Mend it with: cargo fmt --all");
        })?;
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    }
    run(cargo().args(["test", "--workspace"]))
}
