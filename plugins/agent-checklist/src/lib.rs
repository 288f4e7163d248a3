//! The launcher `checklist`: reviews a document by rules, with nothing installed and always the same result.
//!
//! [`subject`] reads the document, [`rules`] look at it, [`review`] sums up what they found. It judges form and
//! consistency, which rules can see, and never pretends to judge whether a design is right. Launches nothing.

pub mod review;
pub mod rules;
pub mod subject;

use std::path::Path;

use docket_plugin::{Error, Outcome, Request, Stage, Value, guest_path, plugin, report};

use crate::review::{Findings, Review};
use crate::subject::Subject;

/// The stage type `agent` for the launcher `checklist`.
pub struct Checklist;

impl Stage for Checklist {
    fn run(request: &Request) -> Result<Outcome, Error> {
        if let Some(schema) = &request.agent()?.schema {
            expect_review(schema, &request.stage)?;
        }
        let subject = Subject::read(request, Path::new(guest_path::PROJECT))?;
        report::progress(format!("Checking {}", subject.path));
        let review = review(&subject);
        let value = serde_json::to_value(&review).map_err(|cause| {
            Error::new("review-unwritable", format!("BUG: the review can't be written: {cause}"))
        })?;
        Ok(Outcome::Completed(value))
    }
}

/// Applies every rule to `subject`.
pub fn review(subject: &Subject) -> Review {
    let mut findings = Findings::new(&subject.path);
    for rule in rules::ALL {
        rule(subject, &mut findings);
    }
    findings.into_review(subject)
}

/// Checks that the wanted result is a review: nothing else can be written here.
fn expect_review(schema: &Value, stage: &str) -> Result<(), Error> {
    let properties = schema.get("properties");
    let wanted = ["assessment", "summary", "blockers", "major", "minor", "strengths"];
    let missing: Vec<&str> =
        wanted.into_iter().filter(|name| properties.and_then(|all| all.get(name)).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(", ");
    Err(Error::new(
        "not-a-review",
        format!(
            "the launcher 'checklist' only writes reviews, and the schema of stage '{stage}' has no {names}"
        ),
    )
    .hint("use the schema review-results for the stage's output, or choose another launcher with --launcher"))
}

plugin!(Checklist, manifest = "../manifest.json");

#[cfg(test)]
mod tests {
    use super::*;
    use docket_plugin::json;

    #[test]
    fn only_reviews_are_written() {
        let review = json!({ "properties": {
            "assessment": {}, "summary": {}, "blockers": {}, "major": {}, "minor": {}, "strengths": {} } });
        assert!(expect_review(&review, "review").is_ok());
        let error =
            expect_review(&json!({ "properties": { "summary": {} } }), "review").expect_err("no review");
        assert_eq!(error.code, "not-a-review");
        assert!(error.message.contains("assessment, blockers"), "{}", error.message);
    }
}
