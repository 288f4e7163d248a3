//! Criteria and goals that nobody can check, because they have no number.

use docket_markdown::{Document, Kind, Section};

use super::{has_name, lines, short};
use crate::review::{Findings, Remark, Severity};
use crate::subject::{Perspective, Subject};

/// Headings of criteria: each item should be measurable.
const CRITERIA: [&str; 7] = [
    "success criteria",
    "acceptance criteria",
    "success metrics",
    "done when",
    "definition of done",
    "primary metrics",
    "exit criteria",
];
/// Headings about speed and size: at least one number is wanted.
const PERFORMANCE: [&str; 5] =
    ["performance", "performance considerations", "performance goals", "scalability", "slas"];
/// Numbers after these words count things, they measure nothing.
const COUNTERS: [&str; 12] = [
    "phase",
    "step",
    "adr",
    "rfc",
    "prd",
    "version",
    "section",
    "journey",
    "option",
    "level",
    "stage",
    "alternative",
];
/// Words that are as strict as a number.
const STRICT: [&str; 8] = ["every", "all", "none", "never", "always", "zero", "no", "each"];

/// Checks criteria and performance goals.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    if matches!(subject.kind, Kind::Adr | Kind::Guide) {
        return;
    }
    for section in &subject.document.sections {
        if has_name(&section.title, &CRITERIA) {
            criteria(subject, section, findings);
        } else if has_name(&section.title, &PERFORMANCE) && section.level <= 3 {
            performance(subject, section, findings);
        }
    }
}

fn criteria(subject: &Subject, section: &Section, findings: &mut Findings) {
    let document = &subject.document;
    let items: Vec<_> = document
        .items
        .iter()
        .filter(|item| item.depth == 0 && belongs(document, section, item.range.start))
        .collect();
    let vague: Vec<_> = items
        .iter()
        .filter(|item| {
            let text = subject.document.readable.get(item.range.clone()).unwrap_or_default();
            !is_measured(text) && !is_strict(text)
        })
        .collect();
    let Some(first) = vague.first() else {
        if items.len() > 1 {
            findings.praise(format!(
                "Every one of the {} points of \"{}\" can be measured",
                items.len(),
                section.title
            ));
        }
        return;
    };
    // One number among many says that the author thought of it; none at all, that nobody can tell when it is done.
    let severity = if vague.len() == items.len() { Severity::Major } else { Severity::Minor };
    let numbers: Vec<usize> = vague.iter().map(|item| item.line).collect();
    let line = if severity == Severity::Major { section.line } else { first.line };
    findings.add(
        severity,
        Remark::new(
            "criteria-without-numbers",
            &section.title,
            line,
            format!("{} of {} points of \"{}\" can't be measured", vague.len(), items.len(), section.title),
        )
        .advice("Give each a number, a limit, or a test that passes or fails.")
        .detail(format!("At {}, such as: {}", lines(&numbers), short(&first.text))),
    );
}

/// Whether byte `offset` lies in `section` and in no other section of criteria inside it.
fn belongs(document: &Document, section: &Section, offset: usize) -> bool {
    let mut inner = document.section_at(offset);
    while let Some(current) = inner.filter(|current| !has_name(&current.title, &CRITERIA)) {
        inner = current.parent.map(|parent| &document.sections[parent]);
    }
    inner.is_some_and(|inner| inner.line == section.line)
}

fn performance(subject: &Subject, section: &Section, findings: &mut Findings) {
    let document = &subject.document;
    // Parts of a section that was already looked at.
    let inner = section.parent.is_some_and(|parent| has_name(&document.sections[parent].title, &PERFORMANCE));
    if inner || document.is_empty(section) {
        return;
    }
    let text = document.readable.get(section.whole.clone()).unwrap_or_default();
    if is_measured(text) {
        return;
    }
    let severity =
        if subject.perspective == Perspective::Security { Severity::Minor } else { Severity::Major };
    findings.add(
        severity,
        Remark::new(
            "goals-without-numbers",
            &section.title,
            section.line,
            format!("\"{}\" names no number", section.title),
        )
        .advice("State the expected load and the limits as numbers, and how they are measured."),
    );
}

/// Whether a text has a number that measures something: not a list's own, an id's or a version's.
fn is_measured(text: &str) -> bool {
    let mut previous = String::new();
    for (position, word) in text.split_whitespace().enumerate() {
        let bare =
            word.trim_matches(|character: char| matches!(character, '(' | ')' | '*' | '_' | '`' | ',' | '"'));
        let number = bare.trim_start_matches(['<', '>', '~', '≤', '≥', '=', '±', '+', '-', '$', '€']);
        let is_marker =
            bare.ends_with(['.', ')']) && bare.len() <= 3 && (position == 0 || previous.is_empty());
        if number.starts_with(|first: char| first.is_ascii_digit())
            && !is_marker
            && !is_date(number)
            && !COUNTERS.contains(&previous.as_str())
        {
            return true;
        }
        previous = bare.trim_end_matches([':', '-', '#']).to_lowercase();
    }
    false
}

fn is_date(word: &str) -> bool {
    word.len() >= 10 && word.as_bytes()[4] == b'-' && word.as_bytes()[7] == b'-'
}

fn is_strict(text: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric())
        .any(|word| STRICT.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{found, review};

    #[test]
    fn criteria_want_numbers() {
        let all = "## Success Criteria\n\n- Works well\n- Stored and accessible\n";
        assert_eq!(found(check, all), ["major criteria-without-numbers:success-criteria@1"]);
        let some = "## Acceptance Criteria\n\n- Finds 90%+ of documents\n- Is nice\n- No file is lost\n";
        assert_eq!(found(check, some), ["minor criteria-without-numbers:acceptance-criteria@4"]);
        assert!(found(check, "## Acceptance Criteria\n\n1. Under 50 ms\n2. Every test passes\n").is_empty());
    }

    #[test]
    fn performance_wants_a_number() {
        assert_eq!(
            found(check, "## Performance Considerations\n\nIt is fast in phase 2, see ADR 3.\n"),
            ["major goals-without-numbers:performance-considerations@1"]
        );
        assert!(found(check, "## Performance\n\nUnder <100ms.\n").is_empty());
        let security = review(check, "## Performance\n\nFast.\n", Perspective::Security);
        assert_eq!(security.minor.len(), 1);
    }
}
