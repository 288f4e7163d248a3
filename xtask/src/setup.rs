//! `cargo xtask setup`: gives the toolchain in use what docket needs to be built. Changes nothing that is there
//! already, and says what it did.

mod debian;

use std::process::Command;

use docket_component_build::{TARGET, Toolchain, toolchain};

use crate::failure::Failure;
use crate::process::{self, run, works};
use crate::workspace;

/// The task: as [`ensure`], and says so when nothing was to be done.
pub(crate) fn setup() -> Result<(), Failure> {
    let ready = has_target();
    let complete = missing_tools().is_empty();
    ensure()?;
    let what = if ready && complete { "Nothing to do" } else { "Done" };
    let how = match toolchain("rustc") {
        Toolchain::Debian => {
            "components are built with Debian's compiler (`rustup target add wasm32-wasip2` would replace it)"
        }
        Toolchain::Installed | Toolchain::Missing => "the toolchain can build docket and its components",
    };
    eprintln!("{what}: {how}.");
    Ok(())
}

/// Adds what is missing. Quiet and quick when nothing is.
///
/// # Errors
/// When components can't be built on this machine, with what was tried. Missing rustfmt or clippy is only a
/// warning: docket can be built and run without them.
pub(crate) fn ensure() -> Result<(), Failure> {
    if !has_target() {
        add_target()?;
    }
    let missing = missing_tools();
    if !missing.is_empty() {
        let mut command = rustup("component");
        command.arg("add").args(&missing);
        if run(&mut command).is_err() || !missing_tools().is_empty() {
            let missing = missing.join(" and ");
            eprintln!("warning: no {missing}; docket can be built, but `cargo xtask test` needs --fast");
        }
    }
    Ok(())
}

fn has_target() -> bool {
    toolchain("rustc") != Toolchain::Missing
}

fn add_target() -> Result<(), Failure> {
    eprintln!("The compiler has no standard library for {TARGET}, which components are built for.");
    let refusal = match add_with_rustup() {
        Ok(()) => return Ok(()),
        Err(refusal) => refusal,
    };
    eprintln!("{refusal}. Trying Debian's packages.");
    debian::install().map_err(|cause| {
        Failure::new(format!(
            "docket's components can't be built here: {refusal}, and {cause}.\n\
             Get the target {TARGET} for this toolchain, e.g. with `rustup target add {TARGET}`, and try again."
        ))
    })
}

fn add_with_rustup() -> Result<(), String> {
    if !works("rustup", &["--version"]) {
        return Err("rustup can't be run".to_owned());
    }
    run(rustup("target").args(["add", TARGET])).map_err(|_| format!("rustup did not add {TARGET}"))?;
    match toolchain("rustc") {
        Toolchain::Installed => Ok(()),
        // A toolchain that rustup does not run: the compiler in use is another one.
        Toolchain::Debian | Toolchain::Missing => {
            Err(format!("rustup added {TARGET} to a toolchain other than the one in use"))
        }
    }
}

/// rustup works on the toolchain that runs this task: from a proxy, `RUSTUP_TOOLCHAIN` names it, and otherwise
/// `rust-toolchain.toml` in the folder does.
fn rustup(area: &str) -> Command {
    let mut command = Command::new("rustup");
    command.arg(area).current_dir(workspace::root());
    command
}

/// The components that `cargo xtask test` needs and that are not there.
fn missing_tools() -> Vec<&'static str> {
    let there =
        |subcommand: &str| process::output(process::cargo().args([subcommand, "--version"])).is_some();
    [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(subcommand, _)| !there(subcommand))
        .map(|(_, component)| component)
        .collect()
}
