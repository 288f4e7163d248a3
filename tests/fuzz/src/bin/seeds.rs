//! Writes what the fuzz targets begin with into the folders of their corpora: `seeds FOLDER` makes `FOLDER/<target>/…`.
//! For `cargo xtask fuzz`; must not take away what a fuzzer found there.

#![expect(clippy::print_stderr, reason = "a tool for the terminal")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use docket_fuzz::{TARGETS, Target, regressions};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: seeds FOLDER");
        return ExitCode::from(2);
    };
    for target in TARGETS {
        if let Err(cause) = write(target, &folder.join(target.name)) {
            eprintln!("error: the seeds of {}: {cause}", target.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(target: &Target, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for seed in (target.seeds)().into_iter().chain(regressions(target.name)) {
        std::fs::write(folder.join(format!("seed-{}", seed.name)), seed.bytes)?;
    }
    Ok(())
}
