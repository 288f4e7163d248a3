//! Open questions: answered, with a recommendation, or really open.

use docket_markdown::Section;

use super::{has_name, lines, short};
use crate::review::{Findings, Remark, Severity};
use crate::subject::Subject;

/// So many unanswered questions are told one by one.
const MAXIMUM: usize = 10;
/// Words of an answer that closes a question.
const CLOSING: [&str; 5] = ["resolved", "answered", "decided", "answer:", "decision:"];
/// Words of an answer that only leans one way.
const LEANING: [&str; 11] = [
    "recommend",
    "proposal:",
    "proposed:",
    "leaning",
    "suggest",
    "defer",
    "tentative",
    "preference",
    "probably",
    "for now",
    "start with",
];

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Leaning,
    Open,
}

struct Question {
    text: String,
    line: usize,
    state: State,
}

/// Unanswered questions are major; those with a recommendation are one minor finding together.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    let questions = questions(subject);
    let open: Vec<&Question> = questions.iter().filter(|question| question.state == State::Open).collect();
    for question in open.iter().take(MAXIMUM) {
        findings.add(
            Severity::Major,
            Remark::new(
                "open-question",
                &first_words(&question.text),
                question.line,
                format!("Open question: {}", short(&question.text)),
            )
            .advice("Answer it, or write down a recommendation and who decides by when."),
        );
    }
    if let Some(next) = open.get(MAXIMUM) {
        let more: Vec<usize> = open[MAXIMUM..].iter().map(|question| question.line).collect();
        findings.add(
            Severity::Major,
            Remark::new(
                "open-questions",
                "more",
                next.line,
                format!("{} more questions are open", more.len()),
            )
            .advice("Answer them, or move them to a document of their own.")
            .detail(lines(&more)),
        );
    }
    let leaning: Vec<usize> = questions
        .iter()
        .filter(|question| question.state == State::Leaning)
        .map(|question| question.line)
        .collect();
    if let Some(first) = leaning.first() {
        findings.add(
            Severity::Minor,
            Remark::new(
                "open-questions",
                "with-recommendation",
                *first,
                format!("Questions with a recommendation wait for a decision ({})", leaning.len()),
            )
            .advice("Decide, and write the decision where the recommendation is.")
            .detail(lines(&leaning)),
        );
        if open.is_empty() {
            findings.praise(format!(
                "Every open question carries a recommendation or an answer ({} in all)",
                questions.len()
            ));
        }
    }
}

/// Lines of the questions without answer or recommendation.
pub(super) fn unanswered(subject: &Subject) -> Vec<usize> {
    questions(subject)
        .into_iter()
        .filter(|question| question.state == State::Open)
        .map(|question| question.line)
        .collect()
}

/// Whether a section holds open questions.
pub(super) fn is_asking(section: &Section) -> bool {
    has_name(
        &section.title,
        &["open questions", "unresolved questions", "open question", "open issues", "unresolved issues"],
    )
}

fn questions(subject: &Subject) -> Vec<Question> {
    let sections = subject.document.sections.iter().filter(|section| is_asking(section));
    sections.flat_map(|section| of_section(subject, section)).collect()
}

/// Outermost list items, else sections below, else paragraphs that end with a question mark.
fn of_section(subject: &Subject, section: &Section) -> Vec<Question> {
    let document = &subject.document;
    let within = |start: usize| section.own.contains(&start);
    let items = document.items.iter().filter(|item| item.depth == 0 && within(item.range.start));
    let mut found: Vec<Question> = items
        .map(|item| Question {
            text: item.text.trim().to_owned(),
            line: item.line,
            state: state(document.text.get(item.range.clone()).unwrap_or_default()),
        })
        .collect();
    for child in section.children.iter().map(|child| &document.sections[*child]) {
        let text = document.text.get(child.whole.clone()).unwrap_or_default();
        let title = child.title.to_lowercase();
        // "### Resolved" holds answers, not questions.
        let state = if CLOSING.iter().any(|word| title.contains(word)) { State::Closed } else { state(text) };
        found.push(Question { text: child.title.clone(), line: child.line, state });
    }
    if found.is_empty() {
        let text = document.prose.get(section.own.clone()).unwrap_or_default();
        let first = document.line_of(section.own.start);
        let asking = text.lines().enumerate().filter(|(_, line)| line.trim_end().ends_with('?'));
        found.extend(asking.map(|(above, line)| Question {
            text: line.trim().to_owned(),
            line: first + above,
            state: state(text),
        }));
    }
    // "None." is no question.
    found.retain(|question| {
        !matches!(
            question.text.to_lowercase().trim_end_matches('.'),
            "none" | "n/a" | "none yet" | "none so far" | ""
        )
    });
    found
}

fn state(text: &str) -> State {
    let lower = text.to_lowercase();
    if lower.contains("~~") || lower.contains("[x]") || CLOSING.iter().any(|word| lower.contains(word)) {
        State::Closed
    } else if LEANING.iter().any(|word| lower.contains(word)) {
        State::Leaning
    } else {
        State::Open
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(6).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::found;

    #[test]
    fn questions_are_told_apart() {
        let text = "# T\n\n## Open Questions\n\n1. **Where?** Which folder?\n   - **Recommendation:** here\n2. Who?\n3. ~~When?~~ now\n";
        assert_eq!(
            found(check, text),
            ["major open-question:who@7", "minor open-questions:with-recommendation@5"]
        );
    }

    #[test]
    fn headings_and_paragraphs_are_questions_too() {
        assert_eq!(
            found(check, "## Open Questions\n\n### How far?\n\nNobody knows.\n"),
            ["major open-question:how-far@3"]
        );
        assert_eq!(
            found(check, "## Unresolved questions\n\nWhat about it?\n"),
            ["major open-question:what-about-it@3"]
        );
        assert!(found(check, "## Open Questions\n\nNone.\n").is_empty());
        assert!(found(check, "## Open Questions\n\n- None.\n\n## Other\n\n- Why?\n").is_empty());
    }
}
