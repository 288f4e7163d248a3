//! Documents that are referred to but no longer hold.

use std::collections::BTreeMap;

use docket_markdown::{mentions, parse};

use crate::review::{Findings, Remark, Severity};
use crate::subject::{Reference, Subject};

/// Statuses of documents that nobody should build on.
const OVER: [&str; 6] = ["superseded", "rejected", "deprecated", "withdrawn", "replaced", "declined"];

/// Looks up the status of every document that is referred to.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    let own = subject.document.field("status").map(|field| field.value.to_lowercase()).unwrap_or_default();
    // A document that is itself over may well refer to its contemporaries.
    if OVER.iter().any(|status| own.starts_with(status)) {
        return;
    }
    let mut first: BTreeMap<&str, &Reference> = BTreeMap::new();
    for reference in &subject.references {
        if let Some(path) = reference.path.as_deref().filter(|path| path.ends_with(".md")) {
            let known = first.entry(path).or_insert(reference);
            if reference.line < known.line {
                *known = reference;
            }
        }
    }
    let mut standing = 0;
    for (path, reference) in first {
        let Some(status) = subject.status_of(path) else { continue };
        let lower = status.to_lowercase();
        // A template lists all statuses there are.
        if lower.contains('|') {
            continue;
        }
        if !OVER.iter().any(|over| lower.trim_start_matches(['*', '[']).starts_with(over)) {
            standing += 1;
            continue;
        }
        // The document is itself what replaced the other one.
        if is_own_name(subject, &status) {
            continue;
        }
        // Whoever names the successor too knows about it.
        let knows = successor(&status).is_some_and(|target| {
            subject
                .references
                .iter()
                .any(|other| other.path.as_deref().is_some_and(|path| path.ends_with(&target)))
        });
        let severity = if knows { Severity::Minor } else { Severity::Major };
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md");
        let title = format!("Builds on {path}, whose status is \"{}\"", plain(&status));
        findings.add(
            severity,
            Remark::new("superseded-decision", stem, reference.line, title)
                .advice("Refer to what replaced it, or say why the old decision still matters here.")
                .detail(format!("Referred to as '{}'.", reference.text)),
        );
    }
    if standing > 0 {
        findings.praise(format!(
            "Builds on {standing} document{} with a status that still holds",
            if standing == 1 { "" } else { "s" }
        ));
    }
}

/// Whether a status names the subject, by link or id.
fn is_own_name(subject: &Subject, status: &str) -> bool {
    let name = subject.path.rsplit('/').next().unwrap_or_default();
    let own = mentions(name, |word| word == subject.kind.name()).into_iter().next();
    let ids = mentions(status, |word| word == subject.kind.name());
    successor(status).is_some_and(|target| target == name)
        || own.is_some_and(|own| ids.iter().any(|id| id.number == own.number))
}

/// The file name of the document that a status links to.
fn successor(status: &str) -> Option<String> {
    let document = parse(status);
    let target = &document.links.first()?.target;
    target.rsplit('/').next().map(|name| name.split('#').next().unwrap_or(name).to_owned())
}

/// A status without link targets.
fn plain(status: &str) -> String {
    let document = parse(status);
    document.prose.split_whitespace().map(|word| word.trim_matches(['[', ']'])).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::found;

    #[test]
    fn superseded_decisions_are_found() {
        let text = "# T\n\n[old](../adr/adr-0001-old.md)\n";
        assert_eq!(found(check, text), ["major superseded-decision:adr-0001-old@3"]);
    }

    #[test]
    fn the_successor_itself_may_refer_to_what_it_replaced() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project");
        let text = "# ADR-0002: New\n\n[old](adr-0001-old.md)\n";
        let perspective = crate::subject::Perspective::All;
        let subject = Subject::of("docs/adr/adr-0002-new.md", text, perspective, "2026-01-31", &root);
        let mut findings = Findings::new(&subject.path);
        check(&subject, &mut findings);
        assert!(findings.into_review(&subject).major.is_empty());
    }

    #[test]
    fn standing_ones_and_those_with_their_successor_are_not_major() {
        assert!(found(check, "[new](../adr/adr-0002-new.md)").is_empty());
        let both = "[old](../adr/adr-0001-old.md), now [new](../adr/adr-0002-new.md)";
        assert_eq!(found(check, both), ["minor superseded-decision:adr-0001-old@1"]);
        let over = "# T\n\n**Status:** Superseded by ADR-0002\n\n[old](../adr/adr-0001-old.md)\n";
        assert!(found(check, over).is_empty());
    }
}
