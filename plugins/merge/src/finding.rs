//! Findings of several reviews, each kept once.
//!
//! Two findings are the same when they have the same section and title, whatever the case and the spaces around. Only
//! findings of different reviews are put together: when a review says the same thing twice, it means two places.

use std::collections::{HashMap, HashSet};

use crate::review::{Finding, Labelled, Severity};
use crate::text::{compared, listed, one_line};

/// The lists of a merged review.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(crate) blockers: Vec<Finding>,
    pub(crate) major: Vec<Finding>,
    pub(crate) minor: Vec<Finding>,
}

/// What tells findings apart: section, title, and how often the review has said so before.
type Key = (String, String, usize);

/// A finding as one review has it.
struct Raised<'a> {
    label: &'a str,
    severity: Severity,
    number: usize,
    finding: &'a Finding,
}

/// Puts the findings of all reviews together, in the order of the reviews. A finding of several reviews goes where the
/// one goes that weighs most, the first of them when they weigh the same.
pub(crate) fn together(reviews: &[Labelled]) -> Lists {
    let mut groups: Vec<Vec<Raised<'_>>> = Vec::new();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for Labelled { label, review } in reviews {
        let mut said: HashMap<(String, String), usize> = HashMap::new();
        for (severity, number, finding) in review.iter().flat_map(|review| review.findings()) {
            let (section, title) = (compared(&finding.section), compared(&finding.title));
            let times = said.entry((section.clone(), title.clone())).or_insert(0);
            let group = *known.entry((section, title, *times)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            *times += 1;
            groups[group].push(Raised { label, severity, number, finding });
        }
    }
    in_lists(reviews, &groups)
}

/// Sorts groups into lists, each at the place of its heaviest finding.
fn in_lists(reviews: &[Labelled], groups: &[Vec<Raised<'_>>]) -> Lists {
    let order: HashMap<&str, usize> =
        reviews.iter().enumerate().map(|(index, review)| (review.label.as_str(), index)).collect();
    let mut placed: Vec<(&Raised<'_>, &[Raised<'_>])> = groups
        .iter()
        .filter_map(|group| {
            // Of equals, the last that comes is the greatest: so the first review's is taken from behind.
            let heaviest = group.iter().rev().max_by_key(|raised| raised.severity)?;
            Some((heaviest, group.as_slice()))
        })
        .collect();
    placed.sort_by_key(|(heaviest, _)| (order.get(heaviest.label).copied(), heaviest.number));
    let mut lists = Lists::default();
    let mut ids = HashSet::new();
    for (heaviest, group) in placed {
        let finding = merged(heaviest, group, &mut ids);
        match heaviest.severity {
            Severity::Blocker => lists.blockers.push(finding),
            Severity::Major => lists.major.push(finding),
            Severity::Minor => lists.minor.push(finding),
        }
    }
    lists
}

/// The finding of a group: in the words of the heaviest, under the id of the first, with what the others add.
fn merged(heaviest: &Raised<'_>, group: &[Raised<'_>], ids: &mut HashSet<String>) -> Finding {
    let first = group.first().unwrap_or(heaviest);
    let id = unique_id(first, ids);
    let file = group.iter().find(|raised| raised.finding.file.is_some()).map(|raised| raised.finding);
    let place = if heaviest.finding.file.is_some() { Some(heaviest.finding) } else { file };
    Finding {
        id,
        detail: detail(heaviest, group),
        file: place.and_then(|finding| finding.file.clone()),
        // The schema counts lines from 1; a line goes with its own file and no other.
        line: place.unwrap_or(heaviest.finding).line.filter(|line| *line > 0),
        ..heaviest.finding.clone()
    }
}

/// The id with the label before it; made different from all others.
fn unique_id(raised: &Raised<'_>, ids: &mut HashSet<String>) -> String {
    let given = one_line(&raised.finding.id);
    let own = if given.is_empty() { format!("{}{}", raised.severity.letter(), raised.number) } else { given };
    let base = format!("{}/{own}", raised.label);
    let mut id = base.clone();
    let mut count = 1;
    while !ids.insert(id.clone()) {
        count += 1;
        id = format!("{base}-{count}");
    }
    id
}

/// Who raised a finding of several reviews, then what each says about it that the others don't. A finding of one
/// review keeps its detail as it is.
fn detail(heaviest: &Raised<'_>, group: &[Raised<'_>]) -> Option<String> {
    let own = heaviest.finding.detail.clone();
    if group.len() < 2 {
        return own;
    }
    let weigh_the_same = group.iter().all(|raised| raised.severity == heaviest.severity);
    let names: Vec<String> = group
        .iter()
        .map(|raised| match weigh_the_same {
            true => raised.label.to_owned(),
            false => format!("{} ({})", raised.label, raised.severity.name()),
        })
        .collect();
    let mut paragraphs = vec![format!("Raised by {}.", listed(&names))];
    paragraphs.extend(own.filter(|detail| !detail.trim().is_empty()));
    let mut said: HashSet<String> = [compared(&heaviest.finding.recommendation)].into();
    said.extend(heaviest.finding.detail.as_deref().map(compared));
    for raised in group {
        let Finding { detail, recommendation, .. } = raised.finding;
        for (verb, text) in
            [("adds", detail.as_deref().unwrap_or_default()), ("recommends", recommendation.as_str())]
        {
            if !text.trim().is_empty() && said.insert(compared(text)) {
                paragraphs.push(format!("{} {verb}: {}", raised.label, one_line(text)));
            }
        }
    }
    Some(paragraphs.join("\n\n"))
}
