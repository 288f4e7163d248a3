//! What a JSON Schema says about a config, in words that fit a definition: located, with suggestions, and silent
//! about texts whose value is not known before a run.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::{Fault, Node};
use crate::definition::suggest;

/// Every fault that `validator` (made from `schema`) finds in `value`, which was read from `node`. Texts at
/// `unevaluated` pointers contain expressions: their type and content can't be judged.
pub(in crate::definition) fn schema_faults(
    validator: &jsonschema::Validator,
    schema: &Value,
    value: &Value,
    node: &Node,
    unevaluated: &BTreeSet<String>,
) -> Vec<Fault> {
    let context = Context { schema, node, unevaluated };
    let mut faults = Vec::new();
    for error in validator.iter_errors(value) {
        context.explain(&error, &mut faults);
    }
    faults
}

struct Context<'a> {
    schema: &'a Value,
    node: &'a Node,
    unevaluated: &'a BTreeSet<String>,
}

impl Context<'_> {
    fn explain(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let pointer = error.instance_path().to_string();
        if self.unevaluated.contains(&pointer) {
            return;
        }
        let node = self.node.at(&pointer);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                faults.extend(unexpected.iter().map(|key| self.unknown_key(error, node, key)));
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.explain_choice(node, &pointer, context, faults)
            }
            // A misspelled key is reported as unknown, with the right spelling.
            Kind::Required { property } if self.is_misspelled(error, node, property) => {}
            // Which of several alternatives fits may depend on texts that are not known yet.
            Kind::OneOfMultipleValid { .. } if self.has_unevaluated(&pointer) => {}
            _ => {
                let fault = explain_one(error, node, &pointer);
                let about = fault.hint.is_none().then(|| self.description(error)).flatten();
                faults.push(fault.maybe_hint(about));
            }
        }
    }

    fn unknown_key(&self, error: &ValidationError<'_>, node: &Node, key: &str) -> Fault {
        let location = node.entry(key).map_or(node.location, |entry| entry.location);
        let known = self.properties_beside(error);
        let hint = match suggest::closest(key, known.iter().map(String::as_str)) {
            Some(name) => Some(format!("did you mean '{name}'?")),
            None if known.is_empty() => None,
            None => Some(format!("there may be: {}", known.join(", "))),
        };
        Fault::at(location, format!("unknown key '{key}' in config")).maybe_hint(hint)
    }

    fn is_misspelled(&self, error: &ValidationError<'_>, node: &Node, property: &Value) -> bool {
        let (Some(property), crate::definition::node::NodeValue::Map(entries)) =
            (property.as_str(), &node.value)
        else {
            return false;
        };
        let known = self.properties_beside(error);
        let unknown = entries.iter().filter(|entry| !known.contains(&entry.key));
        unknown.into_iter().any(|entry| suggest::closest(&entry.key, [property]).is_some())
            && self.refuses_unknown(error)
    }

    /// Whether the schema beside the keyword that failed allows no keys but its own.
    fn refuses_unknown(&self, error: &ValidationError<'_>) -> bool {
        self.beside(error)
            .is_some_and(|schema| schema.get("additionalProperties") == Some(&Value::Bool(false)))
    }

    /// The schema that has the keyword that failed.
    fn beside(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let path = error.schema_path().to_string();
        self.schema.pointer(path.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    /// What the schema says about a value whose content is wrong; of one whose type is wrong enough is said.
    fn description(&self, error: &ValidationError<'_>) -> Option<String> {
        match error.kind() {
            Kind::Pattern { .. } | Kind::Minimum { .. } | Kind::Maximum { .. } => {
                self.beside(error)?.get("description")?.as_str().map(str::to_owned)
            }
            _ => None,
        }
    }

    /// The properties that the schema has beside the keyword that failed.
    fn properties_beside(&self, error: &ValidationError<'_>) -> Vec<String> {
        let fields = self.beside(error).and_then(|schema| schema.get("properties")?.as_object());
        fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }

    fn has_unevaluated(&self, pointer: &str) -> bool {
        let inside = format!("{pointer}/");
        self.unevaluated.iter().any(|other| other == pointer || other.starts_with(&inside))
    }

    /// No alternative fits: report the one that comes closest, unless it fits but for what is not known yet.
    fn explain_choice(
        &self,
        node: &Node,
        pointer: &str,
        branches: &[Vec<ValidationError<'static>>],
        faults: &mut Vec<Fault>,
    ) {
        let mut explained: Vec<Vec<Fault>> = branches
            .iter()
            .map(|errors| {
                let mut faults = Vec::new();
                errors.iter().for_each(|error| self.explain(error, &mut faults));
                faults
            })
            .collect();
        // An alternative of another type than what is there is never the one that was meant.
        let about_itself = |faults: &Vec<Fault>| {
            faults
                .iter()
                .filter(|fault| fault.message.contains(" must be ") && fault.location == Some(node.location))
                .count()
        };
        explained.sort_by_key(|faults| (faults.len() + about_itself(faults), faults.len()));
        let mut types: Vec<&str> =
            branches.iter().flatten().filter_map(|error| type_name(error, pointer)).collect();
        let about_types = types.len() == branches.len();
        types.dedup();
        match explained.into_iter().next() {
            Some(best) if best.is_empty() => {}
            Some(_) if about_types => {
                let message =
                    format!("{} must be {} but is {}", named(pointer), types.join(" or "), node.kind());
                faults.push(Fault::at(node.location, message));
            }
            Some(best) => faults.extend(best),
            None => faults.push(Fault::at(node.location, format!("{} fits no alternative", named(pointer)))),
        }
    }
}

fn explain_one(error: &ValidationError<'_>, node: &Node, pointer: &str) -> Fault {
    let name = named(pointer);
    match error.kind() {
        Kind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            Fault::at(node.location, format!("'{key}' is missing in {name}")).hint(format!("add `{key}:`"))
        }
        Kind::Type { kind } => {
            Fault::at(node.location, format!("{name} must be {} but is {}", types(kind), node.kind()))
        }
        Kind::Enum { options } => {
            let known: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let given = error.instance().as_str().unwrap_or_default();
            let message = format!("{name} must be one of {}", known.join(", "));
            let hint = suggest::closest(given, known.iter().copied())
                .map(|known| format!("did you mean '{known}'?"));
            Fault::at(node.location, message).maybe_hint(hint)
        }
        Kind::MinItems { limit: 1 } => Fault::at(node.location, format!("{name} is empty")),
        Kind::MinItems { limit } => Fault::at(node.location, format!("{name} needs at least {limit} items")),
        Kind::MinLength { .. } => Fault::at(node.location, format!("{name} is too short")),
        _ => Fault::at(node.location, format!("{name} does not fit: {}", error.masked())),
    }
}

fn type_name(error: &ValidationError<'_>, pointer: &str) -> Option<&'static str> {
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(kind) } if error.instance_path().to_string() == pointer => {
            Some(in_words(&kind.to_string()))
        }
        _ => None,
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => in_words(&kind.to_string()).to_owned(),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| in_words(&kind.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn in_words(json_type: &str) -> &'static str {
    match json_type {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map",
        _ => "empty",
    }
}

/// What a pointer points at, in words: `'updates.0.field' in config`.
fn named(pointer: &str) -> String {
    match pointer.strip_prefix('/') {
        None => "config".to_owned(),
        Some(path) => format!("'{}' in config", path.replace('/', ".").replace("~1", "/").replace("~0", "~")),
    }
}
