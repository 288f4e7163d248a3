//! `docket workflow results`: what came of a run, for people and as a shape for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use docket_core::Budget;
use docket_core::run::{RunState, StageStatus, Usage};
use docket_core::text::{escaped_json, printable, printable_lines};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::status::{capitalized, usage_lines};
use super::time::between;
use super::usage;
use crate::store::archive::ArchiveRecord;
use crate::store::snapshot::{RunSnapshot, ShownStatus};

/// Severities of a review's findings, with how they are called.
const SEVERITIES: [(&str, &str); 3] =
    [("blockers", "Blockers"), ("major", "Major Concerns"), ("minor", "Minor Issues")];

/// What came of a run. Published as `docket schema results`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Results {
    /// The run's id.
    pub id: String,
    /// The workflow's name.
    pub workflow: String,
    /// Where the run stands.
    pub status: ShownStatus,
    /// What it puts out.
    pub outputs: BTreeMap<String, Value>,
    /// Each completed stage's result.
    pub stages: BTreeMap<String, Value>,
    /// Files that were written, or would be.
    pub files: Vec<String>,
    /// What the run used: all attempts at all its stages.
    pub usage: Usage,
    /// What all attempts at a stage used, for those that used something; items of a matrix are stages of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stage_usage: BTreeMap<String, Usage>,
    /// What the run may use.
    #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
}

impl Results {
    /// What came of a run.
    pub fn of(state: &RunState, snapshot: &RunSnapshot) -> Self {
        let done = state.stages.iter().filter(|stage| stage.status == StageStatus::Completed);
        Self {
            id: snapshot.id.clone(),
            workflow: snapshot.workflow.clone(),
            status: snapshot.status,
            outputs: state.outputs.clone(),
            stages: done.filter_map(|stage| Some((stage.name.clone(), stage.result.clone()?))).collect(),
            files: snapshot.stages.iter().flat_map(|stage| stage.files.clone()).collect(),
            usage: snapshot.usage,
            stage_usage: stage_usage(snapshot),
            budget: snapshot.budget,
        }
    }

    /// What came of a run that was pruned.
    pub fn of_record(record: &ArchiveRecord) -> Self {
        let run = &record.run;
        Self {
            id: run.id.clone(),
            workflow: run.workflow.clone(),
            status: run.status,
            outputs: run.outputs.clone(),
            stages: record.results.clone().unwrap_or_default(),
            files: run.stages.iter().flat_map(|stage| stage.files.clone()).collect(),
            usage: run.usage,
            stage_usage: stage_usage(run),
            budget: run.budget,
        }
    }

    /// The results that are reviews.
    fn reviews(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.stages.iter().filter(|(_, value)| is_review(value))
    }

    /// The reviews that the run puts out; while it puts out none, those of its stages.
    fn final_reviews(&self) -> Vec<&Value> {
        let put_out: Vec<&Value> = self.outputs.values().filter(|value| is_review(value)).collect();
        if put_out.is_empty() { self.reviews().map(|(_, review)| review).collect() } else { put_out }
    }
}

fn stage_usage(run: &RunSnapshot) -> BTreeMap<String, Usage> {
    let used = run.stages.iter().map(|stage| (&stage.name, stage.usage_in_all.unwrap_or(stage.usage)));
    used.filter(|(_, usage)| !usage.is_unknown()).map(|(name, usage)| (name.clone(), usage)).collect()
}

fn is_review(value: &Value) -> bool {
    value.get("assessment").is_some() && value.get("blockers").is_some()
}

/// The results for people, as in the specification's example.
pub fn text(results: &Results, snapshot: &RunSnapshot) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Workflow: {} ({})", printable(&results.workflow), results.id);
    let _ = writeln!(text, "Status: {}", capitalized(results.status.name()));
    if let Some(end) = snapshot.ended_at {
        let _ = writeln!(text, "Duration: {}", between(snapshot.created_at, end));
    }
    usage_lines(&mut text, snapshot);
    if let Some(failure) = &snapshot.failure {
        let _ = writeln!(text, "\nFailed: {} [{}]", printable_lines(&failure.message), failure.code);
        if let Some(hint) = &failure.hint {
            let _ = writeln!(text, "  hint: {}", printable(hint));
        }
    }
    let stored = stored_file(results);
    if let Some(file) = &stored {
        let _ = writeln!(text, "\nReview Results: {file}");
    }
    let mut blockers = false;
    let reviews = results.final_reviews();
    for review in &reviews {
        blockers |= summary(&mut text, review);
    }
    if reviews.is_empty() && !results.outputs.is_empty() {
        text.push_str("\nOutputs:\n");
        for (name, value) in &results.outputs {
            let _ = writeln!(text, "  {}: {}", printable(name), short(value));
        }
    }
    if !results.files.is_empty() {
        text.push_str(if snapshot.dry_run { "\nWould write:\n" } else { "\nFiles written:\n" });
        for file in &results.files {
            let _ = writeln!(text, "  - {}", printable(file));
        }
    }
    if let (Some(file), false) = (stored, snapshot.dry_run) {
        text.push_str("\nNext Steps:\n");
        let _ = writeln!(text, "  - Review full results: cat {file}");
        if blockers {
            text.push_str("  - Address blockers before moving to implementation\n");
        }
    }
    text
}

/// The file a storage stage wrote.
fn stored_file(results: &Results) -> Option<String> {
    results.stages.values().find_map(|result| Some(printable(result.get("destination")?.as_str()?)))
}

/// A review's counts and blockers. True when it has blockers.
fn summary(text: &mut String, review: &Value) -> bool {
    let list = |key: &str| review.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    text.push_str("\nSummary:\n");
    let assessment = review.get("assessment").and_then(Value::as_str).unwrap_or("?");
    let _ = writeln!(text, "  Assessment: {}", printable(assessment));
    for (key, name) in SEVERITIES {
        let _ = writeln!(text, "  {name}: {}", list(key).len());
    }
    let blockers = list("blockers");
    if !blockers.is_empty() {
        text.push_str("\nCritical Blockers:\n");
        for (position, blocker) in blockers.iter().enumerate() {
            let title = blocker.get("title").and_then(Value::as_str).unwrap_or("(no title)");
            let _ = writeln!(text, "  {}. {}", position + 1, printable(title));
        }
    }
    !blockers.is_empty()
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        other => {
            let text = printable(&other.to_string());
            if text.chars().count() > 100 {
                format!("{}…", text.chars().take(100).collect::<String>())
            } else {
                text
            }
        }
    }
}

/// The results as Markdown: every completed stage, reviews with their findings.
pub fn markdown(results: &Results) -> String {
    let mut text = format!(
        "# {} ({})\n\n**Status:** {}\n",
        printable(&results.workflow),
        results.id,
        results.status.name()
    );
    if let Some(used) = usage::full(&results.usage) {
        let _ = writeln!(text, "**Usage:** {used}");
    }
    for (stage, result) in &results.stages {
        let _ = writeln!(text, "\n## {}\n", printable(stage));
        if !results.reviews().any(|(name, _)| name == stage) {
            let json = escaped_json(&serde_json::to_string_pretty(result).unwrap_or_default());
            let _ = writeln!(text, "```json\n{}\n```", json.replace("```", "`\u{200b}``"));
            continue;
        }
        if let Some(words) = result.get("summary").and_then(Value::as_str) {
            let _ = writeln!(text, "{}", printable_lines(words));
        }
        for (key, name) in SEVERITIES {
            let findings = result.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if findings.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n### {name}\n");
            for finding in findings {
                let field =
                    |key: &str| printable(finding.get(key).and_then(Value::as_str).unwrap_or_default());
                let _ = writeln!(
                    text,
                    "- **{}** ({}): {}",
                    field("title"),
                    field("section"),
                    field("recommendation")
                );
            }
        }
    }
    text
}
