//! What a plugin may do is what its manifest asks for and what was granted: every kind of right, had and not had,
//! through the real binary.

use docket_tests::{Output, Place, finish_or_kill};
use serde_json::{Value, json};

use crate::sandbox::{
    DEFINITION, PLUGIN, assert_failure, definition, guest, guest_place, guest_with_spawn, results, run_of,
    single, with_manifest,
};

/// The test plugin asking for this. What it says of its config gives way, so that the manifest keeps its length.
fn asking(component: &[u8], capabilities: &Value) -> Vec<u8> {
    with_manifest(component, |manifest| {
        manifest["description"] = json!("");
        manifest["stages"][0]["config"] = json!({ "type": "object" });
        manifest["capabilities"] = capabilities.clone();
    })
}

/// A place with the test plugin that asks for this. Nothing is trusted yet.
fn place_asking(capabilities: &Value) -> Place {
    let place = guest_place();
    place.write(PLUGIN, asking(&guest(), capabilities));
    place
}

/// Trusts the place's files as they are, and grants its plugin these capabilities and no others.
#[track_caller]
pub(crate) fn grant_only(place: &Place, capabilities: &[&str]) {
    place.run(&["trust", "--yes"]).success();
    let list = place.run(&["plugin", "list", "--output", "json"]).success().json();
    let plugins = list["plugins"].as_array().expect("plugins");
    let plugin = plugins.iter().find(|plugin| plugin["source"] == "project").expect("one plugin");
    let name = plugin["name"].as_str().expect("a name");
    let asked: Vec<(&str, bool)> = plugin["capabilities"]
        .as_array()
        .expect("capabilities")
        .iter()
        .map(|asked| (asked["capability"].as_str().expect("words"), asked["granted"] == true))
        .collect();
    for wanted in capabilities {
        assert!(asked.iter().any(|(text, _)| text == wanted), "it does not ask for '{wanted}': {asked:?}");
    }
    let decide = |verb: &str, more: &[&str], had: bool| {
        let wanted = |text: &&str| capabilities.contains(text) != had;
        let some: Vec<&str> =
            asked.iter().filter(|(_, has)| *has == had).map(|(text, _)| *text).filter(wanted).collect();
        if !some.is_empty() {
            place.run(&[&["plugin", verb, name], &some[..], more].concat()).success();
        }
    };
    decide("revoke", &[], true);
    decide("grant", &["--yes"], false);
}

/// Runs a stage of this config as things are granted now; `TOKEN` and `OTHER` are set.
#[track_caller]
fn run(place: &Place, config: &Value) -> Output {
    assert_eq!(place.read(DEFINITION), single(config), "trusted as it is");
    let mut command = place.command(&["workflow", "start", "acts"]);
    command.env("TOKEN", "t-123").env("OTHER", "o-456");
    finish_or_kill(&mut command)
}

/// The result of a stage of a plugin that was granted just this.
#[track_caller]
fn result_with(place: &Place, granted: &[&str], config: Value) -> Value {
    place.write(DEFINITION, single(&config));
    grant_only(place, granted);
    let output = run(place, &config).success();
    results(place, &run_of(&output))["s"].clone()
}

/// The failure of a stage of a plugin that was granted just this.
#[track_caller]
fn failure_with(place: &Place, granted: &[&str], config: Value) -> Value {
    place.write(DEFINITION, single(&config));
    grant_only(place, granted);
    let output = run(place, &config).code(1);
    place.status(&run_of(&output))["stages"][0]["failure"].clone()
}

fn read(path: &str) -> Value {
    json!({ "act": "read", "path": path })
}

fn list(path: &str) -> Value {
    json!({ "act": "list", "path": path })
}

#[test]
fn a_plugin_has_what_it_asks_for_and_was_granted() {
    let place = place_asking(&json!({ "read": ["docs", "src"], "write": ["out/**"], "cache": true }));
    place.write("src/main.rs", "code");
    let write = json!({ "act": "write", "path": "out/a.md", "content": "x" });

    let only_docs = ["read docs"];
    assert!(result_with(&place, &only_docs, read("/project/docs/a.md"))["ok"].is_string());
    assert!(result_with(&place, &only_docs, list("/project/src"))["error"].is_string());
    assert!(result_with(&place, &only_docs, list("/cache"))["error"].is_string());
    assert_failure(
        &failure_with(&place, &only_docs, write.clone()),
        "not-granted",
        &["'out/a.md'", "'test-guest'", "stage 's'", "write out/**", "`docket plugin grant test-guest`"],
    );
    assert!(!place.project().join("out").exists());

    // Granted nothing at all it still runs: somebody decided about it.
    assert!(result_with(&place, &[], list("/project/docs"))["error"].is_string());

    let all = ["read docs", "read src", "write out/**", "keep a private cache"];
    assert_eq!(result_with(&place, &all, read("/project/src/main.rs")), json!({ "ok": "code" }));
    assert_eq!(result_with(&place, &all, list("/cache")), json!({ "ok": [] }));
    result_with(&place, &all, write);
    assert_eq!(place.read("out/a.md"), "x");
}

#[test]
fn what_was_granted_to_other_bytes_is_not_had() {
    let place = place_asking(&json!({ "read": ["docs"] }));
    let config = read("/project/docs/a.md");
    assert!(result_with(&place, &["read docs"], config.clone())["ok"].is_string());
    place.write(PLUGIN, asking(&guest(), &json!({ "read": ["docs", "src"] })));
    run(&place, &config).code(4).says("read src").says("docket trust");
}

#[test]
fn a_failure_says_what_was_withheld() {
    let place = place_asking(&json!({ "read": ["src"], "env": ["TOKEN"] }));
    let failure = failure_with(&place, &["read src"], json!({ "act": "fail", "hint": "try harder" }));
    let words = ["'test-guest'", "see the variable TOKEN", "`docket plugin grant test-guest`", "try harder"];
    assert_failure(&failure, "asked-to-fail", &words);
    assert!(!failure["hint"].as_str().expect("a hint").contains("read src"), "it was granted: {failure}");
}

#[test]
fn variables_are_seen_when_granted_and_no_others() {
    let place = place_asking(&json!({ "env": ["TOKEN", "ABSENT"] }));
    let look = json!({ "act": "environment" });
    let both = ["see the variable TOKEN", "see the variable ABSENT"];
    assert_eq!(result_with(&place, &both, look.clone())["variables"], json!([["TOKEN", "t-123"]]));
    assert_eq!(result_with(&place, &both[1..], look)["variables"], json!([]));
}

/// A profile whose command prints its environment.
const PRINTS_ITS_ENVIRONMENT: &str =
    "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/usr/bin/env] } }\n";
/// Running commands, as it is granted.
const EXEC: &str = "run the launcher profile's command";

#[test]
fn a_command_sees_the_variables_that_were_granted() {
    let place = guest_place();
    place.write(PLUGIN, asking(&guest_with_spawn(), &json!({ "exec": true, "env": ["TOKEN"] })));
    place.write_home("config.yml", PRINTS_ITS_ENVIRONMENT);
    let spawn = json!({ "act": "spawn", "program": "/usr/bin/env" });
    let sees = |granted: &[&str]| {
        let printed = result_with(&place, granted, spawn.clone())["stdout"].to_string();
        assert!(!printed.contains("o-456"), "{printed}");
        printed.contains("TOKEN=t-123")
    };
    assert!(sees(&[EXEC, "see the variable TOKEN"]));
    assert!(!sees(&[EXEC]));
}

#[test]
fn a_command_that_was_not_granted_is_named_with_the_fix() {
    let place = guest_place();
    place.write(PLUGIN, asking(&guest_with_spawn(), &json!({ "exec": true })));
    place.write_home("config.yml", PRINTS_ITS_ENVIRONMENT);
    let failure = failure_with(&place, &[], json!({ "act": "spawn", "program": "/usr/bin/env" }));
    let words = ["'test-guest'", "`process`", "stage 's'", EXEC, "`docket plugin grant test-guest`"];
    assert_failure(&failure, "not-granted", &words);
}

#[test]
fn limits_are_raised_when_granted_and_never_lowered() {
    let place = place_asking(&json!({ "write": ["out/**"], "limits": { "out_mib": 3, "memory_mib": 1 } }));
    place.write_home("config.yml", "limits: { out_mib: 1 }\n");
    let write = json!({ "act": "write-many", "path": "out", "count": 2, "bytes": 1 << 20 });
    place.run(&["trust", "--list"]).code(4).says("use 1 MiB of memory (default 256)");
    let few = ["write out/**", "use 1 MiB of memory (default 256)"];
    assert_failure(
        &failure_with(&place, &few, write.clone()),
        "output-limit",
        &["1 MiB", "propose files of 3 MiB (default 64)", "`docket plugin grant test-guest`"],
    );
    let all = [few[0], few[1], "propose files of 3 MiB (default 64)"];
    assert_eq!(result_with(&place, &all, write.clone())["failed"], 0);
    // What the user's own settings allow beyond that, the plugin has as well.
    place.write_home("config.yml", "limits: { out_mib: 5 }\n");
    let more = json!({ "act": "write-many", "path": "out", "count": 4, "bytes": 1 << 20 });
    assert_eq!(result_with(&place, &all, more)["failed"], 0);
}

#[test]
fn a_manifest_with_limits_or_variables_that_are_none_is_refused() {
    for (capabilities, word) in [
        (json!({ "limits": { "memory": 1 } }), "memory"),
        (json!({ "limits": { "wall_clock": 1 } }), "wall_clock"),
        (json!({ "limits": { "cpu": "soon" } }), "soon"),
        (json!({ "env": ["A=B"] }), "A=B"),
        (json!({ "hosts": ["*"] }), "hosts"),
    ] {
        let place = place_asking(&capabilities);
        place.run(&["trust", "--yes"]).code(2).says(PLUGIN).says(word);
    }
}

#[test]
fn a_glob_mounts_the_folders_that_match() {
    let place = place_asking(&json!({ "read": ["packages/*/docs", "**/adr"] }));
    for path in ["packages/a/docs/x.md", "packages/b/docs/y/z.md", "packages/a/src/s.rs", "deep/er/adr/1.md"]
    {
        place.write(path, "text");
    }
    for path in ["packages/docs", ".git/adr/secret", "packages/a/docs/.env", "packages/a/docs/.git/config"] {
        place.write(path, "SECRET");
    }
    std::fs::create_dir_all(place.home().join("outside/adr")).expect("created");
    std::os::unix::fs::symlink(place.home().join("outside"), place.project().join("linked")).expect("linked");
    let all = ["read packages/*/docs", "read **/adr"];
    let names = |path: &str| result_with(&place, &all, list(path))["ok"].clone();
    assert_eq!(names("/project/packages/a/docs"), json!(["x.md"]));
    assert_eq!(names("/project/packages/b/docs"), json!(["y/"]));
    assert_eq!(names("/project/deep/er/adr"), json!(["1.md"]));
    for closed in [
        "/project/packages/a/src",
        "/project/packages/docs",
        "/project/.git/adr",
        "/project/linked/adr",
        "/project/docs",
        "/project/packages/a/docs/.git",
    ] {
        assert!(names(closed).is_null(), "{closed} is there");
    }
    assert!(result_with(&place, &all[1..], list("/project/packages/a/docs"))["error"].is_string());
}

#[test]
fn a_glob_that_matches_too_much_says_so() {
    let place = place_asking(&json!({ "read": ["many/*"] }));
    for number in 0..=100 {
        std::fs::create_dir_all(place.project().join(format!("many/{number}"))).expect("created");
    }
    let failure = failure_with(&place, &["read many/*"], list("/project/many"));
    assert_failure(
        &failure,
        "sandbox-failed",
        &["'test-guest'", "read many/*", "100 folders", "the folder above"],
    );
}

/// `.git` and the like are mounted when the manifest itself names them and that was granted; nothing else of the kind
/// below them, and never for writing.
#[test]
fn a_secret_folder_that_is_named_and_granted_is_read_only() {
    let place = place_asking(&json!({ "read": ["docs", ".git"], "write": ["**"] }));
    for path in
        [".git/HEAD", ".git/modules/.git/HEAD", ".git/.env", ".git/.docket/x", ".env", "docs/.git/HEAD"]
    {
        place.write(path, "text");
    }
    let asked = "read .git (normally kept from plugins)";
    place.run(&["trust", "--list"]).code(4).says(asked);
    let all = ["read docs", asked, "write **"];
    let look = |granted: &[&str], path: &str| result_with(&place, granted, list(path))["ok"].clone();
    assert_eq!(look(&all, "/project/.git"), json!(["HEAD", "modules/"]));
    assert_eq!(look(&all, "/project/.git/modules/.git"), json!(["HEAD"]));
    assert!(look(&all, "/project/docs/.git").is_null(), "only the named one is unlocked");
    assert!(look(&["read docs", "write **"], "/project/.git").is_null(), "not granted");
    for path in [".git/config", ".git", ".docket/config.yml"] {
        let tried = result_with(&place, &all, json!({ "act": "write-project", "path": path }));
        for (way, told) in tried.as_object().expect("ways") {
            assert!(told["error"].is_string(), "{way} of '{path}' went well: {tried}");
        }
    }
    for path in [".git/config", ".env", "docs/.env.local"] {
        let write = json!({ "act": "write", "path": path, "content": "x" });
        let failure = failure_with(&place, &all, write);
        assert!(failure["message"].as_str().is_some_and(|text| text.contains(path)), "{failure}");
    }
    assert_eq!(place.read(".env"), "text");
}

/// In a worktree `.git` is a file that names another folder.
#[test]
fn a_secret_file_that_is_named_is_mounted_as_a_file() {
    let place = place_asking(&json!({ "read": [".git", ".env.test"] }));
    place.write(".git", "gitdir: /elsewhere\n");
    place.write(".env.test", "A=1");
    let all = ["read .git (normally kept from plugins)", "read .env.test (normally kept from plugins)"];
    assert_eq!(result_with(&place, &all, read("/project/.git")), json!({ "ok": "gitdir: /elsewhere\n" }));
    assert_eq!(result_with(&place, &all, read("/project/.env.test")), json!({ "ok": "A=1" }));
    assert_eq!(result_with(&place, &all, list("/project")), json!({ "ok": [".env.test", ".git"] }));
    // A link is no file, whatever it is called.
    std::fs::remove_file(place.project().join(".git")).expect("removed");
    std::os::unix::fs::symlink(place.home(), place.project().join(".git")).expect("linked");
    assert_failure(&failure_with(&place, &all, list("/project")), "sandbox-failed", &["'.git'", "link"]);
}

/// A glob never reaches what plugins normally don't see, even when it spells it.
#[test]
fn a_glob_can_not_name_a_secret() {
    let place = place_asking(&json!({ "read": ["*/.git"] }));
    place.write("a/.git/HEAD", "text");
    let failure = failure_with(&place, &["read */.git (normally kept from plugins)"], list("/project"));
    assert_failure(&failure, "not-granted", &["*/.git", "'.git'", "without wildcards"]);
}

/// What the record says a stage was granted is what it had.
#[test]
fn the_record_says_what_was_granted() {
    let place = place_asking(&json!({ "read": ["docs"], "env": ["TOKEN"], "limits": { "cpu": "2m" } }));
    place
        .write(DEFINITION, definition(json!([{ "name": "s", "type": "test", "config": { "act": "time" } }])));
    grant_only(&place, &["see the variable TOKEN", "use 120 s of CPU time (default 60)"]);
    let run = run_of(&place.run(&["workflow", "start", "acts"]).success());
    let journal = crate::support::journal(&place, &run);
    let grants = r#""grants":["see the variable TOKEN","use 120 s of CPU time (default 60)"]"#;
    assert!(journal.contains(grants), "{journal}");
}
