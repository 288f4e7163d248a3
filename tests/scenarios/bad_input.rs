//! Mistyped and impossible arguments: each error names the thing and the fix, and nothing starts.

use std::os::unix::fs::symlink;

use docket_tests::finish;

use crate::place;
use crate::support::{
    CONFIG, DOCUMENT, assert_nothing_written, place_with_document, start, start_arguments, waiting_run,
};

#[test]
fn inputs_that_do_not_fit_are_told_with_their_flag() {
    let place = place_with_document();
    let start =
        |arguments: &[&str]| place.run(&[&["workflow", "start", "rfc-review"], arguments].concat()).code(2);
    start(&[]).says("'rfc_path' is missing").says("--rfc-path").says("Path to RFC file");
    start(&["--rfc-path", DOCUMENT, "--perspective", "architectur"])
        .says("'perspective'")
        .says("architecture, security, implementation, all")
        .says("did you mean 'architecture'?");
    start(&["--rfc-pth", DOCUMENT]).says("'--rfc-pth'").says("'--rfc-path'");
    start(&["--rfc-path"]).says("--rfc-path");
    start(&["--rfc-path", ""]).says("'rfc_path' must be the path of a file");
    start(&["--rfc-path", DOCUMENT, "superfluous"]).says("superfluous");
    assert_eq!(place.runs(), [""; 0]);
    assert_nothing_written(&place);
}

#[test]
fn files_must_be_there_and_inside_the_project() {
    let place = place_with_document();
    std::fs::write(place.home().join("secret.md"), "# Secret\n").expect("written");
    symlink(place.home().join("secret.md"), place.project().join("docs/linked.md")).expect("linked");
    symlink(place.home(), place.project().join("docs/away")).expect("linked");
    symlink("rfc-0007-queue-limits.md", place.project().join("docs/rfcs/inside.md")).expect("linked");
    std::fs::create_dir(place.project().join("docs/folder.md")).expect("created");
    for (path, words) in [
        ("docs/rfcs/rfc-0007-queue-limit.md", "did you mean 'docs/rfcs/rfc-0007-queue-limits.md'?"),
        ("rfc-0007-queue-limits.md", "did you mean 'docs/rfcs/rfc-0007-queue-limits.md'?"),
        ("docs/nothing.md", "there is no file 'docs/nothing.md'"),
        ("docs/folder.md", "there is no file 'docs/folder.md'"),
        ("docs/rfcs/rfc-0007-queue-limits.md/x.md", "there is no file"),
        ("/etc/passwd", "outside the project"),
        ("../home/secret.md", "outside the project"),
        ("docs/../../home/secret.md", "outside the project"),
        ("docs/linked.md", "is a symbolic link"),
        ("docs/rfcs/inside.md", "is a symbolic link"),
        ("docs/away/secret.md", "leads through the symbolic link 'docs/away'"),
    ] {
        let output = place.run(&["workflow", "start", "rfc-review", "--rfc-path", path]).code(2);
        let _ = output.says(path).says("--rfc-path: ").says(words);
    }
    assert_eq!(place.runs(), [""; 0]);
    assert_nothing_written(&place);
}

#[test]
fn every_type_of_input_is_held_to_its_type() {
    let place = place();
    place.write("docs/a.md", "# A\n");
    let definition = "name: Typed\nversion: 1\ninputs:\n  - {name: whole, type: integer, default: 3}\n  \
        - {name: ratio, type: number, default: 0.5}\n  - {name: flag, type: boolean, default: false}\n  \
        - {name: day, type: date}\n  - {name: tags, type: list}\n  - {name: folder, type: directory, default: docs}\n  \
        - {name: word, type: string, pattern: \"^[a-z]+$\"}\nstages:\n  - {name: gather, type: context, config: {target: docs/a.md}}\n";
    place.trusted_definition("typed", definition);
    for (flag, value, words) in [
        ("--whole", "3.5", "whole"),
        ("--ratio", "much", "ratio"),
        ("--flag=perhaps", "", "flag"),
        ("--day", "2026-02-30", "day"),
        ("--folder", "docs/a.md", "there is no folder"),
        ("--word", "UPPER", "^[a-z]+$"),
    ] {
        let arguments = if value.is_empty() { vec![flag] } else { vec![flag, value] };
        place.run(&[&["workflow", "start", "typed"], &arguments[..]].concat()).code(2).says(words);
    }
    // A text of another type, a value that does not fit, and a folder that is not there are told at once.
    let wrong = ["--whole", "3.5", "--day", "2026-02-30", "--folder", "nowhere", "--word", "UPPER"];
    let output = place.run(&[&["workflow", "start", "typed"], &wrong[..]].concat()).code(2);
    let _ = output.says("'whole'").says("'day'").says("'word'").says("there is no folder 'nowhere'");
    assert_eq!(place.runs(), [""; 0]);
    let given =
        ["--whole", "-4", "--flag", "--day", "2026-02-28", "--tags", "a,b", "--tags", "c", "--word", "abc"];
    place.run(&[&["workflow", "start", "typed"], &given[..]].concat()).success();
    let inputs = place.status(&place.only_run())["inputs"].clone();
    let wanted = serde_json::json!({
        "whole": -4, "ratio": 0.5, "flag": true, "day": "2026-02-28", "tags": ["a", "b", "c"], "folder": "docs", "word": "abc",
    });
    assert_eq!(inputs, wanted);
}

#[test]
fn mistyped_names_are_answered_with_the_right_ones() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let near = format!("{}{}", &run[..run.len() - 1], if run.ends_with('x') { 'y' } else { 'x' });
    for (arguments, words) in [
        (vec!["workflow", "start", "rfc-reveiw"], vec!["'rfc-reveiw'", "did you mean 'rfc-review'?"]),
        (vec!["workflow", "strat"], vec!["'strat'", "'start'"]),
        (vec!["workflw"], vec!["'workflw'", "'workflow'"]),
        (
            vec!["workflow", "list", "--status", "complted"],
            vec!["'complted'", "did you mean 'completed'?", "waiting"],
        ),
        (vec!["workflow", "list", "--outptu", "json"], vec!["'--outptu'", "'--output'"]),
        (vec!["workflow", "status", &near], vec![&near, "did you mean", &run]),
        (vec!["workflow", "resume", "wf-nothere"], vec!["wf-nothere", "docket workflow list"]),
        (vec!["workflow", "cancel", "../../etc"], vec!["../../etc"]),
        (vec!["workflow", "show", "rfc-reviev"], vec!["did you mean 'rfc-review'?"]),
        (vec!["schema", "lst"], vec!["'lst'", "did you mean 'list'?", "results"]),
        (vec!["--output", "jsn", "workflow", "list"], vec!["'jsn'", "json"]),
        (vec!["completions", "bahs"], vec!["'bahs'", "bash"]),
    ] {
        let mut output = place.run(&arguments).code(2);
        for word in words {
            output = output.says(word);
        }
    }
    assert_eq!(place.runs(), [run]);
}

#[test]
fn without_a_project_docket_says_how_to_make_one() {
    let place = docket_tests::Place::without_project(crate::DOCKET);
    for arguments in [
        vec!["workflow", "list"],
        vec!["review", "x.md"],
        vec!["trust"],
        vec!["workflow", "start", "rfc-review"],
    ] {
        place.run(&arguments).code(2).says(&place.project().display().to_string()).says("`docket init`");
    }
    place.run(&["workflow", "list", "--project", "nowhere"]).code(2).says("nowhere").says("`docket init`");
    assert_eq!(std::fs::read_dir(place.project()).expect("readable").count(), 0);
    // What does not need a project works anywhere.
    place.run(&["schema", "run"]).success();
    place.run(&["doctor"]).success().prints("project");
    // The folder with the user's own settings is no project.
    let mut command = place.command(&["workflow", "list"]);
    std::fs::create_dir_all(place.docket_home()).expect("created");
    finish(command.current_dir(place.home())).code(2).says("`docket init`");
}

#[test]
fn settings_say_nothing_that_they_can_not_say() {
    let place = place_with_document();
    let project = ".docket/config.yml";
    place.write(project, "launcher: checklist\nlanucher: checklist\n");
    start(&place, &[])
        .code(2)
        .says(&format!("{project}:2:1: unknown key 'lanucher'"))
        .says("did you mean 'launcher'?");
    // A project chooses among the user's profiles; it can't bring a command along.
    place.write(project, "profiles:\n  mine: { launcher: shell, agent: generic, command: [/bin/sh] }\n");
    start(&place, &["--profile", "mine"])
        .code(2)
        .says(&format!("{project}:1:1: unknown key 'profiles'"))
        .says("a project chooses");
    place.write(project, "launcher: checklist\nlimits: { memory_mib: 100000 }\n");
    start(&place, &[]).code(2).says(project).says("limits");
    place.write(project, "launcher: [checklist\n");
    start(&place, &[]).code(2).says(&format!("{project}:")).says("not valid YAML");
    // What is chosen and not there is told at the place that chooses it.
    place.write(project, "# mine\nlauncher: checklst\n");
    start(&place, &[])
        .code(2)
        .says(&format!("{project}:2:11: there is no launcher 'checklst'"))
        .says("'checklist'");
    place.write(project, "profile: theirs\n");
    start(&place, &[]).code(2).says(&format!("{project}:1:10: there is no profile 'theirs'"));
    place.write(project, "# nothing\n");

    place.write_home(CONFIG, "profiles:\n  mine: { launcher: shell, comand: [/bin/sh] }\n");
    start(&place, &[]).code(2).says("config.yml:2:28: unknown key 'comand'").says("did you mean 'command'?");
    place.write_home(CONFIG, "profiles:\n  mine: { launcher: shell, timeout: 10 minutes }\n");
    start(&place, &[]).code(2).says("config.yml:2:37:").says("10 minutes").says("10m");
    // All faults at once, for programs with their places.
    place.write_home(CONFIG, "lanucher: x\nprofiles:\n  mine: { agent: codex, repairs: -1 }\n");
    let output = place.run(&[&["--output", "json"][..], &start_arguments(&[])].concat()).code(2);
    let error: serde_json::Value = serde_json::from_str(&output.stderr).expect("JSON");
    let faults = error["faults"]["list"].as_array().expect("faults");
    let lines: Vec<_> = faults.iter().map(|fault| fault["location"]["line"].as_u64()).collect();
    assert_eq!(lines, [Some(1), Some(3), Some(3)], "{error}");
    place.run(&["doctor"]).code(1).prints("config.yml");
    assert_eq!(place.runs(), [""; 0]);
    std::fs::remove_file(place.docket_home().join(CONFIG)).expect("removed");
    let command = ["workflow", "list"];
    finish(place.command(&command).env("DOCKET_OUTPUT", "jsno")).code(2).says("DOCKET_OUTPUT").says("json");
    finish(place.command(&command).env("DOCKET_OUTPUT", "json")).success().prints("\"runs\"");
}

#[test]
fn settings_that_others_could_have_written_are_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place_with_document();
    place.trusted_definition("rfc-review", crate::support::RFC_REVIEW);
    place.write_home(CONFIG, "launcher: checklist\n");
    for name in ["trust.json", CONFIG] {
        let path = place.docket_home().join(name);
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        set(0o666);
        let output = start(&place, &[]).code(4).says(&path.display().to_string());
        let _ = output.says("can be written by other users").says("chmod go-w");
        set(0o600);
    }
    assert_eq!(place.runs(), [""; 0]);
    assert_nothing_written(&place);
    std::fs::write(place.docket_home().join("trust.json"), "{\"format\": 9}").expect("written");
    start(&place, &[]).code(4).says("trust.json").says("format 9 is newer").says("use the newer docket");
    std::fs::write(place.docket_home().join("trust.json"), "{").expect("written");
    start(&place, &[]).code(4).says("trust.json is damaged").says("put it back from a backup");
    assert_nothing_written(&place);
}
