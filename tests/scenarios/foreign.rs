//! What came with a project is not believed, even where docket itself keeps its own: runs, and links in their place.

use crate::support;
use docket_tests::Place;

/// A run names its definition and its command. One that another user started is not continued, so that a repository can't
/// ship one.
#[test]
fn a_run_that_came_with_the_project_is_not_continued() {
    let theirs = support::place_with_document();
    let id = support::waiting_run(&theirs);
    let answer = support::answer().to_string();
    let mine = Place::new(crate::DOCKET);
    copy(&theirs.project(), &mine.project());
    mine.write("answer.json", &answer);
    for arguments in [
        &["workflow", "resume", &id][..],
        &["workflow", "submit", &id, "--file", "answer.json"],
        &["workflow", "cancel", &id],
    ] {
        mine.run(arguments).code(4).says("was not started by you").says("start a new run");
    }
    mine.run(&["workflow", "show", &id]).success().prints("RFC Review");
    assert!(!mine.project().join("docs/rfcs/.reviews").exists());
    theirs.write("answer.json", &answer);
    theirs.run(&["workflow", "submit", &id, "--file", "answer.json"]).success();
}

/// docket writes in these places without being asked, so a link there would write elsewhere.
#[test]
fn links_in_place_of_dockets_own_folders_are_refused() {
    for own in ["workflows/state", "workflows/completed", "workflows/state/index.jsonl"] {
        let place = support::place_with_document();
        let target = place.home().join("victim");
        if own.ends_with(".jsonl") {
            std::fs::write(&target, "mine\n").expect("written");
        } else {
            std::fs::create_dir(&target).expect("created");
        }
        let link = place.project().join(".docket").join(own);
        std::fs::create_dir_all(link.parent().expect("a folder")).expect("created");
        std::os::unix::fs::symlink(&target, &link).expect("linked");
        place.run(&["review", support::DOCUMENT, "--launcher", "checklist"]).code(2).says("symbolic link");
        if target.is_dir() {
            assert_eq!(std::fs::read_dir(&target).expect("readable").count(), 0, "{own}");
        } else {
            assert_eq!(std::fs::read_to_string(&target).expect("readable"), "mine\n");
        }
    }
}

/// A link inside a run's folder, too.
#[test]
fn links_in_a_runs_folder_are_refused() {
    let place = support::place_with_document();
    let id = support::waiting_run(&place);
    let victim = place.home().join("victim");
    std::fs::write(&victim, "mine").expect("written");
    let lock = place.run_folder(&id).join("lock");
    std::fs::remove_file(&lock).expect("removed");
    std::os::unix::fs::symlink(&victim, &lock).expect("linked");
    place.run(&["workflow", "resume", &id]).code(2).says("symbolic link");
    assert_eq!(std::fs::read_to_string(&victim).expect("readable"), "mine");
}

/// A run's folder that was copied carries the user's own seal, but it is not another run.
#[test]
fn a_copied_run_folder_is_not_continued() {
    let place = support::place_with_document();
    let id = support::waiting_run(&place);
    let folder = place.run_folder("wf-copied");
    std::fs::create_dir(&folder).expect("created");
    copy(&place.run_folder(&id), &folder);
    for command in ["resume", "cancel"] {
        let refused =
            place.run(&["workflow", command, "wf-copied"]).says(&format!("it is the journal of run {id}"));
        assert_ne!(refused.code, 0, "{}", refused.stderr);
    }
    place.write("answer.json", support::answer().to_string());
    place.run(&["workflow", "submit", &id, "--file", "answer.json"]).success();
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).expect("readable").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            std::fs::create_dir_all(&to).expect("created");
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}
