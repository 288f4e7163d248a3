//! Arguments of the commands about runs that several of them share, or that are many.

use clap::Args;
use docket_core::{Budget, Dollars};

/// What a run may use in all.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct BudgetArguments {
    /// The most the run may cost, in US dollars, as far as its agents say what they cost
    #[arg(long, value_name = "USD", value_parser = parse_dollars)]
    pub budget_usd: Option<Dollars>,
    /// The most tokens the run may use: read, read from a cache, and written
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub budget_tokens: Option<u64>,
    /// The most processes the run's stages may start
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub budget_launches: Option<u64>,
}

impl BudgetArguments {
    /// The budget they name.
    pub fn budget(self) -> Budget {
        Budget { usd: self.budget_usd, tokens: self.budget_tokens, launches: self.budget_launches }
    }
}

fn parse_dollars(text: &str) -> Result<Dollars, String> {
    let dollars = Dollars::parse(text).filter(|dollars| !dollars.is_nothing());
    dollars.ok_or_else(|| "not an amount of US dollars above 0, such as 2.50".to_owned())
}

/// Which part of a log.
#[derive(Debug, Clone, Default, Args)]
pub struct LogArguments {
    /// Go on showing what is added until the run is over, whoever runs it; Ctrl-C ends it
    #[arg(long, short)]
    pub follow: bool,
    /// Only what is about this stage
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// What the stage's processes printed, attempt by attempt, instead of the log
    #[arg(long, requires = "stage", conflicts_with = "follow")]
    pub transcript: bool,
    /// Only this attempt
    #[arg(long, value_name = "NUMBER", requires = "transcript")]
    pub attempt: Option<u32>,
}
