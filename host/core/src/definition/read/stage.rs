//! Reading one entry of `stages`.

use super::super::Retry;
use super::super::expression::is_name;
use super::super::node::{Entry, Node, NodeValue};
use super::Names;
use super::duration::duration;
use super::fields::{Fields, Reader, Text};
use super::matrix::{self, RawMatrix};
use super::retry;

const KEYS: [&str; 14] = [
    "name",
    "description",
    "type",
    "uses",
    "depends_on",
    "if",
    "matrix",
    "retry",
    "timeout",
    "continue_on_error",
    "launcher",
    "config",
    "with",
    "outputs",
];

/// A stage whose keys and types are right, as far as there were no faults.
pub(in super::super) struct RawStage<'a> {
    pub node: &'a Node,
    pub name: Option<Text<'a>>,
    pub description: Option<Text<'a>>,
    /// None when it runs another workflow.
    pub stage_type: Option<Text<'a>>,
    /// The workflow it runs.
    pub uses: Option<Text<'a>>,
    pub matrix: Option<RawMatrix<'a>>,
    pub retry: Option<Retry>,
    pub launcher: Option<Text<'a>>,
    /// None: the stage before it.
    pub depends_on: Option<Vec<Text<'a>>>,
    pub condition: Option<&'a Node>,
    pub timeout_seconds: Option<u64>,
    pub continue_on_error: bool,
    /// `config`, or `with` of a stage that runs another workflow; a map.
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
    let fields = reader.map(node, "a stage", &KEYS, &[])?;
    let name = reader.required(&fields, "name");
    if let Some(name) = name {
        names.take(reader, name.text, name.node.location);
    }
    let is_use = fields.get("uses").is_some();
    refuse_beside(reader, &fields, is_use);
    let uses = if is_use { reader.required(&fields, "uses") } else { None };
    let stage_type = if is_use { None } else { reader.required(&fields, "type") };
    Some(RawStage {
        node,
        name,
        description: reader.text(&fields, "description"),
        stage_type,
        uses,
        matrix: matrix::read(reader, &fields),
        retry: retry::read(reader, &fields),
        launcher: reader.text(&fields, "launcher").filter(|_| !is_use),
        depends_on: depends_on(reader, &fields),
        condition: condition(reader, &fields),
        timeout_seconds: timeout(reader, &fields),
        continue_on_error: reader.boolean(&fields, "continue_on_error"),
        config: config(reader, &fields, if is_use { "with" } else { "config" }),
        outputs: outputs(reader, &fields),
    })
}

/// A stage has a type and a config, or uses a workflow with inputs: what belongs to the other kind is refused.
fn refuse_beside(reader: &mut Reader, fields: &Fields<'_>, is_use: bool) {
    if !is_use {
        if let Some(entry) = fields.get("with") {
            let hint =
                "a stage with a type takes `config:`; `with:` gives inputs to a workflow named by `uses:`";
            reader.fault(entry.location, "'with' does not go without 'uses'", Some(hint.to_owned()));
        }
        return;
    }
    for (key, hint) in [
        ("type", "a stage has a type or uses a workflow; take one of the two out"),
        ("config", "the inputs of the workflow are given with `with:`"),
        ("launcher", "the workflow's own stages say which launcher runs them"),
        ("timeout", "the workflow's own stages say how long they may take"),
    ] {
        if let Some(entry) = fields.get(key) {
            let message = format!("'{key}' does not go with 'uses'");
            reader.fault(entry.location, message, Some(hint.to_owned()));
        }
    }
}

fn config<'a>(reader: &mut Reader, fields: &Fields<'a>, key: &str) -> Option<&'a Node> {
    let config = fields.get(key).map(|entry| &entry.value);
    let config = config.filter(|config| config.value != NodeValue::Null);
    if let Some(config) = config.filter(|config| !matches!(config.value, NodeValue::Map(_))) {
        reader.fault(config.location, format!("'{key}' must be a map but is {}", config.kind()), None);
    }
    config.filter(|config| matches!(config.value, NodeValue::Map(_)))
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
