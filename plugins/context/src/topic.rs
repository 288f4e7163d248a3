//! How much a document is about the same as the target: BM25 over the target's most telling words.
//!
//! Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with the title as a field that counts
//! several times (BM25F in its simple form). Deterministic: ties go by path.

use crate::facts::Facts;
use crate::facts::terms::{Table, TermCount};

/// How fast repeating a term stops to matter.
const SATURATION: f64 = 1.2;
/// How much long documents are discounted.
const LENGTH_DISCOUNT: f64 = 0.75;
/// How many times a word of a title counts.
const TITLE_WEIGHT: f64 = 3.0;
/// How many of the target's words are compared.
const QUERY_TERMS: usize = 60;
/// How many shared terms a reason names.
const NAMED_TERMS: usize = 5;
/// Fewer shared words are chance.
const MINIMUM_SHARED: usize = 3;

/// A document's relation to the target by topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Similarity {
    /// Position among the documents.
    pub document: usize,
    /// 1 for the most similar document of the project, less for others.
    pub score: f64,
    /// The words that say most, as the target writes them.
    pub shared: Vec<String>,
}

/// Documents by similarity to the one at position `target`, most similar first. `words` are the target's, for people.
pub fn similar(documents: &[Facts], target: usize, words: &Table<String>) -> Vec<Similarity> {
    let query = query(documents, target);
    let total: f64 = documents.iter().map(|facts| f64::from(facts.terms.length)).sum();
    let average = (total / documents.len().max(1) as f64).max(1.0);
    let mut found: Vec<Similarity> = Vec::new();
    for (document, facts) in documents.iter().enumerate() {
        if document == target || facts.is_template() {
            continue;
        }
        let discount = 1.0 - LENGTH_DISCOUNT + LENGTH_DISCOUNT * f64::from(facts.terms.length) / average;
        let mut parts: Vec<(f64, u32)> = query
            .iter()
            .filter_map(|(term, weight)| {
                let at = facts.terms.counts.binary_search_by_key(term, |count| count.term).ok()?;
                let count = frequency(&facts.terms.counts[at]);
                Some((weight * count * (SATURATION + 1.0) / (count + SATURATION * discount), *term))
            })
            .collect();
        if parts.len() < MINIMUM_SHARED {
            continue;
        }
        let score = parts.iter().map(|(part, _)| part).sum();
        parts.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        let shared = parts.iter().take(NAMED_TERMS).filter_map(|(_, term)| words.get(term).cloned()).collect();
        found.push(Similarity { document, score, shared });
    }
    // Documents are sorted by path, and the sort is stable.
    found.sort_by(|left, right| right.score.total_cmp(&left.score));
    let best = found.first().map_or(1.0, |first| first.score);
    found.iter_mut().for_each(|similarity| similarity.score /= best);
    found
}

fn frequency(count: &TermCount) -> f64 {
    f64::from(count.body) + f64::from(count.code) + TITLE_WEIGHT * f64::from(count.title)
}

/// The target's most telling words with their weights.
fn query(documents: &[Facts], target: usize) -> Vec<(u32, f64)> {
    let total = documents.len() as f64;
    let mut having: Table<u32> = documents[target].terms.counts.iter().map(|count| (count.term, 0)).collect();
    for (document, facts) in documents.iter().enumerate().filter(|(document, _)| *document != target) {
        _ = document;
        for count in &facts.terms.counts {
            if let Some(documents) = having.get_mut(&count.term) {
                *documents += 1;
            }
        }
    }
    let mut weights: Vec<(u32, f64)> = documents[target]
        .terms
        .counts
        .iter()
        .filter_map(|count| {
            // A word that nobody else uses can't say who is similar.
            let having = having.get(&count.term).copied().filter(|having| *having > 0).map(f64::from)?;
            let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
            let boost = if count.title > 0 { TITLE_WEIGHT } else { 1.0 };
            let own = f64::from(count.body) + f64::from(count.code);
            Some((count.term, boost * (1.0 + own.max(1.0).ln()) * rarity))
        })
        .collect();
    weights.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    weights.truncate(QUERY_TERMS);
    weights
}
