//! Alternatives that are named but not weighed.

use docket_markdown::{Kind, Section};

use super::{has_name, normalised, short};
use crate::review::{Findings, Remark, Severity};
use crate::subject::{Perspective, Subject};

/// Words that give a reason against something.
const REASONS: [&str; 14] = [
    "why not",
    "not chosen",
    "rejected",
    "because",
    "instead",
    "however",
    "but ",
    "too ",
    "cons",
    "disadvantage",
    "drawback",
    "downside",
    "does not",
    "would need",
];

/// Checks that every alternative says why it was not chosen, and that advantages come with disadvantages.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    if !matches!(subject.kind, Kind::Rfc | Kind::Adr) {
        return;
    }
    let document = &subject.document;
    let alternatives: Vec<&Section> =
        document.sections.iter().filter(|section| is_alternative(subject, section)).collect();
    let severity =
        if subject.perspective == Perspective::Architecture { Severity::Major } else { Severity::Minor };
    let mut weighed = 0;
    for section in &alternatives {
        let text = document.text.get(section.whole.clone()).unwrap_or_default().to_lowercase();
        if document.is_empty(section) || REASONS.iter().any(|reason| text.contains(reason)) {
            weighed += usize::from(!document.is_empty(section));
            continue;
        }
        findings.add(
            severity,
            Remark::new(
                "alternative-without-reason",
                &section.title,
                section.line,
                format!("Nothing says why \"{}\" was not chosen", short(&section.title)),
            )
            .advice("Add a sentence with the reason: \"Why not chosen: …\"."),
        );
    }
    if weighed > 0 && weighed == alternatives.len() {
        findings.praise(match weighed {
            1 => "The alternative says why it was not chosen".to_owned(),
            _ => format!("Each of the {weighed} alternatives says why it was not chosen"),
        });
    }
    one_sided(subject, findings);
}

/// A section below "Alternatives", or one that is called an alternative itself.
fn is_alternative(subject: &Subject, section: &Section) -> bool {
    let title = normalised(&section.title);
    let named = title.starts_with("alternative ") || title.starts_with("option ");
    let group = |title: &str| {
        has_name(
            title,
            &["alternatives", "alternatives considered", "considered options", "options considered"],
        )
    };
    let parent = section.parent.map(|parent| &subject.document.sections[parent]);
    let below = parent.is_some_and(|parent| {
        parent.level > 1
            && group(&parent.title)
            && !has_name(&section.title, &["trade offs", "tradeoffs", "summary", "comparison", "decision"])
    });
    (named || below) && !group(&section.title) && section.level > 2
}

/// A section that lists advantages and nothing against it.
fn one_sided(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let is_trade_off =
        |section: &&Section| has_name(&section.title, &["trade offs", "tradeoffs", "consequences"]);
    for section in document.sections.iter().filter(is_trade_off).filter(|section| !document.is_empty(section))
    {
        let text = document.text.get(section.whole.clone()).unwrap_or_default().to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["advantages", "pros:", "positive", "easier", "benefits"])
            && !has(&[
                "disadvantage",
                "cons:",
                "negative",
                "harder",
                "drawback",
                "downside",
                "cost",
                "risk",
                "but ",
            ])
        {
            findings.add(
                Severity::Minor,
                Remark::new(
                    "one-sided",
                    &section.title,
                    section.line,
                    format!("\"{}\" only lists advantages", section.title),
                )
                .advice("Say what it costs as well: every choice makes something harder."),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{found, review};

    #[test]
    fn alternatives_need_a_reason() {
        let text = "# T\n\n## Alternatives\n\n### A\n\nUse A.\n\n### B\n\n**Why not chosen:** slow.\n";
        assert_eq!(found(check, text), ["minor alternative-without-reason:a@5"]);
        assert_eq!(review(check, text, Perspective::Architecture).major.len(), 1);
    }

    #[test]
    fn advantages_alone_are_one_sided() {
        assert_eq!(found(check, "## Trade-offs\n\n**Advantages:** fast\n"), ["minor one-sided:trade-offs@1"]);
        assert!(found(check, "## Trade-offs\n\n**Advantages:** fast\n**Disadvantages:** big\n").is_empty());
    }
}
