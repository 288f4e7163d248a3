//! What was used, in words. Says what is not known: a cost that nobody reported is not nothing.

use docket_core::run::Usage;
use docket_core::{Budget, Dollars};

/// What it cost. `None` when nothing was used that could cost anything, or when what is at work may still say so.
pub fn cost(usage: &Usage) -> Option<String> {
    let unpriced = usage.unpriced.filter(|count| *count > 0);
    match (usage.cost_usd.and_then(Dollars::of), unpriced) {
        (Some(cost), None) => Some(cost.to_string()),
        (Some(cost), Some(count)) => {
            let launches = if count == 1 { "launch" } else { "launches" };
            Some(format!("at least {cost} ({count} {launches} unpriced)"))
        }
        (None, Some(_)) => Some("unpriced".to_owned()),
        // Before docket counted launches, tokens without a cost were all there was to go by.
        (None, None) => (usage.launches.is_none() && usage.tokens().is_some()).then(|| "unpriced".to_owned()),
    }
}

/// Tokens and cost in a few words, for a line about something else: `3.1k tokens, $0.12`.
pub fn brief(usage: &Usage) -> Option<String> {
    let parts: Vec<String> = usage.tokens().map(tokens).into_iter().chain(cost(usage)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Everything that is known, in words.
pub fn full(usage: &Usage) -> Option<String> {
    let count = |count: Option<u64>, what: &str| count.map(|count| format!("{count} {what} tokens"));
    let launches = usage.launches.map(|launches| match launches {
        1 => "1 launch".to_owned(),
        launches => format!("{launches} launches"),
    });
    let parts = [
        count(usage.input_tokens, "input"),
        count(usage.cached_tokens, "cached"),
        count(usage.output_tokens, "output"),
        cost(usage),
        launches,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A number of tokens as people read it: `3.1k tokens`.
pub fn tokens(count: u64) -> String {
    match count {
        1 => "1 token".to_owned(),
        0..1_000 => format!("{count} tokens"),
        // Cut, not rounded: 999,999 is not yet a million.
        1_000..1_000_000 => format!("{}.{}k tokens", count / 1_000, count % 1_000 / 100),
        _ => format!("{}.{}M tokens", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

/// A budget in words: `at most $2.00, 50000 tokens, 5 launches`.
pub fn budget(budget: &Budget) -> String {
    let parts = [
        budget.usd.map(|most| most.to_string()),
        budget.tokens.map(|most| format!("{most} tokens")),
        budget
            .launches
            .map(|most| if most == 1 { "1 launch".to_owned() } else { format!("{most} launches") }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("at most {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_not_nothing() {
        let silent = Usage { launches: Some(1), unpriced: Some(1), ..Usage::default() };
        let priced =
            Usage { launches: Some(1), cost_usd: Some(0.12), input_tokens: Some(3_140), ..Usage::default() };
        assert_eq!(cost(&Usage::default()), None);
        assert_eq!(cost(&silent).as_deref(), Some("unpriced"));
        assert_eq!(cost(&Usage { unpriced: None, ..silent }), None, "it may still say so");
        assert_eq!(cost(&priced).as_deref(), Some("$0.12"));
        assert_eq!(cost(&priced.plus(silent)).as_deref(), Some("at least $0.12 (1 launch unpriced)"));
        assert_eq!(brief(&priced).as_deref(), Some("3.1k tokens, $0.12"));
        assert_eq!(brief(&Usage::default()), None);
        assert_eq!(
            full(&priced.plus(silent)).as_deref(),
            Some("3140 input tokens, at least $0.12 (1 launch unpriced), 2 launches")
        );
        let tokens_alone = Usage { output_tokens: Some(5), ..Usage::default() };
        assert_eq!(full(&tokens_alone).as_deref(), Some("5 output tokens, unpriced"));
    }

    #[test]
    fn numbers_of_tokens_are_short() {
        for (count, text) in [
            (0, "0 tokens"),
            (1, "1 token"),
            (999, "999 tokens"),
            (1_000, "1.0k tokens"),
            (999_999, "999.9k tokens"),
            (12_300_000, "12.3M tokens"),
        ] {
            assert_eq!(tokens(count), text);
        }
    }
}
