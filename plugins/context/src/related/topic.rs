//! How much documents are about the same as the target: words in common, worth what they tell.
//!
//! BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over the target's most telling words,
//! once for whole documents and once for their openings. Repeating a word, and being long, wins little.

use crate::facts::Facts;
use crate::facts::terms::{Table, TermCount};

/// How fast repeating a term stops to matter.
const SATURATION: f64 = 1.2;
/// How much long documents are discounted.
const LENGTH_DISCOUNT: f64 = 0.75;
/// The same for openings, which differ less for good reason.
const OPENING_DISCOUNT: f64 = 0.3;
/// How many times a word of a title counts.
const TITLE_WEIGHT: f64 = 3.0;
/// How many times a word of the target's own title counts.
const OWN_TITLE_WEIGHT: f64 = 2.0;
/// How many of the target's words are compared.
const QUERY_TERMS: usize = 200;

/// Texts have at least so many different words for the root of their length; real ones have 4 to 15.
const LEAST_VARIETY: f64 = 2.0;

/// A word that documents are compared by.
struct Query {
    term: u32,
    weight: f64,
    /// The documents that have it, with their counts.
    postings: Vec<(u32, TermCount)>,
}

/// What the comparison found, for each document from 0 to 1.
pub(super) struct Topic {
    /// Whole documents.
    pub(super) body: Vec<f64>,
    /// Titles, headings and first paragraphs.
    pub(super) opening: Vec<f64>,
    /// How much of a document's title the target speaks of.
    pub(super) title: Vec<f64>,
    queries: Vec<Query>,
    norms: Vec<f64>,
}

impl Topic {
    /// Compares all `documents` with the one at position `target`.
    pub(super) fn compare(documents: &[Facts], target: usize) -> Self {
        let queries = queries(documents, target);
        let lengths = documents.iter().map(|facts| f64::from(facts.terms.length));
        let norms = norms(lengths, documents.len(), LENGTH_DISCOUNT);
        let openings = documents.iter().map(|facts| facts.terms.counts.iter().map(in_opening).sum());
        let opening_norms = norms_of(openings, documents.len());
        let mut body = vec![0.0; documents.len()];
        let mut opening = vec![0.0; documents.len()];
        for query in &queries {
            for (document, count) in &query.postings {
                let at = *document as usize;
                body[at] += query.weight * saturated(in_body(count), norms[at]);
                opening[at] += query.weight * saturated(in_opening(count), opening_norms[at]);
            }
        }
        for (document, facts) in documents.iter().enumerate() {
            let variety = variety(facts);
            body[document] *= variety;
            opening[document] *= variety;
        }
        let mut topic = Self { body, opening, title: titles(documents, target), queries, norms };
        for signal in [&mut topic.body, &mut topic.opening] {
            let best = signal.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            signal.iter_mut().for_each(|score| *score /= best);
        }
        topic
    }

    /// The words that say most about why `document` is alike, best first.
    pub(super) fn shared(&self, document: usize) -> Vec<u32> {
        let mut parts: Vec<(f64, u32)> = self
            .queries
            .iter()
            .filter_map(|query| {
                let key = u32::try_from(document).ok()?;
                let at = query.postings.binary_search_by_key(&key, |(document, _)| *document).ok()?;
                let part = query.weight * saturated(in_body(&query.postings[at].1), self.norms[document]);
                (part > 0.0).then_some((part, query.term))
            })
            .collect();
        parts.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        parts.into_iter().map(|(_, term)| term).collect()
    }
}

/// 1 for documents with as many different words as a text of their length has, less for those that repeat a few: the
/// number of different words of a text grows at least with the root of its length (Heaps, 1978).
fn variety(facts: &Facts) -> f64 {
    let different = facts.terms.counts.len() as f64;
    (different / f64::from(facts.terms.length.max(1)).sqrt() / LEAST_VARIETY).min(1.0)
}

fn in_body(count: &TermCount) -> f64 {
    f64::from(count.body) + f64::from(count.code) + TITLE_WEIGHT * f64::from(count.title)
}

fn in_opening(count: &TermCount) -> f64 {
    f64::from(count.title) + f64::from(count.heading) + f64::from(count.lead)
}

fn saturated(count: f64, norm: f64) -> f64 {
    if count > 0.0 { count * (SATURATION + 1.0) / (count + SATURATION * norm) } else { 0.0 }
}

fn norms(lengths: impl Iterator<Item = f64>, count: usize, discount: f64) -> Vec<f64> {
    let lengths: Vec<f64> = lengths.collect();
    let average = (lengths.iter().sum::<f64>() / count.max(1) as f64).max(1.0);
    lengths.iter().map(|length| 1.0 - discount + discount * length / average).collect()
}

fn norms_of(lengths: impl Iterator<Item = f64>, count: usize) -> Vec<f64> {
    norms(lengths, count, OPENING_DISCOUNT)
}

/// The target's most telling words.
fn queries(documents: &[Facts], target: usize) -> Vec<Query> {
    let own = &documents[target].terms.counts;
    let mut postings: Vec<Vec<(u32, TermCount)>> = vec![Vec::new(); own.len()];
    for (document, facts) in documents.iter().enumerate() {
        if document == target || facts.is_template() {
            continue;
        }
        let key = u32::try_from(document).unwrap_or(u32::MAX);
        // Both lists are sorted by term.
        let mut at = 0;
        for count in &facts.terms.counts {
            while at < own.len() && own[at].term < count.term {
                at += 1;
            }
            match own.get(at) {
                None => break,
                Some(same) if same.term == count.term => postings[at].push((key, *count)),
                Some(_) => {}
            }
        }
    }
    let total = documents.len() as f64;
    let mut queries: Vec<Query> = own
        .iter()
        .zip(postings)
        // A word that nobody else uses can't say who is similar.
        .filter(|(_, postings)| !postings.is_empty())
        .map(|(count, postings)| {
            let having = postings.len() as f64;
            let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
            let boost = if count.title > 0 { OWN_TITLE_WEIGHT } else { 1.0 };
            let often = (f64::from(count.body) + f64::from(count.code)).max(1.0);
            Query { term: count.term, weight: boost * (1.0 + often.ln()) * rarity, postings }
        })
        .collect();
    queries.sort_by(|left, right| right.weight.total_cmp(&left.weight).then(left.term.cmp(&right.term)));
    queries.truncate(QUERY_TERMS);
    queries
}

/// For each document: the share of its title's words that the target has, by how rare they are in titles.
fn titles(documents: &[Facts], target: usize) -> Vec<f64> {
    let mut having: Table<u32> = Table::default();
    let in_title = |facts: &Facts| -> Vec<u32> {
        facts.terms.counts.iter().filter(|count| count.title > 0).map(|count| count.term).collect()
    };
    let titles: Vec<Vec<u32>> = documents.iter().map(in_title).collect();
    for term in titles.iter().flatten() {
        *having.entry(*term).or_default() += 1;
    }
    let total = documents.len() as f64;
    let own = &documents[target].terms.counts;
    titles
        .iter()
        .map(|terms| {
            let (mut hit, mut all) = (0.0, 0.0);
            for term in terms {
                let having = having.get(term).copied().map_or(1.0, f64::from);
                let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
                all += rarity;
                if own.binary_search_by_key(term, |count| count.term).is_ok() {
                    hit += rarity;
                }
            }
            if all > 0.0 { hit / all } else { 0.0 }
        })
        .collect()
}
