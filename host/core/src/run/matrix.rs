//! What a stage with a matrix is run for: every combination of one value of each axis, with a label each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::task::{failed, mentions_matrix};
use super::{Failure, MatrixItem};
use crate::definition::{Axis, Matrix, Scope, Stage, Template, output_path};

/// Most items of a matrix.
const MAX_ITEMS: usize = 5_000;
/// Longest label that is made of values; longer ones would make folder names unwieldy.
const MAX_LABEL: usize = 60;

/// The items of a matrix, the last axis turning fastest.
///
/// # Errors
/// `matrix-invalid` when an axis does not come to a list or there are too many items, `expression-failed` when an
/// expression can't be evaluated.
pub(super) fn items(matrix: &Matrix, scope: &Scope<'_>) -> Result<Vec<MatrixItem>, Failure> {
    let mut combinations: Vec<Map<String, Value>> = vec![Map::new()];
    for axis in &matrix.axes {
        let values = values(axis, scope)?;
        if combinations.len().saturating_mul(values.len()) > MAX_ITEMS {
            return Err(Failure::new(
                "matrix-invalid",
                format!("the matrix has more than {MAX_ITEMS} items"),
            )
            .hint("divide the work between several stages, or give each item more of it"));
        }
        let with = |before: &Map<String, Value>, value: &Value| {
            let mut item = before.clone();
            item.insert(axis.name.clone(), value.clone());
            item
        };
        combinations = combinations
            .iter()
            .flat_map(|before| values.iter().map(move |value| with(before, value)))
            .collect();
    }
    let labels = labels(&combinations);
    Ok(labels.into_iter().zip(combinations).map(|(label, values)| MatrixItem { label, values }).collect())
}

/// Refuses items whose outputs could not be kept where the definition says, before any of them is run: a value that is
/// no part of a path, or two items with the same path. `scope` is that of the stage.
///
/// # Errors
/// `matrix-invalid`, naming the items.
pub(super) fn refuse_paths<'a>(
    stage: &Stage,
    items: &'a [MatrixItem],
    mut scope: Scope<'a>,
) -> Result<(), Failure> {
    let is_about_items = |path: &&Template| path.names().iter().any(|name| mentions_matrix(name));
    for (output, path) in stage.outputs.iter().filter_map(|output| Some((output, output.path.as_ref()?))) {
        if !is_about_items(&path) {
            continue;
        }
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        for item in items {
            scope.matrix = Some(&item.values);
            let invalid = |message: String| {
                let text = format!("output '{}' of item '{}' {message}", output.name, item.label);
                Failure::new("matrix-invalid", text)
                    .hint("name the file after values that can be part of a path and differ in each item")
            };
            let place = output_path(path, &scope)
                .map_err(|error| invalid(format!("can't be kept: {}", error.message)))?;
            // Some file systems don't tell upper from lower case.
            if let Some(other) = taken.insert(place.to_lowercase(), &item.label) {
                return Err(invalid(format!("would be kept where that of item '{other}' is: {place}")));
            }
        }
    }
    Ok(())
}

fn values(axis: &Axis, scope: &Scope<'_>) -> Result<Vec<Value>, Failure> {
    match axis.values.render(scope).map_err(|error| failed(&error))? {
        Value::Array(values) => Ok(values),
        other => {
            let kind = match other {
                Value::Null => "null",
                Value::Object(_) => "an object",
                _ => "a single value",
            };
            Err(Failure::new(
                "matrix-invalid",
                format!("'{}' of the matrix is {kind}, not a list", axis.name),
            )
            .hint("give it a list, or an expression that comes to one"))
        }
    }
}

/// The values as names where they can be names and tell the items apart, else numbers from 1.
fn labels(items: &[Map<String, Value>]) -> Vec<String> {
    let named: Option<Vec<String>> = items.iter().map(label).collect();
    let distinct = |labels: &Vec<String>| {
        let mut sorted: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
        sorted.sort_unstable();
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    named.filter(distinct).unwrap_or_else(|| (1..=items.len()).map(|number| number.to_string()).collect())
}

fn label(item: &Map<String, Value>) -> Option<String> {
    let texts: Option<Vec<String>> = item.values().map(word).collect();
    texts.map(|texts| texts.join(".")).filter(|label| label.len() <= MAX_LABEL)
}

fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return None,
    };
    let plain = |character: char| matches!(character, '-' | '_') || character.is_ascii_alphanumeric();
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labelled(items: Value) -> Vec<String> {
        let items: Vec<Map<String, Value>> = serde_json::from_value(items).expect("objects");
        labels(&items)
    }

    #[test]
    fn labels_are_values_where_they_tell_items_apart() {
        assert_eq!(labelled(json!([{"a": "x", "b": 1}, {"a": "x", "b": 2}])), ["x.1", "x.2"]);
        assert_eq!(labelled(json!([{"a": "docs/x.md"}, {"a": "y"}])), ["1", "2"]);
        assert_eq!(labelled(json!([{"a": "x"}, {"a": "X"}])), ["1", "2"]);
        assert_eq!(labelled(json!([{"a": {}}])), ["1"]);
        assert_eq!(labelled(json!([])), [""; 0]);
    }
}
