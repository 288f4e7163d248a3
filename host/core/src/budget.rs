//! What a run may use: US dollars, tokens, launched processes. Plain limits and how they are put together; what was
//! used, and what follows when a limit is reached, is `run`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of US dollars, to a millionth: sums of what agents report are held to limits without the surprises of
/// binary fractions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars {
    millionths: u64,
}

const MILLION: f64 = 1_000_000.0;

impl Dollars {
    /// The amount nearest to a number of dollars. `None` for what is no amount: less than nothing, or no number. More
    /// than can be counted is the most that can.
    pub fn of(number: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a conversion that stops at the largest number is what is wanted"
        )]
        let millionths = (number * MILLION).round() as u64;
        (number.is_finite() && number >= 0.0).then_some(Self { millionths })
    }

    /// Reads `2.50`, or `$2.50`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('$').unwrap_or(text);
        let is_plain = digits.chars().all(|character| character.is_ascii_digit() || character == '.');
        digits.parse().ok().filter(|_| is_plain).and_then(Self::of)
    }

    /// Whether it is nothing at all.
    pub fn is_nothing(self) -> bool {
        self.millionths == 0
    }

    /// The amount as a number of dollars.
    pub fn number(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "more than nine billion dollars may be off by a cent")]
        let number = self.millionths as f64;
        number / MILLION
    }

    /// What is left when an amount is taken away; nothing when that is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_sub(other.millionths) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_add(other.millionths) }
    }
}

/// `$2.50`; with as many places as it takes, to a hundredth of a cent, or to a millionth of a dollar below a cent.
impl fmt::Display for Dollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.millionths < 10_000 { 6 } else { 4 };
        let text = format!("{:.places$}", self.number());
        let end = text.trim_end_matches('0').len();
        let least = text.find('.').map_or(text.len(), |point| point + 3);
        write!(formatter, "${}", &text[..end.max(least)])
    }
}

impl Serialize for Dollars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::of(number)
            .ok_or_else(|| serde::de::Error::custom(format!("{number} is no amount of US dollars")))
    }
}

impl schemars::JsonSchema for Dollars {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "US dollars", "type": "number", "minimum": 0 })
    }
}

/// What a run may use in all, of each kind; nothing means as much as it likes. A kind this docket does not know is
/// refused where a budget is read: ignoring it would be spending somebody's money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// US dollars, as far as agents say what they cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Dollars>,
    /// Tokens: read, read from a cache, and written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Processes that its stages may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launches: Option<u64>,
}

impl Budget {
    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// The stricter of both, kind by kind.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            }
        }
        Self {
            usd: least(self.usd, other.usd),
            tokens: least(self.tokens, other.tokens),
            launches: least(self.launches, other.launches),
        }
    }

    /// The other's limits, and this one's for the kinds that the other does not limit.
    #[must_use]
    pub fn replaced_by(self, other: Self) -> Self {
        Self {
            usd: other.usd.or(self.usd),
            tokens: other.tokens.or(self.tokens),
            launches: other.launches.or(self.launches),
        }
    }

    /// This one's limits of the kinds that the other does not limit.
    #[must_use]
    pub fn without_kinds_of(self, other: Self) -> Self {
        Self {
            usd: self.usd.filter(|_| other.usd.is_none()),
            tokens: self.tokens.filter(|_| other.tokens.is_none()),
            launches: self.launches.filter(|_| other.launches.is_none()),
        }
    }

    /// This one's limits of the kinds that the other limits, too.
    #[must_use]
    pub fn only_kinds_of(self, other: Self) -> Self {
        self.without_kinds_of(self.without_kinds_of(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(number: f64) -> Dollars {
        Dollars::of(number).expect("an amount")
    }

    #[test]
    fn amounts_are_exact_where_fractions_are_not() {
        assert_eq!(dollars(0.1 + 0.2), dollars(0.3));
        assert_eq!(dollars(0.1).plus(dollars(0.2)).less(dollars(0.3)), Dollars::default());
        assert_eq!(dollars(1.0).less(dollars(2.0)), Dollars::default());
        assert_eq!(Dollars::of(-0.01), None);
        assert_eq!((Dollars::of(f64::NAN), Dollars::of(f64::INFINITY)), (None, None));
        assert_eq!(dollars(f64::MAX).millionths, u64::MAX);
    }

    #[test]
    fn amounts_read_well() {
        for (number, text) in [
            (0.0, "$0.00"),
            (2.5, "$2.50"),
            (1234.0, "$1234.00"),
            (0.1234, "$0.1234"),
            (1.00404, "$1.004"),
            (0.000_12, "$0.00012"),
        ] {
            assert_eq!(dollars(number).to_string(), text);
        }
    }

    #[test]
    fn amounts_are_read_from_texts_and_numbers() {
        assert_eq!(Dollars::parse("2.50"), Some(dollars(2.5)));
        assert_eq!(Dollars::parse("$3"), Some(dollars(3.0)));
        for text in ["", "$", "-1", "1e3", "inf", "NaN", "2,50", "2.5.0", " 1"] {
            assert_eq!(Dollars::parse(text), None, "{text}");
        }
        let budget: Budget = serde_json::from_str(r#"{"usd": 2, "launches": 3}"#).expect("a budget");
        assert_eq!(budget, Budget { usd: Some(dollars(2.0)), tokens: None, launches: Some(3) });
        assert_eq!(serde_json::to_string(&budget).expect("JSON"), r#"{"usd":2.0,"launches":3}"#);
        assert!(serde_json::from_str::<Budget>(r#"{"euro": 2}"#).is_err());
        assert!(serde_json::from_str::<Budget>(r#"{"usd": -2}"#).is_err());
    }

    #[test]
    fn the_stricter_counts_kind_by_kind() {
        let one = Budget { usd: Some(dollars(1.0)), tokens: Some(10), launches: None };
        let other = Budget { usd: Some(dollars(2.0)), tokens: Some(5), launches: Some(7) };
        let both = Budget { usd: Some(dollars(1.0)), tokens: Some(5), launches: Some(7) };
        assert_eq!(one.stricter(other), both);
        assert_eq!(other.stricter(one), both);
        assert_eq!(one.stricter(Budget::default()), one);
        assert_eq!(one.replaced_by(Budget { tokens: Some(99), ..Budget::default() }).tokens, Some(99));
        assert_eq!(other.without_kinds_of(one), Budget { usd: None, tokens: None, launches: Some(7) });
    }
}
