//! What a document of each kind has to have, and how much it matters from each perspective. A table, no logic.

use docket_markdown::Kind;

use crate::review::Severity;
use crate::subject::Perspective;

/// A section that a kind of document needs.
pub(super) struct Requirement {
    /// Its usual heading.
    pub(super) name: &'static str,
    /// Headings that count, in the form of `normalised`, separated by `|`.
    pub(super) names: &'static str,
    /// How bad it is when it is missing, from all perspectives and from the three single ones.
    weights: [Option<Severity>; 4],
    /// What to write there.
    pub(super) advice: &'static str,
}

impl Requirement {
    /// How bad it is when the section is missing; `None` when the perspective does not ask for it.
    pub(super) fn severity(&self, perspective: Perspective) -> Option<Severity> {
        let column = match perspective {
            Perspective::All => 0,
            Perspective::Architecture => 1,
            Perspective::Security => 2,
            Perspective::Implementation => 3,
        };
        self.weights[column]
    }
}

const B: Option<Severity> = Some(Severity::Blocker);
const M: Option<Severity> = Some(Severity::Major);
const N: Option<Severity> = Some(Severity::Minor);

const fn need(
    name: &'static str,
    names: &'static str,
    weights: [Option<Severity>; 4],
    advice: &'static str,
) -> Requirement {
    Requirement { name, names, weights, advice }
}

/// What a document of this kind needs. Weights: all, architecture, security, implementation.
pub(super) fn requirements(kind: Kind) -> &'static [Requirement] {
    match kind {
        Kind::Rfc => RFC,
        Kind::Adr => ADR,
        Kind::Prd => PRD,
        Kind::Spec => SPEC,
        Kind::Architecture => ARCHITECTURE,
        Kind::Research => RESEARCH,
        Kind::Guide => GUIDE,
        Kind::Document => &[],
    }
}

const RFC: &[Requirement] = &[
    need(
        "Summary",
        "summary|abstract|overview|tl dr|introduction",
        [M, M, N, N],
        "Say in one paragraph what is proposed and what it changes.",
    ),
    need(
        "Motivation",
        "motivation|problem|problem statement|background|context|why|rationale",
        [B, B, M, M],
        "Describe the problem, who has it, and what happens when nothing is done.",
    ),
    need(
        "Goals",
        "goals|objectives|requirements",
        [N, N, None, N],
        "List what the proposal must achieve, so that a reader can tell when it did.",
    ),
    need(
        "Non-Goals",
        "non goals|out of scope|scope|limitations",
        [N, M, None, N],
        "Say what is left out on purpose.",
    ),
    need(
        "Detailed Design",
        "design|detailed design|proposal|proposed solution|solution|specification|technical design|implementation details|guide level explanation|approach",
        [B, B, B, B],
        "Explain the design so that somebody else could build it: parts, interfaces, data, behaviour in cases of failure.",
    ),
    need(
        "Alternatives",
        "alternatives|alternatives considered|alternative|options considered|trade offs|prior art",
        [M, M, N, N],
        "Describe at least one other way and why it was not chosen.",
    ),
    need(
        "Security Considerations",
        "security|security considerations|threat model|privacy|security and privacy",
        [M, N, B, N],
        "Say who could misuse this and how that is prevented; \"none\" needs a reason.",
    ),
    need(
        "Performance Considerations",
        "performance|performance considerations|scalability|cost",
        [N, M, None, N],
        "State the expected load and the limits as numbers.",
    ),
    need(
        "Testing Strategy",
        "testing|testing strategy|test plan|tests|verification|validation",
        [M, N, N, M],
        "Say how it will be shown to work, with the cases that must fail.",
    ),
    need(
        "Migration and Rollout",
        "migration|rollout|migration and rollout|backward compatibility|compatibility|deployment|adoption|implementation plan|phases",
        [N, M, None, M],
        "Describe the steps from today's state, and how to go back.",
    ),
    need(
        "References",
        "references|related|related documents|related documentation|links|see also",
        [N, N, N, N],
        "Link the decisions, documents and sources this builds on.",
    ),
];

const ADR: &[Requirement] = &[
    need(
        "Context",
        "context|background|problem|problem statement|motivation|context and problem statement",
        [B, B, M, M],
        "Describe the forces that made a decision necessary.",
    ),
    need(
        "Decision",
        "decision|decision outcome|design|proposal|solution",
        [B, B, B, B],
        "State the decision in full sentences: \"We will …\".",
    ),
    need(
        "Consequences",
        "consequences|implications|outcome|impact|results",
        [M, M, M, M],
        "List what becomes easier and what becomes harder.",
    ),
    need(
        "Alternatives Considered",
        "alternatives|alternatives considered|considered options|options|trade offs",
        [N, M, N, N],
        "Name the other options and why they lost.",
    ),
    need(
        "References",
        "references|related|links|see also|more information",
        [N, N, N, N],
        "Link what the decision builds on or replaces.",
    ),
];

const PRD: &[Requirement] = &[
    need(
        "Problem Statement",
        "problem|problem statement|motivation|background|pain points",
        [B, M, M, M],
        "Describe the users' problem with evidence.",
    ),
    need(
        "Users",
        "users|user personas|personas|audience|target users|who is affected",
        [M, N, N, N],
        "Say for whom this is made.",
    ),
    need(
        "Success Metrics",
        "success metrics|metrics|success criteria|goals|objectives",
        [M, N, N, M],
        "Name measurable results and their targets.",
    ),
    need(
        "Requirements",
        "requirements|features|scope|functional requirements|user stories",
        [B, M, M, B],
        "List what it must do, in order of priority.",
    ),
    need(
        "Out of Scope",
        "out of scope|non goals|exclusions",
        [N, N, N, N],
        "Say what is left out on purpose.",
    ),
    need(
        "Risks",
        "risks|risks and mitigation|risks and mitigations|assumptions",
        [N, M, M, N],
        "Name what could go wrong and what is done about it.",
    ),
    need(
        "Timeline",
        "timeline|milestones|timeline and milestones|roadmap|phases",
        [N, None, None, M],
        "Give the order of delivery with milestones.",
    ),
];

const SPEC: &[Requirement] = &[
    need(
        "Context",
        "context|overview|purpose|introduction|summary|background",
        [M, M, N, N],
        "Say what the feature does and why it exists.",
    ),
    need(
        "Behaviors",
        "behaviors|behaviours|behavior|behaviour|scenarios|scenario|requirements|specification|interface|usage",
        [B, B, B, B],
        "Describe each behaviour as given, when, then.",
    ),
    need(
        "Acceptance Criteria",
        "acceptance criteria|success criteria|definition of done|criteria",
        [M, N, N, M],
        "List the conditions an implementation must meet, each one checkable.",
    ),
    need(
        "Error Cases",
        "error|errors|error cases|error handling|failure|failures|edge cases|edge case|invalid",
        [M, M, M, M],
        "Describe what happens with bad input and failing dependencies.",
    ),
    need(
        "Security",
        "security|security considerations|permissions|authorization",
        [None, None, M, None],
        "Say who may use it and what input can't be trusted.",
    ),
];

const ARCHITECTURE: &[Requirement] = &[
    need(
        "Overview",
        "overview|summary|executive summary|introduction|context|system context|purpose|what it is",
        [M, M, N, N],
        "Say what the system is for and what lies around it.",
    ),
    need(
        "Components",
        "components|component|parts|modules|structure|building blocks|layout|architecture|code map|crates|layers",
        [B, B, M, M],
        "Name the parts and what each one is responsible for.",
    ),
    need(
        "Data Flow",
        "data flow|flow|data|interactions|runtime|runtime view|lifecycle|how data flows|step by step|bird s eye view",
        [M, M, M, N],
        "Follow one request or document through the parts.",
    ),
    need(
        "Security",
        "security|trust|trust boundaries|safety|sandbox|permissions",
        [N, N, B, N],
        "Name the trust boundaries and what crosses them.",
    ),
    need(
        "Decisions",
        "decisions|decision log|design decisions|trade offs|invariants|concerns|rationale|principles|references",
        [N, M, N, N],
        "Link the decisions that shaped this.",
    ),
];

const RESEARCH: &[Requirement] = &[
    need(
        "Question",
        "question|questions|research question|problem|problem statement|goal|goals|purpose|objective|background|context|summary|executive summary|overview",
        [M, M, N, N],
        "Say what was to be found out, and why.",
    ),
    need(
        "Findings",
        "findings|results|analysis|evaluation|observations|comparison",
        [M, M, M, M],
        "Report what was found, with evidence.",
    ),
    need(
        "Conclusion",
        "conclusion|conclusions|recommendation|recommendations|next steps|decision",
        [M, M, N, M],
        "Say what follows from the findings.",
    ),
    need(
        "Sources",
        "sources|references|bibliography|links",
        [N, N, N, N],
        "Name the sources, so that the findings can be checked.",
    ),
];

const GUIDE: &[Requirement] = &[
    need(
        "Prerequisites",
        "prerequisites|requirements|before you begin|what you need|preparation|setup|installation",
        [N, N, N, N],
        "Say what must be there before the first step.",
    ),
    need(
        "Troubleshooting",
        "troubleshooting|problems|faq|common issues|when something goes wrong|errors|rollback",
        [N, N, N, M],
        "Describe the failures people meet and the way out.",
    ),
];
