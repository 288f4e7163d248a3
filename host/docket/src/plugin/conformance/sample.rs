//! Configs made from a schema: the smallest that fits, and odd ones. For trying a plugin, never for running one.

use serde_json::{Map, Value, json};

/// Deeper schemas get no value.
const MAX_DEPTH: usize = 16;
/// A text that fits where any does: a path, so that it can stand where paths do.
const SOME_TEXT: &str = "docs/example.md";
/// Characters of a very long text.
const LONG: usize = 100_000;

/// The smallest value that fits a schema. `None` when none was found; an `examples` list in the schema helps then.
pub(super) fn smallest(schema: &Value) -> Option<Value> {
    let validator = jsonschema::validator_for(schema).ok()?;
    let examples = schema.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
    examples
        .into_iter()
        .chain(Maker { root: schema, all_fields: false }.value(schema, 0))
        .chain([json!({})])
        .find(|value| value.is_object() && validator.is_valid(value))
}

/// Configs that a plugin has to look at without trouble, each with what is odd about it. Each fits the schema, but for
/// expressions, which stand for any value before a run.
pub(super) fn odd(schema: &Value) -> Vec<(&'static str, Value)> {
    let Ok(validator) = jsonschema::validator_for(schema) else { return Vec::new() };
    let full =
        Maker { root: schema, all_fields: true }.value(schema, 0).filter(|value| validator.is_valid(value));
    let base = full.or_else(|| smallest(schema)).unwrap_or_else(|| json!({}));
    let texts = [
        ("empty texts", String::new()),
        ("very long texts", "x".repeat(LONG)),
        ("texts with control characters and emoji", "a\u{1b}]0;b\u{7}\u{202e}🦀\n".to_owned()),
        ("texts that lead out of the project", "../../etc/passwd".to_owned()),
        ("texts that are JSON", "{\"a\": [".to_owned()),
    ];
    let with_texts = texts.into_iter().map(|(name, text)| (name, replaced(&base, &text)));
    let mut found: Vec<(&'static str, Value)> =
        with_texts.filter(|(_, value)| validator.is_valid(value)).collect();
    found.insert(0, ("every field", base.clone()));
    found.push(("expressions in place of values", unevaluated(&base)));
    if let Some(numbers) = extreme(&base).filter(|value| validator.is_valid(value)) {
        found.push(("extreme numbers", numbers));
    }
    let mut distinct: Vec<(&'static str, Value)> = Vec::new();
    for (name, value) in found {
        if !distinct.iter().any(|(_, known)| *known == value) {
            distinct.push((name, value));
        }
    }
    distinct
}

struct Maker<'a> {
    root: &'a Value,
    all_fields: bool,
}

impl Maker<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.value(self.root.pointer(reference.strip_prefix('#')?)?, depth + 1);
        }
        if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
            return Some(value.clone());
        }
        for list in ["examples", "enum"] {
            if let Some(first) = schema.get(list).and_then(|values| values.get(0)) {
                return Some(first.clone());
            }
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|branches| branches.get(0))
                && schema.get("properties").is_none()
            {
                return self.value(first, depth + 1);
            }
        }
        self.typed(schema, depth)
    }

    fn typed(&self, schema: &Value, depth: usize) -> Option<Value> {
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            Some(kind) => kind.as_str(),
            None => None,
        };
        match kind {
            Some("string") => Some(Value::String(text(schema))),
            Some("integer") | Some("number") => Some(number(schema)),
            Some("boolean") => Some(Value::Bool(false)),
            Some("null") => Some(Value::Null),
            Some("array") => self.list(schema, depth),
            Some("object") => self.object(schema, depth),
            _ if schema.get("properties").is_some() => self.object(schema, depth),
            _ => Some(Value::String(SOME_TEXT.to_owned())),
        }
    }

    fn list(&self, schema: &Value, depth: usize) -> Option<Value> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(100);
        let length = least.max(u64::from(self.all_fields));
        let any = json!({});
        let items = schema.get("items").unwrap_or(&any);
        (0..length).map(|_| self.value(items, depth + 1)).collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn object(&self, schema: &Value, depth: usize) -> Option<Value> {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required =
            schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut object = Map::new();
        for (name, property) in properties {
            let is_required = required.iter().any(|other| other == name);
            match self.value(property, depth + 1) {
                Some(value) if is_required || self.all_fields => {
                    object.insert(name.clone(), value);
                }
                None if is_required => return None,
                _ => {}
            }
        }
        Some(Value::Object(object))
    }
}

fn text(schema: &Value) -> String {
    let count =
        |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    let most = count("maxLength").unwrap_or(usize::MAX);
    let mut text: String = SOME_TEXT.chars().take(most).collect();
    while text.chars().count() < count("minLength").unwrap_or(0).min(LONG) {
        text.push('x');
    }
    // A pattern can't be turned round; a few texts fit most of those that people write.
    let pattern = json!({ "pattern": schema.get("pattern").cloned().unwrap_or_else(|| json!("")) });
    let Ok(pattern) = jsonschema::validator_for(&pattern) else { return text };
    let candidates = [
        text.as_str(),
        "example",
        "a",
        "A",
        "1",
        "2026-01-02",
        "1.0.0",
        "https://example.com/",
        "a@example.com",
        "AB-1",
    ];
    let fits = candidates.into_iter().find(|text| pattern.is_valid(&json!(text)));
    fits.unwrap_or(&text).to_owned()
}

fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|value| value.saturating_add(1)));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|value| value.saturating_sub(1)));
    json!(least.unwrap_or_else(|| most.map_or(1, |most| most.min(1))))
}

/// The value with each text in it replaced.
fn replaced(value: &Value, text: &str) -> Value {
    match value {
        Value::String(_) => json!(text),
        Value::Array(items) => items.iter().map(|item| replaced(item, text)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), replaced(field, text))).collect()
        }
        other => other.clone(),
    }
}

/// The config as a definition may have it: its fields are expressions.
fn unevaluated(value: &Value) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    fields.keys().map(|name| (name.clone(), json!(format!("${{{{ inputs.{name} }}}}")))).collect()
}

/// The value with each number in it at its largest, when it has one.
fn extreme(value: &Value) -> Option<Value> {
    fn largest(value: &Value, count: &mut usize) -> Value {
        match value {
            Value::Number(number) => {
                *count += 1;
                if number.is_f64() { json!(f64::MAX) } else { json!(i64::MAX) }
            }
            Value::Array(items) => items.iter().map(|item| largest(item, count)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), largest(field, count))).collect()
            }
            other => other.clone(),
        }
    }
    let mut count = 0;
    let value = largest(value, &mut count);
    (count > 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_config_fits_its_schema() {
        let schemas = [
            json!({ "type": "object" }),
            json!({ "type": "object", "required": ["a", "b", "c", "d"], "additionalProperties": false, "properties": {
                "a": { "type": "string", "pattern": "^[a-z]+$" },
                "b": { "type": "integer", "minimum": 3, "maximum": 5 },
                "c": { "type": "array", "minItems": 2, "items": { "enum": ["x", "y"] } },
                "d": { "$ref": "#/$defs/part" },
                "e": { "type": "boolean" },
            }, "$defs": { "part": { "oneOf": [{ "type": "string", "minLength": 40 }, { "type": "null" }] } } }),
            json!({ "type": "object", "required": ["at"], "properties": { "at": { "type": "string", "pattern": "^[0-9]{4}-" } } }),
        ];
        for schema in schemas {
            let value = smallest(&schema).unwrap_or_else(|| panic!("nothing fits {schema}"));
            assert!(jsonschema::is_valid(&schema, &value), "{value} for {schema}");
            assert!(value.get("e").is_none(), "what is not required is left out: {value}");
        }
    }

    #[test]
    fn what_nothing_is_found_for_needs_an_example() {
        let field = json!({ "type": "string", "pattern": "^ZZ[0-9]{7}$" });
        let mut schema = json!({ "type": "object", "required": ["id"], "properties": { "id": field } });
        assert_eq!(smallest(&schema), None);
        schema["examples"] = json!([{ "id": "ZZ1234567" }]);
        assert_eq!(smallest(&schema), Some(json!({ "id": "ZZ1234567" })));
    }

    #[test]
    fn odd_configs_fit_unless_they_are_expressions() {
        let schema = json!({ "type": "object", "properties": {
            "text": { "type": "string" }, "count": { "type": "integer" }, "short": { "type": "string", "maxLength": 3 },
        } });
        let odd = odd(&schema);
        let named = |name: &str| odd.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        assert_eq!(named("expressions in place of values").expect("there")["count"], "${{ inputs.count }}");
        assert_eq!(named("extreme numbers").expect("there")["count"], i64::MAX);
        assert_eq!(named("empty texts").expect("there")["text"], "");
        assert!(named("very long texts").is_none(), "one of the fields takes three characters at most");
    }
}
