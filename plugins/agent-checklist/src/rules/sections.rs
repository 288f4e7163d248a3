//! Sections that are missing, empty, too thin or there twice.

use std::collections::{HashMap, HashSet};

use docket_markdown::{Kind, Section};

use super::has_name;
use super::requirements::{Requirement, requirements};
use crate::review::{Findings, Remark, Severity};
use crate::subject::Subject;

/// The core section of a document with fewer words than this can't be worked from.
const THIN_WORDS: usize = 40;

/// An opening of so many words does for an overview.
const OPENING_WORDS: usize = 20;

/// A document of fewer words than this says nothing that could be reviewed.
const WORDS_OF_A_DOCUMENT: usize = 5;

/// A document without content. Kinds that need no section would pass everything else.
pub(super) fn nothing(subject: &Subject, findings: &mut Findings) {
    let is_word = |word: &&str| word.chars().any(char::is_alphanumeric);
    if subject.document.readable.split_whitespace().filter(is_word).count() < WORDS_OF_A_DOCUMENT {
        let remark = Remark::new(
            "empty-document",
            "",
            subject.document.title_line,
            "The document is empty".to_owned(),
        );
        findings.add(Severity::Blocker, remark.advice("Write it, or remove the file."));
    }
}

/// Sections the document's kind needs, from the perspective of the review. An empty one is as bad as a missing one.
pub(super) fn required(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let mut filled = Vec::new();
    let wanted = requirements(subject.kind);
    for requirement in wanted {
        let Some(severity) = requirement.severity(subject.perspective) else { continue };
        let fitting = fitting(subject, requirement);
        let Some(first) = fitting.first() else {
            if is_said_at_the_top(subject, requirement) {
                continue;
            }
            let kind = label(subject.kind);
            findings.add(
                severity,
                Remark::new(
                    "missing-section",
                    requirement.name,
                    document.title_line,
                    format!("The {kind} has no section \"{}\"", requirement.name),
                )
                .advice(format!("Add a section \"{}\". {}", requirement.name, requirement.advice)),
            );
            continue;
        };
        if fitting.iter().all(|section| document.is_empty(section)) {
            findings.add(
                severity,
                Remark::new(
                    "empty-section",
                    requirement.name,
                    first.line,
                    format!("The section \"{}\" is empty", first.title),
                )
                .advice(requirement.advice),
            );
            continue;
        }
        filled.push(requirement.name);
        if severity == Severity::Blocker && subject.kind != Kind::Adr {
            thin(subject, requirement, &fitting, findings);
        }
    }
    if filled.len() > 2 {
        findings.praise(format!("Has the sections it needs filled in: {}", filled.join(", ")));
    }
}

/// A core section with few words. Diagrams and code say as much as prose.
fn thin(subject: &Subject, requirement: &Requirement, fitting: &[&Section], findings: &mut Findings) {
    let document = &subject.document;
    let words: usize = fitting.iter().map(|section| subject.words(section.whole.clone())).sum();
    let has_code = document.code_blocks.iter().any(|block| {
        fitting
            .iter()
            .any(|section| (section.line..=document.line_of(section.whole.end)).contains(&block.line))
    });
    let Some(first) = fitting.first().filter(|_| words < THIN_WORDS && !has_code) else { return };
    let title = format!("The section \"{}\" has only {words} words", first.title);
    findings.add(
        Severity::Major,
        Remark::new("thin-section", requirement.name, first.line, title).advice(requirement.advice),
    );
}

/// The sections that fulfil a requirement. The title of the document is none.
fn fitting<'a>(subject: &'a Subject, requirement: &Requirement) -> Vec<&'a Section> {
    let sections = &subject.document.sections;
    let names: Vec<&str> = requirement.names.split('|').collect();
    let titles = sections.iter().filter(|section| section.level == 1).count();
    sections
        .iter()
        .filter(|section| section.level > 1 || titles > 1)
        .filter(|section| has_name(&section.title, &names))
        .collect()
}

/// How a kind is called in a sentence.
fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Rfc => "RFC",
        Kind::Adr => "ADR",
        Kind::Prd => "PRD",
        Kind::Spec => "specification",
        Kind::Architecture => "architecture document",
        Kind::Research => "research document",
        Kind::Guide => "guide",
        Kind::Document => "document",
    }
}

/// Whether a document that needs no formal parts opens with a paragraph that does for its overview.
fn is_said_at_the_top(subject: &Subject, requirement: &Requirement) -> bool {
    let informal = matches!(subject.kind, Kind::Architecture | Kind::Research | Kind::Spec);
    let top = subject.document.sections.iter().find(|section| section.level == 1);
    let words = top.map_or(0, |section| subject.words(section.own.clone()));
    informal && requirement.names.split('|').any(|name| name == "overview") && words >= OPENING_WORDS
}

/// Any other section without content.
pub(super) fn empty(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let needed = requirements(subject.kind)
        .iter()
        .filter(|requirement| requirement.severity(subject.perspective).is_some());
    let reported: HashSet<usize> = needed
        .map(|requirement| fitting(subject, requirement))
        .filter(|fitting| fitting.iter().all(|section| document.is_empty(section)))
        .flat_map(|fitting| fitting.into_iter().map(|section| section.line).collect::<Vec<_>>())
        .collect();
    for section in document.sections.iter().filter(|section| section.level > 1 && document.is_empty(section))
    {
        // Of an empty section with empty sections in it, only the outermost is told.
        let inner = section.parent.is_some_and(|parent| {
            let parent = &document.sections[parent];
            parent.level > 1 && document.is_empty(parent)
        });
        if !inner && !reported.contains(&section.line) {
            findings.add(
                Severity::Minor,
                Remark::new(
                    "empty-section",
                    &section.title,
                    section.line,
                    format!("The section \"{}\" is empty", section.title),
                )
                .advice("Fill it in, or take the heading out."),
            );
        }
    }
}

/// Headings that are there twice under the same parent: links to them are ambiguous.
pub(super) fn duplicated(subject: &Subject, findings: &mut Findings) {
    let mut seen: HashMap<(Option<usize>, String), usize> = HashMap::new();
    for section in &subject.document.sections {
        let key = (section.parent, section.title.to_lowercase());
        let Some(first) = seen.get(&key) else {
            seen.insert(key, section.line);
            continue;
        };
        findings.add(
            Severity::Minor,
            Remark::new(
                "duplicate-heading",
                &section.title,
                section.line,
                format!("The heading \"{}\" is there twice", section.title),
            )
            .advice("Merge the two sections, or give each a heading of its own.")
            .detail(format!("First at line {first}.")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{found, listed, review, review_at};
    use crate::subject::Perspective;

    #[test]
    fn missing_and_empty_sections_are_found() {
        let text = "# RFC-0001: X\n\n## Summary\n\nText.\n\n## Motivation\n\n<!-- why -->\n\n## Security Considerations\n\nNone, it is pure.\n";
        let list = found(required, text);
        assert!(list.contains(&"blocker missing-section:detailed-design@1".to_owned()), "{list:?}");
        assert!(list.contains(&"blocker empty-section:motivation@7".to_owned()), "{list:?}");
        assert!(!list.iter().any(|line| line.contains("security") || line.contains("summary")), "{list:?}");
    }

    #[test]
    fn a_document_without_content_is_a_blocker() {
        for text in ["", "\n\n", "# RFC-0001: X\n"] {
            assert_eq!(found(nothing, text), ["blocker empty-document@1"], "{text:?}");
        }
        assert!(found(nothing, "# RFC-0001: X\n\nIt says something after all.\n").is_empty());
    }

    #[test]
    fn perspectives_differ() {
        let text = "# RFC-0001: X\n\n## Motivation\n\nA.\n\n## 3. Design\n\n```\ncode\n```\n";
        let security = listed(&review(required, text, Perspective::Security));
        assert!(
            security.contains(&"blocker missing-section:security-considerations@1".to_owned()),
            "{security:?}"
        );
        let building = listed(&review(required, text, Perspective::Implementation));
        assert!(building.contains(&"major missing-section:testing-strategy@1".to_owned()), "{building:?}");
        assert!(
            building.contains(&"minor missing-section:security-considerations@1".to_owned()),
            "{building:?}"
        );
    }

    #[test]
    fn kinds_differ() {
        let adr = review_at(
            "docs/adr/adr-0001.md",
            required,
            "# ADR-0001: X\n\n## Context\n\nC.\n",
            Perspective::All,
        );
        assert!(listed(&adr).contains(&"blocker missing-section:decision@1".to_owned()));
        let note = review_at("notes.md", required, "# X\n\nText.\n", Perspective::All);
        assert!(listed(&note).is_empty());
    }

    #[test]
    fn other_empty_and_duplicated_sections_are_minor() {
        let text = "# T\n\n## A\n\ntext\n\n## B\n\n### C\n\n## A\n\ntext\n\n## D\n\n### A\n\nx\n";
        assert_eq!(found(empty, text), ["minor empty-section:b@7"]);
        assert_eq!(found(duplicated, text), ["minor duplicate-heading:a@11"]);
    }
}
