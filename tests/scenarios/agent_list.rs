//! `docket agent list` and what `docket doctor` says of profiles: what there is, which is in force and why, and programs
//! that answer a question for their version in every bad way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use docket_tests::{Output, Place, finish, wait_until};
use serde_json::{Value, json};

use crate::formats::assert_fits;
use crate::support::{CONFIG, is_alive, place_with_document, run_with};

/// A program outside the project that does this when it is asked.
fn program(place: &Place, name: &str, script: &str) -> PathBuf {
    let folder = place.home().join("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (path, text) = (folder.join(name), folder.join(format!("{name}.txt")));
    std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).expect("mode");
    // Copied by another process: a file that this one wrote may still be open in a process that another test started,
    // and can't be run as long.
    let copied = std::process::Command::new("cp").args([&text, &path]).status().expect("cp is there");
    assert!(copied.success());
    path
}

/// Runs docket with the programs on its path.
fn with_programs(place: &Place, arguments: &[&str]) -> Output {
    let path = format!("{}:/usr/bin:/bin", place.home().join("bin").display());
    run_with(place, &[("PATH", &path)], arguments)
}

fn list(place: &Place, more: &[&str]) -> Value {
    let arguments = [&["agent", "list", "--output", "json"], more].concat();
    with_programs(place, &arguments).success().json()
}

fn profile(list: &Value, name: &str) -> Value {
    let profiles = list["profiles"].as_array().expect("profiles");
    profiles.iter().find(|profile| profile["name"] == name).expect("the profile").clone()
}

#[test]
fn launchers_and_profiles_are_listed_with_their_origin_and_what_they_answer() {
    let place = place_with_document();
    let codex = program(&place, "codex", "echo codex-cli 9.9.9");
    program(&place, "claude-code-acp", "echo 1.2.3");
    place.write_home(
        CONFIG,
        "profile: ci\nprofiles:\n  ci: { launcher: shell, agent: codex, model: large }\n  \
         home: { launcher: acp, agent: claude }\n  mine: { launcher: shell, command: [/bin/sh, -c, x] }\n  \
         formal: { launcher: manual }\n  away: { launcher: acp, agent: gemini }\n",
    );
    let found = list(&place, &[]);
    assert_fits(&place, "agent-list", &found);
    let launcher = |name: &str| {
        let launchers = found["launchers"].as_array().expect("launchers");
        launchers.iter().find(|launcher| launcher["name"] == name).expect("the launcher").clone()
    };
    assert_eq!(launcher("checklist")["origin"], "built-in");
    assert_eq!(launcher("shell")["plugin"], "agent-shell");
    assert!(launcher("shell")["agents"].as_array().expect("agents").contains(&json!("codex")));
    let home = place.docket_home().join(CONFIG).display().to_string();
    assert_eq!(
        profile(&found, "ci"),
        json!({
            "name": "ci", "origin": format!("{home}:3"), "launcher": "shell", "agent": "codex", "model": "large",
            "in_force": true,
            "command": { "words": ["codex"], "path": codex, "state": "answers", "version": "codex-cli 9.9.9" },
        })
    );
    let command = |name: &str| profile(&found, name)["command"].clone();
    assert_eq!(
        (&command("home")["words"], &command("home")["version"]),
        (&json!(["claude-code-acp"]), &json!("1.2.3"))
    );
    assert_eq!((&command("mine")["state"], &command("mine")["version"]), (&json!("not-asked"), &Value::Null));
    assert_eq!(command("formal"), Value::Null, "it starts no program");
    assert_eq!(command("away")["words"], json!(["gemini", "--acp"]));
    assert_eq!(command("away")["state"], "missing");
    let why = command("away")["detail"].as_str().expect("why").to_owned();
    assert!(why.contains("not on PATH") && why.contains("npm install -g @google/gemini-cli"), "{why}");

    let shown = with_programs(&place, &["agent", "list"]).success();
    let shown = shown.prints("ci *").prints("codex-cli 9.9.9").prints("/bin/sh, not asked for its version");
    let _ = shown.prints("profile 'ci'").prints("launcher 'shell' (the profile in force)");
    let doctor = with_programs(&place, &["doctor"]).success();
    let doctor = doctor.prints(&format!("profile ci: shell runs {}: codex-cli 9.9.9", codex.display()));
    let _ = doctor.prints("profile away: 'gemini' is not on PATH").prints("profile formal");
}

#[test]
fn the_rule_that_chose_is_named() {
    let place = place_with_document();
    place.write_home(
        CONFIG,
        "profiles:\n  ci: { launcher: shell, agent: codex }\n  formal: { launcher: checklist }\n",
    );
    let in_force = |variables: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["agent", "list", "--no-probe", "--output", "json"], more].concat();
        let found = run_with(&place, variables, &arguments).success().json();
        let part = |value: &Value| {
            value.as_object().map(|_| {
                let text = |field: &str| value[field].as_str().expect("text").to_owned();
                format!("{} by {}", text("name"), text("rule"))
            })
        };
        (part(&found["in_force"]["launcher"]).expect("a launcher"), part(&found["in_force"]["profile"]))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(in_force(&[], &[]), ("manual by default".into(), None));
    let home = std::fs::read_to_string(place.docket_home().join(CONFIG)).expect("settings");
    place.write_home(CONFIG, format!("launcher: checklist\n{home}"));
    assert_eq!(in_force(&[], &[]), ("checklist by home".into(), None));
    place.write_home(CONFIG, format!("launcher: checklist\nprofile: ci\n{home}"));
    assert_eq!(in_force(&[], &[]), ("shell by profile".into(), some("ci by home")));
    place.write(".docket/config.yml", "launcher: manual\n");
    assert_eq!(in_force(&[], &[]), ("shell by profile".into(), some("ci by home")));
    place.write(".docket/config.yml", "launcher: manual\nprofile: formal\n");
    assert_eq!(in_force(&[], &[]), ("checklist by profile".into(), some("formal by project")));
    assert_eq!(
        in_force(&[("DOCKET_PROFILE", "ci")], &[]),
        ("shell by profile".into(), some("ci by environment"))
    );
    assert_eq!(
        in_force(&[("DOCKET_PROFILE", "ci")], &["--profile", "formal"]),
        ("checklist by profile".into(), some("formal by flag"))
    );
    assert_eq!(
        in_force(&[("DOCKET_LAUNCHER", "manual")], &[]),
        ("manual by environment".into(), some("formal by project"))
    );
    assert_eq!(
        in_force(&[("DOCKET_LAUNCHER", "manual")], &["--launcher", "shell"]),
        ("shell by flag".into(), some("formal by project"))
    );
    let shown = place.run(&["agent", "list", "--launcher", "shell"]).success();
    assert!(shown.stdout.contains("launcher 'shell' (--launcher).\n"), "a flag goes before stages");
    place.run(&["agent", "list"]).success().prints("a stage's own `launcher` comes first");
}

#[test]
fn profiles_that_no_run_can_use_are_listed_with_what_is_wrong() {
    let place = place_with_document();
    place.write_home(
        CONFIG,
        "profiles:\n  a: { launcher: shel, agent: codex }\n  b: { launcher: shell, agent: codecs }\n",
    );
    let found = list(&place, &[]);
    let problem = |name: &str| profile(&found, name)["problem"].as_str().expect("a problem").to_owned();
    assert!(problem("a").contains("config.yml:2:18: there is no launcher 'shel'"), "{}", problem("a"));
    assert!(
        problem("b").contains("config.yml:3:32: the launcher 'shell' knows no agent 'codecs'"),
        "{}",
        problem("b")
    );
    let doctor = place.run(&["doctor"]).success().prints("there is no launcher 'shel'");
    let _ = doctor.prints(&format!("mend it in {}:2", place.docket_home().join(CONFIG).display()));
    // What runs says the same, with the line.
    let start = |profile: &str| {
        place.run(&[
            "workflow",
            "start",
            "rfc-review",
            "--rfc-path",
            crate::support::DOCUMENT,
            "--profile",
            profile,
        ])
    };
    start("a").code(2).says("config.yml:2:18").says("did you mean 'shell'?");
    start("b").code(2).says("config.yml:3:32").says("did you mean 'codex'?").says("generic");
    assert_eq!(place.runs(), [""; 0]);
}

#[test]
fn programs_of_the_users_own_are_asked_only_when_that_is_wanted() {
    let place = place_with_document();
    let mark = place.home().join("asked");
    let own = program(&place, "review", &format!("echo \"$@\" >> '{}'; echo own 1.0", mark.display()));
    place.write_home(
        CONFIG,
        format!(
            "profiles:\n  own: {{ launcher: shell, agent: generic, command: ['{}', --json] }}\n",
            own.display()
        ),
    );
    assert_eq!(profile(&list(&place, &[]), "own")["command"]["state"], "not-asked");
    with_programs(&place, &["doctor"]).success().prints("not asked for its version");
    assert!(!mark.exists(), "nobody knows what it does with --version");
    let command = profile(&list(&place, &["--probe-all"]), "own")["command"].clone();
    assert_eq!((&command["state"], &command["version"]), (&json!("answers"), &json!("own 1.0")));
    assert_eq!(
        std::fs::read_to_string(&mark).expect("asked"),
        "--version\n",
        "once, and with no other argument"
    );
    program(&place, "codex", &format!("echo codex >> '{}'; echo codex 1", mark.display()));
    place.write_home(CONFIG, "profiles:\n  ci: { launcher: shell, agent: codex }\n");
    assert_eq!(profile(&list(&place, &["--no-probe"]), "ci")["command"]["state"], "not-asked");
    assert_eq!(std::fs::read_to_string(&mark).expect("as before"), "--version\n");
    place.run(&["agent", "list", "--no-probe", "--probe-all"]).code(2).says("--probe-all");
}

#[test]
fn bad_answers_are_told_and_hold_nothing_up() {
    let place = place_with_document();
    let fork = place.home().join("child");
    let scripts = [
        ("claude", "echo '\u{1b}]0;title\u{7}\u{1b}[31mred 1.0\u{1b}[0m\u{8}'"),
        ("codex", "yes flood"),
        ("gemini", "echo 1.0; exit 42"),
    ];
    for (name, script) in scripts {
        program(&place, name, script);
    }
    program(&place, "opencode", &format!("sleep 300 & echo $! > '{}'; sleep 300", fork.display()));
    place.write_home(
        CONFIG,
        "profiles:\n  claude: { launcher: shell, agent: claude, env: [SECRET] }\n  \
         codex: { launcher: shell, agent: codex }\n  gemini: { launcher: shell, agent: gemini }\n  \
         opencode: { launcher: shell, agent: opencode }\n",
    );
    let found = list(&place, &[]);
    let command = |name: &str| profile(&found, name)["command"].clone();
    assert_eq!(command("claude")["version"], "red 1.0", "control characters are taken out");
    let why = |name: &str| {
        assert_eq!(command(name)["state"], "no-answer", "{found}");
        command(name)["detail"].as_str().expect("why").to_owned()
    };
    assert_eq!(why("codex"), "it printed more than 64 KiB");
    assert_eq!(why("gemini"), "it ended with exit code 42");
    assert_eq!(why("opencode"), "it did not answer within 10 s");
    let child = std::fs::read_to_string(&fork).expect("it was started");
    wait_until("its whole group is gone", || !is_alive(child.trim()));
    let doctor = with_programs(&place, &["doctor"]).success();
    assert!(!doctor.stdout.contains('\u{1b}'), "{}", doctor.stdout);
    let _ = doctor.prints("asked for its version it ended with exit code 42").prints("run it by hand");
}

#[test]
fn a_program_that_is_asked_sees_little_and_stands_nowhere_near_the_project() {
    let place = place_with_document();
    let seen = place.home().join("seen");
    program(&place, "codex", &format!("{{ pwd; env; cat; }} > '{}'; echo codex 1", seen.display()));
    place.write_home(CONFIG, "profiles:\n  ci: { launcher: shell, agent: codex, env: [MODEL_KEY] }\n");
    let path = format!("{}:/usr/bin:/bin", place.home().join("bin").display());
    let mut command = place.command(&["agent", "list"]);
    finish(command.env("PATH", &path).env("MODEL_KEY", "sk-not-for-this")).success().prints("codex 1");
    let seen = std::fs::read_to_string(&seen).expect("it was asked");
    assert!(seen.starts_with("/\n"), "{seen}");
    assert!(!seen.contains("sk-not-for-this") && !seen.contains("DOCKET_HOME"), "{seen}");
    assert!(
        seen.contains("DOCKET_AGENT_OF="),
        "what it starts is refused what only a person decides: {seen}"
    );
}

#[test]
fn a_command_in_the_project_is_neither_run_nor_asked() {
    let place = place_with_document();
    place.write("tools/codex", "#!/bin/sh\ntouch ran\n");
    let inside = place.project().join("tools/codex");
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o755)).expect("mode");
    place.write_home(
        CONFIG,
        format!(
            "profiles:\n  named: {{ launcher: shell, agent: codex, command: ['{}'] }}\n  found: {{ launcher: shell, agent: codex }}\n",
            inside.display()
        ),
    );
    let path = format!("{}:/usr/bin:/bin", place.project().join("tools").display());
    let arguments = ["agent", "list", "--probe-all", "--output", "json"];
    let found = run_with(&place, &[("PATH", &path)], &arguments).success().json();
    for name in ["named", "found"] {
        let command = profile(&found, name)["command"].clone();
        assert_eq!(command["state"], "missing", "{command}");
        assert!(command["detail"].as_str().expect("why").contains("inside the project"), "{command}");
    }
    run_with(&place, &[("PATH", &path)], &["doctor"]).success().prints("inside the project");
    assert!(!place.project().join("ran").exists() && !place.home().join("ran").exists());
    // And a project can't bring a profile along.
    place.write(".docket/config.yml", "profiles: { x: { launcher: shell, command: [/bin/sh] } }\n");
    place.run(&["agent", "list"]).code(2).says(".docket/config.yml:1:1").says("a project chooses");
}

#[test]
fn it_works_outside_of_any_project() {
    let place = Place::without_project(crate::DOCKET);
    place.write_home(CONFIG, "profile: ci\nprofiles: { ci: { launcher: checklist } }\n");
    let found = place.run(&["agent", "list", "--output", "json"]).success().json();
    assert_eq!(found["in_force"]["launcher"]["name"], "checklist");
    place.run(&["agent", "list"]).success().prints("starts no program");
}
