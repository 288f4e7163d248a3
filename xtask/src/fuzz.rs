//! `cargo xtask fuzz`: runs docket's fuzz targets with cargo-fuzz, one after the other, each for a time. What a target
//! does and what must hold is in `tests/fuzz`; how the results are read is in `docs/fuzzing.md`.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::process::{cargo, run, works};
use crate::setup;
use crate::workspace;

/// The targets, what can do most harm first; each is a file in `fuzz/fuzz_targets`.
const TARGETS: [&str; 9] =
    ["host", "journal", "definition", "manifest", "paths", "prompt", "expression", "agent", "document"];
/// How long each target runs unless told otherwise.
const SECONDS: u32 = 60;
/// When an input takes longer than this it counts as a fault.
const LONGEST_INPUT: &str = "-timeout=25";
/// Megabytes that a target may take.
const MEMORY: &str = "-rss_limit_mb=4096";
/// Bytes an input may have: a program, a definition or a journal of ordinary size.
const LARGEST_INPUT: &str = "-max_len=16384";

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u32,
    targets: Vec<&'static str>,
}

impl Options {
    /// Reads the task's arguments.
    ///
    /// # Errors
    /// Which one is not understood.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seconds: SECONDS, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "--seconds" => {
                    let seconds = value()?;
                    options.seconds =
                        seconds.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                            format!("`--seconds` takes a whole number from 1, not `{seconds}`")
                        })?;
                }
                "--target" => {
                    let name = value()?;
                    let target = TARGETS.iter().find(|target| *target == name);
                    options.targets.push(target.ok_or_else(|| {
                        format!("there is no fuzz target `{name}`; there are: {}", TARGETS.join(", "))
                    })?);
                }
                _ => return Err(format!("`fuzz` does not know `{argument}`")),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

/// Builds the targets and runs those that were chosen; stops at the first fault.
pub(crate) fn fuzz(options: &Options) -> Result<(), Failure> {
    if !works("cargo-fuzz", &["--version"]) {
        return Err(Failure::new(
            "cargo-fuzz is not installed. Add it with:  cargo install cargo-fuzz\n\
             Without it, `cargo test -p docket-fuzz` runs a few thousand inputs of every target.",
        ));
    }
    setup::ensure()?;
    let corpus = workspace::root().join("fuzz/corpus");
    run(cargo().args(["run", "--quiet", "--package", "docket-fuzz", "--bin", "seeds", "--"]).arg(&corpus))?;
    for target in &options.targets {
        run_target(target, options.seconds)?;
    }
    Ok(())
}

/// Runs one target. The stable toolchain has no sanitizers, and docket's own code is safe Rust; coverage it has.
fn run_target(target: &str, seconds: u32) -> Result<(), Failure> {
    let artifacts: PathBuf = workspace::root().join("fuzz/artifacts").join(target);
    let time = format!("-max_total_time={seconds}");
    run(cargo()
        .args(["fuzz", "run", "--sanitizer", "none", target, "--"])
        .args([&time, LONGEST_INPUT, MEMORY, LARGEST_INPUT, "-print_final_stats=1"]))
    .inspect_err(|_| {
        eprintln!(
            "\nThe input that broke `{target}` is in {}. Put it into tests/fuzz/regressions/{target} with its fix.",
            artifacts.display()
        );
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_chosen_is_run_and_everything_otherwise() {
        let options = parse(&["--target", "paths", "--seconds", "5"]).expect("understood");
        assert_eq!(options, Options { seconds: 5, targets: vec!["paths"] });
        assert_eq!(parse(&[]).expect("understood").targets, TARGETS);
        assert!(parse(&["--target", "x"]).is_err_and(|message| message.contains("journal")));
        assert!(parse(&["--seconds", "0"]).is_err_and(|message| message.contains("--seconds")));
        assert!(parse(&["--fast"]).is_err_and(|message| message.contains("--fast")));
    }

    #[test]
    fn every_target_has_its_file_and_every_file_is_a_target() {
        let folder = workspace::root().join("fuzz/fuzz_targets");
        let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            name.trim_end_matches(".rs").to_owned()
        });
        let mut files: Vec<String> = files.collect();
        let mut targets = TARGETS.map(str::to_owned).to_vec();
        files.sort();
        targets.sort();
        assert_eq!(files, targets);
    }
}
