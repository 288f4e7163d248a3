//! One definition, whatever the launcher: checklist, manual, an agent's command line program, an agent over ACP and one
//! behind an MCP server's tool, chosen by the name of a profile alone. With stand-ins; real agents are tried by
//! `cargo xtask test --agents`.

use docket_tests::{AGENT, PEER, Place};
use serde_json::Value;

use crate::support::{
    CONFIG, answer, assert_document_reviewed_once, file, place_with_document, stage, start, status_of,
};

/// The profiles, and the plugin that each leads to.
const PROFILES: [(&str, &str); 5] = [
    ("laptop", "agent-manual"),
    ("demo", "agent-checklist"),
    ("ci", "agent-shell"),
    ("editor", "agent-acp"),
    ("server", "agent-mcp"),
];

/// A place whose settings have all the profiles.
fn place_with_profiles() -> Place {
    let place = place_with_document();
    let folder = place.home().join("agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("answer"), answer().to_string()).expect("written");
    let folder = folder.display();
    place.write_home(
        CONFIG,
        format!(
            "profile: laptop\nprofiles:\n  laptop: {{ launcher: manual }}\n  demo: {{ launcher: checklist }}\n  \
             ci: {{ launcher: shell, agent: codex, command: [{AGENT}, {folder}, codex, answer] }}\n  \
             editor: {{ launcher: acp, agent: codex, command: [{PEER}, acp, good, {folder}] }}\n  \
             server: {{ launcher: mcp, command: [{PEER}, mcp, good, {folder}], options: {{ tool: review }} }}\n"
        ),
    );
    place
}

/// Runs the review with a profile, to its end.
fn reviewed(profile: &str) -> (Place, String) {
    let place = place_with_profiles();
    let output = start(&place, &["--profile", profile]);
    if profile == "laptop" {
        let _ = output.code(3);
        let answer = file(&place, "answer.json", answer().to_string());
        place.run(&["workflow", "submit", &place.only_run(), "--file", &answer]).success();
    } else {
        let _ = output.success();
    }
    let run = place.only_run();
    (place, run)
}

/// A file of a run.
fn kept(place: &Place, run: &str, path: &str) -> String {
    std::fs::read_to_string(place.run_folder(run).join(path)).expect(path)
}

#[test]
fn the_same_definition_runs_with_every_launcher_by_profile_alone() {
    let mut definitions: Vec<String> = Vec::new();
    let mut prompts: Vec<String> = Vec::new();
    for (profile, plugin) in PROFILES {
        let (place, run) = reviewed(profile);
        assert_eq!(status_of(&place, &run), "completed", "{profile}");
        let review = stage(&place, &run, "review-architecture");
        assert_eq!(review["plugin"]["name"], plugin, "{profile}");
        assert_eq!(review["attempt"], 1, "{profile}");
        let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
        let found = &results["stages"]["review-architecture"];
        if profile == "demo" {
            assert!(found["assessment"].is_string() && found["blockers"].is_array(), "{found}");
        } else {
            assert_eq!(*found, answer(), "{profile}");
        }
        assert_document_reviewed_once(&place);
        place.run(&["workflow", "verify"]).success();
        definitions.push(kept(&place, &run, "definition.yml"));
        let prompt = kept(&place, &run, "results/review-architecture/prompt.md");
        prompts.push(prompt.replace(&run, "RUN"));
    }
    definitions.dedup();
    assert_eq!(definitions.len(), 1, "the definition is the same, byte for byte");
    prompts.dedup();
    assert_eq!(prompts.len(), 1, "every launcher is given the same prompt: {prompts:#?}");
}

#[test]
fn a_run_keeps_the_profile_it_was_started_with() {
    let place = place_with_profiles();
    let _ = start(&place, &[]).code(3);
    let run = place.only_run();
    // The settings change while the run waits: it still waits for a person.
    place.write_home(CONFIG, "profile: demo\nprofiles: { demo: { launcher: checklist } }\n");
    place.run(&["workflow", "resume", &run]).code(3).says("docket workflow submit");
    let answer = file(&place, "answer.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &answer]).success();
    let review = stage(&place, &run, "review-architecture");
    assert_eq!(review["plugin"]["name"], Value::from("agent-manual"));
}
