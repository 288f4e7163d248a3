//! A manifest as text: is it JSON, has it the right fields, are its names names. Reports all of it, where loading a
//! plugin stops at the first.

use std::collections::BTreeSet;

use docket_core::definition::closest;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::Findings;
use crate::plugin::manifest::{CONTRACTS, MAX_MANIFEST, Manifest, is_plain};

/// Where the schema of manifests is told.
const SCHEMA_FIX: &str = "`docket schema plugin-manifest` prints what a manifest may have";
/// What a name may be.
const NAME_FIX: &str = "use letters, digits, '-', '_' or '.', at most 64 of them";

/// The place of a part of the manifest.
pub(super) fn place(pointer: &str) -> String {
    if pointer.is_empty() { "manifest".to_owned() } else { format!("manifest {pointer}") }
}

/// The manifest as JSON.
pub(super) fn json(text: &[u8], findings: &mut Findings) -> Option<Value> {
    if text.len() > MAX_MANIFEST {
        let what = format!("it has {} bytes; docket reads at most {MAX_MANIFEST}", text.len());
        findings.error("bad-manifest", "manifest", what, "shorten its descriptions and schemas");
        return None;
    }
    match serde_json::from_slice(text) {
        Ok(value) => Some(value),
        Err(cause) => {
            let place = format!("manifest, line {}, column {}", cause.line(), cause.column());
            let what = format!("it is no JSON: {cause}");
            findings.error("bad-manifest", place, what, "mend the JSON there");
            None
        }
    }
}

/// Whether the manifest is for a contract that this docket knows.
pub(super) fn contract(value: &Value, findings: &mut Findings) -> bool {
    let Some(contract) = value.get("contract").and_then(Value::as_str) else { return true };
    if CONTRACTS.contains(&contract) {
        return true;
    }
    let what = format!("contract '{contract}' is none that this docket has: {}", CONTRACTS.join(", "));
    let fix = "name the version of the contract that the plugin was built for, or use a newer docket";
    findings.error("unknown-contract", place("/contract"), what, fix);
    false
}

/// Unknown, missing and mistyped fields, all of them.
pub(super) fn fields(value: &Value, findings: &mut Findings) {
    let schema = schemars::schema_for!(Manifest).to_value();
    // Docket's own schema is one: a test sees to it.
    let Ok(validator) = jsonschema::validator_for(&schema) else { return };
    for error in validator.iter_errors(value) {
        field(&error, &schema, value, findings);
    }
}

fn field(error: &ValidationError<'_>, schema: &Value, value: &Value, findings: &mut Findings) {
    let pointer = error.instance_path().to_string();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = beside(error, schema);
            for key in unexpected {
                let fix = match closest(key, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("there may be: {}", known.join(", ")),
                };
                findings.error(
                    "unknown-key",
                    place(&format!("{pointer}/{key}")),
                    format!("there is no field '{key}'"),
                    fix,
                );
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let about = described(error, schema, name);
            findings.error(
                "missing-key",
                place(&pointer),
                format!("the field '{name}' is missing"),
                format!("add it{about}"),
            );
        }
        _ => {
            let is = value.pointer(&pointer).map(kind_of).unwrap_or("nothing");
            let what = format!("it is {is}, which does not fit: {error}");
            findings.error("bad-value", place(&pointer), what, SCHEMA_FIX);
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The part of the schema that has the keyword that failed. Schemas of parts are referred to, and a path through a
/// reference names the keyword `$ref` on its way.
fn parent<'a>(error: &ValidationError<'_>, schema: &'a Value) -> Option<&'a Value> {
    let path = error.schema_path().to_string();
    let mut found = schema;
    for part in path.rsplit_once('/')?.0.split('/').skip(1) {
        found = match (part, found.get("$ref").and_then(Value::as_str)) {
            ("$ref", Some(reference)) => schema.pointer(reference.strip_prefix('#')?)?,
            _ => found.get(part).or_else(|| found.get(part.parse::<usize>().ok()?))?,
        };
    }
    Some(found)
}

/// The fields that may be where a field is unknown.
fn beside(error: &ValidationError<'_>, schema: &Value) -> Vec<String> {
    let fields = parent(error, schema).and_then(|schema| schema.get("properties")?.as_object());
    fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// What a missing field is, as the schema says.
fn described(error: &ValidationError<'_>, schema: &Value, name: &str) -> String {
    let description = parent(error, schema)
        .and_then(|schema| schema.get("properties")?.get(name)?.get("description")?.as_str());
    description.map(|text| format!(": {text}")).unwrap_or_default()
}

/// Names, versions, descriptions, and how launchers and stage types go together. `built_in` are docket's own types.
pub(super) fn names(value: &Value, built_in: &[String], findings: &mut Findings) {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(name) = text("name").filter(|name| !is_plain(name)) {
        findings.error("bad-name", place("/name"), format!("'{name}' is no name"), NAME_FIX);
    }
    if let Some(version) = text("version") {
        let is_version = version.split(['-', '+']).next().is_some_and(|numbers| {
            let parts: Vec<&str> = numbers.split('.').collect();
            parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok())
        });
        if !is_plain(version) && !version.contains('+') {
            findings.error(
                "bad-version",
                place("/version"),
                format!("'{version}' is no version"),
                "write it as 1.2.3",
            );
        } else if !is_version {
            let what = format!("'{version}' is no semantic version");
            findings.warning(
                "bad-version",
                place("/version"),
                what,
                "write it as 1.2.3, so that people see what an update is",
            );
        }
    }
    if text("description").is_some_and(|description| description.trim().is_empty()) {
        let fix = "say in a sentence what it is for (with `plugin!(X)`: `description` in Cargo.toml)";
        findings.warning("no-description", place("/description"), "it is empty", fix);
    }
    stage_types(value, built_in, findings);
}

fn stage_types(value: &Value, built_in: &[String], findings: &mut Findings) {
    let Some(stages) = value.get("stages").and_then(Value::as_array) else { return };
    if stages.is_empty() {
        findings.error("no-stages", place("/stages"), "it serves nothing", "name at least one stage type");
    }
    let mut seen = BTreeSet::new();
    for (index, stage) in stages.iter().enumerate() {
        let at = place(&format!("/stages/{index}/type"));
        let Some(name) = stage.get("type").and_then(Value::as_str) else { continue };
        if !is_plain(name) {
            findings.error("bad-name", &at, format!("'{name}' is no name"), NAME_FIX);
        }
        if !seen.insert(name) {
            let what = format!("the stage type '{name}' is there twice; the second is never used");
            findings.error("double-stage", &at, what, "give each stage type a name of its own");
        }
        if name != "agent" && built_in.iter().any(|known| known == name) {
            let what =
                format!("'{name}' is one of docket's own stage types, and this plugin would take its place");
            findings.warning(
                "built-in-stage",
                &at,
                what,
                "choose another name, unless that is what you want",
            );
        }
        let description = stage.get("description").and_then(Value::as_str);
        if description.is_some_and(|text| text.trim().is_empty()) {
            let at = place(&format!("/stages/{index}/description"));
            findings.warning("no-description", at, "it is empty", "say in a sentence what the stage does");
        }
    }
    launcher(value, seen.contains("agent"), findings);
}

fn launcher(value: &Value, serves_agent: bool, findings: &mut Findings) {
    let at = place("/launcher");
    match (value.get("launcher").and_then(Value::as_str), serves_agent) {
        (None, true) if value.get("launcher").is_none_or(Value::is_null) => {
            let what = "it serves `agent`, and does not say which launcher it is";
            findings.error("no-launcher", at, what, "add `launcher` with the launcher's name");
        }
        (Some(_), false) => {
            let what = "it names a launcher, and does not serve `agent`";
            findings.error("no-agent", at, what, "leave out `launcher`, or add the stage type `agent`");
        }
        (Some(name), true) if !is_plain(name) => {
            findings.error("bad-name", at, format!("'{name}' is no name"), NAME_FIX);
        }
        _ => {}
    }
}
