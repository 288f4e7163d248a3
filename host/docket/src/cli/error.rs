//! Every error a user can meet: what is said, what helps, and the exit code. The one place that knows exit codes.

use std::fmt::Write as _;

use docket_core::text::{printable, printable_lines};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::disk::DiskError;
use crate::engine::EngineError;
use crate::report::words;
use crate::store::StoreError;
use crate::store::trust::Standing;

/// How docket ends. `docs/exit-codes.md` describes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Done,
    /// The run failed, or docket did.
    RunFailed,
    /// Wrong usage or definition.
    Usage,
    /// A person or another program has to answer.
    Waiting,
    /// Not trusted or not granted.
    NotTrusted,
    /// Somebody else changed or owns something.
    Conflict,
    /// Ctrl-C.
    Interrupted,
}

impl ExitCode {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::RunFailed => 1,
            Self::Usage => 2,
            Self::Waiting => 3,
            Self::NotTrusted => 4,
            Self::Conflict => 5,
            Self::Interrupted => 130,
        }
    }
}

/// What can go wrong with a command.
#[derive(Debug)]
pub enum CliError {
    /// The arguments don't fit.
    Usage(Box<clap::Error>),
    /// Something below.
    Engine(EngineError),
    /// A mistake of the user's that only the command line can see.
    Mistake {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Trust was asked for where nobody could be asked.
    NobodyToAsk {
        /// What was to be asked.
        what: &'static str,
        /// What to run.
        command: String,
    },
    /// The user said no.
    Declined {
        /// To what.
        what: &'static str,
    },
    /// A check found faults, which were shown.
    Faulty(usize),
    /// `doctor` found something missing, which was shown.
    Unwell,
    /// What is wrong was shown already; this sums it up.
    Shown(String),
    /// Standard output can't be written.
    Output(std::io::Error),
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<DiskError> for CliError {
    fn from(error: DiskError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl CliError {
    /// A mistake of the user's.
    pub fn mistake(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Mistake { message: message.into(), hint: Some(hint.into()) }
    }
}

/// An error as programs get it with `--output json`. Published as `docket schema error`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorShape {
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// docket's exit code.
    pub exit_code: u8,
    /// A definition's faults, with positions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Value>,
}

/// An error, told.
pub struct Told {
    /// What went wrong; may have several lines.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How docket ends.
    pub exit: ExitCode,
}

impl CliError {
    /// The error in words.
    pub fn tell(&self) -> Told {
        let told = |message: String, hint: Option<String>, exit| Told { message, hint, exit };
        match self {
            Self::Usage(usage) => told(usage.to_string(), None, ExitCode::Usage),
            Self::Engine(error) => tell_engine(error),
            Self::Mistake { message, hint } => told(message.clone(), hint.clone(), ExitCode::Usage),
            Self::NobodyToAsk { what, command } => told(
                format!("{what} needs a person at a terminal"),
                Some(format!("look at what is listed, then run `{command}`")),
                ExitCode::NotTrusted,
            ),
            Self::Declined { what } => {
                told(format!("{what}: nothing was changed"), None, ExitCode::NotTrusted)
            }
            Self::Faulty(count) => told(format!("{count} definition(s) with faults"), None, ExitCode::Usage),
            Self::Unwell => told("something is missing; see above".to_owned(), None, ExitCode::RunFailed),
            Self::Shown(summary) => told(summary.clone(), None, ExitCode::RunFailed),
            Self::Output(cause) => {
                told(format!("can't write the output: {cause}"), None, ExitCode::RunFailed)
            }
        }
    }

    /// The error for programs.
    pub fn shape(&self) -> ErrorShape {
        let told = self.tell();
        let faults = match self {
            Self::Engine(
                EngineError::Definition(faults) | EngineError::Store(StoreError::Faulty(faults)),
            ) => serde_json::to_value(faults).ok(),
            _ => None,
        };
        ErrorShape { message: told.message, hint: told.hint, exit_code: told.exit.code(), faults }
    }
}

fn tell_engine(error: &EngineError) -> Told {
    let message = printable_lines(&error.to_string());
    let told = |hint: Option<String>, exit| Told { message: message.clone(), hint, exit };
    match error {
        // Rendered with its own escaping: carets need their columns.
        EngineError::Definition(faults) | EngineError::Store(StoreError::Faulty(faults)) => {
            Told { message: faults.to_string().trim_end().to_owned(), hint: None, exit: ExitCode::Usage }
        }
        EngineError::Store(error) => tell_store(error),
        EngineError::NoDefinition { similar, known, .. } => told(
            Some(match similar {
                Some(similar) => format!("did you mean '{similar}'? There are: {}", known.join(", ")),
                None => format!("there are: {}", known.join(", ")),
            }),
            ExitCode::Usage,
        ),
        EngineError::Inputs(errors) => {
            let mut message = String::new();
            for error in errors {
                let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let _ = writeln!(message, "{}{}", printable(&error.message), printable(&hint));
            }
            let hint = Some("`docket workflow start NAME --help` shows a workflow's inputs".to_owned());
            Told { message: message.trim_end().to_owned(), hint, exit: ExitCode::Usage }
        }
        EngineError::Expression(error) => told(error.hint.clone(), ExitCode::Usage),
        EngineError::NotTrusted(items) => not_trusted(items),
        EngineError::ForeignRun { run } => told(
            Some(format!(
                "a run carries its own definition and commands, so one that came with a project is not believed; look at \
                 it with `docket workflow show {run}`, and start a new run of your own"
            )),
            ExitCode::NotTrusted,
        ),
        EngineError::SelfApproval { .. } => told(
            Some(
                "run it yourself, in a terminal of your own; `docket audit-log` has what was tried"
                    .to_owned(),
            ),
            ExitCode::NotTrusted,
        ),
        EngineError::ApprovalsOff { what } => told(
            Some(format!(
                "run `docket workflow {what}` in a terminal; or, if this client may decide, start the server with `docket \
                 mcp --allow-approvals`"
            )),
            ExitCode::NotTrusted,
        ),
        EngineError::OwnWork { .. } => told(
            Some("a person, or a session that had no part in it, decides; `docket audit-log` has what was tried".to_owned()),
            ExitCode::NotTrusted,
        ),
        EngineError::Claim(refusal) => {
            let (conflict, hint) = words::claim_refusal(refusal);
            told(Some(hint), if conflict { ExitCode::Conflict } else { ExitCode::Usage })
        }
        EngineError::UnknownClaim => {
            told(Some("ask for a task without a claim".to_owned()), ExitCode::Conflict)
        }
        EngineError::NoTask { run, .. } => {
            told(Some(format!("`docket workflow status {run}` shows what waits for whom")), ExitCode::Usage)
        }
        EngineError::Installed { hint, conflict, .. } => {
            told(Some(hint.clone()), if *conflict { ExitCode::Conflict } else { ExitCode::Usage })
        }
        EngineError::Launcher { hint, .. } | EngineError::Budget { hint, .. } => {
            told(Some(hint.clone()), ExitCode::Usage)
        }
        EngineError::Refused(refusal) => {
            let (conflict, hint) = words::refusal(refusal);
            told(hint, if conflict { ExitCode::Conflict } else { ExitCode::Usage })
        }
        EngineError::RefusedByOwner { conflict, hint, .. } => {
            told(hint.clone(), if *conflict { ExitCode::Conflict } else { ExitCode::Usage })
        }
        EngineError::NoReply { .. } => told(
            Some("it may be busy or stopped; nothing was lost, try again".to_owned()),
            ExitCode::Conflict,
        ),
        EngineError::NoDocument { similar, .. } => told(
            Some(if similar.is_empty() {
                "name a file, or an id such as rfc-0002".to_owned()
            } else {
                format!("did you mean {}?", similar.join(" or "))
            }),
            ExitCode::Usage,
        ),
        EngineError::ManyDocuments { .. } => told(Some("name the file".to_owned()), ExitCode::Usage),
        EngineError::Plugin { .. } => {
            told(Some("build it again, or remove the file".to_owned()), ExitCode::Usage)
        }
        EngineError::Failed(failure) => told(failure.hint.clone(), ExitCode::RunFailed),
        EngineError::Bug(_) => told(
            Some("please report it, with what you did and the run's journal".to_owned()),
            ExitCode::RunFailed,
        ),
    }
}

fn tell_store(error: &StoreError) -> Told {
    let message = printable_lines(&error.to_string());
    let (hint, exit) = match error {
        StoreError::Disk(DiskError::Io { .. }) => (None, ExitCode::RunFailed),
        StoreError::Disk(DiskError::Unsafe { .. }) => (None, ExitCode::NotTrusted),
        StoreError::NotBelieved { fix, .. } => (Some((*fix).to_owned()), ExitCode::NotTrusted),
        StoreError::Damaged { .. } => (
            Some("docket writes this file itself; put it back from a backup, or remove it".to_owned()),
            ExitCode::RunFailed,
        ),
        StoreError::Journal { .. } => (
            Some(
                "nothing was changed; the record of this run can't be trusted any more, so start a new run"
                    .to_owned(),
            ),
            ExitCode::RunFailed,
        ),
        StoreError::Owned { run, .. } => {
            (Some(format!("watch it with `docket workflow logs {run} --follow`")), ExitCode::Conflict)
        }
        StoreError::NoSuchRun { similar, .. } => (
            Some(match similar {
                Some(similar) => format!("did you mean '{similar}'?"),
                None => "`docket workflow list` shows the runs of this project".to_owned(),
            }),
            ExitCode::Usage,
        ),
        StoreError::Pruned { run, .. } => (
            Some(format!(
                "`docket workflow results {run}` and `show {run}` tell what was kept; start a new run to do it again"
            )),
            ExitCode::Usage,
        ),
        StoreError::Lock { .. } => (
            Some(
                "docket runs no plugins while it can't tell which are meant: put the file back from version control, or \
                 pin what is there with `docket plugin lock`"
                    .to_owned(),
            ),
            ExitCode::NotTrusted,
        ),
        StoreError::NoProject { .. } => (
            Some("run `docket init` in the project's folder, or name it with `--project DIR`".to_owned()),
            ExitCode::Usage,
        ),
        StoreError::OutsideProject { .. } | StoreError::BadConfig { .. } | StoreError::Faulty(_) => {
            (None, ExitCode::Usage)
        },
    };
    Told { message, hint, exit }
}

fn not_trusted(items: &[crate::engine::Untrusted]) -> Told {
    let is_projects = |item: &crate::engine::Untrusted| item.path.starts_with(".docket/");
    let is_usable_but = |item: &crate::engine::Untrusted| item.standing == Standing::Trusted;
    let mut message = if items.iter().all(|item| is_projects(item) && is_usable_but(item)) {
        "this project's plugins can't be used as they are:".to_owned()
    } else if items.iter().any(is_projects) {
        "this project brings files along that you have not trusted as they are:".to_owned()
    } else {
        "a plugin in your own folder can't be used as it is:".to_owned()
    };
    for item in items {
        let how = match item.standing {
            Standing::Changed => " (changed since you trusted it)",
            Standing::Unknown => "",
            Standing::Trusted if item.pinned.is_some() => " (not the one that .docket/plugins.lock pins)",
            Standing::Trusted => " (needs to be granted what it asks for)",
        };
        let _ = write!(message, "\n  {}{how}", printable(&item.path));
        if let Some((sha256, pin)) = item.pinned.as_deref() {
            let _ = write!(
                message,
                "\n    is     sha256:{sha256}\n    pinned sha256:{} (version {})",
                pin.sha256,
                printable(&pin.version)
            );
        }
        for capability in &item.capabilities {
            let _ = write!(message, "\n    asks to {}", printable(capability));
        }
    }
    let hint = if items.iter().all(|item| item.pinned.is_some()) {
        "get the file that the project was made with; or, if the new one is meant, look at it with `docket plugin inspect` \
         and pin it with `docket plugin lock`"
    } else if items.iter().any(|item| !is_usable_but(item)) {
        "look at them, then run `docket trust` (`docket trust --yes` without a terminal)"
    } else {
        "look at them with `docket plugin inspect NAME`, then run `docket plugin grant NAME`; `docket trust` does that for a \
         project's plugins that nobody decided about"
    };
    Told { message, hint: Some(hint.to_owned()), exit: ExitCode::NotTrusted }
}
