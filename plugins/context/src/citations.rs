//! Which document refers to which: the references of all documents, resolved.

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, Place, Relation, Written};
use crate::resolve::{Lead, Referrer, Resolver};

/// Words of a status that say a document is no longer in force.
const ENDED: [&str; 5] = ["supersed", "replac", "obsolet", "deprecat", "withdrawn"];
/// Prose further down than this tells a story; who replaced whom is said at the top.
const HEADER_LINES: u32 = 15;

/// A document that another refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Position of the document.
    pub document: usize,
    /// First line of the reference.
    pub line: u32,
    /// What the reference says.
    pub relation: Relation,
}

/// The citations of a project's documents, by position.
#[derive(Debug, Default)]
pub struct Citations {
    /// What each document refers to, each other document once, by position.
    pub cites: Vec<Vec<Citation>>,
    /// Positions of those that refer to each document.
    pub cited_by: Vec<Vec<usize>>,
}

impl Citations {
    /// Resolves the references of all `documents`: `written` are those of each.
    pub fn resolve(documents: &[Facts], written: &[Vec<Written>], resolver: &Resolver<'_>) -> Self {
        let referrers = documents.iter().zip(written).map(|(facts, written)| Referrer { facts, written });
        Self::new(referrers.map(|referrer| of(documents, referrer, resolver)).collect())
    }

    /// The citations of documents of which each refers to these.
    pub fn new(cites: Vec<Vec<Citation>>) -> Self {
        let mut cited_by = vec![Vec::new(); cites.len()];
        for (document, citations) in cites.iter().enumerate() {
            for citation in citations {
                cited_by[citation.document].push(document);
            }
        }
        Self { cites, cited_by }
    }

    /// The same with what `referrer` says for the document at this position.
    #[must_use]
    pub fn with(
        self,
        document: usize,
        referrer: Referrer<'_>,
        documents: &[Facts],
        resolver: &Resolver<'_>,
    ) -> Self {
        let mut cites = self.cites;
        cites[document] = of(documents, referrer, resolver);
        Self::new(cites)
    }

    /// The document that replaced `document`, with what says so.
    pub fn successor(&self, document: usize) -> Option<usize> {
        let own = self.cites[document].iter().find(|citation| citation.relation == Relation::SupersededBy);
        own.map(|citation| citation.document).or_else(|| {
            let supersedes = |other: &&usize| {
                self.cites[**other].iter().any(|citation| {
                    citation.document == document && citation.relation == Relation::Supersedes
                })
            };
            self.cited_by[document].iter().rev().find(supersedes).copied()
        })
    }
}

fn of(documents: &[Facts], referrer: Referrer<'_>, resolver: &Resolver<'_>) -> Vec<Citation> {
    let mut found: Vec<Citation> = Vec::new();
    for written in referrer.written {
        if written.place == Place::Image {
            continue;
        }
        let (Lead::Found(path) | Lead::Renamed(path)) = resolver.lead(referrer, written) else { continue };
        let Some(document) = resolver.position(&path) else { continue };
        let is_header = matches!(written.place, Place::Field(_)) || written.line <= HEADER_LINES;
        let is_said = match written.relation {
            Relation::Cites => false,
            Relation::SupersededBy => is_header || has_ended(referrer.facts),
            Relation::Supersedes => is_header || has_ended(&documents[document]),
        };
        let relation = if is_said { written.relation } else { Relation::Cites };
        found.push(Citation { document, line: written.line, relation });
    }
    // Of several references to one document the one that says most counts, at the first line.
    found.sort_by_key(|citation| (citation.document, citation.relation == Relation::Cites, citation.line));
    found.dedup_by_key(|citation| citation.document);
    found
}

fn has_ended(facts: &Facts) -> bool {
    let status = facts.status.as_deref().unwrap_or_default().to_ascii_lowercase();
    ENDED.iter().any(|word| status.contains(word))
}
