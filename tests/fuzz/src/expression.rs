//! Expressions and texts with expressions in them: any text.
//!
//! What holds: reading and evaluating the same twice gives the same. What is read keeps its source. A value that is put
//! into a text is never read as an expression again. Texts without `$` and `{` are taken as they are. A mistake has
//! words, and not too many.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use docket_core::definition::{
    Expression, ExpressionError, InputKind, InputSpec, RunFacts, Scope, StageView, Template, output_path,
};
use serde_json::{Map, Value, json};

use crate::text;

/// A value that would be something else if it were read again.
const TRICKY: &str = "{date} ${date} ${{ 1 + 1 }}";

/// Longest message that makes sense, in characters: an expression, which has 2,000 bytes at most, and a few words.
const LONGEST_MESSAGE: usize = 5_000;

struct Names {
    inputs: BTreeMap<String, Value>,
    specs: Vec<InputSpec>,
    stages: BTreeMap<String, StageView>,
    matrix: Map<String, Value>,
    result: Value,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let result = json!({ "blockers": [{ "id": "B-1", "n": 1 }], "minor": [], "summary": "fine", "n": 7 });
    let outputs =
        BTreeMap::from([("result".to_owned(), result.clone()), ("list".to_owned(), json!([3, 1, 2]))]);
    Names {
        inputs: BTreeMap::from([
            ("rfc_path".to_owned(), json!("docs/rfc-1.md")),
            ("perspective".to_owned(), json!("security")),
            ("n".to_owned(), json!(3)),
            ("ratio".to_owned(), json!(1.5)),
            ("large".to_owned(), json!(u64::MAX)),
            ("none".to_owned(), Value::Null),
            ("items".to_owned(), json!(["a", 1, { "b": [true] }])),
            ("tricky".to_owned(), json!(TRICKY)),
        ]),
        specs: vec![InputSpec {
            name: "rfc_path".into(),
            kind: InputKind::File,
            description: None,
            required: true,
            default: None,
            pattern: None,
        }],
        stages: BTreeMap::from([
            ("review-security".to_owned(), StageView { status: "completed".into(), outputs }),
            ("later".to_owned(), StageView { status: "skipped".into(), outputs: BTreeMap::new() }),
        ]),
        matrix: json!({ "side": "left", "n": 2 }).as_object().cloned().unwrap_or_default(),
        result,
    }
});

fn scope(names: &Names) -> Scope<'_> {
    Scope {
        inputs: &names.inputs,
        input_specs: &names.specs,
        facts: RunFacts { workflow_id: "wf-aaaaaa".into(), date: "2026-01-02".into(), workflow: "W".into() },
        stages: &names.stages,
        matrix: Some(&names.matrix),
        last_agent_result: Some(&names.result),
    }
}

/// Runs the target: the first byte chooses between an expression alone and a text with expressions.
pub fn expression(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let Some(text) = text(rest) else { return };
    if mode.is_multiple_of(2) { alone(text) } else { within(text) }
}

/// The value; a mistake has words that fit on a screen. They quote the author's own text as it is, and are made harmless
/// where they are shown: see the target `definition`.
fn told<T>(what: Result<T, ExpressionError>) -> Option<T> {
    what.inspect_err(|error| {
        assert!(!error.message.is_empty(), "a mistake without words");
        assert!(error.message.chars().count() <= LONGEST_MESSAGE, "a long message: {}", error.message);
    })
    .ok()
}

fn alone(text: &str) {
    let Some(expression) = told(Expression::parse(text)) else { return };
    assert_eq!(expression.source(), text.trim());
    let again = Expression::parse(expression.source()).expect("its source can be read");
    assert_eq!(again.names(), expression.names());
    let scope = scope(&NAMES);
    let value = expression.value(&scope);
    assert_eq!(value, again.value(&scope), "evaluated twice: {text}");
    let truth = expression.truth(&scope);
    assert_eq!(truth.ok(), told(value).and_then(|value| value.as_bool()), "a boolean is true or false");
}

fn within(text: &str) {
    let Some(template) = told(Template::parse(text)) else { return };
    assert_eq!(template.source(), text);
    let scope = scope(&NAMES);
    let value = template.render(&scope);
    assert_eq!(value, template.render(&scope), "rendered twice: {text}");
    if !text.contains(['$', '{']) {
        assert_eq!(value, Ok(Value::from(text)), "a text without expressions is taken as it is");
    }
    if let (Some(literal), Ok(value)) = (template.literal(), &value) {
        assert_eq!(value, literal, "a literal is its own value");
    }
    let Some(value) = told(value) else { return };
    assert!(template.is_value() || value.is_string(), "more than one expression gives a text");
    if let Some(path) = told(output_path(&template, &scope)) {
        let stays = !path.starts_with('/') && !path.split('/').any(|part| matches!(part, "" | "." | ".."));
        assert!(stays, "an output's path leaves its folder: {path:?}");
    }
    // Whatever stands around it, the value comes out as it is.
    if let Ok(around) = Template::parse(&format!("{{tricky}}{}", text.trim_start_matches('}')))
        && let Ok(rendered) = around.text(&scope)
    {
        assert!(rendered.starts_with(TRICKY), "a value was read as an expression: {rendered:?}");
    }
}
