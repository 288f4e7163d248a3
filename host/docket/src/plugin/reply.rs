//! What a plugin answered, turned into what is recorded: its texts made safe and short, its values checked for being
//! what they must be, its proposals checked against its grants.

use docket_core::definition::ConfigFault;
use docket_core::run::{Failure, Question};
use docket_core::text::{printable, printable_lines};

use super::grants::Grants;
use super::host::contract::docket::stage::types;
use super::host::files::Mounts;
use super::limits::Limits;
use super::runtime::Outcome;

/// Longest text of an error or a question, in characters.
const MAX_TOLD: usize = 16 * 1024;
/// Longest pointer into a config, in characters.
const MAX_POINTER: usize = 1024;
/// Largest schema of a question, in bytes. Whoever answers has to read the form that it makes.
const MAX_SCHEMA: usize = 256 * 1024;
/// Longest code of an error.
const MAX_CODE: usize = 64;

/// A plugin's text as it is recorded and shown: made safe to print, and no longer than anybody reads.
fn told(text: &str) -> String {
    let text = printable_lines(text);
    if text.chars().count() <= MAX_TOLD {
        return text;
    }
    format!("{}… (cut)", text.chars().take(MAX_TOLD).collect::<String>())
}

/// A fault that a plugin found in a config.
pub(super) fn fault(fault: types::Fault) -> ConfigFault {
    ConfigFault {
        pointer: printable(&fault.pointer.chars().take(MAX_POINTER).collect::<String>()),
        message: printable(&told(&fault.message)),
        hint: fault.hint.as_deref().map(|hint| printable(&told(hint))),
    }
}

/// The error that a stage returned as a value.
pub(super) fn refused(error: &types::StageError) -> Failure {
    let code: String =
        error.code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(MAX_CODE).collect();
    let code = if code.is_empty() { "stage-failed".to_owned() } else { code };
    let message = match told(&error.message) {
        message if message.trim().is_empty() => "the plugin failed without saying why".to_owned(),
        message => message,
    };
    Failure {
        code,
        message,
        hint: error.hint.as_deref().map(told).filter(|hint| !hint.trim().is_empty()),
        retryable: error.retryable,
        rejected: None,
    }
}

fn not_json(plugin: &str, what: &str, cause: &serde_json::Error) -> Outcome {
    Outcome::Failed(Failure::new(
        "result-unreadable",
        format!("{what} of plugin '{plugin}' is no JSON: {cause}"),
    ))
}

fn question_invalid(message: String) -> Outcome {
    Outcome::Failed(Failure::new("question-invalid", message).hint("this is a bug of the plugin"))
}

/// A stage that asks a question.
pub(super) fn waiting(plugin: &str, question: types::Question) -> Outcome {
    if question.schema.as_ref().is_some_and(|schema| schema.len() > MAX_SCHEMA) {
        let most = MAX_SCHEMA / 1024;
        return question_invalid(format!(
            "plugin '{plugin}' asks a question whose schema is larger than {most} KiB"
        ));
    }
    let schema = match question.schema.as_deref().map(serde_json::from_str).transpose() {
        Ok(schema) => schema,
        Err(cause) => return not_json(plugin, "the schema of a question", &cause),
    };
    // Found out now, by whoever wrote the plugin, rather than by the person whose every answer is refused.
    if let Some(Err(cause)) = schema.as_ref().map(jsonschema::validator_for) {
        let cause = printable(&told(&cause.to_string()));
        return question_invalid(format!(
            "plugin '{plugin}' asks a question whose schema can't be used: {cause}"
        ));
    }
    Outcome::Waiting(Question { prompt: told(&question.prompt), schema })
}

/// A stage that is done.
pub(super) fn completed(
    plugin: &str,
    result: &str,
    grants: &Grants,
    limits: &Limits,
    mounts: &Mounts,
) -> Outcome {
    let result = match serde_json::from_str(result) {
        Ok(result) => result,
        Err(cause) => return not_json(plugin, "the result", &cause),
    };
    let writes = match mounts.proposals(limits, plugin) {
        Ok(writes) => writes,
        Err(failure) => return Outcome::Failed(failure),
    };
    if let Some(error) = writes.iter().find_map(|write| grants.allow(write).err()) {
        return Outcome::Failed(
            Failure::new("not-granted", format!("plugin '{plugin}': {error}; nothing was written")).hint(
                "its manifest must ask for the path under `capabilities.write`, and the user must grant it",
            ),
        );
    }
    Outcome::Completed { result, writes, seen: mounts.seen.clone(), since: mounts.since }
}
