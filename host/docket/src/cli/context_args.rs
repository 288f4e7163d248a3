//! Arguments of `docket context`.

use clap::Args;

/// Arguments of `context`.
#[derive(Debug, Args)]
pub struct ContextArguments {
    /// The document: a path, or an id that its file name begins with; without one, the project as a whole
    pub document: Option<String>,
    /// What the context is for: rfc-review, adr-review, spec-validation or session-start; by the document's kind when
    /// left out
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Gather only this, instead of what the strategy gathers; several with commas, or repeated
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub include: Vec<String>,
    /// How many tokens the package may have; what has no room is listed
    #[arg(long, value_name = "TOKENS")]
    pub budget: Option<u64>,
}
