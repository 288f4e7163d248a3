//! Runs: what happened ([`Event`]), what that adds up to ([`RunState`]), and what follows ([`decide`]).
//!
//! `decide` is a plain function of a workflow, a state and an input. It says what to record and what to do; the
//! host records first, acts second, speaks third. Folding the recorded events again gives the same state, and
//! `decide` with [`Input::Resume`] finds what is still owed. Nothing here may look at a clock, a file or a process.

mod change_set;
mod claim;
mod decide;
mod event;
mod failure;
mod journal;
mod matrix;
mod outlook;
mod outputs;
mod project_path;
mod seal;
mod siblings;
mod spending;
mod state;
mod status;
mod sub_run;
mod survey;
mod task;
mod usage;

pub use change_set::{ChangeSet, Content, FileChange, FileState, PlannedWrite, Verdict, sha256};
pub use claim::{
    Claim, ClaimChange, ClaimEntry, ClaimRefusal, Claims, DEFAULT_LEASE, MAX_LEASE, TaskId, check_lease,
};
pub use decide::{Decision, Effect, Ending, Input, Refusal, create, decide};
pub use event::{
    Actor, Event, LaunchSettings, MatrixItem, NewRun, Notice, ParentRun, PluginUsed, ProfileSnapshot,
    Question, RunOptions, StageSnapshot, WorkflowSnapshot,
};
pub use failure::Failure;
pub use journal::{FORMAT, Journal, JournalError, JournalFault, Record, Tail, Writer, read};
pub use outlook::{Foreseen, StageOutlook, outlook};
pub use outputs::{Misfit, OutputSchemas, misfits, outputs_of, validate, validate_against};
pub use project_path::{PathError, ProjectPath};
pub use seal::{is_sealed, is_sealed_text, seal, seal_text};
pub use siblings::contested;
pub use spending::{BUDGET_EXHAUSTED, Shortage, Spending};
pub use state::{Feedback, ItemState, RunState, SentBack, StageState};
pub use status::{RunStatus, StageStatus};
pub use sub_run::{ID_PREFIX, child_run_id, sub_result};
pub use survey::{record_hashes, survey};
pub use task::{
    DEFAULT_LAUNCHER, OutputFile, ReferenceValue, RunStages, StageTask, output_files, scope, task,
};
pub use usage::{AttemptUsage, Usage};
