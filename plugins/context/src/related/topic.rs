//! How much documents are about the same as the target: words in common, worth what they tell.
//!
//! BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over the target's most telling words,
//! once for whole documents and once for their openings. Repeating a word, and being long, wins little.

use super::Project;
use crate::facts::terms::Table;
use crate::facts::{Counts, Facts, TermCount};
use crate::words::{Damaged, Posting};

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
    /// The documents that have it, with their counts, by position.
    postings: Vec<Posting>,
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
    /// Compares all documents of `project` with the one at position `target`.
    ///
    /// # Errors
    /// When the words that were kept are damaged.
    pub(super) fn compare(project: Project<'_>, target: usize) -> Result<Self, Damaged> {
        let documents = project.documents;
        let queries = queries(project, target)?;
        let lengths = documents.iter().map(|facts| f64::from(facts.extent.length));
        let norms = norms(lengths, documents.len(), LENGTH_DISCOUNT);
        let openings = documents.iter().map(|facts| f64::from(facts.extent.opening));
        let opening_norms = self::norms(openings, documents.len(), OPENING_DISCOUNT);
        let mut body = vec![0.0; documents.len()];
        let mut opening = vec![0.0; documents.len()];
        for query in &queries {
            for (document, counts) in &query.postings {
                let at = *document as usize;
                body[at] += query.weight * saturated(in_body(*counts), norms[at]);
                opening[at] += query.weight * saturated(in_opening(*counts), opening_norms[at]);
            }
        }
        for (document, facts) in documents.iter().enumerate() {
            let variety = variety(facts);
            body[document] *= variety;
            opening[document] *= variety;
        }
        let mut topic = Self { body, opening, title: titles(project), queries, norms };
        for signal in [&mut topic.body, &mut topic.opening] {
            let best = signal.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            signal.iter_mut().for_each(|score| *score /= best);
        }
        Ok(topic)
    }

    /// The words that say most about why `document` is alike, best first.
    pub(super) fn shared(&self, document: usize) -> Vec<u32> {
        let mut parts: Vec<(f64, u32)> = self
            .queries
            .iter()
            .filter_map(|query| {
                let key = u32::try_from(document).ok()?;
                let at = query.postings.binary_search_by_key(&key, |(document, _)| *document).ok()?;
                let part = query.weight * saturated(in_body(query.postings[at].1), self.norms[document]);
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
    let different = f64::from(facts.extent.different);
    (different / f64::from(facts.extent.length.max(1)).sqrt() / LEAST_VARIETY).min(1.0)
}

fn in_body(counts: Counts) -> f64 {
    f64::from(counts.body) + f64::from(counts.code) + TITLE_WEIGHT * f64::from(counts.title)
}

fn in_opening(counts: Counts) -> f64 {
    f64::from(counts.title) + f64::from(counts.heading) + f64::from(counts.lead)
}

fn saturated(count: f64, norm: f64) -> f64 {
    if count > 0.0 { count * (SATURATION + 1.0) / (count + SATURATION * norm) } else { 0.0 }
}

fn norms(lengths: impl Iterator<Item = f64>, count: usize, discount: f64) -> Vec<f64> {
    let lengths: Vec<f64> = lengths.collect();
    let average = (lengths.iter().sum::<f64>() / count.max(1) as f64).max(1.0);
    lengths.iter().map(|length| 1.0 - discount + discount * length / average).collect()
}

/// The target's most telling words, best first.
fn queries(project: Project<'_>, target: usize) -> Result<Vec<Query>, Damaged> {
    let total = project.documents.len() as f64;
    let weight = |counts: Counts, having: f64| {
        let boost = if counts.title > 0 { OWN_TITLE_WEIGHT } else { 1.0 };
        let often = (f64::from(counts.body) + f64::from(counts.code)).max(1.0);
        boost * (1.0 + often.ln()) * rarity(total, having)
    };
    // The target has each of its words, and is no document to find; forms to fill in are none either.
    let forms = project.documents.iter().filter(|facts| facts.is_template).count();
    let passed_over = u32::try_from(1 + forms).unwrap_or(u32::MAX);
    let having = |term: u32| {
        let (least, most) = project.words.having(term);
        (f64::from(least.saturating_sub(passed_over)), f64::from(most))
    };
    // What a word weighs is known in between before its list is read; the lists of those that can't be among the best
    // are not.
    let mut least: Vec<f64> = Vec::new();
    let mut open: Vec<(TermCount, f64)> = Vec::new();
    for word in project.own {
        let (least_having, most_having) = having(word.term);
        if least_having > 0.0 {
            least.push(weight(word.counts, most_having));
        }
        open.push((*word, weight(word.counts, least_having)));
    }
    least.sort_unstable_by(|left, right| right.total_cmp(left));
    let bar = least.get(QUERY_TERMS - 1).copied().unwrap_or(0.0);
    let mut queries = Vec::new();
    for (word, _) in open.into_iter().filter(|(_, most)| *most >= bar) {
        let mut postings = project.words.postings(word.term)?;
        let is_other = |document: usize| document != target && !project.documents[document].is_template;
        postings.retain(|(document, _)| is_other(*document as usize));
        // A word that nobody else uses can't say who is similar.
        if !postings.is_empty() {
            queries.push(Query {
                term: word.term,
                weight: weight(word.counts, postings.len() as f64),
                postings,
            });
        }
    }
    queries.sort_by(|left, right| right.weight.total_cmp(&left.weight).then(left.term.cmp(&right.term)));
    queries.truncate(QUERY_TERMS);
    Ok(queries)
}

/// How much it says that a text has a word which so many of all have: BM25's form, never below 0.
fn rarity(total: f64, having: f64) -> f64 {
    (1.0 + (total - having + 0.5) / (having + 0.5)).ln()
}

/// For each document: the share of its title's words that the target has, by how rare they are in titles.
fn titles(project: Project<'_>) -> Vec<f64> {
    let titles = || project.documents.iter().map(|facts| &facts.extent.title);
    let mut having: Table<u32> = Table::default();
    for term in titles().flatten() {
        *having.entry(*term).or_default() += 1;
    }
    let total = project.documents.len() as f64;
    let own: Table<()> = project.own.iter().map(|word| (word.term, ())).collect();
    let share = |terms: &Vec<u32>| {
        let (mut hit, mut all) = (0.0, 0.0);
        for term in terms {
            let rarity = rarity(total, having.get(term).copied().map_or(1.0, f64::from));
            all += rarity;
            if own.contains_key(term) {
                hit += rarity;
            }
        }
        if all > 0.0 { hit / all } else { 0.0 }
    };
    titles().map(share).collect()
}
