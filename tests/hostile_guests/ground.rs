//! Where an attempt is made: a project with a granted folder, secrets beside it, a home folder, and a folder next to both
//! that is nobody's business. Every attempt is a stage of a run in which an ordinary stage of the same plugin follows.
//! Has no tests of its own.

use docket_tests::component::{with_manifest, yaml};
pub(crate) use docket_tests::run_of;
use docket_tests::{HOSTILE_GUEST, HOSTILE_GUEST_WITH_SPAWN, Output, Place, finish_or_kill};
use serde_json::{Value, json};

use crate::DOCKET;
use crate::snapshot::Snapshot;

/// Where the plugin lies below the project.
pub(crate) const PLUGIN: &str = ".docket/plugins/hostile.wasm";
/// What the ordinary stage adds.
pub(crate) const WELL: &str = "project/out/well.md";
/// The definition's name.
const NAME: &str = "attempts";

/// A place with a plugin, and the attempt that is made there.
pub(crate) struct Ground {
    /// Project and home.
    pub(crate) place: Place,
    act: String,
}

/// What came of a run.
pub(crate) struct Ended {
    /// The run's id.
    pub(crate) run: String,
    /// The stages, as `status` tells them.
    stages: Vec<Value>,
    /// Their results, by name.
    results: Value,
}

/// The hostile plugin's bytes.
pub(crate) fn guest() -> Vec<u8> {
    std::fs::read(HOSTILE_GUEST).expect("the hostile plugin")
}

/// The bytes of the one that runs commands and asks to do so.
pub(crate) fn guest_with_command() -> Vec<u8> {
    let bytes = std::fs::read(HOSTILE_GUEST_WITH_SPAWN).expect("the hostile plugin");
    with_manifest(&bytes, |manifest| manifest["capabilities"]["exec"] = json!(true))
}

impl Ground {
    /// A place with the hostile plugin, for this act.
    pub(crate) fn new(act: &str) -> Self {
        Self::with_plugin(act, &guest())
    }

    /// A place whose plugin may run `/bin/echo`, and nothing else.
    pub(crate) fn with_command(act: &str) -> Self {
        let ground = Self::with_plugin(act, &guest_with_command());
        ground.profile("/bin/echo");
        ground
    }

    /// A place with these bytes for a plugin.
    pub(crate) fn with_plugin(act: &str, bytes: &[u8]) -> Self {
        let place = Place::new(DOCKET);
        let ground = Self { place, act: act.to_owned() };
        ground.place.write(PLUGIN, bytes);
        ground.place.write("docs/a.md", "granted\n");
        ground.place.write("docs/inner/b.md", "granted, too\n");
        std::fs::create_dir(ground.place.project().join("docs/empty")).expect("created");
        ground.place.write("secret.md", "a secret of the project\n");
        std::fs::write(ground.place.home().join("secret.md"), "a secret of the user\n").expect("written");
        std::fs::create_dir(ground.canary()).expect("created");
        std::fs::write(ground.canary().join("kept.md"), "nobody's business\n").expect("written");
        ground
    }

    /// The folder next to project and home.
    pub(crate) fn canary(&self) -> std::path::PathBuf {
        self.root().join("canary")
    }

    /// The folder with all of them.
    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.place.project().parent().expect("a folder").to_owned()
    }

    /// The user's settings.
    pub(crate) fn settings(&self, text: &str) {
        self.place.write_home("config.yml", text);
    }

    /// A launcher profile with this command, in use.
    pub(crate) fn profile(&self, program: &str) {
        self.settings(&format!(
            "profile: mine\nprofiles: {{ mine: {{ launcher: shell, agent: generic, command: ['{program}'] }} }}\n"
        ));
    }

    /// Runs docket. Nothing that it prints may be obeyed by a terminal.
    #[track_caller]
    pub(crate) fn docket(&self, arguments: &[&str]) -> Output {
        let output = finish_or_kill(&mut self.place.command(arguments));
        assert_clean(arguments, &output);
        output
    }

    /// What lies around.
    pub(crate) fn look(&self) -> Snapshot {
        Snapshot::of(&self.root())
    }

    /// The definition of stages with these configs, and an ordinary one behind them, trusted.
    #[track_caller]
    pub(crate) fn define(&self, configs: &[Value], more: &Value) {
        let mut stages: Vec<Value> =
            configs.iter().enumerate().map(|entry| self.stage(entry, more)).collect();
        stages.push(json!({ "name": "well", "type": "hostile", "config": { "act": "well" } }));
        let definition = json!({ "name": "Attempts", "version": 1, "stages": stages });
        self.place.write(&format!(".docket/workflows/definitions/{NAME}.yml"), yaml(&definition));
    }

    fn stage(&self, (number, config): (usize, &Value), more: &Value) -> Value {
        let mut stage =
            json!({ "name": format!("try-{number}"), "type": "hostile", "continue_on_error": true });
        let fields = stage.as_object_mut().expect("fields");
        let mut config = config.clone();
        if config.get("act").is_none() {
            config["act"] = json!(self.act);
        }
        fields.insert("config".into(), config);
        fields.extend(more.as_object().cloned().unwrap_or_default());
        stage
    }

    /// Trusts what there is.
    #[track_caller]
    pub(crate) fn trust(&self) {
        let output = self.docket(&["trust", "--yes"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
    }

    /// Starts the definition.
    #[track_caller]
    pub(crate) fn start(&self) -> Output {
        self.docket(&["workflow", "start", NAME])
    }

    /// Makes the attempt with each of these configs, in one run. Outside nothing may change but what is named.
    #[track_caller]
    pub(crate) fn attempts(&self, configs: &[Value], more: &Value, added: &[&str]) -> Ended {
        self.define(configs, more);
        self.trust();
        let before = self.look();
        let output = self.start();
        self.ended(&output, &before, added)
    }

    /// What came of a run whose stages are all over.
    #[track_caller]
    pub(crate) fn ended(&self, output: &Output, before: &Snapshot, added: &[&str]) -> Ended {
        let run = run_of(output);
        let mut expected = vec![WELL];
        expected.extend(added);
        expected.sort_unstable();
        before.assert_only_added(&self.look(), &expected);
        let stages = self.docket(&["workflow", "status", &run, "--output", "json"]).json()["stages"].clone();
        let stages: Vec<Value> = stages.as_array().expect("stages").clone();
        let results =
            self.docket(&["workflow", "results", &run, "--output", "json"]).json()["stages"].clone();
        let ended = Ended { run, stages, results };
        assert_eq!(ended.results["well"]["well"], true, "the next stage is not well: {}", output.stderr);
        assert_eq!(self.place.read("out/well.md"), "well\n");
        let work = self.place.run_folder(&ended.run).join("work");
        assert_eq!(std::fs::read_dir(work).map_or(0, Iterator::count), 0, "scratch is left behind");
        for arguments in [&["workflow", "status", &ended.run][..], &["workflow", "logs", &ended.run]] {
            assert_eq!(self.docket(arguments).code, 0);
        }
        ended
    }

    /// Makes the attempt once.
    #[track_caller]
    pub(crate) fn attempt(&self, config: Value) -> Ended {
        self.attempts(&[config], &Value::Null, &[])
    }

    /// The attempt fails like this.
    #[track_caller]
    pub(crate) fn fails(&self, config: Value, code: &str, words: &[&str]) -> Ended {
        let ended = self.attempt(config);
        ended.assert_failed(0, code, words);
        ended
    }

    /// Each of these attempts fails like this.
    #[track_caller]
    pub(crate) fn all_fail(&self, configs: &[Value], code: &str, words: &[&str]) {
        let ended = self.attempts(configs, &Value::Null, &[]);
        (0..configs.len()).for_each(|number| ended.assert_failed(number, code, words));
    }

    /// The attempt comes to an end, with this result.
    #[track_caller]
    pub(crate) fn completes(&self, config: Value) -> Value {
        self.attempt(config).result(0)
    }

    /// The attempt comes to an end, and each thing that was tried was refused.
    #[track_caller]
    pub(crate) fn is_sealed(&self, config: Value) {
        assert_sealed(&self.completes(config));
    }
}

impl Ended {
    /// A completed stage's result.
    #[track_caller]
    pub(crate) fn result(&self, number: usize) -> Value {
        let result = &self.results[format!("try-{number}")];
        assert!(!result.is_null(), "it has no result: {}", self.stages[number]);
        result.clone()
    }

    /// Expects a stage's failure.
    #[track_caller]
    pub(crate) fn assert_failed(&self, number: usize, code: &str, words: &[&str]) {
        let failure = &self.stages[number]["failure"];
        assert_eq!(failure["code"], code, "attempt {number}: {}", self.stages[number]);
        let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
        let said = format!("{} {}", text("message"), text("hint"));
        for word in words {
            assert!(said.contains(word), "attempt {number}: no '{word}' in {said}");
        }
    }

    /// A stage's failure; null when it completed.
    pub(crate) fn failure(&self, number: usize) -> Value {
        self.stages[number]["failure"].clone()
    }
}

/// What was to be refused was refused, what was to be allowed was allowed, and there was something of both.
#[track_caller]
pub(crate) fn assert_sealed(result: &Value) {
    for (kind, key) in [("refused", "error"), ("allowed", "ok")] {
        let tries = result[kind].as_object().unwrap_or_else(|| panic!("no {kind} in {result}"));
        assert!(kind == "allowed" || !tries.is_empty(), "nothing was tried: {result}");
        for (what, told) in tries {
            assert!(told.get(key).is_some(), "'{what}' was not {kind}: {told}");
        }
    }
}

/// Nothing that a terminal obeys, and nothing that turns the direction of what is read.
#[track_caller]
pub(crate) fn assert_clean(arguments: &[&str], output: &Output) {
    let is_evil = |character: &char| {
        (character.is_control() && *character != '\n' && *character != '\t')
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for text in [&output.stdout, &output.stderr] {
        let evil = text.chars().find(is_evil);
        assert_eq!(evil, None, "{arguments:?} prints it:\n{}", text.escape_debug());
    }
}
