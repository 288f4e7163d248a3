//! Prompt templates: every one that a run could ask for exists and can be read.

use super::matrix::literal_values;
use super::stage_names::{MAX_COMBINATIONS, combinations};
use super::{Checker, Node};
use crate::definition::expression::{Segment, to_text};
use crate::definition::prompt::{Given, check_prompt};
use crate::definition::template::Part;
use crate::definition::{Expression, InputKind, Template, suggest};

impl Checker<'_> {
    /// Looks up every template that the `prompt_template` of the stage at `position` can come to.
    pub(super) fn prompt_templates(&mut self, template: &Template, node: &Node, position: usize) {
        let raw = self.raw;
        let stage = &raw.stages[position];
        let Some(names) = self.possible_texts(template, position) else {
            let hint = format!(
                "name it with inputs of type enum and with values that the stage's matrix gives as they are, of at \
                 most {MAX_COMBINATIONS} combinations, so that every template can be checked before a run"
            );
            let message =
                format!("which prompt template '{}' means can't be known before a run", template.source());
            self.fault_at(node.location, message, Some(hint));
            return;
        };
        let inputs: Vec<&str> = raw.inputs.iter().map(|input| input.name.as_str()).collect();
        let in_config = |field: &str| stage.config.is_some_and(|config| config.entry(field).is_some());
        let given = Given {
            inputs: &inputs,
            context: in_config("context_from"),
            schema: stage.outputs.first().is_some_and(|output| output.schema.is_some())
                || in_config("result_schema"),
        };
        for name in names {
            if !self.templates.contains_key(&name) {
                let Some(text) = self.surroundings.template(&name) else {
                    let known = self.surroundings.template_names();
                    let hint = suggest::hint(&name, known.iter().map(String::as_str));
                    self.fault_at(node.location, format!("there is no prompt template '{name}'"), hint);
                    continue;
                };
                self.templates.insert(name.clone(), text);
            }
            for error in check_prompt(&name, &self.templates[&name], given) {
                self.expression_fault(node.location, error);
            }
        }
    }

    /// Every text that a template can come to, when the values of all names in it are known and not too many.
    fn possible_texts(&self, template: &Template, position: usize) -> Option<Vec<String>> {
        enum Slot<'a> {
            Fixed(&'a str),
            Varying { variable: usize, texts: Vec<String> },
        }
        // What varies on its own: two fields of one axis vary together.
        let mut variables: Vec<(String, usize)> = Vec::new();
        let mut slots = Vec::new();
        for part in template.parts() {
            slots.push(match part {
                Part::Literal(text) => Slot::Fixed(text),
                Part::Expression { expression, .. } => {
                    let (name, texts) = self.known_texts(expression, position)?;
                    let known = variables.iter().position(|(variable, _)| *variable == name);
                    let variable = known.unwrap_or_else(|| {
                        variables.push((name, texts.len()));
                        variables.len() - 1
                    });
                    Slot::Varying { variable, texts }
                }
            });
        }
        let counts: Vec<usize> = variables.iter().map(|(_, count)| *count).collect();
        let text = |chosen: Vec<usize>| -> String {
            let piece = |slot: &Slot<'_>| match slot {
                Slot::Fixed(text) => (*text).to_owned(),
                Slot::Varying { variable, texts } => texts[chosen[*variable]].clone(),
            };
            slots.iter().map(piece).collect()
        };
        let mut texts: Vec<String> = combinations(&counts)?.map(text).collect();
        texts.sort_unstable();
        texts.dedup();
        Some(texts)
    }

    /// The texts that a name stands for, one after another, and the name of what varies.
    fn known_texts(&self, expression: &Expression, position: usize) -> Option<(String, Vec<String>)> {
        let segments = expression.path()?.segments.as_slice();
        let name = match segments {
            [Segment::Name(name)] => name,
            [Segment::Name(root), Segment::Name(name)] if root == "inputs" => name,
            _ => {
                let (axis, values) = literal_values(segments, self.raw.stages[position].matrix.as_ref())?;
                let texts = values.iter().map(|value| to_text(value).ok()).collect::<Option<_>>()?;
                return Some((format!("matrix.{axis}"), texts));
            }
        };
        match &self.raw.inputs.iter().find(|input| input.name == *name)?.kind {
            InputKind::Enum(values) => Some((name.clone(), values.clone())),
            _ => None,
        }
    }
}
