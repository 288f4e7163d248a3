//! What is run and disturbed: workflows with the files, answers and agents they need. A new one is a file in
//! `workflows/` and an entry in [`ALL`]; plans, execution and oracles know nothing of any of them.

/// A workflow to be run under disturbances.
#[derive(Debug)]
pub struct Subject {
    /// Its name, which is the definition's.
    pub name: &'static str,
    /// What it covers, for the report.
    pub about: &'static str,
    /// The definition.
    pub definition: &'static str,
    /// What it is started with, after its name.
    pub arguments: &'static [&'static str],
    /// Stages that ask for approval, and the stage to which the work is sent back the first time, if at all.
    pub approvals: &'static [(&'static str, Option<&'static str>)],
    /// Whether its stages launch agents.
    pub agents: bool,
    /// Whether it needs the test plugin; with agents, the one that talks to them.
    pub guest: bool,
}

/// The document that workflows are about.
pub const DOCUMENT: &str = "docs/rfcs/rfc-0001-limits.md";
/// Files of the project, by path.
pub const FILES: [(&str, &str); 4] = [
    (
        DOCUMENT,
        "# RFC-0001: Limits\n\n**Status:** Draft\n\n## Summary\n\nSee [ADR-0001](../adr/adr-0001-one.md).\n",
    ),
    ("docs/adr/adr-0001-one.md", "# ADR-0001: One\n\n**Status:** Accepted\n\n## Decision\n\nOne limit.\n"),
    ("docs/notes.md", "# Notes\n\n**Kind:** Notes\n\nNothing yet.\n"),
    ("docs/a.md", "granted\n"),
];
/// The prompt template, as the user's own file.
pub const TEMPLATE: (&str, &str) = ("workflows/templates/crash.md", include_str!("workflows/crash.md"));

const OF_DOCUMENT: &[&str] = &["--rfc-path", DOCUMENT];

/// Every subject.
pub const ALL: &[Subject] = &[
    Subject {
        name: "sequence",
        about: "context, agent, storage and metadata, one after the other",
        definition: include_str!("workflows/sequence.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "branches",
        about: "parallel agents and file edits, large contents",
        definition: include_str!("workflows/branches.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "answers",
        about: "people's answers beside an agent, several waiting at once",
        definition: include_str!("workflows/answers.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "several",
        about: "change sets of several files, a third party's plugin",
        definition: include_str!("workflows/several.yml"),
        arguments: &[],
        approvals: &[],
        agents: false,
        guest: true,
    },
    Subject {
        name: "decisions",
        about: "approvals, one of which sends work back first",
        definition: include_str!("workflows/decisions.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[("release", Some("draft")), ("budget", None)],
        agents: true,
        guest: false,
    },
    Subject {
        name: "matrix",
        about: "a stage for each item, with gathered results",
        definition: include_str!("workflows/matrix.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "retry",
        about: "an agent that fails and is tried again",
        definition: include_str!("workflows/retry.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "nested",
        about: "a workflow in a workflow",
        definition: include_str!("workflows/nested.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: false,
    },
    Subject {
        name: "dialogue",
        about: "dialogues with agents, line by line",
        definition: include_str!("workflows/dialogue.yml"),
        arguments: OF_DOCUMENT,
        approvals: &[],
        agents: true,
        guest: true,
    },
];

/// Definitions that others use.
pub const USED: [(&str, &str); 1] = [("sequence", include_str!("workflows/sequence.yml"))];

/// The subject of this name.
pub fn find(name: &str) -> Option<&'static Subject> {
    ALL.iter().find(|subject| subject.name == name)
}

/// What a person answers to a stage's question. No two stages have the same answer.
pub fn answer(stage: &str) -> serde_json::Value {
    serde_json::json!({ "verdict": "fine", "of": stage })
}
