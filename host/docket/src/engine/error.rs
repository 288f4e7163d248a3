//! What can go wrong between a command and a run, in kinds that lead to different exit codes.

use docket_core::definition::{Faults, InputError};
use docket_core::run::{ClaimRefusal, Failure, Refusal};

use crate::disk::DiskError;
use crate::plugin::manifest::ManifestError;
use crate::store::StoreError;
use crate::store::plugin_lock::Pin;
use crate::store::trust::Standing;

/// Something a project brings along that the user has not trusted as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// Its path below the project, or of the file in the user's folder.
    pub path: String,
    /// How it stands.
    pub standing: Standing,
    /// Capabilities that were not granted, for a plugin.
    pub capabilities: Vec<String>,
    /// For a plugin that `.docket/plugins.lock` has other bytes for: its hash, and what is pinned.
    pub pinned: Option<Box<(String, Pin)>>,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such definition.
    #[error("there is no workflow '{name}'")]
    NoDefinition {
        /// What was asked for.
        name: String,
        /// One of a similar name.
        similar: Option<String>,
        /// All there are.
        known: Vec<String>,
    },
    /// The definition has faults.
    #[error("the definition has {} fault(s)", .0.list.len())]
    Definition(Faults),
    /// Inputs are missing or wrong.
    #[error("{}", .0.iter().map(|error| error.to_string()).collect::<Vec<_>>().join("; "))]
    Inputs(Vec<InputError>),
    /// A name in the definition can't be worked out with these inputs.
    #[error("{}", .0.message)]
    Expression(docket_core::definition::ExpressionError),
    /// Not trusted or not granted.
    #[error("this project brings files that you have not trusted: {}", .0.iter().map(|item| item.path.as_str()).collect::<Vec<_>>().join(", "))]
    NotTrusted(Vec<Untrusted>),
    /// Something that only a person may decide was asked for by an agent that docket runs.
    #[error("'{what}' was asked for by an agent that docket runs ({agent}); only a person decides that")]
    SelfApproval {
        /// What was asked for.
        what: String,
        /// The agent's run and stage.
        agent: String,
    },
    /// An MCP client asked for what a person decides, and nobody said that it may.
    #[error("'{what}' is a person's decision, and this server was not told to take it from a client")]
    ApprovalsOff {
        /// What was asked for.
        what: String,
    },
    /// Whoever worked on a run wants to decide about it.
    #[error("'{what}' was asked for by the session that worked on run {run}; nobody approves their own work")]
    OwnWork {
        /// What was asked for.
        what: String,
        /// The run it worked on.
        run: String,
    },
    /// A claim is not given, renewed or given back.
    #[error(transparent)]
    Claim(#[from] ClaimRefusal),
    /// A claim that no task that waits was handed out with.
    #[error(
        "no task that waits was handed out with this claim: it was answered or given back, or somebody else had it since"
    )]
    UnknownClaim,
    /// A stage that is no agent's task.
    #[error("stage '{stage}' of run {run} is no agent's task; it is of type {stage_type}")]
    NoTask {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
        /// Its type.
        stage_type: String,
    },
    /// A run that somebody else started.
    #[error("run {run} was not started by you, or not with this docket folder of yours; it is not continued")]
    ForeignRun {
        /// The run.
        run: String,
    },
    /// A profile or launcher that is not there.
    #[error("{message}")]
    Launcher {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A budget that the user's settings do not allow.
    #[error("{message}")]
    Budget {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// What is wanted does not fit the run's state.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The owner of the run said no.
    #[error("{message}")]
    RefusedByOwner {
        /// Whether it conflicts with what was decided before.
        conflict: bool,
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The run's owner does not answer.
    #[error("the docket process that owns run {run}{} did not answer within {seconds} s", owner.map(|id| format!(" (process {id})")).unwrap_or_default())]
    NoReply {
        /// The run.
        run: String,
        /// The owner's process id, if it said so.
        owner: Option<u32>,
        /// How long it was waited for.
        seconds: u64,
    },
    /// No document of that name.
    #[error("no document '{name}' in this project")]
    NoDocument {
        /// What was asked for.
        name: String,
        /// Documents of similar names.
        similar: Vec<String>,
    },
    /// A name that fits several documents.
    #[error("'{name}' could be any of: {}", matches.join(", "))]
    ManyDocuments {
        /// What was asked for.
        name: String,
        /// Those it fits.
        matches: Vec<String>,
    },
    /// A plugin file that is no plugin.
    #[error("{path} {cause}")]
    Plugin {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        cause: ManifestError,
    },
    /// A plugin or capability that is not there, or can't be put where it should go.
    #[error("{message}")]
    Installed {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
        /// Whether something that is there stands in the way.
        conflict: bool,
    },
    /// A failure outside any stage.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// Our mistake.
    #[error("{0}")]
    Bug(String),
}

impl From<DiskError> for EngineError {
    fn from(error: DiskError) -> Self {
        Self::Store(error.into())
    }
}
