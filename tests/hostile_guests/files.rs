//! What a plugin tries with files that it was not granted. The project and what lies beside it are made here.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use docket_core::run::sha256;
use docket_tests::component::{with_manifest, with_section};
use serde_json::json;

use crate::ground::{Ground, assert_sealed, guest};

pub(crate) fn dot_dot(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn absolute(ground: Ground) {
    let (canary, project) = (ground.canary(), ground.place.project());
    ground.is_sealed(
        json!({ "canary": canary.display().to_string(), "project": project.display().to_string() }),
    );
}

pub(crate) fn trailing_slash(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn nul_bytes(ground: Ground) {
    ground.is_sealed(json!({}));
}

/// Makes these links in the granted folder.
fn link(ground: &Ground, links: &[(&str, &str)]) {
    let canary = ground.canary().display().to_string();
    for (target, name) in links {
        symlink(target.replace("CANARY", &canary), ground.place.project().join("docs").join(name))
            .expect("linked");
    }
}

pub(crate) fn link_chains(ground: Ground) {
    link(
        &ground,
        &[
            ("CANARY/kept.md", "file.md"),
            ("CANARY", "folder"),
            ("../secret.md", "up.md"),
            ("..", "above"),
            ("folder", "chain"),
            ("chain/kept.md", "chained.md"),
            ("loop", "loop"),
            ("/proc/self/root", "root"),
            (".", "self"),
            ("a.md", "inside.md"),
        ],
    );
    ground.is_sealed(json!({}));
}

pub(crate) fn links_with_trailing_slash(ground: Ground) {
    link(
        &ground,
        &[
            ("CANARY/", "slashed"),
            ("../", "up"),
            ("slashed/", "chained"),
            ("/", "root"),
            ("inner/", "within"),
        ],
    );
    ground.is_sealed(json!({}));
}

pub(crate) fn truncate(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn write_flags(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn hard_links(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn renames(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn removals(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn secret_names(ground: Ground) {
    for path in
        ["docs/.env", "docs/.env.local", "docs/deep/.git/config", "docs/deep/.docket/x", ".git/config"]
    {
        ground.place.write(path, "SECRET");
    }
    ground.place.write("docs/deep/plain.md", "plain");
    link(&ground, &[(".env", "to-env")]);
    ground.is_sealed(json!({}));
}

pub(crate) fn special_files(ground: Ground) {
    let docs = ground.place.project().join("docs");
    std::fs::create_dir(docs.join("deep")).expect("created");
    for pipe in ["pipe", "deep/pipe"] {
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, docs.join(pipe), mode).expect("made");
    }
    let _socket = UnixListener::bind(docs.join("socket")).expect("made");
    ground.is_sealed(json!({}));
}

/// Neither a link to elsewhere nor one that stays in the project is a granted folder.
pub(crate) fn linked_folder(ground: Ground) {
    let docs = ground.place.project().join("docs");
    std::fs::rename(&docs, ground.place.project().join("real")).expect("moved");
    for target in [ground.canary(), "real".into()] {
        symlink(target, &docs).expect("linked");
        ground.define(&[json!({})], &json!(null));
        ground.trust();
        let before = ground.look();
        // The ordinary stage would read the same folder, so that it fails, too.
        let output = ground.start();
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert!(output.stderr.contains("'docs'") && output.stderr.contains("link"), "{}", output.stderr);
        before.assert_only_added(&ground.look(), &[]);
        std::fs::remove_file(&docs).expect("removed");
    }
    std::fs::rename(ground.place.project().join("real"), &docs).expect("moved");
    ground.completes(json!({ "act": "well" }));
}

pub(crate) fn extreme_times(ground: Ground) {
    let ended = ground.attempts(&[json!({})], &json!(null), &["project/out/timed.md"]);
    assert_sealed(&ended.result(0));
    let written = std::fs::metadata(ground.place.project().join("out/timed.md")).expect("written");
    let age = SystemTime::now().duration_since(written.modified().expect("a time")).expect("in the past");
    assert!(age < Duration::from_secs(3600), "the plugin's time was taken over");
}

pub(crate) fn ancient_files(ground: Ground) {
    let day = Duration::from_secs(24 * 3600);
    for (name, time) in [
        ("ancient.md", SystemTime::UNIX_EPOCH - 365 * 60 * day),
        ("before.md", SystemTime::UNIX_EPOCH - Duration::from_nanos(1)),
        ("future.md", SystemTime::UNIX_EPOCH + 365 * 400 * day),
    ] {
        ground.place.write(&format!("docs/{name}"), "old\n");
        let file = std::fs::File::options().write(true).open(ground.place.project().join("docs").join(name));
        file.expect("there").set_modified(time).expect("set");
    }
    ground.is_sealed(json!({}));
}

/// Two stages, each with a scratch folder of its own, look for the other's; what one proposed the other never saw.
pub(crate) fn foreign_scratch(ground: Ground) {
    let act = json!({ "act": "files/foreign_scratch" });
    let stages = json!([
        { "name": "first", "type": "hostile", "config": act, "depends_on": [] },
        { "name": "second", "type": "hostile", "config": act, "depends_on": ["first"] },
        { "name": "well", "type": "hostile", "config": { "act": "well" } },
    ]);
    let definition = json!({ "name": "Attempts", "version": 1, "stages": stages });
    ground.place.write(".docket/workflows/definitions/attempts.yml", definition.to_string());
    ground.trust();
    let before = ground.look();
    let output = ground.start();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let added = ["project/out/own-first.md", "project/out/own-second.md", "project/out/well.md"];
    before.assert_only_added(&ground.look(), &added);
    let run = crate::ground::run_of(&output);
    let results = ground.docket(&["workflow", "results", &run, "--output", "json"]).json()["stages"].clone();
    for stage in ["first", "second"] {
        assert_sealed(&results[stage]);
    }
}

/// The same plugin with a harmless section more is another one, and its cache another folder.
pub(crate) fn foreign_cache(ground: Ground) {
    ground.is_sealed(json!({ "turn": "hide" }));
    let other = with_section(&guest(), "other", b"");
    let other = with_manifest(&other, |manifest| manifest["stages"][0]["type"] = json!("other"));
    ground.place.write(".docket/plugins/other.wasm", &other);
    std::fs::remove_dir_all(ground.place.project().join("out")).expect("removed");
    let seek = json!({ "turn": "seek", "hash": sha256(&guest()) });
    let ended = ground.attempts(&[seek], &json!({ "type": "other" }), &[]);
    assert_sealed(&ended.result(0));
}
