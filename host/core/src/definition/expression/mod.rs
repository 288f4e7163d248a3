//! Expressions: CEL text, parsed once, with the names it uses known before it is evaluated.
//!
//! The names an expression may use:
//!
//! | name                                      | value                                                        |
//! |-------------------------------------------|--------------------------------------------------------------|
//! | `inputs.<name>`, `<name>`                 | an input; null when optional and not given                   |
//! | `<x>_name`                                | file name without extension of the file input `<x>_path`     |
//! | `workflow_id`, `date`, `workflow`         | the run's id, its date, the workflow's name                  |
//! | `stages.<stage>.outputs.<output>`         | an output of a stage that ran before                         |
//! | `stages.<stage>.status`                   | how that stage ended: `completed`, `failed`, `skipped`       |
//! | `matrix.<name>`                           | what a stage with a matrix is run for this time              |
//! | `<list>_count`                            | length of the list `<list>` in the last agent result         |
//!
//! In `stages.<stage>` the stage's name is written as the definition writes it: dashes and inputs are part of the
//! name (`stages.review-{perspective}.outputs.result`). In plain CEL that would be a subtraction; here it is
//! rewritten to an index (`stages['review-' + string(inputs.perspective)]`), which may also be written directly.
//!
//! CEL's standard functions and macros are there; `matches`, `duration` and `timestamp` are not. Evaluation has no
//! side effect and does not know the time. Must not pass over an undefined name: that is an error, never empty.

mod evaluate;
mod order;
mod path;
mod room;
mod scope;
mod syntax;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub(super) use evaluate::to_text;
pub(super) use path::{Piece, Reference, Segment, StagePattern};
pub(super) use scope::{RESERVED, file_of};
pub use scope::{RunFacts, Scope, StageLookup, StageView};
pub(super) use syntax::{is_name, literal_length};

/// Bytes an expression may have.
const MAX_LENGTH: usize = 2_000;
/// How deep brackets may lie in one another.
const MAX_DEPTH: usize = 32;
/// The same for what CEL's parser counts, which is more than brackets.
const MAX_PARSER_DEPTH: u16 = 64;
/// How many `map`, `filter`, `all`… may lie in one another: each one multiplies the work.
const MAX_NESTED_LOOPS: usize = 2;

/// Why an expression or template can't be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong, naming the expression.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl ExpressionError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub(super) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// A parsed expression. Two are equal when their texts are.
#[derive(Clone)]
pub struct Expression {
    source: String,
    parsed: Arc<Parsed>,
}

enum Parsed {
    /// Nothing but a name. Read and evaluated without CEL: quicker, and the order of keys is kept.
    Name(Reference),
    /// Anything else.
    Tree { tree: cel::IdedExpr, references: Vec<Reference> },
}

impl Expression {
    /// Reads an expression (without `${{ }}`).
    ///
    /// # Errors
    /// When it is not CEL, uses a function that does not exist, or is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let source = text.trim();
        if source.is_empty() {
            return Err(ExpressionError::new("the expression is empty"));
        }
        if source.len() > MAX_LENGTH {
            return Err(ExpressionError::new(format!("the expression has more than {MAX_LENGTH} bytes")));
        }
        let parsed = match path::plain_name(source) {
            Some(name) => Parsed::Name(name),
            None => room::with_room(|| Self::parse_tree(source))??,
        };
        Ok(Self { source: source.to_owned(), parsed: Arc::new(parsed) })
    }

    fn parse_tree(source: &str) -> Result<Parsed, ExpressionError> {
        let rewritten = syntax::rewrite_stage_names(source)?;
        syntax::check_depth(&rewritten)?;
        let mut tree = cel::parser::Parser::new()
            .max_recursion_depth(MAX_PARSER_DEPTH)
            .parse(&rewritten)
            .map_err(|errors| syntax::explain(source, &errors))?;
        let references = path::references(&tree, MAX_NESTED_LOOPS).map_err(|error| ExpressionError {
            message: format!("in '{source}': {}", error.message),
            ..error
        })?;
        Ok(match path::whole(&tree) {
            Some(name) if references.len() == 1 => Parsed::Name(name),
            _ => {
                order::ordered(&mut tree);
                Parsed::Tree { tree, references }
            }
        })
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names it uses, as far as they can be told without evaluating it: `inputs.perspective`, `date`,
    /// `stages.review.outputs.result`.
    pub fn names(&self) -> Vec<String> {
        self.references().iter().map(ToString::to_string).collect()
    }

    /// The names it uses, in parts.
    pub(super) fn references(&self) -> &[Reference] {
        match &*self.parsed {
            Parsed::Name(name) => std::slice::from_ref(name),
            Parsed::Tree { references, .. } => references,
        }
    }

    /// The one name that it is, when it is nothing else.
    pub(super) fn path(&self) -> Option<&Reference> {
        match &*self.parsed {
            Parsed::Name(name) => Some(name),
            Parsed::Tree { .. } => None,
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// When a name is undefined, with a suggestion, or an operation can't be done with the values at hand.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
        let value = match &*self.parsed {
            Parsed::Name(name) => path::resolve(name, scope),
            Parsed::Tree { tree, references } => {
                room::with_room(|| evaluate::evaluate(tree, references, scope)).and_then(|value| value)
            }
        };
        value.map_err(|error| ExpressionError {
            message: format!("'{}': {}", self.source, error.message),
            ..error
        })
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// As [`Self::value`], and when the value is not a boolean.
    pub fn truth(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        match self.value(scope)? {
            Value::Bool(truth) => Ok(truth),
            other => {
                Err(ExpressionError::new(format!("'{}' is {}, not true or false", self.source, kind(&other)))
                    .hint("compare it with something, such as `== 'x'` or `.size() > 0`"))
            }
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expression({:?})", self.source)
    }
}

/// The kind of a JSON value in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
