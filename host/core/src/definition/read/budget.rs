//! Reading `budget`: what a workflow's runs may use. Limits are plain numbers; nothing here knows what was used.

use super::super::node::{Entry, NodeValue};
use super::fields::{Fields, Reader};
use crate::{Budget, Dollars};

/// The kinds of limits.
const KINDS: [&str; 3] = ["usd", "tokens", "launches"];

/// `budget: {usd: 2.50, tokens: 200000, launches: 5}`, or some of these.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Budget {
    let Some(entry) = fields.get("budget") else { return Budget::default() };
    let Some(fields) = reader.map(&entry.value, "'budget'", &KINDS, &[]) else { return Budget::default() };
    if matches!(&entry.value.value, NodeValue::Map(entries) if entries.is_empty()) {
        let hint = "write `budget: {usd: 2.50}`, with `tokens` or `launches` in its place or beside it";
        reader.fault(entry.value.location, "'budget' limits nothing", Some(hint.to_owned()));
    }
    Budget {
        usd: fields.get("usd").and_then(|entry| dollars(reader, entry)),
        tokens: reader.counting(&fields, "tokens"),
        launches: reader.counting(&fields, "launches"),
    }
}

fn dollars(reader: &mut Reader, entry: &Entry) -> Option<Dollars> {
    let amount = match &entry.value.value {
        NodeValue::Number(number) => number.as_f64().and_then(Dollars::of),
        _ => None,
    };
    let amount = amount.filter(|amount| !amount.is_nothing());
    if amount.is_none() {
        let hint = "write it without a currency: `usd: 2.50`".to_owned();
        reader.fault(entry.value.location, "'usd' must be a number of US dollars above 0", Some(hint));
    }
    amount
}
