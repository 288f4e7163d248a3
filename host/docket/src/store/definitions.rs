//! Finding definitions, templates and schemas: project, then the user's own, then built-in. What comes from a
//! project carries its relative path and bytes, so that trust can be checked against what is really used.

use std::path::{Path, PathBuf};

use docket_core::run::ProjectPath;

use super::{Home, Project, StoreError};

/// A file built into docket.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its name below `workflows/`, such as `rfc-review.yml` or `templates/review-prompts/rfc-all.md`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the project; the path is relative to its `.docket` folder. Needs trust.
    Project(String),
    /// In the user's own folder.
    Home(PathBuf),
    /// In docket itself.
    BuiltIn,
}

impl Origin {
    /// How it is shown and recorded.
    pub fn shown(&self) -> String {
        match self {
            Self::Project(path) => format!(".docket/{path}"),
            Self::Home(path) => path.display().to_string(),
            Self::BuiltIn => "built-in".to_owned(),
        }
    }
}

/// A text and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The text.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// Looks for definitions and what they refer to.
#[derive(Debug)]
pub struct Library<'a> {
    project: Option<&'a Project>,
    home: &'a Home,
    built_in: &'a [BuiltIn],
}

/// Extensions of definitions, in the order they are tried.
const EXTENSIONS: [&str; 2] = ["yml", "yaml"];

impl<'a> Library<'a> {
    /// Looks in these places.
    pub fn new(project: Option<&'a Project>, home: &'a Home, built_in: &'a [BuiltIn]) -> Self {
        Self { project, home, built_in }
    }

    /// The definition with this name. `None` when there is none.
    ///
    /// # Errors
    /// When a file that is there can't be read.
    pub fn definition(&self, name: &str) -> Result<Option<Found>, StoreError> {
        if ProjectPath::parse(name).is_err() || name.contains('/') {
            return Ok(None);
        }
        for extension in EXTENSIONS {
            let file = format!("{name}.{extension}");
            for folder in ["definitions/", ""] {
                if let Some(found) = self.look(&format!("{folder}{file}"), &file)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The names of all definitions, sorted, each with where it would be found.
    pub fn definition_names(&self) -> Vec<(String, Origin)> {
        let mut names: Vec<String> =
            self.built_in
                .iter()
                .filter(|file| !file.name.contains('/'))
                .filter_map(|file| definition_name(Path::new(file.name)))
                .chain(self.folders().into_iter().flat_map(|folder| {
                    ["definitions", ""].map(|inner| names_in(&folder.join(inner))).concat()
                }))
                .collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| {
                let origin = self.definition(&name).ok().flatten()?.origin;
                Some((name, origin))
            })
            .collect()
    }

    /// The prompt template with this name, as a definition writes it (`templates/…`).
    ///
    /// # Errors
    /// When a file that is there can't be read.
    pub fn template(&self, name: &str) -> Result<Option<Found>, StoreError> {
        if ProjectPath::parse(name).is_err() {
            return Ok(None);
        }
        match self.look(&format!("definitions/{name}"), name)? {
            Some(found) if found.origin != Origin::BuiltIn => Ok(Some(found)),
            _ => self.look(name, name),
        }
    }

    /// The schema with this name; `.schema.json` may be left out.
    ///
    /// # Errors
    /// When a file that is there can't be read.
    pub fn schema(&self, name: &str) -> Result<Option<Found>, StoreError> {
        if ProjectPath::parse(name).is_err() {
            return Ok(None);
        }
        let file = if name.ends_with(".json") { name.to_owned() } else { format!("{name}.schema.json") };
        for folder in ["schemas/", "definitions/", ""] {
            let name = format!("{folder}{file}");
            if let Some(found) = self.look(&name, &name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Names of templates and schemas below a folder such as `templates` or `schemas`, for suggestions.
    pub fn names_below(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .built_in
            .iter()
            .filter(|file| file.name.starts_with(&format!("{folder}/")))
            .map(|file| file.name.to_owned())
            .collect();
        for root in self.folders() {
            for entry in
                ignore::WalkBuilder::new(root.join(folder)).standard_filters(false).max_depth(Some(4)).build()
            {
                let Ok(entry) = entry else { continue };
                if let Some(name) = entry.path().strip_prefix(&root).ok().and_then(Path::to_str)
                    && entry.file_type().is_some_and(|kind| kind.is_file())
                {
                    names.push(name.to_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.project.map(Project::workflows).into_iter().chain([self.home.workflows()]).collect()
    }

    /// Looks for a file below the project's and the user's `workflows/` folders, then among the built-in ones.
    fn look(&self, name: &str, built_in: &str) -> Result<Option<Found>, StoreError> {
        if let Some(project) = self.project {
            let below = format!("workflows/{name}");
            let path = ProjectPath::parse(&format!("{}/{below}", super::project::FOLDER));
            if let Some(bytes) = path.ok().map(|path| project.read(&path)).transpose()?.flatten() {
                let shown = project.workflows().join(name);
                return Ok(Some(Found { text: text(bytes, &shown)?, origin: Origin::Project(below) }));
            }
        }
        let path = self.home.workflows().join(name);
        // It is trusted as it is, so it must be the user's own.
        if let Some(bytes) = self.home.read_private(&path)? {
            return Ok(Some(Found { text: text(bytes, &path)?, origin: Origin::Home(path) }));
        }
        let found = self.built_in.iter().find(|file| file.name == built_in);
        Ok(found.map(|file| Found { text: file.text.to_owned(), origin: Origin::BuiltIn }))
    }
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|cause| StoreError::BadConfig {
        path: path.to_owned(),
        detail: format!("not valid UTF-8 at byte {}", cause.utf8_error().valid_up_to()),
    })
}

fn definition_name(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    EXTENSIONS.contains(&extension).then(|| path.file_stem()?.to_str().map(str::to_owned))?
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| definition_name(&entry.ok()?.path())).collect()
}
