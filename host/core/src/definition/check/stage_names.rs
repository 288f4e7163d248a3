//! Names of stages, which may contain inputs: found by the spelling of the definition or by what it comes to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Checker;
use crate::definition::expression::{Piece, Segment, StagePattern};
use crate::definition::template::Part;
use crate::definition::{
    Expression, ExpressionError, InputKind, InputSpec, RunFacts, Scope, Template, Workflow, suggest,
};

/// How many combinations of enum inputs and values of a matrix are tried.
pub(super) const MAX_COMBINATIONS: usize = 64;
/// Bytes a stage's name may have once inputs are replaced.
const MAX_LENGTH: usize = 100;

/// What is known of a stage from its name and its place in the order.
#[derive(Default)]
pub(super) struct NamedStage {
    pub name: Option<Template>,
    pub pattern: Option<StagePattern>,
    /// Every name it can have, when that is known before a run.
    pub possible: Vec<String>,
    pub depends_on: Vec<usize>,
    /// For each stage whether it is surely over before this one starts.
    pub before: Vec<bool>,
}

impl Checker<'_> {
    pub(super) fn name_stages(&mut self) {
        for stage in &self.raw.stages {
            let mut named = NamedStage::default();
            if let Some(text) = stage.name
                && let Some(template) = self.template(text)
            {
                match stage_pattern(&template, &self.raw.inputs) {
                    Ok(pattern) => {
                        let possible = expand(&pattern, &self.raw.inputs);
                        let wrong = possible.iter().flatten().find(|name| !is_stage_name(name)).cloned();
                        if let Some(wrong) = wrong.or_else(|| wrong_text(&pattern)) {
                            let hint = "use letters, digits, - and _, such as gather-context".to_owned();
                            let message = format!("'{wrong}' is no name for a stage");
                            self.fault_at(text.node.location, message, Some(hint));
                        }
                        named.possible = possible.unwrap_or_default();
                        named.pattern = Some(pattern);
                    }
                    Err(error) => self.expression_fault(text.node.location, error),
                }
                named.name = Some(template);
            }
            self.stages.push(named);
        }
        self.report_collisions();
    }

    /// Two stages that would have the same name with some values of the inputs.
    fn report_collisions(&mut self) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (position, stage) in self.stages.iter().enumerate() {
            for name in &stage.possible {
                match seen.insert(name, position) {
                    Some(first) if first != position && self.stages[first].pattern != stage.pattern => {
                        found.push((first, position, name.clone()));
                        break;
                    }
                    _ => {}
                }
            }
        }
        for (first, position, name) in found {
            let Some(text) = self.raw.stages[position].name else { continue };
            let other = self.raw.stages[first].name.map_or("", |text| text.text);
            let message = format!("stage '{}' can get the same name as stage '{other}': '{name}'", text.text);
            self.fault_at(text.node.location, message, None);
        }
    }

    /// The stage that a text names: as the definition writes it, or with inputs replaced.
    pub(super) fn find_stage(&self, wanted: &StagePattern) -> Option<usize> {
        let same = self.stages.iter().position(|stage| stage.pattern.as_ref() == Some(wanted));
        same.or_else(|| match wanted.as_slice() {
            [Piece::Text(text)] => self.stages.iter().position(|stage| stage.possible.contains(text)),
            _ => None,
        })
    }

    /// "did you mean" for a stage that is not there.
    pub(super) fn stage_hint(&self, wanted: &str) -> Option<String> {
        let names = self.stages.iter().filter_map(|stage| stage.name.as_ref()).map(Template::source);
        suggest::hint(wanted, names)
    }
}

/// A template as a stage's name.
///
/// # Errors
/// When something else than inputs is in it.
pub(super) fn stage_pattern(
    template: &Template,
    inputs: &[InputSpec],
) -> Result<StagePattern, ExpressionError> {
    let mut pattern = StagePattern::new();
    for part in template.parts() {
        match part {
            Part::Literal(text) => pattern.push(Piece::Text(text.clone())),
            Part::Expression { expression, .. } => pattern.push(Piece::Input(input_of(expression, inputs)?)),
        }
    }
    Ok(pattern)
}

/// A segment of an expression's name as a stage's name.
pub(super) fn segment_pattern(segment: &Segment) -> StagePattern {
    match segment {
        Segment::Name(name) => vec![Piece::Text(name.clone())],
        Segment::Pattern(pattern) => pattern.clone(),
    }
}

fn input_of(expression: &Expression, inputs: &[InputSpec]) -> Result<String, ExpressionError> {
    let name = expression.path().and_then(|path| match path.segments.as_slice() {
        [Segment::Name(name)] => Some(name),
        [Segment::Name(root), Segment::Name(name)] if root == "inputs" => Some(name),
        _ => None,
    });
    match name {
        Some(name) if inputs.iter().any(|input| input.name == *name) => Ok(name.clone()),
        _ => Err(ExpressionError::new(format!("'{}' is no input of this workflow", expression.source()))
            .maybe_hint(
                suggest::closest(expression.source(), inputs.iter().map(|input| input.name.as_str()))
                    .map(|name| format!("did you mean '{name}'?")),
            )
            .or_hint(
                "a stage's name may contain inputs and nothing else, so that it is known when a run starts",
            )),
    }
}

impl ExpressionError {
    fn or_hint(self, hint: &str) -> Self {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }
}

/// Every text that a pattern can come to, when all its inputs are enums with few values.
pub(super) fn expand(pattern: &[Piece], inputs: &[InputSpec]) -> Option<Vec<String>> {
    let mut chosen: Vec<(&str, &[String])> = Vec::new();
    for piece in pattern {
        if let Piece::Input(name) = piece
            && !chosen.iter().any(|(known, _)| known == name)
        {
            let input = inputs.iter().find(|input| input.name == *name)?;
            let InputKind::Enum(values) = &input.kind else { return None };
            chosen.push((name, values));
        }
    }
    let counts: Vec<usize> = chosen.iter().map(|(_, values)| values.len()).collect();
    let texts = combinations(&counts)?.map(|numbers| {
        let chosen = chosen.iter().zip(numbers);
        let values: BTreeMap<&str, &str> =
            chosen.map(|((name, values), number)| (*name, values[number].as_str())).collect();
        pattern
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Input(name) => values.get(name.as_str()).copied().unwrap_or_default(),
            })
            .collect()
    });
    Some(texts.collect())
}

/// Every way to choose one of each: numbers below the counts, the first turning fastest. None when there are more
/// than [`MAX_COMBINATIONS`].
pub(super) fn combinations(counts: &[usize]) -> Option<impl Iterator<Item = Vec<usize>>> {
    let all = counts.iter().try_fold(1_usize, |all, count| all.checked_mul(*count))?;
    let choice = move |mut number: usize| {
        let mut digit = |count: &usize| {
            let digit = number % count;
            number /= count;
            digit
        };
        counts.iter().map(&mut digit).collect()
    };
    (all <= MAX_COMBINATIONS).then(|| (0..all).map(choice))
}

/// A fixed part that no stage's name can contain.
fn wrong_text(pattern: &[Piece]) -> Option<String> {
    pattern.iter().find_map(|piece| match piece {
        Piece::Text(text) if !text.chars().all(is_name_character) => Some(text.clone()),
        _ => None,
    })
}

fn is_name_character(character: char) -> bool {
    matches!(character, '-' | '_') || character.is_ascii_alphanumeric()
}

/// Stage names become names of folders and of fields in expressions.
fn is_stage_name(name: &str) -> bool {
    name.len() <= MAX_LENGTH
        && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name.chars().all(is_name_character)
}

/// The stages' names in a run with these inputs, in the order of the definition.
///
/// # Errors
/// When a name can't be evaluated, is not usable as a name, or is there twice.
pub fn stage_names(
    workflow: &Workflow,
    inputs: &BTreeMap<String, Value>,
    facts: &RunFacts,
) -> Result<Vec<String>, ExpressionError> {
    let nothing = BTreeMap::new();
    let scope = Scope {
        inputs,
        input_specs: &workflow.inputs,
        facts: facts.clone(),
        stages: &nothing,
        matrix: None,
        last_agent_result: None,
    };
    let mut names: Vec<String> = Vec::with_capacity(workflow.stages.len());
    let mut seen = std::collections::BTreeSet::new();
    for stage in &workflow.stages {
        let name = stage.name.text(&scope)?;
        let source = stage.name.source();
        if !is_stage_name(&name) {
            let shown = crate::definition::fault::visible(&name);
            return Err(ExpressionError::new(format!(
                "stage '{source}' would be called '{shown}', which is no name"
            ))
            .hint(format!("give inputs that leave it with letters, digits, - and _, at most {MAX_LENGTH}")));
        }
        if !seen.insert(name.clone()) {
            return Err(ExpressionError::new(format!(
                "with these inputs two stages would be called '{name}'"
            ))
            .hint("give inputs that keep the names apart"));
        }
        names.push(name);
    }
    Ok(names)
}
