//! The fake agent (`tests/src/bin/agent.rs`) in the hands of a test: which program it is, how it behaves, what it was given
//! and whether anything of it is left. Has no tests of its own.

use std::path::PathBuf;

use docket_tests::{AGENT, Output, Place, wait_until};
use serde_json::Value;

use crate::support::{CONFIG, answer, place_with_document, stage, start_arguments};

/// The programs it can be, beside `generic`.
pub(crate) const PROGRAMS: [&str; 4] = ["claude", "codex", "gemini", "opencode"];

/// A fake agent that the profile `mine` names.
pub(crate) struct Fake {
    folder: PathBuf,
}

impl Fake {
    /// An agent that is this program and behaves like this. `more` is added to the profile: `, idle_timeout: 2s`.
    pub(crate) fn new(place: &Place, program: &str, behaviour: &str, more: &str) -> Self {
        let fake = Self::prepared(place);
        fake.named(
            place,
            program,
            &format!("{AGENT}, {}, {program}, {behaviour}", fake.folder.display()),
            more,
        );
        fake
    }

    /// The same, deaf to the request to end (SIGTERM).
    pub(crate) fn deaf(place: &Place, program: &str, behaviour: &str, more: &str) -> Self {
        let fake = Self::prepared(place);
        let script = r#""trap '' TERM; exec \"$0\" \"$@\"""#;
        let command =
            format!("/bin/sh, -c, {script}, {AGENT}, {}, {program}, {behaviour}", fake.folder.display());
        fake.named(place, program, &command, more);
        fake
    }

    fn prepared(place: &Place) -> Self {
        let fake = Self { folder: place.home().join("agent") };
        std::fs::create_dir_all(&fake.folder).expect("a folder");
        let mut unfit = answer();
        unfit["assessment"] = "PERFECT".into();
        for (name, text) in [("answer", answer().to_string()), ("unfit", unfit.to_string())] {
            std::fs::write(fake.folder.join(name), text).expect("written");
        }
        fake
    }

    fn named(&self, place: &Place, program: &str, command: &str, more: &str) {
        let profile = format!("{{ launcher: shell, agent: {program}, command: [{command}]{more} }}");
        place.write_home(CONFIG, format!("profiles:\n  mine: {profile}\n"));
    }

    /// How often it was launched.
    pub(crate) fn launches(&self) -> usize {
        (1..).take_while(|launch| self.folder.join(format!("prompt-{launch}")).exists()).count()
    }

    /// What the launcher added to its arguments.
    pub(crate) fn arguments(&self, launch: usize) -> Vec<String> {
        self.text(&format!("arguments-{launch}")).lines().map(str::to_owned).collect()
    }

    /// What it was told.
    pub(crate) fn prompt(&self, launch: usize) -> String {
        self.text(&format!("prompt-{launch}"))
    }

    /// Lets it go on.
    pub(crate) fn go(&self) {
        std::fs::write(self.folder.join("go"), "").expect("written");
    }

    /// Its processes, and those it started, in that order.
    pub(crate) fn processes(&self) -> Vec<i32> {
        self.text("pids").lines().map(|pid| pid.parse().expect("a process id")).collect()
    }

    /// Nothing of it is left, at the latest a moment after docket ended.
    #[track_caller]
    pub(crate) fn assert_gone(&self) {
        for process in self.processes() {
            wait_until("everything the agent started has ended", || !is_running(process));
        }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
    }
}

/// Whether a process is there and has not ended. An orphan may stay a zombie where nobody reaps it.
pub(crate) fn is_running(process: i32) -> bool {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    text.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Runs the review with a fake agent; a run that would not end is ended, and fails the test.
pub(crate) fn reviewed(program: &str, behaviour: &str, more: &str) -> (Place, Fake, Output) {
    let place = place_with_document();
    let fake = Fake::new(&place, program, behaviour, more);
    let output = place.run_or_kill(&start_arguments(&["--profile", "mine"]));
    (place, fake, output)
}

/// The review's stage, as `status` tells it.
pub(crate) fn review_stage(place: &Place) -> Value {
    stage(place, &place.only_run(), "review-architecture")
}

/// A file of the review's attempt; bytes that are no UTF-8 are replaced.
pub(crate) fn kept(place: &Place, path: &str) -> String {
    let path = place.run_folder(&place.only_run()).join("results/review-architecture/attempt-1").join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}
