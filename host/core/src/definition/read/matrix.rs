//! Reading `matrix` of a stage: the names of its axes and their values. What expressions in the values refer to is
//! for [`super::super::check`].

use super::super::expression::is_name;
use super::super::node::{Entry, Node, NodeValue};
use super::fields::{Fields, Reader};

/// Most axes of a matrix.
const MAX_AXES: usize = 8;
/// Most items that the values of a matrix may come to.
const MAX_ITEMS: usize = 5_000;

/// A matrix whose axes are named and have values, as far as there were no faults.
pub(in super::super) struct RawMatrix<'a> {
    pub axes: Vec<RawAxis<'a>>,
    /// Whether some of it could not be read, so that there may be more names than these.
    pub is_broken: bool,
}

/// An axis of a matrix.
pub(in super::super) struct RawAxis<'a> {
    pub name: &'a str,
    /// A list, or a text that should be an expression.
    pub values: &'a Node,
}

impl<'a> RawAxis<'a> {
    /// The values, when they are given as a list.
    pub(in super::super) fn list(&self) -> Option<&'a [Node]> {
        match &self.values.value {
            NodeValue::List(items) => Some(items),
            _ => None,
        }
    }
}

/// Reads `matrix`. None when the stage has none.
pub(super) fn read<'a>(reader: &mut Reader, fields: &Fields<'a>) -> Option<RawMatrix<'a>> {
    let entry = fields.get("matrix")?;
    let NodeValue::Map(entries) = &entry.value.value else {
        let hint = "name what varies: `matrix: {perspective: [architecture, security]}`".to_owned();
        let message = format!("'matrix' must be a map but is {}", entry.value.kind());
        reader.fault(entry.value.location, message, Some(hint));
        return Some(RawMatrix { axes: Vec::new(), is_broken: true });
    };
    if entries.is_empty() {
        let hint = "name what varies: `matrix: {perspective: [architecture, security]}`".to_owned();
        reader.fault(entry.location, "'matrix' is empty", Some(hint));
    } else if entries.len() > MAX_AXES {
        let message = format!("a matrix has at most {MAX_AXES} names, this one has {}", entries.len());
        reader.fault(entry.location, message, None);
    }
    let axes: Vec<RawAxis<'a>> = entries.iter().filter_map(|entry| axis(reader, entry)).collect();
    let counts = axes.iter().filter_map(RawAxis::list).map(<[Node]>::len);
    let items = counts.fold(1_usize, usize::saturating_mul);
    if items > MAX_ITEMS {
        let message = format!("the matrix comes to {items} items; at most {MAX_ITEMS} are possible");
        let hint = "divide the work between several stages, or give each item more of it".to_owned();
        reader.fault(entry.location, message, Some(hint));
    }
    let is_broken = entries.is_empty() || axes.len() < entries.len();
    Some(RawMatrix { axes, is_broken })
}

fn axis<'a>(reader: &mut Reader, entry: &'a Entry) -> Option<RawAxis<'a>> {
    if !is_name(&entry.key) {
        let message = format!("'{}' is no name in a matrix", entry.key);
        let hint =
            "use letters, digits and _, beginning with a letter: matrix.<name> is what expressions say";
        reader.fault(entry.location, message, Some(hint.to_owned()));
        return None;
    }
    if !matches!(entry.value.value, NodeValue::List(_) | NodeValue::Text(_)) {
        let message = format!("'{}' in 'matrix' must be a list but is {}", entry.key, entry.value.kind());
        let hint =
            format!("write `{}: [one, two]`, or one ${{{{ expression }}}} that comes to a list", entry.key);
        reader.fault(entry.value.location, message, Some(hint));
    }
    Some(RawAxis { name: &entry.key, values: &entry.value })
}
