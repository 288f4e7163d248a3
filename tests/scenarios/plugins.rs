//! `docket plugin`: what there is, and what only a person decides. Everything goes through the real command.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::place;
use crate::sandbox::{act, guest, guest_place, result_of, with_manifest, with_section};

const NAME: &str = "test-guest";
const READ: &str = "read docs";
const WRITE: &str = "write out/**";
const CACHE: &str = "keep a private cache";

/// A plugin file somewhere outside the project.
fn file(place: &Place, bytes: Vec<u8>) -> String {
    let path = place.home().join("download.wasm");
    std::fs::write(&path, bytes).expect("written");
    path.display().to_string()
}

fn plugin(place: &Place, name: &str) -> Value {
    let list = place.run(&["plugin", "list", "--output", "json"]).success().json();
    let found = list["plugins"].as_array().expect("plugins").iter().find(|plugin| plugin["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}")).clone()
}

fn granted(place: &Place) -> Vec<String> {
    let capabilities = plugin(place, NAME)["capabilities"].as_array().expect("capabilities").clone();
    let granted = capabilities.iter().filter(|capability| capability["granted"] == true);
    granted.map(|capability| capability["capability"].as_str().expect("words").to_owned()).collect()
}

fn audited(place: &Place) -> Vec<String> {
    let log = place.run(&["audit-log", "--output", "json"]).success().json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let entry = |entry: &Value| {
        let details: Vec<String> = entry["details"].as_array().into_iter().flatten().map(text).collect();
        format!("{} {}", text(&entry["decision"]), details.join(", "))
    };
    log["entries"].as_array().expect("entries").iter().map(entry).collect()
}

#[test]
fn built_in_plugins_are_listed_and_can_not_be_changed() {
    let place = place();
    assert_eq!(plugin(&place, "storage")["state"], "ready");
    for arguments in
        [&["remove", "storage", "--yes"][..], &["grant", "storage", "--yes"], &["revoke", "storage"]]
    {
        place.run(&[&["plugin"], arguments].concat()).code(2).says("'storage' is built into docket");
    }
    place.run(&["plugin", "inspect", "storge"]).code(2).says("did you mean 'storage'?");
}

#[test]
fn a_file_is_inspected_and_none_of_it_runs() {
    let place = place();
    let file = file(&place, guest());
    let output = place.run(&["plugin", "inspect", &file]).success();
    for words in [
        NAME,
        "docket:stage 0.1.0",
        READ,
        WRITE,
        CACHE,
        "not granted",
        "wasi:filesystem 0.2",
        "sha256",
        "act (required)",
    ] {
        assert!(output.stdout.contains(words), "no '{words}' in {}", output.stdout);
    }
    assert!(!place.docket_home().join("plugins").exists(), "it was only looked at");
    assert_eq!(audited(&place), [""; 0]);
    std::fs::write(&file, "\0asm\x01\0\0\0").expect("written");
    place.run(&["plugin", "inspect", &file]).code(2).says("core WebAssembly module");
}

#[test]
fn without_a_person_nothing_is_added_and_the_command_is_told() {
    let place = place();
    let file = file(&place, guest());
    for arguments in [&["plugin", "add", &file][..], &["plugin", "add", &file, "--non-interactive"]] {
        place.run(arguments).code(4).says(READ).says(&format!("`docket plugin add {file} --yes`"));
    }
    assert!(!place.docket_home().join("plugins").exists());
    place.run(&["plugin", "add", &file, "--grant", "read dcs"]).code(2).says("did you mean \"read docs\"?");
    assert!(!place.docket_home().join("plugins").exists());
}

#[test]
fn some_of_what_a_plugin_asks_for_is_all_it_has() {
    let place = place();
    place.write("docs/a.md", "granted\n");
    place.run(&["plugin", "add", &file(&place, guest()), "--grant", READ]).success();
    assert_eq!(plugin(&place, NAME)["state"], "partly-granted");
    assert_eq!(granted(&place), [READ]);
    assert_eq!(result_of(&place, json!({ "act": "read", "path": "/project/docs/a.md" }))["ok"], "granted\n");
    let write = json!({ "act": "write", "path": "out/a.md", "content": "x" });
    act(&place, write.clone()).code(1).says(NAME).says("docket plugin grant");
    assert!(!place.project().join("out").exists());
    let cached = json!({ "act": "cache-write", "path": "a", "content": "x" });
    assert!(result_of(&place, cached)["error"].is_string());

    place.run(&["plugin", "grant", NAME]).code(4).says(&format!("docket plugin grant {NAME} --yes"));
    place.run(&["plugin", "grant", NAME, WRITE, "--yes"]).success();
    assert_eq!(granted(&place), [READ, WRITE]);
    act(&place, write.clone()).success();
    assert_eq!(place.read("out/a.md"), "x");

    place.run(&["plugin", "revoke", NAME, READ]).success();
    assert_eq!(granted(&place), [WRITE]);
    assert!(result_of(&place, json!({ "act": "read", "path": "/project/docs/a.md" }))["error"].is_string());
    place.run(&["plugin", "revoke", NAME]).success();
    assert_eq!(plugin(&place, NAME)["state"], "not-granted");
    act_is_refused(&place);
    assert_eq!(
        audited(&place).iter().filter(|entry| !entry.starts_with("trusted")).cloned().collect::<Vec<_>>()
            [..2],
        ["added ".to_owned(), format!("granted {READ}")]
    );
    assert!(audited(&place).contains(&format!("revoked {READ}")), "{:?}", audited(&place));
}

/// `trusted_definition` grants what nobody decided about, so the definition is trusted before.
fn act_is_refused(place: &Place) {
    place
        .run_or_kill(&["workflow", "start", "acts"])
        .code(4)
        .says("needs to be granted")
        .says("docket trust");
}

#[test]
fn a_plugin_that_was_added_undecided_does_not_run() {
    let place = guest_place();
    place.trusted_definition("acts", &crate::sandbox::single(&json!({ "act": "time" })));
    std::fs::remove_file(place.project().join(crate::sandbox::PLUGIN)).expect("removed");
    let other = with_section(&guest(), "other", b"bytes");
    place.run(&["plugin", "add", &file(&place, other), "--no-grant"]).success();
    assert_eq!(plugin(&place, NAME)["state"], "not-granted");
    act_is_refused(&place);
    place.run(&["plugin", "grant", NAME, "--yes"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).success();
}

#[test]
fn an_update_shows_what_is_different_and_is_decided_about_anew() {
    let place = place();
    place.run(&["plugin", "add", &file(&place, guest()), "--yes"]).success();
    let more = with_manifest(&guest(), |manifest| {
        manifest["version"] = json!("0.2.0");
        manifest["capabilities"]["read"] = json!(["."]);
    });
    let output = place.run(&["plugin", "add", &file(&place, more.clone())]).code(4);
    for words in ["instead of 0.1.0", "+ now asks to read .", "- no longer asks to read docs"] {
        assert!(output.stderr.contains(words), "no '{words}' in {}", output.stderr);
    }
    assert_eq!(plugin(&place, NAME)["version"], "0.1.0", "nothing was replaced");
    place.run(&["plugin", "add", &file(&place, more), "--grant", WRITE]).success();
    let now = plugin(&place, NAME);
    assert_eq!((&now["version"], &now["state"]), (&json!("0.2.0"), &json!("partly-granted")));
    assert_eq!(granted(&place), [WRITE]);
}

#[test]
fn other_files_are_not_replaced_and_built_in_names_not_taken() {
    let place = place();
    let own = with_manifest(&guest(), |manifest| manifest["name"] = json!("storage"));
    place.run(&["plugin", "add", &file(&place, own), "--yes"]).code(5).says("built-in plugin 'storage'");
    place.write_home("plugins/else.wasm", guest());
    place
        .run(&["plugin", "add", &file(&place, guest()), "--yes"])
        .code(5)
        .says("else.wasm")
        .says("remove it first");
    std::fs::remove_file(place.docket_home().join("plugins/else.wasm")).expect("removed");
    place.write_home(&format!("plugins/{NAME}.wasm"), "precious");
    place.run(&["plugin", "add", &file(&place, guest()), "--yes"]).code(5).says("another plugin, or none");
    let kept = std::fs::read_to_string(place.docket_home().join(format!("plugins/{NAME}.wasm")));
    assert_eq!(kept.expect("still there"), "precious");
}

#[test]
fn a_removed_plugin_is_gone_with_its_grants() {
    let place = place();
    place.run(&["plugin", "add", &file(&place, guest()), "--yes"]).success();
    place.run(&["plugin", "remove", NAME]).code(4).says("--yes");
    place.run(&["plugin", "remove", NAME, "--yes"]).success();
    place.run(&["plugin", "inspect", NAME]).code(2).says("there is no plugin");
    place.write_home(&format!("plugins/{NAME}.wasm"), guest());
    assert_eq!(plugin(&place, NAME)["state"], "not-granted", "its grants went with it");
}

#[test]
fn a_projects_lock_refuses_other_bytes_wherever_they_come_from() {
    let place = guest_place();
    std::fs::remove_file(place.project().join(crate::sandbox::PLUGIN)).expect("removed");
    place.run(&["plugin", "add", &file(&place, guest()), "--to-project", "--yes"]).success();
    let lock = place.read(".docket/plugins.lock");
    assert!(lock.contains("\"test-guest\": { version: \"0.1.0\", sha256: \""), "{lock}");
    result_of(&place, json!({ "act": "time" }));

    // Everybody trusts the new file, and still it is not the one the project was made with.
    let other = with_section(&guest(), "other", b"bytes");
    place.write(&format!(".docket/plugins/{NAME}.wasm"), &other);
    place.run(&["trust", "--yes"]).success();
    let refused = place.run_or_kill(&["workflow", "start", "acts"]).code(4).says("plugins.lock");
    refused.says("docket plugin lock").says("pinned sha256:");
    assert_eq!(plugin(&place, NAME)["state"], "not-as-pinned");
    assert!(audited(&place).iter().any(|entry| entry.starts_with("denied .docket/plugins.lock pins")));

    // The user's own plugin of that name does not step in.
    std::fs::remove_file(place.project().join(format!(".docket/plugins/{NAME}.wasm"))).expect("removed");
    place.write_home(&format!("plugins/{NAME}.wasm"), &other);
    place.run(&["trust", "--yes"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).code(4).says("plugins.lock");

    place.run(&["plugin", "lock"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).success();
    place.run(&["plugin", "remove", NAME, "--yes"]).success();
    place.run(&["plugin", "list"]).success().prints("is pinned in .docket/plugins.lock and not there");
}

#[test]
fn a_lock_that_can_not_be_read_refuses_plugins() {
    let place = guest_place();
    place.trusted_definition("acts", &crate::sandbox::single(&json!({ "act": "time" })));
    for text in ["format: 9\n", "[", "format: 1\nplugins: { a: { version: '1', sha256: 'x' } }\n"] {
        place.write(".docket/plugins.lock", text);
        place
            .run_or_kill(&["workflow", "start", "acts"])
            .code(4)
            .says("plugins.lock")
            .says("docket plugin lock");
    }
    place.run(&["plugin", "lock"]).success();
    place.run_or_kill(&["workflow", "start", "acts"]).success();
}

#[test]
fn two_decisions_at_once_are_both_kept() {
    let place = place();
    for number in 0..6 {
        let bytes = with_manifest(&guest(), |manifest| manifest["name"] = json!(format!("guest-{number}")));
        place.write_home(&format!("plugins/guest-{number}.wasm"), bytes);
    }
    let grant = |number: usize| place.spawn(&["plugin", "grant", &format!("guest-{number}"), "--yes"]);
    let children: Vec<_> = (0..6).map(grant).collect();
    children.into_iter().for_each(|child| {
        docket_tests::Output::of_child(child).success();
    });
    for number in 0..6 {
        assert_eq!(
            plugin(&place, &format!("guest-{number}"))["capabilities"][0]["granted"],
            true,
            "{number}"
        );
    }
}

#[test]
fn what_is_inspected_is_told_in_full_and_fits_its_schema() {
    let place = place();
    let file = file(&place, guest());
    let shown = place.run(&["plugin", "inspect", &file, "--output", "json"]).success().json();
    crate::formats::assert_fits(&place, "plugin", &shown);
    let exports = shown["exports"].as_array().expect("exports");
    assert!(exports.iter().any(|name| name == "docket:stage/stage@0.1.0"), "{exports:?}");
    assert!(shown["configs"]["test"].is_object(), "{shown}");
    assert!(shown["decided_at"].is_null(), "nobody decided");
    place.run(&["plugin", "inspect", &file]).success().prints("  exports\n    docket:stage 0.1.0: stage\n");
    place.run(&["plugin", "add", &file, "--yes"]).success();
    let shown = place.run(&["plugin", "inspect", NAME, "--output", "json"]).success().json();
    assert!(shown["decided_at"].is_string(), "{shown}");
    for (command, schema) in [(&["plugin", "list"][..], "plugin-list"), (&["audit-log"], "audit-log")] {
        let shown = place.run(&[command, &["--output", "json"]].concat()).success().json();
        crate::formats::assert_fits(&place, schema, &shown);
    }
}

/// Two terminals grant the same plugin different things: it has both, whoever was first.
#[test]
fn two_grants_to_one_plugin_at_once_are_both_kept() {
    let place = place();
    place.write_home(&format!("plugins/{NAME}.wasm"), guest());
    for _ in 0..4 {
        let grant = |text: &str| place.spawn(&["plugin", "grant", NAME, text, "--yes"]);
        let children = [READ, WRITE, CACHE].map(grant);
        for child in children {
            docket_tests::Output::of_child(child).success();
        }
        assert_eq!(granted(&place).len(), 3, "{:?}", granted(&place));
        place.run(&["plugin", "revoke", NAME]).success();
    }
}

/// A pin holds for whatever has its name, docket's own plugins included.
#[test]
fn a_lock_that_names_a_built_in_plugin_is_kept_to() {
    let place = crate::support::place_with_document();
    let pin = |sha256: &str| {
        let line = format!("  context: {{ version: '0.1.0', sha256: '{sha256}' }}\n");
        place.write(".docket/plugins.lock", format!("format: 1\nplugins:\n{line}"));
    };
    let list = place.run(&["plugin", "inspect", "context", "--output", "json"]).success().json();
    pin(list["sha256"].as_str().expect("a hash"));
    crate::support::start(&place, &["--launcher", "checklist"]).success();
    let runs = place.runs().len();
    pin(&"0".repeat(64));
    let refused = crate::support::start(&place, &["--launcher", "checklist"]).code(4);
    refused.says("built-in context").says("plugins.lock").says(&"0".repeat(64));
    assert_eq!(place.runs().len(), runs, "nothing was started");
    assert_eq!(plugin(&place, "context")["state"], "not-as-pinned");
}

#[test]
fn several_plugins_of_one_name_are_decided_about_by_their_files() {
    let place = guest_place();
    place.write_home(&format!("plugins/{NAME}.wasm"), with_section(&guest(), "other", b"bytes"));
    let own = place.docket_home().join(format!("plugins/{NAME}.wasm")).display().to_string();
    for verb in ["grant", "revoke", "inspect"] {
        let output = place.run(&["plugin", verb, NAME]).code(2).says("there are several plugins");
        let _ = output.says(&own).says(".docket/plugins/test.wasm");
    }
    place.run(&["plugin", "grant", &own, "--yes"]).success();
    let list = place.run(&["plugin", "list", "--output", "json"]).success().json();
    let state = |path: &str| {
        let found = list["plugins"].as_array().expect("plugins").iter().find(|plugin| plugin["path"] == path);
        found.expect("there")["state"].clone()
    };
    assert_eq!((state(&own), state(".docket/plugins/test.wasm")), (json!("ready"), json!("not-trusted")));
}

/// A copy that comes second is as good as not there, however it stands.
#[test]
fn a_plugin_that_comes_second_stands_in_nobodys_way() {
    let place = guest_place();
    place.trusted_definition("acts", &crate::sandbox::single(&json!({ "act": "time" })));
    place.write_home(&format!("plugins/{NAME}.wasm"), with_section(&guest(), "other", b"bytes"));
    place.run_or_kill(&["workflow", "start", "acts"]).success();
    place.run(&["plugin", "list"]).success().prints("shadowed");
}

#[test]
fn odd_things_among_the_users_plugins_are_named_and_stand_in_nobodys_way() {
    let place = guest_place();
    place.trusted_definition("acts", &crate::sandbox::single(&json!({ "act": "time" })));
    let folder = place.docket_home().join("plugins");
    std::fs::create_dir_all(folder.join("folder.wasm")).expect("created");
    std::os::unix::fs::symlink("nowhere", folder.join("dangling.wasm")).expect("linked");
    place.run_or_kill(&["workflow", "start", "acts"]).success();
    let list = place.run(&["plugin", "list"]).success();
    for name in ["folder.wasm", "dangling.wasm"] {
        assert!(
            list.stdout.lines().any(|line| line.contains(name) && line.contains("broken")),
            "{}",
            list.stdout
        );
    }
}

/// The hint is a command as it is: what a shell would expand is quoted.
#[test]
fn commands_in_hints_can_be_run_as_they_are() {
    let place = guest_place();
    let bytes = with_manifest(&guest(), |manifest| {
        manifest["capabilities"] = json!({ "read": ["${config.path}"] });
    });
    let download = place.home().join("a b.wasm");
    std::fs::write(&download, bytes).expect("written");
    let file = download.display().to_string();
    place.run(&["plugin", "add", &file]).code(4).says(&format!("docket plugin add '{file}' --yes"));
    std::fs::remove_file(place.project().join(crate::sandbox::PLUGIN)).expect("removed");
    place.run(&["plugin", "add", &file, "--no-grant"]).success();
    let grant = place.run(&["plugin", "grant", NAME, "read ${config.path}"]).code(4);
    grant.says(&format!("docket plugin grant {NAME} 'read ${{config.path}}' --yes"));
}
