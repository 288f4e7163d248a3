//! A review as other stages hand it in. The shape is the schema `review-results`; what goes beyond it is left out,
//! because the merged review fits that schema, too.

use docket_plugin::{Error, Value};
use serde::{Deserialize, Serialize};

use crate::text::one_line;

/// A place in the list of reviews.
#[derive(Debug)]
pub(crate) struct Labelled {
    /// What it is called; on one line, and no two are the same.
    pub(crate) label: String,
    /// The review. None is there when its stage failed or was skipped.
    pub(crate) review: Option<Review>,
}

/// The results of a review.
#[derive(Debug, Deserialize)]
pub(crate) struct Review {
    pub(crate) assessment: Assessment,
    #[serde(default)]
    pub(crate) summary: String,
    blockers: Vec<Finding>,
    major: Vec<Finding>,
    minor: Vec<Finding>,
    #[serde(default)]
    pub(crate) strengths: Vec<String>,
}

/// A verdict, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Assessment {
    Approve,
    ApproveWithChanges,
    RequestChanges,
    Reject,
}

impl Assessment {
    /// As reviews spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Approve => "APPROVE",
            Self::ApproveWithChanges => "APPROVE_WITH_CHANGES",
            Self::RequestChanges => "REQUEST_CHANGES",
            Self::Reject => "REJECT",
        }
    }
}

/// How much a finding weighs, from the lightest to the heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Minor,
    Major,
    Blocker,
}

impl Severity {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Blocker => "blocker",
        }
    }

    /// What a finding without an id is called by, with its number in its list.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Minor => 'N',
            Self::Major => 'M',
            Self::Blocker => 'B',
        }
    }
}

/// One thing that is wrong, missing or unclear.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Finding {
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) section: String,
    pub(crate) recommendation: String,
    pub(crate) detail: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u64>,
}

impl Review {
    /// Reads the review with this label.
    ///
    /// # Errors
    /// `not-a-review` when the value is something else.
    pub(crate) fn read(stage: &str, label: &str, value: &Value) -> Result<Self, Error> {
        Self::deserialize(value).map_err(|cause| {
            // The words are serde's, with names and values of the review in them.
            let message = format!(
                "'{label}', which stage '{stage}' is to merge, is no review: {}",
                one_line(&cause.to_string())
            );
            Error::new("not-a-review", message).hint(
                "give the stages that write the reviews an output with `schema: review-results.schema.json`",
            )
        })
    }

    /// Its findings in its own order, each with its weight and its number in its list, from 1.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (Severity, usize, &Finding)> {
        let lists = [
            (Severity::Blocker, &self.blockers),
            (Severity::Major, &self.major),
            (Severity::Minor, &self.minor),
        ];
        lists.into_iter().flat_map(|(severity, findings)| {
            findings.iter().enumerate().map(move |(index, finding)| (severity, index + 1, finding))
        })
    }
}
