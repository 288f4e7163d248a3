//! Watching what a run uses while its stages are at work, and stopping those that use it when its budget is passed. What
//! is too much is for the core to say; what was used is recorded with the end of each attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_core::Budget;
use docket_core::run::{
    AttemptUsage, Ending, Event, Notice, RunOptions, RunState, StageState, StageStatus, Usage,
};

use super::drive::Driver;
use super::purse::Purse;
use super::{Engine, EngineError};
use crate::plugin::host::{Cancel, Launches, records};
use crate::store::{RunFolder, journal};

/// A stage at work on a thread of its own.
pub(super) struct Working {
    pub(super) attempt: u32,
    pub(super) cancel: Cancel,
    /// Whether it can start processes.
    pub(super) can_spend: bool,
    /// Whether it was stopped, or refused a launch, for want of budget.
    pub(super) is_over_budget: Arc<AtomicBool>,
}

impl Working {
    pub(super) fn new(attempt: u32, can_spend: bool) -> Self {
        Self { attempt, cancel: Cancel::default(), can_spend, is_over_budget: Arc::default() }
    }

    /// Asks for each of its launches. The first one that is refused is the end of it.
    pub(super) fn launches(&self, purse: &Arc<Purse>) -> Launches {
        let (purse, cancel) = (Arc::clone(purse), self.cancel.clone());
        let is_over_budget = Arc::clone(&self.is_over_budget);
        Arc::new(move || {
            let may = purse.take_launch();
            if !may {
                is_over_budget.store(true, Ordering::Relaxed);
                cancel.cancel();
            }
            may
        })
    }

    fn stop(&self) {
        self.is_over_budget.store(true, Ordering::Relaxed);
        self.cancel.cancel();
    }

    /// How it ended, given how its thread says it did. One that was stopped for want of budget says that it was told to
    /// stop, or whatever an agent says that is ended; one that was done at that moment is done.
    pub(super) fn ended(&self, ending: Option<Ending>) -> Option<Ending> {
        match ending {
            None | Some(Ending::Failed(_)) if self.is_over_budget.load(Ordering::Relaxed) => {
                Some(Ending::OverBudget { below: None })
            }
            ending => ending,
        }
    }
}

impl Driver<'_> {
    /// Draws on the purse of the run above, too.
    ///
    /// # Errors
    /// When the run of a sub-workflow of its own can't be read.
    pub(super) fn draw_on(&mut self, above: &Arc<Purse>) -> Result<(), EngineError> {
        let left = self.launches_left()?;
        self.purse = Arc::new(Purse::new(left, Some(Arc::clone(above))));
        Ok(())
    }

    /// How many launches are left, those counted that attempts had begun with which go on.
    pub(super) fn launches_left(&self) -> Result<Option<u64>, EngineError> {
        let Some(most) = self.state.budget.launches else { return Ok(None) };
        Ok(Some(most.saturating_sub(self.engine.launched(&self.folder, &self.state)?)))
    }

    /// What the attempts that are at work have used by now, as far as is known.
    pub(super) fn used_at_work(&self) -> Vec<AttemptUsage> {
        let executing = self.state.stages.iter().enumerate().filter(|(_, stage)| stage.is_executing());
        let used = |(stage, now): (usize, &StageState)| {
            let usage = match self.used.get(&stage) {
                Some(usage) => *usage,
                // One that an owner before this one began.
                None if !self.running.contains_key(&stage) && now.child.is_none() => {
                    let launches = records::launches(&self.folder.records(&now.name, now.attempt));
                    Usage { launches: Some(launches).filter(|count| *count > 0), ..Usage::default() }
                }
                None => now.usage,
            };
            AttemptUsage { stage, attempt: now.attempt, usage }
        };
        executing.map(used).filter(|used| !used.usage.is_unknown()).collect()
    }

    /// What the run has used by now.
    pub(super) fn total(&self) -> Usage {
        let now: Vec<AttemptUsage> = self
            .used
            .iter()
            .filter_map(|(stage, usage)| {
                let attempt = self.running.get(stage)?.attempt;
                Some(AttemptUsage { stage: *stage, attempt, usage: *usage })
            })
            .collect();
        self.state.spending.total_with(&now)
    }

    /// Tells what the run has used by now.
    pub(super) fn tell_total(&mut self) {
        let total = self.total();
        if !total.is_unknown() {
            self.observer.used(&total);
        }
    }

    /// A stage has used so much by now.
    pub(super) fn spend(&mut self, stage: usize, usage: Usage) -> Result<(), EngineError> {
        if !self.running.contains_key(&stage) {
            return Ok(());
        }
        self.used.insert(stage, usage);
        self.is_behind = true;
        let total = self.total();
        if self.state.budget.is_passed(&total) && !self.purse.is_closed() {
            self.purse.close();
            let text =
                format!("the budget is used up: {}; what uses it is stopped", self.state.budget.told(&total));
            self.hear(stage, &Notice::Log { level: "warn", text })?;
        }
        self.observer.notice(&self.state.stages[stage].name, &Notice::Usage(usage));
        self.observer.used(&total);
        Ok(())
    }

    /// Stops what uses a budget that was passed. Runs of sub-workflows do so by themselves, so that they end with their
    /// own word on it.
    pub(super) fn heed_budget(&self) {
        if self.purse.is_closed() {
            self.running.values().filter(|working| working.can_spend).for_each(Working::stop);
        }
    }

    /// What follows for the purse when more was given.
    pub(super) fn refill(&mut self, events: &[Event]) -> Result<(), EngineError> {
        let given =
            |event: &Event| matches!(event, Event::RetryRequested { budget, .. } if !budget.is_unlimited());
        if events.iter().any(given) {
            let left = self.launches_left()?;
            self.purse.reopen(left);
        }
        Ok(())
    }

    /// Says that a limit in dollars is none for an agent that does not say what it costs.
    pub(super) fn warn_of_unpriced(&mut self, stage: usize, usage: &Usage) -> Result<(), EngineError> {
        let is_unpriced = usage.settled().unpriced.is_some_and(|count| count > 0);
        if self.state.budget.usd.is_none() || !is_unpriced || std::mem::replace(&mut self.has_warned, true) {
            return Ok(());
        }
        let text =
            "this agent does not say what it costs, so the budget in US dollars can't be kept by it; limit \
                    `tokens` or `launches` as well"
                .to_owned();
        self.hear(stage, &Notice::Log { level: "warn", text })
    }

    /// How the run of a sub-workflow is to run: with what this one has left of its budget, or less if its definition
    /// says so.
    pub(super) fn options_below(&self, budget: Budget) -> RunOptions {
        let own = budget.without_kinds_of(self.state.raised);
        let left = self.state.budget.left(&self.total());
        RunOptions {
            budget: left.stricter(own),
            raised: self.state.raised,
            ..self.state.start.options.clone()
        }
    }
}

impl Engine {
    /// How many processes a run has started: those of attempts that are over, those that running ones have begun with,
    /// and those of the runs that carry out its stages.
    fn launched(&self, folder: &RunFolder, state: &RunState) -> Result<u64, EngineError> {
        let mut open = Vec::new();
        let mut launched: u64 = 0;
        for (position, stage) in state.stages.iter().enumerate() {
            let is_open = matches!(stage.status, StageStatus::Running | StageStatus::Waiting);
            match &stage.child {
                Some(child) if is_open => {
                    // One whose first record did not come about has started nothing.
                    if let Ok(folder) = RunFolder::find(&self.setting().project, child) {
                        let state = journal::load_state(&folder.journal())?;
                        launched += self.launched(&folder, &state)?;
                        open.push(AttemptUsage {
                            stage: position,
                            attempt: stage.attempt,
                            usage: Usage::default(),
                        });
                    }
                }
                _ if stage.is_executing() => {
                    launched += records::launches(&folder.records(&stage.name, stage.attempt));
                }
                // An attempt that was taken back goes on when it is begun again.
                _ if stage.status == StageStatus::Pending => {
                    launched += records::launches(&folder.records(&stage.name, stage.attempt + 1));
                }
                _ => {}
            }
        }
        Ok(launched + state.spending.total_with(&open).launches.unwrap_or(0))
    }

    /// The budget of a new run: the stricter of all that was said about it.
    pub(super) fn new_budget(&self, definition: Budget, wished: Budget) -> Budget {
        let setting = self.setting();
        definition
            .stricter(wished)
            .stricter(setting.project_config.budget.unwrap_or_default())
            .stricter(setting.home_config.budget.unwrap_or_default())
    }

    /// Refuses a budget that is more than the user's settings allow: it would be less than was asked for.
    ///
    /// # Errors
    /// What the settings say.
    pub fn refuse_above_settings(&self, wished: Budget) -> Result<(), EngineError> {
        let most = self.setting().home_config.budget.unwrap_or_default().only_kinds_of(wished);
        if wished.stricter(most) == wished {
            return Ok(());
        }
        let message =
            format!("a budget of{} is more than your settings allow:{}", wished.flags(), most.flags());
        let file = self.setting().home.config_file();
        Err(EngineError::Budget { message, hint: format!("change `budget` in {} first", file.display()) })
    }
}
