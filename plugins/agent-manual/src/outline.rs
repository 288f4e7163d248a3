//! A JSON Schema in a few lines for people: field names and what goes into them.
//!
//! It is a reminder, not a validator: what it can't say in short it leaves out.

use docket_plugin::Value;

/// How deep objects within lists are shown.
const DEEPEST: usize = 3;

/// The fields of an object schema, one a line, nested ones indented; empty for a schema that allows anything.
pub(crate) fn outline(schema: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let whole = resolved(schema, schema);
    if whole.get("properties").is_some() {
        fields(schema, whole, 0, &mut lines);
    } else {
        let kind = kind(whole);
        if kind != "anything" {
            lines.push(kind);
        }
    }
    lines
}

fn fields(root: &Value, schema: &Value, depth: usize, lines: &mut Vec<String>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in properties {
        let field = resolved(root, field);
        let optional = if required.contains(&name.as_str()) { "" } else { ", optional" };
        lines.push(format!("{}{name}: {}{optional}", "  ".repeat(depth), kind(field)));
        let inner = field.get("items").map_or(field, |items| resolved(root, items));
        if depth < DEEPEST {
            fields(root, inner, depth + 1, lines);
        }
    }
}

/// Follows a reference within the schema (`#/$defs/finding`), once: a chain of them is left as it is.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

fn kind(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        return values.join(" | ");
    }
    match schema.get("type") {
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

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    #[test]
    fn fields_are_shown_with_their_kind() {
        let schema = json!({
            "type": "object", "required": ["assessment", "blockers"],
            "properties": {
                "assessment": { "enum": ["APPROVE", "REJECT"] },
                "blockers": { "type": "array", "items": { "$ref": "#/$defs/finding" } },
                "summary": { "type": "string" },
            },
            "$defs": { "finding": {
                "type": "object", "required": ["title"],
                "properties": { "title": { "type": "string" }, "line": { "type": ["integer", "null"] } },
            } },
        });
        assert_eq!(
            outline(&schema),
            [
                "assessment: APPROVE | REJECT",
                "blockers: list",
                "  title: text",
                "  line: whole number or null, optional",
                "summary: text, optional",
            ]
        );
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = json!({ "type": "object", "properties": { "child": { "$ref": "#" } } });
        assert!(outline(&schema).len() < 10);
    }

    #[test]
    fn schemas_of_other_values_are_said_in_a_word() {
        assert_eq!(outline(&json!({ "type": "array" })), ["list"]);
        assert_eq!(outline(&json!({})), Vec::<String>::new());
        assert_eq!(outline(&json!(true)), Vec::<String>::new());
    }
}
