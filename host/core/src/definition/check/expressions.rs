//! Whether the names in expressions are known, as far as that can be told before a run.

use serde_json::Value;

use super::stage_names::segment_pattern;
use super::{Checker, Node};
use crate::definition::expression::{Piece, RESERVED, Reference, Segment, file_of};
use crate::definition::{Expression, ExpressionError, InputKind, Template, suggest};

/// Which stages an expression may refer to, and whether to the item of a matrix.
pub(super) enum Reach<'a> {
    /// All stages: it is evaluated when every one is over.
    All,
    /// Those that are over before the stage at this position, and the item when that stage has a matrix.
    Stage(&'a [bool], usize),
    /// Those that are over before the stage at this position, whose matrix it gives values to.
    Axes(&'a [bool], usize),
}

impl Reach<'_> {
    pub(super) fn includes(&self, stage: usize) -> bool {
        match self {
            Self::All => true,
            Self::Stage(before, _) | Self::Axes(before, _) => before.get(stage).copied().unwrap_or(false),
        }
    }
}

impl Checker<'_> {
    pub(super) fn check_template(&mut self, template: &Template, node: &Node, reach: &Reach<'_>) {
        for expression in template.expressions() {
            self.check_expression(expression, node, reach);
        }
    }

    pub(super) fn check_expression(&mut self, expression: &Expression, node: &Node, reach: &Reach<'_>) {
        for reference in expression.references() {
            if let Err(error) = self.check_reference(reference, reach) {
                // A name inside a longer expression is pointed at itself, where it can be found.
                let name = node.find(self.source, &reference.to_string());
                let location = name.unwrap_or_else(|| node.place_of(self.source, expression.source()));
                self.expression_fault(location, error);
            }
        }
    }

    fn check_reference(&self, reference: &Reference, reach: &Reach<'_>) -> Result<(), ExpressionError> {
        let Some(Segment::Name(root)) = reference.segments.first() else { return Ok(()) };
        let rest = &reference.segments[1..];
        match root.as_str() {
            "inputs" => self.check_input(rest),
            "stages" => self.check_stage(rest, reach),
            "matrix" => self.check_matrix_name(rest, reach),
            "workflow_id" | "date" | "workflow" if rest.is_empty() => Ok(()),
            _ if rest.is_empty() => self.check_bare(root, reach),
            _ => self.check_dotted(root, reference, reach),
        }
    }

    fn check_input(&self, rest: &[Segment]) -> Result<(), ExpressionError> {
        match rest.first() {
            Some(Segment::Name(name)) if !self.raw.inputs.iter().any(|input| input.name == *name) => {
                Err(ExpressionError::new(format!("there is no input '{name}'"))
                    .maybe_hint(suggest::hint(name, self.raw.inputs.iter().map(|input| input.name.as_str()))))
            }
            _ => Ok(()),
        }
    }

    fn check_stage(&self, rest: &[Segment], reach: &Reach<'_>) -> Result<(), ExpressionError> {
        let Some(name) = rest.first() else { return Ok(()) };
        let pattern = segment_pattern(name);
        let unknown_input = pattern.iter().find_map(|piece| match piece {
            Piece::Input(name) => self.check_input(&[Segment::Name(name.clone())]).err(),
            Piece::Text(_) => None,
        });
        if let Some(error) = unknown_input {
            return Err(error);
        }
        let shown = name.to_string();
        let Some(stage) = self.find_stage(&pattern) else {
            return Err(ExpressionError::new(format!("there is no stage '{shown}'"))
                .maybe_hint(self.stage_hint(&shown)));
        };
        self.check_reach(stage, &shown, reach)?;
        match &rest[1..] {
            [] => Ok(()),
            [Segment::Name(field)] if field == "status" || field == "outputs" => Ok(()),
            [Segment::Name(field), output, inner @ ..] if field == "outputs" => match output {
                Segment::Name(output) => self.check_output(stage, output, inner),
                Segment::Pattern(_) => Ok(()),
            },
            [field, ..] => Err(ExpressionError::new(format!("a stage has no '{field}'"))
                .hint(format!("write stages.{shown}.outputs.<output> or stages.{shown}.status"))),
        }
    }

    /// Whether a stage is over when the expression is evaluated.
    pub(super) fn check_reach(
        &self,
        stage: usize,
        shown: &str,
        reach: &Reach<'_>,
    ) -> Result<(), ExpressionError> {
        match reach {
            _ if reach.includes(stage) => Ok(()),
            Reach::Stage(_, own) | Reach::Axes(_, own) if *own == stage => {
                Err(ExpressionError::new(format!("stage '{shown}' can't use its own outputs")))
            }
            _ => Err(ExpressionError::new(format!("stage '{shown}' is not sure to be over before this one"))
                .hint(format!("add '{shown}' to depends_on"))),
        }
    }

    /// Whether a stage has an output, and the output the fields behind it.
    pub(super) fn check_output(
        &self,
        stage: usize,
        output: &str,
        inner: &[Segment],
    ) -> Result<(), ExpressionError> {
        let schema = self.output_schema(stage, output)?;
        if let Some(first) = inner.first().filter(|_| self.raw.stages[stage].matrix.is_some()) {
            let shown = self.raw.stages[stage].name.map_or("", |name| name.text);
            let fields: Vec<String> = inner.iter().map(ToString::to_string).collect();
            let fields = fields.join(".");
            return Err(ExpressionError::new(format!(
                "'{output}' of stage '{shown}' has no '{first}': it is a list, with one value for each item of the matrix"
            ))
            .hint(format!("write ${{{{ stages.{shown}.outputs.{output}.map(r, r.{fields}) }}}}")));
        }
        let Some(mut schema) = schema else { return Ok(()) };
        let mut at = output.to_owned();
        for segment in inner {
            let (Segment::Name(name), Some(Value::Object(fields))) = (segment, schema.get("properties"))
            else {
                return Ok(());
            };
            match fields.get(name) {
                Some(next) => schema = next,
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    return Err(ExpressionError::new(format!("'{at}' has no field '{name}'"))
                        .maybe_hint(suggest::hint(name, fields.keys().map(String::as_str))));
                }
                None => return Ok(()),
            }
            at = format!("{at}.{name}");
        }
        Ok(())
    }

    /// A name without a dot.
    fn check_bare(&self, name: &str, reach: &Reach<'_>) -> Result<(), ExpressionError> {
        let inputs = &self.raw.inputs;
        if inputs.iter().any(|input| input.name == name) || file_of(name, inputs).is_some() {
            return Ok(());
        }
        let lists = self.agent_lists(reach);
        let list = name.strip_suffix("_count");
        if list.is_some_and(|list| lists.iter().any(|known| known == list)) {
            return Ok(());
        }
        let own = RESERVED[2..].iter().filter(|name| **name != "matrix");
        let mut known: Vec<String> = own.map(ToString::to_string).collect();
        known.extend(inputs.iter().map(|input| input.name.clone()));
        known.extend(
            inputs
                .iter()
                .filter(|input| input.kind == InputKind::File)
                .filter_map(|input| Some(format!("{}_name", input.name.strip_suffix("_path")?))),
        );
        known.extend(lists.iter().map(|list| format!("{list}_count")));
        let error = ExpressionError::new(format!("'{name}' is not defined"));
        Err(match list {
            Some(list) if lists.is_empty() => error.hint(format!(
                "for the length of a list give an agent stage before this one an output with a schema that has the list '{list}'"
            )),
            _ => error.maybe_hint(suggest::hint(name, known.iter().map(String::as_str))),
        })
    }

    /// A name with dots that does not begin with `inputs` or `stages`: fields of an input, or a mistake.
    fn check_dotted(
        &self,
        root: &str,
        reference: &Reference,
        reach: &Reach<'_>,
    ) -> Result<(), ExpressionError> {
        let stage = self.find_stage(&vec![Piece::Text(root.to_owned())]);
        match (self.check_bare(root, reach), stage) {
            (Ok(()), _) => Ok(()),
            (Err(error), None) => Err(error),
            (Err(error), Some(_)) => {
                let fields: Vec<String> = reference.segments[1..].iter().map(ToString::to_string).collect();
                Err(error.hint(format!("write ${{{{ stages.{root}.outputs.{} }}}}", fields.join("."))))
            }
        }
    }

    /// The lists that results of agent stages within reach have, as their schemas tell.
    fn agent_lists(&self, reach: &Reach<'_>) -> Vec<String> {
        let agents =
            (0..self.raw.stages.len()).filter(|stage| self.is_agent(*stage) && reach.includes(*stage));
        let schemas = agents.flat_map(|stage| {
            self.raw.stages[stage].outputs.iter().filter_map(|output| self.schemas.get(output.schema?.text))
        });
        let mut lists: Vec<String> = schemas
            .filter_map(|schema| schema.get("properties")?.as_object())
            .flatten()
            .filter(|(_, field)| {
                field.get("type").is_some_and(|kind| kind == "array") || field.get("items").is_some()
            })
            .map(|(name, _)| name.clone())
            .collect();
        lists.sort_unstable();
        lists.dedup();
        lists
    }
}
