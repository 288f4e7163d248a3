//! What a plugin puts under `/out`: granted files are written to the project, everything else fails the stage and
//! writes nothing. The test plugin was granted to write `out/**`.

use serde_json::json;

use crate::sandbox::{
    PLUGIN, act, act_all, assert_failure, definition, failure_of, guest, guest_place, result_of, run_of,
    with_manifest,
};

/// Nothing was written to the project.
#[track_caller]
fn assert_untouched(place: &docket_tests::Place) {
    let mut names: Vec<_> = std::fs::read_dir(place.project())
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    names.sort();
    assert_eq!(names, [".docket", "docs"]);
}

#[test]
fn a_granted_file_is_written_and_the_stage_folder_is_gone() {
    let place = guest_place();
    let output =
        act(&place, json!({ "act": "write", "path": "out/a/b.md", "content": "proposed\n" })).success();
    assert_eq!(place.read("out/a/b.md"), "proposed\n");
    let run = run_of(&output);
    let work = place.run_folder(&run).join("work");
    assert_eq!(std::fs::read_dir(work).map_or(0, Iterator::count), 0, "scratch is left behind");
    place.run(&["workflow", "diff", &run]).success().prints("+++ b/out/a/b.md");
}

#[test]
fn files_that_were_not_granted_fail_the_stage_and_nothing_is_written() {
    let place = guest_place();
    place.write("docs/b.md", "mine");
    for path in ["b.md", "docs/b.md", "outside/b.md", "Out/b.md", "a/out/b.md", "out"] {
        let failure = failure_of(&place, json!({ "act": "write", "path": path, "content": "x" }));
        assert_failure(
            &failure,
            "not-granted",
            &[&format!("'{path}'"), "out/**", "nothing was written", "capabilities.write"],
        );
    }
    assert_eq!(place.read("docs/b.md"), "mine");
    assert_untouched(&place);
    let log = std::fs::read_to_string(place.docket_home().join("audit.jsonl")).expect("denials are logged");
    let denied = |line: &&str| line.contains(r#""decision":"denied""#) && line.contains("'outside/b.md'");
    assert_eq!(log.lines().filter(denied).count(), 1, "{log}");
}

/// One file too many is enough to write none.
#[test]
fn one_file_that_was_not_granted_stops_them_all() {
    let place = guest_place();
    place.write(
        PLUGIN,
        with_manifest(&guest(), |manifest| {
            manifest["capabilities"]["write"] = json!(["out/0.txt", "out/1.txt"])
        }),
    );
    let failure = failure_of(&place, json!({ "act": "write-many", "path": "out", "count": 3, "bytes": 1 }));
    assert_failure(&failure, "not-granted", &["'out/2.txt'", "out/0.txt, out/1.txt"]);
    assert_untouched(&place);
}

#[test]
fn nobody_writes_into_folders_of_docket_and_git() {
    let place = guest_place();
    place.write(
        PLUGIN,
        with_manifest(&guest(), |manifest| manifest["capabilities"]["write"] = json!(["**", "**/*", "*"])),
    );
    place.write(".docket/workflows/definitions/mine.yml", "name: mine");
    for path in [
        ".docket/x",
        ".docket/config.yml",
        ".docket/workflows/definitions/mine.yml",
        ".DOCKET/x",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "sub/.git/config",
        ".git./config",
        "GIT~1/config",
        ".g\u{200d}it/config",
    ] {
        let failure = failure_of(&place, json!({ "act": "write", "path": path, "content": "x" }));
        assert_failure(&failure, "proposal-refused", &["no stage may touch", "nothing was written"]);
    }
    assert_eq!(place.read(".docket/workflows/definitions/mine.yml"), "name: mine");
    assert!(!place.project().join(".docket/x").exists());
    assert_untouched(&place);
}

#[test]
fn odd_names_are_refused_by_name() {
    let place = guest_place();
    for (path, words) in [
        ("out/nul", "devices"),
        ("out/CON.md", "devices"),
        ("out/com1.txt", "devices"),
        ("out/a\\b.md", "out/a"),
        ("out/a\nb.md", "out/a\\nb.md"),
        ("out/\u{1b}[31mred", "[31mred"),
        ("out/\u{9b}2J", "2J"),
    ] {
        let failure = failure_of(&place, json!({ "act": "write", "path": path, "content": "x" }));
        assert_failure(&failure, "proposal-refused", &[words, "nothing was written"]);
    }
    assert_untouched(&place);
}

#[test]
fn links_are_no_proposals() {
    let place = guest_place();
    for target in ["a.md", "../../../../../../../etc", "../../../journal.jsonl", "."] {
        let output = act(&place, json!({ "act": "write-link", "target": target, "path": "out/link" }));
        // What leads out of the folder can't even be made; what stays in it is refused.
        let run = run_of(&output);
        if output.code == 1 {
            let failure = place.status(&run)["stages"][0]["failure"].clone();
            assert_failure(
                &failure,
                "proposal-refused",
                &["symbolic link", "'out/link'", "nothing was written"],
            );
        } else {
            let made = crate::sandbox::results(&place, &run)["s"].clone();
            assert!(made["error"].is_string(), "a link to {target} was made and not refused: {made}");
        }
    }
    for target in ["/etc/passwd", "/etc"] {
        let made = result_of(&place, json!({ "act": "write-link", "target": target, "path": "out/link" }));
        assert!(made["error"].is_string(), "a link to {target} was made: {made}");
    }
    for target in ["/project/docs/a.md", "/etc/passwd", "/in/x", "/proc/self/environ"] {
        let made = result_of(&place, json!({ "act": "hard-link", "target": target, "path": "out/link" }));
        assert!(made["error"].is_string(), "a hard link to {target} was made: {made}");
    }
    assert_untouched(&place);
}

/// The project's own links are not followed when a proposal is written.
#[test]
fn a_file_is_not_written_through_a_link_of_the_project() {
    let place = guest_place();
    let outside = place.home().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::fs::write(outside.join("x.md"), "outside").expect("written");
    std::os::unix::fs::symlink(&outside, place.project().join("out")).expect("linked");
    let output = act(&place, json!({ "act": "write", "path": "out/x.md", "content": "through" }));
    assert_ne!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("out/x.md"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(outside.join("x.md")).expect("there"), "outside");

    let place = guest_place();
    place.write("out/real.md", "real");
    let target = place.home().join("target.md");
    std::fs::write(&target, "target").expect("written");
    std::os::unix::fs::symlink(&target, place.project().join("out/x.md")).expect("linked");
    let output = act(&place, json!({ "act": "write", "path": "out/x.md", "content": "through" }));
    assert_ne!(output.code, 0, "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(&target).expect("there"), "target");
    assert!(place.project().join("out/x.md").is_symlink());
}

#[test]
fn too_much_is_refused_and_a_raised_limit_allows_it() {
    let place = guest_place();
    place.write_home("config.yml", "limits: { out_mib: 1 }\n");
    let config = json!({ "act": "write-many", "path": "out", "count": 2, "bytes": 600_000 });
    let failure = failure_of(&place, config.clone());
    assert_failure(&failure, "output-limit", &["1 MiB", "out_mib", "config.yml"]);
    assert_untouched(&place);

    place.write_home("config.yml", "limits: { out_mib: 2 }\n");
    act(&place, config).success();
    assert_eq!(std::fs::metadata(place.project().join("out/1.txt")).expect("written").len(), 600_000);
}

#[test]
fn too_many_files_are_refused() {
    let place = guest_place();
    let failure =
        failure_of(&place, json!({ "act": "write-many", "path": "out", "count": 1100, "bytes": 0 }));
    assert_failure(&failure, "output-limit", &["1000 files"]);
    assert_untouched(&place);
}

#[test]
fn what_changes_nothing_is_no_change() {
    let place = guest_place();
    place.write("out/same.md", "same\n");
    let before =
        std::fs::metadata(place.project().join("out/same.md")).expect("there").modified().expect("a time");
    let output = act(&place, json!({ "act": "write", "path": "out/same.md", "content": "same\n" })).success();
    let run = run_of(&output);
    assert_eq!(place.status(&run)["stages"][0].get("files"), None);
    place.run(&["workflow", "diff", &run]).success().says("changes no file");
    let after =
        std::fs::metadata(place.project().join("out/same.md")).expect("there").modified().expect("a time");
    assert_eq!(before, after);

    let output = act(&place, json!({ "act": "time" })).success();
    place.run(&["workflow", "diff", &run_of(&output)]).success().says("changes no file");
}

#[test]
fn a_dry_run_writes_nothing() {
    let place = guest_place();
    place.trusted_definition(
        "acts",
        &crate::sandbox::single(&json!({ "act": "write", "path": "out/a.md", "content": "x\n" })),
    );
    let output = place.run_or_kill(&["workflow", "start", "acts", "--dry-run"]).success();
    assert_untouched(&place);
    place.run(&["workflow", "diff", &run_of(&output)]).success().prints("+x");
}

/// What a stage that fails has put under `/out` is not taken.
#[test]
fn a_later_stage_does_not_see_what_an_earlier_one_proposed() {
    let place = guest_place();
    let stages = json!([
        { "name": "writes", "type": "test", "config": { "act": "write", "path": "out/a.md", "content": "x" } },
        { "name": "looks", "type": "test", "config": { "act": "list", "path": "/out" } },
        { "name": "reads", "type": "test", "config": { "act": "read", "path": "/out/out/a.md" } },
    ]);
    let output = act_all(&place, &definition(stages)).success();
    let results = crate::sandbox::results(&place, &run_of(&output));
    assert_eq!(results["looks"], json!({ "ok": [] }));
    assert!(results["reads"]["error"].is_string(), "{results}");
    assert_eq!(place.read("out/a.md"), "x");
}
