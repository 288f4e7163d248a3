//! The schemas of a stage's config and result: are they schemas, and do they tell a user of the stage what they
//! should. `docket workflow check` judges definitions by the one and references by the other.

use serde_json::{Map, Value};

use super::Findings;
use super::manifest_text::place;

/// What marks a property of a config as a reference to another stage's output.
const MARK: &str = "x-docket";
/// Deeper schemas are not looked into.
const MAX_DEPTH: usize = 16;

/// Judges both schemas of a stage, which stands at `pointer` in the manifest.
pub(super) fn stage(stage: &Value, pointer: &str, findings: &mut Findings) {
    if let Some(config) = stage.get("config") {
        let pointer = format!("{pointer}/config");
        if is_schema(config, &pointer, findings) {
            if !takes_objects(config) {
                let what = "it takes no object, but a stage's config always is one";
                findings.error("no-object", place(&pointer), what, "write `\"type\": \"object\"`");
            }
            fields(config, &pointer, true, 0, findings);
        }
    }
    if let Some(result) = stage.get("result") {
        let pointer = format!("{pointer}/result");
        if is_schema(result, &pointer, findings) {
            fields(result, &pointer, false, 0, findings);
        }
    }
}

fn is_schema(schema: &Value, pointer: &str, findings: &mut Findings) -> bool {
    let before = findings.list().len();
    if let Ok(validator) = jsonschema::meta::validator_for(schema) {
        for error in validator.iter_errors(schema) {
            let at = format!("{pointer}{}", error.instance_path());
            findings.error(
                "bad-schema",
                place(&at),
                format!("it is no JSON Schema: {error}"),
                "mend it; docket reads draft 2020-12",
            );
        }
    }
    if findings.list().len() == before
        && let Err(error) = jsonschema::validator_for(schema)
    {
        // A reference that leads nowhere, a pattern that is none.
        let at = format!("{pointer}{}", error.instance_path());
        findings.error(
            "bad-schema",
            place(&at),
            format!("it can't be used: {error}"),
            "mend it; nothing is fetched from elsewhere",
        );
    }
    findings.list().len() == before
}

fn takes_objects(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => schema != &Value::Bool(false),
    }
}

/// Judges what a schema says about fields, and the schemas inside it.
fn fields(schema: &Value, pointer: &str, is_config: bool, depth: usize, findings: &mut Findings) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if is_config {
            open(schema, properties, pointer, findings);
        }
        for (name, property) in properties {
            let at = format!("{pointer}/properties/{}", escaped(name));
            described(property, name, &at, findings);
            mark(property, &at, is_config && depth == 0, findings);
            fields(property, &at, is_config, depth + 1, findings);
        }
    }
    if let Some(items) = schema.get("items") {
        fields(items, &format!("{pointer}/items"), is_config, depth + 1, findings);
    }
}

fn open(schema: &Value, properties: &Map<String, Value>, pointer: &str, findings: &mut Findings) {
    let closed = [schema.get("additionalProperties"), schema.get("unevaluatedProperties")]
        .into_iter()
        .flatten()
        .any(|more| more != &Value::Bool(true));
    if !closed {
        let what = "it takes any further field, so a user's misspelled one goes unnoticed";
        findings.warning("open-config", place(pointer), what, "add `\"additionalProperties\": false`");
    }
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for name in required.iter().filter_map(Value::as_str).filter(|name| !properties.contains_key(*name)) {
        let what = format!("the field '{name}' is required and not described under `properties`");
        let fix = "describe it there, or don't require it";
        let at = place(&format!("{pointer}/required"));
        if closed {
            findings.error("required-unknown", at, format!("{what}: nothing can fit"), fix);
        } else {
            findings.warning("required-unknown", at, what, fix);
        }
    }
}

fn described(property: &Value, name: &str, pointer: &str, findings: &mut Findings) {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    if property.is_object() && text.trim().is_empty() && property.get("$ref").is_none() {
        let fix = "add `description`: it is the documentation that users get";
        findings.warning("no-description", place(pointer), format!("nothing says what '{name}' is"), fix);
    }
}

fn mark(property: &Value, pointer: &str, is_field: bool, findings: &mut Findings) {
    let Some(mark) = property.get(MARK) else { return };
    let at = place(&format!("{pointer}/{MARK}"));
    if mark != "output" {
        findings.error(
            "unknown-mark",
            at,
            format!("it is {mark}; docket knows \"output\""),
            "write \"output\", or leave it out",
        );
    } else if !is_field {
        let what = "only fields at the top of a config can refer to outputs";
        findings.warning("unknown-mark", at, what, "leave it out here");
    }
}

/// A name as a part of a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
