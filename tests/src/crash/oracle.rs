//! What must hold, whatever was killed or refused: looked at after every command, and once more at the end. Knows
//! docket's promises and its published files, and nothing of what was done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::journal::{Journal, sha256};
use super::process;
use super::room::Room;
use super::subject::FILES;

/// A promise that was broken, in words.
pub type Violation = String;

/// Something docket said it has done, which must stay done.
#[derive(Debug, Clone, PartialEq)]
pub enum Acknowledged {
    /// It took an answer.
    Answer(Value),
    /// It took a decision, with this comment.
    Decision(String),
    /// It cancelled the run.
    Cancel,
    /// It took the request to pause.
    Pause,
}

/// What was seen after a command: a run, and the runs that its stages started.
#[derive(Debug, Clone)]
pub struct View {
    /// The run that was started by a command.
    pub root: RunView,
    /// Those that run workflows inside it.
    pub children: Vec<RunView>,
}

/// One run as it was seen.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Its id.
    pub run: String,
    /// What `docket workflow status --output json` says.
    pub shown: Value,
    /// Its journal.
    pub journal: Journal,
}

/// Watches a case.
#[derive(Debug, Default)]
pub struct Watch {
    /// What each run's journal began with when it was last seen; none of it may ever go away.
    recorded: BTreeMap<String, Vec<u8>>,
    acknowledged: Vec<Acknowledged>,
    /// When and into which file a content was written that docket planned to write, by path and hash.
    written: BTreeMap<(String, String), (u64, i64, i64)>,
}

impl View {
    /// Looks at a room's runs. `None` when none has been recorded yet.
    ///
    /// # Errors
    /// When there are several that a command started, a journal is unsound, or docket can't say where a run stands.
    pub fn of(room: &Room) -> Result<Option<Self>, Violation> {
        let (mut roots, mut children) = (Vec::new(), Vec::new());
        for run in room.place.runs() {
            let bytes = std::fs::read(room.place.run_folder(&run).join("journal.jsonl")).unwrap_or_default();
            let journal = Journal::read(bytes).map_err(|fault| format!("the journal of {run}: {fault}"))?;
            if journal.sound == 0 {
                continue;
            }
            let output = room.place.run(&["workflow", "status", &run, "--output", "json"]);
            let shown: Value = serde_json::from_str(&output.stdout)
                .map_err(|_| format!("`status` of {run} exits with {}: {}", output.code, output.stderr))?;
            let runs = if shown["parent"].is_null() { &mut roots } else { &mut children };
            runs.push(RunView { run, shown, journal });
        }
        if roots.len() > 1 {
            return Err(format!("there are {} runs", roots.len()));
        }
        match roots.pop() {
            Some(root) => Ok(Some(Self { root, children })),
            None if children.is_empty() => Ok(None),
            None => Err("there is a run of a workflow in a workflow, and none around it".to_owned()),
        }
    }

    /// Every run.
    pub fn all(&self) -> impl Iterator<Item = &RunView> {
        std::iter::once(&self.root).chain(&self.children)
    }

    /// Whether a run is shown as running.
    pub fn is_running(&self) -> bool {
        self.all().any(|now| now.status() == "running")
    }

    /// The run of this id.
    pub fn find(&self, run: &str) -> Option<&RunView> {
        self.all().find(|view| view.run == run)
    }
}

impl RunView {
    /// The run's status.
    pub fn status(&self) -> &str {
        self.shown["status"].as_str().unwrap_or_default()
    }

    /// Whether nothing can happen to it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), "completed" | "failed" | "cancelled")
    }

    /// The stages with this status, as shown.
    pub fn stages(&self, status: &str) -> Vec<&Value> {
        let stages = self.shown["stages"].as_array().into_iter().flatten();
        stages.filter(|stage| stage["status"] == status).collect()
    }
}

impl Watch {
    /// Notes what docket said it has done.
    pub fn acknowledge(&mut self, done: Acknowledged) {
        self.acknowledged.push(done);
    }

    /// The machine lost a run's last record, which was not synced: it may go away.
    pub fn forget_after(&mut self, run: &str, length: usize) {
        if let Some(recorded) = self.recorded.get_mut(run) {
            recorded.truncate(length);
        }
    }

    /// Checks what must hold at any time when no docket runs.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub fn check(&mut self, room: &Room, view: Option<&View>) -> Result<(), Violation> {
        for (run, recorded) in &self.recorded {
            let is_kept = view
                .and_then(|view| view.find(run))
                .is_some_and(|now| now.journal.bytes.starts_with(recorded));
            if !is_kept && !recorded.is_empty() {
                return Err(format!("the journal of {run} lost or changed a record"));
            }
        }
        for now in view.into_iter().flat_map(View::all) {
            self.recorded.insert(now.run.clone(), now.journal.bytes[..now.journal.sound].to_vec());
            if now.status() == "running" {
                return Err(format!("{} is shown as running, and nobody runs it", now.run));
            }
        }
        for done in &self.acknowledged {
            let has = |journal: &Journal| match done {
                Acknowledged::Answer(value) => journal.has_answer(value),
                Acknowledged::Decision(comment) => journal.has_comment(comment),
                Acknowledged::Cancel => journal.count("run_cancelled") > 0,
                Acknowledged::Pause => journal.count("pause_requested") > 0,
            };
            if !view.into_iter().flat_map(View::all).any(|now| has(&now.journal)) {
                return Err(format!("docket acknowledged {done:?}, and its journal does not have it"));
            }
        }
        check_launches(room, view)?;
        check_dialogues(&room.heard())?;
        self.check_files(room, view)
    }

    /// Every file is as it was or as docket planned it, in that case written once.
    fn check_files(&mut self, room: &Room, view: Option<&View>) -> Result<(), Violation> {
        let planned: BTreeSet<(String, String)> =
            view.into_iter().flat_map(View::all).flat_map(|now| now.journal.planned_writes()).collect();
        for (path, file) in project_files(&room.place.project()) {
            let bytes = std::fs::read(&file).map_err(|cause| format!("{path}: {cause}"))?;
            if is_original(&path, &bytes) || is_temporary(&path) {
                continue;
            }
            let key = (path, sha256(&bytes));
            if !planned.contains(&key) {
                return Err(format!("{} was written before it was recorded what would be", key.0));
            }
            let found = std::fs::metadata(&file).map_err(|cause| format!("{}: {cause}", key.0))?;
            let version = (found.ino(), found.mtime(), found.mtime_nsec());
            if let Some(before) = self.written.get(&key)
                && *before != version
            {
                return Err(format!("{} was written a second time", key.0));
            }
            self.written.insert(key, version);
        }
        Ok(())
    }
}

/// No attempt at a stage launched its agent twice, and none did before it was recorded that it started.
fn check_launches(room: &Room, view: Option<&View>) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    for (_, out) in room.ledger() {
        if !seen.insert(out.clone()) {
            return Err(format!("the agent for {out} was launched twice"));
        }
        // …/<run>/results/<stage>/attempt-<n>/process-<m>/stdout
        let parts: Vec<&str> = out.rsplit('/').collect();
        let part = |place: usize| parts.get(place).copied().unwrap_or_default();
        let attempt = part(2).strip_prefix("attempt-").and_then(|attempt| attempt.parse::<u64>().ok());
        let known = view.and_then(|view| view.find(part(5))).is_some_and(|now| {
            let mut stages = now.shown["stages"].as_array().into_iter().flatten();
            stages.any(|stage| stage["name"] == part(3) && stage["attempt"].as_u64() >= attempt)
        });
        if !known {
            return Err(format!("the agent for {out} was launched before its stage's start was recorded"));
        }
    }
    Ok(())
}

/// No agent was told a line twice, or one before another: each begins with its number.
fn check_dialogues(heard: &[(String, String)]) -> Result<(), Violation> {
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    for (out, line) in heard {
        let count = told.entry(out.clone()).or_default();
        *count += 1;
        if line.split(' ').next() != Some(count.to_string().as_str()) {
            return Err(format!("the agent for {out} was told '{line}' as its line {count}"));
        }
    }
    Ok(())
}

/// Checks that nothing is left of a run that is over but what is meant to stay.
///
/// # Errors
/// What is left.
pub fn check_leftovers(room: &Room, view: &View) -> Result<(), Violation> {
    check_processes(room)?;
    if let Some((path, _)) = project_files(&room.place.project()).iter().find(|(path, _)| is_temporary(path))
    {
        return Err(format!("a temporary file is left in the project: {path}"));
    }
    for now in view.all() {
        let folder = room.place.run_folder(&now.run);
        let inside = |name: &str| {
            let entries = std::fs::read_dir(folder.join(name)).into_iter().flatten();
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<Vec<_>>()
        };
        if let Some(name) = inside("inbox").first() {
            return Err(format!("a request or reply was left in the inbox: {name}"));
        }
        if let Some(name) = inside("work").first() {
            return Err(format!("a stage's sandbox was left: {name}"));
        }
    }
    Ok(())
}

/// Checks that docket itself finds nothing wrong with what it kept.
///
/// # Errors
/// What `docket workflow verify` says.
pub fn check_verified(room: &Room) -> Result<(), Violation> {
    let output = room.place.run(&["workflow", "verify"]);
    if output.code == 0 {
        return Ok(());
    }
    Err(format!("`verify` exits with {}: {}{}", output.code, output.stdout, output.stderr))
}

/// No process of the room's lives.
fn check_processes(room: &Room) -> Result<(), Violation> {
    let home = room.place.home();
    let root = home.parent().unwrap_or(&home).to_owned();
    let mut living = process::below(&root);
    let start = std::time::Instant::now();
    // A supervisor ends a moment after it recorded its agent's end, an agent a moment after it was told to.
    while !living.is_empty() && start.elapsed() < std::time::Duration::from_secs(20) {
        std::thread::sleep(std::time::Duration::from_millis(2));
        living = process::below(&root);
    }
    living.first().map_or(Ok(()), |line| Err(format!("a process is left: {line}")))
}

/// Checks what docket keeps about a run that is over: its record by month, its state, results of completed stages.
///
/// # Errors
/// What is missing or says something else.
pub fn check_records(room: &Room, view: &View) -> Result<(), Violation> {
    view.all().try_for_each(|now| check_records_of(room, now))
}

fn check_records_of(room: &Room, now: &RunView) -> Result<(), Violation> {
    let folder = room.place.run_folder(&now.run);
    let json = |path: &Path| -> Option<Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
    let months = std::fs::read_dir(room.place.project().join(".docket/workflows/completed"));
    let record = format!("{}.json", now.run);
    let archived = months.into_iter().flatten().flatten().find_map(|month| json(&month.path().join(&record)));
    for (name, kept) in [("record by month", archived), ("state.json", json(&folder.join("state.json")))] {
        let Some(kept) = kept else { return Err(format!("{}'s {name} is missing or unreadable", now.run)) };
        if kept["status"] != now.shown["status"] {
            return Err(format!("{name} says {}, status says {}", kept["status"], now.shown["status"]));
        }
    }
    for stage in now.stages("completed").into_iter().filter_map(|stage| stage["name"].as_str()) {
        if json(&folder.join("results").join(stage).join("result.json")).is_none() {
            return Err(format!("completed stage '{stage}' of {} has no result", now.run));
        }
    }
    Ok(())
}

/// What a run leads to: the project's files and the results of all stages, without what differs from run to run.
pub fn end_state(room: &Room, view: &View) -> BTreeMap<String, String> {
    let neutral = |text: &str| {
        view.all().fold(text.to_owned(), |text, now| {
            let name = format!("wf-{}", now.shown["definition"].as_str().unwrap_or_default());
            let text = text.replace(&now.run, &name);
            // A series may go on past midnight.
            now.journal.date().map_or(text.clone(), |date| text.replace(date, "<the run's date>"))
        })
    };
    let mut found = BTreeMap::new();
    for (name, path) in project_files(&room.place.project()) {
        if let Ok(bytes) = std::fs::read(&path) {
            found.insert(neutral(&name), neutral(&String::from_utf8_lossy(&bytes)));
        }
    }
    for now in view.all() {
        let results = room.place.run_folder(&now.run).join("results");
        for stage in std::fs::read_dir(&results).into_iter().flatten().flatten() {
            if let Ok(text) = std::fs::read_to_string(stage.path().join("result.json")) {
                let name = format!("{}: {}", now.run, stage.file_name().display());
                found.insert(neutral(&name), neutral(&text));
            }
        }
    }
    found
}

/// The first difference between two ends, if there is one.
pub fn difference(wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Option<String> {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let name = names.into_iter().find(|name| wanted.get(*name) != found.get(*name))?;
    let short = |text: Option<&String>| match text {
        Some(text) => format!("{:?}", text.chars().take(600).collect::<String>()),
        None => "missing".to_owned(),
    };
    Some(format!("{name} should be {}, and is {}", short(wanted.get(name)), short(found.get(name))))
}

/// The project's files outside docket's own folder, by their path in it.
fn project_files(project: &Path) -> Vec<(String, PathBuf)> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path != root.join(".docket") {
                    collect(root, &path, found);
                }
            } else if let Ok(inside) = path.strip_prefix(root) {
                found.push((inside.display().to_string(), path));
            }
        }
    }
    let mut found = Vec::new();
    collect(project, project, &mut found);
    found.sort();
    found
}

fn is_original(path: &str, bytes: &[u8]) -> bool {
    FILES.iter().any(|(name, text)| *name == path && text.as_bytes() == bytes) || path == ".gitignore"
}

/// What docket writes before it puts a file in place.
fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(".docket-") || (name.starts_with(".wf-") && name.ends_with(".tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_compared_file_by_file() {
        let end = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let wanted = end(&[("a", "1"), ("b", "2")]);
        assert_eq!(difference(&wanted, &wanted), None);
        assert!(difference(&wanted, &end(&[("a", "1")])).is_some_and(|told| told.starts_with("b ")));
        assert!(difference(&wanted, &end(&[("a", "1"), ("b", "3")])).is_some());
        assert!(difference(&wanted, &end(&[("a", "1"), ("b", "2"), ("c", "")])).is_some());
    }

    #[test]
    fn a_line_that_is_told_twice_or_left_out_is_seen() {
        let heard = |lines: &[(&str, &str)]| {
            let owned = |(out, line): &(&str, &str)| ((*out).to_owned(), (*line).to_owned());
            check_dialogues(&lines.iter().map(owned).collect::<Vec<_>>())
        };
        assert_eq!(heard(&[("a", "1 x"), ("b", "1 x"), ("a", "2 y"), ("b", "2 y")]), Ok(()));
        for wrong in [&[("a", "1 x"), ("a", "1 x")][..], &[("a", "1 x"), ("a", "3 z")], &[("a", "2 y")]] {
            assert!(heard(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn temporary_files_are_known_by_their_names() {
        assert!(is_temporary("docs/.wf-abc123-a.md.tmp") && is_temporary(".docket-Xy12"));
        assert!(!is_temporary("docs/wf-abc.md"));
    }
}
