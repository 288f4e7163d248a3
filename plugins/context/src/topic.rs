//! How much a document is about the same as the target: BM25 over the target's most telling words.
//!
//! Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with the title as a field that counts
//! several times (BM25F in its simple form). Deterministic: ties go by path.

use crate::catalog::Catalog;
use crate::terms::Vocabulary;

/// How fast repeating a term stops to matter.
const SATURATION: f64 = 1.2;
/// How much long documents are discounted.
const LENGTH_DISCOUNT: f64 = 0.75;
/// How many times a word of a title counts.
const TITLE_WEIGHT: u32 = 3;
/// How many of the target's words are compared.
const QUERY_TERMS: usize = 60;
/// How many shared terms a reason names.
const NAMED_TERMS: usize = 5;
/// Fewer shared words are chance.
const MINIMUM_SHARED: usize = 3;

/// A document's relation to the target by topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Similarity {
    /// Position in [`Catalog::entries`].
    pub entry: usize,
    /// 1 for the most similar document of the project, less for others.
    pub score: f64,
    /// The words that say most, as the target writes them.
    pub shared: Vec<String>,
}

/// Documents by similarity to the target, most similar first. `title` is the target's.
pub(crate) fn similar(catalog: &Catalog, words: &Vocabulary, title: &str) -> Vec<Similarity> {
    let weights = weights(catalog, words, title);
    let total: f64 = catalog.entries.iter().map(|entry| f64::from(entry.body.length)).sum();
    let average = (total / catalog.entries.len().max(1) as f64).max(1.0);
    let mut found: Vec<Similarity> = Vec::new();
    for (position, entry) in catalog.entries.iter().enumerate().filter(|(_, entry)| !entry.is_template) {
        let mut frequencies: Vec<(u32, u32)> = entry.body.terms.clone();
        for (term, count) in &entry.heading.terms {
            match frequencies.binary_search_by_key(term, |(term, _)| *term) {
                Ok(at) => frequencies[at].1 += TITLE_WEIGHT * count,
                Err(at) => frequencies.insert(at, (*term, TITLE_WEIGHT * count)),
            }
        }
        let discount = 1.0 - LENGTH_DISCOUNT + LENGTH_DISCOUNT * f64::from(entry.body.length) / average;
        let mut parts: Vec<(f64, u32)> = frequencies
            .iter()
            .filter_map(|(term, count)| {
                let weight = weights[*term as usize];
                let count = f64::from(*count);
                let part = weight * count * (SATURATION + 1.0) / (count + SATURATION * discount);
                (weight > 0.0).then_some((part, *term))
            })
            .collect();
        if parts.len() < MINIMUM_SHARED {
            continue;
        }
        let score = parts.iter().map(|(part, _)| part).sum();
        parts.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        let shared =
            parts.iter().take(NAMED_TERMS).map(|(_, term)| words.shown[*term as usize].clone()).collect();
        found.push(Similarity { entry: position, score, shared });
    }
    // Entries are sorted by path, and the sort is stable.
    found.sort_by(|left, right| right.score.total_cmp(&left.score));
    let best = found.first().map_or(1.0, |first| first.score);
    found.iter_mut().for_each(|similarity| similarity.score /= best);
    found
}

/// A weight for each of the target's words: 0 for all but the most telling ones.
fn weights(catalog: &Catalog, words: &Vocabulary, title: &str) -> Vec<f64> {
    let mut documents = vec![0_u32; words.shown.len()];
    for (term, _) in catalog.entries.iter().flat_map(|entry| &entry.body.terms) {
        documents[*term as usize] += 1;
    }
    let in_title = words.count(title);
    let total = catalog.entries.len() as f64;
    let mut weights: Vec<(f64, usize)> = documents
        .iter()
        .enumerate()
        .map(|(term, having)| {
            let having = f64::from(*having);
            let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
            let titled = in_title.terms.iter().any(|(titled, _)| *titled as usize == term);
            let boost = if titled { f64::from(TITLE_WEIGHT) } else { 1.0 };
            // A word that nobody else uses can't say who is similar.
            let weight =
                if having == 0.0 { 0.0 } else { boost * (1.0 + f64::from(words.counts[term]).ln()) * rarity };
            (weight, term)
        })
        .collect();
    weights.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let mut chosen = vec![0.0; words.shown.len()];
    for (weight, term) in weights.into_iter().take(QUERY_TERMS) {
        chosen[term] = weight;
    }
    chosen
}
