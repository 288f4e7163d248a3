//! A review as Markdown for people: findings grouped by severity, each with its place and what to do.
//!
//! The shape is the schema `review-results`. Every text in it comes from an agent and goes through [`crate::escape`].

use std::fmt::Write as _;

use docket_plugin::{Request, Value, json};
use serde::Deserialize;

use crate::escape;

/// The results of a review.
#[derive(Debug, Deserialize)]
pub(crate) struct Review {
    assessment: String,
    #[serde(default)]
    summary: String,
    blockers: Vec<Finding>,
    major: Vec<Finding>,
    minor: Vec<Finding>,
    #[serde(default)]
    strengths: Vec<String>,
}

/// One thing that is wrong, missing or unclear.
#[derive(Debug, Deserialize)]
struct Finding {
    #[serde(default)]
    id: String,
    title: String,
    #[serde(default)]
    section: String,
    recommendation: String,
    detail: Option<String>,
    file: Option<String>,
    line: Option<u64>,
}

impl Review {
    /// Reads a value as a review; `None` when it is something else.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// How many findings there are, by severity.
    pub(crate) fn counts(&self) -> Value {
        json!({ "blockers": self.blockers.len(), "major": self.major.len(), "minor": self.minor.len() })
    }

    /// The review as Markdown. `title` replaces the heading that names the document.
    pub(crate) fn render(&self, request: &Request, title: Option<&str>) -> String {
        let document = document(request);
        let heading = match (title, document) {
            (Some(title), _) => title.to_owned(),
            (None, Some(document)) => format!("Review of {document}"),
            (None, None) => format!("Review by {}", request.workflow),
        };
        let mut text = format!("# {}\n\n", escape::inline(&heading));
        text.push_str(&facts(request, document));
        let _ = writeln!(text, "- **Assessment:** {}\n", escape::inline(&self.assessment));
        section(&mut text, "Summary", &escape::block(&self.summary));
        section(&mut text, "Findings", &self.table());
        findings(&mut text, "Blockers", "B", &self.blockers);
        findings(&mut text, "Major concerns", "M", &self.major);
        findings(&mut text, "Minor issues", "N", &self.minor);
        let strengths: Vec<String> =
            self.strengths.iter().map(|strength| format!("- {}", escape::inline(strength))).collect();
        section(&mut text, "Strengths", &strengths.join("\n"));
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn table(&self) -> String {
        format!(
            "| Severity | Count |\n|---|---:|\n| Blockers | {} |\n| Major concerns | {} |\n| Minor issues | {} |",
            self.blockers.len(),
            self.major.len(),
            self.minor.len()
        )
    }
}

/// The list of facts at the head of a file: what it is about and which run made it.
pub(crate) fn facts(request: &Request, document: Option<&str>) -> String {
    let perspective = request.inputs.get("perspective").and_then(Value::as_str);
    let facts = [
        ("Document", document),
        ("Date", Some(request.date.as_str())),
        ("Workflow", Some(request.workflow.as_str())),
        ("Run", Some(request.run.as_str())),
        ("Perspective", perspective),
    ];
    facts.iter().fold(String::new(), |mut text, (name, value)| {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            let _ = writeln!(text, "- **{name}:** {}", escape::inline(value));
        }
        text
    })
}

/// The document that a run is about: the first input that is a Markdown file, else the first that is called a path.
pub(crate) fn document(request: &Request) -> Option<&str> {
    let texts = || request.inputs.iter().filter_map(|(name, value)| value.as_str().map(|text| (name, text)));
    let markdown = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.ends_with(".md") || text.ends_with(".markdown")
    };
    let named =
        |name: &str| name.ends_with("_path") || matches!(name, "path" | "document" | "file" | "target");
    texts()
        .find(|(_, text)| markdown(text))
        .or_else(|| texts().find(|(name, _)| named(name)))
        .map(|(_, text)| text)
}

fn section(text: &mut String, heading: &str, body: &str) {
    let body = if body.trim().is_empty() { "None." } else { body };
    let _ = write!(text, "## {heading}\n\n{body}\n\n");
}

fn findings(text: &mut String, heading: &str, letter: &str, findings: &[Finding]) {
    if findings.is_empty() {
        section(text, heading, "");
        return;
    }
    let _ = write!(text, "## {heading}\n\n");
    for (number, finding) in findings.iter().enumerate() {
        finding.render(text, &format!("{letter}{}", number + 1));
    }
}

impl Finding {
    fn render(&self, text: &mut String, label: &str) {
        let _ = write!(text, "### {label}. {}\n\n", escape::inline(&self.title));
        if !self.id.trim().is_empty() {
            let _ = writeln!(text, "- **Id:** {}", escape::code(&self.id));
        }
        if !self.section.trim().is_empty() {
            let _ = writeln!(text, "- **Section:** {}", escape::inline(&self.section));
        }
        if let Some(place) = self.place() {
            let _ = writeln!(text, "- **Where:** {place}");
        }
        // Between a list and a paragraph, and after the heading when there is no list.
        if !text.ends_with("\n\n") {
            text.push('\n');
        }
        if let Some(detail) = self.detail.as_deref().filter(|detail| !detail.trim().is_empty()) {
            let _ = write!(text, "{}\n\n", escape::block(detail));
        }
        let recommendation = escape::block(&self.recommendation);
        let gap = if recommendation.contains('\n') { "\n\n" } else { " " };
        let _ = write!(text, "**Recommendation:**{gap}{recommendation}\n\n");
    }

    fn place(&self) -> Option<String> {
        let file = self.file.as_deref().filter(|file| !file.trim().is_empty());
        match (file, self.line) {
            (Some(file), Some(line)) => Some(escape::code(&format!("{file}:{line}"))),
            (Some(file), None) => Some(escape::code(file)),
            (None, Some(line)) => Some(format!("line {line}")),
            (None, None) => None,
        }
    }
}
