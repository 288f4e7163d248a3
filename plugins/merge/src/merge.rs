//! One review of several: the worst assessment, all findings, all strengths, and a summary that names every review.

use std::collections::HashSet;

use docket_plugin::{Error, Value, json};

use crate::finding::{Lists, together};
use crate::review::Labelled;
use crate::text::{compared, one_line};

/// Merges reviews into one that fits the schema `review-results`.
///
/// # Errors
/// `no-reviews` when there is none that could be merged.
pub(crate) fn merge(stage: &str, reviews: &[Labelled]) -> Result<Value, Error> {
    let assessments = reviews.iter().filter_map(|labelled| Some(labelled.review.as_ref()?.assessment));
    let Some(worst) = assessments.max() else {
        return Err(no_reviews(stage, reviews));
    };
    let Lists { blockers, major, minor } = together(reviews);
    Ok(json!({
        "assessment": worst,
        "summary": summary(reviews),
        "blockers": blockers,
        "major": major,
        "minor": minor,
        "strengths": strengths(reviews),
    }))
}

fn no_reviews(stage: &str, reviews: &[Labelled]) -> Error {
    if reviews.is_empty() {
        return Error::new("no-reviews", format!("stage '{stage}' was given an empty list of reviews"))
            .hint("let `reviews` name an output whose list has at least one review");
    }
    let labels: Vec<&str> = reviews.iter().map(|review| review.label.as_str()).collect();
    let message =
        format!("stage '{stage}' has nothing to merge: none of the reviews is there ({})", labels.join(", "));
    Error::new("no-reviews", message)
        .hint("look at why the stages that write them failed: `docket workflow logs`")
}

/// A paragraph for each review. Each is one line, so that no review can add one in another's name.
fn summary(reviews: &[Labelled]) -> String {
    let paragraph = |labelled: &Labelled| match &labelled.review {
        Some(review) => {
            let said =
                format!("{}: {}. {}", labelled.label, review.assessment.name(), one_line(&review.summary));
            said.trim_end().to_owned()
        }
        None => format!(
            "{}: no review. Its stage failed or was skipped, so what it would have found is missing here.",
            labelled.label
        ),
    };
    reviews.iter().map(paragraph).collect::<Vec<_>>().join("\n\n")
}

fn strengths(reviews: &[Labelled]) -> Vec<&str> {
    let mut known = HashSet::new();
    reviews
        .iter()
        .filter_map(|labelled| labelled.review.as_ref())
        .flat_map(|review| review.strengths.iter().map(|strength| strength.trim()))
        .filter(|strength| !strength.is_empty() && known.insert(compared(strength)))
        .collect()
}
