//! Reading one entry of `stages`.

use super::super::expression::is_name;
use super::super::node::{Entry, Node, NodeValue};
use super::Names;
use super::fields::{Fields, Reader, Text};

const KEYS: [&str; 10] = [
    "name",
    "description",
    "type",
    "depends_on",
    "if",
    "timeout",
    "continue_on_error",
    "launcher",
    "config",
    "outputs",
];
/// Keys of later versions.
const PLANNED: [&str; 4] = ["matrix", "retry", "uses", "with"];
/// Longest timeout: 31 days.
const MAX_TIMEOUT: u64 = 31 * 24 * 3600;

/// A stage whose keys and types are right, as far as there were no faults.
pub(in super::super) struct RawStage<'a> {
    pub node: &'a Node,
    pub name: Option<Text<'a>>,
    pub description: Option<Text<'a>>,
    pub stage_type: Option<Text<'a>>,
    pub launcher: Option<Text<'a>>,
    /// None: the stage before it.
    pub depends_on: Option<Vec<Text<'a>>>,
    pub condition: Option<&'a Node>,
    pub timeout_seconds: Option<u64>,
    pub continue_on_error: bool,
    pub config: Option<&'a Node>,
    pub outputs: Vec<RawOutput<'a>>,
}

/// An output that a stage declares.
pub(in super::super) struct RawOutput<'a> {
    pub name: &'a Entry,
    pub path: Option<Text<'a>>,
    pub schema: Option<Text<'a>>,
}

/// Reads a stage.
pub(super) fn read<'a>(reader: &mut Reader, node: &'a Node, names: &mut Names) -> Option<RawStage<'a>> {
    let fields = reader.map(node, "a stage", &KEYS, &PLANNED)?;
    let name = reader.required(&fields, "name");
    if let Some(name) = name {
        names.take(reader, name.text, name.node.location);
    }
    let stage_type = if fields.get("uses").is_some() { None } else { reader.required(&fields, "type") };
    let config = fields.get("config").map(|entry| &entry.value);
    let config = config.filter(|config| config.value != NodeValue::Null);
    if let Some(config) = config.filter(|config| !matches!(config.value, NodeValue::Map(_))) {
        reader.fault(config.location, format!("'config' must be a map but is {}", config.kind()), None);
    }
    Some(RawStage {
        node,
        name,
        description: reader.text(&fields, "description"),
        stage_type,
        launcher: reader.text(&fields, "launcher"),
        depends_on: depends_on(reader, &fields),
        condition: condition(reader, &fields),
        timeout_seconds: timeout(reader, &fields),
        continue_on_error: reader.boolean(&fields, "continue_on_error"),
        config: config.filter(|config| matches!(config.value, NodeValue::Map(_))),
        outputs: outputs(reader, &fields),
    })
}

fn depends_on<'a>(reader: &mut Reader, fields: &Fields<'a>) -> Option<Vec<Text<'a>>> {
    let entry = fields.get("depends_on")?;
    match &entry.value.value {
        NodeValue::List(items) => {
            Some(items.iter().filter_map(|item| reader.as_text(item, "a stage in 'depends_on'")).collect())
        }
        NodeValue::Text(text) => Some(vec![Text { text, node: &entry.value }]),
        _ => {
            let message = format!(
                "'depends_on' must be a stage's name or a list of them but is {}",
                entry.value.kind()
            );
            let hint = "for a stage that waits for none write `depends_on: []`".to_owned();
            reader.fault(entry.value.location, message, Some(hint));
            Some(Vec::new())
        }
    }
}

fn condition<'a>(reader: &mut Reader, fields: &Fields<'a>) -> Option<&'a Node> {
    let node = &fields.get("if")?.value;
    if matches!(node.value, NodeValue::Boolean(_) | NodeValue::Text(_)) {
        return Some(node);
    }
    let hint = "write it as if: ${{ stages.review.outputs.result.blockers.size() > 0 }}".to_owned();
    reader.fault(node.location, format!("'if' must be an expression but is {}", node.kind()), Some(hint));
    None
}

fn timeout(reader: &mut Reader, fields: &Fields<'_>) -> Option<u64> {
    let node = &fields.get("timeout")?.value;
    match duration(node) {
        Ok(seconds) => Some(seconds),
        Err(message) => {
            reader.fault(node.location, format!("'timeout' {message}"), Some("write 600 or 10m".to_owned()));
            None
        }
    }
}

/// Seconds from a number of seconds or a text such as `90s`, `10m`, `2h`.
///
/// # Errors
/// What is wrong, to be put behind the key's name.
pub(in super::super) fn duration(node: &Node) -> Result<u64, String> {
    let seconds = match &node.value {
        NodeValue::Number(number) => number.as_u64(),
        NodeValue::Text(text) => {
            let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
            let factor = match &text[digits.len()..] {
                "s" => Some(1),
                "m" => Some(60),
                "h" => Some(3600),
                _ => None,
            };
            digits.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor))
        }
        _ => None,
    };
    match seconds {
        None => Err("must be a number of seconds, or a number with s, m or h".to_owned()),
        Some(0) => Err("must be at least one second".to_owned()),
        Some(seconds) if seconds > MAX_TIMEOUT => Err("may be at most 31 days".to_owned()),
        Some(seconds) => Ok(seconds),
    }
}

fn outputs<'a>(reader: &mut Reader, fields: &Fields<'a>) -> Vec<RawOutput<'a>> {
    let Some(entry) = fields.get("outputs") else { return Vec::new() };
    let NodeValue::Map(entries) = &entry.value.value else {
        let hint = "write them as name, path and schema: `review: {path: review.json}`".to_owned();
        let message = format!("'outputs' must be a map but is {}", entry.value.kind());
        reader.fault(entry.value.location, message, Some(hint));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| output(reader, entry)).collect()
}

fn output<'a>(reader: &mut Reader, entry: &'a Entry) -> Option<RawOutput<'a>> {
    if !is_name(&entry.key) {
        let hint = "use letters, digits and _, beginning with a letter".to_owned();
        reader.fault(entry.location, format!("'{}' is no name for an output", entry.key), Some(hint));
    } else if entry.key == "result" {
        let message = "an output can't be called 'result': that is always the stage's whole result";
        reader.fault(entry.location, message, None);
    }
    if entry.value.value == NodeValue::Null {
        return Some(RawOutput { name: entry, path: None, schema: None });
    }
    let fields = reader.map(&entry.value, "an output", &["path", "schema"], &[])?;
    Some(RawOutput {
        name: entry,
        path: reader.text(&fields, "path"),
        schema: reader.text(&fields, "schema"),
    })
}
