//! Which documents of the project belong to one of them, best first, and why.
//!
//! Each signal is computed for all documents by a module of its own: [`topic`] (words in common), [`graph`] (what
//! documents on the same topic cite) and [`kinship`] (order in time, authors). They are added up with fixed weights,
//! which were found on some sets of documents and checked on others (docs/context.md). What the document refers to
//! itself always comes first. Works on facts and citations alone; the same input gives the same list.

mod graph;
mod kinship;
mod reason;
mod topic;

use crate::citations::Citations;
use crate::facts::terms::Table;
use crate::facts::{Facts, TermCount};
use crate::words::{Damaged, Words};

/// Longer lists help nobody.
const MAXIMUM: usize = 200;
/// Documents whose successors are looked for: the first of the list.
const WITH_SUCCESSORS: usize = 20;

/// How much each signal counts. Signals lie between 0 and about 1 to 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Words in common.
    pub topic: f64,
    /// Words of its title, headings and first paragraphs in common.
    pub opening: f64,
    /// How much of its title the target speaks of.
    pub title: f64,
    /// Cited by the documents most alike.
    pub neighbours: f64,
    /// Reached by following citations from documents alike.
    pub walk: f64,
    /// Cited by many.
    pub cited: f64,
    /// Written before the target.
    pub earlier: f64,
    /// Written at about the same time.
    pub near: f64,
    /// Of the same authors.
    pub author: f64,
    /// Filed under the same.
    pub group: f64,
    /// Refers to the target.
    pub back: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            topic: 1.7,
            opening: 2.4,
            title: 1.5,
            neighbours: 1.2,
            walk: 0.6,
            cited: 0.7,
            earlier: 1.5,
            near: 1.0,
            author: 0.4,
            group: 0.3,
            back: 0.2,
        }
    }
}

/// A document that belongs to the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Relative {
    /// Its position.
    pub document: usize,
    /// 1 for the most related one that the target does not refer to, less for others; what it refers to lies above 1.
    pub score: f64,
    /// Why, for people.
    pub reasons: Vec<String>,
}

/// What the ranking works on.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// All documents, sorted by path.
    pub documents: &'a [Facts],
    /// What they refer to.
    pub citations: &'a Citations,
    /// Which of them have which words.
    pub words: &'a Words,
    /// The words of the target.
    pub own: &'a [TermCount],
}

/// Lists the documents that belong to the one at position `target`; `spelled` are its words for people.
///
/// # Errors
/// When the words that were kept are damaged.
pub fn related(
    project: Project<'_>,
    target: usize,
    spelled: &Table<String>,
    weights: &Weights,
) -> Result<Vec<Relative>, Damaged> {
    let topic = topic::Topic::compare(project, target)?;
    let graph = graph::Graph::follow(project, target, &topic.body);
    let kinship = kinship::Kinship::compare(project.documents, target);
    let own = &project.citations.cites[target];
    let score = |document: usize| {
        weights.topic * topic.body[document]
            + weights.opening * topic.opening[document]
            + weights.title * topic.title[document]
            + weights.neighbours * graph.neighbours[document]
            + weights.walk * graph.walk[document]
            + weights.cited * graph.cited[document]
            + weights.earlier * kinship.earlier[document]
            + weights.near * kinship.near[document]
            + weights.author * kinship.author[document]
            + weights.group * kinship.group[document]
            + weights.back * graph.back[document]
    };
    let mut ranked: Vec<(usize, f64)> = (0..project.documents.len())
        .filter(|document| *document != target && !project.documents[*document].is_template)
        .map(|document| (document, score(document)))
        .collect();
    // Documents are sorted by path, and the sort is stable.
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1));
    let best = ranked.first().map_or(1.0, |(_, score)| score.max(f64::MIN_POSITIVE));
    for (document, score) in &mut ranked {
        let is_cited = own.iter().any(|citation| citation.document == *document);
        *score = *score / best + f64::from(u8::from(is_cited));
    }
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1));
    ranked.truncate(MAXIMUM);
    let explain =
        reason::Explainer { project, target, topic: &topic, graph: &graph, kinship: &kinship, spelled };
    let found = ranked.into_iter().map(|(document, score)| Relative {
        document,
        score,
        reasons: explain.reasons(document),
    });
    Ok(with_successors(project, target, found.collect()))
}

/// Puts the successor of a document that is no longer in force right behind it, unless it is listed before.
fn with_successors(project: Project<'_>, target: usize, ranked: Vec<Relative>) -> Vec<Relative> {
    let mut listed: Vec<Relative> = Vec::with_capacity(ranked.len());
    let mut moved: Vec<usize> = Vec::new();
    for (rank, relative) in ranked.iter().enumerate() {
        if moved.contains(&relative.document) {
            continue;
        }
        let (document, score) = (relative.document, relative.score);
        listed.push(relative.clone());
        let successor = project.citations.successor(document).filter(|_| rank < WITH_SUCCESSORS);
        let Some(successor) = successor.filter(|successor| *successor != target) else { continue };
        let reason = format!("takes the place of {}", project.documents[document].path);
        if let Some(before) = listed.iter_mut().find(|before| before.document == successor) {
            before.reasons.push(reason);
            continue;
        }
        let known = ranked.iter().find(|relative| relative.document == successor).cloned();
        let mut relative = known.unwrap_or(Relative { document: successor, score, reasons: Vec::new() });
        relative.score = relative.score.max(score);
        relative.reasons.insert(0, reason);
        moved.push(successor);
        listed.push(relative);
    }
    listed
}
