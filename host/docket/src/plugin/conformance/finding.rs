//! One thing that is wrong with a component, in words: what, where, and what mends it. Decides nothing.

use docket_core::text::printable;
use schemars::JsonSchema;
use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// docket refuses the plugin, or some stage of it will fail.
    Error,
    /// It works, but not as well as it should.
    Warning,
}

/// Something that is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short stable name, for programs.
    pub code: String,
    /// Where: a part of the component, a JSON Pointer into the manifest, a function and what it was given.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub fix: String,
}

/// Findings, in the order they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds something that makes the plugin unusable.
    pub fn error(
        &mut self,
        code: &str,
        place: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Error, code, place.into(), what.into(), fix.into());
    }

    /// Adds something that should be better.
    pub fn warning(
        &mut self,
        code: &str,
        place: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, place.into(), what.into(), fix.into());
    }

    fn add(&mut self, severity: Severity, code: &str, place: String, what: String, fix: String) {
        // Names and texts in it are the component's.
        let finding = Finding {
            severity,
            code: code.to_owned(),
            place: printable(&place),
            what: docket_core::text::printable_lines(&what),
            fix: printable(&fix),
        };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Adds others behind these.
    pub fn append(&mut self, others: Self) {
        for finding in others.0 {
            if !self.0.contains(&finding) {
                self.0.push(finding);
            }
        }
    }

    /// Whether the plugin is unusable.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// All of them.
    pub fn list(&self) -> &[Finding] {
        &self.0
    }

    /// All of them, errors first.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut list = self.0;
        list.sort_by_key(|finding| finding.severity);
        list
    }
}
