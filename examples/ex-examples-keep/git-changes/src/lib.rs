//! The stage type `git-changes`: which commits were made lately, what each changed, and what changed together with a
//! document. Reads the granted `.git` folder by itself: there is no git program in a sandbox. Must not write anything.

mod changes;
mod history;
pub mod repository;

use std::path::Path;

use docket_plugin::{Error, Outcome, Request, Stage, Value, json, plugin, report};
use serde::{Deserialize, Serialize};

use repository::Repository;

/// Where the granted folder lies in the sandbox.
const GIT_FOLDER: &str = "/project/.git";
/// Most commits; the manifest's schema says the same.
const MOST_COMMITS: usize = 500;

/// The stage type.
pub struct GitChanges;

/// A stage's config. Its fields are described in the manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file of the project.
    pub document: Option<String>,
    /// How many commits to look back.
    #[serde(default = "usual_commits")]
    pub commits: usize,
}

fn usual_commits() -> usize {
    20
}

/// A stage's result, as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Hash of its newest commit.
    pub head: Option<String>,
    /// Whether older commits are not there.
    pub shallow: bool,
    /// The last commits, newest first.
    pub commits: Vec<history::CommitChanges>,
    /// What changed together with the config's document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<history::Together>,
}

impl Stage for GitChanges {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let config: Config = request.config()?;
        report::progress("Reading the git history");
        let found = changes_in(Path::new(GIT_FOLDER), &config)?;
        report::progress(format!("Read {} commits", found.commits.len()));
        Ok(Outcome::Completed(json!(found)))
    }

    fn check(_stage_type: &str, _config: &Value) -> Vec<docket_plugin::Fault> {
        Vec::new() // the manifest's schema says everything there is to say
    }
}

/// What a stage with this config finds in a `.git` folder.
///
/// # Errors
/// When the folder is no repository that can be read; the code says which way.
pub fn changes_in(folder: &Path, config: &Config) -> Result<Changes, Error> {
    let mut repository = Repository::open(folder)?;
    let head = repository.head()?;
    let commits = match &head.commit {
        Some(commit) => history::last_commits(&mut repository, *commit, config.commits.min(MOST_COMMITS))?,
        None => Vec::new(),
    };
    let document = config.document.as_deref().map(|path| history::together(path, &commits));
    Ok(Changes {
        branch: head.branch,
        head: head.commit.map(|hash| hash.to_string()),
        shallow: repository.is_shallow(),
        commits: commits.into_iter().map(history::CommitChanges::shortened).collect(),
        document,
    })
}

plugin!(GitChanges, manifest = "../manifest.json");
