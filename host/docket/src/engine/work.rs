//! What a stage's thread has to do: run a plugin, or the run of another workflow. Prepared by the run's owner, run
//! without it; a panic in it is docket's bug and the stage's failure, never the end of the run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use docket_core::run::{Ending, Failure, PluginUsed, StageTask, Usage};

use super::EngineError;
use super::drive::Driver;
use super::stage::{Job, JobReply};
use super::sub_run::SubRun;
use crate::plugin::host::{Cancel, Launches, Notices};

/// What a stage's thread has to do.
pub(super) enum Work {
    /// To run a plugin.
    Plugin(Box<Job>),
    /// To run another workflow.
    SubRun(Box<SubRun>),
}

impl Work {
    /// Prepares a stage: what can fail without running anything fails here.
    pub(super) fn prepare(driver: &Driver<'_>, task: StageTask) -> Result<Self, Failure> {
        let Some(uses) = &task.uses else {
            let start = &driver.state.start;
            let job = Job::prepare(&driver.engine, &driver.folder, &driver.workflow, start, task)?;
            return Ok(Self::Plugin(Box::new(job)));
        };
        let missing =
            || Failure::new("docket-bug", format!("BUG: the run does not know the workflow '{uses}'"));
        let definition = driver.workflow.workflows.get(uses).cloned().ok_or_else(missing)?;
        let id = driver.state.stages[task.stage].child.clone().ok_or_else(missing)?;
        Ok(Self::SubRun(Box::new(SubRun {
            engine: Arc::clone(&driver.engine),
            id,
            start: driver.state.start.clone(),
            options: driver.options_below(definition.workflow.budget),
            purse: Arc::clone(&driver.purse),
            definition,
            task,
            interrupt: driver.interrupt.clone(),
        })))
    }

    /// Whether it can start processes itself.
    pub(super) fn can_spend(&self) -> bool {
        matches!(self, Self::Plugin(job) if job.has_command())
    }

    /// Does it, asking for each process that it starts.
    ///
    /// # Errors
    /// When the disk refused something that is no end of the stage's.
    pub(super) fn run(
        self,
        notices: Notices,
        cancel: Cancel,
        launches: Launches,
    ) -> Result<JobReply, EngineError> {
        let plugin = match &self {
            Self::Plugin(job) => Some(job.plugin_used()),
            Self::SubRun(_) => None,
        };
        let done = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Plugin(job) => Ok(job.run(notices, cancel, launches)),
            Self::SubRun(child) => {
                child.run(&notices, &cancel).map(|(ending, usage)| reply(ending, None, usage))
            }
        }));
        done.unwrap_or_else(|_| Ok(reply(Some(Ending::Failed(bug())), plugin, Usage::default())))
    }
}

fn reply(ending: Option<Ending>, plugin: Option<PluginUsed>, usage: Usage) -> JobReply {
    JobReply { ending, plugin, usage, overtaken: None }
}

fn bug() -> Failure {
    Failure::new("docket-bug", "BUG: docket crashed while it ran this stage")
        .hint("please report it with the run's journal; `docket workflow start` begins anew")
}
