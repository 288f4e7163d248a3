//! Files that claim to be plugins. Each is refused or fails by name, nothing of it changes anything, and once the file is a
//! plugin again everything goes on.

use docket_tests::Output;
use serde_json::json;

use crate::ground::{Ground, PLUGIN, guest, run_of};

/// With an ordinary plugin in its place, everything is well.
#[track_caller]
fn recovers(ground: &Ground) {
    let _ = std::fs::remove_file(ground.place.project().join(".docket/workflows/definitions/attempts.yml"));
    ground.place.write(PLUGIN, guest());
    ground.settings("");
    ground.completes(json!({ "act": "well" }));
}

/// docket says what is wrong with the file, by its path, wherever it meets it; and nothing runs.
#[track_caller]
fn no_plugin(ground: &Ground, words: &str) {
    ground.define(&[json!({})], &json!(null));
    let before = ground.look();
    for (arguments, code) in [
        (&["trust", "--yes"][..], &[2][..]),
        (&["trust", "--list"], &[2]),
        (&["workflow", "start", "attempts"], &[2]),
        (&["workflow", "check", "attempts"], &[2]),
        (&["doctor"], &[0, 1]),
    ] {
        let output = ground.docket(arguments);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(code.contains(&output.code), "{arguments:?}: exit code {}: {said}", output.code);
        assert!(
            said.contains(PLUGIN) && said.contains(words),
            "{arguments:?} does not say '{words}': {said}"
        );
    }
    before.assert_only_added(&ground.look(), &[]);
    assert_eq!(ground.place.runs(), Vec::<String>::new(), "a run was started");
    recovers(ground);
}

/// Trusts the plugin and starts a run with it, which comes to a bad end with these words.
#[track_caller]
fn ends_badly(ground: &Ground, codes: &[i32], words: &[&str]) -> Output {
    ground.define(&[json!({})], &json!(null));
    ground.trust();
    let before = ground.look();
    let output = ground.start();
    assert!(codes.contains(&output.code), "exit code {}: {}", output.code, output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "no '{word}' in {}", output.stderr);
    }
    before.assert_only_added(&ground.look(), &[]);
    output
}

/// The stage fails with this code, and the run that it was in is as readable as any.
#[track_caller]
fn stage_fails(ground: &Ground, code: &str, words: &[&str]) {
    let output = ends_badly(ground, &[1, 2], words);
    if output.code == 1 {
        let status = ground.place.status(&run_of(&output));
        assert_eq!(status["stages"][0]["failure"]["code"], code, "{status}");
    }
    recovers(ground);
}

pub(crate) fn truncated(ground: Ground) {
    no_plugin(&ground, "is no readable WebAssembly");
}

pub(crate) fn garbage(ground: Ground) {
    no_plugin(&ground, "is no readable WebAssembly");
}

pub(crate) fn empty(ground: Ground) {
    no_plugin(&ground, "is no readable WebAssembly");
}

pub(crate) fn core_module(ground: Ground) {
    no_plugin(&ground, "is a core WebAssembly module");
}

pub(crate) fn native_code(ground: Ground) {
    no_plugin(&ground, "is no readable WebAssembly");
}

pub(crate) fn half_a_gigabyte(ground: Ground) {
    let file = std::fs::File::options().write(true).open(ground.place.project().join(PLUGIN)).expect("there");
    file.set_len(500 << 20).expect("made huge");
    no_plugin(&ground, "larger than");
}

/// The compiler is stopped at its time.
pub(crate) fn compile_bomb(ground: Ground) {
    ground.settings("limits: { compile_timeout: 1 }\n");
    ends_badly(&ground, &[1, 2], &["'hostile-guest'", "more than 1 s to compile", "compile_timeout"]);
    recovers(&ground);
}

pub(crate) fn newer_contract(ground: Ground) {
    no_plugin(&ground, "0.2.0");
}

pub(crate) fn unknown_contract(ground: Ground) {
    no_plugin(&ground, "does not export");
}

pub(crate) fn unknown_import(ground: Ground) {
    stage_fails(&ground, "import-missing", &["'hostile-guest' imports `evil:random/random@"]);
}

pub(crate) fn process_without_asking(ground: Ground) {
    ground.profile("/bin/echo");
    stage_fails(&ground, "not-granted", &["'hostile-guest' imports `process`", "`exec`"]);
}

pub(crate) fn two_manifests(ground: Ground) {
    no_plugin(&ground, "more than one docket manifest");
}

pub(crate) fn giant_manifest(ground: Ground) {
    no_plugin(&ground, "manifest");
}

/// What a manifest says is shown before anybody trusts it. The ground looks for what a terminal would obey.
pub(crate) fn words_in_manifest(ground: Ground) {
    ground.define(&[json!({})], &json!(null));
    for format in ["human", "json"] {
        for arguments in [&["trust", "--list"][..], &["doctor"], &["plugin", "list"], &["workflow", "check"]]
        {
            ground.docket(&[arguments, &["--output", format]].concat());
        }
    }
    ground.docket(&["plugin", "inspect", "hostile-guest"]);
    ground.docket(&["workflow", "start", "attempts"]);
    ground.docket(&["trust", "--yes"]);
    let before = ground.look();
    let output = ground.start();
    assert_ne!(output.code, 0, "a path that can't be was granted");
    before.assert_only_added(&ground.look(), &[]);
    recovers(&ground);
}

/// docket says what is wrong, or takes it for a schema that says nothing; it does not crash.
pub(crate) fn endless_manifest_schema(ground: Ground) {
    ground.define(&[json!({})], &json!(null));
    for arguments in [
        &["workflow", "check", "attempts"][..],
        &["doctor"],
        &["trust", "--yes"],
        &["workflow", "start", "attempts"],
    ] {
        let output = ground.docket(arguments);
        assert!([0, 1, 2, 4].contains(&output.code), "{arguments:?}: {}: {}", output.code, output.stderr);
    }
    let _ = std::fs::remove_dir_all(ground.place.project().join("out"));
    recovers(&ground);
}

/// Whether it is compiled or refused: docket is there afterwards to say so.
pub(crate) fn nested_components(ground: Ground) {
    ground.define(&[json!({})], &json!(null));
    for arguments in [&["trust", "--yes"][..], &["workflow", "start", "attempts"], &["plugin", "list"]] {
        let output = ground.docket(arguments);
        assert!([0, 1, 2, 4].contains(&output.code), "{arguments:?}: {}: {}", output.code, output.stderr);
    }
    let _ = std::fs::remove_dir_all(ground.place.project().join("out"));
    recovers(&ground);
}

pub(crate) fn endless_start(ground: Ground) {
    ground.settings("limits: { cpu: 1 }\n");
    // It does not even come to look at its config. Where a machine has more to do than it can, the time of the clock is
    // over before that of the processor.
    let output = ends_badly(&ground, &[1, 2], &["'hostile-guest'"]);
    let said = &output.stderr;
    assert!(said.contains("1 s of CPU") || said.contains("longer than 5 s"), "{said}");
    recovers(&ground);
}

pub(crate) fn trapping_realloc(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

pub(crate) fn realloc_outside_memory(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

pub(crate) fn result_outside_memory(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

pub(crate) fn result_of_four_gib(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'"]);
}

pub(crate) fn result_no_text(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

pub(crate) fn unknown_outcome(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

/// The error that it returned does not count any more.
pub(crate) fn trap_after_return(ground: Ground) {
    stage_fails(&ground, "plugin-crashed", &["'hostile-guest'", "crashed"]);
}

pub(crate) fn giant_memory(ground: Ground) {
    stage_fails(&ground, "memory-limit", &["'hostile-guest'", "256 MiB"]);
}

pub(crate) fn giant_table(ground: Ground) {
    stage_fails(&ground, "table-limit", &["'hostile-guest'", "1000 entries"]);
}

pub(crate) fn growing_table(ground: Ground) {
    stage_fails(&ground, "table-limit", &["'hostile-guest'", "1000 entries"]);
}

pub(crate) fn many_instances(ground: Ground) {
    ends_badly(&ground, &[1, 2], &["'hostile-guest'", "parts"]);
    recovers(&ground);
}
