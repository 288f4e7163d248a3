//! The stage type `storage`: renders an output of another stage and proposes it as a file of the project.
//!
//! [`review`] renders review results, [`generic`] any other value, [`escape`] keeps text from agents from breaking the
//! structure around it. Must not decide what a value means: a value that is no review is rendered as it is.

mod escape;
mod generic;
mod review;

use std::fs;
use std::path::Path;

use docket_plugin::{Error, Fault, Outcome, Request, Stage, Value, guest_path, json, plugin};
use serde::Deserialize;

use crate::review::Review;

/// The stage type `storage`.
pub struct Storage;

/// The stage's config, as `manifest.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    source: String,
    destination: String,
    format: Option<Format>,
    title: Option<String>,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Markdown,
    Json,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }

    /// The format for a destination when the config names none.
    fn of(destination: &str) -> Self {
        let json = Path::new(destination)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if json { Self::Json } else { Self::Markdown }
    }
}

impl Stage for Storage {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let config: Config = request.config()?;
        let value = request.reference("source")?;
        store(request, &config, &value, Path::new(guest_path::PROPOSALS)).map(Outcome::Completed)
    }

    fn check(_stage_type: &str, config: &Value) -> Vec<Fault> {
        let destination = config.get("destination").and_then(Value::as_str).unwrap_or_default();
        let fault = destination_fault(destination).map(|message| Fault {
            pointer: "/destination".into(),
            message,
            hint: Some("write a path of the project, such as docs/reviews/{date}.md".into()),
        });
        fault.into_iter().collect()
    }
}

/// Renders `value` and writes it below `proposals`. Returns the stage's result.
fn store(request: &Request, config: &Config, value: &Value, proposals: &Path) -> Result<Value, Error> {
    if let Some(message) = destination_fault(&config.destination) {
        return Err(Error::new("destination-invalid", format!("stage '{}': {message}", request.stage))
            .hint("write a path of the project, such as docs/reviews/2026-01-31.md"));
    }
    let format = config.format.unwrap_or_else(|| Format::of(&config.destination));
    let review = Review::read(value);
    let text = match (format, &review) {
        (Format::Json, _) => format!("{value:#}\n"),
        (Format::Markdown, Some(review)) => review.render(request, config.title.as_deref()),
        (Format::Markdown, None) => generic::render(request, &config.source, config.title.as_deref(), value),
    };
    propose(&proposals.join(&config.destination), &text).map_err(|cause| {
        Error::new("destination-unwritable", format!("'{}' can't be proposed: {cause}", config.destination))
            .hint("choose a destination whose folders are no files")
    })?;
    let mut result =
        json!({ "destination": config.destination, "format": format.name(), "bytes": text.len() });
    if let Some(review) = review {
        result["counts"] = review.counts();
    }
    Ok(result)
}

fn propose(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// What is wrong with a destination. docket checks the path again before anything is written to the project; this
/// is for a message that names the field.
fn destination_fault(destination: &str) -> Option<String> {
    let why = if destination.trim().is_empty() {
        "is empty"
    } else if destination.starts_with('/') {
        "is absolute"
    } else if destination.ends_with('/') {
        "names a folder"
    } else if destination.contains('\\') {
        "has backslashes"
    } else if destination.chars().any(char::is_control) {
        "has control characters"
    } else if destination.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "has an empty, '.' or '..' part"
    } else {
        return None;
    };
    Some(format!("destination '{}' {why}", destination.escape_debug()))
}

plugin!(Storage, manifest = "../manifest.json");

#[cfg(test)]
mod tests;
