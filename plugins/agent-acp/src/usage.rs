//! What a session has used. Agents tell the cost of the whole session each time, and tokens for each turn.

use agent_client_protocol_schema::v1::{Cost, Usage as TurnUsage};
use docket_plugin::Value;
use docket_plugin::report::Usage;

/// The currency that docket counts in.
const CURRENCY: &str = "USD";

/// The cost so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    cost: f64,
}

impl Meter {
    /// What was spent since the last time, of a cost for the whole session. A cost in another currency is unknown.
    pub(crate) fn spent(&mut self, cost: &Cost) -> Option<f64> {
        if !cost.currency.eq_ignore_ascii_case(CURRENCY) || !cost.amount.is_finite() || cost.amount < 0.0 {
            return None;
        }
        // A cost that fell is that of a session that was begun anew.
        let before = if cost.amount < self.cost { 0.0 } else { self.cost };
        self.cost = cost.amount;
        Some(cost.amount - before)
    }
}

/// The tokens of a turn, from what the agent answered at its end: in the protocol's own field, or where gemini tells them
/// (0.61, `_meta.quota.token_count`), cached ones included.
pub(crate) fn of_turn(result: &Value) -> Option<Usage> {
    let told = result.get("usage").and_then(|usage| serde_json::from_value::<TurnUsage>(usage.clone()).ok());
    told.map(|usage| tokens(&usage)).or_else(|| {
        let count = result.pointer("/_meta/quota/token_count")?;
        Some(Usage {
            input_tokens: Some(count.get("input_tokens")?.as_u64()?),
            output_tokens: Some(count.get("output_tokens")?.as_u64()?),
            ..Usage::default()
        })
    })
}

/// The tokens of the protocol's own field. Cached ones are counted apart, the way docket does, and so do agents.
fn tokens(usage: &TurnUsage) -> Usage {
    let written = usage.cached_write_tokens.unwrap_or(0);
    Usage {
        input_tokens: Some(usage.input_tokens.saturating_add(written)),
        cached_tokens: usage.cached_read_tokens,
        output_tokens: Some(usage.output_tokens),
        cost_usd: None,
    }
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    #[test]
    fn a_cost_that_adds_up_is_counted_once() {
        let mut meter = Meter::default();
        let mut spent = |amount: f64, currency: &str| meter.spent(&Cost::new(amount, currency));
        assert_eq!(spent(0.0, "USD"), Some(0.0));
        assert_eq!(spent(0.25, "USD"), Some(0.25));
        assert_eq!(spent(0.25, "usd"), Some(0.0));
        assert_eq!(spent(0.75, "USD"), Some(0.5));
        assert_eq!(spent(9.0, "EUR"), None);
        assert_eq!(spent(-1.0, "USD"), None);
        assert_eq!(spent(0.5, "USD"), Some(0.5), "begun anew");
    }

    #[test]
    fn tokens_are_those_of_the_turn() {
        let result = json!({ "stopReason": "end_turn", "usage": { "totalTokens": 107, "inputTokens": 60,
            "cachedReadTokens": 40, "cachedWriteTokens": 0, "outputTokens": 7, "thoughtTokens": 0 } });
        let wanted =
            Usage { input_tokens: Some(60), cached_tokens: Some(40), output_tokens: Some(7), cost_usd: None };
        assert_eq!(of_turn(&result), Some(wanted));
    }

    #[test]
    fn tokens_beside_the_protocol_are_found_and_nonsense_is_not() {
        let beside =
            |count| json!({ "stopReason": "end_turn", "_meta": { "quota": { "token_count": count } } });
        let wanted = Usage { input_tokens: Some(60), output_tokens: Some(7), ..Usage::default() };
        assert_eq!(of_turn(&beside(json!({ "input_tokens": 60, "output_tokens": 7 }))), Some(wanted));
        assert_eq!(of_turn(&beside(json!({ "input_tokens": -1, "output_tokens": 7 }))), None);
        assert_eq!(of_turn(&beside(json!("many"))), None);
        assert_eq!(of_turn(&json!({ "stopReason": "end_turn" })), None);
    }
}
