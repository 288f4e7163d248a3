//! Agents that docket launches itself, and which launcher runs them.

use docket_tests::Place;
use serde_json::Value;

use crate::support::{
    Agent, CONFIG, RFC_REVIEW, answer, assert_document_reviewed_once, assert_nothing_written, file,
    place_with_document, run_with, stage, start, start_arguments, status_of,
};

#[test]
fn an_agent_of_the_users_is_given_the_prompt_and_its_answer_is_kept() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    start(&place, &["--profile", "mine"]).success().prints("Review complete! 1 blockers, 2 major concerns\n");
    assert_eq!(agent.launches(), 1);
    let prompt = agent.prompt();
    let kept = format!(".docket/workflows/state/{}/results/review-architecture/prompt.md", place.only_run());
    assert_eq!(prompt, place.read(&kept));
    assert!(prompt.contains("Memory grows without bounds") && prompt.contains("REQUEST_CHANGES"), "{prompt}");
    assert_document_reviewed_once(&place);
}

#[test]
fn an_agent_that_prints_garbage_fails_its_stage_and_changes_nothing() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    agent.answers("I had a look and it is fine.\n");
    let output = start(&place, &["--profile", "mine"]).code(1);
    let run = place.only_run();
    let output =
        output.says("no JSON can be found in the agent's answer").says("I had a look and it is fine.");
    let _ = output.says(&format!("docket workflow logs {run}"));
    let stage = stage(&place, &run, "review-architecture");
    assert_eq!(stage["status"], "failed");
    assert_eq!(stage["failure"]["code"], "agent-output-unreadable");
    let raw = "results/review-architecture/attempt-1/process-1/stdout";
    let raw = std::fs::read_to_string(place.run_folder(&run).join(raw)).expect("what the agent said is kept");
    assert_eq!(raw, "I had a look and it is fine.\n");
    assert_eq!(status_of(&place, &run), "failed");
    assert_nothing_written(&place);
}

#[test]
fn an_agents_result_that_does_not_fit_the_schema_is_kept_and_changes_nothing() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    let mut wrong = answer();
    wrong["assessment"] = "PERFECT".into();
    agent.answers(&wrong.to_string());
    start(&place, &["--profile", "mine"]).code(1).says("does not fit its schema").says("/assessment: ");
    assert_eq!(agent.launches(), 2, "it was asked to mend its answer");
    let folder = place.run_folder(&place.only_run()).join("results/review-architecture/attempt-1");
    for file in ["answer-1.txt", "answer-2.txt"] {
        let kept: Value =
            serde_json::from_slice(&std::fs::read(folder.join(file)).expect("it is kept")).expect("JSON");
        assert_eq!(kept, wrong);
    }
    assert_nothing_written(&place);
}

#[test]
fn an_agent_that_fails_is_told_with_its_last_words() {
    let place = place_with_document();
    let agent = Agent::new(&place, "echo ran >> \"$1/ledger\"\necho no key was found >&2\nexit 7\n");
    start(&place, &["--profile", "mine"]).code(1).says("exit code 7").says("no key was found");
    assert_eq!(agent.launches(), 1);
    assert_nothing_written(&place);
}

#[test]
fn an_agent_sees_only_the_variables_its_profile_names() {
    let place = place_with_document();
    let agent = Agent::new(&place, "env > \"$1/environment\"\ncat \"$1/answer\"\n");
    let profile = agent.profile().replace(" }", ", env: [REVIEW_KEY] }");
    place.write_home(CONFIG, profile);
    let variables = [("REVIEW_KEY", "open sesame"), ("OTHER_SECRET", "hush")];
    run_with(&place, &variables, &start_arguments(&["--profile", "mine"])).success();
    let seen = std::fs::read_to_string(place.home().join("agent/environment")).expect("it wrote them down");
    assert!(seen.contains("REVIEW_KEY=open sesame\n"), "{seen}");
    assert!(!seen.contains("OTHER_SECRET"), "{seen}");
    // The value is nobody else's business.
    let run = place.run_folder(&place.only_run());
    for name in ["journal.jsonl", "state.json", "logs.txt"] {
        assert!(!std::fs::read_to_string(run.join(name)).expect("there").contains("open sesame"), "{name}");
    }
}

#[test]
fn commands_that_a_project_could_choose_are_refused() {
    let place = place_with_document();
    let inside = place.project().join("agent");
    std::fs::copy("/bin/sh", &inside).expect("copied");
    std::os::unix::fs::symlink(&inside, place.home().join("linked")).expect("linked");
    let inside = inside.display().to_string();
    let linked = place.home().join("linked").display().to_string();
    for (command, words) in [
        (inside.as_str(), "lies inside the project"),
        (linked.as_str(), "lies inside the project"),
        ("./agent", "is a relative path"),
        ("tools/agent", "is a relative path"),
        ("no-such-agent", "is not on PATH"),
        ("/nowhere/agent", "can't be run"),
    ] {
        let config =
            format!("profiles:\n  mine: {{ launcher: shell, agent: generic, command: [{command}] }}\n");
        place.write_home(CONFIG, config);
        start(&place, &["--profile", "mine"]).code(1).says(command).says(words);
        place.run(&["doctor"]).success().prints("profile mine").prints(words);
    }
    assert_nothing_written(&place);
}

#[test]
fn a_profile_without_a_command_is_told_where_to_set_it() {
    let place = place_with_document();
    start(&place, &["--launcher", "shell"]).code(1).says("no launcher profile").says("config.yml");
    place.write_home(CONFIG, "profiles:\n  mine: { launcher: shell, agent: codecs, command: [sh] }\n");
    start(&place, &["--profile", "mine"]).code(2).says("'codecs'").says("generic, claude, codex");
    assert_nothing_written(&place);
}

#[test]
fn launchers_and_profiles_that_are_not_there_are_refused_before_anything_starts() {
    let place = place_with_document();
    Agent::quick(&place);
    start(&place, &["--launcher", "cheklist"])
        .code(2)
        .says("no launcher 'cheklist'")
        .says("did you mean 'checklist'?");
    start(&place, &["--profile", "mien"]).code(2).says("no profile 'mien'").says("did you mean 'mine'?");
    place.write_home(CONFIG, "launcher: shel\n");
    start(&place, &[]).code(2).says("no launcher 'shel'").says("did you mean 'shell'?");
    assert_eq!(place.runs(), [""; 0]);
}

/// The launcher that ran, told apart by what came of it.
#[track_caller]
fn launcher(place: &Place, variables: &[(&str, &str)], more: &[&str]) -> &'static str {
    let before = place.runs();
    let output = run_with(place, variables, &start_arguments(more));
    let run = place.runs().into_iter().find(|run| !before.contains(run)).expect("a run was started");
    let plugin = stage(place, &run, "review-architecture")["plugin"]["name"].clone();
    match (output.code, plugin.as_str()) {
        (3, Some("agent-manual")) => "manual",
        (0, Some("agent-checklist")) => "checklist",
        (0, Some("agent-shell")) => "shell",
        other => panic!("{other:?}\n{}", output.stderr),
    }
}

#[test]
fn the_nearest_word_on_the_launcher_counts() {
    let place = place_with_document();
    assert_eq!(launcher(&place, &[], &[]), "manual", "when nothing says anything");

    let agent = Agent::quick(&place);
    place.write_home(CONFIG, "launcher: checklist\n");
    assert_eq!(launcher(&place, &[], &[]), "checklist", "the user's settings");
    place.write(".docket/config.yml", "launcher: manual\n");
    assert_eq!(launcher(&place, &[], &[]), "manual", "the project's settings before the user's");

    place.write_home(CONFIG, format!("launcher: checklist\n{}", agent.profile()));
    assert_eq!(launcher(&place, &[], &["--profile", "mine"]), "shell", "a profile before settings");
    assert_eq!(
        launcher(&place, &[("DOCKET_PROFILE", "mine")], &[]),
        "shell",
        "the same from the environment"
    );
    place.write(".docket/config.yml", "launcher: manual\nprofile: mine\n");
    assert_eq!(launcher(&place, &[], &[]), "shell", "the project chooses among the user's profiles");

    let launched = "    type: agent\n    launcher: checklist\n";
    place.trusted_definition("rfc-review", &RFC_REVIEW.replacen("    type: agent\n", launched, 1));
    assert_eq!(launcher(&place, &[], &[]), "checklist", "the definition before profiles");
    let variable = [("DOCKET_LAUNCHER", "manual")];
    assert_eq!(launcher(&place, &variable, &[]), "manual", "the environment before the definition");
    assert_eq!(launcher(&place, &variable, &["--launcher", "checklist"]), "checklist", "the flag before all");
}

#[test]
fn a_resumed_run_keeps_the_launcher_it_was_started_with() {
    let place = place_with_document();
    let agent = Agent::quick(&place);
    start(&place, &["--launcher", "manual"]).code(3);
    let run = place.only_run();
    let right = file(&place, "right.json", answer().to_string());
    let submit = ["workflow", "submit", &run, "--file", &right];
    run_with(&place, &[("DOCKET_LAUNCHER", "shell"), ("DOCKET_PROFILE", "mine")], &submit).success();
    assert_eq!(agent.launches(), 0);
    assert_document_reviewed_once(&place);
}
