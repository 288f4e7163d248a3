//! What attempts at stages used: tokens, money, launches. Plain numbers that add up; whether they are too many is for
//! [`super::spending`].

use serde::{Deserialize, Serialize};

/// What was used. Nothing means unknown. A part of docket's stored format, like [`super::Event`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Usage {
    /// Tokens read by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Tokens written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Cost in US dollars, as far as it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Processes that were started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launches: Option<u64>,
    /// How many of these belong to attempts that did not say what they cost: with any, the cost is a lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<u64>,
}

impl Usage {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Both together; what is unknown in both stays unknown. Plugins say what they like, so sums stop at the largest
    /// number there is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        fn sum<T>(left: Option<T>, right: Option<T>, add: impl FnOnce(T, T) -> T) -> Option<T> {
            match (left, right) {
                (Some(left), Some(right)) => Some(add(left, right)),
                (left, right) => left.or(right),
            }
        }
        let count = |left, right| sum(left, right, u64::saturating_add);
        Self {
            input_tokens: count(self.input_tokens, other.input_tokens),
            cached_tokens: count(self.cached_tokens, other.cached_tokens),
            output_tokens: count(self.output_tokens, other.output_tokens),
            // A cost that is no number can't be written as JSON: it would be unknown in the journal.
            cost_usd: sum(self.cost_usd, other.cost_usd, |left: f64, right| (left + right).min(f64::MAX)),
            launches: count(self.launches, other.launches),
            unpriced: count(self.unpriced, other.unpriced),
        }
    }

    /// The usage of an attempt that is over: launches whose cost nobody reported are unpriced from here on.
    #[must_use]
    pub fn settled(self) -> Self {
        let unpriced = self.launches.filter(|launches| *launches > 0 && self.cost_usd.is_none());
        Self { unpriced: self.unpriced.or(unpriced), ..self }
    }

    /// What an attempt has used when it reports this after it had used `self`. A stage whose work is another run's
    /// reports that run's sum each time; any other one reports what was added.
    #[must_use]
    pub(super) fn reported(self, further: Self, is_sum: bool) -> Self {
        if is_sum && !further.is_unknown() { further } else { self.plus(further) }
    }

    /// Tokens of every kind; `None` when none are known.
    pub fn tokens(&self) -> Option<u64> {
        let kinds = [self.input_tokens, self.cached_tokens, self.output_tokens];
        kinds.into_iter().flatten().reduce(u64::saturating_add)
    }
}

/// What an attempt at a stage used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AttemptUsage {
    /// Position of the stage.
    pub stage: usize,
    /// The attempt.
    pub attempt: u32,
    /// What it used.
    pub usage: Usage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_priced_is_counted_when_an_attempt_is_over() {
        let silent = Usage { launches: Some(2), input_tokens: Some(5), ..Usage::default() };
        assert_eq!(silent.settled().unpriced, Some(2));
        assert_eq!(silent.settled().settled(), silent.settled());
        let priced = Usage { cost_usd: Some(0.0), ..silent };
        assert_eq!(priced.settled(), priced);
        assert_eq!(Usage::default().settled(), Usage::default());
        let both = silent.settled().plus(priced.settled());
        assert_eq!((both.unpriced, both.cost_usd, both.launches), (Some(2), Some(0.0), Some(4)));
        // A sum that says itself how much of it is unpriced is left as it is.
        let sum = Usage { unpriced: Some(1), ..silent };
        assert_eq!(sum.settled(), sum);
    }

    #[test]
    fn tokens_of_all_kinds_are_one_number() {
        assert_eq!(Usage::default().tokens(), None);
        let usage = Usage { input_tokens: Some(u64::MAX), output_tokens: Some(1), ..Usage::default() };
        assert_eq!(usage.tokens(), Some(u64::MAX));
    }
}
