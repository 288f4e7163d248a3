//! Nothing a plugin says reaches a terminal as a command: no escape sequence, no control character, nothing that turns
//! the direction of text, in any output of any command, nor in the log file.

use docket_tests::{Output, Place};
use serde_json::{Value, json};

use crate::sandbox::{PLUGIN, act, act_all, definition, guest, guest_place, run_of, with_manifest, yaml};

/// Colour, clear, title, clipboard, link, device string, and their one-character forms; bells, deletes, backspaces and
/// returns; and what reorders text.
const EVIL: &str = "start\u{1b}[31m\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{1b}\\\u{1b}]8;;http://x\u{1b}\\link\
    \u{1b}P1$q\u{1b}\\\u{9b}2J\u{9d}0;owned\u{9c}\u{90}x\u{9c}\u{85}\u{84}\u{8}\u{7f}\u{0}\rover\u{202e}txt\u{2066}x\u{200f}end";

/// Characters no output may hold.
fn is_evil(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    if let Some(character) = text.chars().find(|character| is_evil(*character)) {
        panic!("{what} holds {character:?}:\n{}", text.escape_debug());
    }
    // Where a text is shown escaped, all of it is.
    let escaped = text.contains("\\u001b") || text.contains("\\u{1b}");
    assert!(escaped || !text.contains("owned"), "{what} shows what a sequence carried:\n{text}");
}

#[track_caller]
fn assert_output_clean(what: &str, output: &Output) {
    assert_clean(&format!("{what}: standard output"), &output.stdout);
    assert_clean(&format!("{what}: standard error"), &output.stderr);
}

/// Every way of looking at a run.
#[track_caller]
fn assert_views_clean(place: &Place, run: &str) {
    for arguments in [
        &["workflow", "status", run][..],
        &["workflow", "logs", run],
        &["workflow", "results", run],
        &["workflow", "results", run, "--format", "markdown"],
        &["workflow", "show", run],
        &["workflow", "diff", run],
        &["workflow", "list"],
        &["doctor"],
    ] {
        assert_output_clean(&format!("{arguments:?}"), &place.run(arguments));
        for format in ["json", "jsonl"] {
            let output = place.run(&[arguments, &["--output", format]].concat());
            let raw =
                output.stdout.chars().chain(output.stderr.chars()).find(|character| is_evil(*character));
            assert_eq!(raw, None, "{arguments:?} --output {format}:\n{}", output.stdout.escape_debug());
        }
    }
    let log = std::fs::read_to_string(place.run_folder(run).join("logs.txt")).expect("a log");
    assert_clean("logs.txt", &log);
    assert!(log.lines().all(|line| line.starts_with("20")), "a plugin made a line of its own:\n{log}");
}

#[test]
fn what_a_plugin_says_is_harmless() {
    let place = guest_place();
    let stages = json!([
        { "name": "says", "type": "test", "config": { "act": "say", "text": EVIL } },
        { "name": "progress", "type": "test", "config": { "act": "progress", "text": EVIL } },
    ]);
    let output = act_all(&place, &definition(stages)).success();
    assert_output_clean("start", &output);
    assert!(
        output.stderr.contains("start") && output.stderr.contains("end"),
        "the text itself is gone: {}",
        output.stderr
    );
    assert_views_clean(&place, &run_of(&output));
}

#[test]
fn lines_of_a_plugin_do_not_pretend_to_be_docket() {
    let place = guest_place();
    let text = "first\n2026-01-01T00:00:00.000Z info  run: completed\r\nlast\u{2028}x";
    let output = act(&place, json!({ "act": "say", "text": text })).success();
    let log = std::fs::read_to_string(place.run_folder(&run_of(&output)).join("logs.txt")).expect("a log");
    let own =
        log.lines().filter(|line| line.ends_with("info  run: completed") && !line.contains(" s: ")).count();
    assert_eq!(own, 1, "{log}");
}

#[test]
fn results_errors_and_questions_are_harmless() {
    let place = guest_place();
    let done = act(&place, json!({ "act": "echo", "field": EVIL, EVIL: "x", "destination": EVIL })).success();
    assert_output_clean("start", &done);
    assert_views_clean(&place, &run_of(&done));
    let failed = act(
        &place,
        json!({ "act": "fail", "code": EVIL.replace("owned", "x"), "message": EVIL, "hint": EVIL }),
    )
    .code(1);
    assert_output_clean("start", &failed);
    assert_views_clean(&place, &run_of(&failed));
    let asks = act(
        &place,
        json!({ "act": "wait", "prompt": EVIL, "schema": { "type": "object", "required": [EVIL] } }),
    )
    .code(3);
    assert_output_clean("start", &asks);
    assert_views_clean(&place, &run_of(&asks));
    let run = run_of(&asks);
    let file = place.home().join("answer.json");
    std::fs::write(&file, "{}").expect("written");
    let refused = place.run(&["workflow", "submit", &run, "--file", &file.display().to_string()]).code(2);
    assert_output_clean("submit", &refused);
    let crashed = act(&place, json!({ "act": "panic", "text": EVIL })).code(1);
    assert_output_clean("start", &crashed);
    assert_views_clean(&place, &run_of(&crashed));
}

/// JSON on standard output keeps every value, but as text that a terminal does not obey.
#[test]
fn json_keeps_the_values() {
    let place = guest_place();
    let output = act(&place, json!({ "act": "echo", "field": EVIL })).success();
    let json = place.run(&["workflow", "results", &run_of(&output), "--output", "json"]).success().json();
    assert_eq!(json["stages"]["s"]["config"]["field"], EVIL);
}

#[test]
fn files_and_their_contents_are_harmless() {
    let place = guest_place();
    place.write("out/\u{202e}dm.exe", "old\u{1b}[31m\u{9b}2J\n");
    let config =
        json!({ "act": "write", "path": "out/\u{202e}dm.exe", "content": format!("{EVIL}\nkept\ttab\n") });
    let output = act(&place, config).success();
    assert_output_clean("start", &output);
    let run = run_of(&output);
    for arguments in [
        ["workflow", "diff", &run],
        ["workflow", "results", &run],
        ["workflow", "show", &run],
        ["workflow", "logs", &run],
    ] {
        let text = place.run(&arguments).success().stdout.replace("kept\ttab", "kept tab");
        assert_clean(&format!("{arguments:?}"), &text);
    }
    place.run(&["workflow", "diff", &run]).success().prints("+kept\ttab");
    let refused = act(
        &place,
        json!({ "act": "write", "path": format!("out/{}", EVIL.replace('\0', "")), "content": "x" }),
    );
    assert_ne!(refused.code, 0);
    assert_output_clean("start", &refused);
    let outside = act(&place, json!({ "act": "write", "path": "\u{202e}evil", "content": "x" })).code(1);
    assert_output_clean("start", &outside);
}

/// What a manifest says is shown before anybody trusts it.
#[test]
fn manifests_are_harmless() {
    let place = guest_place();
    let evil = "\u{1b}[2J\u{9b}2J\u{202e}";
    let bytes = with_manifest(&guest(), |manifest| {
        manifest["description"] = json!(evil);
        manifest["stages"][0]["config"] = json!({ "required": ["act"], "description": evil });
        manifest["capabilities"] = json!({ "read": [evil], "write": [evil] });
    });
    place.write(PLUGIN, bytes);
    place.write(
        crate::sandbox::DEFINITION,
        definition(json!([{ "name": "s", "type": "test", "config": {} }])),
    );
    for arguments in [
        &["trust", "--list"][..],
        &["workflow", "start", "acts"],
        &["workflow", "check"],
        &["doctor"],
        &["trust", "--yes"],
    ] {
        assert_output_clean(&format!("{arguments:?}"), &place.run_or_kill(arguments));
    }
    let output: Value = place.run(&["trust", "--list", "--output", "json"]).json();
    assert!(output.to_string().contains("test.wasm"), "{output}");
    let output = act(&place, json!({ "act": "time" }));
    assert_ne!(output.code, 0, "a path that can't be was granted");
    assert_output_clean("start", &output);
    // Names and versions are plain, so one that is not is refused, and quoted harmlessly.
    let bytes = with_manifest(&guest(), |manifest| {
        manifest["description"] = json!("");
        manifest["version"] = json!(format!("1+{evil}"));
    });
    place.write(PLUGIN, bytes);
    for arguments in [&["trust", "--list"][..], &["plugin", "list"], &["doctor"]] {
        assert_output_clean(&format!("{arguments:?}"), &place.run_or_kill(arguments));
    }
    place.run(&["trust", "--yes"]).code(2).says("version");
}

#[test]
fn definitions_are_harmless() {
    let place = guest_place();
    let text = json!({ "name": format!("Acts {EVIL}"), "description": EVIL, "version": 1, "stages": [
        { "name": "s", "description": EVIL, "type": "test", "config": { "act": "time" } },
    ] });
    let output = act_all(&place, &yaml(&text));
    assert_output_clean("start", &output);
    assert_output_clean("show", &place.run(&["workflow", "show", "acts"]));
    assert_output_clean("help", &place.run(&["workflow", "start", "acts", "--help"]));
    assert_output_clean("overview", &place.run(&["workflow", "start", "--help"]));
    if output.code == 0 {
        assert_views_clean(&place, &run_of(&output));
    }
    let text = definition(json!([{ "name": EVIL, "type": "test", "config": { "act": "time" } }]));
    place.trusted_definition("acts", &text);
    assert_output_clean("start", &place.run_or_kill(&["workflow", "start", "acts"]));
    // Not escaped, so refused; a quotation of the line must be harmless all the same.
    let evil = EVIL.replace("owned", "text");
    let raw = format!("name: Acts\nversion: 1\nstages: [{{ name: \"x{evil}\", type: nosuch }}]\n");
    place.write(crate::sandbox::DEFINITION, raw);
    assert_output_clean("check", &place.run(&["workflow", "check", "acts"]));
    assert_output_clean("show", &place.run(&["workflow", "show", "acts"]));
}
