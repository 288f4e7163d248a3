//! Fault points: the named places where docket may be killed, or the disk may refuse, while it is tested. They are
//! armed from outside with one environment variable, which `cli/settings.rs` reads, and exist in debug builds only: a
//! release build has neither the variable nor the code, and every function here is a plain call.
//!
//! Must not decide anything: a fault does what was asked for, where it was asked for.

#[cfg(not(debug_assertions))]
mod absent;
#[cfg(debug_assertions)]
mod armed;
#[cfg(debug_assertions)]
mod specification;

#[cfg(not(debug_assertions))]
use absent::is_skipped;
#[cfg(not(debug_assertions))]
pub use absent::{after, before, conceal, hand_on, write};
#[cfg(debug_assertions)]
use armed::is_skipped;
#[cfg(debug_assertions)]
pub use armed::{Role, VARIABLE, after, arm, before, conceal, hand_on, settle, write};

macro_rules! points {
    ($($(#[doc = $text:literal])+ $point:ident = $name:literal,)+) => {
        /// A place where something can go wrong, named after what is done there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Point {
            $($(#[doc = $text])+ $point,)+
        }

        impl Point {
            /// Every point.
            pub const ALL: &'static [Self] = &[$(Self::$point),+];

            /// Its name in specifications and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$point => $name,)+ }
            }
        }
    };
}

points! {
    /// Making the folder of a new run.
    RunCreate = "run.create",
    /// Opening and taking a run's lock.
    RunLock = "run.lock",
    /// Creating a journal's file.
    JournalCreate = "journal.create",
    /// Writing a record to a journal.
    JournalWrite = "journal.write",
    /// Waiting until a record is on the disk.
    JournalSync = "journal.sync",
    /// Making a new journal's name durable.
    JournalName = "journal.name",
    /// Cutting off what a torn write left.
    JournalCut = "journal.cut",
    /// Writing the temporary file that will replace another.
    FileWrite = "file.write",
    /// Waiting until that file is on the disk.
    FileSync = "file.sync",
    /// Putting it in place.
    FileRename = "file.rename",
    /// Making names in a folder durable.
    FolderSync = "folder.sync",
    /// Replacing a file that follows from the journal: state, results, prompts.
    Derived = "derived.replace",
    /// Appending to a run's log.
    LogWrite = "log.write",
    /// Appending to the project's index of runs.
    IndexWrite = "index.write",
    /// Keeping the record of a run that is over.
    Archive = "archive.replace",
    /// Storing a large content of a change set.
    Blob = "blob.replace",
    /// Putting one file of a change set in place, as a whole.
    ApplyFile = "apply.file",
    /// Writing the temporary file of a change set's file.
    ApplyWrite = "apply.write",
    /// Waiting until it is on the disk.
    ApplySync = "apply.sync",
    /// Putting it in place.
    ApplyRename = "apply.rename",
    /// Making its name durable.
    ApplyFolder = "apply.folder",
    /// Putting a request into a run's inbox.
    InboxRequest = "inbox.request",
    /// Taking a request out.
    InboxTake = "inbox.take",
    /// Replying to a request.
    InboxReply = "inbox.reply",
    /// Writing what a process needs: its input and command.
    CommandPrepare = "command.prepare",
    /// Starting a supervisor.
    SupervisorSpawn = "supervisor.spawn",
    /// Taking a process folder's lock, by its supervisor.
    SupervisorLock = "supervisor.lock",
    /// Starting a launcher, by a supervisor.
    LauncherSpawn = "launcher.spawn",
    /// Recording which process the agent will be, by its launcher.
    LauncherStarted = "launcher.started",
    /// Claiming the one permission to start the agent.
    LauncherClaim = "launcher.claim",
    /// Turning into the agent.
    AgentSpawn = "agent.spawn",
    /// Recording a line that is sent to the agent.
    DialogueWrite = "dialogue.write",
    /// Handing a line on to the agent, by its supervisor.
    DialoguePump = "dialogue.pump",
    /// Waiting for the agent to end.
    AgentWait = "agent.wait",
    /// Recording how the agent ended.
    SupervisorExited = "supervisor.exited",
}

/// Does something that can fail at a fault point. A disk that lies says that it was done.
///
/// # Errors
/// The operation's own, or the fault's.
#[inline]
pub fn act(point: Point, operation: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
    before(point)?;
    if !is_skipped(point) {
        operation()?;
    }
    after(point);
    Ok(())
}

/// As [`act`], for an operation whose value is needed, so that nobody can lie about it.
///
/// # Errors
/// The operation's own, or the fault's.
#[inline]
pub fn at<T>(point: Point, operation: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    before(point)?;
    let done = operation()?;
    after(point);
    Ok(done)
}
