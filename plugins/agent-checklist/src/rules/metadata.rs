//! What the document says about itself: status, dates and number, and whether they contradict each other.

use docket_markdown::{Field, Kind, mentions};

use super::{has_name, lines, questions};
use crate::review::{Findings, Remark, Severity};
use crate::subject::Subject;

/// Beginnings of usual statuses. Anything else is pointed out, not refused.
const STATUSES: [&str; 34] = [
    "draft",
    "proposed",
    "proposal",
    "in review",
    "review",
    "under review",
    "accepted",
    "approved",
    "rejected",
    "declined",
    "deprecated",
    "superseded",
    "replaced",
    "implemented",
    "implementing",
    "in progress",
    "withdrawn",
    "final",
    "living",
    "stagnant",
    "current",
    "complete",
    "active",
    "open",
    "closed",
    "done",
    "ready",
    "last call",
    "postponed",
    "deferred",
    "stable",
    "experimental",
    "partially",
    "returned",
];
/// Fields that hold a date.
const DATES: [&str; 8] =
    ["created", "date", "updated", "last updated", "reviewed", "accepted", "last reviewed", "modified"];

/// A calendar date, ordered as dates are.
type Date = (u16, u8, u8);

/// Checks status, dates and number.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    status(subject, findings);
    dates(subject, findings);
    number(subject, findings);
}

fn status(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let Some(field) = document.field("status") else {
        if matches!(subject.kind, Kind::Rfc | Kind::Adr | Kind::Prd) {
            let severity = if subject.kind == Kind::Adr { Severity::Major } else { Severity::Minor };
            findings.add(
                severity,
                Remark::new(
                    "missing-status",
                    "",
                    document.title_line,
                    "The document does not say its status",
                )
                .advice("Add a line `**Status:** Draft` below the title."),
            );
        }
        return;
    };
    let value = field.value.trim_matches(['*', '_', '`', '[', ' ']).to_lowercase();
    let known = STATUSES.iter().any(|status| value.starts_with(status));
    if value.contains('|') || value.is_empty() || !known {
        let severity = if known || value.is_empty() { Severity::Major } else { Severity::Minor };
        findings.add(
            severity,
            Remark::new(
                "invalid-status",
                &value,
                field.line,
                format!("\"{}\" is no usual status", field.value),
            )
            .advice(
                "Use one status, such as Draft, In Review, Accepted, Rejected, Superseded or Implemented.",
            ),
        );
        return;
    }
    let is_settled =
        ["accepted", "approved", "implemented", "final"].iter().any(|status| value.starts_with(status));
    let open = questions::unanswered(subject);
    if is_settled && !open.is_empty() {
        findings.add(
            Severity::Major,
            Remark::new(
                "contradiction",
                "accepted-with-open-questions",
                field.line,
                format!("The status is \"{}\", but questions are open", field.value),
            )
            .advice("Answer the questions, or move them to a follow-up document and link it.")
            .detail(format!("Open: {}.", lines(&open))),
        );
    }
    let has_successor = value.chars().any(|character| character.is_ascii_digit())
        || value.contains("](")
        || ["superseded-by", "superseded by", "replaced by", "replaced-by"]
            .iter()
            .any(|name| document.field(name).is_some());
    if (value.starts_with("superseded") || value.starts_with("replaced")) && !has_successor {
        findings.add(
            Severity::Major,
            Remark::new(
                "contradiction",
                "superseded-without-successor",
                field.line,
                "The document is superseded, but not by what",
            )
            .advice("Write the successor into the status: `Superseded by ADR-0012`."),
        );
    }
}

fn dates(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let fields: Vec<&Field> = (document.metadata.iter().chain(&document.front_matter))
        .filter(|field| DATES.iter().any(|name| field.is(name)) && !field.value.is_empty())
        .collect();
    let today = date(&subject.date).flatten();
    let mut read: Vec<(&Field, Date)> = Vec::new();
    for field in fields {
        match date(&field.value) {
            Some(Some(date)) => read.push((field, date)),
            Some(None) => findings.add(
                Severity::Minor,
                Remark::new(
                    "invalid-date",
                    &field.name,
                    field.line,
                    format!("\"{}\" is no date", field.value),
                )
                .advice("Write the date as YYYY-MM-DD."),
            ),
            // Other spellings of dates are not judged.
            None => {}
        }
    }
    for (field, date) in read.iter().filter(|(_, date)| today.is_some_and(|today| *date > today)) {
        findings.add(
            Severity::Minor,
            Remark::new(
                "date-in-future",
                &field.name,
                field.line,
                format!("{} lies in the future: {}", field.name, shown(*date)),
            )
            .advice("Correct the date."),
        );
    }
    let Some((_, created)) = read.iter().find(|(field, _)| field.is("created")) else { return };
    for (field, date) in read.iter().filter(|(_, date)| date < created) {
        let about = format!("{} before created", field.name);
        findings.add(
            Severity::Major,
            Remark::new(
                "contradiction",
                &about,
                field.line,
                format!("{} ({}) lies before Created ({})", field.name, shown(*date), shown(*created)),
            )
            .advice("Correct the one that is wrong."),
        );
    }
}

/// Reads the date a value starts with. `None`: not in this form at all. `Some(None)`: in this form, but no date.
fn date(value: &str) -> Option<Option<Date>> {
    let text = value.trim().get(..10)?;
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit() || matches!(byte, b'Y' | b'M' | b'D'),
    });
    if !form {
        return None;
    }
    let read = || -> Option<Date> {
        let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => {
                if leap {
                    29
                } else {
                    28
                }
            }
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then_some((year, month, day))
    };
    Some(read())
}

fn shown((year, month, day): Date) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// The number in the title against the one in the file's name.
fn number(subject: &Subject, findings: &mut Findings) {
    let scheme = subject.kind.name();
    let name = subject.path.rsplit('/').next().unwrap_or_default();
    let title = subject.document.title.as_deref().unwrap_or_default();
    let of = |text: &str| mentions(text, |word| word == scheme).first().map(|mention| mention.number);
    let (Some(named), Some(titled)) = (of(name), of(title)) else { return };
    if named != titled && !has_name(title, &["amends", "replaces"]) {
        findings.add(
            Severity::Major,
            Remark::new(
                "contradiction",
                "number",
                subject.document.title_line,
                format!("The title says number {titled}, the file name {named}"),
            )
            .advice("Give both the same number."),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{found, review_at};
    use crate::subject::Perspective;

    #[test]
    fn statuses_are_checked() {
        assert_eq!(found(check, "# RFC-0001: X\n"), ["minor missing-status@1"]);
        assert_eq!(
            found(check, "# X\n\n**Status:** [Draft | Accepted]\n"),
            ["major invalid-status:draft--accepted@3"]
        );
        assert_eq!(found(check, "# X\n\n**Status:** Whatever\n"), ["minor invalid-status:whatever@3"]);
        assert_eq!(
            found(check, "# X\n\n**Status:** Superseded\n"),
            ["major contradiction:superseded-without-successor@3"]
        );
        assert!(found(check, "# X\n\n**Status:** Superseded by ADR-0004\n").is_empty());
        let adr = review_at("adr/adr-0001.md", check, "# ADR-0001: X\n", Perspective::All);
        assert_eq!(adr.major[0].id, "missing-status");
    }

    #[test]
    fn dates_are_checked() {
        let of = |fields: &str| found(check, &format!("# X\n\n**Status:** Draft\n{fields}\n"));
        assert_eq!(
            of("**Created:** 2025-10-13\n**Updated:** 2025-10-12"),
            ["major contradiction:updated-before-created@5"]
        );
        assert_eq!(of("**Created:** 2025-02-30"), ["minor invalid-date:created@4"]);
        assert_eq!(of("**Updated:** YYYY-MM-DD"), ["minor invalid-date:updated@4"]);
        assert_eq!(of("**Updated:** 2026-02-01"), ["minor date-in-future:updated@4"]);
        assert!(
            of("**Created:** 2024-02-29\n**Updated:** 2025-10-13 - see ADR-0004\n**Reviewed:** last week")
                .is_empty()
        );
    }

    #[test]
    fn contradictions_with_questions_and_numbers_are_found() {
        let text = "# RFC-0002: X\n\n**Status:** Accepted\n\n## Open Questions\n\n- How?\n";
        assert_eq!(
            found(check, text),
            ["major contradiction:number@1", "major contradiction:accepted-with-open-questions@3"]
        );
    }
}
