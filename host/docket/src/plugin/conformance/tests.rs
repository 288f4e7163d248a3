//! Everything that is wrong is found, all of it at once, and says where it is and what mends it.

use serde_json::json;

use super::*;

fn limits() -> Limits {
    Limits::default()
}

/// A component with nothing in it but this manifest.
fn component(manifest: &str) -> Vec<u8> {
    crate::plugin::pack::with_manifest(b"\0asm\x0d\0\x01\0", manifest.as_bytes())
}

fn codes(findings: &Findings) -> Vec<(&str, &str)> {
    findings.list().iter().map(|finding| (finding.code.as_str(), finding.place.as_str())).collect()
}

fn of_bytes(bytes: &[u8]) -> Vec<String> {
    let found = examine(bytes, &limits(), &[]).findings;
    found.list().iter().map(|finding| finding.code.clone()).collect()
}

fn good() -> Value {
    json!({
        "contract": "0.1.0", "name": "words", "version": "1.0.0", "description": "Counts words",
        "stages": [{
            "type": "words", "description": "Counts the words of a file",
            "config": {
                "type": "object", "additionalProperties": false, "required": ["file"],
                "properties": { "file": { "type": "string", "description": "The file" } },
            },
            "result": { "type": "object", "properties": { "words": { "type": "integer", "description": "How many" } } },
        }],
        "capabilities": { "read": ["${config.file}", "docs"], "write": ["docs/reports/**"] },
    })
}

fn of_manifest(change: impl FnOnce(&mut Value)) -> Findings {
    let mut manifest = good();
    change(&mut manifest);
    examine_text(manifest.to_string().as_bytes(), &["storage".to_owned()])
}

#[test]
fn what_is_no_component_is_told_apart() {
    for (bytes, code) in [
        (&b""[..], "not-wasm"),
        (b"hello", "not-wasm"),
        (b"(component)", "not-wasm"),
        (b"\0asm\x07\0\x01\0", "not-wasm"),
        (b"\0asm\x01\0\0\0", "core-module"),
        (b"\x7fELF\x02\x01\x01\0", "native-code"),
        (b"MZ\x90\0", "native-code"),
        (b"\xcf\xfa\xed\xfe", "native-code"),
    ] {
        assert_eq!(of_bytes(bytes), [code], "{bytes:?}");
    }
    assert_eq!(of_bytes(b"\0asm\x0d\0\x01\0"), ["no-manifest", "no-stage"]);
    let good = component(&good().to_string());
    assert_eq!(of_bytes(&good), ["no-stage"]);
    assert_eq!(of_bytes(&good[..good.len() - 20]), ["unreadable"]);
    let twice = [&good[..], &good[8..]].concat();
    assert_eq!(of_bytes(&twice), ["several-manifests", "no-stage"]);
    let small = Limits { component: 10, ..limits() };
    assert!(examine(&good, &small, &[]).findings.list().iter().any(|finding| finding.code == "too-large"));
}

#[test]
fn a_good_manifest_has_nothing_to_mend() {
    assert_eq!(of_manifest(|_| {}).list(), []);
}

#[test]
fn json_that_is_none_says_where() {
    let findings = examine_text(b"{\n  \"contract\": \"0.1.0\",,\n}", &[]);
    assert_eq!(codes(&findings), [("bad-manifest", "manifest, line 2, column 23")]);
}

/// Unknown, misspelled, missing and mistyped fields at every depth, in one go.
#[test]
fn all_wrong_fields_are_reported_at_once() {
    let findings = of_manifest(|manifest| {
        manifest["verison"] = manifest["version"].take();
        manifest.as_object_mut().expect("an object").remove("version");
        manifest["name"] = json!(7);
        manifest["stages"][0]["summary"] = json!("x");
        manifest["stages"][0].as_object_mut().expect("an object").remove("description");
        manifest["capabilities"]["reed"] = json!(["docs"]);
        manifest["capabilities"]["exec"] = json!("yes");
    });
    for expected in [
        ("unknown-key", "manifest /verison"),
        ("missing-key", "manifest"),
        ("bad-value", "manifest /name"),
        ("unknown-key", "manifest /stages/0/summary"),
        ("missing-key", "manifest /stages/0"),
        ("unknown-key", "manifest /capabilities/reed"),
        ("bad-value", "manifest /capabilities/exec"),
    ] {
        assert!(codes(&findings).contains(&expected), "no {expected:?} in {:#?}", findings.list());
    }
    let fix = |place: &str| {
        let found = findings.list().iter().find(|finding| finding.place == place);
        found.map(|finding| finding.fix.clone()).unwrap_or_default()
    };
    assert_eq!(fix("manifest /verison"), "did you mean 'version'?");
    assert_eq!(fix("manifest /capabilities/reed"), "did you mean 'read'?");
    assert!(fix("manifest /stages/0/summary").contains("description"));
}

#[test]
fn names_versions_and_launchers_are_judged() {
    let findings = of_manifest(|manifest| {
        manifest["name"] = json!("a b");
        manifest["version"] = json!("one");
        manifest["description"] = json!(" ");
        let second = manifest["stages"][0].clone();
        manifest["stages"].as_array_mut().expect("a list").push(second);
        manifest["stages"][1]["type"] = json!("agent");
        let mut third = manifest["stages"][0].clone();
        third["type"] = json!("storage");
        manifest["stages"].as_array_mut().expect("a list").push(third);
    });
    for expected in [
        ("bad-name", "manifest /name"),
        ("bad-version", "manifest /version"),
        ("no-description", "manifest /description"),
        ("no-launcher", "manifest /launcher"),
        ("built-in-stage", "manifest /stages/2/type"),
    ] {
        assert!(codes(&findings).contains(&expected), "no {expected:?} in {:#?}", findings.list());
    }
    let launcher = of_manifest(|manifest| manifest["launcher"] = json!("mine"));
    assert_eq!(codes(&launcher), [("no-agent", "manifest /launcher")]);
    let twice =
        of_manifest(|manifest| manifest["stages"] = json!([manifest["stages"][0], manifest["stages"][0]]));
    assert_eq!(codes(&twice), [("double-stage", "manifest /stages/1/type")]);
    let none = of_manifest(|manifest| {
        manifest["stages"] = json!([]);
        manifest["capabilities"] = json!({});
    });
    assert_eq!(codes(&none), [("no-stages", "manifest /stages")]);
}

/// A manifest for a newer contract is not judged by the fields of this one.
#[test]
fn another_contract_is_the_only_finding() {
    let findings = of_manifest(|manifest| {
        manifest["contract"] = json!("0.9.0");
        manifest["surprise"] = json!(true);
    });
    assert_eq!(codes(&findings), [("unknown-contract", "manifest /contract")]);
}

#[test]
fn schemas_are_judged() {
    let findings = of_manifest(|manifest| {
        manifest["stages"][0]["config"] = json!({
            "type": "object", "required": ["file", "ghost"],
            "properties": {
                "file": { "type": "string", "x-docket": "outptu" },
                "deep": { "type": "object", "description": "d", "properties": { "a": { "type": "string", "description": "a" } } },
            },
        });
        manifest["stages"][0]["result"] = json!({ "type": "objekt" });
    });
    for expected in [
        ("open-config", "manifest /stages/0/config"),
        ("open-config", "manifest /stages/0/config/properties/deep"),
        ("required-unknown", "manifest /stages/0/config/required"),
        ("no-description", "manifest /stages/0/config/properties/file"),
        ("unknown-mark", "manifest /stages/0/config/properties/file/x-docket"),
        ("bad-schema", "manifest /stages/0/result/type"),
    ] {
        assert!(codes(&findings).contains(&expected), "no {expected:?} in {:#?}", findings.list());
    }
    let list = of_manifest(|manifest| {
        manifest["stages"][0]["config"] = json!({ "type": "array" });
        manifest["capabilities"] = json!({});
    });
    assert_eq!(codes(&list), [("no-object", "manifest /stages/0/config")]);
    let lost = of_manifest(|manifest| manifest["stages"][0]["result"] = json!({ "$ref": "#/$defs/none" }));
    assert_eq!(codes(&lost), [("bad-schema", "manifest /stages/0/result")]);
}

#[test]
fn what_is_asked_for_must_make_sense() {
    let findings = of_manifest(|manifest| {
        manifest["stages"][0]["config"]["properties"]["count"] =
            json!({ "type": "integer", "description": "c" });
        manifest["capabilities"] = json!({
            "read": [".", "../up", "/etc", "${config.nothing}", "${config.count}", "x/${config.file}", "docs", "docs"],
            "write": ["**", ".git/hooks/**", ".docket/x.yml", "docs/[", "a//b"],
        });
    });
    for expected in [
        ("reads-everything", "manifest /capabilities/read/0"),
        ("bad-capability", "manifest /capabilities/read/1"),
        ("bad-capability", "manifest /capabilities/read/2"),
        ("no-config-field", "manifest /capabilities/read/3"),
        ("config-field-type", "manifest /capabilities/read/4"),
        ("config-field-optional", "manifest /capabilities/read/4"),
        ("bad-capability", "manifest /capabilities/read/5"),
        ("double-capability", "manifest /capabilities/read/7"),
        ("writes-everything", "manifest /capabilities/write/0"),
        ("reserved-path", "manifest /capabilities/write/1"),
        ("bad-capability", "manifest /capabilities/write/2"),
        ("bad-capability", "manifest /capabilities/write/3"),
        ("bad-capability", "manifest /capabilities/write/4"),
    ] {
        assert!(codes(&findings).contains(&expected), "no {expected:?} in {:#?}", findings.list());
    }
}

#[test]
fn commands_are_asked_for_when_they_are_run_and_only_then() {
    let judge = |exec: bool, imports: &[String]| {
        let mut findings = Findings::default();
        asked::processes(&json!({ "capabilities": { "exec": exec } }), imports, &mut findings);
        findings.list().iter().map(|finding| finding.code.clone()).collect::<Vec<_>>()
    };
    for interface in ["process", "dialogue"] {
        let imports = [format!("docket:stage/{interface}@0.1.0")];
        assert_eq!(judge(false, &imports), ["exec-not-asked"]);
        assert_eq!(judge(true, &imports), Vec::<String>::new());
    }
    assert_eq!(judge(true, &["docket:stage/answer@0.1.0".to_owned()]), ["exec-not-used"]);
    assert_eq!(judge(false, &[]), Vec::<String>::new());
}

/// What comes from a component is made safe to print.
#[test]
fn findings_have_no_control_characters() {
    let findings = of_manifest(|manifest| manifest["stages"][0]["type"] = json!("a\u{1b}[31mb"));
    assert!(findings.has_errors());
    assert!(findings.list().iter().all(|finding| !finding.what.contains('\u{1b}')), "{:?}", findings.list());
}
