//! The program. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(docket::cli::run(std::env::args_os().collect()))
}
