//! `cargo xtask crash`: builds docket and its crash harness (`tests/src/crash`), runs it, and puts its report into
//! `docs/reliability.md`. What is run and judged is the harness's business.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::process::{self, cargo};
use crate::setup;
use crate::workspace::{self, Profile};

/// Between these lines of the document lies the report.
const BEGIN: &str = "<!-- begin: cargo xtask crash -->";
const END: &str = "<!-- end: cargo xtask crash -->";
/// How many deaths there are unless told otherwise.
const DEATHS: &str = "20000";

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Passed on to the harness.
    harness: Vec<String>,
    /// Whether the report goes into the document.
    write: bool,
}

impl Options {
    /// Reads the task's arguments.
    ///
    /// # Errors
    /// Which one is not understood.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        const KNOWN: [&str; 6] = ["--deaths", "--cases", "--seed", "--case", "--jobs", "--sabotage"];
        let mut options = Self { harness: Vec::new(), write: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--write" {
                options.write = true;
            } else if KNOWN.contains(&argument.as_str()) {
                let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a value"))?;
                options.harness.extend([argument.clone(), value.clone()]);
            } else {
                return Err(format!("`crash` does not know `{argument}`"));
            }
        }
        let is_bounded =
            options.harness.iter().any(|word| ["--deaths", "--cases", "--case"].contains(&word.as_str()));
        if !is_bounded {
            options.harness.extend(["--deaths".to_owned(), DEATHS.to_owned()]);
        }
        Ok(options)
    }
}

/// Runs the harness, prints its report, and writes it down if that is wanted and no promise was broken.
pub(crate) fn crash(options: &Options) -> Result<(), Failure> {
    setup::ensure()?;
    let docket = workspace::build_docket(Profile::Development)?;
    process::run(cargo().args(["build", "--package", "docket-tests", "--bin", "crash"]))?;
    let harness = docket.with_file_name(format!("crash{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&harness);
    command.arg("--docket").arg(&docket).args(&options.harness);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|cause| Failure::file("run", &harness, &cause))?;
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{report}");
    if !output.status.success() {
        return Err(Failure::already_told(output.status));
    }
    if options.write { write(&report) } else { Ok(()) }
}

fn write(report: &str) -> Result<(), Failure> {
    let path: PathBuf = workspace::root().join("docs/reliability.md");
    let text = std::fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
    let text = replaced(&text, report).ok_or_else(|| {
        Failure::new(format!("{} has no lines `{BEGIN}` and `{END}` for the report", path.display()))
    })?;
    std::fs::write(&path, text).map_err(|cause| Failure::file("write", &path, &cause))
}

/// The document with the report in its place.
fn replaced(text: &str, report: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", report.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_run_has_an_end() {
        let words = |options: Result<Options, String>| options.expect("understood").harness.join(" ");
        assert_eq!(words(parse(&["--write"])), "--deaths 20000");
        assert_eq!(words(parse(&["--seed", "7"])), "--seed 7 --deaths 20000");
        assert_eq!(words(parse(&["--seed", "7", "--case", "3"])), "--seed 7 --case 3");
        assert!(parse(&["--fast"]).is_err_and(|message| message.contains("--fast")));
        assert!(parse(&["--seed"]).is_err_and(|message| message.contains("needs a value")));
    }

    #[test]
    fn only_the_report_is_replaced() {
        let text = format!("Before.\n\n{BEGIN}\n\nold\n\n{END}\n\nAfter.\n");
        let wanted = format!("Before.\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n");
        assert_eq!(replaced(&text, "new\n"), Some(wanted));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
