//! Names in expressions: found in the tree before evaluation, resolved during it.

use std::fmt;

use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue};
use serde_json::Value;

use super::{ExpressionError, Scope, kind};
use crate::definition::suggest;

/// What CEL has in its standard library, as docket builds it.
const FUNCTIONS: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "type",
    "dyn",
];
/// Names that stand for types in CEL: `type(x) == string`.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint"];

/// A stage's name in parts.
pub(in super::super) type StagePattern = Vec<Piece>;

/// Part of a stage's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Piece {
    /// Text as it is.
    Text(String),
    /// The value of an input.
    Input(String),
}

/// Part of a name: one step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Segment {
    /// A field by its name.
    Name(String),
    /// A field whose name contains inputs.
    Pattern(StagePattern),
}

/// A name with the fields behind it: `stages.review.outputs.result`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Reference {
    /// The parts, outermost first; at least one.
    pub segments: Vec<Segment>,
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            let dot = if position > 0 { "." } else { "" };
            write!(formatter, "{dot}{segment}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Pattern(pieces) => pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => formatter.write_str(text),
                Piece::Input(name) => write!(formatter, "{{{name}}}"),
            }),
        }
    }
}

/// A text that is a name and nothing else, read without CEL: `date`, `inputs.x`, `stages.a-b.outputs.c`. None for
/// everything that needs a closer look.
pub(super) fn plain_name(text: &str) -> Option<Reference> {
    const WORDS: [&str; 4] = ["true", "false", "null", "in"];
    let names: Vec<&str> = text.split('.').collect();
    let fits = names.iter().enumerate().all(|(position, name)| {
        let a_stage = position == 1 && names[0] == "stages";
        let plain = if a_stage { name.replace('-', "_") } else { (*name).to_owned() };
        super::syntax::is_name(&plain) && !WORDS.contains(name)
    });
    let a_type = names.len() == 1 && TYPES.contains(&names[0]);
    let segments = names.iter().map(|name| Segment::Name((*name).to_owned())).collect();
    (fits && !a_type).then_some(Reference { segments })
}

/// The whole tree as a name, when it is nothing else.
pub(super) fn whole(tree: &cel::IdedExpr) -> Option<Reference> {
    match chain(&tree.expr) {
        Some((reference, None)) => Some(reference),
        _ => None,
    }
}

/// Every name of a tree, with as many parts as can be told.
///
/// # Errors
/// When it calls a function that does not exist, or loops lie too deep in one another.
pub(super) fn references(tree: &cel::IdedExpr, loops: usize) -> Result<Vec<Reference>, ExpressionError> {
    let mut walk = Walk { found: Vec::new(), bound: Vec::new(), loops };
    walk.visit(&tree.expr)?;
    Ok(walk.found)
}

struct Walk<'a> {
    found: Vec<Reference>,
    bound: Vec<&'a str>,
    loops: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, expression: &'a Expr) -> Result<(), ExpressionError> {
        if let Some((reference, _)) = chain(expression) {
            self.note(reference);
            return self.visit_indexes(expression);
        }
        match expression {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Ok(()),
            Expr::Call(call) => self.visit_call(call),
            Expr::Comprehension(inner) => {
                if self.loops == 0 {
                    return Err(ExpressionError::new(format!(
                        "more than {} loops (map, filter, all, exists) lie in one another",
                        super::MAX_NESTED_LOOPS
                    )));
                }
                self.visit(&inner.iter_range.expr)?;
                self.visit(&inner.accu_init.expr)?;
                self.loops -= 1;
                let bound = self.bound.len();
                self.bound.extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
                self.bound.extend(inner.iter_var2.as_deref());
                for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                    self.visit(&part.expr)?;
                }
                self.bound.truncate(bound);
                self.loops += 1;
                Ok(())
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.visit(&element.expr)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Struct(value) => {
                Err(ExpressionError::new(format!("there is no type '{}'", value.type_name)))
            }
            Expr::Select(select) => self.visit(&select.operand.expr),
        }
    }

    fn visit_entry(&mut self, entry: &'a EntryExpr) -> Result<(), ExpressionError> {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value.expr),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key.expr)?;
                self.visit(&entry.value.expr)
            }
        }
    }

    fn visit_call(&mut self, call: &'a CallExpr) -> Result<(), ExpressionError> {
        let name = call.func_name.as_str();
        let operator = name.contains(['_', '@', '!']) && !super::syntax::is_name(name);
        if !operator && !FUNCTIONS.contains(&name) {
            let macros = ["has", "all", "exists", "exists_one", "map", "filter"];
            let known = suggest::closest(name, FUNCTIONS.into_iter().chain(macros));
            return Err(ExpressionError::new(format!("there is no function '{name}'"))
                .maybe_hint(known.map(|known| format!("did you mean '{known}'?"))));
        }
        if let Some(target) = &call.target {
            self.visit(&target.expr)?;
        }
        call.args.iter().try_for_each(|argument| self.visit(&argument.expr))
    }

    /// The expressions inside the brackets of a name: `inputs.p` in `stages['review-' + inputs.p]`.
    fn visit_indexes(&mut self, expression: &'a Expr) -> Result<(), ExpressionError> {
        match expression {
            Expr::Select(select) => self.visit_indexes(&select.operand.expr),
            Expr::Call(call) if call.func_name == "_[_]" && call.args.len() == 2 => {
                self.visit_indexes(&call.args[0].expr)?;
                self.visit(&call.args[1].expr)
            }
            _ => Ok(()),
        }
    }

    fn note(&mut self, reference: Reference) {
        let Some(Segment::Name(root)) = reference.segments.first() else { return };
        let known = self.bound.contains(&root.as_str()) || root.starts_with('@');
        let a_type = reference.segments.len() == 1 && TYPES.contains(&root.as_str());
        if !known && !a_type && !self.found.contains(&reference) {
            self.found.push(reference);
        }
    }
}

/// The name that an expression starts with, and the part of the expression that could not be followed, if any.
fn chain(expression: &Expr) -> Option<(Reference, Option<&Expr>)> {
    match expression {
        Expr::Ident(name) => Some((Reference { segments: vec![Segment::Name(name.clone())] }, None)),
        Expr::Select(select) => {
            let (mut reference, rest) = chain(&select.operand.expr)?;
            // `has(a.b)` asks whether `b` is there, so it must not be demanded.
            if rest.is_some() || select.test {
                return Some((reference, Some(expression)));
            }
            reference.segments.push(Segment::Name(select.field.clone()));
            Some((reference, None))
        }
        Expr::Call(call) if call.func_name == "_[_]" && call.args.len() == 2 => {
            let (mut reference, rest) = chain(&call.args[0].expr)?;
            let pieces = if rest.is_none() { pieces(&call.args[1].expr) } else { None };
            match pieces {
                None => Some((reference, Some(expression))),
                Some(pieces) => {
                    reference.segments.push(match pieces.as_slice() {
                        [Piece::Text(text)] => Segment::Name(text.clone()),
                        _ => Segment::Pattern(pieces),
                    });
                    Some((reference, None))
                }
            }
        }
        _ => None,
    }
}

/// A text made of literals and inputs: `'review-' + string(inputs.x)`.
fn pieces(expression: &Expr) -> Option<StagePattern> {
    match expression {
        Expr::Literal(LiteralValue::String(text)) => Some(vec![Piece::Text(text.inner().to_owned())]),
        Expr::Select(select)
            if !select.test && matches!(&select.operand.expr, Expr::Ident(root) if root == "inputs") =>
        {
            Some(vec![Piece::Input(select.field.clone())])
        }
        Expr::Call(call) if call.func_name == "string" && call.args.len() == 1 => pieces(&call.args[0].expr),
        Expr::Call(call) if call.func_name == "_+_" && call.args.len() == 2 => {
            let mut all = pieces(&call.args[0].expr)?;
            all.extend(pieces(&call.args[1].expr)?);
            Some(all)
        }
        _ => None,
    }
}

/// The value behind a name.
///
/// # Errors
/// When a part of it is not there, with a suggestion.
pub(super) fn resolve(reference: &Reference, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
    let names = texts(reference, scope)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (root, fields) = scope.root(&names)?;
    let mut value = &root;
    for (position, field) in fields.iter().enumerate() {
        let here = || names[..names.len() - fields.len() + position].join(".");
        value = match value {
            Value::Object(map) => map.get(*field).ok_or_else(|| {
                ExpressionError::new(format!("'{}' has no field '{field}'", here()))
                    .maybe_hint(suggest::hint(field, map.keys().map(String::as_str)))
            })?,
            other => {
                let message = format!("'{}' is {} and has no field '{field}'", here(), kind(other));
                return Err(ExpressionError::new(message));
            }
        };
    }
    Ok(value.clone())
}

/// The parts of a name with inputs replaced.
pub(super) fn texts(reference: &Reference, scope: &Scope<'_>) -> Result<Vec<String>, ExpressionError> {
    let text = |segment: &Segment| match segment {
        Segment::Name(name) => Ok(name.clone()),
        Segment::Pattern(pieces) => pieces.iter().try_fold(String::new(), |text, piece| match piece {
            Piece::Text(literal) => Ok(text + literal),
            Piece::Input(name) => Ok(text + &super::evaluate::to_text(&scope.input(name)?)?),
        }),
    };
    reference.segments.iter().map(text).collect()
}
