//! The stage type `metadata`: sets fields in a document's front matter or `**Field:** value` lines, and adds lines.
//!
//! [`update`] is what the config asks for, [`text`] the document as lines, [`layout`] where its metadata is, [`field`] and
//! [`front_matter`] one line of it, [`edit`] puts them together. Must not touch a byte that no update is about, and doing
//! the same updates twice must change nothing the second time.

mod edit;
mod field;
mod front_matter;
mod layout;
mod text;
mod update;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use docket_plugin::{Error, Fault, Outcome, Request, Stage, Value, guest_path, json, plugin};
use serde::Deserialize;

use crate::edit::EditError;
use crate::text::Text;
use crate::update::Update;

/// The stage type `metadata`.
pub struct Metadata;

/// The stage's config, as `manifest.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    file: String,
    updates: Vec<Update>,
}

impl Stage for Metadata {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let config: Config = request.config()?;
        run(&config, Path::new(guest_path::PROJECT), Path::new(guest_path::PROPOSALS)).map(Outcome::Completed)
    }

    fn check(_stage_type: &str, config: &Value) -> Vec<Fault> {
        let updates = config.get("updates").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        updates.iter().enumerate().filter_map(|(number, update)| checked(number, update)).collect()
    }
}

/// What is wrong with an update as it stands in a definition; text with expressions is left for the run.
fn checked(number: usize, update: &Value) -> Option<Fault> {
    let fault = |name: &str, refused: fn(&str) -> Option<String>| {
        let text = update.get(name)?.as_str()?;
        let message = if text.contains('{') { None } else { refused(text) }?;
        Some(Fault { pointer: format!("/updates/{number}/{name}"), message, hint: None })
    };
    fault("field", update::refused_field).or_else(|| fault("add_line", update::refused_line))
}

/// Edits the document below `project`; proposes it below `proposals` when something changed. Returns the result.
fn run(config: &Config, project: &Path, proposals: &Path) -> Result<Value, Error> {
    let file = &config.file;
    let before = read(file, project)?;
    let mut text = Text::parse(&before);
    edit::apply(&mut text, &config.updates).map_err(|cause| match cause {
        EditError::Refused(why) => Error::new("update-invalid", format!("'{file}' can't be updated: {why}"))
            .hint("change the `updates` of the stage's config"),
        EditError::NotOneLine { key, line } => {
            let message = format!("{file}:{line}: the front matter's '{key}' is a list, a block or nested");
            Error::new("field-not-a-line", message)
                .hint("only values on one line can be set; edit this one by hand")
        }
    })?;
    let after = text.to_string();
    if after != before {
        propose(&proposals.join(file), &after).map_err(|cause| {
            Error::new("file-unwritable", format!("the edited '{file}' can't be proposed: {cause}"))
        })?;
    }
    let changes: Vec<Value> = text
        .changes()
        .map(|change| json!({ "line": change.line, "before": change.before, "after": change.after }))
        .collect();
    Ok(json!({ "file": file, "changed": after != before, "changes": changes }))
}

fn read(file: &str, project: &Path) -> Result<String, Error> {
    let inside = !file.starts_with('/') && file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !inside || file.contains(['\\', '\0']) {
        return Err(Error::new(
            "file-invalid",
            format!("'{}' is no path of the project", file.escape_debug()),
        )
        .hint("write it relative to the project's folder, such as docs/rfcs/rfc-0001.md"));
    }
    let bytes = fs::read(project.join(file)).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => {
            Error::new("file-missing", format!("there is no file '{file}' in the project"))
                .hint("check the stage's `file`")
        }
        _ => Error::new("file-unreadable", format!("'{file}' can't be read: {cause}")),
    })?;
    String::from_utf8(bytes).map_err(|cause| {
        let offset = cause.utf8_error().valid_up_to();
        Error::new("file-not-utf8", format!("'{file}' is not UTF-8: byte {offset} starts no character"))
            .hint("convert it, for example with `iconv -t UTF-8`")
    })
}

fn propose(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

plugin!(Metadata, manifest = "../manifest.json");

#[cfg(test)]
mod tests;
