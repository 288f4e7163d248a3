//! Any JSON value as Markdown for people: objects become headings and definition lists, arrays become lists.
//!
//! Key order is kept. Values nested deeper than headings can show are written as JSON.

use std::fmt::Write as _;

use docket_plugin::{Request, Value};

use crate::{escape, review};

/// The deepest heading that Markdown has.
const DEEPEST_HEADING: usize = 6;

/// A value as a Markdown file. `source` is the output it comes from; `title` replaces the heading that names it.
pub(crate) fn render(request: &Request, source: &str, title: Option<&str>, value: &Value) -> String {
    let heading = title.map_or_else(|| format!("{}: {source}", request.workflow), str::to_owned);
    let mut text =
        format!("# {}\n\n{}\n", escape::inline(&heading), review::facts(request, review::document(request)));
    nested(&mut text, 2, value);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Renders a value below a heading of level `level - 1`.
fn nested(text: &mut String, level: usize, value: &Value) {
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str("Empty.\n\n"),
        Value::Array(items) if items.is_empty() => text.push_str("None.\n\n"),
        Value::Object(_) | Value::Array(_) if level > DEEPEST_HEADING && !is_flat(value) => {
            let _ = write!(text, "{}\n\n", escape::fenced(&format!("{value:#}"), "json"));
        }
        Value::Object(fields) => object(text, level, fields),
        Value::Array(items) => array(text, level, items),
        scalar => {
            let _ = write!(text, "{}\n\n", escape::block(&scalar_text(scalar)));
        }
    }
}

/// One-line values as a definition list first, then the others below headings of their own.
fn object(text: &mut String, level: usize, fields: &serde_json::Map<String, Value>) {
    let (short, long): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_short(value));
    for (name, value) in &short {
        let _ =
            writeln!(text, "- **{}:** {}", escape::inline(&label(name)), escape::inline(&scalar_text(value)));
    }
    if !short.is_empty() {
        text.push('\n');
    }
    for (name, value) in long {
        heading(text, level, &label(name));
        nested(text, level + 1, value);
    }
}

fn array(text: &mut String, level: usize, items: &[Value]) {
    if items.iter().all(is_short) {
        for item in items {
            let _ = writeln!(text, "- {}", escape::inline(&scalar_text(item)));
        }
        text.push('\n');
        return;
    }
    for (number, item) in items.iter().enumerate() {
        let named = ["title", "name", "id", "path"].iter().find_map(|field| item.get(field)?.as_str());
        let name = named.map_or_else(|| format!("{}", number + 1), |name| format!("{}. {name}", number + 1));
        heading(text, level, &name);
        nested(text, level + 1, item);
    }
}

fn heading(text: &mut String, level: usize, name: &str) {
    let name = escape::inline(name);
    if level <= DEEPEST_HEADING {
        let _ = write!(text, "{} {name}\n\n", "#".repeat(level));
    } else {
        let _ = write!(text, "**{name}**\n\n");
    }
}

/// A field's name as words: `cliCommands` and `cli_commands` become `Cli commands`.
fn label(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut previous_lower = false;
    for character in name.chars() {
        if character.is_uppercase() && previous_lower {
            words.push(' ');
            words.extend(character.to_lowercase());
        } else {
            words.push(if matches!(character, '_' | '-') { ' ' } else { character });
        }
        previous_lower = character.is_lowercase() || character.is_ascii_digit();
    }
    let mut characters = words.chars();
    characters
        .next()
        .map_or_else(|| "(no name)".to_owned(), |first| first.to_uppercase().chain(characters).collect())
}

/// Whether a value fits on one line of a list.
fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().contains('\n'),
        Value::Object(_) | Value::Array(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(is_short),
        Value::Array(items) => items.iter().all(is_short),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.trim().is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
