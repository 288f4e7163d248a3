//! `docket context`: the context of a document by itself, in a project of docket's and in any other folder, and what git
//! has to do with it.

use std::path::PathBuf;

use docket_tests::{Output, Place, finish};
use serde_json::Value;

use crate::place;
use crate::support::{DOCUMENT, file, place_with_document};

/// The decision that the document refers to.
const DECISION: &str = "docs/adr/adr-0002-bounded-queues.md";
/// What lets the stage run git.
const GIT: &str = "run the command git";

/// Runs `docket context` and reads the package.
#[track_caller]
fn package(place: &Place, arguments: &[&str]) -> Value {
    place.run(&[&["context"], arguments, &["--output", "json"]].concat()).success().json()
}

fn notes(package: &Value) -> Vec<&str> {
    package["notes"].as_array().expect("notes").iter().filter_map(|note| note["message"].as_str()).collect()
}

#[test]
fn a_document_has_its_context_by_path_and_by_id() {
    let place = place_with_document();
    let found = package(&place, &[DOCUMENT]);
    assert_eq!(found["target"], DOCUMENT);
    assert_eq!((&found["kind"], &found["strategy"]), (&"rfc".into(), &"rfc-review".into()));
    assert_eq!(found["ranked"][0], DECISION);
    let decision = &found["related"]["adrs"][0];
    assert_eq!(decision["origin"], serde_json::json!({ "path": DECISION, "is": "data" }));
    assert!(decision["tokens"].as_u64().is_some_and(|tokens| tokens > 20), "{decision}");
    assert!(decision["reasons"][0].as_str().is_some_and(|reason| reason.contains("line 9")), "{decision}");
    assert_eq!(package(&place, &["rfc-0007"]), found);
    let schema: Value = place.run(&["schema", "context-package"]).success().json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(
        validator.is_valid(&found),
        "{:?}",
        validator.iter_errors(&found).map(|error| error.to_string()).collect::<Vec<_>>()
    );
    assert!(place.runs().is_empty(), "there is no run");
}

#[test]
fn for_people_it_is_a_list_with_reasons() {
    let place = place_with_document();
    let output = place.run(&["context", "rfc-7"]).success();
    for words in [
        "\nDecisions\n",
        DECISION,
        "referenced on line 9",
        "\nBroken references\n  line 10: missing.md leads nowhere",
    ] {
        assert!(output.stdout.contains(words), "{words:?} in {}", output.stdout);
    }
}

/// Every file of a folder and below, with its content.
fn contents(folder: PathBuf) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(contents(path));
        } else {
            let content = std::fs::read(&path).expect("readable");
            found.push((path, content));
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_that_is_no_project_is_read_and_nothing_is_written_there() {
    let place = Place::without_project(crate::DOCKET);
    place.write("docs/rfc-0001-a.md", "# RFC-0001: A\n\nSee RFC-0002.\n");
    place.write("docs/rfc-0002-b.md", "# RFC-0002: B\n\nQueues.\n");
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    let before = contents(place.project());
    // From below: the repository is the project.
    let mut command = place.command(&["context", "rfc-0001-a.md", "--output", "json"]);
    let found: Value = finish(command.current_dir(place.project().join("docs"))).success().json();
    assert_eq!(found["target"], "docs/rfc-0001-a.md");
    assert_eq!(found["ranked"][0], "docs/rfc-0002-b.md");
    assert_eq!(contents(place.project()), before);
    // Other commands still want a project.
    place.run(&["workflow", "list"]).code(2).says("docket init");
    // A home folder is not read from end to end because somebody stood in it.
    finish(place.command(&["context", "x.md"]).current_dir(place.home())).code(2).says("too much to read");
}

#[test]
fn what_is_asked_wrongly_is_told_with_what_there_is() {
    let place = place_with_document();
    place.run(&["context", DOCUMENT, "--strategy", "rfc-reviw"]).code(1).says("did you mean 'rfc-review'?");
    place.run(&["context", DOCUMENT, "--include", "code"]).code(1).says("related_code");
    place.run(&["context", DOCUMENT, "--budget", "3"]).code(1).says("/budget");
    place.run(&["context", "rfc-0099"]).code(2).says("no document 'rfc-0099'");
    place.run(&["context", "--strategy", "adr-review"]).code(2).says("no document");
}

#[test]
fn strategies_and_includes_decide_what_is_there() {
    let place = place_with_document();
    place.write("src/queue.rs", "// TODO: count\npub fn refuse_when_full() {}\n");
    place.write("docs/spec.md", "# Spec: queues\n\nUses `refuse_when_full()`.\n\n- [ ] say how many\n");
    let found = package(&place, &["docs/spec.md", "--strategy", "spec-validation"]);
    assert_eq!(found["related"]["code"][0]["path"], "src/queue.rs");
    assert_eq!(found["related"]["code"][0]["excerpt"], "2: pub fn refuse_when_full() {}");
    let todos: Vec<&str> =
        found["todos"].as_array().expect("todos").iter().filter_map(|todo| todo["text"].as_str()).collect();
    assert_eq!(todos, ["say how many", "TODO: count"]);
    let review = package(&place, &["docs/spec.md", "--strategy", "rfc-review"]);
    assert!(review["todos"].is_null(), "not what a review is about");
    let some = package(&place, &["docs/spec.md", "--include", "parse_references"]);
    assert!(some["related"]["code"].as_array().is_some_and(Vec::is_empty), "{some}");
}

#[test]
fn a_budget_is_kept_and_what_has_no_room_is_listed() {
    let place = place();
    let text = "Queues and limits of memory, entries and consumers that stop. ".repeat(8);
    for number in 1..=40 {
        place.write(
            &format!("docs/adr/adr-{number:04}-x.md"),
            format!("# ADR-{number:04}: Queues\n\n{text}\n"),
        );
    }
    let found = package(&place, &["adr-1", "--budget", "2000"]);
    let size = &found["size"];
    assert!(size["tokens"].as_u64() <= size["budget"].as_u64().map(|budget| budget + 500), "{size}");
    let kept = found["ranked"].as_array().expect("a list").len();
    let left = found["left_out"].as_array().expect("a list");
    assert!(kept > 2 && left.len() > 5, "{kept} {left:?}");
    assert!(left[0]["reason"].as_str().is_some_and(|reason| reason.contains("2000 tokens")), "{left:?}");
}

/// A git that tells one commit, and keeps what it was asked and what it saw.
fn fake_git(place: &Place) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = place.home().join("bin");
    std::fs::create_dir_all(&folder).expect("created");
    let home = place.home().display().to_string();
    let script = format!(
        "#!/bin/sh\necho started >> {home}/git-started\nenv > {home}/git-environment\npwd > {home}/git-folder\nfor a in \"$@\"; do echo \"$a\" >> {home}/git-arguments; done\n\
         printf '\\036aaaa1111\\0372026-01-11\\037Ana\\037Limit queues\\n\\n{DOCUMENT}\\nsrc/queue.rs\\n'\n\
         printf '\\036bbbb2222\\0372026-01-10\\037Bo\\037Begin\\n\\nsrc/queue.rs\\n{DOCUMENT}\\n'\n"
    );
    std::fs::write(folder.join("git"), script).expect("written");
    std::fs::set_permissions(folder.join("git"), std::fs::Permissions::from_mode(0o755)).expect("mode");
    format!("{}:/usr/bin:/bin", folder.display())
}

/// Runs docket with the git of the place.
#[track_caller]
fn with_git(place: &Place, path: &str, arguments: &[&str]) -> Output {
    let mut command = place.command(arguments);
    finish(command.env("PATH", path).env("GIT_DIR", "/elsewhere").env("GIT_SSH_COMMAND", "evil"))
}

fn git_was_started(place: &Place) -> bool {
    place.home().join("git-started").exists()
}

#[test]
fn without_a_grant_git_is_not_started_and_the_package_says_how_to_have_it() {
    let place = place_with_document();
    let path = fake_git(&place);
    let found: Value = with_git(&place, &path, &["context", DOCUMENT, "--output", "json"]).success().json();
    assert!(!git_was_started(&place));
    assert!(found["history"].is_null());
    let note = notes(&found).into_iter().find(|note| note.contains("git")).expect("a note").to_owned();
    assert!(note.contains("docket plugin grant context 'run the command git'"), "{note}");
    // A review does its work as well.
    with_git(&place, &path, &["review", DOCUMENT, "--launcher", "checklist"]).success();
    assert!(!git_was_started(&place));
}

#[test]
fn with_a_grant_git_is_asked_one_fixed_question_and_sees_no_variable_of_its_own() {
    let place = place_with_document();
    place.write("src/queue.rs", "pub fn refuse() {}\n");
    let path = fake_git(&place);
    place
        .run(&["plugin", "grant", "context", GIT, "--yes"])
        .success()
        .prints("run the command git [granted]");
    let found: Value = with_git(&place, &path, &["context", DOCUMENT, "--output", "json"]).success().json();
    assert_eq!(found["history"]["commits"][0]["subject"], "Limit queues");
    assert_eq!(found["history"]["together"][0], serde_json::json!({ "path": "src/queue.rs", "count": 2 }));
    let code = &found["related"]["code"][0];
    assert_eq!(code["path"], "src/queue.rs");
    assert!(code["reasons"].to_string().contains("in 2 commits"), "{code}");
    let read = |name: &str| std::fs::read_to_string(place.home().join(name)).expect("git was started");
    let environment = read("git-environment");
    assert!(!environment.contains("GIT_"), "{environment}");
    assert_eq!(PathBuf::from(read("git-folder").trim()), place.project().canonicalize().expect("there"));
    let arguments = read("git-arguments");
    for argument in [
        "--no-pager",
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "protocol.allow=never",
        "log.showSignature=false",
    ] {
        assert!(arguments.lines().any(|line| line == argument), "{argument} in {arguments}");
    }
    assert!(arguments.ends_with(&format!("--\n{DOCUMENT}\n")), "{arguments}");
    // The same in a run, which records what the stage had.
    with_git(&place, &path, &["review", DOCUMENT, "--launcher", "checklist"]).success();
    let timeline = place.run(&["workflow", "show", &place.only_run(), "--timeline"]).success();
    assert!(timeline.stdout.contains("run the command git"), "{}", timeline.stdout);
}

#[test]
fn a_grant_is_taken_back_and_is_for_commands_alone() {
    let place = place_with_document();
    let path = fake_git(&place);
    place.run(&["plugin", "grant", "context", "--yes"]).success();
    place.run(&["plugin", "revoke", "context", GIT]).success().prints("run the command git [not granted]");
    with_git(&place, &path, &["context", DOCUMENT]).success();
    assert!(!git_was_started(&place));
    place.run(&["plugin", "grant", "context", "read .", "--yes"]).code(2).says("has this anyway");
    place.run(&["plugin", "revoke", "context", "run the command rm"]).code(2);
    place.run(&["plugin", "grant", "storage", "--yes"]).code(2).says("built into docket");
    let log = place.run(&["audit-log"]).success();
    assert!(log.stdout.contains(GIT), "{}", log.stdout);
}

#[test]
fn a_git_that_the_project_brings_or_that_is_not_there_is_not_run() {
    let place = place_with_document();
    let path = fake_git(&place);
    place.run(&["plugin", "grant", "context", GIT, "--yes"]).success();
    place.write("bin/git", std::fs::read(place.home().join("bin/git")).expect("there"));
    let script = place.project().join("bin/git");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    let inside = format!("{}:{path}", script.parent().expect("a folder").display());
    let found: Value = with_git(&place, &inside, &["context", DOCUMENT, "--output", "json"]).success().json();
    assert!(notes(&found).iter().any(|note| note.contains("inside the project")), "{found}");
    let found: Value =
        with_git(&place, "/nowhere", &["context", DOCUMENT, "--output", "json"]).success().json();
    assert!(notes(&found).iter().any(|note| note.contains("not on PATH")), "{found}");
    assert!(!git_was_started(&place));
}

#[test]
fn a_git_that_fails_costs_the_history_and_nothing_else() {
    let place = place_with_document();
    let path = fake_git(&place);
    file(&place, "bin/git", "#!/bin/sh\necho 'fatal: not a git repository\u{1b}[2J' >&2\nexit 128\n");
    place.run(&["plugin", "grant", "context", GIT, "--yes"]).success();
    let output = with_git(&place, &path, &["context", DOCUMENT]).success();
    assert!(output.stdout.contains("history is left out: not a git repository"), "{}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}') && output.stdout.contains(DECISION), "{:?}", output.stdout);
}

#[test]
fn a_session_begins_with_where_the_project_stands() {
    let place = place_with_document();
    place.write("src/queue.rs", "fn x() {} // FIXME: count\n");
    let run = crate::support::waiting_run(&place);
    let found = package(&place, &[]);
    assert_eq!((&found["target"], &found["strategy"]), (&".".into(), &"session-start".into()));
    assert_eq!(found["session"]["runs"][0]["run"], run.as_str());
    assert_eq!(found["session"]["runs"][0]["status"], "waiting");
    let document = &found["session"]["documents"][0];
    assert_eq!((&document["path"], &document["status"]), (&DOCUMENT.into(), &"Draft".into()));
    assert_eq!(
        found["todos"][0],
        serde_json::json!({ "path": "src/queue.rs", "line": 1, "text": "FIXME: count" })
    );
    let text = place.run(&["context", "--strategy", "session-start"]).success().stdout;
    for words in ["\nRuns\n", &run, "\nDocuments\n", DOCUMENT, "\nTo do\n  src/queue.rs:1: FIXME: count"] {
        assert!(text.contains(words), "{words:?} in {text}");
    }
}

#[test]
fn odd_files_are_passed_over_with_a_note() {
    let place = place_with_document();
    place.write("docs/binary.md", b"\x7fELF\0\0\0");
    place.write("docs/latin.md", b"# Caf\xe9\n\nQueues refuse work.\n");
    place.write("docs/huge.md", "x\n".repeat(2 << 20));
    place.write(&format!("{}/deep.md", ["d"; 60].join("/")), "# Deep\n");
    std::os::unix::fs::symlink("..", place.project().join("docs/loop")).expect("linked");
    let found = package(&place, &[DOCUMENT]);
    let notes = notes(&found).join("\n");
    for words in [
        "docs/binary.md: not text",
        "docs/latin.md: not UTF-8",
        "docs/huge.md: too large",
        "docs/loop",
        "not looked into",
    ] {
        assert!(notes.contains(words), "{words:?} in {notes}");
    }
    assert_eq!(found["ranked"][0], DECISION);
}

#[test]
fn what_was_read_is_kept_and_a_damaged_cache_is_no_matter() {
    let place = place_with_document();
    place.write("src/queue.rs", "pub fn refuse_when_full() {}\n");
    let cache = place.home().join("own-cache");
    let gather = || -> Value {
        let mut command = place.command(&["context", DOCUMENT, "--output", "json"]);
        finish(command.env("XDG_CACHE_HOME", &cache)).success().json()
    };
    let first = gather();
    let indexes = || -> Vec<PathBuf> {
        let files = contents(cache.join("docket/plugins")).into_iter().map(|(path, _)| path);
        files.filter(|path| path.extension().is_some_and(|extension| extension == "index")).collect()
    };
    assert_eq!(indexes().len(), 2, "documents and source files");
    assert_eq!(gather(), first);
    for content in [&b""[..], b"docketix", &[0xff; 4096]] {
        indexes().iter().for_each(|path| std::fs::write(path, content).expect("written"));
        assert_eq!(gather(), first);
    }
    let path = indexes().remove(0);
    let mut bytes = std::fs::read(&path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(gather(), first);
    // A document that changed is read again.
    place.write(
        DECISION,
        "# ADR-0002: Bounded queues\n\n**Status:** Superseded\n\n## Decision\n\nNo limit.\n",
    );
    assert_eq!(gather()["related"]["adrs"][0]["status"], "Superseded");
}

#[test]
fn a_package_of_a_run_is_the_same_as_one_without() {
    let place = place_with_document();
    place.write("src/queue.rs", "pub fn refuse_when_full() {}\n");
    let run = crate::support::waiting_run(&place);
    let kept = place.run_folder(&run).join("results/gather-context/result.json");
    let of_run: Value = serde_json::from_slice(&std::fs::read(kept).expect("it is kept")).expect("JSON");
    assert_eq!(package(&place, &[DOCUMENT]), of_run);
}
