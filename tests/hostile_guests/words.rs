//! What a plugin tries with words that a terminal obeys. The ground looks at all that is printed; these tests look at the
//! files and at what is left of the words.

use serde_json::{Value, json};

use crate::ground::{Ground, assert_clean};

/// Colour, clear, title, clipboard, link, device string, and their one-character forms; bells, deletes, backspaces and
/// returns; a line of docket's own; and what reorders text.
const EVIL: &str = "start\u{1b}[31m\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{1b}\\\u{1b}]8;;http://x\u{1b}\\link\
    \u{1b}P1$q\u{1b}\\\u{9b}2J\u{9d}0;owned\u{9c}\u{90}x\u{9c}\u{85}\u{84}\u{8}\u{7f}\u{0}\rover\n\
    2026-01-01T00:00:00.000Z info  run: completed\n\u{202e}txt\u{2066}x\u{200f}end";

/// Makes the attempt, looks at the run in every way, and gives back its log.
#[track_caller]
fn log_of(ground: &Ground, config: Value, added: &[&str]) -> String {
    let ended = ground.attempts(&[config], &json!(null), added);
    for arguments in [
        &["workflow", "results", &ended.run][..],
        &["workflow", "results", &ended.run, "--format", "markdown"],
        &["workflow", "show", &ended.run],
        &["workflow", "diff", &ended.run],
        &["workflow", "list"],
        &["doctor"],
    ] {
        // The ground looks for what a terminal obeys, in all forms of output.
        for format in ["human", "json", "jsonl"] {
            ground.docket(&[arguments, &["--output", format]].concat());
        }
    }
    let log = std::fs::read_to_string(ground.place.run_folder(&ended.run).join("logs.txt")).expect("a log");
    let output = docket_tests::Output { code: 0, stdout: log.clone(), stderr: String::new() };
    assert_clean(&["logs.txt"], &output);
    let forged = log.lines().filter(|line| line.starts_with("2026-01-01T00:00:00.000Z")).count();
    assert_eq!(forged, 0, "a plugin made a line of its own:\n{log}");
    assert!(log.lines().all(|line| line.starts_with("20")), "a plugin made a line of its own:\n{log}");
    log
}

fn evil() -> Value {
    json!({ "evil": EVIL })
}

pub(crate) fn in_result(ground: Ground) {
    log_of(&ground, evil(), &[]);
    let run = ground.place.only_run();
    let kept = ground.docket(&["workflow", "results", &run, "--output", "json"]).json();
    assert_eq!(kept["stages"]["try-0"]["summary"], EVIL, "a value was changed");
}

pub(crate) fn in_error(ground: Ground) {
    let log = log_of(&ground, evil(), &[]);
    assert!(log.contains("message start"), "{log}");
}

/// The question is asked, a wrong answer is refused, and the right one taken.
pub(crate) fn in_question(ground: Ground) {
    ground.define(&[evil()], &json!(null));
    ground.trust();
    let output = ground.start();
    assert_eq!(output.code, 3, "{}", output.stderr);
    let run = crate::ground::run_of(&output);
    for arguments in [["workflow", "status", &run], ["workflow", "logs", &run], ["workflow", "show", &run]] {
        for format in ["human", "json"] {
            ground.docket(&[&arguments[..], &["--output", format]].concat());
        }
    }
    let answer = |text: &str| {
        let file = ground.place.home().join("answer.json");
        std::fs::write(&file, text).expect("written");
        ground.docket(&["workflow", "submit", &run, "--file", &file.display().to_string()])
    };
    assert_eq!(answer("{}").code, 2);
    let right = answer(&json!({ EVIL: EVIL }).to_string());
    assert_eq!(right.code, 0, "{}", right.stderr);
    assert_eq!(ground.place.read("out/well.md"), "well\n");
}

pub(crate) fn in_log(ground: Ground) {
    let log = log_of(&ground, evil(), &[]);
    assert!(log.contains("start") && log.contains("end"), "the words themselves are gone:\n{log}");
}

pub(crate) fn in_progress(ground: Ground) {
    log_of(&ground, evil(), &[]);
}

pub(crate) fn in_output(ground: Ground) {
    let log = log_of(&ground, evil(), &[]);
    assert!(log.contains("start") && log.contains("end"), "the words themselves are gone:\n{log}");
}

pub(crate) fn in_panic(ground: Ground) {
    let log = log_of(&ground, evil(), &[]);
    assert!(log.contains("start"), "the words themselves are gone:\n{log}");
}

/// A name that turns the direction of what is read is written as it is, and shown as something else.
pub(crate) fn in_file_names(ground: Ground) {
    let name = "\u{202e}dm.exe";
    log_of(&ground, json!({ "name": name }), &[&format!("project/out/{name}")]);
}

pub(crate) fn in_file_contents(ground: Ground) {
    ground.place.write("out/words.md", "old\u{1b}[31m\u{9b}2J\n");
    ground.define(&[evil()], &json!(null));
    ground.trust();
    let output = ground.start();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let run = crate::ground::run_of(&output);
    for command in ["diff", "results", "show", "logs", "status"] {
        assert_eq!(ground.docket(&["workflow", command, &run]).code, 0, "{command}");
    }
    assert_eq!(ground.place.read("out/words.md"), EVIL, "what was proposed is written as it is");
}

/// A person is told to look at what an agent said: nothing of it is obeyed, and nothing is left out.
pub(crate) fn in_kept_answer(ground: Ground) {
    let result = ground.completes(evil());
    let text = ground.place.read(result["kept"].as_str().expect("a file"));
    assert!(
        !text.contains(|character: char| character.is_control() && !"\n\t".contains(character)),
        "{text:?}"
    );
    assert!(text.contains("\\u001b["), "{text:?}");
}

/// A schema that refers to itself without end fails the stage or refuses the answer; docket survives both.
pub(crate) fn endless_schema(ground: Ground) {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "type": "object", "properties": { "answer": { "type": "string", "pattern": "^((a+)+)+$" } } }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!({ "$ref": "http://127.0.0.1:9/schema.json" }),
    ] {
        ground.define(&[json!({ "schema": schema })], &json!(null));
        ground.trust();
        let before = ground.look();
        let output = ground.start();
        assert!([0, 3].contains(&output.code), "{schema}: {}: {}", output.code, output.stderr);
        if output.code == 3 {
            let run = crate::ground::run_of(&output);
            let file = ground.root().join("answer.json");
            std::fs::write(&file, json!({ "answer": format!("{}!", "a".repeat(40)) }).to_string())
                .expect("written");
            let answered =
                ground.docket(&["workflow", "submit", &run, "--file", &file.display().to_string()]);
            assert!([0, 2].contains(&answered.code), "{schema}: {}: {}", answered.code, answered.stderr);
            std::fs::remove_file(file).expect("removed");
            ground.docket(&["workflow", "cancel", &run]);
        }
        let _ = std::fs::remove_dir_all(ground.place.project().join("out"));
        before.assert_only_added(&ground.look(), &[]);
    }
    ground.completes(json!({ "act": "well" }));
}
