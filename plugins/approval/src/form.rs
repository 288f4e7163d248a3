//! The form of an approval: a JSON Schema for an object. Looks for what would make it useless, and says its fields in
//! short. It is no validator: docket has one, and holds the answer to the schema.

use docket_plugin::{Fault, Value, json};

/// The types that JSON Schema has.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
/// Keywords whose value is one schema.
const ONE: [&str; 5] = ["items", "additionalProperties", "not", "contains", "propertyNames"];
/// Keywords whose value is a list of schemas.
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value names schemas.
const NAMED: [&str; 3] = ["properties", "$defs", "patternProperties"];
/// How deep a form is looked into. Deeper ones are docket's validator's to judge.
const DEEPEST: usize = 16;
/// The keyword that points at another schema.
const REFERENCE: &str = "$ref";

/// What is wrong with a form, with pointers into the config it is in.
pub(crate) fn faults(form: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_object = form.get("type").and_then(Value::as_str) == Some("object");
    let has_type = form.get("type").is_some();
    if !form.is_object() {
        let hint = "write `type: object` and the fields under `properties`";
        faults.push(fault("/form", "the form is no JSON Schema of an object", Some(hint)));
    } else if has_type && !is_object {
        let hint = "write `type: object`, and the fields under `properties`";
        faults.push(fault("/form/type", "a form is an object", Some(hint)));
    } else if !has_type && form.get("properties").is_none() {
        let hint = "write the form's fields under `properties`, each with its `type`";
        faults.push(fault(
            "/form",
            "the form has no `properties`, so there is nothing to fill in",
            Some(hint),
        ));
    }
    if faults.is_empty() {
        schema(form, "/form", 0, &mut faults);
    }
    faults
}

/// Walks through a schema and the schemas in it.
fn schema(schema: &Value, pointer: &str, depth: usize, faults: &mut Vec<Fault>) {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Bool(_) => return,
        // A text stands for an expression whose value is not known yet.
        Value::String(_) if depth > 0 => return,
        _ => {
            let hint = "write an object with `type`, or true for anything";
            faults.push(fault(pointer, "this is no JSON Schema", Some(hint)));
            return;
        }
    };
    types(fields.get("type"), pointer, faults);
    required(fields, pointer, faults);
    references(fields.get(REFERENCE), pointer, faults);
    if depth >= DEEPEST {
        return;
    }
    for name in NAMED {
        match fields.get(name) {
            None => {}
            Some(Value::Object(named)) => {
                for (key, inner) in named {
                    self::schema(inner, &format!("{pointer}/{name}/{}", escaped(key)), depth + 1, faults);
                }
            }
            Some(_) => {
                let hint = "write each name with its schema below it";
                faults.push(fault(
                    &format!("{pointer}/{name}"),
                    &format!("`{name}` must be an object"),
                    Some(hint),
                ));
            }
        }
    }
    for name in ONE {
        if let Some(inner) = fields.get(name) {
            self::schema(inner, &format!("{pointer}/{name}"), depth + 1, faults);
        }
    }
    for name in LISTED {
        let items = fields.get(name).and_then(Value::as_array).into_iter().flatten();
        for (index, inner) in items.enumerate() {
            self::schema(inner, &format!("{pointer}/{name}/{index}"), depth + 1, faults);
        }
    }
}

fn types(types: Option<&Value>, pointer: &str, faults: &mut Vec<Fault>) {
    let named: Vec<&Value> = match types {
        None => return,
        Some(Value::Array(types)) => types.iter().collect(),
        Some(one) => vec![one],
    };
    for name in named {
        if !name.as_str().is_some_and(|name| TYPES.contains(&name) || name.contains('{')) {
            let hint = format!("the types are {}", TYPES.join(", "));
            let shown =
                name.as_str().map_or_else(|| name.to_string(), |name| name.escape_debug().to_string());
            faults.push(fault(
                &format!("{pointer}/type"),
                &format!("there is no type '{shown}'"),
                Some(&hint),
            ));
        }
    }
}

/// A required field that is not among the properties can't be seen by whoever fills the form in: a slip.
fn required(fields: &serde_json::Map<String, Value>, pointer: &str, faults: &mut Vec<Fault>) {
    let place = format!("{pointer}/required");
    let names = match fields.get("required") {
        None | Some(Value::String(_)) => return,
        Some(Value::Array(names)) => names,
        Some(_) => {
            faults.push(fault(
                &place,
                "`required` must be a list",
                Some("name the fields that must be filled in"),
            ));
            return;
        }
    };
    let Some(properties) = fields.get("properties").and_then(Value::as_object) else { return };
    for (index, name) in names.iter().enumerate() {
        let known = name.as_str().is_some_and(|name| properties.contains_key(name) || name.contains('{'));
        if !known {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            let shown =
                name.as_str().map_or_else(|| name.to_string(), |name| name.escape_debug().to_string());
            let message = format!("'{shown}' is required and not among the properties");
            let hint = format!("the properties are {}", known.join(", "));
            faults.push(fault(&format!("{place}/{index}"), &message, Some(&hint)));
        }
    }
}

/// docket fetches nothing, so a schema elsewhere can't be used.
fn references(reference: Option<&Value>, pointer: &str, faults: &mut Vec<Fault>) {
    let elsewhere = reference.and_then(Value::as_str).filter(|target| !target.starts_with('#'));
    if let Some(target) = elsewhere {
        let message = format!("'{}' is outside the form", target.escape_debug());
        let hint = "write the schema into the form, below `$defs`, and refer to it as #/$defs/NAME";
        faults.push(fault(&format!("{pointer}/{REFERENCE}"), &message, Some(hint)));
    }
}

fn fault(pointer: &str, message: &str, hint: Option<&str>) -> Fault {
    Fault { pointer: pointer.to_owned(), message: message.to_owned(), hint: hint.map(str::to_owned) }
}

/// A key as a part of a JSON Pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A form as a part of another schema. References within it count from its own beginning, which an identifier tells.
pub(crate) fn embedded(form: &Value) -> Value {
    let mut form = form.clone();
    if let Value::Object(fields) = &mut form {
        if !fields.contains_key("type") {
            fields.insert("type".to_owned(), json!("object"));
        }
        if holds_reference(&Value::Object(fields.clone())) && !fields.contains_key("$id") {
            fields.insert("$id".to_owned(), json!("urn:docket:approval:form"));
        }
    }
    form
}

fn holds_reference(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.contains_key(REFERENCE) || fields.values().any(holds_reference),
        Value::Array(items) => items.iter().any(holds_reference),
        _ => false,
    }
}

/// A form's fields for people, one a line: name, what goes into it, and whether it may be left out.
pub(crate) fn outline(form: &Value) -> Vec<String> {
    let Some(properties) = form.get("properties").and_then(Value::as_object) else {
        return vec!["any object".to_owned()];
    };
    let required: Vec<&str> = form
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    properties
        .iter()
        .map(|(name, field)| {
            let optional = if required.contains(&name.as_str()) { "" } else { ", optional" };
            let about = field.get("description").and_then(Value::as_str);
            let about = about.map(|text| format!(": {}", one_line(text))).unwrap_or_default();
            format!("{} ({}{optional}){about}", one_line(name), kind(resolved(form, field)))
        })
        .collect()
}

/// Follows a reference within the form, once: a chain of them is left as it is.
fn resolved<'a>(form: &'a Value, field: &'a Value) -> &'a Value {
    field
        .get(REFERENCE)
        .and_then(Value::as_str)
        .and_then(|reference| form.pointer(reference.strip_prefix('#')?))
        .unwrap_or(field)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(field: &Value) -> String {
    if let Some(values) = field.get("enum").and_then(Value::as_array) {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), one_line);
        return values.iter().map(shown).collect::<Vec<_>>().join(" | ");
    }
    match field.get("type") {
        Some(Value::String(name)) => word(name).to_owned(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(word).collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn word(name: &str) -> &str {
    match name {
        "string" => "text",
        "array" => "list",
        "integer" => "whole number",
        "boolean" => "true or false",
        other => other,
    }
}
