//! What a plugin sees of the project: the granted folders and nothing beside, through or above them, and nothing of it
//! to write. Looked at from the inside, with the test plugin, which was granted to read `docs`.

use std::os::unix::fs::symlink;

use docket_tests::Place;
use serde_json::{Value, json};

use crate::sandbox::{
    GRANTED_TEXT, PLUGIN, act, act_all, assert_failure, definition, failure_of, guest, guest_place,
    result_of, results, run_of, with_manifest,
};

/// What reading each of these paths came to, in one run.
fn read_all(place: &Place, paths: &[&str]) -> Vec<Value> {
    let name = |position: usize| format!("s{position}");
    let stage = |(position, path): (usize, &&str)| json!({ "name": name(position), "type": "test", "config": { "act": "read", "path": path } });
    let stages: Vec<Value> = paths.iter().enumerate().map(stage).collect();
    let output = act_all(place, &definition(json!(stages))).success();
    let results = results(place, &run_of(&output));
    (0..paths.len()).map(|position| results[name(position)].clone()).collect()
}

/// None of these paths can be read.
#[track_caller]
fn assert_closed(place: &Place, paths: &[&str]) {
    for (path, result) in paths.iter().zip(read_all(place, paths)) {
        assert!(result["error"].is_string() && result.get("ok").is_none(), "{path} was read: {result}");
    }
}

#[test]
fn the_granted_folder_is_there_and_nothing_else() {
    let place = guest_place();
    place.write("docs/inner/deep/b.md", "deep");
    place.write("other/secret.md", "secret");
    place.write("secret.md", "secret");
    let list = |path: &str| result_of(&place, json!({ "act": "list", "path": path }))["ok"].clone();
    assert_eq!(list("/project"), json!(["docs/"]));
    assert_eq!(list("/project/docs"), json!(["a.md", "inner/"]));
    assert_eq!(list("/in"), json!([]));
    assert_eq!(list("/out"), json!([]));
    assert_eq!(list("/cache"), json!([]));
    assert_eq!(list("/"), Value::Null, "the guest's root is not a folder of the host");
    let read = read_all(
        &place,
        &["/project/docs/a.md", "/project/docs/inner/deep/b.md", "/project/docs/inner/../a.md"],
    );
    assert_eq!(read, [json!({ "ok": GRANTED_TEXT }), json!({ "ok": "deep" }), json!({ "ok": GRANTED_TEXT })]);
    assert_closed(&place, &["/project/other/secret.md", "/project/secret.md", "/project/.docket/config.yml"]);
}

#[test]
fn paths_that_leave_the_granted_folder_are_closed() {
    let place = guest_place();
    place.write("secret.md", "secret");
    let outside = place.home().join("outside.md");
    std::fs::write(&outside, "outside").expect("written");
    let (outside, root) = (outside.display().to_string(), place.project().display().to_string());
    assert_closed(
        &place,
        &[
            "/etc/passwd",
            &outside,
            &format!("{root}/secret.md"),
            &format!("{root}/docs/a.md"),
            "/project/docs/../secret.md",
            "/project/../secret.md",
            "/project/docs/../../home/outside.md",
            "/project/docs/inner/../../../home/outside.md",
            &format!("/project/docs/../../../../../../../../../..{outside}"),
            "/out/../../../journal.jsonl",
            "/in/../../../definition.yml",
            "/cache/../../../compiled",
            "/proc/self/environ",
            "../secret.md",
            "",
            "/project/docs/a.md/",
            "/project/docs/a.md\u{0}.png",
        ],
    );
}

#[test]
fn names_with_secrets_are_not_there_at_any_depth() {
    let place = guest_place();
    for path in
        [".env", "docs/.env", "docs/.env.local", "docs/x/.git/config", "docs/x/.docket/y", "docs/x/.envrc"]
    {
        place.write(path, "SECRET");
    }
    place.write("docs/x/plain.md", "plain");
    place.write("docs/x/.hidden", "not a secret");
    place.write("docs/y/z.md", "unaffected");
    let list = |path: &str| result_of(&place, json!({ "act": "list", "path": path }))["ok"].clone();
    assert_eq!(list("/project"), json!(["docs/"]));
    assert_eq!(list("/project/docs"), json!(["a.md", "x/", "y/"]));
    assert_eq!(list("/project/docs/x"), json!([".hidden", "plain.md"]));
    let read = read_all(&place, &["/project/docs/x/plain.md", "/project/docs/y/z.md", "/project/docs/a.md"]);
    assert_eq!(
        read,
        [json!({ "ok": "plain" }), json!({ "ok": "unaffected" }), json!({ "ok": GRANTED_TEXT })]
    );
    assert_closed(
        &place,
        &[
            "/project/.env",
            "/project/docs/.env",
            "/project/docs/.env.local",
            "/project/docs/x/.envrc",
            "/project/docs/x/.git/config",
            "/project/docs/x/.docket/y",
            "/project/docs/y/../.env",
        ],
    );
}

#[test]
fn links_in_a_granted_folder_lead_nowhere_outside_it() {
    let place = guest_place();
    place.write("secret.md", "secret");
    let outside = place.home().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::fs::write(outside.join("x.md"), "outside").expect("written");
    let docs = place.project().join("docs");
    for (target, link) in [
        (outside.join("x.md"), "file.md"),
        (outside.clone(), "folder"),
        ("../secret.md".into(), "up.md"),
        ("..".into(), "above"),
        ("folder".into(), "chain"),
        ("chain/x.md".into(), "chained.md"),
        ("loop".into(), "loop"),
        ("/proc/self/root".into(), "slash"),
        ("a.md".into(), "inside.md"),
    ] {
        symlink(target, docs.join(link)).expect("linked");
    }
    assert_closed(
        &place,
        &[
            "/project/docs/file.md",
            "/project/docs/file.md/",
            "/project/docs/folder/x.md",
            "/project/docs/folder//x.md",
            "/project/docs/up.md",
            "/project/docs/above/secret.md",
            "/project/docs/above/docs/a.md",
            "/project/docs/chain/x.md",
            "/project/docs/chained.md",
            "/project/docs/loop",
            "/project/docs/slash/etc/passwd",
        ],
    );
    for folder in ["folder", "folder/", "chain/", "above/", "slash/"] {
        let listed = result_of(&place, json!({ "act": "list", "path": format!("/project/docs/{folder}") }));
        assert!(listed["error"].is_string(), "{folder}: {listed}");
    }
    let inside = result_of(&place, json!({ "act": "read", "path": "/project/docs/inside.md" }));
    assert_eq!(inside, json!({ "ok": GRANTED_TEXT }), "a link that stays inside is an ordinary one");
}

#[test]
fn a_granted_folder_that_is_a_link_is_refused() {
    let place = guest_place();
    let outside = place.home().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::fs::write(outside.join("x.md"), "outside").expect("written");
    std::fs::remove_dir_all(place.project().join("docs")).expect("removed");
    symlink(&outside, place.project().join("docs")).expect("linked");
    let failure = failure_of(&place, json!({ "act": "read", "path": "/project/docs/x.md" }));
    assert_failure(
        &failure,
        "sandbox-failed",
        &["'docs'", "link", "name files and folders of the project themselves"],
    );

    std::fs::remove_file(place.project().join("docs")).expect("removed");
    place.write("real/docs/a.md", "moved");
    symlink("real/docs", place.project().join("docs")).expect("linked");
    let failure = failure_of(&place, json!({ "act": "read", "path": "/project/docs/a.md" }));
    assert_failure(&failure, "sandbox-failed", &["'docs'", "link"]);
}

#[test]
fn a_granted_path_that_leads_through_a_link_is_refused() {
    let place = guest_place();
    place
        .write(PLUGIN, with_manifest(&guest(), |manifest| manifest["capabilities"]["read"] = json!(["a/b"])));
    let outside = place.home().join("outside");
    std::fs::create_dir_all(outside.join("b")).expect("created");
    symlink(&outside, place.project().join("a")).expect("linked");
    let failure = failure_of(&place, json!({ "act": "list", "path": "/project/a/b" }));
    assert_failure(&failure, "sandbox-failed", &["'a/b'"]);
}

/// A named pipe has no end to read: opening it would wait where neither timeout nor Ctrl-C reach.
#[test]
fn named_pipes_are_left_out() {
    let place = guest_place();
    let pipe = place.project().join("docs/pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("made");
    let results = read_all(&place, &["/project/docs/pipe", "/project/docs/a.md"]);
    assert!(results[0]["error"].is_string(), "{results:?}");
    assert_eq!(results[1], json!({ "ok": GRANTED_TEXT }));
}

#[test]
fn nothing_of_the_project_can_be_changed() {
    let place = guest_place();
    place.write("docs/b/c.md", "c");
    for path in ["docs/a.md", "docs/b/c.md", "docs/b", "new.md", "docs", ""] {
        let tried = result_of(&place, json!({ "act": "write-project", "path": path }));
        for (way, told) in tried.as_object().expect("ways") {
            assert!(told["error"].is_string(), "{way} of '{path}' went well: {tried}");
        }
    }
    // `over` moves a proposal, which then is none any more only if it went well.
    let output = act(&place, json!({ "act": "rename-project", "path": "docs/a.md" })).code(1);
    assert!(output.stderr.contains("'renamed.txt'"), "{}", output.stderr);
    for path in ["/project/docs/a.md", "/project/docs/b/c.md"] {
        let linked =
            result_of(&place, json!({ "act": "hard-link", "target": path, "path": "out/linked.md" }));
        assert!(linked["error"].is_string(), "{linked}");
    }
    assert_eq!(place.read("docs/a.md"), GRANTED_TEXT);
    assert_eq!(place.read("docs/b/c.md"), "c");
    let mut names: Vec<_> = std::fs::read_dir(place.project())
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    names.sort();
    assert_eq!(names, [".docket", "docs"]);
    assert_eq!(std::fs::read_dir(place.project().join("docs")).expect("readable").count(), 2);
}

/// Beside `/out` and `/cache` there is no place to write, not even beside them.
#[test]
fn nothing_else_can_be_written() {
    let place = guest_place();
    for path in [
        "/in/x",
        "/project/x",
        "/project/docs/x",
        "/x",
        "/tmp/x",
        "x",
        "/out/../x",
        "/out/../in/x",
        "/cache/../x",
        "/out/../../../journal.jsonl",
        "/out/../../../../../../../home/x",
    ] {
        let written = result_of(&place, json!({ "act": "write-at", "path": path, "content": "x" }));
        assert!(written["error"].is_string(), "{path} was written: {written}");
    }
    assert!(!place.home().join("x").exists() && !place.project().join("x").exists());
    assert_eq!(result_of(&place, json!({ "act": "list", "path": "/in" })), json!({ "ok": [] }));
}

#[test]
fn a_whole_project_is_read_without_hidden_and_ignored_entries() {
    let place = guest_place();
    place.write(PLUGIN, with_manifest(&guest(), |manifest| manifest["capabilities"]["read"] = json!(["."])));
    place.write(".gitignore", "/target\n*.log\n");
    for path in
        ["target/x", "run.log", ".git/config", ".env", ".hidden/x", "src/.env", "src/main.rs", "README.md"]
    {
        place.write(path, "text");
    }
    let list = |path: &str| result_of(&place, json!({ "act": "list", "path": path }))["ok"].clone();
    assert_eq!(list("/project"), json!(["README.md", "docs/", "src/"]));
    assert_eq!(list("/project/src"), json!(["main.rs"]));
    assert_closed(
        &place,
        &[
            "/project/target/x",
            "/project/run.log",
            "/project/.git/config",
            "/project/.hidden/x",
            "/project/.docket/config.yml",
        ],
    );
}

/// The path in a config field may come from anywhere, even from an agent; some names nobody reads.
#[test]
fn a_config_field_can_not_name_a_secret() {
    let place = guest_place();
    place.write(
        PLUGIN,
        with_manifest(&guest(), |manifest| manifest["capabilities"]["read"] = json!(["${config.path}"])),
    );
    place.write(".env", "SECRET");
    place.write("docs/.env.production", "SECRET");
    for path in [".env", ".git/config", ".docket/config.yml", "docs/.env.production", ".git"] {
        let failure = failure_of(&place, json!({ "act": "list", "path": path }));
        assert_failure(&failure, "not-granted", &[&format!("'{path}'"), "no stage may read"]);
    }
    for path in ["../x", "/etc/passwd", "a/../../b", "nul"] {
        let failure = failure_of(&place, json!({ "act": "list", "path": path }));
        assert_failure(&failure, "not-granted", &[path, "${config.path}"]);
    }
    let failure = failure_of(&place, json!({ "act": "time" }));
    assert_failure(&failure, "not-granted", &["'path'", "${config.path}"]);
}
