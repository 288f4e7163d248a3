//! Whole files as `storage` writes them, against the run that asks for them.

use super::*;

fn request(config: &Value, inputs: &Value) -> Request {
    serde_json::from_value(json!({
        "run": "wf-1a2b", "workflow": "RFC Review", "stage": "store-results", "type": "storage", "attempt": 1,
        "date": "2026-11-22", "config": config, "inputs": inputs,
    }))
    .expect("a request")
}

/// Stores a value; returns the result and the text of the proposed file.
fn stored(config: &Value, value: &Value) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let request = request(config, &json!({ "rfc_path": "docs/rfcs/rfc-0001.md", "perspective": "security" }));
    let config: Config = request.config().expect("a config");
    let result = store(&request, &config, value, folder.path()).expect("a stored file");
    let text = fs::read_to_string(folder.path().join(&config.destination)).expect("the file");
    (result, text)
}

fn review() -> Value {
    json!({
        "assessment": "REQUEST_CHANGES", "summary": "It is nearly there.\n\n# Not a heading",
        "blockers": [{ "id": "no-owner", "title": "Nobody owns\nthe state", "section": "Design",
            "recommendation": "Name the owner.", "detail": "Two writers meet.\n---\n<div>", "file": "docs/a.md", "line": 12 }],
        "major": [],
        "minor": [{ "id": "typo", "title": "### Typo", "section": "", "recommendation": "- fix it\n- check it",
            "detail": null, "file": null, "line": null }],
        "strengths": ["Short.", "---\n# Clear"],
    })
}

#[test]
fn a_review_is_readable_and_its_structure_is_docket_s_own() {
    let (result, text) =
        stored(&json!({ "source": "review.results", "destination": "docs/.reviews/a.md" }), &review());
    let expected = "\
# Review of docs/rfcs/rfc-0001.md

- **Document:** docs/rfcs/rfc-0001.md
- **Date:** 2026-11-22
- **Workflow:** RFC Review
- **Run:** wf-1a2b
- **Perspective:** security
- **Assessment:** REQUEST_CHANGES

## Summary

It is nearly there.

\\# Not a heading

## Findings

| Severity | Count |
|---|---:|
| Blockers | 1 |
| Major concerns | 0 |
| Minor issues | 1 |

## Blockers

### B1. Nobody owns the state

- **Id:** `no-owner`
- **Section:** Design
- **Where:** `docs/a.md:12`

Two writers meet.
\\---
\\<div>

**Recommendation:** Name the owner.

## Major concerns

None.

## Minor issues

### N1. \\### Typo

- **Id:** `typo`

**Recommendation:**

- fix it
- check it

## Strengths

- Short.
- --- # Clear
";
    assert_eq!(text, expected);
    assert_eq!(
        result,
        json!({ "destination": "docs/.reviews/a.md", "format": "markdown", "bytes": expected.len(),
            "counts": { "blockers": 1, "major": 0, "minor": 1 } })
    );
}

#[test]
fn json_keeps_the_order_of_keys_and_ends_with_a_line_end() {
    let value = json!({ "z": 1, "a": { "y": [true], "b": null } });
    let (result, text) = stored(&json!({ "source": "s.o", "destination": "out/a.JSON" }), &value);
    assert_eq!(
        text,
        "{\n  \"z\": 1,\n  \"a\": {\n    \"y\": [\n      true\n    ],\n    \"b\": null\n  }\n}\n"
    );
    assert_eq!(result["format"], "json");
    assert_eq!(result.get("counts"), None);
    let (result, _) =
        stored(&json!({ "source": "s.o", "destination": "a.txt", "format": "json" }), &review());
    assert_eq!(result["counts"]["blockers"], 1);
}

#[test]
fn other_values_become_headings_and_lists() {
    let value = json!({
        "status": "done", "cliCommands": ["docket init", "# x"], "longText": "one\ntwo", "nothing": [],
        "related": { "adrs": [{ "path": "docs/adr/1.md", "score": 0.5 }] },
    });
    let config = json!({ "source": "s.o", "destination": "a.md", "title": "What was found" });
    let (_, text) = stored(&config, &value);
    let body = text.split_once("- **Perspective:** security\n\n").expect("the facts").1;
    assert!(text.starts_with("# What was found\n\n- **Document:**"), "{text}");
    assert_eq!(
        body,
        "- **Status:** done\n\n## Cli commands\n\n- docket init\n- \\# x\n\n## Long text\n\none\ntwo\n\n\
         ## Nothing\n\nNone.\n\n## Related\n\n### Adrs\n\n#### 1. docs/adr/1.md\n\n\
         - **Path:** docs/adr/1.md\n- **Score:** 0.5\n"
    );
}

#[test]
fn deep_values_and_scalars_are_rendered_too() {
    let mut value = json!("bottom");
    for _ in 0..40 {
        value = json!({ "deeper": value });
    }
    let (_, text) = stored(&json!({ "source": "s.o", "destination": "a.md" }), &value);
    assert!(text.contains("```json\n"), "{text}");
    assert!(text.contains("bottom"), "{text}");
    let (_, text) = stored(&json!({ "source": "s.o", "destination": "a.md" }), &json!("a text\n# x"));
    assert!(text.ends_with("security\n\na text\n\\# x\n"), "{text}");
}

#[test]
fn destinations_outside_the_project_are_refused() {
    for destination in ["", "/etc/passwd", "../a.md", "a/../b.md", "a//b", "docs/", "a\\b", "a\nb"] {
        let config = json!({ "source": "s.o", "destination": destination });
        let request = request(&config, &json!({}));
        let folder = tempfile::tempdir().expect("a folder");
        let config_read: Config = request.config().expect("a config");
        let error = store(&request, &config_read, &json!(1), folder.path()).expect_err("refused");
        assert_eq!(error.code, "destination-invalid", "{destination:?}");
        let faults = Storage::check("storage", &config);
        assert_eq!(
            faults.first().map(|fault| fault.pointer.as_str()),
            Some("/destination"),
            "{destination:?}"
        );
    }
    assert_eq!(Storage::check("storage", &json!({ "destination": "docs/{name}-${date}.md" })), []);
}

#[test]
fn a_folder_in_the_way_is_an_error_that_names_the_destination() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("a.md")).expect("a folder in the way");
    let request = request(&json!({ "source": "s.o", "destination": "a.md" }), &json!({}));
    let config: Config = request.config().expect("a config");
    let error = store(&request, &config, &json!(1), folder.path()).expect_err("not writable");
    assert_eq!(error.code, "destination-unwritable");
    assert!(error.message.contains("'a.md'"), "{error}");
}

#[test]
fn the_manifest_is_json() {
    let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
    assert_eq!(manifest["capabilities"]["write"], json!(["${config.destination}"]));
}
