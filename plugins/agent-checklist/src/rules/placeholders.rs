//! What is still to be written: TODO, TBD, FIXME, and a template's text that nobody replaced.

use super::{lines, questions, short};
use crate::review::{Findings, Remark, Severity};
use crate::subject::Subject;

const MARKERS: [&str; 4] = ["TODO", "TBD", "FIXME", "TBC"];
/// So many are told one by one.
const MAXIMUM: usize = 10;

/// Looks in prose and comments; code is left alone, it may show what a placeholder looks like.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    // What is to be written about an open question is that question, and told as such.
    let asked = |line: usize| document.section_at_line(line).is_some_and(questions::is_asking);
    let mut found: Vec<(usize, &str)> =
        document.prose_lines().filter(|(line, text)| has_marker(text) && !asked(*line)).collect();
    let more = found.split_off(found.len().min(MAXIMUM));
    for (line, text) in found {
        let text = short(text.trim().trim_start_matches(['-', '*', '#', ' ']));
        findings.add(
            Severity::Major,
            Remark::new("to-be-written", &text, line, format!("Still to be written: {text}"))
                .advice("Write it, or move it to the open questions with somebody who decides."),
        );
    }
    if let Some((first, _)) = more.first() {
        let numbers: Vec<usize> = more.iter().map(|(line, _)| *line).collect();
        findings.add(
            Severity::Major,
            Remark::new(
                "to-be-written",
                "more",
                *first,
                format!("{} more places are still to be written", more.len()),
            )
            .advice("Write them, or take them out.")
            .detail(lines(&numbers)),
        );
    }
    for comment in document.comments.iter().filter(|comment| comment.text.lines().any(has_marker)) {
        let text = short(&comment.text);
        findings.add(
            Severity::Minor,
            Remark::new(
                "to-be-written",
                &text,
                comment.line,
                format!("A comment says what is to be written: {text}"),
            )
            .advice("Do it, or take the comment out."),
        );
    }
    template_text(subject, findings);
}

/// Whether a marker stands alone: at the start or end of a phrase, not in "TODO/TBD" or a sentence about TODOs.
fn has_marker(line: &str) -> bool {
    MARKERS.iter().any(|marker| {
        line.match_indices(marker).any(|(at, _)| {
            let before = line[..at].trim_end_matches(['*', '_', ' ']);
            let after = line[at + marker.len()..].trim_start_matches(['*', '_']);
            let starts = before.is_empty() || before.ends_with(['(', '[', ':', '-', '|', '>', '=', '—', '.']);
            let ends = after.trim_end_matches('.').is_empty()
                || after.starts_with([':', '(', ')', ']'])
                || after.trim_start().starts_with('|');
            let is_word =
                !line[..at].ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
            let is_list = before.ends_with(['/', ',']) || after.starts_with(['/', ',']);
            is_word && !is_list && (ends || starts && after.starts_with(' '))
        })
    })
}

/// `[Short descriptive title]`, `RFC-NNNN`, `YYYY-MM-DD`: a form that was not filled in.
fn template_text(subject: &Subject, findings: &mut Findings) {
    let document = &subject.document;
    let places: Vec<(usize, &str)> =
        document.prose_lines().filter_map(|(line, text)| Some((line, bracketed(text)?))).collect();
    let title = document.title.as_deref().unwrap_or_default();
    let numbered = title.contains("NNNN") || title.contains("XXXX");
    let Some(line) = numbered.then_some(document.title_line).or(places.first().map(|(line, _)| *line)) else {
        return;
    };
    let numbers: Vec<usize> = places.iter().map(|(line, _)| *line).collect();
    let example = places.first().map_or(title, |(_, text)| text);
    findings.add(
        Severity::Major,
        Remark::new(
            "template-text",
            "",
            line,
            format!("A template's text was not replaced: {}", short(example)),
        )
        .advice("Replace it, or take the part out.")
        .detail(lines(&numbers)),
    );
}

/// A phrase of two words or more in brackets that is neither a link nor a task, at the end of its line.
fn bracketed(line: &str) -> Option<&str> {
    let start = line.find('[')?;
    let end = line[start..].find(']')? + start;
    let inner = &line[start + 1..end];
    let is_phrase = inner.starts_with(|first: char| first.is_ascii_uppercase())
        && inner.contains(' ')
        && !inner.contains(['"', '^']);
    // A link's target is blanked to spaces as long as it was; a bare phrase ends its line.
    (is_phrase && line.len() == end + 1).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::found;

    #[test]
    fn markers_in_prose_are_found() {
        assert_eq!(
            found(check, "# T\n\nTODO: say more\n\nLimits: TBD\n"),
            ["major to-be-written:todo-say-more@3", "major to-be-written:limits-tbd@5"]
        );
        assert_eq!(found(check, "<!-- TODO: x -->\n"), ["minor to-be-written:todo-x@1"]);
    }

    #[test]
    fn code_and_sentences_about_markers_are_not() {
        for text in [
            "```\n# TODO: x\n```\n",
            "`TODO: x`\n",
            "It finds TODO/TBD/FIXME and such.\n",
            "The TODO list is long.\n",
            "MASTODON: no\n",
        ] {
            assert!(found(check, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn template_text_is_found_and_links_are_not() {
        assert_eq!(found(check, "# RFC-NNNN: [Short title here]\n"), ["major template-text@1"]);
        assert!(found(check, "See [The other document](x.md)\n\n[A b]: http://x\n\n- [ ] Task\n").is_empty());
    }
}
