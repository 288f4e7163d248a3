//! Durations and times as people read them.

use docket_core::Timestamp;

/// A duration in milliseconds as `5.2s`, `3m 45s` or `2h 3m`.
pub fn duration(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..=59 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        60..=3599 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long it is from one time to another.
pub fn between(from: Timestamp, to: Timestamp) -> String {
    duration(to.as_millisecond() - from.as_millisecond())
}

/// How long ago something was, in whole seconds: `15s`, `3m 45s`.
pub fn age(from: Timestamp, to: Timestamp) -> String {
    let milliseconds = (to.as_millisecond() - from.as_millisecond()).max(0);
    match milliseconds / 1000 {
        seconds @ 0..=59 => format!("{seconds}s"),
        _ => duration(milliseconds),
    }
}

/// A time where the user is: `2025-10-13 14:30:15`.
pub fn local(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (milliseconds, text) in [
            (0, "0.0s"),
            (5_249, "5.2s"),
            (59_999, "59.9s"),
            (225_000, "3m 45s"),
            (7_380_000, "2h 3m"),
            (-5, "0.0s"),
        ] {
            assert_eq!(duration(milliseconds), text);
        }
    }
}
