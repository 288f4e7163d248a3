//! The room a case happens in: a hermetic place with the subject's workflow, its documents, its plugin and an agent
//! that keeps a ledger of its launches.

use std::path::PathBuf;

use super::subject::{FILES, Subject, TEMPLATE, USED, answer};
use crate::component::with_manifest;
use crate::{GUEST, GUEST_WITH_SPAWN, Place};

/// The agent. It writes down for whom it works (docket gave it that file as its standard output), waits while it is
/// held, and prints its answer. `$1` is its folder. It gives up after half a minute, should nobody let it go.
const AGENT: &str = "\
out=$(readlink /proc/$$/fd/1)
echo \"$$ $out\" >> \"$1/ledger\"
tries=0
while [ -e \"$1/hold\" ] && [ $tries -lt 3000 ]; do sleep 0.01; tries=$((tries+1)); done
case $out in
*/results/flaky/attempt-1/*) echo the first try fails >&2; exit 3 ;;
*/results/second-review/*) cat \"$1/large-answer\" ;;
*) cat \"$1/answer\" ;;
esac
";
/// The agent that is talked to. It writes down for whom it works and every line it hears, and answers each; waits while
/// it is held.
const PARTNER: &str = "\
out=$(readlink /proc/$$/fd/1)
echo \"$$ $out\" >> \"$1/ledger\"
held() {
  tries=0
  while [ -e \"$1/hold\" ] && [ $tries -lt 3000 ]; do sleep 0.01; tries=$((tries+1)); done
}
held \"$1\"
while IFS= read -r line; do
  echo \"$out $line\" >> \"$1/heard\"
  held \"$1\"
  echo \"heard $line\"
done
echo bye
";
/// More than docket keeps of a file in its journal (128 KiB).
const LARGE: usize = 140 * 1024;

/// Where a case happens.
pub struct Room {
    /// The place.
    pub place: Place,
    /// What is run.
    pub subject: &'static Subject,
}

impl Room {
    /// Makes a room for a subject. `docket` is the program.
    pub fn new(docket: &str, subject: &'static Subject) -> Self {
        // What `docket init` makes, but for the files that nobody looks at here: a process less.
        let place = Place::without_project(docket);
        for folder in [".docket/workflows/definitions", ".docket/plugins"] {
            std::fs::create_dir_all(place.project().join(folder)).expect("a folder");
        }
        for (path, text) in FILES {
            place.write(path, text);
        }
        let room = Self { place, subject };
        let place = &room.place;
        // The user's own definitions are trusted as they are.
        for (name, definition) in USED.into_iter().chain([(subject.name, subject.definition)]) {
            place.write_home(&format!("workflows/definitions/{name}.yml"), definition);
        }
        place.write_home(TEMPLATE.0, TEMPLATE.1);
        if subject.guest {
            place.write(".docket/plugins/test.wasm", guest(subject.agents));
            place.run(&["trust", "--yes"]).success();
        }
        let agent = room.agent();
        std::fs::create_dir_all(&agent).expect("a folder");
        let large = serde_json::json!({ "verdict": "long", "text": "x".repeat(LARGE) }).to_string();
        for (name, text) in [
            ("agent.sh", AGENT),
            ("partner.sh", PARTNER),
            ("answer", r#"{"verdict":"fine","of":"agent"}"#),
            ("large-answer", &large),
        ] {
            std::fs::write(agent.join(name), text).expect("written");
        }
        let folder = agent.display();
        place.write_home(
            "config.yml",
            format!(
                "profile: crash\nprofiles:\n  crash: {{ launcher: shell, agent: generic, \
                 command: [/bin/sh, {folder}/agent.sh, {folder}] }}\n"
            ),
        );
        room
    }

    fn agent(&self) -> PathBuf {
        self.place.home().join("agent")
    }

    /// Makes agents wait from now on.
    pub fn hold_agents(&self) {
        std::fs::write(self.agent().join("hold"), "").expect("written");
    }

    /// Lets them go on.
    pub fn release_agents(&self) {
        // Not held is as good as released.
        let _ = std::fs::remove_file(self.agent().join("hold"));
    }

    /// The lines of the agents' ledger: `<process> <its standard output>`.
    pub fn ledger(&self) -> Vec<(i32, String)> {
        let text = std::fs::read_to_string(self.agent().join("ledger")).unwrap_or_default();
        let line = |line: &str| {
            let (process, out) = line.split_once(' ')?;
            Some((process.parse().ok()?, out.to_owned()))
        };
        text.lines().filter_map(line).collect()
    }

    /// What agents were told, in order: the agent's standard output and the line.
    pub fn heard(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.agent().join("heard")).unwrap_or_default();
        let line = |line: &str| line.split_once(' ').map(|(out, line)| (out.to_owned(), line.to_owned()));
        text.lines().filter_map(line).collect()
    }

    /// A file with the answer to a stage's question.
    pub fn answer_file(&self, stage: &str) -> String {
        let path = self.place.home().join(format!("answer-{stage}.json"));
        if !path.exists() {
            std::fs::write(&path, answer(stage).to_string()).expect("written");
        }
        path.display().to_string()
    }

    /// Where the fault points of one command are noted.
    pub fn fault_log(&self, command: usize) -> PathBuf {
        self.place.home().join(format!("faults-{command}"))
    }
}

/// The test plugin, with the right to run commands or without.
fn guest(talks: bool) -> Vec<u8> {
    if !talks {
        return std::fs::read(GUEST).expect("the test plugin");
    }
    let bytes = std::fs::read(GUEST_WITH_SPAWN).expect("the test plugin");
    with_manifest(&bytes, |manifest| manifest["capabilities"]["exec"] = serde_json::json!(true))
}
