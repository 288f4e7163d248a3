//! The crash harness as a program; `cargo xtask crash` builds docket and runs it. The report goes to standard output,
//! progress and violations to standard error. Exit code 1 when a promise was broken, 2 when it can't be run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal: printing is its job"
)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_tests::crash::{Options, report, run};

const HELP: &str = "\
Usage: crash --docket PATH [--deaths N] [--cases N] [--seed N] [--case N] [--jobs N] [--sabotage FAULTS]

  --docket PATH      docket's program, a debug build
  --deaths N         stops after this many process deaths (300)
  --cases N          or after this many cases
  --seed N           the series (1)
  --case N           only this case of the series
  --jobs N           how many cases run at the same time (2)
  --sabotage FAULTS  faults that every command has, as DOCKET_FAULTS has them: the harness must find violations
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let told = AtomicU64::new(0);
    let tell = |cases: u64, deaths: u64| {
        // Once for every few hundred deaths.
        if told.fetch_max(deaths / 250, Ordering::Relaxed) < deaths / 250 {
            eprintln!("{cases} cases, {deaths} deaths");
        }
    };
    let series = match run(&options, &tell) {
        Ok(series) => series,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    for found in &series.found {
        eprintln!("\nVIOLATION {}", report::violation(found));
    }
    let command = format!("cargo xtask crash {}", shown(&arguments));
    print!("{}", report::markdown(&series, command.trim_end()));
    if series.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        docket: String::new(),
        seed: 1,
        first: 0,
        deaths: 300,
        cases: u64::MAX,
        jobs: 2,
        sabotage: String::new(),
        stop_at_violation: false,
    };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("`{name}` needs a number, not '{value}'"));
        match name.as_str() {
            "--docket" => options.docket.clone_from(value),
            "--deaths" => options.deaths = number()?,
            "--cases" => options.cases = number()?,
            "--seed" => options.seed = number()?,
            "--case" => {
                options.first = number()?;
                options.cases = 1;
            }
            "--jobs" => options.jobs = usize::try_from(number()?).unwrap_or(1),
            "--sabotage" => options.sabotage.clone_from(value),
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    if options.docket.is_empty() {
        return Err("`--docket` is missing".to_owned());
    }
    Ok(options)
}

/// The arguments without the program's path, which differs from machine to machine.
fn shown(arguments: &[String]) -> String {
    let pairs = arguments.chunks(2).filter(|pair| pair[0] != "--docket");
    pairs.map(|pair| pair.join(" ")).collect::<Vec<_>>().join(" ")
}
