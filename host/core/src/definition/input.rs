//! What has to be given to start a workflow: types, parsing of flags, checking of values.
//!
//! Must not look at files: that a file input exists inside the project is for the host to find out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fault::visible;
use super::suggest;

/// What values an input takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// Any text.
    String,
    /// A file of the project: a path relative to it.
    File,
    /// A folder of the project.
    Directory,
    /// One of these texts.
    Enum(Vec<String>),
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// true or false.
    Boolean,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A list of texts; on the command line divided by commas.
    List,
}

impl InputKind {
    /// The names of the types, as a definition writes them.
    pub const NAMES: [&str; 9] =
        ["string", "file", "directory", "enum", "integer", "number", "boolean", "date", "list"];

    /// The type's name in a definition.
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Enum(_) => "enum",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::List => "list",
        }
    }

    /// Whether a `pattern` can be given for it: its values are texts that the author of a definition may limit.
    pub fn takes_pattern(&self) -> bool {
        matches!(self, Self::String | Self::File | Self::Directory | Self::List)
    }
}

/// An input of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSpec {
    /// Name, such as `rfc_path`.
    pub name: String,
    /// Type.
    pub kind: InputKind,
    /// What it is for.
    pub description: Option<String>,
    /// Whether a run can't start without it.
    pub required: bool,
    /// The value when none is given; fits the type.
    pub default: Option<Value>,
    /// A regular expression that texts (each one, of a list) must match.
    pub pattern: Option<String>,
}

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// The input's name.
    pub input: String,
    /// What is wrong with the value.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl InputSpec {
    /// The command line's name for it, without the dashes in front: `rfc_path` → `rfc-path`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Reads a value from text, as the command line gives it.
    ///
    /// # Errors
    /// When the text does not fit the type, with what would.
    pub fn parse(&self, text: &str) -> Result<Value, InputError> {
        let value = match self.kind {
            InputKind::Integer => text.trim().parse::<i64>().map(Value::from).ok(),
            InputKind::Number => match text.trim().parse::<i64>() {
                Ok(whole) => Some(whole.into()),
                Err(_) => {
                    text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::from)
                }
            },
            InputKind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(Value::Bool(true)),
                "false" | "no" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            InputKind::Date => Some(Value::from(text.trim())),
            InputKind::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(items.map(Value::from).collect())
            }
            _ => Some(Value::from(text)),
        };
        match value {
            Some(value) => self.accept(value),
            None => Err(self.wrong(format!("must be {}, not '{}'", self.expected(), visible(text)), None)),
        }
    }

    /// Takes a JSON value if it fits.
    ///
    /// # Errors
    /// When it does not fit the type, is none of an enum's values, or does not match the pattern.
    pub fn accept(&self, value: Value) -> Result<Value, InputError> {
        match (&self.kind, &value) {
            (InputKind::String, Value::String(text)) => self.check_pattern(text)?,
            (InputKind::File | InputKind::Directory, Value::String(path)) => {
                self.check_path(path)?;
                self.check_pattern(path)?;
            }
            (InputKind::Enum(values), Value::String(text)) => {
                if !values.contains(text) {
                    let hint = suggest::hint(text, values.iter().map(String::as_str));
                    let message = format!("must be one of {}, not '{}'", values.join(", "), visible(text));
                    return Err(self.wrong(message, hint.filter(|hint| hint.starts_with("did"))));
                }
            }
            (InputKind::Integer, Value::Number(number)) if number.is_i64() => {}
            (InputKind::Number, Value::Number(_)) | (InputKind::Boolean, Value::Bool(_)) => {}
            (InputKind::Date, Value::String(text)) => {
                if text.len() != 10 || text.parse::<jiff::civil::Date>().is_err() {
                    let message = format!("must be {}, not '{}'", self.expected(), visible(text));
                    return Err(self.wrong(message, None));
                }
            }
            (InputKind::List, Value::Array(items)) => {
                for item in items {
                    match item {
                        Value::String(text) => self.check_pattern(text)?,
                        other => {
                            return Err(
                                self.wrong(format!("must be {}, but has {other}", self.expected()), None)
                            );
                        }
                    }
                }
            }
            (_, other) => {
                let shown = visible(&other.to_string());
                return Err(self.wrong(format!("must be {}, not {shown}", self.expected()), None));
            }
        }
        Ok(value)
    }

    /// What fits, in words.
    fn expected(&self) -> &'static str {
        match self.kind {
            InputKind::String => "a text",
            InputKind::File => "the path of a file",
            InputKind::Directory => "the path of a folder",
            InputKind::Enum(_) => "one of its values",
            InputKind::Integer => "a whole number",
            InputKind::Number => "a number",
            InputKind::Boolean => "true or false",
            InputKind::Date => "a date like 2026-01-31",
            InputKind::List => "a list of texts",
        }
    }

    fn check_path(&self, path: &str) -> Result<(), InputError> {
        if path.is_empty() || path.chars().any(char::is_control) {
            return Err(self.wrong(format!("must be {}, not '{}'", self.expected(), visible(path)), None));
        }
        Ok(())
    }

    fn check_pattern(&self, text: &str) -> Result<(), InputError> {
        let Some(pattern) = &self.pattern else { return Ok(()) };
        let fits = pattern_validator(pattern).is_ok_and(|validator| validator.is_valid(&Value::from(text)));
        if fits {
            return Ok(());
        }
        Err(self.wrong(format!("must match the pattern {pattern}, not '{}'", visible(text)), None))
    }

    fn wrong(&self, message: String, hint: Option<String>) -> InputError {
        InputError { input: self.name.clone(), message: format!("input '{}' {message}", self.name), hint }
    }
}

/// Something that decides whether texts match a regular expression (of the kind JSON Schema uses).
///
/// # Errors
/// What is wrong with the expression.
pub(super) fn pattern_validator(pattern: &str) -> Result<jsonschema::Validator, String> {
    jsonschema::validator_for(&json!({"type": "string", "pattern": pattern}))
        .map_err(|error| error.to_string())
}

/// Turns what was given into a value for every input: defaults are filled in, and what is neither given nor has a
/// default is null.
///
/// # Errors
/// Everything that is wrong: values that don't fit, names that are no inputs, required ones that are missing.
pub fn resolve_inputs(
    inputs: &[InputSpec],
    given: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, Vec<InputError>> {
    let (values, errors) = settle_inputs(inputs, given);
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// As [`resolve_inputs`], with the values of those inputs that nothing is wrong with beside what is wrong with the
/// others: for whoever has more to find out about the values, and wants to tell everything at once.
pub fn settle_inputs(
    inputs: &[InputSpec],
    mut given: BTreeMap<String, Value>,
) -> (BTreeMap<String, Value>, Vec<InputError>) {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for input in inputs {
        let value = match (given.remove(&input.name), &input.default) {
            (Some(value), _) if !value.is_null() => input.accept(value),
            (_, Some(default)) => Ok(default.clone()),
            (_, None) if input.required => Err(missing(input)),
            (_, None) => Ok(Value::Null),
        };
        match value {
            Ok(value) => {
                values.insert(input.name.clone(), value);
            }
            Err(error) => errors.push(error),
        }
    }
    errors.extend(given.into_keys().map(|name| InputError {
        message: format!("this workflow has no input '{}'", visible(&name)),
        hint: suggest::hint(&name, inputs.iter().map(|input| input.name.as_str())),
        input: name,
    }));
    (values, errors)
}

fn missing(input: &InputSpec) -> InputError {
    let purpose = input.description.as_ref().map(|text| format!(" ({})", visible(text))).unwrap_or_default();
    InputError {
        input: input.name.clone(),
        message: format!("input '{}' is missing{purpose}", input.name),
        hint: Some(format!("give it with --{} <{}>", input.flag(), input.kind.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(kind: InputKind) -> InputSpec {
        InputSpec {
            name: "an_input".into(),
            kind,
            description: None,
            required: false,
            default: None,
            pattern: None,
        }
    }

    #[test]
    fn texts_are_read_by_type() {
        let cases = [
            (InputKind::String, "a b", json!("a b")),
            (InputKind::File, "docs/x.md", json!("docs/x.md")),
            (InputKind::Integer, "-3", json!(-3)),
            (InputKind::Number, "1.5", json!(1.5)),
            (InputKind::Number, "2", json!(2)),
            (InputKind::Boolean, "Yes", json!(true)),
            (InputKind::Date, "2024-02-29", json!("2024-02-29")),
            (InputKind::List, "a, b,,c", json!(["a", "b", "c"])),
            (InputKind::List, "", json!([])),
            (InputKind::Enum(vec!["x".into()]), "x", json!("x")),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(input(kind).parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cases = [
            (InputKind::Integer, "1.5"),
            (InputKind::Integer, "99999999999999999999"),
            (InputKind::Number, "inf"),
            (InputKind::Boolean, "maybe"),
            (InputKind::Date, "2023-02-29"),
            (InputKind::Date, "2023-02-01T00:00"),
            (InputKind::File, ""),
            (InputKind::Directory, "a\nb"),
        ];
        for (kind, text) in cases {
            let error = input(kind).parse(text).expect_err(text);
            assert!(error.message.starts_with("input 'an_input' must be "), "{error}");
        }
        assert!(input(InputKind::List).accept(json!([1])).is_err());
        assert!(input(InputKind::String).accept(json!(1)).is_err());
    }

    #[test]
    fn enums_suggest() {
        let kind = InputKind::Enum(vec!["architecture".into(), "security".into()]);
        let error = input(kind).parse("architectur").expect_err("no value");
        assert_eq!(error.hint.as_deref(), Some("did you mean 'architecture'?"));
    }

    #[test]
    fn patterns_hold_for_texts_and_list_items() {
        let mut spec = input(InputKind::List);
        spec.pattern = Some("^[a-z]+$".into());
        assert!(spec.parse("a,b").is_ok());
        assert!(spec.parse("a,B").expect_err("no match").message.contains("must match the pattern"));
    }

    #[test]
    fn resolving_reports_everything_at_once() {
        let mut required = input(InputKind::Integer);
        required.required = true;
        let mut defaulted = input(InputKind::String);
        defaulted.name = "other".into();
        defaulted.default = Some(json!("d"));
        let specs = [required, defaulted];
        let given = BTreeMap::from([("othr".to_owned(), json!("x"))]);
        let (values, all) = settle_inputs(&specs, given.clone());
        assert_eq!(values, BTreeMap::from([("other".to_owned(), json!("d"))]));
        let errors = resolve_inputs(&specs, given).expect_err("two errors");
        assert_eq!(errors, all);
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0].hint.as_deref(), Some("give it with --an-input <integer>"));
        assert_eq!(errors[1].hint.as_deref(), Some("did you mean 'other'?"));
        let values =
            resolve_inputs(&specs, BTreeMap::from([("an_input".to_owned(), json!(1))])).expect("values");
        assert_eq!(values["other"], json!("d"));
    }
}
