//! Where a project stands, for whoever begins to work on it: documents that are unfinished, in review or stale. What is
//! to do and what was committed lately is put beside it by [`crate::gather`].

use docket_markdown::Kind;

use crate::facts::Facts;
use crate::package::DocumentState;

/// A document that nobody touched for so many days, in review or as a draft, is stale.
const STALE_DAYS: i64 = 90;
/// More documents are not listed.
const MAXIMUM: usize = 200;
/// What statuses begin with.
const REVIEW: [&str; 6] = ["in review", "in-review", "review", "under review", "last call", "active review"];
const DRAFT: [&str; 7] = ["draft", "proposed", "wip", "work in progress", "idea", "pending", "rfc"];

/// The documents that somebody has to do something about, as of the day `today`: in review first, then stale ones, then
/// drafts, each the oldest first.
pub fn documents(facts: &[Facts], today: &str) -> Vec<DocumentState> {
    let today = day_number(today);
    let mut found: Vec<(u8, Option<u32>, DocumentState)> = facts
        .iter()
        .filter(|facts| !facts.is_template && facts.kind() != Kind::Guide)
        .filter_map(|facts| {
            let status = facts.status.as_deref()?.trim_start_matches(['*', '_', '`', ' ']).to_lowercase();
            let begins = |words: &[&str]| {
                let mut rests = words.iter().filter_map(|word| status.strip_prefix(word));
                rests.any(|rest| !rest.starts_with(char::is_alphanumeric))
            };
            let (is_review, is_draft) = (begins(&REVIEW), begins(&DRAFT));
            if !is_review && !is_draft {
                return None;
            }
            let age = facts.date.and_then(|date| Some(today? - days(date)?));
            let (order, state) = match age {
                Some(age) if age > STALE_DAYS => (1, "stale"),
                _ if is_review => (0, "in-review"),
                _ => (2, "draft"),
            };
            Some((order, facts.date, state_of(facts, state)))
        })
        .collect();
    // Entries are sorted by path, and the sort is stable. What has no date comes last.
    found.sort_by_key(|(order, date, _)| (*order, date.unwrap_or(u32::MAX)));
    found.truncate(MAXIMUM);
    found.into_iter().map(|(_, _, state)| state).collect()
}

fn state_of(facts: &Facts, state: &'static str) -> DocumentState {
    DocumentState {
        path: facts.path.clone(),
        title: facts.title.clone(),
        kind: facts.kind().name(),
        status: facts.status.clone(),
        state,
        date: facts
            .date
            .map(|date| format!("{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100)),
    }
}

fn day_number(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    days(year.checked_mul(10_000)? + month * 100 + day)
}

/// Days since some day, of a date such as 20240131. Howard Hinnant, "chrono-compatible low-level date algorithms".
fn days(date: u32) -> Option<i64> {
    let (year, month, day) = (i64::from(date / 10_000), i64::from(date / 100 % 100), i64::from(date % 100));
    if !(1..=12).contains(&month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;

    #[test]
    fn days_are_counted() {
        let between = |one, other| Some(days(other)? - days(one)?);
        assert_eq!(between(20_240_228, 20_240_301), Some(2));
        assert_eq!(between(20_231_231, 20_240_101), Some(1));
        assert_eq!(day_number("2024-01-01"), days(20_240_101));
        assert_eq!(day_number(""), None);
        assert_eq!(days(20_241_301), None);
    }

    #[test]
    fn documents_in_review_come_first_and_finished_ones_not_at_all() {
        let document = |path: &str, status: &str, date: &str| {
            facts::read(path, &format!("# T\n\n**Status:** {status}\n**Created:** {date}\n\nText.\n")).facts
        };
        let all = [
            document("docs/rfcs/rfc-0001-a.md", "Draft", "2026-01-01"),
            document("docs/rfcs/rfc-0002-b.md", "Accepted", "2026-01-01"),
            document("docs/rfcs/rfc-0003-c.md", "In Review", "2026-01-01"),
            document("docs/rfcs/rfc-0004-d.md", "Draft", "2025-01-01"),
            document("templates/rfc-template.md", "Draft", "2025-01-01"),
        ];
        let found: Vec<_> = documents(&all, "2026-01-20")
            .into_iter()
            .map(|document| (document.path, document.state))
            .collect();
        assert_eq!(
            found,
            [
                ("docs/rfcs/rfc-0003-c.md".to_owned(), "in-review"),
                ("docs/rfcs/rfc-0004-d.md".to_owned(), "stale"),
                ("docs/rfcs/rfc-0001-a.md".to_owned(), "draft"),
            ]
        );
    }
}
