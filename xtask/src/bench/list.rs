//! Looking at runs: the status of one, and a list of ten thousand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::figure::Figure;
use super::{measure, prepare};
use crate::failure::Failure;
use crate::scratch::{self, Scratch};

const STATUS_RUNS: u32 = 20;
const LIST_RUNS: u32 = 10;
const LISTED: u32 = 10_000;
const INDEX: &str = "index.jsonl";
const JOURNAL: &str = "journal.jsonl";
const ID_PREFIX: &str = "wf-";

/// Measures `docket workflow status` of a review that is over.
pub(super) fn measure_status(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::with_own_documents("bench-status", program)?;
    let id = finish_a_review(&scratch)?;
    let arguments = ["workflow", "status", &id];
    let series = measure::series(&scratch, &arguments, STATUS_RUNS, || Ok(()))?;
    let figures = [
        Some(Figure::wall("status of a run: wall", &series).budget(50.0)),
        Figure::processor("status of a run: user+sys (mean)", &series),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// Measures `docket workflow list` over copies of a review that is over.
pub(super) fn measure_list(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::with_own_documents("bench-list", program)?;
    let id = finish_a_review(&scratch)?;
    multiply(&scratch.runs(), &id)?;
    let arguments = ["workflow", "list"];
    let series = measure::series(&scratch, &arguments, LIST_RUNS, || Ok(()))?;
    let peak = measure::peak_memory(&scratch, &arguments)?;
    let figures = [
        Some(Figure::wall("list of 10,000 runs: wall", &series).budget(50.0)),
        Figure::processor("list of 10,000 runs: user+sys (mean)", &series),
        peak.map(|bytes| Figure::memory("list of 10,000 runs: peak memory", bytes)),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// Makes a project with one finished review and returns the run's id.
fn finish_a_review(scratch: &Scratch) -> Result<String, Failure> {
    prepare(scratch, &["init"])?;
    prepare(scratch, &["review", scratch::DOCUMENT, "--launcher", "checklist"])?;
    let mut names = scratch::entries(&scratch.runs())?.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        (name.starts_with(ID_PREFIX) && path.is_dir()).then_some(name)
    });
    names
        .next_back()
        .ok_or_else(|| Failure::new(format!("docket left no run in {}", scratch.runs().display())))
}

/// Copies a run until there are [`LISTED`]. Listing reads the index and looks whether the folders are there; the
/// copied journals still name the first run, which nobody reads.
fn multiply(runs: &Path, id: &str) -> Result<(), Failure> {
    let index = runs.join(INDEX);
    let mut text = read(&index)?;
    let line = last_line_about(&text, id)
        .ok_or_else(|| Failure::new(format!("{} has no line about {id}", index.display())))?;
    let journal = read(&runs.join(id).join(JOURNAL))?;
    for number in 1..LISTED {
        let copy = format!("{ID_PREFIX}{number:06}");
        scratch::write(&runs.join(&copy).join(JOURNAL), journal.as_bytes())?;
        let mut line = line.clone();
        line["id"] = Value::String(copy);
        text.push_str(&format!("{line}\n"));
    }
    scratch::write(&index, text.as_bytes())
}

fn last_line_about(index: &str, id: &str) -> Option<Value> {
    let mut lines = index.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["id"] == id)
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|cause| Failure::file("read", path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_run_counts() {
        let index = "{\"id\":\"wf-a\",\"status\":\"running\"}\n{\"id\":\"wf-b\"}\n{\"id\":\"wf-a\",\"status\":\"completed\"}\n{\"id\"";
        assert_eq!(
            last_line_about(index, "wf-a").map(|line| line["status"].clone()),
            Some("completed".into())
        );
        assert_eq!(last_line_about(index, "wf-c"), None);
    }
}
