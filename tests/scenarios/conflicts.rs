//! Files that docket wants to write and can't, or may not any more: nothing is overwritten, nothing is lost, and the
//! run goes on once it is mended.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use docket_tests::{Output, Place, finish};

use crate::support::{
    Agent, DOCUMENT, DOCUMENT_TEXT, RFC_REVIEW, answer, assert_document_reviewed_once, file,
    place_with_document, reviews, stage, start, start_arguments, status_of, waiting_run,
};

/// The document as somebody changes it while a run goes on.
fn edited() -> String {
    DOCUMENT_TEXT.replace("Memory grows without bounds", "Somebody else's words")
}

/// The path a review of this run's day is written to.
fn destination(place: &Place, run: &str) -> String {
    let start = std::fs::read_to_string(place.run_folder(run).join("journal.jsonl")).expect("a journal");
    let first: serde_json::Value =
        serde_json::from_str(start.lines().next().expect("a record")).expect("JSON");
    let date = first["events"][0]["date"].as_str().expect("a date").to_owned();
    format!("docs/rfcs/.reviews/rfc-0007-queue-limits-{date}-architecture.md")
}

#[test]
fn a_document_that_changed_before_its_stage_is_read_as_it_is_then() {
    let place = place_with_document();
    let run = waiting_run(&place);
    place.write(DOCUMENT, edited());
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    let text = place.read(DOCUMENT);
    assert!(text.contains("Somebody else's words") && text.contains("**Status:** In Review"), "{text}");
}

#[test]
fn a_target_that_changed_meanwhile_is_not_overwritten_and_the_run_goes_on_when_it_is_put_back() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let run = place.only_run();
    let wanted = place.read(DOCUMENT);
    let (review, _) = reviews(&place).remove(0);
    // As it is when docket dies between recording what it wants to write and writing it.
    cut_journal_before(&place, &run, "\"changes_applied\",\"stage\":5");
    place.write(DOCUMENT, edited());

    place
        .run(&["workflow", "resume", &run])
        .code(5)
        .says(&format!("'{DOCUMENT}' changed since the stage read it"))
        .says("nothing was overwritten")
        .says(&format!("docket workflow resume {run}"));
    assert_eq!(place.read(DOCUMENT), edited());
    assert_eq!(status_of(&place, &run), "waiting");
    assert_eq!(stage(&place, &run, "update-status")["status"], "conflict");
    place.run(&["workflow", "status", &run]).success().prints("file-changed").prints(DOCUMENT);
    let diff = place.run(&["workflow", "diff", &run]).success();
    let diff =
        diff.prints(&format!("--- a/{DOCUMENT}")).prints("-**Status:** Draft\n+**Status:** In Review\n");
    assert!(!diff.stdout.contains("Somebody else's words"), "{}", diff.stdout);

    // Trying again without mending anything changes nothing.
    place.run(&["workflow", "resume", &run]).code(5);
    assert_eq!(place.read(DOCUMENT), edited());
    place.write(DOCUMENT, DOCUMENT_TEXT);
    place.run(&["workflow", "resume", &run]).success().prints("Review complete!");
    assert_eq!(place.read(DOCUMENT), wanted);
    assert_eq!(reviews(&place)[0].0, review);
    assert_document_reviewed_once(&place);
}

#[test]
fn a_conflict_also_ends_when_somebody_made_the_change_or_gives_up() {
    for give_up in [false, true] {
        let place = place_with_document();
        start(&place, &["--launcher", "checklist"]).success();
        let run = place.only_run();
        let wanted = place.read(DOCUMENT);
        cut_journal_before(&place, &run, "\"changes_applied\",\"stage\":5");
        place.write(DOCUMENT, edited());
        place.run(&["workflow", "resume", &run]).code(5);
        if give_up {
            place.run(&["workflow", "cancel", &run]).success();
            assert_eq!((status_of(&place, &run).as_str(), place.read(DOCUMENT)), ("cancelled", edited()));
        } else {
            place.write(DOCUMENT, &wanted);
            place.run(&["workflow", "resume", &run]).success();
            assert_eq!((status_of(&place, &run).as_str(), place.read(DOCUMENT)), ("completed", wanted));
        }
    }
}

/// Cuts a journal before the record that holds these words.
fn cut_journal_before(place: &Place, run: &str, words: &str) {
    let path = place.run_folder(run).join("journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let lines: Vec<&str> = text.lines().take_while(|line| !line.contains(words)).collect();
    assert!(lines.len() < text.lines().count(), "no record with {words}");
    std::fs::write(&path, lines.join("\n") + "\n").expect("written");
}

#[test]
fn a_file_where_a_folder_should_be_stops_the_run_until_it_is_moved_away() {
    let place = place_with_document();
    let agent = Agent::patient(&place);
    let owner = place.spawn(&start_arguments(&["--profile", "mine"]));
    agent.wait_for_launch();
    let run = place.only_run();
    let destination = destination(&place, &run);
    place.run(&["workflow", "pause", &run]).success();
    agent.go();
    Output::of_child(owner).code(3);
    // A file where the run wants a folder.
    place.write("docs/rfcs/.reviews", "not a folder");
    place
        .run(&["workflow", "resume", &run])
        .code(5)
        .says(&destination)
        .says(&format!("docket workflow resume {run}"));
    assert_eq!(place.read("docs/rfcs/.reviews"), "not a folder");
    assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
    assert_eq!(status_of(&place, &run), "waiting");
    std::fs::remove_file(place.project().join("docs/rfcs/.reviews")).expect("removed");
    place.run(&["workflow", "resume", &run]).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn a_destination_that_leads_through_a_link_is_refused() {
    let place = place_with_document();
    let outside = place.home().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::os::unix::fs::symlink(&outside, place.project().join("docs/rfcs/.reviews")).expect("linked");
    let output = start(&place, &["--launcher", "checklist"]).says("docs/rfcs/.reviews").says("link");
    assert_ne!(output.code, 0);
    assert_eq!(std::fs::read_dir(&outside).expect("readable").count(), 0);
    assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
}

#[test]
fn destinations_outside_of_what_may_be_written_are_refused() {
    for destination in ["../outside.md", "/tmp/outside.md", ".git/hooks/post-commit", ".docket/config.yml"] {
        let place = place_with_document();
        let text = RFC_REVIEW.replace("docs/rfcs/.reviews/{rfc_name}-{date}-{perspective}.md", destination);
        place.write(".docket/workflows/definitions/rfc-review.yml", text);
        let config = place.read(".docket/config.yml");
        let _ = place.run(&["trust", "--yes"]).success();
        let output = start(&place, &["--launcher", "checklist"]).says(destination);
        assert!([1, 2].contains(&output.code), "{destination}: {output:?}");
        assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT, "{destination}");
        assert_eq!(place.read(".docket/config.yml"), config);
        assert!(!place.project().join(".git").exists());
        assert!(!place.project().with_file_name("outside.md").exists());
    }
}

/// Another user than root.
const NOBODY: u32 = 65534;

/// Gives everything in the place to another user, and a command that runs as that user. Root may write anywhere, so a
/// read-only folder would not stop it.
fn as_nobody(place: &Place, arguments: &[&str]) -> Output {
    let mut command = place.command(arguments);
    // The cache of all tests belongs to whoever runs them.
    command.env("XDG_CACHE_HOME", place.home().join("cache"));
    if rustix::process::geteuid().is_root() {
        let root = place.project().parent().expect("the place").to_owned();
        give(&root, NOBODY);
        command.uid(NOBODY).gid(NOBODY);
    }
    finish(&mut command)
}

fn give(path: &std::path::Path, owner: u32) {
    std::os::unix::fs::lchown(path, Some(owner), Some(owner)).expect("root may do this");
    if path.symlink_metadata().expect("there").is_dir() {
        for entry in std::fs::read_dir(path).expect("readable") {
            give(&entry.expect("readable").path(), owner);
        }
    }
}

fn set_mode(place: &Place, path: &str, mode: u32) {
    let path = place.project().join(path);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn a_read_only_folder_stops_the_run_until_it_can_be_written() {
    let place = place_with_document();
    if !can_run_as_nobody(&place) {
        return;
    }
    set_mode(&place, "docs/rfcs", 0o555);
    let arguments = start_arguments(&["--launcher", "checklist"]);
    let output = as_nobody(&place, &arguments).code(5).says("docs/rfcs").says("Permission denied");
    let run = place.only_run();
    let _ = output.says("nothing is lost").says(&format!("docket workflow resume {run}"));
    assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
    assert_eq!(reviews(&place), []);
    set_mode(&place, "docs/rfcs", 0o755);
    as_nobody(&place, &["workflow", "resume", &run]).success();
    assert_document_reviewed_once(&place);
}

#[test]
fn a_read_only_project_is_refused_before_anything_starts() {
    let place = place_with_document();
    if !can_run_as_nobody(&place) {
        return;
    }
    set_mode(&place, ".docket/workflows", 0o555);
    let arguments = start_arguments(&["--launcher", "checklist"]);
    as_nobody(&place, &arguments).code(1).says(".docket/workflows/state").says("Permission denied");
    set_mode(&place, ".docket/workflows", 0o755);
    assert_eq!(place.read(DOCUMENT), DOCUMENT_TEXT);
    assert_eq!(place.runs(), [""; 0]);
}

/// Whether docket can be run as somebody whom a read-only folder stops. The folders above the binary may be closed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn can_run_as_nobody(place: &Place) -> bool {
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", "test -x \"$0\"", crate::DOCKET]).current_dir(place.project());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let can = command.status().is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: {} can't be run by another user", crate::DOCKET);
    }
    can
}
