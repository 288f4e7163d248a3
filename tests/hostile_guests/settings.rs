//! What somebody prepares outside the sandbox: other bytes after approval, files of trust that can't be believed, commands
//! that the project chooses, inputs that look like something else. docket fails closed, and says why.

use std::os::unix::fs::PermissionsExt as _;

use docket_tests::component::{with_section, yaml};
use serde_json::json;

use crate::ground::{Ground, PLUGIN, guest, guest_with_command, run_of};

/// The start is refused with this exit code and these words, and nothing runs.
#[track_caller]
fn refused(ground: &Ground, code: i32, words: &[&str]) {
    let runs = ground.place.runs();
    let before = ground.look();
    let output = ground.start();
    assert_eq!(output.code, code, "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "no '{word}' in {}", output.stderr);
    }
    before.assert_only_added(&ground.look(), &[]);
    assert_eq!(ground.place.runs(), runs, "a run was started");
}

/// A trusted definition of ordinary work.
fn trusted(ground: &Ground) {
    ground.define(&[json!({ "act": "well" })], &json!(null));
    ground.trust();
}

pub(crate) fn bytes_swapped_after_approval(ground: Ground) {
    trusted(&ground);
    ground.place.write(PLUGIN, with_section(&guest(), "other", b"x"));
    refused(&ground, 4, &[PLUGIN, "changed", "docket trust"]);
    ground.place.write(PLUGIN, guest());
    ground.completes(json!({ "act": "well" }));
}

/// A run that waits goes on with the bytes that are trusted, or not at all.
pub(crate) fn bytes_swapped_while_waiting(ground: Ground) {
    ground.define(&[json!({ "act": "words/in_question", "evil": "answer" })], &json!(null));
    ground.trust();
    let output = ground.start();
    assert_eq!(output.code, 3, "{}", output.stderr);
    let run = run_of(&output);
    let file = ground.root().join("answer.json");
    std::fs::write(&file, r#"{ "answer": "answer" }"#).expect("written");
    ground.place.write(PLUGIN, with_section(&guest(), "other", b"x"));
    let before = ground.look();
    let output = ground.docket(&["workflow", "submit", &run, "--file", &file.display().to_string()]);
    assert_ne!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("not trusted"), "{}", output.stderr);
    before.assert_only_added(&ground.look(), &[]);
    ground.place.write(PLUGIN, guest());
    ground.completes(json!({ "act": "well" }));
}

/// The file of grants, made unbelievable and whole again.
#[track_caller]
fn unbelievable(ground: &Ground, spoil: impl FnOnce(&std::path::Path), code: i32, words: &[&str]) {
    trusted(ground);
    let file = ground.place.docket_home().join("trust.json");
    let whole = std::fs::read(&file).expect("there");
    spoil(&file);
    refused(ground, code, &[&["trust.json"], words].concat());
    // Neither is it written over with an empty one.
    let trusting = ground.docket(&["trust", "--yes"]);
    assert_ne!(trusting.code, 0, "{}", trusting.stderr);
    if file.is_dir() {
        std::fs::remove_dir(&file).expect("removed");
    }
    ground.place.write_home("trust.json", whole);
    ground.completes(json!({ "act": "well" }));
}

pub(crate) fn grants_others_can_write(ground: Ground) {
    let spoil = |file: &std::path::Path| {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o666)).expect("set");
    };
    unbelievable(&ground, spoil, 4, &["can be written by other users", "chmod"]);
}

pub(crate) fn grants_damaged(ground: Ground) {
    let spoil = |file: &std::path::Path| {
        let bytes = std::fs::read(file).expect("there");
        std::fs::write(file, &bytes[..bytes.len() / 2]).expect("written");
    };
    unbelievable(&ground, spoil, 4, &["damaged"]);
}

pub(crate) fn grants_from_the_future(ground: Ground) {
    let spoil = |file: &std::path::Path| {
        std::fs::write(file, r#"{ "format": 999, "projects": {}, "grants": {} }"#).expect("written");
    };
    unbelievable(&ground, spoil, 4, &["999"]);
}

pub(crate) fn grants_are_a_folder(ground: Ground) {
    let spoil = |file: &std::path::Path| {
        std::fs::remove_file(file).expect("removed");
        std::fs::create_dir(file).expect("created");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o700)).expect("set");
    };
    unbelievable(&ground, spoil, 4, &[]);
}

/// A file that somebody put into the user's own folder was not granted anything by that.
pub(crate) fn plugin_never_granted(ground: Ground) {
    std::fs::remove_file(ground.place.project().join(PLUGIN)).expect("removed");
    ground.define(&[json!({ "act": "well" })], &json!(null));
    ground.trust();
    ground.place.write_home("plugins/planted.wasm", guest());
    refused(&ground, 4, &["planted.wasm", "read docs"]);
}

/// A stage with this command fails, and nothing was run.
#[track_caller]
fn not_run(ground: &Ground, program: &str, words: &[&str]) {
    ground.place.write(PLUGIN, guest_with_command());
    ground.fails(
        json!({ "act": "commands/passed_on", "program": program, "text": "x" }),
        "command-not-found",
        words,
    );
    assert!(!ground.place.project().join("ran").exists(), "the project's program was run");
}

/// A program of the project that says that it was run.
fn program_of_the_project(ground: &Ground, path: &str) -> String {
    ground.place.write(path, "#!/bin/sh\ntouch ran\n");
    let file = ground.place.project().join(path);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("set");
    file.display().to_string()
}

pub(crate) fn relative_command(ground: Ground) {
    program_of_the_project(&ground, "tool");
    ground.profile("./tool");
    not_run(&ground, "./tool", &["./tool", "relative path"]);
}

pub(crate) fn command_in_the_project(ground: Ground) {
    let program = program_of_the_project(&ground, "tool");
    ground.profile(&program);
    not_run(&ground, &program, &["inside the project"]);
}

/// A search path through the project finds nothing there, relative or absolute.
pub(crate) fn path_led_by_the_project(ground: Ground) {
    program_of_the_project(&ground, "bin/printf");
    ground.profile("printf");
    ground.place.write(PLUGIN, guest_with_command());
    let config = json!({ "act": "commands/passed_on", "program": "printf", "text": "x" });
    ground.define(&[config], &json!(null));
    ground.trust();
    let inside = ground.place.project().join("bin").display().to_string();
    for path in [
        format!("{inside}:/usr/bin:/bin"),
        "bin:.:/usr/bin:/bin".to_owned(),
        ":./bin:/usr/bin:/bin".to_owned(),
    ] {
        let before = ground.look();
        let mut command = ground.place.command(&["workflow", "start", "attempts"]);
        let output = docket_tests::finish_or_kill(command.env("PATH", &path));
        let ended = ground.ended(&output, &before, &[]);
        if path.starts_with('/') {
            ended.assert_failed(0, "command-not-found", &["inside the project"]);
        } else {
            assert_eq!(ended.result(0)["lines"], json!(["<x>"]), "the system's own was not found");
        }
        assert!(!ground.place.project().join("ran").exists(), "the project's program was run");
        std::fs::remove_dir_all(ground.place.project().join("out")).expect("removed");
    }
}

/// A project chooses among the user's profiles and makes none.
pub(crate) fn profile_of_the_project(ground: Ground) {
    trusted(&ground);
    ground.place.write(".docket/config.yml", "profiles: { mine: { launcher: shell, command: [/bin/sh] } }\n");
    refused(&ground, 2, &["config.yml", "profiles"]);
    ground.place.write(".docket/config.yml", "profile: theirs\n");
    refused(&ground, 2, &["theirs"]);
    ground.place.write(".docket/config.yml", "");
    ground.completes(json!({ "act": "well" }));
}

/// Runs a definition with an input that a command gets as an argument, and gives back what the command printed.
#[track_caller]
fn echoed(ground: &Ground, text: &str) -> serde_json::Value {
    ground.profile("/usr/bin/printf");
    ground.place.write(PLUGIN, guest_with_command());
    let config =
        json!({ "act": "commands/passed_on", "program": "/usr/bin/printf", "text": "${{ inputs.text }}" });
    let definition = json!({
        "name": "Attempts", "version": 1, "inputs": [{ "name": "text", "type": "string", "required": true }],
        "stages": [{ "name": "s", "type": "hostile", "config": config }],
    });
    ground.place.write(".docket/workflows/definitions/attempts.yml", yaml(&definition));
    ground.trust();
    let before = ground.look();
    let output = ground.docket(&["workflow", "start", "attempts", &format!("--text={text}")]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    before.assert_only_added(&ground.look(), &[]);
    let run = run_of(&output);
    ground.docket(&["workflow", "results", &run, "--output", "json"]).json()["stages"]["s"]["lines"].clone()
}

pub(crate) fn inputs_like_options(ground: Ground) {
    for text in ["--help", "-rf", "--version", "--", "-", "--output=json", "@/etc/passwd"] {
        assert_eq!(echoed(&ground, text), json!([format!("<{text}>")]));
    }
}

pub(crate) fn inputs_like_shell(ground: Ground) {
    for text in [
        "; rm -rf docs",
        "$(touch ran)",
        "`touch ran`",
        "| touch ran",
        "&& touch ran",
        "$HOME",
        "${{ inputs.text }}",
        "{{ 7*7 }}",
        "%s%n",
        "'\"\\",
    ] {
        assert_eq!(echoed(&ground, text), json!([format!("<{text}>")]));
    }
}

/// An agent gets the name of a document in its prompt, and never on the command line that docket builds.
pub(crate) fn names_like_options(ground: Ground) {
    let script = ground.place.home().join("agent.sh");
    std::fs::write(&script, "printf '<%s>' \"$@\" > \"$HOME/arguments\"\ncat > \"$HOME/prompt\"\n")
        .expect("written");
    ground.settings(&format!(
        "profile: mine\nprofiles: {{ mine: {{ launcher: shell, agent: generic, command: [/bin/sh, '{}', --mine] }} }}\n",
        script.display()
    ));
    for name in ["--help.md", "-rf.md", "$(touch ran).md", "; touch ran;.md"] {
        let document = format!("docs/{name}");
        ground.place.write(&document, "# RFC-0007: Queue limits\n\n**Status:** Draft\n");
        let output = ground.docket(&["workflow", "start", "rfc-review", "--rfc-path", &document]);
        // The agent says nothing that is a review; what counts is how it was called.
        assert_ne!(output.code, 0, "{}", output.stderr);
        let read = |name: &str| {
            std::fs::read_to_string(ground.place.home().join(name)).expect("the agent was launched")
        };
        assert_eq!(read("arguments"), "<--mine>");
        assert!(read("prompt").contains(name), "the prompt does not name {name}");
        assert!(!ground.place.project().join("ran").exists());
        std::fs::remove_file(ground.place.home().join("arguments")).expect("removed");
    }
    ground.completes(json!({ "act": "well" }));
}
