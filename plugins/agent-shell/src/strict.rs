//! Schemas for agents that take one natively and only in strict form, and the way back.
//!
//! Strict form, as OpenAI's structured outputs want it: every object closed, every property required, so that an
//! optional one must be allowed to be null. What such an agent answers may then hold nulls that the schema proper
//! does not allow; [`without_added_nulls`] takes them out.

use docket_plugin::{Value, json};
use serde_json::Map;

/// Keywords that say nothing about values and that strict form does not know.
const DROPPED: [&str; 4] = ["$schema", "$id", "default", "examples"];
/// How many references are followed in a row.
const LONGEST_CHAIN: usize = 16;

/// A schema in strict form; `None` when it is not the schema of an object, which strict form can't express.
pub(crate) fn strict(schema: &Value) -> Option<Value> {
    let object =
        schema.get("type").and_then(Value::as_str) == Some("object") || schema.get("properties").is_some();
    object.then(|| closed(schema, schema))
}

fn closed(root: &Value, schema: &Value) -> Value {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let mut result = Map::new();
    for (keyword, value) in keywords {
        if DROPPED.contains(&keyword.as_str()) || keyword.starts_with("x-") {
            continue;
        }
        let value = match (keyword.as_str(), value) {
            ("$defs" | "definitions" | "properties", Value::Object(schemas)) => Value::Object(
                schemas.iter().map(|(name, schema)| (name.clone(), closed(root, schema))).collect(),
            ),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter().map(|schema| closed(root, schema)).collect()
            }
            ("items", schema) => closed(root, schema),
            (_, other) => other.clone(),
        };
        // Strict form knows only `anyOf`; every value that fits `oneOf` fits it too.
        let keyword = if keyword == "oneOf" { "anyOf" } else { keyword };
        result.insert(keyword.to_owned(), value);
    }
    if is_object(&result) {
        require_all(root, schema, &mut result);
    }
    Value::Object(result)
}

fn require_all(root: &Value, original: &Value, result: &mut Map<String, Value>) {
    let names: Vec<String> = result
        .get("properties")
        .and_then(Value::as_object)
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = result.get_mut("properties") {
        for (name, property) in properties.iter_mut() {
            if !is_required(original, name) && !allows_null(root, property, LONGEST_CHAIN) {
                *property = nullable(property.take());
            }
        }
    }
    result.entry("type").or_insert_with(|| json!("object"));
    result.entry("properties").or_insert_with(|| json!({}));
    result.insert("required".into(), json!(names));
    result.insert("additionalProperties".into(), json!(false));
}

fn is_object(schema: &Map<String, Value>) -> bool {
    let typed = match schema.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => false,
    };
    typed || schema.contains_key("properties")
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|other| other == name))
}

/// The schema with null allowed as well.
fn nullable(schema: Value) -> Value {
    let Value::Object(mut keywords) = schema else { return schema };
    if keywords.contains_key("const") || !keywords.contains_key("type") {
        if let Some(Value::Array(choices)) = keywords.get_mut("anyOf") {
            choices.push(json!({ "type": "null" }));
            return Value::Object(keywords);
        }
        return json!({ "anyOf": [Value::Object(keywords), { "type": "null" }] });
    }
    let types = match keywords.remove("type") {
        Some(Value::Array(mut types)) => {
            types.push(json!("null"));
            types
        }
        Some(single) => vec![single, json!("null")],
        None => Vec::new(),
    };
    keywords.insert("type".into(), Value::Array(types));
    if let Some(Value::Array(values)) = keywords.get_mut("enum") {
        values.push(Value::Null);
    }
    Value::Object(keywords)
}

fn allows_null(root: &Value, schema: &Value, chain: usize) -> bool {
    let Some(keywords) = schema.as_object() else { return schema == &Value::Bool(true) };
    if chain == 0 {
        return false;
    }
    if let Some(target) = referred(root, schema) {
        return allows_null(root, target, chain - 1);
    }
    let by_type = match keywords.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        // Strict form gives such a schema the type it is meant to have.
        _ => !keywords.contains_key("properties"),
    };
    let by_enum =
        keywords.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(&Value::Null));
    let by_const = keywords.get("const").is_none_or(Value::is_null);
    let by_choice = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|name| keywords.get(*name)?.as_array())
        .all(|choices| choices.iter().any(|choice| allows_null(root, choice, chain - 1)));
    by_type && by_enum && by_const && by_choice
}

/// What a schema's `$ref` leads to within the root schema.
fn referred<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// A value without the nulls of optional properties whose schema does not allow null.
pub(crate) fn without_added_nulls(value: Value, schema: &Value) -> Value {
    pruned(value, schema, schema)
}

fn pruned(value: Value, root: &Value, schema: &Value) -> Value {
    let mut schema = schema;
    for _ in 0..LONGEST_CHAIN {
        schema = referred(root, schema).or_else(|| only_choice(schema)).unwrap_or(schema);
    }
    match value {
        Value::Object(fields) => {
            let property = |name: &str| schema.get("properties").and_then(|properties| properties.get(name));
            let kept = |name: &str, value: &Value| match property(name) {
                Some(inner) => {
                    !value.is_null() || is_required(schema, name) || allows_null(root, inner, LONGEST_CHAIN)
                }
                None => true,
            };
            let fields = fields.into_iter().filter(|(name, value)| kept(name, value));
            Value::Object(
                fields
                    .map(|(name, value)| {
                        let value = match property(&name) {
                            Some(inner) => pruned(value, root, inner),
                            None => value,
                        };
                        (name, value)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => match schema.get("items") {
            Some(inner) => items.into_iter().map(|item| pruned(item, root, inner)).collect(),
            None => Value::Array(items),
        },
        scalar => scalar,
    }
}

/// The one choice of an `anyOf` besides null; with several it can't be known which one an object follows.
fn only_choice(schema: &Value) -> Option<&Value> {
    let choices = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let mut others = choices.iter().filter(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    let only = others.next()?;
    others.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_optional_properties_nullable() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["findings"],
            "properties": {
                "findings": { "type": "array", "items": { "$ref": "#/$defs/finding" } },
                "level": { "type": "string", "enum": ["a", "b"], "default": "a" },
                "first": { "$ref": "#/$defs/finding" },
                "either": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
                "fixed": { "const": 1 },
                "free": { "type": "object" },
            },
            "$defs": { "finding": { "properties": { "line": { "type": ["integer", "null"], "minimum": 1 } } } },
        });
        let finding = json!({
            "properties": { "line": { "type": ["integer", "null"], "minimum": 1 } },
            "type": "object", "required": ["line"], "additionalProperties": false,
        });
        let expected = json!({
            "type": "object", "required": ["findings", "level", "first", "either", "fixed", "free"],
            "properties": {
                "findings": { "type": "array", "items": { "$ref": "#/$defs/finding" } },
                "level": { "enum": ["a", "b", null], "type": ["string", "null"] },
                "first": { "anyOf": [{ "$ref": "#/$defs/finding" }, { "type": "null" }] },
                "either": { "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] },
                "fixed": { "anyOf": [{ "const": 1 }, { "type": "null" }] },
                "free": { "type": ["object", "null"], "properties": {}, "required": [], "additionalProperties": false },
            },
            "$defs": { "finding": finding },
            "additionalProperties": false,
        });
        assert_eq!(strict(&schema), Some(expected));
    }

    #[test]
    fn only_object_schemas_have_a_strict_form() {
        assert_eq!(strict(&json!({ "type": "array" })), None);
        assert_eq!(strict(&json!({})), None);
        assert_eq!(strict(&json!(true)), None);
    }

    #[test]
    fn nulls_go_where_the_schema_proper_does_not_allow_them() {
        let schema = json!({
            "type": "object", "required": ["needed"],
            "properties": {
                "needed": { "type": "string" }, "note": { "type": "string" }, "line": { "type": ["integer", "null"] },
                "list": { "type": "array", "items": { "$ref": "#" } },
            },
        });
        let answer = json!({
            "needed": null, "note": null, "line": null, "other": null,
            "list": [{ "needed": "a", "note": null, "line": 1, "list": null }],
        });
        let expected =
            json!({ "needed": null, "line": null, "other": null, "list": [{ "needed": "a", "line": 1 }] });
        assert_eq!(without_added_nulls(answer, &schema), expected);
        assert_eq!(without_added_nulls(json!("text"), &schema), json!("text"));
    }

    #[test]
    fn references_in_circles_end() {
        let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/properties/a" } } });
        assert!(strict(&schema).is_some());
        assert_eq!(without_added_nulls(json!({ "a": null }), &schema), json!({}));
    }
}
