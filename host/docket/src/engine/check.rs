//! From a workflow's name to a checked definition, and whether what it uses of the project is trusted.

use docket_core::definition::{Workflow, check, closest};
use docket_core::run::sha256;

use super::error::Untrusted;
use super::surroundings::Today;
use super::{Engine, EngineError};
use crate::store::definitions::{Found, Origin};
use crate::store::trust::{Standing, Trust};

/// A definition that was found and checked.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name it was found by.
    pub name: String,
    /// Its text and where it was found.
    pub found: Found,
    /// What it says.
    pub workflow: Workflow,
}

impl Engine {
    /// Finds and checks a definition. Nothing in it is run, so it need not be trusted; plugins that are trusted look
    /// at their configs, in a sandbox without any grant.
    ///
    /// # Errors
    /// When there is none, or with all of its faults.
    pub fn definition(&self, name: &str) -> Result<Definition, EngineError> {
        let library = self.library();
        let Some(found) = library.definition(name)? else {
            let known: Vec<String> = library.definition_names().into_iter().map(|(name, _)| name).collect();
            return Err(EngineError::NoDefinition {
                name: name.to_owned(),
                similar: closest(name, known.iter().map(String::as_str)).map(str::to_owned),
                known,
            });
        };
        let source = match &found.origin {
            Origin::BuiltIn => format!("built-in {name}.yml"),
            origin => origin.shown(),
        };
        let workflow = self.check_text(&source, &found.text)?;
        Ok(Definition { name: name.to_owned(), found, workflow })
    }

    /// Checks a definition's text.
    ///
    /// # Errors
    /// All of its faults.
    pub fn check_text(&self, source: &str, text: &str) -> Result<Workflow, EngineError> {
        let today = Today::new(self.library(), self.plugins()).asking(&self.runtime, &self.setting().limits);
        let checked = check(source, text, &today);
        match today.into_refused() {
            Some(error) => Err(error.into()),
            None => checked.map_err(EngineError::Definition),
        }
    }

    /// Refuses a definition when it, a template or a schema it uses comes from the project and is not trusted as it
    /// is. Plugins are looked at when a stage needs them.
    ///
    /// # Errors
    /// [`EngineError::NotTrusted`] with everything that is not.
    pub fn require_trust(&self, definition: &Definition) -> Result<(), EngineError> {
        let library = self.library();
        let mut used = vec![definition.found.clone()];
        for workflow in definition.workflow.with_nested() {
            // Where it lies today, and the text that is used: it could have been changed between the two looks.
            for (name, text) in &workflow.templates {
                used.extend(library.template(name)?.map(|found| Found { text: text.clone(), ..found }));
            }
            for (name, nested) in &workflow.workflows {
                used.extend(
                    library.definition(name)?.map(|found| Found { text: nested.text.clone(), ..found }),
                );
            }
            for name in workflow.schemas.keys() {
                used.extend(library.schema(name)?);
            }
        }
        let used: Vec<(String, String)> = used
            .into_iter()
            .filter_map(|found| match found.origin {
                Origin::Project(path) => Some((path, sha256(found.text.as_bytes()))),
                _ => None,
            })
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        let trust = Trust::load(&self.setting().home)?;
        let root = self.setting().project.root();
        let untrusted: Vec<Untrusted> = used
            .into_iter()
            .map(|(path, hash)| {
                let standing = trust.standing(root, &path, &hash);
                Untrusted {
                    path: format!(".docket/{path}"),
                    standing,
                    capabilities: Vec::new(),
                    pinned: None,
                }
            })
            .filter(|item| item.standing != Standing::Trusted)
            .collect();
        if untrusted.is_empty() { Ok(()) } else { Err(EngineError::NotTrusted(untrusted)) }
    }
}
