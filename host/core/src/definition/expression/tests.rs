//! Tests of expressions: spellings, values, and errors with suggestions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::definition::{InputKind, InputSpec};

fn with_scope<T>(test: impl FnOnce(&Scope<'_>) -> T) -> T {
    let inputs = BTreeMap::from([
        ("perspective".to_owned(), json!("security")),
        ("rfc_path".to_owned(), json!("docs/rfc-0003-x.md")),
        ("count".to_owned(), json!(3)),
        ("note".to_owned(), Value::Null),
    ]);
    let spec = |name: &str, kind| InputSpec {
        name: name.into(),
        kind,
        description: None,
        required: false,
        default: None,
        pattern: None,
    };
    let specs = [spec("rfc_path", InputKind::File), spec("perspective", InputKind::String)];
    let result = json!({"z": 1, "a": 2, "blockers": [{"id": "b"}], "assessment": "APPROVE"});
    let outputs = BTreeMap::from([("result".to_owned(), result.clone())]);
    let stages = BTreeMap::from([
        ("review-security".to_owned(), StageView { status: "completed".into(), outputs }),
        ("skipped".to_owned(), StageView { status: "skipped".into(), outputs: BTreeMap::new() }),
    ]);
    test(&Scope {
        inputs: &inputs,
        input_specs: &specs,
        facts: RunFacts { workflow_id: "wf-1".into(), date: "2026-01-02".into(), workflow: "W".into() },
        stages: &stages,
        matrix: None,
        last_agent_result: Some(&result),
    })
}

fn value(text: &str) -> Result<Value, ExpressionError> {
    with_scope(|scope| Expression::parse(text)?.value(scope))
}

#[test]
fn names_stand_for_what_the_table_says() {
    for (text, expected) in [
        ("inputs.perspective", json!("security")),
        ("perspective", json!("security")),
        ("rfc_name", json!("rfc-0003-x")),
        ("workflow_id", json!("wf-1")),
        ("workflow", json!("W")),
        ("blockers_count", json!(1)),
        ("stages.review-security.status", json!("completed")),
        ("stages.review-{perspective}.outputs.result.assessment", json!("APPROVE")),
        ("stages.review-${inputs.perspective}.outputs.result.assessment", json!("APPROVE")),
        ("stages['review-' + inputs.perspective].outputs.result.blockers[0].id", json!("b")),
        ("note == null", json!(true)),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn expressions_compute() {
    for (text, expected) in [
        ("stages.review-security.outputs.result.blockers.size() > 0", json!(true)),
        ("count + 1", json!(4)),
        ("count - 1", json!(2)),
        ("'stages.a-b' + \"x\"", json!("stages.a-bx")),
        ("stages.review-security.outputs.result.blockers.map(b, b.id)", json!(["b"])),
        ("has(stages.review-security.outputs.result.nothing)", json!(false)),
        ("stages.skipped.status == 'completed' ? stages.skipped.outputs.result.x : 'none'", json!("none")),
        ("[1, 2].all(x, x > 0) && !has(inputs.nothing)", json!(true)),
        ("type(count) == int", json!(true)),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn objects_keep_their_order() {
    let text = value("stages.review-security.outputs.result").expect("a value").to_string();
    assert!(text.starts_with("{\"z\":1,\"a\":2"), "{text}");
    assert_eq!(value("{'b': 1, 'a': 2}").expect("a value").to_string(), "{\"a\":2,\"b\":1}");
}

#[test]
fn undefined_names_are_errors_with_suggestions() {
    for (text, hint) in [
        ("inputs.perspektive", "did you mean 'perspective'?"),
        ("perspektive + 'x'", "did you mean 'perspective'?"),
        ("stages.review-securty.status", "did you mean 'review-security'?"),
        ("stages.review-security.outputs.reslt", "did you mean 'result'?"),
        ("stages.review-security.outputs.result.asessment", "did you mean 'assessment'?"),
        ("blokers_count", "did you mean 'blockers_count'?"),
        ("stages.skipped.outputs.result", "guard it with stages['skipped'].status == 'completed'"),
        (
            "stages.review-security.result",
            "write stages.review-security.outputs.<output> or stages.review-security.status",
        ),
    ] {
        let error = value(text).expect_err(text);
        assert_eq!(error.hint.as_deref(), Some(hint), "{text}: {error}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    let long = "1 + ".repeat(2_000) + "1";
    let loops = "[1].map(a, [1].map(b, [1].map(c, 1)))";
    for text in [
        "",
        " ",
        "a +",
        "1 +* 2",
        "'x",
        "a = b",
        "a and b",
        "nope(1)",
        "a.matches('x')",
        &deep,
        &long,
        loops,
        "stages.review-{}.status",
        "stages.review-{x",
        "\u{0}",
        "a b",
        "T{a: 1}",
    ] {
        assert!(Expression::parse(text).is_err(), "{text}");
    }
    let error = Expression::parse("a and b").expect_err("not CEL");
    assert_eq!(error.hint.as_deref(), Some("CEL writes && and ||"));
    assert_eq!(
        Expression::parse("siz(a)").expect_err("unknown").hint.as_deref(),
        Some("did you mean 'size'?")
    );
}

#[test]
fn failing_operations_are_errors() {
    for text in
        ["1 / 0", "1 + 'a'", "[1][4]", "9223372036854775807 + 1", "count < 'a'", "size(count)", "1.0 / 0.0"]
    {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn objects_are_gone_through_in_the_order_of_their_keys() {
    let object = "{'d': 1, 'b': 2, 'a': 3, 'c': 4, 'e': 5, 'f': 6}";
    let keys = json!(["a", "b", "c", "d", "e", "f"]);
    for _ in 0..10 {
        assert_eq!(value(&format!("{object}.map(k, k)")), Ok(keys.clone()));
        assert_eq!(value(&format!("[{object}].map(o, o.filter(k, k != 'z'))[0]")), Ok(keys.clone()));
        assert_eq!(value("[[2, 1].map(n, n)].map(l, l)"), Ok(json!([[2, 1]])));
    }
    assert_eq!(
        value(&format!("{object}.exists(k, k == 'c') && {object}.all(k, size(k) == 1)")),
        Ok(json!(true))
    );
}

#[test]
fn what_is_wrong_is_said_without_the_values() {
    for (text, words) in [
        ("{'a': 1} % 3 == 0", "the operator 'rem' does not go with map and int"),
        ("[1]['a']", "applied to '(list, string)'"),
        ("{'secret': 1} < 1", "applied to '(map, int)'"),
    ] {
        let error = value(text).expect_err(text);
        assert!(error.message.contains(words), "{text}: {}", error.message);
    }
}

#[test]
fn truth_is_a_boolean() {
    with_scope(|scope| {
        let truth = |text| Expression::parse(text).expect("an expression").truth(scope);
        assert_eq!(truth("count == 3"), Ok(true));
        assert!(truth("count").expect_err("a number").message.contains("is a number, not true or false"));
    });
}

#[test]
fn names_are_known_before_evaluation() {
    let names = |text| Expression::parse(text).expect("an expression").names();
    assert_eq!(
        names("inputs.a == stages.b-c.outputs.d.e.size() && date != x"),
        ["inputs.a", "stages.b-c.outputs.d.e", "date", "x"]
    );
    assert_eq!(names("stages.r-{p}.outputs.x.map(i, i.y + z)"), ["stages.r-{p}.outputs.x", "inputs.p", "z"]);
    assert_eq!(names("has(a.b.c) || string == type('')"), ["a.b"]);
}

#[test]
fn the_worst_within_the_limits_is_read_and_evaluated() {
    for text in [
        "1+".repeat(990) + "1",
        "a".to_owned() + &"[0]".repeat(660),
        "a".to_owned() + &".size()".repeat(280),
        "[".repeat(32) + &"]".repeat(32),
        "true?1:".repeat(280) + "1",
        "-".repeat(1_900) + "1",
    ] {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = with_scope(|scope| expression.value(scope));
            let _ = expression.clone();
        }
    }
    assert_eq!(value(&("1+".repeat(400) + "1")), Ok(json!(401)));
}

#[test]
fn equal_sources_are_equal_expressions() {
    assert_eq!(Expression::parse(" a "), Expression::parse("a"));
    assert_ne!(Expression::parse("a"), Expression::parse("b"));
}
