//! What a context is for, and what follows from it: what is gathered, what counts more, how large it may be.

use docket_markdown::Kind;
use serde::Deserialize;

/// What the context is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The review of an RFC: everything around a proposal.
    RfcReview,
    /// The review of a decision: other decisions first, and less of the code.
    AdrReview,
    /// The validation of a specification against what there is: code, schemas and commands first.
    SpecValidation,
    /// The begin of a session: where the project stands. About a project, not a document.
    SessionStart,
}

/// One thing to gather.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// What the document refers to.
    ParseReferences,
    /// Decisions, proposals and other documents on the same topic.
    RelatedAdrs,
    /// Commands the document is about, and where they are defined.
    AffectedCommands,
    /// The project's architecture documents.
    ArchitectureDocs,
    /// Source files that define what the document names.
    RelatedCode,
    /// Commits that touched the document, and what changes together with it.
    GitHistory,
    /// Open items of the document and in the code that belongs to it; of the whole project at the begin of a session.
    OpenTodos,
    /// Drafts, documents in review, and stale ones.
    DocumentStates,
}

impl Strategy {
    /// The strategy for a document of this kind, when nobody says which.
    pub fn for_kind(kind: Kind) -> Self {
        match kind {
            Kind::Adr => Self::AdrReview,
            Kind::Spec | Kind::Prd => Self::SpecValidation,
            _ => Self::RfcReview,
        }
    }

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RfcReview => "rfc-review",
            Self::AdrReview => "adr-review",
            Self::SpecValidation => "spec-validation",
            Self::SessionStart => "session-start",
        }
    }

    /// What is gathered when nobody says what.
    pub fn include(self) -> Vec<Include> {
        use Include::{
            AffectedCommands, ArchitectureDocs, DocumentStates, GitHistory, OpenTodos, ParseReferences,
            RelatedAdrs, RelatedCode,
        };
        match self {
            Self::RfcReview => vec![
                ParseReferences,
                RelatedAdrs,
                AffectedCommands,
                ArchitectureDocs,
                RelatedCode,
                GitHistory,
            ],
            Self::AdrReview => vec![ParseReferences, RelatedAdrs, ArchitectureDocs, RelatedCode, GitHistory],
            Self::SpecValidation => {
                vec![ParseReferences, RelatedAdrs, AffectedCommands, RelatedCode, OpenTodos]
            }
            Self::SessionStart => vec![DocumentStates, OpenTodos, GitHistory],
        }
    }

    /// How many tokens a package may have when nobody says how many.
    pub fn budget(self) -> u64 {
        match self {
            Self::RfcReview => 24_000,
            Self::AdrReview => 16_000,
            Self::SpecValidation => 32_000,
            Self::SessionStart => 8_000,
        }
    }

    /// What a related document of this kind counts, against others.
    pub fn weight(self, kind: Kind) -> f64 {
        match (self, kind) {
            (Self::AdrReview, Kind::Adr) | (Self::SpecValidation, Kind::Spec | Kind::Prd) => 1.2,
            (Self::AdrReview, Kind::Guide) | (Self::SpecValidation, Kind::Research) => 0.8,
            _ => 1.0,
        }
    }

    /// What a related source file counts, against documents.
    pub fn code_weight(self) -> f64 {
        match self {
            Self::RfcReview | Self::SessionStart => 0.9,
            Self::AdrReview => 0.7,
            Self::SpecValidation => 1.3,
        }
    }

    /// How many source files are related at most, beside those that the document refers to.
    pub fn code_items(self) -> usize {
        match self {
            Self::RfcReview | Self::SessionStart => 12,
            Self::AdrReview => 6,
            Self::SpecValidation => 30,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Strategy; 4] =
        [Strategy::RfcReview, Strategy::AdrReview, Strategy::SpecValidation, Strategy::SessionStart];

    #[test]
    fn strategies_differ_in_what_they_gather_and_weigh() {
        for (at, one) in ALL.iter().enumerate() {
            for other in &ALL[at + 1..] {
                assert_ne!(one.include(), other.include(), "{one:?} {other:?}");
                assert_ne!(one.budget(), other.budget(), "{one:?} {other:?}");
            }
        }
        assert!(Strategy::AdrReview.weight(Kind::Adr) > Strategy::RfcReview.weight(Kind::Adr));
        assert!(Strategy::SpecValidation.code_weight() > Strategy::AdrReview.code_weight());
    }

    #[test]
    fn a_kind_of_document_has_its_strategy() {
        assert_eq!(Strategy::for_kind(Kind::Adr), Strategy::AdrReview);
        assert_eq!(Strategy::for_kind(Kind::Prd), Strategy::SpecValidation);
        assert_eq!(Strategy::for_kind(Kind::Document), Strategy::RfcReview);
    }
}
