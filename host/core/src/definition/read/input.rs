//! Reading one entry of `inputs`.

use serde_json::Value;

use super::super::expression::{RESERVED, is_name};
use super::super::input::pattern_validator;
use super::super::node::{Node, NodeValue};
use super::super::{InputKind, InputSpec, suggest};
use super::Names;
use super::fields::{Fields, Reader};

const KEYS: [&str; 8] = ["name", "type", "description", "required", "default", "values", "pattern", "items"];

/// Reads an input. None when it has no usable name; what is wrong is with the reader.
pub(super) fn read(reader: &mut Reader, node: &Node, names: &mut Names) -> Option<InputSpec> {
    let fields = reader.map(node, "an input", &KEYS, &[])?;
    let name = reader.required(&fields, "name");
    if let Some(name) = name {
        if !is_name(name.text) {
            let message = format!("'{}' is no name for an input", name.text);
            let hint = "use letters, digits and _, beginning with a letter, such as rfc_path";
            reader.fault(name.node.location, message, Some(hint.to_owned()));
        } else if RESERVED.contains(&name.text) {
            let message =
                format!("an input can't be called '{}': expressions mean something else by it", name.text);
            reader.fault(name.node.location, message, None);
        }
        names.take(reader, name.text, name.node.location);
    }
    let kind = kind(reader, &fields);
    let description = reader.text(&fields, "description").map(|text| text.text.to_owned());
    let required = reader.boolean(&fields, "required");
    let name = name?;
    let Some(kind) = kind else {
        // The fault was told. Without the input every use of its name would be told as one, too.
        let (name, kind) = (name.text.to_owned(), probable_kind(&fields));
        return Some(InputSpec { name, kind, description, required, default: None, pattern: None });
    };
    let pattern = pattern(reader, &fields, &kind);
    check_items(reader, &fields, &kind);
    let mut input =
        InputSpec { name: name.text.to_owned(), kind, description, required, default: None, pattern };
    input.default = default(reader, &fields, &input);
    Some(input)
}

fn kind(reader: &mut Reader, fields: &Fields<'_>) -> Option<InputKind> {
    let text = reader.required(fields, "type")?;
    let values = fields.get("values");
    let kind = match text.text {
        "string" => InputKind::String,
        "file" => InputKind::File,
        "directory" => InputKind::Directory,
        "integer" => InputKind::Integer,
        "number" => InputKind::Number,
        "boolean" => InputKind::Boolean,
        "date" => InputKind::Date,
        "list" => InputKind::List,
        "enum" => return Some(InputKind::Enum(enum_values(reader, fields))),
        other => {
            let hint = suggest::hint(other, InputKind::NAMES);
            reader.fault(text.node.location, format!("there is no input type '{other}'"), hint);
            return None;
        }
    };
    if let Some(entry) = values {
        let message = format!("'values' belongs to inputs of type enum, not {}", kind.name());
        reader.fault(entry.location, message, None);
    }
    Some(kind)
}

/// The kind that was probably meant by a type there is none of.
fn probable_kind(fields: &Fields<'_>) -> InputKind {
    let text = fields.get("type").map(|entry| &entry.value.value);
    let near = match text {
        Some(NodeValue::Text(text)) => suggest::closest(text, InputKind::NAMES),
        _ => None,
    };
    match near {
        Some("file") => InputKind::File,
        Some("directory") => InputKind::Directory,
        Some("integer") => InputKind::Integer,
        Some("number") => InputKind::Number,
        Some("boolean") => InputKind::Boolean,
        Some("date") => InputKind::Date,
        Some("list") => InputKind::List,
        Some("string") => InputKind::String,
        // An enum without values is one whose faults were told: what depends on them is not checked.
        _ => InputKind::Enum(Vec::new()),
    }
}

fn enum_values(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    if fields.get("values").is_none() {
        let hint = "list what it may be: `values: [one, two]`".to_owned();
        reader.fault(fields.location, "'values' is missing in an input of type enum", Some(hint));
        return Vec::new();
    }
    let nodes = reader.list(fields, "values");
    if nodes.is_empty()
        && let Some(entry) = fields.get("values")
    {
        reader.fault(entry.location, "'values' is empty: an enum needs at least one value", None);
    }
    let mut values: Vec<String> = Vec::new();
    for node in nodes {
        let Some(text) = reader.as_text(node, "a value of an enum") else { continue };
        if values.iter().any(|value| value == text.text) {
            reader.fault(node.location, format!("the value '{}' is there twice", text.text), None);
        } else if text.text.is_empty() {
            reader.fault(node.location, "a value of an enum is empty", None);
        } else {
            values.push(text.text.to_owned());
        }
    }
    values
}

fn pattern(reader: &mut Reader, fields: &Fields<'_>, kind: &InputKind) -> Option<String> {
    let text = reader.text(fields, "pattern")?;
    if !kind.takes_pattern() {
        let message = format!("'pattern' does not go with inputs of type {}", kind.name());
        reader.fault(text.node.location, message, None);
        return None;
    }
    match pattern_validator(text.text) {
        Ok(_) => Some(text.text.to_owned()),
        Err(_) => {
            let message = format!("'{}' is not a regular expression", text.text);
            reader.fault(text.node.location, message, None);
            None
        }
    }
}

/// `items` says what a list holds; texts are all there is.
fn check_items(reader: &mut Reader, fields: &Fields<'_>, kind: &InputKind) {
    let Some(entry) = fields.get("items") else { return };
    if *kind != InputKind::List {
        reader.fault(entry.location, "'items' belongs to inputs of type list", None);
    } else if !matches!(&entry.value.value, NodeValue::Text(text) if text == "string") {
        let message = "'items' can only be string: lists of other things are not supported";
        reader.fault(entry.value.location, message, None);
    }
}

fn default(reader: &mut Reader, fields: &Fields<'_>, input: &InputSpec) -> Option<Value> {
    let entry = fields.get("default")?;
    // An enum without usable values was reported already; every default would be wrong.
    if matches!(&input.kind, InputKind::Enum(values) if values.is_empty()) {
        return None;
    }
    match input.accept(entry.value.to_json()) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("the default of {}", error.message);
            reader.fault(entry.value.location, message, error.hint);
            None
        }
    }
}
