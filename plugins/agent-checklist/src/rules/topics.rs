//! Questions a perspective asks that no heading answers: is a topic spoken of at all?

use docket_markdown::Kind;

use crate::review::{Findings, Remark, Severity};
use crate::subject::{Perspective, Subject};

/// A topic, beginnings of words that speak of it, and what to do when none does.
struct Topic {
    name: &'static str,
    words: &'static [&'static str],
    advice: &'static str,
}

const SECURITY: &[Topic] = &[
    Topic {
        name: "threats",
        words: &["threat", "attack", "abuse", "malicious", "untrusted", "adversar", "hostile"],
        advice: "Name who could misuse this, and what they would try.",
    },
    Topic {
        name: "permissions",
        words: &[
            "permission",
            "authoriz",
            "authoris",
            "privilege",
            "access control",
            "capabilit",
            "grant",
            "sandbox",
            "trust",
        ],
        advice: "Say who may do what, and what is denied by default.",
    },
    Topic {
        name: "input validation",
        words: &["validat", "sanitiz", "sanitis", "escap", "inject", "malformed"],
        advice: "Say which input can't be trusted and how it is checked.",
    },
    Topic {
        name: "secrets",
        words: &["secret", "credential", "token", "password", "sensitive", "private key", "personal data"],
        advice: "Say which secrets or sensitive data are touched, or that none are.",
    },
];

const ARCHITECTURE: &[Topic] = &[
    Topic {
        name: "failure handling",
        words: &["fail", "error", "crash", "retr", "recover", "timeout"],
        advice: "Describe what happens when a part fails.",
    },
    Topic {
        name: "state and data",
        words: &["state", "persist", "storage", "store", "schema", "data"],
        advice: "Say what is kept, where, and who owns it.",
    },
    Topic {
        name: "interfaces",
        words: &["interface", "api", "contract", "protocol", "format", "command"],
        advice: "Describe the interfaces between the parts.",
    },
    Topic {
        name: "evolution",
        words: &["compatib", "version", "migrat", "deprecat"],
        advice: "Say how it can change later without breaking those who use it.",
    },
];

const IMPLEMENTATION: &[Topic] = &[
    Topic {
        name: "error handling",
        words: &["fail", "error", "invalid", "edge case", "exception"],
        advice: "Say how each failure shows and what the user is told.",
    },
    Topic {
        name: "steps",
        words: &["phase", "milestone", "step", "increment", "task", "first version"],
        advice: "Cut the work into steps that can be delivered one by one.",
    },
    Topic {
        name: "dependencies",
        words: &["depend", "require", "library", "crate", "package", "prerequisite"],
        advice: "Name what it needs from others and what it builds on.",
    },
];

/// Looks for the topics of the perspective in documents that propose or describe something.
pub(super) fn check(subject: &Subject, findings: &mut Findings) {
    if !matches!(subject.kind, Kind::Rfc | Kind::Spec | Kind::Prd | Kind::Architecture) {
        return;
    }
    let topics: &[Topic] = match subject.perspective {
        Perspective::Security => SECURITY,
        Perspective::Architecture => ARCHITECTURE,
        Perspective::Implementation => IMPLEMENTATION,
        // Every perspective's demands are in the table of sections; the topics are the second look of one.
        Perspective::All => return,
    };
    let text = subject.document.text.to_lowercase();
    let spoken = |topic: &&Topic| topic.words.iter().any(|word| begins_word(&text, word));
    for topic in topics.iter().filter(|topic| !spoken(topic)) {
        let title = format!("Nothing is said about {}", topic.name);
        findings.add(
            Severity::Minor,
            Remark::new("missing-topic", topic.name, subject.document.title_line, title).advice(topic.advice),
        );
    }
    let names: Vec<&str> = topics.iter().filter(spoken).map(|topic| topic.name).collect();
    if names.len() == topics.len() {
        findings.praise(format!("Speaks of {}", names.join(", ")));
    }
    let has_decision = subject.references.iter().any(|reference| {
        reference.path.as_deref().is_some_and(|path| docket_markdown::Kind::of(path, "") == Kind::Adr)
    });
    if subject.perspective == Perspective::Architecture && !has_decision && subject.kind == Kind::Rfc {
        findings.add(
            Severity::Minor,
            Remark::new(
                "no-decision-referenced",
                "",
                subject.document.title_line,
                "No decision (ADR) is referred to",
            )
            .advice("Link the decisions this builds on or changes, or say that it is the first of its kind."),
        );
    }
}

/// Whether `beginning` stands at the start of a word.
fn begins_word(text: &str, beginning: &str) -> bool {
    text.match_indices(beginning).any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{listed, review};

    #[test]
    fn each_perspective_asks_its_own_questions() {
        let text = "# RFC-0001: X\n\nAn attacker has no permission; input is validated; no secret is kept.\n";
        assert!(review(check, text, Perspective::Security).minor.is_empty());
        let ids = listed(&review(check, text, Perspective::Implementation));
        assert_eq!(
            ids,
            [
                "minor missing-topic:error-handling@1",
                "minor missing-topic:steps@1",
                "minor missing-topic:dependencies@1"
            ]
        );
        assert!(listed(&review(check, text, Perspective::All)).is_empty());
    }
}
