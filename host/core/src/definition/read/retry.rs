//! Reading `retry` of a stage: how often it is tried, and how long docket waits in between.

use super::super::Retry;
use super::super::node::{Entry, NodeValue};
use super::duration::pause;
use super::fields::{Fields, Reader};

/// Most attempts at a stage.
const MAX_ATTEMPTS: u64 = 100;
/// Seconds before the second attempt when the definition does not say.
const DEFAULT_BACKOFF: u64 = 1;
/// Most seconds between two attempts when the definition does not say.
const DEFAULT_MAX_BACKOFF: u64 = 5 * 60;

/// `retry: 3`, or a map that says more. None when it can't be read; why is with the reader.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Retry> {
    let entry = fields.get("retry")?;
    if !matches!(entry.value.value, NodeValue::Map(_)) {
        let max_attempts = attempts(reader, entry)?;
        return Some(Retry {
            max_attempts,
            backoff_seconds: DEFAULT_BACKOFF,
            max_backoff_seconds: DEFAULT_MAX_BACKOFF,
        });
    }
    let known = ["max_attempts", "backoff", "max_backoff"];
    let fields = reader.map(&entry.value, "'retry'", &known, &[])?;
    let max_attempts = match fields.get("max_attempts") {
        Some(entry) => attempts(reader, entry),
        None => {
            reader.missing(&fields, "max_attempts");
            None
        }
    };
    let backoff = seconds(reader, &fields, "backoff", DEFAULT_BACKOFF);
    let max_backoff = seconds(reader, &fields, "max_backoff", DEFAULT_MAX_BACKOFF);
    let (backoff_seconds, max_backoff_seconds) = backoff.zip(max_backoff)?;
    if backoff_seconds > max_backoff_seconds {
        let given = fields.get("max_backoff");
        let location = given.or(fields.get("backoff")).unwrap_or(entry).value.location;
        let message = format!(
            "'max_backoff' is {max_backoff_seconds} seconds{}, which is less than 'backoff', {backoff_seconds} seconds",
            if given.is_some() { "" } else { " unless it is given" }
        );
        let hint = format!("give a max_backoff of at least {backoff_seconds}s, or a shorter backoff");
        reader.fault(location, message, Some(hint));
        return None;
    }
    Some(Retry { max_attempts: max_attempts?, backoff_seconds, max_backoff_seconds })
}

fn attempts(reader: &mut Reader, entry: &Entry) -> Option<u32> {
    let number = match &entry.value.value {
        NodeValue::Number(number) => number.as_u64().filter(|number| (1..=MAX_ATTEMPTS).contains(number)),
        _ => None,
    };
    if number.is_none() {
        let message = format!("'{}' must be a whole number from 1 to {MAX_ATTEMPTS}", entry.key);
        let hint = "it counts all attempts, the first one included: `retry: 3`, or \
                    `retry: {max_attempts: 3, backoff: 10s, max_backoff: 5m}`";
        reader.fault(entry.value.location, message, Some(hint.to_owned()));
    }
    number.and_then(|number| u32::try_from(number).ok())
}

fn seconds(reader: &mut Reader, fields: &Fields<'_>, key: &str, default: u64) -> Option<u64> {
    let Some(entry) = fields.get(key) else { return Some(default) };
    match pause(&entry.value) {
        Ok(seconds) => Some(seconds),
        Err(message) => {
            let hint = "write 30 or 10m".to_owned();
            reader.fault(entry.value.location, format!("'{key}' {message}"), Some(hint));
            None
        }
    }
}
