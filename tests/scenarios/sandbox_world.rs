//! What is outside a plugin's folders: no environment, arguments, input or network; clocks; a cache of its own; and
//! commands only when granted.

use std::net::TcpListener;

use docket_tests::{Place, finish_or_kill};
use serde_json::{Value, json};

use crate::sandbox::{
    PLUGIN, act, act_all, assert_failure, definition, failure_of, guest, guest_place, guest_with_spawn,
    result_of, results, run_of, single, with_manifest, with_section,
};

#[test]
fn there_is_no_environment_argument_or_input() {
    let place = guest_place();
    place.trusted_definition("acts", &single(&json!({ "act": "environment" })));
    let input = place.home().join("input");
    std::fs::write(&input, "typed by a person").expect("written");
    let mut command = place.command(&["workflow", "start", "acts"]);
    command.env("SECRET_TOKEN", "x").stdin(std::fs::File::open(input).expect("there"));
    let output = finish_or_kill(&mut command).success();
    let result = results(&place, &run_of(&output))["s"].clone();
    assert_eq!(result["variables"], json!([]));
    assert_eq!(result["arguments"], json!([]));
    assert_eq!(result["stdin"], json!({ "ok": 0 }));
    assert!(result["root"]["error"].is_string(), "{result}");
}

#[test]
fn there_is_no_network() {
    let place = guest_place();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("an address").port();
    let result = result_of(&place, json!({ "act": "network", "port": port }));
    for way in ["connect", "listen", "datagram", "lookup"] {
        assert!(result[way]["error"].is_string(), "{way} went well: {result}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn clocks_work() {
    let place = guest_place();
    let before =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let result = result_of(&place, json!({ "act": "time" }));
    assert!(result["seconds"]["ok"].as_u64() >= Some(before), "{result}");
    assert_eq!(result["forward"], true);
}

#[test]
fn a_cache_survives_runs_and_belongs_to_these_bytes_and_this_project() {
    let place = guest_place();
    let read = json!({ "act": "cache-read", "path": "kept/x" });
    result_of(&place, json!({ "act": "cache-write", "path": "kept/x", "content": "kept" }));
    assert_eq!(result_of(&place, read.clone()), json!({ "ok": "kept" }));

    // The same plugin with one harmless section more is another plugin.
    place.write(PLUGIN, with_section(&guest(), "other", b""));
    assert!(result_of(&place, read.clone())["error"].is_string(), "another plugin reads this one's cache");
    place.write(PLUGIN, guest());
    assert_eq!(result_of(&place, read.clone()), json!({ "ok": "kept" }));

    let other = guest_place();
    assert!(result_of(&other, read)["error"].is_string(), "another project reads this one's cache");
    assert!(!place.project().join("kept").exists());
}

/// A cache that is too large fails the stage and is emptied, so that the next one begins anew.
#[test]
fn a_cache_has_a_limit() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { cache_mib: 0 }\n");
    let write = json!({ "act": "cache-write", "path": "x", "content": "kept" });
    assert_failure(
        &failure_of(&place, write.clone()),
        "cache-limit",
        &["0 MiB", "emptied", "cache_mib", "config.yml"],
    );
    let listed = result_of(&place, json!({ "act": "cache-read", "path": "x" }));
    assert!(listed["error"].is_string(), "{listed}");
    place.write_home("config.yml", "limits: { cache_mib: 1 }\n");
    result_of(&place, write);
    assert_eq!(result_of(&place, json!({ "act": "cache-read", "path": "x" })), json!({ "ok": "kept" }));
}

#[test]
fn without_the_grant_there_is_no_cache() {
    let place = guest_place();
    place.write(PLUGIN, with_manifest(&guest(), |manifest| manifest["capabilities"]["cache"] = json!(false)));
    for config in [
        json!({ "act": "cache-write", "path": "x", "content": "x" }),
        json!({ "act": "list", "path": "/cache" }),
    ] {
        let result = result_of(&place, config);
        assert!(result["error"].is_string(), "{result}");
    }
}

/// Upstream outputs come as copies, and can't be changed for others.
#[test]
fn inputs_are_copies_and_read_only() {
    let place = guest_place();
    place.write(
        PLUGIN,
        with_manifest(&guest(), |manifest| manifest["capabilities"]["write"] = json!(["out/**", "in/**"])),
    );
    let stages = json!([
        { "name": "first", "type": "test", "config": { "act": "big-result", "bytes": 3 }, "outputs": { "all": { "path": "all.json" } } },
        { "name": "second", "type": "test", "config": { "act": "echo", "source": "first.all" } },
        { "name": "third", "type": "test", "config": { "act": "list", "path": "/in" } },
        { "name": "fourth", "type": "test", "config": { "act": "hard-link", "target": "/in/first/all.json", "path": "out/x", "source": "first.all" } },
    ]);
    let output = act_all(&place, &definition(stages)).success();
    let results = results(&place, &run_of(&output));
    let source = &results["second"]["references"]["source"];
    assert_eq!(source["read"]["value"], json!({ "text": "xxx" }), "{source}");
    assert!(source["path"].as_str().is_some_and(|path| path.starts_with("/in/")), "{source}");
    assert_eq!(results["third"], json!({ "ok": [] }), "a stage sees only what its config refers to");
    assert!(results["fourth"]["error"].is_string(), "{results}");
}

/// A place whose plugin can run commands, with this manifest and a profile that grants `/bin/echo`.
fn spawn_place(exec: bool) -> Place {
    let place = guest_place();
    let change = |manifest: &mut Value| manifest["capabilities"]["exec"] = json!(exec);
    place.write(PLUGIN, with_manifest(&guest_with_spawn(), change));
    place.write_home(
        "config.yml",
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/echo] } }\n",
    );
    place
}

#[test]
fn importing_process_without_asking_for_it_is_refused_before_anything_runs() {
    let place = guest_place();
    place.write(PLUGIN, guest_with_spawn());
    let output = act(&place, json!({ "act": "write", "path": "out/a.md", "content": "it ran" })).code(2);
    assert!(
        output.stderr.contains("'test-guest' imports `process`") && output.stderr.contains("`exec`"),
        "{}",
        output.stderr
    );
    assert!(!place.project().join("out").exists());
}

#[test]
fn a_granted_command_runs_and_no_other_does() {
    let place = spawn_place(true);
    place.run(&["trust", "--list"]).code(4).says("run the launcher profile's command");
    let ran =
        result_of(&place, json!({ "act": "spawn", "program": "/bin/echo", "arguments": ["hello", "$HOME"] }));
    assert_eq!((&ran["code"], &ran["stdout"]), (&json!(0), &json!(["hello $HOME"])));
    for program in ["/bin/sh", "echo", "sh", "../../bin/echo", "/bin/../bin/echo", ""] {
        let failure =
            failure_of(&place, json!({ "act": "spawn", "program": program, "arguments": ["-c", "exit 0"] }));
        assert_failure(&failure, "command-not-granted", &["/bin/echo"]);
    }
}

#[test]
fn without_a_profile_there_is_no_command() {
    let place = spawn_place(true);
    place.write_home("config.yml", "");
    let failure = failure_of(&place, json!({ "act": "spawn", "program": "/bin/echo" }));
    assert_failure(&failure, "command-not-granted", &["/bin/echo"]);
}

#[test]
fn a_command_inside_the_project_is_not_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = spawn_place(true);
    place.write("tool", "#!/bin/sh\necho ran > ran\n");
    let tool = place.project().join("tool");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("set");
    let tool = tool.display().to_string();
    place.write_home("config.yml", format!("profile: mine\nprofiles: {{ mine: {{ launcher: shell, agent: generic, command: ['{tool}'] }} }}\n"));
    let output = act(&place, json!({ "act": "spawn", "program": tool })).code(1);
    assert!(output.stderr.contains("inside the project"), "{}", output.stderr);
    assert!(!place.project().join("ran").exists());
}

#[test]
fn a_stage_starts_so_many_processes() {
    let place = spawn_place(true);
    let config = std::fs::read_to_string(place.docket_home().join("config.yml")).expect("settings");
    place.write_home("config.yml", format!("{config}limits: {{ processes: 0 }}\n"));
    let spawn = json!({ "act": "spawn", "program": "/bin/echo", "arguments": ["hello"] });
    let words = ["'test-guest'", "more than 0 processes", "limits: { processes"];
    assert_failure(&failure_of(&place, spawn.clone()), "process-limit", &words);
    place.write_home("config.yml", format!("{config}limits: {{ processes: 1 }}\n"));
    assert_eq!(result_of(&place, spawn)["stdout"], json!(["hello"]));
}
