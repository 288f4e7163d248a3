//! What documents have in common besides their words: when they were written, by whom, what they are filed under.

use foldhash::HashMap;

use crate::facts::Facts;
use crate::identifiers::family;

/// How fast being near in number stops to matter: after one in so many of all documents.
const NEARNESS: f64 = 20.0;
/// Nothing is known about the order of two documents.
const UNKNOWN: f64 = 0.5;

/// What the comparison found, for each document from 0 to 1.
pub(super) struct Kinship {
    /// 1 for documents older than the target, 0 for younger ones, by date or number.
    pub(super) earlier: Vec<f64>,
    /// 1 for the next in number, less for those further away.
    pub(super) near: Vec<f64>,
    /// 1 for documents that share an author.
    pub(super) author: Vec<f64>,
    /// The share of the target's categories.
    pub(super) group: Vec<f64>,
}

impl Kinship {
    /// Compares all `documents` with the one at position `target`.
    pub(super) fn compare(documents: &[Facts], target: usize) -> Self {
        let own = &documents[target];
        let own_family = family(&own.path);
        let number = |facts: &Facts| facts.labels.first().map(|label| label.number);
        let ranks = ranks(documents, own_family);
        let own_rank = number(own).and_then(|number| ranks.get(&number)).copied();
        let rank = |facts: &Facts| {
            let number = number(facts).filter(|_| family(&facts.path) == own_family);
            number.and_then(|number| ranks.get(&number)).copied()
        };
        let earlier = |facts: &Facts| match (facts.date, own.date) {
            (Some(date), Some(own)) => f64::from(u8::from(date <= own)),
            _ => match (rank(facts), own_rank) {
                (Some(rank), Some(own)) => f64::from(u8::from(rank < own)),
                _ => UNKNOWN,
            },
        };
        let near = |facts: &Facts| match (rank(facts), own_rank) {
            (Some(rank), Some(own)) => (-NEARNESS * rank.abs_diff(own) as f64 / documents.len() as f64).exp(),
            _ => 0.0,
        };
        let author = |facts: &Facts| f64::from(u8::from(shares(&facts.authors, &own.authors) > 0));
        let group =
            |facts: &Facts| shares(&facts.groups, &own.groups) as f64 / own.groups.len().max(1) as f64;
        Self {
            earlier: documents.iter().map(earlier).collect(),
            near: documents.iter().map(near).collect(),
            author: documents.iter().map(author).collect(),
            group: documents.iter().map(group).collect(),
        }
    }
}

/// The place of each number of a family in its order.
fn ranks(documents: &[Facts], own_family: &str) -> HashMap<u32, usize> {
    let mut numbers: Vec<u32> = documents
        .iter()
        .filter(|facts| family(&facts.path) == own_family)
        .filter_map(|facts| facts.labels.first().map(|label| label.number))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().enumerate().map(|(rank, number)| (number, rank)).collect()
}

/// How many values two sorted lists share.
fn shares(left: &[u32], right: &[u32]) -> usize {
    left.iter().filter(|value| right.binary_search(value).is_ok()).count()
}
