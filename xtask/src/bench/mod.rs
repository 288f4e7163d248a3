//! `cargo xtask bench`: measures a release build against the budgets of `docs/performance.md`, in projects of its
//! own. Writes nothing outside the target folder and judges nothing: it prints figures.

mod baseline;
mod context;
mod control;
mod fanout;
mod figure;
mod list;
mod machine;
mod measure;
mod peers;
mod review;
mod stage;

use std::path::PathBuf;

use figure::Figure;
use machine::Machine;

use crate::failure::Failure;
use crate::scratch::Scratch;
use crate::setup;
use crate::workspace::{self, Profile};

/// Something to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Runs,
    Stage,
    Status,
    List,
    Control,
    Fanout,
    Context,
}

const ALL: [Subject; 7] = [
    Subject::Runs,
    Subject::Stage,
    Subject::Status,
    Subject::List,
    Subject::Control,
    Subject::Fanout,
    Subject::Context,
];

/// What to measure and how to tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    subjects: Vec<Subject>,
    /// Whether other engines are run beside docket.
    peers: bool,
    json: bool,
    docket: Option<PathBuf>,
    python: Option<PathBuf>,
}

impl Options {
    /// Reads the task's arguments.
    ///
    /// # Errors
    /// Which one is not understood.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options =
            Self { subjects: Vec::new(), peers: false, json: false, docket: None, python: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "runs" => options.subjects.push(Subject::Runs),
                "stage" => options.subjects.push(Subject::Stage),
                "status" => options.subjects.push(Subject::Status),
                "list" => options.subjects.push(Subject::List),
                "control" => options.subjects.push(Subject::Control),
                "fanout" => options.subjects.push(Subject::Fanout),
                "context" => options.subjects.push(Subject::Context),
                "all" => options.subjects.extend(ALL),
                "--peers" => options.peers = true,
                "--json" => options.json = true,
                "--docket" => {
                    let path = arguments.next().ok_or("`--docket` needs the path of a docket program")?;
                    options.docket = Some(PathBuf::from(path));
                }
                "--python" => {
                    let path = arguments.next().ok_or("`--python` needs the path of a Python")?;
                    options.python = Some(PathBuf::from(path));
                }
                other => return Err(format!("`bench` does not know `{other}`")),
            }
        }
        if options.subjects.is_empty() && !options.peers {
            options.subjects.extend(ALL);
        }
        Ok(options)
    }
}

/// Measures and prints.
pub(crate) fn bench(options: &Options) -> Result<(), Failure> {
    let program = match &options.docket {
        Some(program) => program.clone(),
        None => {
            setup::ensure()?;
            workspace::build_docket(Profile::Release)?
        }
    };
    let machine = Machine::look();
    let baseline = baseline::measure(&workspace::target_folder()?)?;
    let mut figures: Vec<Figure> = Vec::new();
    for subject in ALL.into_iter().filter(|subject| options.subjects.contains(subject)) {
        match subject {
            Subject::Runs => figures.extend(review::measure(&program)?),
            Subject::Stage => figures.extend(stage::measure(&program, &baseline)?),
            Subject::Status => figures.extend(list::measure_status(&program)?),
            Subject::List => figures.extend(list::measure_list(&program)?),
            Subject::Control => figures.extend(control::measure(&program)?),
            Subject::Fanout => figures.extend(fanout::measure(&program)?),
            Subject::Context => figures.extend(context::measure(&program)?),
        }
    }
    let compare = || peers::measure(&program, options.python.as_deref());
    let comparison = options.peers.then(compare).transpose()?;
    if options.json {
        println!("{}", figure::json(&machine, &baseline, &figures, comparison.as_ref()));
        return Ok(());
    }
    println!("{}", figure::heading(&machine, &baseline));
    if !figures.is_empty() {
        print!("\n{}", figure::text(&baseline, &figures));
    }
    if let Some(comparison) = &comparison {
        print!("\n{}", peers::text(comparison));
    }
    Ok(())
}

/// Runs docket once where it has to succeed for anything to be measured.
fn prepare(scratch: &Scratch, arguments: &[&str]) -> Result<(), Failure> {
    measure::once(scratch, arguments).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_measured_unless_named() {
        assert_eq!(parse(&[]).map(|options| options.subjects), Ok(ALL.to_vec()));
        assert_eq!(
            parse(&["all", "--json"]).map(|options| (options.subjects, options.json)),
            Ok((ALL.to_vec(), true))
        );
        assert_eq!(parse(&["list"]).map(|options| options.subjects), Ok(vec![Subject::List]));
    }

    #[test]
    fn the_peers_are_measured_when_asked_for_and_alone_unless_more_is_named() {
        assert_eq!(
            parse(&["--peers"]).map(|options| (options.subjects, options.peers)),
            Ok((Vec::new(), true))
        );
        let both = parse(&["--peers", "list", "--python", "python3.12"]).expect("they are known");
        assert_eq!((both.subjects, both.peers), (vec![Subject::List], true));
        assert_eq!(both.python, Some(PathBuf::from("python3.12")));
        assert!(parse(&["all"]).is_ok_and(|options| !options.peers));
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert!(parse(&["--python"]).is_err_and(|message| message.contains("--python")));
        assert!(parse(&["speed"]).is_err_and(|message| message.contains("speed")));
        assert!(parse(&["--docket"]).is_err_and(|message| message.contains("--docket")));
    }
}
