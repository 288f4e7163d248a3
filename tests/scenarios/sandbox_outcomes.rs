//! What a plugin answers: questions, errors and faults are values with a type, shown to the user as what they are.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::sandbox::{
    PLUGIN, act, assert_failure, failure_of, guest, guest_place, results, run_of, single, with_manifest,
};

/// A run that waits, and its id.
#[track_caller]
fn waiting(place: &Place, config: Value) -> String {
    run_of(&act(place, config).code(3))
}

fn submit(place: &Place, run: &str, answer: &str) -> docket_tests::Output {
    let file = place.home().join("answer.json");
    std::fs::write(&file, answer).expect("written");
    place.run_or_kill(&["workflow", "submit", run, "--file", &file.display().to_string()])
}

#[test]
fn a_question_waits_for_an_answer_that_fits() {
    let place = guest_place();
    let run = waiting(&place, json!({ "act": "wait", "prompt": "How many?" }));
    let status = place.status(&run);
    assert_eq!(status["status"], "waiting");
    assert_eq!(status["stages"][0]["question"]["prompt"], "How many?");
    place.run(&["workflow", "status", &run]).success().prints("How many?");
    for (answer, word) in
        [("{\"answer\": \"two\"}", "answer"), ("{}", "answer"), ("[]", "object"), ("{", "JSON")]
    {
        let refused = submit(&place, &run, answer).code(2);
        assert!(refused.stderr.contains(word), "no '{word}' in {}", refused.stderr);
        assert_eq!(place.status(&run)["status"], "waiting", "a bad answer was taken");
    }
    submit(&place, &run, "{\"answer\": 2}").success();
    assert_eq!(results(&place, &run)["s"], json!({ "answer": 2 }));
    submit(&place, &run, "{\"answer\": 2}").success();
    submit(&place, &run, "{\"answer\": 3}").code(5);
    assert_eq!(results(&place, &run)["s"], json!({ "answer": 2 }));
}

/// A schema that is none would refuse every answer, or take every one.
#[test]
fn a_question_with_a_schema_that_is_none_fails_the_stage() {
    let place = guest_place();
    for schema in [json!({ "type": 5 }), json!({ "type": "unheard-of" }), json!([1])] {
        let output = act(&place, json!({ "act": "wait", "schema": schema }));
        assert_eq!(output.code, 1, "{schema}: {}", output.stderr);
        assert!(output.stderr.contains("schema"), "{}", output.stderr);
    }
}

#[test]
fn what_a_stage_proposed_before_it_asked_is_not_written() {
    let place = guest_place();
    let run = waiting(&place, json!({ "act": "wait" }));
    submit(&place, &run, "{\"answer\": 1}").success();
    assert!(!place.project().join("out").exists());
}

#[test]
fn an_error_is_shown_with_its_code_and_hint() {
    let place = guest_place();
    let failure = failure_of(
        &place,
        json!({ "act": "fail", "code": "source-missing", "message": "'x.md' is not there", "hint": "create x.md", "retryable": true }),
    );
    let expected = json!({ "code": "source-missing", "message": "'x.md' is not there", "hint": "create x.md", "retryable": true });
    assert_eq!(failure, expected);
    let run = place.only_run();
    place
        .run(&["workflow", "status", &run])
        .success()
        .prints("'x.md' is not there [source-missing]")
        .prints("create x.md");
    place.run(&["workflow", "logs", &run]).success().prints("[source-missing]");
    let bare = failure_of(&place, json!({ "act": "fail" }));
    assert_eq!(bare, json!({ "code": "asked-to-fail", "message": "it was asked to fail" }));
}

#[test]
fn an_error_can_be_odd_but_does_no_harm() {
    let place = guest_place();
    let odd = json!({ "act": "fail", "code": "\u{1b}[31mx y\n", "message": "a\u{1b}]0;t\u{7}b\nc\u{9b}2Jd\u{202e}e", "hint": "h\u{1b}[2Ji" });
    let failure = failure_of(&place, odd);
    assert_eq!(failure, json!({ "code": "31mxy", "message": "ab\ncde", "hint": "hi" }));
    let failure =
        failure_of(&place, json!({ "act": "fail", "code": "", "message": "" , "hint": "" }).clone());
    assert_eq!(failure["code"], "stage-failed");
    assert!(
        failure["message"].as_str().is_some_and(|message| !message.is_empty()),
        "an error without a word: {failure}"
    );
}

#[test]
fn a_very_long_error_is_cut() {
    let place = guest_place();
    let long = "long ".repeat(50_000);
    let output = act(&place, json!({ "act": "fail", "message": long, "hint": long })).code(1);
    assert!(output.stderr.len() < 150_000, "{} bytes on standard error", output.stderr.len());
    let failure = place.status(&run_of(&output))["stages"][0]["failure"].clone();
    for field in ["message", "hint"] {
        let text = failure[field].as_str().expect("a text");
        assert!(
            text.starts_with("long long ") && text.ends_with("… (cut)") && text.len() < 50_000,
            "{}",
            text.len()
        );
    }
}

#[test]
fn a_result_nested_too_deep_is_a_failure() {
    let place = guest_place();
    let failure = failure_of(&place, json!({ "act": "nest", "depth": 1000 }));
    assert_failure(&failure, "result-unreadable", &["'test-guest'", "recursion limit"]);
    act(&place, json!({ "act": "nest", "depth": 50 })).success();
}

/// Definitions are checked against what manifests promise.
#[test]
fn a_result_that_is_not_what_the_manifest_promises_is_a_failure() {
    let place = guest_place();
    let promise =
        json!({ "type": "object", "required": ["ok"], "properties": { "ok": { "type": "integer" } } });
    place.write(PLUGIN, with_manifest(&guest(), |manifest| manifest["stages"][0]["result"] = promise));
    let failure = failure_of(&place, json!({ "act": "read", "path": "/project/docs/a.md" }));
    assert_failure(&failure, "result-invalid", &["'test-guest'", "manifest", "'/ok'"]);
    assert_eq!(failure["rejected"], json!({ "ok": "granted\n" }), "what the plugin gave is lost");
    act(&place, json!({ "act": "write", "path": "out/a", "content": "x" })).success();
}

#[test]
fn what_a_plugin_finds_wrong_with_a_config_is_a_fault_of_the_definition() {
    let place = guest_place();
    place.trusted_definition("acts", &single(&json!({ "act": "faulty" })));
    for command in
        [&["workflow", "check"][..], &["workflow", "check", "acts"], &["workflow", "start", "acts"]]
    {
        let output = place.run_or_kill(command).code(2);
        assert!(output.stderr.contains("the act is faulty, as asked"), "{}", output.stderr);
        assert!(output.stderr.contains("choose another act"), "{}", output.stderr);
        assert!(output.stderr.contains("acts.yml:1:"), "{}", output.stderr);
    }
    assert_eq!(place.runs(), Vec::<String>::new());
}

#[test]
fn a_plugin_that_is_not_trusted_is_not_asked_about_a_config() {
    let place = guest_place();
    place.write(crate::sandbox::DEFINITION, single(&json!({ "act": "faulty" })));
    place.run_or_kill(&["workflow", "check"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).code(4);
}

#[test]
fn while_it_checks_a_plugin_sees_no_file_and_says_nothing() {
    let place = guest_place();
    place.trusted_definition(
        "acts",
        &single(&json!({ "act": "read-in-check", "path": "/project/docs/a.md" })),
    );
    let output = place.run_or_kill(&["workflow", "check", "acts"]).code(2);
    assert!(output.stderr.contains("read: {\"error\""), "{}", output.stderr);
    assert!(output.stderr.contains("write: {\"error\""), "{}", output.stderr);
    assert!(!output.stderr.contains("granted\\n") && !output.stderr.contains('\u{1b}'), "{}", output.stderr);
}

#[test]
fn a_plugin_that_does_not_end_its_check_is_stopped() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cpu: 1 }\n");
    place.trusted_definition("acts", &single(&json!({ "act": "loop-in-check" })));
    let output = place.run_or_kill(&["workflow", "check", "acts"]).code(2);
    assert!(output.stderr.contains("'test-guest'") && output.stderr.contains("CPU"), "{}", output.stderr);
    place.trusted_definition("acts", &single(&json!({ "act": "panic-in-check" })));
    let output = place.run_or_kill(&["workflow", "check", "acts"]).code(2);
    assert!(output.stderr.contains("'test-guest' crashed"), "{}", output.stderr);
}
