//! Durations as people write them in settings and manifests: seconds, or a number with a unit. Must not be used for
//! the definitions' own durations, whose faults have a place in the file: see `definition/read/duration.rs`.

use serde::{Deserialize, Serialize};

/// A duration: seconds, or a number with `s`, `m` or `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Duration {
    /// In seconds.
    pub seconds: u64,
}

impl Duration {
    /// Reads `90`, `90s`, `10m` or `2h`. `None` for anything else, and for what no number of seconds can say.
    pub fn parse(text: &str) -> Option<Self> {
        let unit = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..unit].parse().ok()?;
        let factor = match &text[unit..] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        number.checked_mul(factor).map(|seconds| Self { seconds })
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Duration;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("seconds, or a number with s, m or h such as 10m")
            }
            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Duration, E> {
                Ok(Duration { seconds })
            }
            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Duration, E> {
                u64::try_from(seconds).map(|seconds| Duration { seconds }).map_err(|_| E::custom("negative"))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
                Duration::parse(text)
                    .ok_or_else(|| E::custom(format!("'{text}' is no duration such as 90s, 10m or 2h")))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Seconds, or a number with s, m or h, such as 10m",
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": "^[0-9]+[smh]?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let seconds = |text| Duration::parse(text).map(|duration| duration.seconds);
        assert_eq!(seconds("90"), Some(90));
        assert_eq!((seconds("90s"), seconds("10m"), seconds("2h")), (Some(90), Some(600), Some(7200)));
        for text in ["", "10 minutes", "-1", "1d", "99999999999999999999", "9999999999999999999h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
