//! The stage type `merge`: makes one review of several reviews of the same document.
//!
//! [`review`] reads them, [`finding`] puts the same finding of several reviews together, [`merge`] makes the whole. What
//! reviews say is data: it is sorted and kept, never weighed, and it can't speak in another review's name. Needs no
//! capability.

mod finding;
mod merge;
mod review;
mod text;

use docket_plugin::{Error, Outcome, Request, Stage, Value, plugin, report};
use serde::Deserialize;

use crate::review::{Labelled, Review};

/// The stage type `merge`.
pub struct Merge;

/// The stage's config, as `manifest.json` describes it. The field `reviews` is a reference: its value is looked up.
#[derive(Debug, Deserialize)]
struct Config {
    labels: Option<Vec<String>>,
}

impl Stage for Merge {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let config: Config = request.config()?;
        let reviews = labelled(&request.stage, &request.reference("reviews")?, config.labels.as_deref())?;
        for missing in reviews.iter().filter(|review| review.review.is_none()) {
            let message = format!("there is no review '{}': its stage failed or was skipped", missing.label);
            report::log(report::Level::Warn, message);
        }
        merge::merge(&request.stage, &reviews).map(Outcome::Completed)
    }
}

/// Reads the reviews and gives each its label.
fn labelled(stage: &str, value: &Value, labels: Option<&[String]>) -> Result<Vec<Labelled>, Error> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    if let Some(labels) = labels.filter(|labels| labels.len() != values.len()) {
        let message = format!("stage '{stage}' has {} labels for {} reviews", labels.len(), values.len());
        return Err(Error::new("labels-mismatch", message)
            .hint("give `labels` one name for each review, in their order, or leave it out"));
    }
    let mut reviews: Vec<Labelled> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let given = labels.and_then(|labels| labels.get(index)).map(|label| text::one_line(label));
        let label =
            given.filter(|label| !label.is_empty()).unwrap_or_else(|| format!("review-{}", index + 1));
        if reviews.iter().any(|other| other.label == label) {
            let message = format!("stage '{stage}' has the label '{label}' twice");
            return Err(Error::new("labels-mismatch", message).hint("give each review a label of its own"));
        }
        let review = if value.is_null() { None } else { Some(Review::read(stage, &label, value)?) };
        reviews.push(Labelled { label, review });
    }
    Ok(reviews)
}

plugin!(Merge, manifest = "../manifest.json");

#[cfg(test)]
mod tests;
