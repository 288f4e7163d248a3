//! The stage type `approval`: a run stops until a person has approved what came before.
//!
//! It asks and ends; docket keeps the question, so a run can wait for days. [`form`] looks at the form that whoever
//! approves has to fill in. Needs no capability and must not gain one. What a rejection does is docket's to decide.

mod form;

use docket_plugin::{Error, Fault, Outcome, Question, Request, Stage, Value, json, plugin};
use serde::Deserialize;

/// The stage type `approval`.
pub struct Approval;

/// The stage's config, as `manifest.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    prompt: String,
    form: Option<Value>,
}

impl Stage for Approval {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let config: Config = request.config()?;
        // Again, because expressions in it have their values only now.
        if let Some(fault) = config.form.as_ref().and_then(|form| form::faults(form).into_iter().next()) {
            let message = format!(
                "the form of stage '{}' can't be used: {} at {}",
                request.stage, fault.message, fault.pointer
            );
            let error = Error::new("form-invalid", message);
            return Err(match fault.hint {
                Some(hint) => error.hint(hint),
                None => error,
            });
        }
        let prompt = instructions(request, &config.prompt, config.form.as_ref());
        Ok(Outcome::Waiting(Question { prompt, schema: Some(answer_schema(config.form.as_ref())) }))
    }

    fn check(_stage_type: &str, config: &Value) -> Vec<Fault> {
        match config.get("form") {
            // A text is an expression whose value is not known yet; the manifest's schema allows no other text.
            None | Some(Value::String(_)) => Vec::new(),
            Some(form) => form::faults(form),
        }
    }
}

/// What is asked, then how to answer.
fn instructions(request: &Request, prompt: &str, form: Option<&Value>) -> String {
    let (run, stage) = (&request.run, argument(&request.stage));
    let with_form = if form.is_some() { " --form form.json" } else { "" };
    let mut text = format!(
        "{}\n\
         \n\
         Approve it, and the run goes on:\n\
         \x20   docket workflow approve {run} --stage {stage}{with_form} [--comment TEXT]\n\
         Reject it: this stage fails or, with --to, earlier work is done again with the comment:\n\
         \x20   docket workflow reject {run} --stage {stage} [--to STAGE] [--comment TEXT]\n",
        prompt.trim_end(),
    );
    if let Some(form) = form {
        text.push_str("\nWhoever approves fills in a form, a file with one JSON object:\n");
        for line in form::outline(form) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

/// The JSON Schema of what `docket workflow approve` hands in. A rejection is no answer: docket records it apart.
fn answer_schema(form: Option<&Value>) -> Value {
    let required = if form.is_some() { json!(["approved", "form"]) } else { json!(["approved"]) };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": {
            "approved": { "const": true },
            "comment": { "type": ["string", "null"], "description": "What whoever approves says about it" },
            "form": form.map_or_else(|| json!({ "type": "null" }), form::embedded),
            "by": { "type": ["string", "null"], "description": "Who approves" },
        },
    })
}

/// A stage's name as an argument that can be pasted into a shell.
fn argument(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

plugin!(Approval, manifest = "../manifest.json");

#[cfg(test)]
mod tests;
