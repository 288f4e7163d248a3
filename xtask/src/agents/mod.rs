//! `cargo xtask test --agents`: real agents and a real MCP client, from npm, run docket's own review of a copy of its own
//! documents, against a scripted model on loopback. No account, no real model, and nothing leaves the machine but what npm
//! fetches. Needs the network for that, so it is no part of the plain tests.

mod checks;
mod dialect;
mod http;
mod model;
mod packages;
mod setup;
mod tripwire;

use crate::failure::Failure;
use crate::process;
use crate::setup as toolchain;
use crate::workspace::{self, Profile};

use checks::{CHECKS, Check, Seen};
use packages::{PACKAGES, Packages};

/// Which checks to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Only those whose names contain one of these; all when empty.
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments after `--agents`.
    ///
    /// # Errors
    /// When one of them is part of no check's name.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let names = || CHECKS.iter().map(|check| check.name).collect::<Vec<_>>().join(", ");
        let is_none = |wanted: &&String| !CHECKS.iter().any(|check| check.name.contains(wanted.as_str()));
        match arguments.iter().find(is_none) {
            Some(unknown) => {
                Err(format!("there is no check of agents like `{unknown}`; there are: {}", names()))
            }
            None => Ok(Self { only: arguments.to_vec() }),
        }
    }

    fn wants(&self, check: &Check) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| check.name.contains(wanted.as_str()))
    }
}

/// Runs the checks and says what came of each.
pub(crate) fn test(options: &Options) -> Result<(), Failure> {
    for program in ["npm", "node"] {
        if !process::works(program, &["--version"]) {
            println!("Skipped: {program} is not there, and the agents are npm packages.");
            return Ok(());
        }
    }
    toolchain::ensure()?;
    let docket = workspace::build_docket(Profile::Development)?;
    let packages = Packages::install()?;
    println!("\nTested with:");
    for (name, version) in PACKAGES {
        println!("  {name} {version}");
    }
    println!(
        "  node {}\n",
        process::output(std::process::Command::new("node").arg("--version")).unwrap_or_default()
    );
    let mut failed = 0;
    for check in CHECKS.iter().filter(|check| options.wants(check)) {
        match checks::run(check, &docket, &packages) {
            Ok(seen) => println!("ok    {:<28} {}", check.name, told(&seen)),
            Err(failure) => {
                failed += 1;
                println!("FAIL  {:<28} {}", check.name, failure.message().unwrap_or("see above"));
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(Failure::new(format!("{failed} check(s) of agents failed"))) }
}

fn told(seen: &Seen) -> String {
    format!(
        "{} request(s) to the model, {} tokens in and {} out recorded, {:.1} s",
        seen.requests, seen.input_tokens, seen.output_tokens, seen.seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_chosen_by_parts_of_their_names() {
        let parse =
            |words: &[&str]| Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let chosen = |options: &Options| CHECKS.iter().filter(|check| options.wants(check)).count();
        assert_eq!(chosen(&parse(&[]).expect("all")), CHECKS.len());
        assert!((2..CHECKS.len()).contains(&chosen(&parse(&["codex"]).expect("some"))));
        assert!(parse(&["codecs"]).is_err_and(|message| message.contains("codex by shell")));
    }
}
