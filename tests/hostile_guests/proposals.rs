//! What a plugin tries by what it puts under `/out`: nothing of it may be written but what was granted, nowhere but below
//! the project, and a stage with one bad proposal writes none.

use std::os::unix::fs::symlink;

use docket_tests::component::with_manifest;
use serde_json::{Value, json};

use crate::ground::{Ended, Ground, PLUGIN, guest};

/// A stage for each of these names.
fn paths(paths: &[&str]) -> Vec<Value> {
    paths.iter().map(|path| json!({ "path": path })).collect()
}

/// Grants to write everything, so that only what nobody may write is left to be refused.
fn grant_everything(ground: &Ground) {
    let bytes =
        with_manifest(&guest(), |manifest| manifest["capabilities"]["write"] = json!(["**", "**/*", "*"]));
    ground.place.write(PLUGIN, bytes);
}

pub(crate) fn reserved_names(ground: Ground) {
    grant_everything(&ground);
    ground.place.write(".git/config", "mine");
    let names = [
        ".docket/x",
        ".docket/config.yml",
        ".docket/workflows/definitions/attempts.yml",
        ".docket/plugins/hostile.wasm",
        ".DOCKET/x",
        ".Docket/plugins.lock",
        ".git/hooks/pre-commit",
        ".git/config",
        ".GIT/config",
        "sub/.git/config",
        "sub/.Git/hooks/x",
        ".git./config",
        ".git /config",
        ".git.../config",
        "GIT~1/config",
        "git~1/x",
        "DOCKET~1/x",
        ".g\u{200d}it/config",
        ".do\u{200c}cket/x",
        ".git\u{feff}/config",
        ".git::$INDEX_ALLOCATION/x",
        ".docket::$INDEX_ALLOCATION/x",
        "docs/.git",
        ".docket",
    ];
    let mut configs = paths(&names);
    // The last two are names of files where folders are; elsewhere they are refused by name.
    configs.truncate(names.len());
    ground.all_fail(&configs, "proposal-refused", &["no stage may touch", "nothing was written"]);
}

pub(crate) fn device_names(ground: Ground) {
    let names = [
        "out/nul",
        "out/NUL.md",
        "out/con",
        "out/CON.txt.md",
        "out/aux",
        "out/prn.md",
        "out/com1",
        "out/LPT9.log",
        "out/com0",
        "out/com\u{b9}",
        "out/lpt\u{b3}.md",
        "out/conin$",
        "out/CONOUT$.md",
        "out/nul /x.md",
        "out/aux.d/x.md",
        "out/nul:x",
    ];
    ground.all_fail(&paths(&names), "proposal-refused", &["devices", "nothing was written"]);
}

/// Windows takes a name with dots or spaces at its end for the one without, and what follows a colon for a stream of it.
pub(crate) fn ambiguous_names(ground: Ground) {
    let names = [
        "out/a.md.",
        "out/a.md ",
        "out/a.md...",
        "out/b./a.md",
        "out/b /a.md",
        "out/a.md:x",
        "out/a.md::$DATA",
        "out/a:b/c.md",
    ];
    ground.all_fail(&paths(&names), "proposal-refused", &["another file", "nothing was written"]);
}

pub(crate) fn colliding_names(ground: Ground) {
    ground.fails(json!({}), "proposal-refused", &["README.md", "readme.md", "case", "nothing was written"]);
}

pub(crate) fn ungranted_names(ground: Ground) {
    let names = [
        "b.md",
        "docs/a.md",
        "docs/new.md",
        "Out/b.md",
        "a/out/b.md",
        "out",
        "outside/b.md",
        "secret.md",
        "o\u{fc}t/x",
    ];
    ground.all_fail(&paths(&names), "not-granted", &["out/**", "nothing was written"]);
    let log = std::fs::read_to_string(ground.place.docket_home().join("audit.jsonl")).expect("a log");
    let denied = log.lines().filter(|line| line.contains(r#""denied""#)).count();
    assert_eq!(denied, names.len(), "denials are logged: {log}");
}

pub(crate) fn control_names(ground: Ground) {
    let names = [
        "out/a\\b.md",
        "out/a\nb.md",
        "out/\u{1b}[31mred",
        "out/\u{9b}2J",
        "out/\u{7f}",
        "out/\u{7}bell",
        "out/\r",
    ];
    ground.all_fail(&paths(&names), "proposal-refused", &["control character", "nothing was written"]);
}

/// A link is refused by the sandbox or as a proposal; either way nothing is written through it.
pub(crate) fn links_out(ground: Ground) {
    let canary = ground.canary().display().to_string();
    let targets = [
        "a.md",
        ".",
        "..",
        "../../../../../../../etc",
        "../../../journal.jsonl",
        "/etc/passwd",
        "/",
        &canary,
        "/proc/self/environ",
    ];
    let configs: Vec<Value> = targets.iter().map(|target| json!({ "target": target })).collect();
    let ended = ground.attempts(&configs, &json!(null), &[]);
    let mut made = 0;
    for (number, target) in targets.iter().enumerate() {
        if ended.failure(number).is_null() {
            assert_eq!(
                ended.result(number)["made"],
                false,
                "a link to {target} was proposed and not refused"
            );
        } else {
            made += 1;
            ended.assert_failed(
                number,
                "proposal-refused",
                &["symbolic link", "'out/link.md'", "nothing was written"],
            );
        }
    }
    assert!(made > 0, "no link could be made at all");
}

pub(crate) fn through_links(ground: Ground) {
    let (canary, project) = (ground.canary(), ground.place.project());
    ground.is_sealed(
        json!({ "canary": canary.display().to_string(), "project": project.display().to_string() }),
    );
}

/// A change set is written beneath handles: a link of the project, put there by whomever, is not followed.
pub(crate) fn through_project_links(ground: Ground) {
    let out = ground.place.project().join("out");
    std::fs::create_dir_all(&out).expect("created");
    let (canary, inside) = (ground.canary(), ground.place.project().join("docs"));
    let targets = [
        ("folder", canary.clone()),
        ("folder-of-the-project", inside),
        ("kept.md", canary.join("kept.md")),
        ("planted.md", canary.join("planted.md")),
    ];
    targets.iter().for_each(|(link, target)| symlink(target, out.join(link)).expect("linked"));
    let names = ["out/folder/x.md", "out/folder-of-the-project/a.md", "out/kept.md", "out/planted.md"];
    let ended = ground.attempts(&paths(&names), &json!(null), &[]);
    for (number, name) in names.iter().enumerate() {
        let failure = ended.failure(number);
        let message = failure["message"].as_str().unwrap_or_default();
        assert!(message.contains(name) && message.contains("can't be written"), "{name}: {failure}");
    }
}

/// A stage that took too much room, and its scratch is gone.
fn assert_limited(ended: &Ended, code: &str, words: &[&str]) {
    ended.assert_failed(0, code, &[&["'hostile-guest'"], words].concat());
}

pub(crate) fn sparse_file(ground: Ground) {
    assert_limited(&ground.attempt(json!({})), "output-limit", &["64 MiB", "out_mib"]);
}

pub(crate) fn many_files(ground: Ground) {
    assert_limited(&ground.attempt(json!({})), "output-limit", &["1000 files"]);
}

pub(crate) fn deep_folders(ground: Ground) {
    let ended = ground.attempt(json!({}));
    let failure = ended.failure(0);
    let code = failure["code"].as_str().unwrap_or_default();
    assert!(["output-limit", "proposal-refused", "handle-limit"].contains(&code), "{failure}");
}

/// A file takes room even if it is empty.
pub(crate) fn cache_flood(ground: Ground) {
    ground.settings("limits: { cache_mib: 1 }\n");
    assert_limited(&ground.attempt(json!({})), "cache-limit", &["1 MiB", "cache_mib", "emptied"]);
}

/// Where the project has a folder nothing is put in its place.
pub(crate) fn file_for_a_folder(ground: Ground) {
    ground.place.write("out/sub/kept.md", "kept");
    let ended = ground.attempt(json!({ "path": "out/sub" }));
    let failure = ended.failure(0);
    let message = failure["message"].as_str().unwrap_or_default();
    assert!(message.contains("'out/sub'") && message.contains("can't be written"), "{failure}");
}
