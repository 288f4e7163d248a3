//! Plugin files of a project: nothing of them runs before somebody said so, what was trusted is what runs, and files
//! that are no plugins are named and left out.

use docket_tests::Place;
use serde_json::json;

use crate::place;
use crate::sandbox::{
    DEFINITION, PLUGIN, act, guest, guest_place, replaced, result_of, single, with_manifest, with_section,
};

const WRITES: &str = r#"{ "act": "write", "path": "out/ran.md", "content": "ran" }"#;

fn writes() -> String {
    single(&serde_json::from_str(WRITES).expect("JSON"))
}

#[track_caller]
fn assert_nothing_ran(place: &Place) {
    assert!(!place.project().join("out").exists(), "it ran");
}

#[test]
fn a_plugin_runs_only_when_it_is_trusted() {
    let place = guest_place();
    place.write(DEFINITION, writes());
    for arguments in [&["workflow", "start", "acts"][..], &["workflow", "start", "acts", "--dry-run"]] {
        place.run_or_kill(arguments).code(4).says("docket trust");
    }
    assert_nothing_ran(&place);
    assert_eq!(place.runs(), Vec::<String>::new());
    let list = place.run(&["trust", "--list"]).code(4);
    for words in [PLUGIN, DEFINITION, "test-guest 0.1.0", "read docs", "write out/**", "keep a private cache"]
    {
        assert!(list.stderr.contains(words) || list.stdout.contains(words), "no '{words}' in {list:?}");
    }
    place.run(&["trust"]).code(4).says("docket trust --yes");
    place.run_or_kill(&["workflow", "start", "acts"]).code(4);
    place.run(&["trust", "--yes"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).success();
    assert_eq!(place.read("out/ran.md"), "ran");
}

/// With the definition trusted, what is missing is the plugin, and what it asks for is said.
#[test]
fn an_untrusted_plugin_is_named_with_what_it_asks_for() {
    let place = place();
    place.write(PLUGIN, with_section(&guest(), "first", b""));
    place.trusted_definition("acts", &writes());
    place.write(PLUGIN, guest());
    let output = place.run_or_kill(&["workflow", "start", "acts"]).code(4);
    for words in
        [PLUGIN, "changed since you trusted it", "asks to read docs", "asks to write out/**", "docket trust"]
    {
        assert!(output.stderr.contains(words), "no '{words}' in {}", output.stderr);
    }
    assert_nothing_ran(&place);
    let denied = std::fs::read_to_string(place.docket_home().join("audit.jsonl")).expect("an audit log");
    assert!(denied.lines().any(|line| line.contains("denied") && line.contains("test.wasm")), "{denied}");
    place.run(&["trust", "--yes"]).success();
    result_of(&place, json!({ "act": "time" }));
}

#[test]
fn bytes_that_changed_after_trust_do_not_run() {
    let place = guest_place();
    place.trusted_definition("acts", &writes());
    place.write(PLUGIN, with_section(&guest(), "more", b"x"));
    place.run_or_kill(&["workflow", "start", "acts"]).code(4).says(PLUGIN).says("changed");
    assert_nothing_ran(&place);
    place.write(PLUGIN, guest());
    place.run_or_kill(&["workflow", "start", "acts"]).success();
}

/// An update that asks for more shows what is new.
#[test]
fn an_update_that_asks_for_more_shows_it() {
    let place = guest_place();
    place.trusted_definition("acts", &writes());
    place.write(PLUGIN, with_manifest(&guest(), |manifest| manifest["capabilities"]["read"] = json!(["."])));
    let output = place.run_or_kill(&["workflow", "start", "acts"]).code(4).says("changed");
    assert!(output.stderr.contains("asks to read ."), "{}", output.stderr);
    assert_nothing_ran(&place);
}

#[test]
fn trust_taken_back_is_gone() {
    let place = guest_place();
    place.trusted_definition("acts", &writes());
    place.run(&["trust", "--forget"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).code(4);
    assert_nothing_ran(&place);
}

/// A waiting run goes on with what is trusted, or not at all.
#[test]
fn a_run_does_not_go_on_with_other_bytes() {
    let place = guest_place();
    let stages = json!([
        { "name": "asks", "type": "test", "config": { "act": "wait" } },
        { "name": "writes", "type": "test", "config": serde_json::from_str::<serde_json::Value>(WRITES).expect("JSON") },
    ]);
    let output = crate::sandbox::act_all(&place, &crate::sandbox::definition(stages)).code(3);
    let run = crate::sandbox::run_of(&output);
    place.write(PLUGIN, with_section(&guest(), "more", b"x"));
    let file = place.home().join("answer.json");
    std::fs::write(&file, "{\"answer\": 1}").expect("written");
    let output = place.run_or_kill(&["workflow", "submit", &run, "--file", &file.display().to_string()]);
    assert_ne!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("not trusted") && output.stderr.contains("docket trust"),
        "{}",
        output.stderr
    );
    assert_nothing_ran(&place);
}

/// A project's plugin can't quietly take the place of docket's own, and docket's own does not quietly take its.
#[test]
fn a_plugin_that_serves_a_built_in_type_needs_trust_too() {
    let place = place();
    place.copy_from_repository("docs");
    place.write(PLUGIN, with_manifest(&guest(), |manifest| manifest["stages"][0]["type"] = json!("storage")));
    let output = place.run_or_kill(&["review", "rfc-0001", "--launcher", "checklist"]);
    assert_ne!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains(PLUGIN), "{}", output.stderr);
    assert!(!place.project().join("docs/rfcs/.reviews").exists(), "a review was stored");
}

/// Files that are no plugins, with words that must be said about each.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = guest();
    vec![
        ("cut short", whole[..whole.len() / 2].to_vec(), "is no readable WebAssembly"),
        ("cut by a byte", whole[..whole.len() - 1].to_vec(), "is no readable WebAssembly"),
        ("cut after its head", whole[..8].to_vec(), "has no docket manifest"),
        ("garbage", b"this is a text and no component".repeat(100), "is no readable WebAssembly"),
        ("garbage after the head", [&whole[..8], &[0xff; 100][..]].concat(), "is no readable WebAssembly"),
        ("empty", Vec::new(), "is no readable WebAssembly"),
        ("a core module", b"\0asm\x01\0\0\0".to_vec(), "is a core WebAssembly module"),
        ("without a manifest", b"\0asm\x0d\0\x01\0".to_vec(), "has no docket manifest"),
        ("two manifests", with_section(&whole, "docket:manifest", b"{}"), "more than one docket manifest"),
        ("no JSON", with_section(&whole[..8], "docket:manifest", b"{"), "manifest that can't be used"),
        ("another JSON", with_section(&whole[..8], "docket:manifest", b"[]"), "manifest that can't be used"),
        (
            "an unknown field",
            with_manifest(&whole, |manifest| manifest["capabilities"] = json!({ "network": ["*"] })),
            "unknown field `network`",
        ),
        (
            "a newer manifest",
            with_manifest(&whole, |manifest| manifest["contract"] = json!("0.2.0")),
            "contract",
        ),
        (
            "a newer interface",
            replaced(&whole, "docket:stage/stage@0.1.0", "docket:stage/stage@0.9.0"),
            "0.9.0",
        ),
        (
            "an odd name",
            with_manifest(&whole, |manifest| manifest["name"] = json!("\u{1b}[31mx")),
            "`name` must be",
        ),
        ("no stages", with_manifest(&whole, |manifest| manifest["stages"] = json!([])), "`stages` is empty"),
        (
            "only a manifest",
            with_section(
                &whole[..8],
                "docket:manifest",
                br#"{"contract":"0.1.0","name":"a","version":"1.0.0","description":"",
                    "stages":[{"type":"test","description":"","config":{},"result":{}}]}"#,
            ),
            "does not export",
        ),
    ]
}

#[test]
fn files_that_are_no_plugins_are_named_and_nothing_else_suffers() {
    let place = guest_place();
    place.trusted_definition("acts", &writes());
    place.trusted_definition(
        "other",
        "name: Other\nversion: 1\nstages:\n  - { name: s, type: context, config: { target: docs/a.md } }\n",
    );
    for (what, bytes, words) in broken() {
        place.write(PLUGIN, bytes);
        let says = |arguments: &[&str], code: i32| {
            let output = place.run_or_kill(arguments);
            let all = format!("{}{}", output.stdout, output.stderr);
            assert_eq!(output.code, code, "{what}: {arguments:?}: {all}");
            assert!(
                all.contains(PLUGIN) && all.contains(words),
                "{what}: {arguments:?} does not say '{words}': {all}"
            );
            assert!(!all.contains('\u{1b}'), "{what}: {all:?}");
        };
        says(&["workflow", "start", "acts"], 2);
        says(&["workflow", "check", "acts"], 2);
        says(&["trust", "--list"], 2);
        says(&["trust", "--yes"], 2);
        says(&["doctor"], 0);
        let runs = place.runs().len();
        place.run_or_kill(&["workflow", "start", "other"]).success();
        assert_eq!(place.runs().len(), runs + 1, "{what}");
    }
    assert_nothing_ran(&place);
    place.write(PLUGIN, guest());
    place.run_or_kill(&["workflow", "start", "acts"]).success();
}

/// What a component imports is looked at before any of it runs.
#[test]
fn a_component_that_needs_something_unknown_does_not_run() {
    let place = guest_place();
    place.write(PLUGIN, replaced(&guest(), "docket:stage/report@0.1.0", "docket:stage/wizard@0.1.0"));
    let output = act(&place, json!({ "act": "time" })).code(2);
    assert!(output.stderr.contains("'test-guest' imports `docket:stage/wizard@0.1.0`"), "{}", output.stderr);
    place.write(PLUGIN, replaced(&guest(), "wasi:clocks/monotonic-clock@", "evil:clocks/monotonic-clock@"));
    let output = act(&place, json!({ "act": "time" })).code(2);
    assert!(
        output.stderr.contains("'test-guest' imports `evil:clocks/monotonic-clock@"),
        "{}",
        output.stderr
    );
}

/// A component is looked at without running it: `trust`, `check` and `doctor` work on one that would never end.
#[test]
fn looking_at_a_plugin_runs_none_of_it() {
    let place = guest_place();
    place.write(DEFINITION, single(&json!({ "act": "loop-in-check" })));
    place.run_or_kill(&["workflow", "check", "acts"]).success();
    place.run_or_kill(&["doctor"]).success();
    place.run_or_kill(&["trust", "--yes"]).success();
}

/// Compiled code is machine code: what is damaged or was put there by somebody else is made again, never run.
#[test]
fn compiled_code_that_is_damaged_is_made_again() {
    let place = guest_place();
    let output = act(&place, json!({ "act": "time" })).success();
    assert!(output.stderr.contains("completed"), "{}", output.stderr);
    let cache = place.home().join("cache");
    let start = || {
        let mut command = place.command(&["workflow", "start", "acts"]);
        command.env("XDG_CACHE_HOME", &cache);
        docket_tests::finish_or_kill(&mut command).success().says("completed");
    };
    start();
    let compiled = compiled(&cache);
    assert!(!compiled.is_empty(), "nothing was kept");
    for damage in [&b""[..], b"garbage", &[0; 4096]] {
        let mut whole = Vec::new();
        for file in &compiled {
            let bytes = std::fs::read(file).expect("readable");
            // The head with the hash stays, so that only the code is foreign.
            std::fs::write(file, [&bytes[..64], damage].concat()).expect("written");
            whole.push(bytes);
        }
        start();
        for (file, bytes) in compiled.iter().zip(whole) {
            let now = std::fs::read(file).expect("readable");
            assert!(now.len() == bytes.len(), "{} was not made again", file.display());
        }
    }
}

/// The files with compiled code below a cache folder.
fn compiled(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(compiled(&path));
        } else if path.extension().is_some_and(|extension| extension == "cwasm") {
            found.push(path);
        }
    }
    found
}

/// Plugins are files of the project, not links to files elsewhere that change without it.
#[test]
fn a_plugin_that_is_a_link_is_refused() {
    let place = place();
    place.write(DEFINITION, writes());
    let outside = place.home().join("outside.wasm");
    std::fs::write(&outside, guest()).expect("written");
    std::fs::create_dir_all(place.project().join(".docket/plugins")).expect("created");
    std::os::unix::fs::symlink(&outside, place.project().join(PLUGIN)).expect("linked");
    for arguments in [&["trust", "--yes"][..], &["workflow", "start", "acts"]] {
        let output = place.run_or_kill(arguments);
        assert_ne!(output.code, 0, "{arguments:?}");
        assert!(output.stderr.contains("test.wasm"), "{arguments:?}: {}", output.stderr);
    }
    assert_nothing_ran(&place);
}
