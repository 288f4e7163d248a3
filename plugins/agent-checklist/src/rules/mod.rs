//! The rules. Each looks at one thing, reads only the subject, and says what it found.

mod alternatives;
mod claims;
mod decisions;
mod links;
mod measures;
mod metadata;
mod placeholders;
mod questions;
mod requirements;
mod sections;
mod topics;

use crate::review::Findings;
use crate::subject::Subject;

/// A rule.
pub type Rule = fn(&Subject, &mut Findings);

/// All rules. The order is that of the strengths in a review; findings are ordered by severity and place.
pub const ALL: [Rule; 13] = [
    sections::nothing,
    sections::required,
    sections::empty,
    sections::duplicated,
    topics::check,
    metadata::check,
    links::check,
    decisions::check,
    questions::check,
    placeholders::check,
    measures::check,
    alternatives::check,
    claims::check,
];

/// A heading as it is compared: lower case, without numbering, marks and emoji.
fn normalised(title: &str) -> String {
    let words = title.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let text =
        words.skip_while(|word| word.bytes().all(|byte| byte.is_ascii_digit())).collect::<Vec<_>>().join(" ");
    text.to_lowercase()
}

/// Whether a heading has one of `names` in it, at word borders.
fn has_name(title: &str, names: &[&str]) -> bool {
    let title = format!(" {} ", normalised(title));
    names.iter().any(|name| title.contains(&format!(" {name} ")))
}

/// "line 3", "lines 3, 5 and 9": for details.
fn lines(numbers: &[usize]) -> String {
    match numbers {
        [] => String::new(),
        [one] => format!("line {one}"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(usize::to_string).collect();
            format!("lines {} and {last}", first.join(", "))
        }
    }
}

/// A quotation for a title: the start of a text.
fn short(text: &str) -> String {
    let text = text.replace("**", "").split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= 70 { text } else { text.chars().take(67).chain("...".chars()).collect() }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Applies one rule to a text.

    use std::path::Path;

    use super::Rule;
    use crate::review::{Findings, Review};
    use crate::subject::{Perspective, Subject};

    /// What `rule` says about an RFC with this text.
    pub(crate) fn review(rule: Rule, text: &str, perspective: Perspective) -> Review {
        review_at("docs/rfcs/rfc-0001-x.md", rule, text, perspective)
    }

    /// What `rule` says about the document at `path` with this text.
    pub(crate) fn review_at(path: &str, rule: Rule, text: &str, perspective: Perspective) -> Review {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project");
        let subject = Subject::of(path, text, perspective, "2026-01-31", &root);
        let mut findings = Findings::new(&subject.path);
        rule(&subject, &mut findings);
        findings.into_review(&subject)
    }

    /// The findings as `severity id@line`.
    pub(crate) fn found(rule: Rule, text: &str) -> Vec<String> {
        listed(&review(rule, text, Perspective::All))
    }

    /// The findings of a review as `severity id@line`.
    pub(crate) fn listed(review: &Review) -> Vec<String> {
        let each = |name: &str, findings: &[crate::review::Finding]| -> Vec<String> {
            findings
                .iter()
                .map(|finding| format!("{name} {}@{}", finding.id, finding.line.unwrap_or(0)))
                .collect()
        };
        [each("blocker", &review.blockers), each("major", &review.major), each("minor", &review.minor)]
            .concat()
    }
}
