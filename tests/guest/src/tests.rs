//! The acts that mean something outside a sandbox too; the others are tested where the sandbox is.

use super::*;

fn request(config: &Value) -> Request {
    serde_json::from_value(json!({
        "run": "wf-1", "workflow": "W", "stage": "s", "type": "test", "attempt": 1, "date": "2026-11-22",
        "config": config, "inputs": { "a": 1 },
        "references": { "source": { "stage": "x", "output": "y", "path": "/in/nowhere.json" } },
    }))
    .expect("a request")
}

fn done(config: &Value) -> Value {
    match Guest::run(&request(config)).expect("an outcome") {
        Outcome::Completed(result) => result,
        Outcome::Waiting(question) => panic!("waits: {question:?}"),
    }
}

#[test]
fn echo_tells_what_the_request_said() {
    let result = done(&json!({ "act": "echo", "more": [1] }));
    assert_eq!(result["config"]["more"], json!([1]));
    assert_eq!(result["inputs"], json!({ "a": 1 }));
    assert_eq!(result["references"]["source"]["read"], json!({ "error": "reference-unreadable" }));
}

#[test]
fn errors_of_files_are_results() {
    for config in [
        json!({ "act": "read", "path": "/no/such/file" }),
        json!({ "act": "list", "path": "/no/such/folder" }),
        json!({ "act": "cache-read", "path": "x" }),
    ] {
        assert!(done(&config)["error"].is_string(), "{config}");
    }
    assert!(done(&json!({ "act": "list", "path": "/" }))["ok"].is_array());
}

#[test]
fn failing_and_waiting_do_as_told() {
    let error = Guest::run(&request(
        &json!({ "act": "fail", "code": "c", "message": "m", "hint": "h", "retryable": true }),
    ));
    assert_eq!(error, Err(Error::new("c", "m").hint("h").retryable()));
    let Ok(Outcome::Waiting(question)) = Guest::run(&request(&json!({ "act": "wait" }))) else {
        panic!("no question")
    };
    assert_eq!(question.schema.expect("a schema")["required"], json!(["answer"]));
}

#[test]
fn what_is_wrong_with_the_config_is_an_error() {
    let code = |config: &Value| Guest::run(&request(config)).expect_err("wrong").code;
    assert_eq!(code(&json!({ "act": "dance" })), "act-unknown");
    assert_eq!(code(&json!({ "act": "read" })), "config-invalid");
    assert_eq!(code(&json!({})), "config-invalid");
    let spawned = code(&json!({ "act": "spawn", "program": "x" }));
    assert_eq!(spawned, if cfg!(feature = "spawn") { "command-not-granted" } else { "built-without-spawn" });
}

#[test]
fn sizes_are_kept() {
    assert_eq!(
        done(&json!({ "act": "big-result", "bytes": 1000 }))["text"].as_str().map(str::len),
        Some(1000)
    );
    assert_eq!(done(&json!({ "act": "log", "lines": 3, "length": 20 })), json!({ "lines": 3 }));
    assert!(done(&json!({ "act": "grow" }))["bytes"].as_u64() > Some(0));
    assert!(done(&json!({ "act": "sleep", "seconds": 0.01 }))["slept"].as_f64() >= Some(0.01));
    assert_eq!(done(&json!({ "act": "sleep", "seconds": -1 })).get("slept"), None);
}

#[test]
fn a_fault_is_found_when_asked_for() {
    let pointers = |act: &str| -> Vec<String> {
        Guest::check("test", &json!({ "act": act })).into_iter().map(|fault| fault.pointer).collect()
    };
    assert_eq!(pointers("faulty"), ["/act"]);
    assert_eq!(pointers("echo"), Vec::<String>::new());
}
