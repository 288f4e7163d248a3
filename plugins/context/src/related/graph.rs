//! What documents on the target's topic cite: most of what a document should refer to is what those like it refer to.
//!
//! A walk follows citations from the documents most alike and often starts again there (personalised PageRank, Page
//! and others, 1999); the direct citations of the nearest documents count once more. The target's own citations take
//! no part: they are known. A document that cites very much passes little on to each.

use super::Project;

/// So many of the documents most alike are asked.
const NEIGHBOURS: usize = 60;
/// How much more the most similar ones count.
const SHARPNESS: f64 = 8.0;
/// How many steps a walk has, and how probably it goes on at each.
const STEPS: usize = 8;
const GOES_ON: f64 = 0.5;
/// How many neighbours a reason is made of.
const NAMED: usize = 3;

/// What following the citations found, for each document.
pub(super) struct Graph {
    /// How much the nearest documents cite it.
    pub(super) neighbours: Vec<f64>,
    /// How often a walk comes by.
    pub(super) walk: Vec<f64>,
    /// How many cite it.
    pub(super) cited: Vec<f64>,
    /// 1 for those that refer to the target.
    pub(super) back: Vec<f64>,
    /// The documents asked, most similar first, with their weights, which add up to 1.
    seeds: Vec<(usize, f64)>,
}

impl Graph {
    /// Follows the citations of `project` from the documents that are like `target` by `similarity`.
    pub(super) fn follow(project: Project<'_>, target: usize, similarity: &[f64]) -> Self {
        let cites = &project.citations.cites;
        let count = cites.len();
        let seeds = seeds(similarity, target);
        let mut cited = vec![0.0; count];
        let mut back = vec![0.0; count];
        for (document, citations) in cites.iter().enumerate().filter(|(document, _)| *document != target) {
            for citation in citations {
                cited[citation.document] += 1.0;
                if citation.document == target {
                    back[document] = 1.0;
                }
            }
        }
        let mut neighbours = vec![0.0; count];
        for (seed, weight) in &seeds {
            for citation in &cites[*seed] {
                neighbours[citation.document] += weight;
            }
        }
        neighbours.iter_mut().for_each(|share: &mut f64| *share = (8.0 * *share).ln_1p());
        cited.iter_mut().for_each(|number: &mut f64| *number = number.ln_1p());
        let walk = walk(project, target, &seeds);
        Self { neighbours, walk, cited, back, seeds }
    }

    /// The most similar documents that cite `document`.
    pub(super) fn citing(&self, project: Project<'_>, document: usize) -> Vec<usize> {
        let cites = |seed: &usize| {
            project.citations.cites[*seed].iter().any(|citation| citation.document == document)
        };
        self.seeds.iter().map(|(seed, _)| *seed).filter(cites).take(NAMED).collect()
    }
}

fn seeds(similarity: &[f64], target: usize) -> Vec<(usize, f64)> {
    let mut seeds: Vec<(usize, f64)> = similarity
        .iter()
        .enumerate()
        .filter(|(document, similarity)| *document != target && **similarity > 0.0)
        .map(|(document, similarity)| (document, *similarity))
        .collect();
    seeds.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    seeds.truncate(NEIGHBOURS);
    seeds.iter_mut().for_each(|(_, weight)| *weight = (SHARPNESS * (*weight - 1.0)).exp());
    let total: f64 = seeds.iter().map(|(_, weight)| weight).sum();
    seeds.iter_mut().for_each(|(_, weight)| *weight /= total.max(f64::MIN_POSITIVE));
    seeds
}

fn walk(project: Project<'_>, target: usize, seeds: &[(usize, f64)]) -> Vec<f64> {
    let cites = &project.citations.cites;
    let mut here = vec![0.0; cites.len()];
    seeds.iter().for_each(|(seed, weight)| here[*seed] = *weight);
    for _ in 0..STEPS {
        let mut next = vec![0.0; cites.len()];
        seeds.iter().for_each(|(seed, weight)| next[*seed] = (1.0 - GOES_ON) * weight);
        for (document, share) in here.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let citations = &cites[document];
            if document == target || citations.is_empty() {
                continue;
            }
            let part = GOES_ON * share / citations.len() as f64;
            citations.iter().for_each(|citation| next[citation.document] += part);
        }
        here = next;
    }
    here.iter_mut().for_each(|share| *share = (50.0 * *share).ln_1p());
    here
}
