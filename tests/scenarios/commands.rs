//! The commands around runs: setting up, looking at what happened, and finding the document that is meant.

use docket_tests::{Output, finish, wait_until};
use serde_json::Value;

use crate::place;
use crate::support::{
    Agent, DOCUMENT, DOCUMENT_TEXT, answer, assert_document_reviewed_once, assert_nothing_written, file,
    place_with_document, reviews, start, start_arguments, status_of, waiting_run,
};

#[test]
fn init_makes_a_project_once_and_overwrites_nothing() {
    let place = docket_tests::Place::without_project(crate::DOCKET);
    place.run(&["init"]).success().prints("is a docket project now").says("docket review");
    assert!(place.project().join(".docket/workflows/definitions").is_dir());
    assert!(place.read(".docket/.gitignore").contains("workflows/state/"));
    place.write(".docket/config.yml", "launcher: checklist\n");
    place.write(".docket/.gitignore", "mine\n");
    place.run(&["init"]).success().prints("is a docket project already");
    assert_eq!(place.read(".docket/config.yml"), "launcher: checklist\n");
    assert_eq!(place.read(".docket/.gitignore"), "mine\n");
    std::fs::remove_file(place.project().join(".docket/config.yml")).expect("removed");
    place.run(&["init"]).success();
    assert!(place.read(".docket/config.yml").starts_with('#'), "what is missing is made again");
    place.run(&["init", "--project", "nowhere"]).code(2).says("nowhere").says("create it first");
}

#[test]
fn doctor_looks_at_everything_and_says_what_is_missing() {
    let place = place_with_document();
    let output = place.run(&["doctor"]).success();
    let _ =
        output.prints("your folder").prints("cache").prints("launchers: acp, checklist, manual, mcp, shell");
    place.write(".docket/workflows/definitions/mine.yml", "name: Mine\n");
    place
        .run(&["doctor"])
        .success()
        .prints("1 of 1 file(s) of the project not trusted")
        .prints("docket trust");
    Agent::quick(&place);
    place.run(&["doctor"]).success().prints("profile mine: shell runs /bin/sh");
    place.write_home("config.yml", "nonsense: 1\n");
    place.run(&["doctor"]).code(1).prints("nonsense").says("missing");
}

#[test]
fn completions_know_the_commands() {
    let place = place();
    for shell in ["bash", "zsh", "fish"] {
        place.run(&["completions", shell]).success().prints("workflow").prints("review").prints("output");
    }
}

#[test]
fn help_shows_a_workflow_with_its_inputs() {
    let place = place();
    let output = place.run(&["workflow", "start", "rfc-review", "--help"]).success();
    assert!(output.stdout.starts_with("RFC Review\n"), "{}", output.stdout);
    let output = output.prints("Architectural review of an RFC document").prints("--rfc-path <FILE>");
    let output = output.prints("Path to RFC file [required]").prints("--perspective <ENUM>");
    let output = output.prints("[one of: architecture, security, implementation, all]");
    let _ = output.prints("[default: architecture]").prints("--launcher").prints("--dry-run");
    let overview = place.run(&["workflow", "start", "--help"]).success();
    let _ = overview.prints("rfc-review").prints("adr-review").prints("docket workflow start NAME --help");
    place.run(&["workflow", "start"]).code(2);
    place.run(&["--help"]).success().prints("review").prints("Exit codes");
    place.run(&["--version"]).success().prints("docket ");
}

#[test]
fn a_dry_run_shows_what_it_would_write_and_writes_nothing() {
    let place = place_with_document();
    let output = start(&place, &["--launcher", "checklist", "--dry-run"]).success().says("dry run");
    let run = place.only_run();
    let _ = output.says(&format!("Would write {DOCUMENT}")).says(&format!("docket workflow diff {run}"));
    assert_nothing_written(&place);
    let diff = place.run(&["workflow", "diff", &run]).success();
    let diff = diff.prints("--- /dev/null\n+++ b/docs/rfcs/.reviews/").prints(&format!("--- a/{DOCUMENT}"));
    let _ = diff.prints("-**Status:** Draft\n+**Status:** In Review\n").prints("+**Reviewed:** ");
    let shown = place.run(&["workflow", "diff", &run, "--output", "json"]).success().json();
    assert!(shown.as_array().expect("a list").iter().all(|file| file["applied"] == false), "{shown}");
    place.run(&["workflow", "results", &run]).success().prints("Would write:");
    assert_eq!(place.status(&run)["dry_run"], true);
    assert_nothing_written(&place);

    start(&place, &["--launcher", "checklist"]).success();
    let second = place.runs().into_iter().find(|id| *id != run).expect("another run");
    let shown = place.run(&["workflow", "diff", &second, "--output", "json"]).success().json();
    assert!(shown.as_array().expect("a list").iter().all(|file| file["applied"] == true), "{shown}");
    assert_document_reviewed_once(&place);
}

#[test]
fn runs_are_listed_by_where_they_stand() {
    let place = place_with_document();
    place.run(&["workflow", "list"]).success().says("no runs");
    start(&place, &["--launcher", "checklist"]).success();
    let done = place.only_run();
    start(&place, &["--launcher", "manual"]).code(3);
    let waiting = place.runs().into_iter().find(|id| *id != done).expect("another run");
    let list = |more: &[&str]| {
        let shown = place.run(&[&["workflow", "list", "--output", "json"], more].concat()).success().json();
        let ids = shown["runs"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|run| run["id"].as_str().expect("an id").to_owned());
        ids.collect::<Vec<String>>()
    };
    assert_eq!(list(&[]), [waiting.clone(), done.clone()], "newest first");
    assert_eq!(list(&["--status", "waiting"]), std::slice::from_ref(&waiting));
    assert_eq!(list(&["--status", "completed"]), std::slice::from_ref(&done));
    assert_eq!(list(&["--status", "failed"]), [""; 0]);
    place.run(&["workflow", "list"]).success().prints(&waiting).prints("rfc-review").prints("completed");
    let lines = place.run(&["workflow", "list", "--output", "jsonl"]).success().stdout;
    let ids = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone());
    assert_eq!(ids.collect::<Vec<_>>(), [Value::from(waiting.clone()), Value::from(done)]);
    place.run(&["workflow", "cancel", &waiting]).success();
    assert_eq!(list(&["--status", "cancelled"]), [waiting]);
}

#[test]
fn results_and_status_look_like_the_specifications_examples() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    let results = place.run(&["workflow", "results", &run]).success();
    let results = results.prints(&format!("Workflow: RFC Review ({run})\nStatus: Completed\nDuration: "));
    let results =
        results.prints("Assessment: REQUEST_CHANGES\n  Blockers: 1\n  Major Concerns: 2\n  Minor Issues: 0");
    let results = results.prints("Critical Blockers:\n  1. Finding B1").prints(&format!("  - {DOCUMENT}\n"));
    let _ = results.prints(&format!("Review Results: docs/rfcs/.reviews/{}", reviews(&place)[0].0));
    let json = place.run(&["workflow", "results", &run, "--format", "json"]).success().json();
    assert_eq!(json["outputs"]["review-architecture.review_results"], answer());
    assert_eq!(
        json["outputs"]["store-results.destination"],
        format!("docs/rfcs/.reviews/{}", reviews(&place)[0].0)
    );
    let markdown = place.run(&["workflow", "results", &run, "--format", "markdown"]).success();
    let _ = markdown
        .prints("# RFC Review")
        .prints("### Blockers")
        .prints("**Finding B1** (Summary): Say how many");

    let status = place.run(&["workflow", "status", &run]).success();
    let _ = status.prints("Stages:\n  ✅ gather-context (").prints("  ✅ update-status (");
    let shown = place.run(&["workflow", "show", &run]).success();
    let shown =
        shown.prints("Definition: rfc-review (built-in)").prints("\"docs/rfcs/rfc-0007-queue-limits.md\"");
    let shown = shown.prints("context 0.1.0 sha256:").prints("completed by the answer of tester");
    let _ = shown.prints(&format!("write {DOCUMENT}")).prints("Journal: ");
    let logs = place.run(&["workflow", "logs", &run]).success();
    let _ = logs.prints("gather-context: started (attempt 1)").prints("run: completed");
}

#[test]
fn a_followed_log_ends_when_the_run_does() {
    let place = place_with_document();
    let agent = Agent::patient(&place);
    let owner = place.spawn(&start_arguments(&["--profile", "mine"]));
    agent.wait_for_launch();
    let run = place.only_run();
    let follower = place.spawn(&["workflow", "logs", &run, "--follow"]);
    agent.go();
    Output::of_child(owner).success();
    let followed = Output::of_child(follower).success();
    assert_eq!(followed.stdout, place.run(&["workflow", "logs", &run]).success().stdout);
    let _ = followed.prints("review-architecture: started").prints("run: completed");
    // There is nothing to follow any more.
    place.run(&["workflow", "logs", &run, "--follow"]).success().prints("run: completed");
    wait_until("it is over", || status_of(&place, &run) == "completed");
}

#[test]
fn every_line_of_a_run_is_one_json_value() {
    let place = place_with_document();
    let output = start(&place, &["--launcher", "checklist", "--output", "jsonl"]).success();
    let lines: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(events.first(), Some(&"run_created"));
    assert_eq!(events.iter().filter(|event| **event == "stage_started").count(), 4);
    assert_eq!(events.last(), Some(&"run_completed"));
    let last = lines.last().expect("lines");
    assert_eq!(
        (last["id"].as_str(), &last["status"]),
        (Some(place.only_run().as_str()), &"completed".into())
    );
    assert!(
        output.stderr.contains("Review complete!"),
        "what is said goes beside the data: {}",
        output.stderr
    );
}

#[test]
fn a_document_is_found_by_path_from_anywhere_and_by_id() {
    let text = "**Status:** In Review";
    for (folder, name) in [
        ("docs/rfcs", "rfc-0007-queue-limits.md"),
        ("docs/adr", "../rfcs/rfc-0007-queue-limits.md"),
        ("docs", "rfcs/rfc-0007-queue-limits.md"),
        (".", "rfc-7"),
        ("docs/adr", "RFC-0007"),
        (".", "rfc-0007-queue-limits"),
    ] {
        let place = place_with_document();
        let mut command = place.command(&["review", name, "--launcher", "checklist"]);
        finish(command.current_dir(place.project().join(folder))).success().prints("Review complete!");
        assert!(place.read(DOCUMENT).contains(text), "{name} from {folder}");
        assert_document_reviewed_once(&place);
    }
    let place = place_with_document();
    let absolute = place.project().join(DOCUMENT).display().to_string();
    place.run(&["review", &absolute, "--launcher", "checklist", "--perspective", "security"]).success();
    assert!(reviews(&place)[0].0.ends_with("-security.md"));
}

#[test]
fn a_document_that_is_not_clear_is_asked_about() {
    let place = place_with_document();
    place.run(&["review", "rfc-8"]).code(2).says("'rfc-8'").says("rfc-0002");
    place.run(&["review", "queue-limits"]).code(2).says("'queue-limits'").says(DOCUMENT);
    place.run(&["review", "docs/rfcs/rfc-0007-queue-limit.md"]).code(2).says(DOCUMENT);
    place.run(&["review", "../outside.md"]).code(2).says("outside the project");
    place
        .run(&["review", "rfc-7", "--perspective", "architectur"])
        .code(2)
        .says("did you mean 'architecture'?");
    place.run(&["review", "rfc-7", "--workflow", "rfc-reviev"]).code(2).says("did you mean 'rfc-review'?");
    place.write("docs/old/rfc-0007-queues.md", DOCUMENT_TEXT);
    place
        .run(&["review", "rfc-7"])
        .code(2)
        .says("docs/old/rfc-0007-queues.md")
        .says(DOCUMENT)
        .says("name the file");
    assert_eq!(place.runs(), [""; 0]);
    // A decision record gets the review for decision records.
    place.run(&["review", "adr-2", "--launcher", "checklist"]).success();
    assert_eq!(place.status(&place.only_run())["definition"], "adr-review");
}

/// Whoever asked for JSON gets it even when the arguments can't be parsed.
#[test]
fn mistyped_arguments_are_json_for_programs() {
    let place = place();
    for arguments in [&["workflow", "strat", "--output", "json"][..], &["--output=json", "reviw"]] {
        let output = place.run(arguments).code(2);
        let error: serde_json::Value = serde_json::from_str(&output.stderr).expect("JSON on standard error");
        assert_eq!(error["exit_code"], 2);
        assert!(error["message"].as_str().is_some_and(|message| message.contains("unrecognized")), "{error}");
    }
}

/// docket's own files are no documents.
#[test]
fn files_that_no_stage_may_touch_are_no_inputs() {
    let place = place();
    place
        .run(&["workflow", "start", "rfc-review", "--rfc-path", ".docket/config.yml"])
        .code(2)
        .says("'.docket', which no stage may touch");
    assert!(place.runs().is_empty());
}

/// Outside a project there are still docket's own workflows to be listed.
#[test]
fn workflows_are_listed_outside_a_project() {
    let place = docket_tests::Place::without_project(crate::DOCKET);
    place.run(&["workflow", "start", "--help"]).success().prints("rfc-review").prints("adr-review");
}
