//! Outputs: where they are kept, which schemas they fit, and references to them.

use serde_json::Value;

use super::expressions::Reach;
use super::stage_names::stage_pattern;
use super::{Checker, Location, RawStage, Text};
use crate::definition::expression::Piece;
use crate::definition::output_path::in_run_folder;
use crate::definition::{ExpressionError, OutputReference, OutputSpec, Template, suggest};

impl Checker<'_> {
    /// Looks up the schemas that a stage's outputs name.
    pub(super) fn collect_schemas(&mut self, stage: &RawStage<'_>) {
        for output in &stage.outputs {
            if let Some(schema) = output.schema {
                self.schema(schema.text, schema.node.location);
            }
        }
    }

    /// Looks up a schema, by its name with or without `.schema.json`, and sees whether it can be used.
    pub(super) fn schema(&mut self, name: &str, at: Location) {
        if self.schemas.contains_key(name) {
            return;
        }
        let found = self
            .surroundings
            .schema(name)
            .or_else(|| self.surroundings.schema(&format!("{name}.schema.json")));
        let problem = match found {
            None => {
                let known = self.surroundings.schema_names();
                let hint = suggest::hint(name, known.iter().map(String::as_str));
                self.fault_at(at, format!("there is no schema '{name}'"), hint);
                return;
            }
            Some(Err(problem)) => problem,
            Some(Ok(schema)) => match jsonschema::validator_for(&schema) {
                Ok(_) => {
                    self.schemas.insert(name.to_owned(), schema);
                    return;
                }
                Err(error) => error.to_string(),
            },
        };
        self.fault_at(at, format!("the schema '{name}' can't be used: {problem}"), None);
    }

    pub(super) fn outputs(&mut self, position: usize) -> Vec<OutputSpec> {
        let raw = self.raw;
        let mut outputs = Vec::new();
        for output in &raw.stages[position].outputs {
            let path = output.path.and_then(|text| self.output_path(text, position));
            outputs.push(OutputSpec {
                name: output.name.key.clone(),
                path,
                schema: output.schema.map(|text| text.text.to_owned()),
            });
        }
        outputs
    }

    fn output_path(&mut self, text: Text<'_>, position: usize) -> Option<Template> {
        let template = self.template(text)?;
        let before = self.stages[position].before.clone();
        let reach = Reach::Stage(&before, position);
        self.check_template(&template, text.node, &reach);
        self.check_braces(&template, text.node, &reach);
        self.check_item_path(&template, text, position);
        let path = match in_run_folder(&template) {
            Ok(path) => path,
            Err(error) => {
                self.expression_fault(text.node.location, error);
                return None;
            }
        };
        let taken = self.raw.stages.iter().flat_map(|stage| &stage.outputs).filter_map(|output| output.path);
        let first = taken.filter(|other| other.text == text.text).map(|other| other.node.location).min();
        if let Some(first) = first.filter(|first| *first < text.node.location) {
            let message = format!("the path '{}' is another output's, too (line {})", text.text, first.line);
            self.fault_at(
                text.node.location,
                message,
                Some("keep each output in a file of its own".to_owned()),
            );
        }
        Some(path)
    }

    /// Resolves `stage.output`.
    pub(super) fn output_reference(&mut self, text: Text<'_>, reach: &Reach<'_>) -> Option<OutputReference> {
        let result = Template::parse(text.text).and_then(|template| self.resolve_output(&template, reach));
        match result {
            Ok(reference) => Some(reference),
            Err(error) => {
                self.expression_fault(text.node.location, error);
                None
            }
        }
    }

    fn resolve_output(
        &self,
        template: &Template,
        reach: &Reach<'_>,
    ) -> Result<OutputReference, ExpressionError> {
        let source = template.source();
        let wrong = || {
            ExpressionError::new(format!("'{source}' is no reference to an output"))
                .hint("write it as <stage>.<output>, such as gather-context.context_package")
        };
        let (stage, output) = source.rsplit_once('.').ok_or_else(wrong)?;
        let pattern = stage_pattern(&Template::parse(stage)?, &self.raw.inputs)?;
        if pattern.is_empty()
            || pattern.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('.')))
        {
            return Err(wrong());
        }
        let Some(position) = self.find_stage(&pattern) else {
            return Err(ExpressionError::new(format!("there is no stage '{stage}'"))
                .maybe_hint(self.stage_hint(stage)));
        };
        self.check_reach(position, stage, reach)?;
        self.check_output(position, output, &[])?;
        Ok(OutputReference { stage: position, output: output.to_owned() })
    }

    /// The schema of an output, if the stage has it and it has one.
    ///
    /// # Errors
    /// When the stage has no such output.
    pub(super) fn output_schema(
        &self,
        stage: usize,
        output: &str,
    ) -> Result<Option<&Value>, ExpressionError> {
        let raw = &self.raw.stages[stage];
        let Some(known) = self.stage_type(stage) else { return Ok(None) };
        let declared = |name: &str| raw.outputs.iter().find(|declared| declared.name.key == name);
        if let Some(declared) = declared(output) {
            return Ok(declared.schema.and_then(|schema| self.schemas.get(schema.text)));
        }
        // The only declared output is the whole result, so its schema describes the result, too.
        let own = match raw.outputs.as_slice() {
            [only] => only.schema.and_then(|schema| self.schemas.get(schema.text)),
            _ => None,
        };
        if output == "result" {
            return Ok(own.or(Some(&known.result)));
        }
        let fields = || {
            own.into_iter().chain([&known.result]).filter_map(|schema| schema.get("properties")?.as_object())
        };
        if let Some(field) = fields().find_map(|fields| fields.get(output)) {
            return Ok(Some(field));
        }
        let names = raw.outputs.iter().map(|declared| declared.name.key.as_str());
        let names = names.chain(["result"]).chain(fields().flatten().map(|(name, _)| name.as_str()));
        let shown = raw.name.map_or("", |text| text.text);
        Err(ExpressionError::new(format!("stage '{shown}' has no output '{output}'"))
            .maybe_hint(suggest::hint(output, names)))
    }
}
