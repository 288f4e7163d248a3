//! What a run has used of its budget, and whether anything is left. Sums and comparisons only: what follows from them is
//! decided in [`super::decide`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{AttemptUsage, RunState, Usage};
use crate::{Budget, Dollars};

/// The code of the failure of a stage for which the budget left nothing.
pub const BUDGET_EXHAUSTED: &str = "budget-exhausted";

/// What every attempt at every stage of a run used, those that are to be done again included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spending {
    attempts: BTreeMap<(usize, u32), Usage>,
}

impl Spending {
    /// Notes what an attempt has used, all in all.
    pub(super) fn note(&mut self, stage: usize, attempt: u32, usage: Usage) {
        if !usage.is_unknown() {
            self.attempts.insert((stage, attempt), usage);
        }
    }

    /// What was used in all.
    pub fn total(&self) -> Usage {
        self.total_with(&[])
    }

    /// What was used in all if these attempts have used so much by now.
    pub fn total_with(&self, now: &[AttemptUsage]) -> Usage {
        let is_known = |key: &(usize, u32)| !now.iter().any(|used| (used.stage, used.attempt) == *key);
        let recorded = self.attempts.iter().filter(|(key, _)| is_known(key)).map(|(_, usage)| *usage);
        recorded.chain(now.iter().map(|used| used.usage)).fold(Usage::default(), Usage::plus)
    }

    /// What all attempts at a stage used.
    pub fn of_stage(&self, stage: usize) -> Usage {
        self.attempts_at(stage).map(|(_, usage)| usage).fold(Usage::default(), Usage::plus)
    }

    /// What all attempts at a stage used if one of them has used so much by now.
    pub fn of_stage_with(&self, now: AttemptUsage) -> Usage {
        let others = self.attempts_at(now.stage).filter(|(attempt, _)| *attempt != now.attempt);
        others.map(|(_, usage)| usage).fold(now.usage, Usage::plus)
    }

    fn attempts_at(&self, stage: usize) -> impl Iterator<Item = (u32, Usage)> {
        let attempts = self.attempts.range((stage, 0)..=(stage, u32::MAX));
        attempts.map(|((_, attempt), usage)| (*attempt, *usage))
    }
}

impl Usage {
    fn cost(&self) -> Dollars {
        self.cost_usd.and_then(Dollars::of).unwrap_or_default()
    }
}

impl Budget {
    /// Whether more was used than it allows.
    pub fn is_passed(&self, used: &Usage) -> bool {
        self.usd.is_some_and(|most| used.cost() > most)
            || self.tokens.is_some_and(|most| used.tokens().unwrap_or(0) > most)
            || self.launches.is_some_and(|most| used.launches.unwrap_or(0) > most)
    }

    /// What is left of it.
    #[must_use]
    pub fn left(self, used: &Usage) -> Self {
        Self {
            usd: self.usd.map(|most| most.less(used.cost())),
            tokens: self.tokens.map(|most| most.saturating_sub(used.tokens().unwrap_or(0))),
            launches: self.launches.map(|most| most.saturating_sub(used.launches.unwrap_or(0))),
        }
    }

    /// The limits of the kinds of which nothing is left.
    #[must_use]
    pub fn used_up(self, used: &Usage) -> Self {
        let left = self.left(used);
        Self {
            usd: self.usd.filter(|_| left.usd.is_some_and(Dollars::is_nothing)),
            tokens: self.tokens.filter(|_| left.tokens == Some(0)),
            launches: self.launches.filter(|_| left.launches == Some(0)),
        }
    }

    /// How much was used of it, in words: `$1.20 of $2.00, 3 of 5 launches`.
    pub fn told(&self, used: &Usage) -> String {
        let mut text = String::new();
        let mut add = |part: String| {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{part}");
        };
        if let Some(most) = self.usd {
            let least = if used.unpriced.is_some_and(|count| count > 0) { "at least " } else { "" };
            add(format!("{least}{} of {most}", used.cost()));
        }
        if let Some(most) = self.tokens {
            add(format!("{} of {most} tokens", used.tokens().unwrap_or(0)));
        }
        if let Some(most) = self.launches {
            add(format!("{} of {most} launches", used.launches.unwrap_or(0)));
        }
        text
    }

    /// Limits of the same kinds with room for as much again as was used, or as was allowed when that is more.
    #[must_use]
    fn raised(self, used: &Usage) -> Self {
        let twice = |most: u64, used: u64| most.max(used).saturating_mul(2);
        Self {
            usd: self.usd.map(|most| most.max(used.cost())).map(|most| most.plus(most)),
            tokens: self.tokens.map(|most| twice(most, used.tokens().unwrap_or(0))),
            launches: self.launches.map(|most| twice(most, used.launches.unwrap_or(0))),
        }
    }

    /// The same with what was used beside it.
    #[must_use]
    fn beside(self, used: &Usage) -> Self {
        Self {
            usd: self.usd.map(|most| most.plus(used.cost())),
            tokens: self.tokens.map(|most| most.saturating_add(used.tokens().unwrap_or(0))),
            launches: self.launches.map(|most| most.saturating_add(used.launches.unwrap_or(0))),
        }
    }

    /// The flags that set it.
    pub fn flags(&self) -> String {
        let usd = self.usd.map(|most| format!(" --budget-usd {}", most.number()));
        let tokens = self.tokens.map(|most| format!(" --budget-tokens {most}"));
        let launches = self.launches.map(|most| format!(" --budget-launches {most}"));
        [usd, tokens, launches].into_iter().flatten().collect()
    }
}

/// That a budget left nothing to go on with, for people and for the run above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// What was used up, in words.
    pub message: String,
    /// A budget, of the kinds that are used up, with which it could go on.
    pub enough: Budget,
}

impl Shortage {
    /// What a run that has used so much lacks. `None` when something is left of every kind that is limited.
    pub fn of(state: &RunState, used: &Usage) -> Option<Self> {
        let up = state.budget.used_up(used);
        (!up.is_unlimited()).then(|| {
            let message = format!("the budget of run {} is used up: {}", state.id(), up.told(used));
            Self { message, enough: up.raised(used) }
        })
    }

    /// The same seen from the run whose stage it stopped, which has used so much.
    #[must_use]
    pub(super) fn within(self, used: &Usage) -> Self {
        Self { enough: self.enough.beside(used), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(cost: f64, tokens: u64, launches: u64) -> Usage {
        Usage {
            cost_usd: Some(cost),
            input_tokens: Some(tokens),
            launches: Some(launches),
            ..Usage::default()
        }
    }

    fn budget(usd: f64, tokens: u64, launches: u64) -> Budget {
        Budget { usd: Dollars::of(usd), tokens: Some(tokens), launches: Some(launches) }
    }

    #[test]
    fn a_budget_is_used_up_when_nothing_is_left_and_passed_when_it_was_too_much() {
        let budget = budget(0.3, 10, 2);
        assert_eq!(budget.used_up(&Usage::default()), Budget::default());
        // In binary fractions the sum is more than the limit.
        let tenths = used(0.1, 0, 0).plus(used(0.2, 0, 0));
        assert_eq!(budget.used_up(&tenths), Budget { usd: budget.usd, ..Budget::default() });
        assert!(!budget.is_passed(&tenths) && budget.is_passed(&used(0.300_001, 0, 0)));
        assert!(!budget.is_passed(&used(0.0, 10, 2)));
        assert!(budget.is_passed(&used(0.0, 11, 2)) && budget.is_passed(&used(0.0, 0, 3)));
        assert_eq!(budget.left(&used(0.1, 4, 5)), self::budget(0.2, 6, 0));
        assert_eq!(budget.told(&used(0.1, 4, 5)), "$0.10 of $0.30, 4 of 10 tokens, 5 of 2 launches");
        assert!(!Budget::default().is_passed(&used(1e9, u64::MAX, u64::MAX)));
    }

    #[test]
    fn attempts_are_counted_once_each_and_those_that_run_as_they_stand() {
        let mut spending = Spending::default();
        spending.note(0, 1, used(1.0, 1, 1));
        spending.note(0, 2, used(1.0, 2, 1));
        spending.note(0, 2, used(1.5, 3, 1));
        spending.note(1, 1, Usage::default());
        assert_eq!(spending.total(), used(2.5, 4, 2));
        assert_eq!(spending.of_stage(0), used(2.5, 4, 2));
        assert_eq!(spending.of_stage(1), Usage::default());
        let now = [
            AttemptUsage { stage: 0, attempt: 2, usage: used(2.0, 4, 2) },
            AttemptUsage { stage: 1, attempt: 1, usage: used(0.5, 1, 1) },
        ];
        assert_eq!(spending.total_with(&now), used(3.5, 6, 4));
        assert_eq!(spending.of_stage_with(now[0]), used(3.0, 5, 3));
        assert_eq!(spending.of_stage_with(now[1]), used(0.5, 1, 1));
    }

    #[test]
    fn what_is_enough_is_named_as_flags() {
        let enough = budget(1.25, 10, 2).raised(&used(2.0, 4, 2)).beside(&used(0.5, 1, 0));
        assert_eq!(enough.flags(), " --budget-usd 4.5 --budget-tokens 21 --budget-launches 4");
    }
}
