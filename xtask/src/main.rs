//! `cargo xtask`: everything a developer or a CI machine runs that is not plain cargo. Needs only the toolchain, and
//! must not depend on docket itself: it has to compile on a machine that cannot build docket yet.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal: printing is its job"
)]

mod agents;
mod authors;
mod bench;
mod crash;
mod demo;
mod failure;
mod fuzz;
mod process;
mod scratch;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use failure::Failure;

const HELP: &str = "\
Tasks of docket's workspace.

Usage: cargo xtask <task>

  setup            Adds what the toolchain lacks to build docket: the target wasm32-wasip2, rustfmt, clippy
  demo             Builds docket and reviews its own documents from three perspectives, in a copy
  test [--fast]    Formatting, clippy with warnings as errors, all tests; --fast runs the tests alone
        [--agents [NAME..]]  has real agents from npm review docket's own documents, against a scripted model on
                             loopback; NAME: only checks with it in their names, such as codex; needs npm
        [--authors]          follows the guide for plugin authors instead, in Rust and Python; needs the network
  bench [WHAT..]   Measures a release build against the budgets. WHAT: runs, stage, status, list, control, fanout,
                   context, all (default)
        [--json]             prints the raw figures as JSON
        [--peers]            measures langgraph, dbos and prefect beside docket; installs them from PyPI
        [--python PATH]      makes their environments with this Python instead of python3
        [--docket PATH]      measures this program instead of building one
  crash            Kills docket and its helpers some 20,000 times and checks that nothing is lost or done twice
        [--deaths N] [--cases N] [--seed N] [--jobs N]    how long and which series; --case N runs one of its cases
        [--sabotage FAULTS]  breaks docket in a known way, to see that it is found
        [--write]            puts the table into docs/reliability.md
  fuzz             Looks for inputs that break a promise, with cargo-fuzz: every target for a minute
        [--seconds N] [--target T]..    how long each, and which

`demo`, `test`, `bench`, `crash` and `fuzz` do what `setup` does first, if it is needed.
";

/// Exit code for a wrong command line, as docket's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                eprintln!("\nerror: {message}");
            }
            failure.exit_code()
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((task, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    if rest.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        print!("{HELP}");
        return Ok(());
    }
    match task.as_str() {
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        "setup" => {
            no_more(task, rest)?;
            setup::setup()
        }
        "demo" => {
            no_more(task, rest)?;
            demo::demo()
        }
        "test" => match rest {
            [] => test::test(test::Extent::Everything),
            [flag] if flag == "--fast" => test::test(test::Extent::TestsAlone),
            [flag] if flag == "--authors" => authors::follow_the_guide(),
            [flag, names @ ..] if flag == "--agents" => {
                agents::test(&agents::Options::parse(names).map_err(|message| usage(&message))?)
            }
            [other, ..] => Err(usage(&format!(
                "`test` does not know `{other}`; it takes --fast, --agents, --authors or nothing"
            ))),
        },
        "crash" => crash::crash(&crash::Options::parse(rest).map_err(|message| usage(&message))?),
        "fuzz" => fuzz::fuzz(&fuzz::Options::parse(rest).map_err(|message| usage(&message))?),
        "bench" => bench::bench(&bench::Options::parse(rest).map_err(|message| usage(&message))?),
        other => Err(usage(&format!("there is no task `{other}`"))),
    }
}

fn no_more(task: &str, rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(other) => Err(usage(&format!("`{task}` takes no arguments, but got `{other}`"))),
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(format!("{message}\n\n{HELP}")).with_code(USAGE)
}
