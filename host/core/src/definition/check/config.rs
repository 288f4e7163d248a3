//! A stage's config: its texts are templates, it fits the schema of the stage type, and what it refers to is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expressions::Reach;
use super::schema_faults::schema_faults;
use super::{Checker, Config, Node, NodeValue, StageType, Template, Text};

/// What marks a property of a config schema as a reference to another stage's output.
const MARK: &str = "x-docket";

/// The fields of a config that refer to another stage's output.
pub(super) fn reference_fields(stage_type: &StageType, config: &Config) -> Vec<String> {
    marked(stage_type).filter(|field| config.field(field).is_some()).map(str::to_owned).collect()
}

fn marked(stage_type: &StageType) -> impl Iterator<Item = &str> {
    let fields = stage_type.config.get("properties").and_then(Value::as_object);
    fields
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema.get(MARK).is_some_and(|mark| mark == "output"))
        .map(|(name, _)| name.as_str())
}

impl Checker<'_> {
    /// Reads and checks a stage's config, or the inputs it gives to the workflow it uses. Without a known stage type only the expressions can be checked.
    pub(super) fn config(&mut self, position: usize, stage_type: Option<&StageType>) -> Config {
        let stage = &self.raw.stages[position];
        let before = self.stages[position].before.clone();
        let reach = Reach::Stage(&before, position);
        let references: BTreeSet<String> =
            stage_type.into_iter().flat_map(marked).map(str::to_owned).collect();
        let mut unevaluated = BTreeSet::new();
        let config = match stage.config {
            None => Config::Object(Vec::new()),
            Some(node) => {
                let mut conversion =
                    Conversion { reach: &reach, references: &references, unevaluated: &mut unevaluated };
                self.convert(node, "", &mut conversion)
            }
        };
        if let Some(stage_type) = stage_type {
            let found = self.faults.len();
            self.check_schema(stage.config, stage.node, stage_type, &unevaluated);
            if self.faults.len() == found {
                self.ask_plugin(position, stage_type);
            }
        }
        if let Some(node) = stage.config {
            for field in &references {
                let text = text_of(node, field);
                // An expression gives the value itself, and was checked as such.
                if let Some(text) = text.filter(|_| !is_value(config.field(field))) {
                    self.output_reference(text, &reach);
                }
            }
            if self.is_agent(position) {
                self.agent_config(&config, node, position);
            }
        }
        config
    }

    /// Reads and checks values that may contain expressions and fit no schema.
    pub(super) fn values(&mut self, node: &Node, reach: &Reach<'_>) -> Config {
        let mut unevaluated = BTreeSet::new();
        let mut conversion =
            Conversion { reach, references: &BTreeSet::new(), unevaluated: &mut unevaluated };
        self.convert(node, "", &mut conversion)
    }

    fn convert(&mut self, node: &Node, pointer: &str, conversion: &mut Conversion<'_>) -> Config {
        match &node.value {
            NodeValue::Text(text) => {
                let Some(template) = self.template(Text { text, node }) else {
                    return Config::Text(Template::plain(text));
                };
                self.check_braces(&template, node, conversion.reach);
                if template.literal().is_none() {
                    conversion.unevaluated.insert(pointer.to_owned());
                    // A reference is resolved as a whole; what is in it was written as a stage's name.
                    let is_reference =
                        pointer.strip_prefix('/').is_some_and(|name| conversion.references.contains(name));
                    if !is_reference || template.is_value() {
                        self.check_template(&template, node, conversion.reach);
                    }
                }
                Config::Text(template)
            }
            NodeValue::List(items) => {
                let items = items.iter().enumerate();
                Config::List(
                    items
                        .map(|(index, item)| self.convert(item, &format!("{pointer}/{index}"), conversion))
                        .collect(),
                )
            }
            NodeValue::Map(entries) => {
                let mut fields = Vec::with_capacity(entries.len());
                for entry in entries {
                    let key = entry.key.replace('~', "~0").replace('/', "~1");
                    let value = self.convert(&entry.value, &format!("{pointer}/{key}"), conversion);
                    fields.push((entry.key.clone(), value));
                }
                Config::Object(fields)
            }
            NodeValue::Null | NodeValue::Boolean(_) | NodeValue::Number(_) => Config::Plain(node.to_json()),
        }
    }

    fn check_schema(
        &mut self,
        config: Option<&Node>,
        stage: &Node,
        stage_type: &StageType,
        unevaluated: &BTreeSet<String>,
    ) {
        let value = config.map_or_else(|| Value::Object(serde_json::Map::new()), Node::to_json);
        let node = config.unwrap_or(stage);
        match jsonschema::validator_for(&stage_type.config) {
            Ok(validator) => {
                self.faults.extend(schema_faults(&validator, &stage_type.config, &value, node, unevaluated))
            }
            Err(error) => {
                let message =
                    format!("the plugin's schema of stage type '{}' can't be used: {error}", stage_type.name);
                self.fault_at(node.location, message, Some("tell the plugin's author".to_owned()));
            }
        }
    }

    /// What the plugin itself says of a config that fits its schema.
    fn ask_plugin(&mut self, position: usize, stage_type: &StageType) {
        let stage = &self.raw.stages[position];
        let value = stage.config.map_or_else(|| Value::Object(serde_json::Map::new()), Node::to_json);
        let node = stage.config.unwrap_or(stage.node);
        let launcher = stage.launcher.as_ref().map(|launcher| launcher.text);
        for fault in self.surroundings.config_faults(&stage_type.name, launcher, &value) {
            self.fault_at(node.at(&fault.pointer).location, fault.message, fault.hint);
        }
    }

    /// What only stages of type `agent` have: a prompt template, and perhaps a schema of the answer.
    fn agent_config(&mut self, config: &Config, node: &Node, position: usize) {
        let template = config.field("prompt_template").and_then(Config::as_template);
        if let (Some(template), Some(text)) = (template, text_of(node, "prompt_template")) {
            self.prompt_templates(template, text.node, position);
        }
        let schema = config.field("result_schema").and_then(Config::as_template).and_then(Template::literal);
        if let (Some(name), Some(text)) = (schema, text_of(node, "result_schema")) {
            self.schema(name, text.node.location);
        }
    }
}

/// What converting a config needs to know and finds out.
struct Conversion<'a> {
    reach: &'a Reach<'a>,
    references: &'a BTreeSet<String>,
    /// JSON Pointers of the texts whose value is not known before a run.
    unevaluated: &'a mut BTreeSet<String>,
}

fn is_value(config: Option<&Config>) -> bool {
    config.and_then(Config::as_template).is_some_and(Template::is_value)
}

fn text_of<'a>(node: &'a Node, field: &str) -> Option<Text<'a>> {
    let node = &node.entry(field)?.value;
    match &node.value {
        NodeValue::Text(text) => Some(Text { text, node }),
        _ => None,
    }
}
