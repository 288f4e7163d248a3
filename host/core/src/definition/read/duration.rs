//! Reading lengths of time: `timeout`, and the pauses of `retry`. Whole seconds; nothing here knows what they are for.

use super::super::node::{Node, NodeValue};

/// Longest time: 31 days.
const LONGEST: u64 = 31 * 24 * 3600;

/// Seconds from a number of seconds or a text such as `90s`, `10m`, `2h`; at least one.
///
/// # Errors
/// What is wrong, to be put behind the key's name.
pub(in super::super) fn duration(node: &Node) -> Result<u64, String> {
    match pause(node)? {
        0 => Err("must be at least one second".to_owned()),
        seconds => Ok(seconds),
    }
}

/// As [`duration`], or no time at all.
///
/// # Errors
/// What is wrong, to be put behind the key's name.
pub(super) fn pause(node: &Node) -> Result<u64, String> {
    let seconds = match &node.value {
        NodeValue::Number(number) => number.as_u64(),
        NodeValue::Text(text) => {
            let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
            let factor = match &text[digits.len()..] {
                "s" => Some(1),
                "m" => Some(60),
                "h" => Some(3600),
                _ => None,
            };
            digits.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor))
        }
        _ => None,
    };
    match seconds {
        None => Err("must be a number of seconds, or a number with s, m or h".to_owned()),
        Some(seconds) if seconds > LONGEST => Err("may be at most 31 days".to_owned()),
        Some(seconds) => Ok(seconds),
    }
}
