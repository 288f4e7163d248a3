//! Texts with expressions in them.
//!
//! | written       | means                                                                                        |
//! |---------------|----------------------------------------------------------------------------------------------|
//! | `${{ expr }}` | the value of a CEL expression; alone in a text it keeps its type                             |
//! | `${name}`     | older spelling of `${{ name }}`, names with dots included; always becomes text               |
//! | `{name}`      | the same, for a name without dots                                                            |
//!
//! `{` followed by anything else is a brace, and so are two or more braces together (`{{name}}`). To write `{name}`
//! itself: `${{ '{name}' }}`. Values are put into the text, never read as expressions again.

use std::fmt;

use serde_json::Value;

use super::expression::{literal_length, to_text};
use super::{Expression, ExpressionError, Scope};

/// A text that may contain expressions. Two are equal when their sources are.
#[derive(Clone)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// Part of a template.
#[derive(Clone)]
pub(super) enum Part {
    /// Text as it is.
    Literal(String),
    /// An expression; `typed` when written as `${{ }}`.
    Expression { expression: Expression, typed: bool },
}

/// Why a text is no template, and which part of it.
#[derive(Debug)]
pub(super) struct TemplateFault {
    pub error: ExpressionError,
    /// The part of the text that is wrong.
    pub piece: String,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// When an expression in it is not closed or can't be read.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Self::parse_located(text).map_err(|fault| fault.error)
    }

    pub(super) fn parse_located(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '{']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            match spelled(rest)? {
                Spelled::Literal(length) => {
                    literal.push_str(&rest[..length]);
                    rest = &rest[length..];
                }
                Spelled::Expression { length, inner, typed } => {
                    let expression = Expression::parse(inner)
                        .map_err(|error| TemplateFault { error, piece: rest[..length].to_owned() })?;
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Expression { expression, typed });
                    rest = &rest[length..];
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { source: text.to_owned(), parts })
    }

    /// A text that is taken as it is, whatever it contains.
    pub fn plain(text: &str) -> Self {
        Self { source: text.to_owned(), parts: vec![Part::Literal(text.to_owned())] }
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The whole text, when there is no expression in it.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is exactly one `${{ }}` and nothing else, so that its value keeps its type.
    pub fn is_value(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Expression { typed: true, .. }])
    }

    /// The names its expressions use, as far as they can be told without evaluating them.
    pub fn names(&self) -> Vec<String> {
        self.expressions().flat_map(Expression::names).collect()
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression { expression, .. } => Some(expression),
            Part::Literal(_) => None,
        })
    }

    /// The same template without `prefix` in front, when its text starts with it.
    pub(super) fn without_prefix(&self, prefix: &str) -> Option<Self> {
        let rest = self.source.strip_prefix(prefix)?;
        Self::parse(rest).ok()
    }

    /// Its value: of any type when it is nothing but one `${{ }}`, else a text.
    ///
    /// # Errors
    /// When an expression can't be evaluated, or a list, an object or null would have to become text.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
        match self.parts.as_slice() {
            [Part::Expression { expression, typed: true }] => expression.value(scope),
            _ => self.text(scope).map(Value::String),
        }
    }

    /// Its value as text.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, ExpressionError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Expression { expression, .. } => {
                    let value = expression.value(scope)?;
                    let value = to_text(&value).map_err(|error| ExpressionError {
                        message: format!("'{}' is {}", expression.source(), error.message),
                        hint: error.hint,
                    })?;
                    text.push_str(&value);
                }
            }
        }
        Ok(text)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Template({:?})", self.source)
    }
}

/// What a `$` or `{` turns out to be.
enum Spelled<'a> {
    /// So many bytes of ordinary text.
    Literal(usize),
    /// An expression taking so many bytes.
    Expression { length: usize, inner: &'a str, typed: bool },
}

fn spelled(text: &str) -> Result<Spelled<'_>, TemplateFault> {
    if let Some(inside) = text.strip_prefix("${{") {
        let Some(end) = closing(inside) else {
            return Err(unclosed(text, "${{", "}}"));
        };
        return Ok(Spelled::Expression { length: 3 + end + 2, inner: &inside[..end], typed: true });
    }
    if let Some(inside) = text.strip_prefix("${") {
        let Some(end) = inside.find('}') else {
            return Err(unclosed(text, "${", "}"));
        };
        let inner = inside[..end].trim();
        if is_dotted_name(inner) {
            return Ok(Spelled::Expression { length: 2 + end + 1, inner, typed: false });
        }
        let piece = text[..2 + end + 1].to_owned();
        let error = ExpressionError::new(format!("'{piece}' holds no name"))
            .hint("expressions are written ${{ … }}; for the characters themselves write ${{ '${' }}");
        return Err(TemplateFault { error, piece });
    }
    let braces = text.len() - text.trim_start_matches('{').len();
    if braces == 1 {
        let inside = &text[1..];
        if let Some(end) = inside.find('}').filter(|end| is_name(&inside[..*end])) {
            return Ok(Spelled::Expression { length: end + 2, inner: &inside[..end], typed: false });
        }
    }
    Ok(Spelled::Literal(braces.max(1)))
}

fn unclosed(text: &str, open: &str, close: &str) -> TemplateFault {
    let piece: String = text.lines().next().unwrap_or(open).chars().take(40).collect();
    let error = ExpressionError::new(format!("'{open}' is not closed with '{close}'"))
        .hint(format!("for the characters themselves write ${{{{ '{open}' }}}}"));
    TemplateFault { error, piece }
}

/// Where the `}}` that ends an expression stands: not inside a text literal, not closing a map.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match character {
            '\'' | '"' => {
                at += literal_length(&text[at..]);
                continue;
            }
            '{' => depth += 1,
            '}' if depth == 0 => return text[at..].starts_with("}}").then_some(at),
            '}' => depth -= 1,
            _ => {}
        }
        at += character.len_utf8();
    }
    None
}

/// `inputs.x`, `date`, `stages.review-{perspective}.outputs.result` without the braces.
fn is_dotted_name(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
            && part
                .chars()
                .all(|character| matches!(character, '_' | '-') || character.is_ascii_alphanumeric())
    };
    text.split('.').all(part)
}

fn is_name(text: &str) -> bool {
    is_dotted_name(text) && !text.contains(['.', '-'])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::definition::RunFacts;

    fn render(text: &str) -> Result<Value, ExpressionError> {
        let inputs = BTreeMap::from([
            ("rfc_path".to_owned(), json!("docs/rfc-1.md")),
            ("n".to_owned(), json!(3)),
            ("items".to_owned(), json!(["a"])),
            ("tricky".to_owned(), json!("{n} ${n} ${{ 1 + 1 }}")),
        ]);
        let scope = Scope {
            inputs: &inputs,
            input_specs: &[],
            facts: RunFacts { date: "2026-01-02".into(), ..RunFacts::default() },
            stages: &BTreeMap::new(),
            matrix: None,
            last_agent_result: None,
        };
        Template::parse(text)?.render(&scope)
    }

    #[test]
    fn the_three_spellings_mean_the_same() {
        for text in ["on ${{ date }}", "on ${date}", "on {date}", "on ${{date}}"] {
            assert_eq!(render(text), Ok(json!("on 2026-01-02")), "{text}");
        }
        assert_eq!(render("${inputs.rfc_path}"), Ok(json!("docs/rfc-1.md")));
    }

    #[test]
    fn one_expression_alone_keeps_its_type() {
        assert_eq!(render("${{ inputs.n }}"), Ok(json!(3)));
        assert_eq!(render("${{ items }}"), Ok(json!(["a"])));
        assert_eq!(render("${{ n }} "), Ok(json!("3 ")));
        assert_eq!(render("{n}"), Ok(json!("3")));
        assert_eq!(render("${{ {'a': {'b': n}} }}"), Ok(json!({"a": {"b": 3}})));
        assert_eq!(render("${{ '}}' }}{n}"), Ok(json!("}}3")));
        let is_value = |text| Template::parse(text).expect("a template").is_value();
        assert!(is_value("${{ n }}") && is_value("${{ {'a': n} }}"));
        assert!(["${n}", "{n}", "${{ n }} ", "${{ n }}${{ n }}", "n", ""].iter().all(|text| !is_value(text)));
    }

    #[test]
    fn other_braces_are_text() {
        for text in
            ["{", "{}", "{ n }", "{\"a\": 1}", "a } b", "{{n}}", "{{ n }}", "$", "$5", "$n", "{a.b}", "ü{ü}"]
        {
            assert_eq!(render(text), Ok(json!(text)), "{text}");
        }
        assert_eq!(render("${{ '{n}' }}"), Ok(json!("{n}")));
    }

    #[test]
    fn values_are_not_read_again() {
        assert_eq!(render("{tricky}"), Ok(json!("{n} ${n} ${{ 1 + 1 }}")));
    }

    #[test]
    fn faults_name_the_piece() {
        for (text, piece) in [
            ("a ${{ 1 + }} b", "${{ 1 + }}"),
            ("a ${{ x", "${{ x"),
            ("a ${x", "${x"),
            ("a ${HOME:-x} b", "${HOME:-x}"),
            ("${{ '}} ", "${{ '}} "),
            ("${{ }}", "${{ }}"),
        ] {
            assert_eq!(Template::parse_located(text).err().map(|fault| fault.piece).as_deref(), Some(piece));
        }
    }

    #[test]
    fn undefined_names_and_textless_values_are_errors() {
        let error = render("x {dat}").expect_err("undefined");
        assert_eq!(error.hint.as_deref(), Some("did you mean 'date'?"));
        assert!(render("x {items}").expect_err("a list").message.contains("a list can't be put into a text"));
    }
}
