//! Questions as `approval` asks them, held against the validator that docket uses, and forms it refuses.

use docket_plugin::{Value, json};

use super::*;

fn request(stage: &str, config: &Value) -> Request {
    serde_json::from_value(json!({
        "run": "wf-1a2b", "workflow": "RFC Review", "stage": stage, "type": "approval", "attempt": 1,
        "date": "2026-11-22", "config": config, "inputs": {},
    }))
    .expect("a request")
}

fn question_of(stage: &str, config: &Value) -> (String, Value) {
    match Approval::run(&request(stage, config)).expect("an outcome") {
        Outcome::Waiting(question) => (question.prompt, question.schema.expect("a schema")),
        Outcome::Completed(result) => panic!("completed with {result}"),
    }
}

/// A form with a reference within itself.
fn form() -> Value {
    json!({
        "type": "object", "required": ["severity", "owner"], "additionalProperties": false,
        "properties": {
            "severity": { "enum": ["low", "high"], "description": "How bad\nit is" },
            "owner": { "$ref": "#/$defs/person" },
            "days": { "type": ["integer", "null"] },
        },
        "$defs": { "person": { "type": "string", "minLength": 1 } },
    })
}

#[track_caller]
fn assert_fits(schema: &Value, value: &Value, fits: bool) {
    let validator = jsonschema::validator_for(schema).expect("a usable schema");
    assert_eq!(validator.is_valid(value), fits, "{value} against {schema}");
}

#[test]
fn a_person_is_told_what_is_asked_and_how_to_answer() {
    let (prompt, _) = question_of("agree", &json!({ "prompt": "Set the status of docs/a.md?\n\n" }));
    assert_eq!(
        prompt,
        "Set the status of docs/a.md?\n\n\
         Approve it, and the run goes on:\n    docket workflow approve wf-1a2b --stage agree [--comment TEXT]\n\
         Reject it: this stage fails or, with --to, earlier work is done again with the comment:\n    \
         docket workflow reject wf-1a2b --stage agree [--to STAGE] [--comment TEXT]\n"
    );
}

#[test]
fn the_form_and_its_fields_are_shown() {
    let (prompt, _) = question_of("agree", &json!({ "prompt": "Release?", "form": form() }));
    for expected in [
        "approve wf-1a2b --stage agree --form form.json [--comment TEXT]\n",
        "  severity (low | high): How bad it is\n",
        "  owner (text)\n",
        "  days (whole number or null, optional)\n",
    ] {
        assert!(prompt.contains(expected), "'{expected}' is missing in:\n{prompt}");
    }
    let (prompt, _) = question_of("agree", &json!({ "prompt": "Release?", "form": { "type": "object" } }));
    assert!(prompt.ends_with("one JSON object:\n  any object\n"), "{prompt}");
}

#[test]
fn names_of_stages_can_be_pasted_into_a_shell() {
    let (prompt, _) = question_of("it's; rm -rf $HOME", &json!({ "prompt": "Go on?" }));
    assert!(prompt.contains(r"--stage 'it'\''s; rm -rf $HOME' ["), "{prompt}");
}

#[test]
fn without_a_form_an_approval_is_all_there_is_to_say() {
    let (_, schema) = question_of("agree", &json!({ "prompt": "Go on?" }));
    for answer in [
        json!({ "approved": true }),
        json!({ "approved": true, "comment": "fine", "by": "ann", "form": null }),
        json!({ "approved": true, "comment": null, "by": null }),
    ] {
        assert_fits(&schema, &answer, true);
    }
    for answer in [
        json!({}),
        json!(true),
        json!({ "approved": false }),
        json!({ "approved": "true" }),
        json!({ "approved": true, "comment": 1 }),
        json!({ "approved": true, "form": { "a": 1 } }),
        json!({ "approved": true, "verdict": "good" }),
    ] {
        assert_fits(&schema, &answer, false);
    }
}

#[test]
fn a_form_must_be_filled_in_as_its_schema_says() {
    let (_, schema) = question_of("agree", &json!({ "prompt": "Go on?", "form": form() }));
    let answer = |form: Value| json!({ "approved": true, "form": form });
    assert_fits(&schema, &answer(json!({ "severity": "low", "owner": "ann", "days": null })), true);
    for wrong in [
        json!({ "severity": "low" }),
        json!({ "severity": "middling", "owner": "ann" }),
        json!({ "severity": "low", "owner": "" }),
        json!({ "severity": "low", "owner": "ann", "more": 1 }),
        json!(null),
        json!([]),
    ] {
        assert_fits(&schema, &answer(wrong), false);
    }
    assert_fits(&schema, &json!({ "approved": true }), false);
}

#[test]
fn a_form_that_only_has_properties_is_an_object_all_the_same() {
    let form = json!({ "properties": { "a": { "type": "integer" } } });
    let (_, schema) = question_of("agree", &json!({ "prompt": "Go on?", "form": form }));
    assert_fits(&schema, &json!({ "approved": true, "form": { "a": 1 } }), true);
    assert_fits(&schema, &json!({ "approved": true, "form": "a" }), false);
}

#[test]
fn an_answer_is_what_the_manifest_promises() {
    let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
    assert_eq!(manifest.get("capabilities"), None);
    let result = &manifest["stages"][0]["result"];
    assert_fits(result, &json!({ "approved": true, "comment": null, "form": { "a": 1 }, "by": "ann" }), true);
    assert_fits(result, &json!({ "approved": "yes" }), false);
    let config = &manifest["stages"][0]["config"];
    assert_fits(config, &json!({ "prompt": "Go on?", "form": form() }), true);
    assert_fits(config, &json!({ "prompt": "" }), false);
    assert_fits(config, &json!({ "form": form() }), false);
}

/// The faults of a form: pointer and message.
fn faults(form: Value) -> Vec<(String, String)> {
    let faults = Approval::check("approval", &json!({ "prompt": "Go on?", "form": form }));
    faults
        .into_iter()
        .map(|fault| {
            assert!(fault.hint.is_some(), "{fault:?}");
            (fault.pointer, fault.message)
        })
        .collect()
}

#[test]
fn forms_that_can_be_used_are_left_alone() {
    for good in [
        form(),
        json!({ "type": "object" }),
        json!({ "properties": {} }),
        json!({ "type": "object", "properties": { "a": true, "b/c": { "type": "array", "items": { "type": "string" } } } }),
        // Expressions have no value yet.
        json!("${{ inputs.form }}"),
        json!({ "type": "object", "properties": { "a": { "type": "${{ inputs.kind }}" } } }),
    ] {
        assert_eq!(faults(good.clone()), [], "{good}");
    }
    assert_eq!(Approval::check("approval", &json!({ "prompt": "Go on?" })), []);
}

#[test]
fn forms_that_can_not_be_used_are_refused_with_their_place() {
    for (form, pointer, message) in [
        (json!([]), "/form", "the form is no JSON Schema of an object"),
        (json!({ "type": "array" }), "/form/type", "a form is an object"),
        (json!({ "type": ["object", "null"] }), "/form/type", "a form is an object"),
        (json!({ "fields": {} }), "/form", "the form has no `properties`, so there is nothing to fill in"),
        (json!({ "properties": [] }), "/form/properties", "`properties` must be an object"),
        (
            json!({ "properties": { "a/b": { "type": "strnig" } } }),
            "/form/properties/a~1b/type",
            "there is no type 'strnig'",
        ),
        (json!({ "properties": { "a": 1 } }), "/form/properties/a", "this is no JSON Schema"),
        (
            json!({ "properties": { "a": { "items": { "anyOf": [{ "type": 1 }] } } } }),
            "/form/properties/a/items/anyOf/0/type",
            "there is no type '1'",
        ),
        (
            json!({ "properties": { "owner": {} }, "required": ["ower"] }),
            "/form/required/0",
            "'ower' is required and not among the properties",
        ),
        (json!({ "properties": {}, "required": true }), "/form/required", "`required` must be a list"),
        (
            json!({ "properties": { "a": { "$ref": "https://host/schema.json" } } }),
            "/form/properties/a/$ref",
            "'https://host/schema.json' is outside the form",
        ),
    ] {
        assert_eq!(faults(form.clone()), [(pointer.to_owned(), message.to_owned())], "{form}");
    }
}

#[test]
fn a_form_that_contains_itself_or_is_very_deep_ends() {
    let deep = (0..200).fold(json!({ "type": "string" }), |inner, _| json!({ "properties": { "a": inner } }));
    assert_eq!(faults(deep), []);
    let circular = json!({ "type": "object", "properties": { "child": { "$ref": "#" } } });
    let (_, schema) = question_of("agree", &json!({ "prompt": "Go on?", "form": circular }));
    assert_fits(&schema, &json!({ "approved": true, "form": { "child": { "child": {} } } }), true);
    assert_fits(&schema, &json!({ "approved": true, "form": { "child": { "child": 1 } } }), false);
}

#[test]
fn a_form_that_became_useless_when_its_expressions_got_values_is_refused() {
    let error = Approval::run(&request("agree", &json!({ "prompt": "Go on?", "form": "not a form" })))
        .expect_err("no form");
    assert_eq!(error.code, "form-invalid");
    assert!(error.message.contains("'agree'") && error.message.contains("/form"), "{}", error.message);
    assert!(error.hint.is_some());
}
