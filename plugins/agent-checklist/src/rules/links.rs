//! References that lead nowhere, or only on one machine.

use std::collections::HashSet;

use docket_markdown::{Resolution, resolve, slug};

use super::lines;
use crate::review::{Findings, Remark, Severity};
use crate::subject::{Reference, Subject};

/// Checks references to files and to headings of the document itself.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    let mut broken = 0;
    for reference in subject.references.iter().filter(|reference| reference.broken) {
        broken += 1;
        let severity = if reference.kind == "path" { Severity::Minor } else { Severity::Major };
        let advice = match &reference.nearest {
            Some(nearest) => format!("Point it at {nearest}, if that is meant; otherwise take it out."),
            None => "Correct it, or take it out.".to_owned(),
        };
        let title = format!("The reference '{}' leads nowhere", reference.text);
        findings.add(
            severity,
            Remark::new("broken-reference", &reference.text, reference.line, title).advice(advice),
        );
    }
    machine_paths(subject, findings);
    anchors(subject, findings);
    let leading = subject.references.iter().filter(|reference| reference.path.is_some()).count();
    if broken == 0 && leading > 0 {
        findings
            .praise(format!("Every reference to a file of the project leads somewhere ({leading} checked)"));
    }
}

/// Paths of the author's own machine.
fn machine_paths(subject: &Subject, findings: &mut Findings) {
    let is_local = |text: &str| {
        ["/Users/", "/home/", "file://", "C:\\", "C:/"].iter().any(|start| text.starts_with(start))
    };
    let is_found = |reference: &&Reference| reference.path.is_some() && is_local(&reference.text);
    let local: Vec<&Reference> = subject.references.iter().filter(is_found).collect();
    let Some(first) = local.first() else { return };
    let numbers: Vec<usize> = local.iter().map(|reference| reference.line).collect();
    let title = format!("Links only work on the machine they were written on ({})", local.len());
    let path = first.path.as_deref().unwrap_or_default();
    findings.add(
        Severity::Minor,
        Remark::new("machine-paths", "", first.line, title)
            .advice(format!("Link files relative to this document: '{}' means {path}.", first.text))
            .detail(lines(&numbers)),
    );
}

/// Links to headings that are not there. Anchors made in HTML count as well.
fn anchors(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let mut slugs = HashSet::new();
    for section in &document.sections {
        let base = slug(&section.title);
        let mut unique = base.clone();
        let mut count = 0;
        while !slugs.insert(unique.clone()) {
            count += 1;
            unique = format!("{base}-{count}");
        }
    }
    for link in &document.links {
        let Resolution::Anchor(anchor) = resolve(&subject.path, &link.target, |_| false) else { continue };
        let in_html =
            ["id", "name"].iter().any(|name| document.text.contains(&format!("{name}=\"{anchor}\"")));
        if !anchor.is_empty() && anchor != "top" && !slugs.contains(&anchor.to_lowercase()) && !in_html {
            findings.add(
                Severity::Minor,
                Remark::new(
                    "broken-anchor",
                    &anchor,
                    link.line,
                    format!("There is no heading for the link '#{anchor}'"),
                )
                .advice("Correct the link to the heading it means."),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::found;

    #[test]
    fn broken_references_and_anchors_are_found() {
        let text = "# T\n\n[a](../adr/none.md) [b](../adr/adr-0001-old.md) [c](#here) [d](#there) <a id=\"x\"></a>[e](#x)\n\n## Here\n\n`[f](no.md)`\n";
        assert_eq!(found(check, text), ["major broken-reference:adrnonemd@3", "minor broken-anchor:there@3"]);
    }

    #[test]
    fn paths_of_one_machine_are_pointed_out() {
        let text = "[a](/Users/x/p/docs/adr/adr-0001-old.md)";
        assert_eq!(found(check, text), ["minor machine-paths@1"]);
    }
}
