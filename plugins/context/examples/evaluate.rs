//! Measures references and related documents against sets of documents with known answers, each set read once.
//!
//! `evaluate {A|B|C} FOLDER OUT.jsonl [signal=weight …]`: FOLDER holds `corpora/NAME/…`, `stripped/NAME/…`, `truth_A.jsonl` and
//! `truth_B.jsonl`. A lists the references of each target, B the documents related to a target whose references were
//! taken out (only the stripped text is read, and everything learned from the set is learned again with it), C the
//! documents related to a target as it is, scored by the truth of A. Weights
//! of single signals can be changed. Writes a line for each target:
//! `{"corpus", "target", "ranked"}`. Not part of what is shipped.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use docket_plugin_context::citations::Citations;
use docket_plugin_context::facts::{self, Facts, Reading, Written};
use docket_plugin_context::inventory::Inventory;
use docket_plugin_context::references::references;
use docket_plugin_context::related::{Project, Weights, related};
use docket_plugin_context::resolve::{Referrer, Resolver};
use docket_plugin_context::words::{Lists, Words};
use serde_json::{Value, json};

struct Corpus {
    inventory: Inventory,
    documents: Vec<Reading>,
}

impl Corpus {
    fn read(root: &Path) -> Self {
        let inventory = Inventory::list(root);
        let documents = (inventory.files().iter().filter(|file| file.is_document()))
            .map(|file| {
                facts::read(
                    &file.path,
                    &docket_plugin_context::reading::text(root, file, 2 << 20).unwrap_or_default(),
                )
            })
            .collect();
        Self { inventory, documents }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, folder, out, changes @ ..] = arguments.as_slice() else {
        return Err("usage: evaluate {A|B|C} FOLDER OUT.jsonl [signal=weight …]".into());
    };
    let weights = weights(changes)?;
    let folder = PathBuf::from(folder);
    let truth = folder.join(if task == "B" { "truth_B.jsonl" } else { "truth_A.jsonl" });
    let mut out = fs::File::create(out)?;
    let mut corpora: BTreeMap<String, Corpus> = BTreeMap::new();
    for line in fs::read_to_string(truth)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(String::from);
        let name = text("corpus").ok_or("a row without a corpus")?;
        let target = text("target").or_else(|| text("target_original")).ok_or("a row without a target")?;
        let corpus =
            corpora.entry(name.clone()).or_insert_with(|| Corpus::read(&folder.join("corpora").join(&name)));
        let position = (corpus.documents.iter())
            .position(|reading| reading.facts.path == target)
            .ok_or_else(|| format!("no document {target}"))?;
        let original = folder.join("corpora").join(&name).join(&target);
        let source = text("target_stripped_path").map_or(original, |stripped| folder.join(stripped));
        let content = String::from_utf8_lossy(&fs::read(source)?).into_owned();
        let kept = std::mem::replace(&mut corpus.documents[position], facts::read(&target, &content));
        let ranked = rank(task, corpus, position, &weights);
        corpus.documents[position] = kept;
        writeln!(out, "{}", json!({ "corpus": name, "target": target, "ranked": ranked }))?;
    }
    Ok(())
}

fn rank(task: &str, corpus: &Corpus, position: usize, weights: &Weights) -> Vec<String> {
    let facts: Vec<Facts> = corpus.documents.iter().map(|reading| reading.facts.clone()).collect();
    let written: Vec<Vec<Written>> = corpus.documents.iter().map(|reading| reading.written.clone()).collect();
    let resolver = Resolver::learn(&corpus.inventory, &facts, &written);
    if task == "A" {
        let target = Referrer { facts: &facts[position], written: &written[position] };
        let found = references(target, &resolver, &corpus.inventory);
        return found.into_iter().filter_map(|reference| reference.path).collect();
    }
    let citations = Citations::resolve(&facts, &written, &resolver);
    let mut lists = Lists::default();
    (0..).zip(&corpus.documents).for_each(|(at, reading)| lists.add(at, &reading.words));
    let project = Project {
        documents: &facts,
        citations: &citations,
        words: &Words::new(lists),
        own: &corpus.documents[position].words,
    };
    let found = related(project, position, &HashMap::default(), weights).expect("nothing was kept");
    found.into_iter().map(|relative| facts[relative.document].path.clone()).collect()
}

/// The weights with one signal left out, or changed: `topic=0`.
fn weights(changes: &[String]) -> Result<Weights, Box<dyn std::error::Error>> {
    let mut weights = Weights::default();
    for change in changes {
        let (name, value) = change.split_once('=').ok_or("a change is written name=value")?;
        let value: f64 = value.parse()?;
        let weight = match name {
            "topic" => &mut weights.topic,
            "opening" => &mut weights.opening,
            "title" => &mut weights.title,
            "neighbours" => &mut weights.neighbours,
            "walk" => &mut weights.walk,
            "cited" => &mut weights.cited,
            "earlier" => &mut weights.earlier,
            "near" => &mut weights.near,
            "author" => &mut weights.author,
            "group" => &mut weights.group,
            "back" => &mut weights.back,
            _ => return Err(format!("no signal {name}").into()),
        };
        *weight = value;
    }
    Ok(weights)
}
