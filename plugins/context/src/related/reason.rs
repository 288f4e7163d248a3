//! Why a document is in the list, in words.

use crate::facts::Relation;
use crate::facts::terms::Table;

use super::Project;
use super::graph::Graph;
use super::kinship::Kinship;
use super::topic::Topic;

/// How many shared terms a reason names.
const NAMED_TERMS: usize = 5;
/// How many documents a reason names.
const NAMED_DOCUMENTS: usize = 3;

/// Knows all signals.
pub(super) struct Explainer<'a> {
    pub(super) project: Project<'a>,
    pub(super) target: usize,
    pub(super) topic: &'a Topic,
    pub(super) graph: &'a Graph,
    pub(super) kinship: &'a Kinship,
    pub(super) spelled: &'a Table<String>,
}

impl Explainer<'_> {
    /// Why `document` is in the list, the strongest reason first.
    pub(super) fn reasons(&self, document: usize) -> Vec<String> {
        let own = &self.project.citations.cites[self.target];
        let cites = &self.project.citations.cites[document];
        let mut reasons = Vec::new();
        if let Some(citation) = own.iter().find(|citation| citation.document == document) {
            let verb = match citation.relation {
                Relation::Supersedes => "superseded",
                Relation::SupersededBy => "named as the successor",
                Relation::Cites => "referenced",
            };
            reasons.push(format!("{verb} on line {}", citation.line));
        }
        if let Some(citation) = cites.iter().find(|citation| citation.document == self.target) {
            let verb = match citation.relation {
                Relation::Supersedes => "supersedes this document, by its",
                Relation::SupersededBy => "was superseded by this document, by its",
                Relation::Cites => "refers to this document on",
            };
            reasons.push(format!("{verb} line {}", citation.line));
        }
        let words = self.topic.shared(document).into_iter().filter_map(|term| self.spelled.get(&term));
        let words: Vec<&str> = words.take(NAMED_TERMS).map(String::as_str).collect();
        if !words.is_empty() {
            reasons.push(format!("shares terms: {}", words.join(", ")));
        }
        let citing = self.graph.citing(self.project, document);
        if !citing.is_empty() {
            reasons.push(format!("cited by documents on the same topic: {}", self.paths(&citing)));
        }
        let both: Vec<usize> = (own.iter().map(|citation| citation.document))
            .filter(|cited| cites.iter().any(|citation| citation.document == *cited))
            .take(NAMED_DOCUMENTS)
            .collect();
        if !both.is_empty() {
            reasons.push(format!("cites the same documents: {}", self.paths(&both)));
        }
        if self.kinship.author[document] > 0.0 {
            reasons.push("has an author in common".into());
        }
        if reasons.is_empty() && self.graph.cited[document] > 0.0 {
            let count = self.project.citations.cited_by[document].len();
            reasons.push(format!("cited by {count} of the project's documents"));
        }
        reasons
    }

    fn paths(&self, documents: &[usize]) -> String {
        let paths: Vec<&str> =
            documents.iter().map(|document| self.project.documents[*document].path.as_str()).collect();
        paths.join(", ")
    }
}
