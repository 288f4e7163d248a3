//! A stage's matrix: what its axes come to, and who may say `matrix`.

use serde_json::Value;

use super::expressions::Reach;
use super::{Checker, Node, NodeValue, RawAxis, RawMatrix, Text};
use crate::definition::expression::{Reference, Segment};
use crate::definition::template::Part;
use crate::definition::{Axis, Config, Expression, ExpressionError, InputKind, Matrix, Template, suggest};

impl Checker<'_> {
    /// Reads and checks the axes of a stage's matrix, if it has one.
    pub(super) fn matrix(&mut self, position: usize) -> Option<Matrix> {
        let raw = self.raw;
        let matrix = raw.stages[position].matrix.as_ref()?;
        let before = self.stages[position].before.clone();
        let reach = Reach::Axes(&before, position);
        let axes = matrix.axes.iter().map(|axis| self.axis(axis, &reach)).collect();
        Some(Matrix { axes })
    }

    fn axis(&mut self, axis: &RawAxis<'_>, reach: &Reach<'_>) -> Axis {
        let found = self.faults.len();
        let values = self.values(axis.values, reach);
        if let (NodeValue::Text(text), Config::Text(template)) = (&axis.values.value, &values)
            && self.faults.len() == found
        {
            let problem = match template.expressions().next() {
                Some(expression) if template.is_value() => self.why_no_list(expression),
                _ => Some("a text".to_owned()),
            };
            if let Some(problem) = problem {
                let message = format!("'{}' in 'matrix' must be a list but is {problem}", axis.name);
                let hint = format!(
                    "write `{}: [one, two]`, or one ${{{{ expression }}}} that comes to a list",
                    axis.name
                );
                self.fault_at(axis.values.place_of(self.source, text), message, Some(hint));
            }
        }
        Axis { name: axis.name.to_owned(), values }
    }

    /// What an expression surely comes to, when that is no list.
    fn why_no_list(&self, expression: &Expression) -> Option<String> {
        let name = expression.path()?;
        let inputs = &self.raw.inputs;
        let input = |name: &str| inputs.iter().find(|input| input.name == name);
        match name.segments.as_slice() {
            [Segment::Name(name)] => input(name),
            [Segment::Name(root), Segment::Name(name)] if root == "inputs" => input(name),
            _ => return self.schema_of(name).and_then(|schema| why_no_array(&schema)),
        }
        .filter(|input| input.kind != InputKind::List)
        .map(|input| format!("the input '{}' of type {}", input.name, input.kind.name()))
    }

    /// The schema of what `stages.<stage>.outputs.<output>…` comes to, if it is known.
    fn schema_of(&self, name: &Reference) -> Option<Value> {
        let [Segment::Name(root), stage, Segment::Name(outputs), Segment::Name(output), inner @ ..] =
            name.segments.as_slice()
        else {
            return None;
        };
        let position = self.find_stage(&super::stage_names::segment_pattern(stage))?;
        if root != "stages" || outputs != "outputs" || self.raw.stages[position].matrix.is_some() {
            return None;
        }
        let mut schema = self.output_schema(position, output).ok()??;
        for segment in inner {
            let Segment::Name(field) = segment else { return None };
            schema = schema.get("properties")?.get(field)?;
        }
        Some(schema.clone())
    }

    /// Whether `matrix` with these parts behind it is known.
    pub(super) fn check_matrix_name(
        &self,
        rest: &[Segment],
        reach: &Reach<'_>,
    ) -> Result<(), ExpressionError> {
        let stage = match reach {
            Reach::All => {
                return Err(ExpressionError::new("'matrix' is not known here")
                    .hint("only in a stage that has a matrix, which is run for one item at a time"));
            }
            Reach::Axes(..) => {
                return Err(ExpressionError::new("the values of a matrix can't use 'matrix' themselves"));
            }
            Reach::Stage(_, position) => &self.raw.stages[*position],
        };
        let Some(matrix) = &stage.matrix else {
            return Err(ExpressionError::new("'matrix' is not known here: the stage has none")
                .hint("give it one, such as `matrix: {perspective: [architecture, security]}`"));
        };
        let Some(Segment::Name(name)) = rest.first() else { return Ok(()) };
        match matrix.axes.iter().find(|axis| axis.name == name) {
            Some(axis) => check_field(axis, &rest[1..]),
            None if matrix.is_broken => Ok(()),
            None => Err(ExpressionError::new(format!("the matrix has no '{name}'"))
                .maybe_hint(suggest::hint(name, matrix.axes.iter().map(|axis| axis.name)))),
        }
    }

    /// Finds `{matrix.x}`, which looks like the older spelling of an expression and is plain text.
    pub(super) fn check_braces(&mut self, template: &Template, node: &Node, reach: &Reach<'_>) {
        let Reach::Stage(_, position) = reach else { return };
        let Some(matrix) = &self.raw.stages[*position].matrix else { return };
        for part in template.parts() {
            let Part::Literal(text) = part else { continue };
            let Some(piece) = braced(text, matrix) else { continue };
            let inner = piece.trim_matches(['{', '}']);
            let message = format!("'{piece}' is plain text: this spelling takes no names with dots");
            let hint = format!("write ${{{inner}}}; for the characters themselves ${{{{ '{piece}' }}}}");
            self.fault_at(node.place_of(self.source, piece), message, Some(hint));
        }
    }

    /// Whether an output's path that uses the matrix tells all items apart.
    pub(super) fn check_item_path(&mut self, path: &Template, text: Text<'_>, position: usize) {
        let Some(matrix) = &self.raw.stages[position].matrix else { return };
        let used: Vec<&[Segment]> = path
            .expressions()
            .flat_map(Expression::references)
            .map(|reference| reference.segments.as_slice())
            .filter(|segments| is_name_of(segments, 0, "matrix"))
            .collect();
        // Without any it is the path of the list of all items; with `matrix` alone it is up to the expression.
        if used.is_empty() || used.iter().any(|segments| segments.len() == 1) {
            return;
        }
        let is_missing = |axis: &&RawAxis<'_>| {
            let is_single = axis.list().is_some_and(|values| values.len() <= 1);
            !is_single && !used.iter().any(|segments| is_name_of(segments, 1, axis.name))
        };
        if let Some(axis) = matrix.axes.iter().find(is_missing) {
            let message = format!("the path '{}' is the same for several items of the matrix", text.text);
            let hint = format!("use ${{matrix.{}}} in it, too", axis.name);
            self.fault_at(text.node.location, message, Some(hint));
        }
    }
}

fn is_name_of(segments: &[Segment], position: usize, name: &str) -> bool {
    matches!(segments.get(position), Some(Segment::Name(segment)) if segment == name)
}

/// What a schema says a value is, when that is surely no list.
fn why_no_array(schema: &Value) -> Option<String> {
    let kind = schema.get("type")?.as_str()?;
    (kind != "array").then(|| format!("of type '{kind}', as its schema says"))
}

/// Whether any value of an axis has the fields behind its name, when they are all known.
fn check_field(axis: &RawAxis<'_>, fields: &[Segment]) -> Result<(), ExpressionError> {
    let Some(values) = axis.list().filter(|values| !values.is_empty()) else { return Ok(()) };
    let mut values: Vec<&Node> = values.iter().collect();
    let mut at = format!("matrix.{}", axis.name);
    for field in fields {
        let Segment::Name(name) = field else { return Ok(()) };
        if values.iter().any(|value| has_expression(value)) {
            return Ok(());
        }
        let next: Vec<&Node> = values.iter().filter_map(|value| Some(&value.entry(name)?.value)).collect();
        if next.is_empty() {
            let known = values.iter().filter_map(|value| match &value.value {
                NodeValue::Map(entries) => Some(entries),
                _ => None,
            });
            let known = known.flatten().map(|entry| entry.key.as_str());
            return Err(ExpressionError::new(format!("no value of '{at}' has a field '{name}'"))
                .maybe_hint(suggest::hint(name, known)));
        }
        values = next;
        at = format!("{at}.{name}");
    }
    Ok(())
}

fn has_expression(node: &Node) -> bool {
    matches!(&node.value, NodeValue::Text(text)
        if Template::parse(text).map_or(true, |template| template.literal().is_none()))
}

/// `{matrix.<axis>…}` in a text, in single braces.
fn braced<'t>(text: &'t str, matrix: &RawMatrix<'_>) -> Option<&'t str> {
    text.match_indices("{matrix.").find_map(|(start, _)| {
        let end = start + text[start..].find('}')?;
        let inner = &text[start + 1..end];
        let axis = inner.split('.').nth(1)?;
        let is_single = !text[..start].ends_with('{') && !text[end + 1..].starts_with('}');
        (is_single && matrix.axes.iter().any(|known| known.name == axis)).then(|| &text[start..=end])
    })
}

/// What `matrix.<axis>…` comes to for each value of the axis, when all of them are given in the definition; with the
/// axis's name.
pub(super) fn literal_values<'m>(
    name: &[Segment],
    matrix: Option<&'m RawMatrix<'_>>,
) -> Option<(&'m str, Vec<Value>)> {
    let [Segment::Name(root), Segment::Name(axis), fields @ ..] = name else { return None };
    let axis = matrix?.axes.iter().find(|known| root == "matrix" && known.name == axis)?;
    let value = |node: &Node| {
        let mut node = node;
        for field in fields {
            let Segment::Name(field) = field else { return None };
            node = &node.entry(field)?.value;
        }
        (!has_expression(node)).then(|| node.to_json())
    };
    Some((axis.name, axis.list()?.iter().map(value).collect::<Option<_>>()?))
}
