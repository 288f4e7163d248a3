//! Evaluating an expression that is more than a name, with CEL.

use std::collections::{BTreeMap, HashMap};

use cel::ExecutionError;
use cel::objects::Key;
use serde_json::{Map, Value};

use super::{ExpressionError, Reference, Scope, Segment, kind, order, path};
use crate::definition::fault::visible;
use crate::definition::suggest;

/// The value of a tree. Only the values its names stand for are handed to CEL.
pub(super) fn evaluate(
    tree: &cel::IdedExpr,
    references: &[Reference],
    scope: &Scope<'_>,
) -> Result<Value, ExpressionError> {
    let mut context = cel::Context::default();
    order::add_to(&mut context);
    for reference in references {
        demand(reference, scope)?;
        let Some(Segment::Name(root)) = reference.segments.first() else { continue };
        if context.get_variable(root.as_str()).is_none() {
            let value = match named_stages(references, scope)? {
                Some(names) if root == "stages" => scope.some_stages(&names)?,
                _ => scope.root(&[root.as_str()])?.0,
            };
            context.add_variable_from_value(root.as_str(), to_cel(&value));
        }
    }
    let value = context.resolve(tree).map_err(|error| explain(&error, references, scope))?;
    from_cel(&value)
}

/// The stages that an expression names, when it names each of them: it needs no others. `None` when it looks at
/// `stages` as a whole.
fn named_stages(references: &[Reference], scope: &Scope<'_>) -> Result<Option<Vec<String>>, ExpressionError> {
    let mut names = Vec::new();
    for reference in references {
        let parts = path::texts(reference, scope)?;
        match parts.as_slice() {
            [root] if root == "stages" => return Ok(None),
            [root, name, ..] if root == "stages" && !names.contains(name) => names.push(name.clone()),
            _ => {}
        }
    }
    Ok(Some(names))
}

/// Checks that the beginning of a name is defined. What lies behind a stage's `outputs` is left to the evaluation,
/// which may not get there: `cond ? stages.a.outputs.x : ''`.
fn demand(reference: &Reference, scope: &Scope<'_>) -> Result<(), ExpressionError> {
    let names = path::texts(reference, scope)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let shown = match names.as_slice() {
        ["stages", _, "outputs", ..] => &names[..3],
        ["stages", _, "status", ..] | ["inputs", ..] => &names[..names.len().min(2)],
        other => other,
    };
    scope.root(shown).map(|_| ())
}

/// JSON as CEL. Whole numbers become CEL's `int` whenever they fit, so that they can be mixed with literals.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, Some(large)) => cel::Value::UInt(large),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(items) => cel::Value::from(items.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let fields: HashMap<Key, cel::Value> =
                fields.iter().map(|(name, value)| (Key::from(name.as_str()), to_cel(value))).collect();
            cel::Value::from(fields)
        }
    }
}

/// CEL's value as JSON. CEL forgets the order of keys, so they come out in alphabetical order: the same expression
/// must give the same text each time.
fn from_cel(value: &cel::Value) -> Result<Value, ExpressionError> {
    Ok(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(value) => Value::Bool(*value),
        cel::Value::Int(number) => Value::from(*number),
        cel::Value::UInt(number) => Value::from(*number),
        cel::Value::Float(number) => serde_json::Number::from_f64(*number)
            .map(Value::Number)
            .ok_or_else(|| ExpressionError::new("the result is not a finite number"))?,
        cel::Value::String(text) => Value::from(text.as_str()),
        cel::Value::List(items) => Value::Array(items.iter().map(from_cel).collect::<Result<_, _>>()?),
        cel::Value::Map(map) => {
            let mut pairs: Vec<(String, &cel::Value)> =
                map.map.iter().map(|(key, value)| (key.to_string(), value)).collect();
            pairs.sort_by(|one, other| one.0.cmp(&other.0));
            let fields = pairs.into_iter().map(|(key, value)| Ok((key, from_cel(value)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, ExpressionError>>()?)
        }
        other => {
            return Err(ExpressionError::new(format!(
                "the result is a {}, which is no value",
                other.type_of()
            )));
        }
    })
}

/// A value inside a longer text.
///
/// # Errors
/// For a list, an object or null, which have no plain text.
pub(in super::super) fn to_text(value: &Value) -> Result<String, ExpressionError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(ExpressionError::new(format!("{} can't be put into a text", kind(other)))),
    }
}

fn explain(error: &ExecutionError, references: &[Reference], scope: &Scope<'_>) -> ExpressionError {
    match error {
        ExecutionError::NoSuchKey(key) => {
            let stage = references.iter().filter_map(|reference| {
                let names = path::texts(reference, scope).ok()?;
                let name = names.get(1).filter(|_| names[0] == "stages")?;
                Some(scope.stages.outputs(name))
            });
            let known: Vec<String> = stage.flat_map(BTreeMap::into_keys).collect();
            ExpressionError::new(format!("there is no '{}'", visible(key))).maybe_hint(
                suggest::closest(key, known.iter().map(String::as_str))
                    .map(|name| format!("did you mean '{name}'?")),
            )
        }
        ExecutionError::UndeclaredReference(name) => {
            let names = scope.names();
            ExpressionError::new(format!("'{}' is not defined", visible(name)))
                .maybe_hint(suggest::hint(name, names.iter().map(String::as_str)))
        }
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => {
            let (left, right) = (left.type_of(), right.type_of());
            ExpressionError::new(format!("the operator '{name}' does not go with {left} and {right}"))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            let (left, right) = (left.type_of(), right.type_of());
            ExpressionError::new(format!("{left} can't be compared with {right}"))
        }
        ExecutionError::UnsupportedIndex(index, value) => {
            let (index, value) = (index.type_of(), value.type_of());
            ExpressionError::new(format!("{index} is no index of {value}"))
        }
        ExecutionError::NotSupportedAsMethod { method, target } => {
            let target = target.type_of();
            ExpressionError::new(format!("{target} has no method '{}'", visible(method)))
        }
        ExecutionError::UnsupportedTargetType { target: value }
        | ExecutionError::UnsupportedKeyType(value) => {
            ExpressionError::new(format!("{} can't be used here", value.type_of()))
        }
        // CEL's own words contain the values at hand, which may be long and come from anywhere.
        other => {
            let text: String = visible(&other.to_string()).chars().take(200).collect();
            ExpressionError::new(text)
        }
    }
}
