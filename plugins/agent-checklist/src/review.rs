//! What a review consists of, and how findings become a verdict.
//!
//! Severities: a **blocker** means that the document does not do its job (the design of an RFC, the decision of an
//! ADR is not there); **major** means that a reader will be misled or left without something the perspective
//! demands; **minor** is all else. Verdicts:
//!
//! | found                                   | assessment           |
//! |-----------------------------------------|----------------------|
//! | three blockers or more                  | REJECT               |
//! | a blocker, or more than five major ones | REQUEST_CHANGES      |
//! | a major one, or more than three minor   | APPROVE_WITH_CHANGES |
//! | less                                    | APPROVE              |

use std::collections::HashSet;

use docket_markdown::slug;
use serde::Serialize;

use crate::subject::Subject;

const REJECTING_BLOCKERS: usize = 3;
const TOLERATED_MAJOR: usize = 5;
const TOLERATED_MINOR: usize = 3;

/// A review, after the schema `review-results`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Review {
    /// The verdict.
    pub assessment: Assessment,
    /// The review in a few sentences.
    pub summary: String,
    /// What must change.
    pub blockers: Vec<Finding>,
    /// What should change.
    pub major: Vec<Finding>,
    /// What could be better.
    pub minor: Vec<Finding>,
    /// What is good.
    pub strengths: Vec<String>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Assessment {
    /// Good as it is.
    Approve,
    /// Good once the findings are dealt with.
    ApproveWithChanges,
    /// To be looked at again.
    RequestChanges,
    /// Too little to review.
    Reject,
}

impl Assessment {
    /// The verdict for so many findings; the rules are in the module's description.
    pub fn of(blockers: usize, major: usize, minor: usize) -> Self {
        if blockers >= REJECTING_BLOCKERS {
            Self::Reject
        } else if blockers > 0 || major > TOLERATED_MAJOR {
            Self::RequestChanges
        } else if major > 0 || minor > TOLERATED_MINOR {
            Self::ApproveWithChanges
        } else {
            Self::Approve
        }
    }
}

/// How much a finding matters; the module's description says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Could be better.
    Minor,
    /// Should change.
    Major,
    /// Must change.
    Blocker,
}

/// Something to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule and what it is about; the same in every run for the same fault, wherever it moves.
    pub id: String,
    /// What is wrong, in a line.
    pub title: String,
    /// The section it is in.
    pub section: String,
    /// What to do.
    pub recommendation: String,
    /// More about it.
    pub detail: Option<String>,
    /// The document.
    pub file: Option<String>,
    /// The line.
    pub line: Option<usize>,
}

/// What a rule says about a place; becomes a [`Finding`].
#[derive(Debug, Clone)]
pub struct Remark {
    rule: &'static str,
    about: String,
    title: String,
    recommendation: String,
    detail: Option<String>,
    line: usize,
}

impl Remark {
    /// Rule `rule` found something about `about` at `line`.
    pub fn new(rule: &'static str, about: &str, line: usize, title: impl Into<String>) -> Self {
        let (about, title) = (about.to_owned(), title.into());
        Self { rule, about, title, recommendation: String::new(), detail: None, line }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(mut self, recommendation: impl Into<String>) -> Self {
        self.recommendation = recommendation.into();
        self
    }

    /// More about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Collects what the rules find.
#[derive(Debug)]
pub struct Findings {
    file: String,
    remarks: Vec<(Severity, Remark)>,
    strengths: Vec<String>,
}

impl Findings {
    /// For the document at `file`.
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), remarks: Vec::new(), strengths: Vec::new() }
    }

    /// Adds something to change.
    pub fn add(&mut self, severity: Severity, remark: Remark) {
        self.remarks.push((severity, remark));
    }

    /// Adds something good.
    pub fn praise(&mut self, strength: impl Into<String>) {
        self.strengths.push(strength.into());
    }

    /// Sums up.
    pub fn into_review(mut self, subject: &Subject) -> Review {
        // By severity, then place: the order in which somebody works through them.
        self.remarks.sort_by_key(|(severity, remark)| (std::cmp::Reverse(*severity), remark.line));
        let mut ids = HashSet::new();
        let (mut blockers, mut major, mut minor) = (Vec::new(), Vec::new(), Vec::new());
        for (severity, remark) in self.remarks {
            let finding = finding(remark, &self.file, subject, &mut ids);
            match severity {
                Severity::Blocker => blockers.push(finding),
                Severity::Major => major.push(finding),
                Severity::Minor => minor.push(finding),
            }
        }
        let assessment = Assessment::of(blockers.len(), major.len(), minor.len());
        let summary = summary(subject, [&blockers, &major, &minor]);
        Review { assessment, summary, blockers, major, minor, strengths: self.strengths }
    }
}

fn finding(remark: Remark, file: &str, subject: &Subject, ids: &mut HashSet<String>) -> Finding {
    let about: String = slug(&remark.about).chars().take(60).collect();
    let base = if about.is_empty() { remark.rule.to_owned() } else { format!("{}:{about}", remark.rule) };
    let mut id = base.clone();
    let mut count = 1;
    while !ids.insert(id.clone()) {
        count += 1;
        id = format!("{base}-{count}");
    }
    let section =
        subject.document.section_at_line(remark.line).map_or("Header", |section| section.title.as_str());
    Finding {
        id,
        title: remark.title,
        section: section.to_owned(),
        recommendation: remark.recommendation,
        detail: remark.detail,
        file: Some(file.to_owned()),
        line: Some(remark.line),
    }
}

fn summary(subject: &Subject, [blockers, major, minor]: [&Vec<Finding>; 3]) -> String {
    let title = subject.document.title.as_deref().unwrap_or(&subject.path);
    let view = subject.perspective.view();
    let mut summary = format!(
        "Checked \"{title}\" ({}) {view}: {} blocking, {} major and {} minor findings.",
        subject.kind.name(),
        blockers.len(),
        major.len(),
        minor.len()
    );
    if let Some(first) = blockers.first().or(major.first()) {
        summary.push_str(&format!(" Most important: {}.", first.title));
    }
    summary.push_str(
        " The checklist judges form and consistency; whether the content is right is for a reader.",
    );
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_the_table() {
        assert_eq!(Assessment::of(3, 0, 0), Assessment::Reject);
        assert_eq!(Assessment::of(1, 0, 0), Assessment::RequestChanges);
        assert_eq!(Assessment::of(0, 6, 0), Assessment::RequestChanges);
        assert_eq!(Assessment::of(0, 1, 0), Assessment::ApproveWithChanges);
        assert_eq!(Assessment::of(0, 0, 4), Assessment::ApproveWithChanges);
        assert_eq!(Assessment::of(0, 0, 3), Assessment::Approve);
    }
}
