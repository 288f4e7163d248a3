//! `docket plugin check` and `pack` through the real binary: what is wrong with a component is all said at once, what
//! a plugin does in its sandbox is judged, and nothing of the user's is touched.

use docket_tests::{Output, Place};
use serde_json::{Value, json};

use crate::sandbox::{guest, guest_with_spawn, replaced, with_manifest, with_section};
use crate::{DOCKET, place};

/// A place that is no project: none is needed.
fn bare() -> Place {
    Place::without_project(DOCKET)
}

#[track_caller]
fn check(place: &Place, component: impl AsRef<[u8]>) -> Output {
    place.write("x.wasm", component);
    place.run_or_kill(&["plugin", "check", "x.wasm", "--output", "json"])
}

/// The findings of a component, as code and place, after its exit code was held against them.
#[track_caller]
fn findings(component: impl AsRef<[u8]>) -> Vec<(String, String, Value)> {
    let output = check(&bare(), component);
    let shape = output.json();
    let list = shape["findings"].as_array().expect("findings").clone();
    let bad = list.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(output.code, if bad { 2 } else { 0 }, "{list:#?}");
    assert_eq!(shape["ok"], !bad);
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    for finding in &list {
        assert!(!text(finding, "what").is_empty() && !text(finding, "fix").is_empty(), "{finding}");
    }
    // The guest tries the network on purpose.
    list.into_iter()
        .map(|finding| (text(&finding, "code"), text(&finding, "where"), finding))
        .filter(|(code, ..)| code != "sockets")
        .collect()
}

#[track_caller]
fn codes(component: impl AsRef<[u8]>) -> Vec<String> {
    findings(component).into_iter().map(|(code, ..)| code).collect()
}

/// The guest with a manifest that has room for more, and one config to be tried with.
fn trying(config: &Value) -> Vec<u8> {
    with_manifest(&guest(), |manifest| {
        manifest["description"] = json!("d");
        manifest["stages"][0]["description"] = json!("d");
        let schema = json!({ "type": "object", "examples": [config] });
        manifest["stages"][0]["config"] = schema;
    })
}

#[test]
fn a_good_component_has_nothing_to_mend() {
    let place = bare();
    let output = check(
        &place,
        with_manifest(&guest(), |manifest| {
            manifest["stages"][0]["config"]["additionalProperties"] = json!(false);
        }),
    )
    .success();
    let shape = output.json();
    // The guest tries the network on purpose, and is told that there is none.
    assert_eq!(shape["findings"].as_array().map(Vec::len), Some(1), "{shape:#}");
    assert_eq!(shape["findings"][0]["code"], "sockets");
    assert_eq!(shape["findings"][0]["severity"], "warning");
    assert_eq!(shape["name"], "test-guest");
    assert!(shape["asks_for"].as_array().expect("a list").contains(&json!("read docs")));
    assert!(shape["times"]["compile_ms"].is_u64());
    assert_eq!(shape["stages"][0]["type"], "test");
    place
        .run_or_kill(&["plugin", "check", "x.wasm"])
        .success()
        .prints("test-guest 0.1.0")
        .prints("compiled in");
    // Neither a project nor a grant came of it.
    assert!(!place.project().join(".docket").exists());
    assert!(!place.docket_home().join("plugins").exists());
}

#[test]
fn what_is_no_plugin_is_told_apart() {
    let component = guest();
    assert_eq!(codes(b"hello"), ["not-wasm"]);
    assert_eq!(codes(b""), ["not-wasm"]);
    assert_eq!(codes(b"\0asm\x01\0\0\0"), ["core-module"]);
    assert_eq!(codes(std::fs::read(DOCKET).expect("docket")), ["native-code"]);
    assert_eq!(codes(b"\0asm\x0d\0\x01\0"), ["no-manifest", "no-stage"]);
    assert!(codes(&component[..component.len() / 2]).contains(&"unreadable".to_owned()));
    let twice = with_section(&component, "docket:manifest", b"{}");
    assert_eq!(codes(twice), ["several-manifests"]);
    bare().run(&["plugin", "check", "none.wasm"]).code(2).says("none.wasm");
}

/// Faults of the manifest, of what is asked for and of the imports, together.
#[test]
fn everything_is_said_at_once() {
    let component = with_manifest(&guest_with_spawn(), |manifest| {
        manifest["description"] = json!("");
        manifest["capabilities"] = json!({ "read": ["../x"], "write": [".git/x"], "reed": [] });
        manifest["stages"][0]["result"] = json!({ "type": 7 });
    });
    let component = replaced(&component, "wasi:random/", "wasi:radnom/");
    let found = findings(component);
    for (code, place) in [
        ("bad-capability", "manifest /capabilities/read/0"),
        ("bad-capability", "manifest /capabilities/write/0"),
        ("unknown-key", "manifest /capabilities/reed"),
        ("bad-schema", "manifest /stages/0/result/type"),
        ("exec-not-asked", "manifest /capabilities/exec"),
        ("no-description", "manifest /description"),
    ] {
        assert!(found.iter().any(|(c, p, _)| c == code && p == place), "no {code} at {place}: {found:#?}");
    }
    assert!(
        found.iter().any(|(code, place, _)| code == "unknown-import" && place.contains("radnom")),
        "{found:#?}"
    );
}

#[test]
fn contracts_that_nobody_has_are_named() {
    let found = findings(replaced(&guest(), "docket:stage/report@0.1.0", "docket:stage/report@0.9.7"));
    let import = found.iter().find(|(code, ..)| code == "unknown-contract").expect("found");
    assert!(import.1.contains("docket:stage/report@0.9.7") && import.2["what"].to_string().contains("0.1.0"));
}

/// What a plugin does when it is tried, each with what is said about it.
#[test]
fn what_goes_wrong_in_the_sandbox_is_found() {
    for (config, code, place) in [
        (json!({ "act": "panic-in-check" }), "plugin-crashed", "check of 'test'"),
        // Which of the two limits comes first depends on what else the machine does.
        (json!({ "act": "loop-in-check" }), "cpu-limit timeout", "check of 'test'"),
        (json!({ "act": "panic" }), "plugin-crashed", "run of 'test'"),
        (json!({ "act": "write", "path": "elsewhere/a.md", "content": "a" }), "not-granted", "run of 'test'"),
        (
            json!({ "act": "write-link", "path": "out/a.md", "target": "b.md" }),
            "proposal-refused",
            "run of 'test'",
        ),
        (json!({ "act": "sleep", "seconds": 0.001 }), "not-repeatable", "run of 'test'"),
    ] {
        let found = findings(trying(&config));
        assert!(
            found.iter().any(|(c, p, _)| code.split(' ').any(|code| c == code) && p.contains(place)),
            "no {code} for {config}: {found:#?}"
        );
    }
}

/// An error of the plugin's is an answer, and so is a question; a file that it asks to write is one, too.
#[test]
fn an_error_a_question_and_a_proposal_are_fine() {
    for (config, ending) in [
        (json!({ "act": "fail", "code": "timeout", "message": "m" }), "error timeout: m"),
        (json!({ "act": "wait" }), "waits: "),
        (json!({ "act": "write", "path": "out/a.md", "content": "a" }), "completed, proposing 1 file(s)"),
    ] {
        let output = check(&bare(), trying(&config)).success();
        let shape = output.json();
        assert_eq!(shape["findings"].as_array().map(Vec::len), Some(1), "{config}: {shape:#}");
        assert!(shape["stages"][0]["ended"].as_str().expect("a text").starts_with(ending), "{shape:#}");
    }
}

#[test]
fn a_result_must_fit_its_schema() {
    let component = with_manifest(&guest(), |manifest| {
        manifest["description"] = json!("d");
        manifest["stages"][0]["config"] = json!({ "type": "object", "examples": [{ "act": "echo" }] });
        manifest["stages"][0]["result"] = json!({ "type": "object", "required": ["words"] });
    });
    let found = findings(component);
    let broken = found.iter().find(|(code, ..)| code == "result-schema").expect("found");
    assert!(broken.2["what"].to_string().contains("words"), "{}", broken.2);
}

/// What a plugin says does not reach a terminal as it is.
#[test]
fn texts_of_a_component_are_made_printable() {
    let place = bare();
    place.write("x.wasm", trying(&json!({ "act": "fail", "code": "c", "message": "\u{1b}[31mred" })));
    let output = place.run_or_kill(&["plugin", "check", "x.wasm"]).success();
    assert!(
        output.stdout.contains("error c: ")
            && output.stdout.contains("red")
            && !output.stdout.contains('\u{1b}'),
        "{:?}",
        output.stdout
    );
}

const MANIFEST: &str = r#"{
  "contract": "0.1.0", "name": "packed", "version": "1.0.0", "description": "Packed by a test",
  "stages": [{ "type": "test", "description": "Does an act", "config": { "type": "object" }, "result": {} }]
}"#;

/// The guest as another language's tools would build it: without a manifest.
fn unpacked() -> Vec<u8> {
    replaced(&guest(), "docket:manifest", "docket:no-thing")
}

#[test]
fn a_packed_component_is_a_plugin_and_runs() {
    let place = place();
    place.write("built.wasm", unpacked());
    place.write("manifest.json", MANIFEST);
    let shape = place
        .run(&["plugin", "pack", "built.wasm", "-o", "packed.wasm", "--output", "json"])
        .success()
        .json();
    assert_eq!(shape["ok"], true);
    place.run_or_kill(&["plugin", "check", "packed.wasm"]).success().prints("packed 1.0.0");
    std::fs::create_dir_all(place.project().join(".docket/plugins")).expect("a folder");
    std::fs::copy(place.project().join("packed.wasm"), place.project().join(".docket/plugins/packed.wasm"))
        .expect("copied");
    let output =
        crate::sandbox::act_all(&place, &crate::sandbox::single(&json!({ "act": "echo", "more": 1 })));
    output.success();
}

#[test]
fn what_can_not_be_packed_is_not_written() {
    let place = bare();
    place.write("built.wasm", unpacked());
    place.write("manifest.json", MANIFEST.replace("\"name\"", "\"nmae\""));
    let pack = ["plugin", "pack", "built.wasm", "-o", "packed.wasm"];
    place.run(&pack).code(2).says("did you mean 'name'?").says("'name' is missing");
    place.write("manifest.json", MANIFEST);
    place.write("built.wasm", guest());
    place.run(&pack).code(2).says("several-manifests");
    place.write("built.wasm", b"\0asm\x01\0\0\0");
    place.run(&pack).code(2).says("core-module");
    assert!(!place.project().join("packed.wasm").exists());
    place
        .run(&["plugin", "pack", "built.wasm", "--manifest", "none.json", "-o", "x.wasm"])
        .code(2)
        .says("none.json");
}

#[test]
fn the_contract_is_printed_for_other_languages() {
    let printed = bare().run(&["plugin", "wit"]).success().stdout;
    assert_eq!(printed, include_str!("../../wit/stage.wit"));
}
