//! Claims that are asserted and not shown.

use super::{lines, short};
use crate::review::{Findings, Remark, Severity};
use crate::subject::Subject;

/// Words that ask to be believed.
const CLAIMS: [&str; 16] = [
    "obviously",
    "trivially",
    "of course",
    "needless to say",
    "blazing",
    "best-in-class",
    "industry-standard",
    "world-class",
    "negligible",
    "seamlessly",
    "effortless",
    "highly scalable",
    "dramatically",
    "significantly faster",
    "minimal overhead",
    "everyone knows",
];
/// Words that come with an explanation.
const GROUNDS: [&str; 5] = ["because", "since ", "measured", "see ", "as shown"];

/// One finding for all of them: each is a small thing, together they are a habit.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    let claims: Vec<(usize, &str)> =
        subject.document.prose_lines().filter(|(_, line)| is_bare_claim(line)).collect();
    let Some((first, text)) = claims.first() else { return };
    let numbers: Vec<usize> = claims.iter().map(|(line, _)| *line).collect();
    findings.add(
        Severity::Minor,
        Remark::new(
            "unexplained-claim",
            "",
            *first,
            format!("Claimed without evidence: {}", short(text.trim().trim_start_matches(['-', '*', ' ']))),
        )
        .advice("Give a number, a source or a reason, or leave the claim out.")
        .detail(lines(&numbers)),
    );
}

fn is_bare_claim(line: &str) -> bool {
    let lower = line.to_lowercase();
    let has_evidence = lower.contains(|character: char| character.is_ascii_digit())
        || lower.contains("](")
        || GROUNDS.iter().any(|word| lower.contains(word));
    !has_evidence
        && CLAIMS.iter().any(|claim| {
            lower.match_indices(claim).any(|(at, _)| !lower[..at].ends_with(char::is_alphanumeric))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::found;

    #[test]
    fn bare_claims_are_found() {
        assert_eq!(
            found(check, "# T\n\nThe overhead is negligible.\n\nObviously right.\n"),
            ["minor unexplained-claim@3"]
        );
        assert!(
            found(check, "Negligible: 3 ms.\n\n`obviously`\n\nOf course, because it is pure.\n").is_empty()
        );
    }
}
