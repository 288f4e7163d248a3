//! Finding the folders of a project that a glob matches. Links are not followed, what is kept from plugins is not
//! looked into, and neither is more than a bounded number of folders. Must not mount anything.

use std::io;

use cap_std::fs::Dir;

use super::files::{MAX_DEPTH, named, open_folder};
use crate::plugin::grants::{FolderPattern, GrantError};

/// Most folders that one glob may match: each is a handle in every stage of the plugin.
const MAX_MATCHES: usize = 100;
/// Most folders that are looked into for one glob.
const MAX_LOOKED_INTO: usize = 20_000;

/// The folders that match and their places below the project, by place. One that lies in another one that matches is
/// not listed: it is part of that. Folders that the user may not read are left out.
///
/// # Errors
/// When the part of the glob that is written out leads through a link, or there are more folders than are looked at
/// (a [`GrantError`] inside).
pub(super) fn matching(project: &Dir, pattern: &FolderPattern) -> io::Result<Vec<(Dir, String)>> {
    let mut folder = project.try_clone()?;
    let mut place = String::new();
    for part in pattern.stem() {
        folder = match open_folder(&folder, part) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(|cause| named(cause, &pattern.text))?,
        };
        place.push_str(part);
        place.push('/');
    }
    let mut walk = Walk { pattern, found: Vec::new(), looked_into: 0 };
    walk.below(&folder, &place, pattern.stem().count())?;
    walk.found.sort_by(|(_, left), (_, right)| left.cmp(right));
    Ok(walk.found)
}

struct Walk<'a> {
    pattern: &'a FolderPattern,
    found: Vec<(Dir, String)>,
    looked_into: usize,
}

impl Walk<'_> {
    /// Looks at the folders in a folder; `place` ends with `/`, or is empty for the project itself.
    fn below(&mut self, folder: &Dir, place: &str, depth: usize) -> io::Result<()> {
        self.looked_into += 1;
        if self.looked_into > MAX_LOOKED_INTO {
            return Err(self.too_much(format!("leads through more than {MAX_LOOKED_INTO} folders")));
        }
        for entry in folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !entry.file_type()?.is_dir() || !self.pattern.enters(&name) {
                continue;
            }
            let inner = match open_folder(folder, &name) {
                // Gone meanwhile, turned into a link meanwhile, or not the user's to read.
                Err(_) => continue,
                Ok(inner) => inner,
            };
            let place = format!("{place}{name}");
            if self.pattern.matches(&place) {
                self.found.push((inner, place));
                if self.found.len() > MAX_MATCHES {
                    return Err(self.too_much(format!("matches more than {MAX_MATCHES} folders")));
                }
            } else if self.pattern.depth().is_none_or(|most| depth + 1 < most) {
                if depth >= MAX_DEPTH {
                    return Err(self.too_much(format!("leads through folders more than {MAX_DEPTH} deep")));
                }
                self.below(&inner, &format!("{place}/"), depth + 1)?;
            }
        }
        Ok(())
    }

    fn too_much(&self, problem: String) -> io::Error {
        io::Error::other(GrantError::Folders { pattern: self.pattern.text.clone(), problem })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use docket_core::run::ProjectPath;

    use super::*;
    use crate::plugin::manifest::Capabilities;
    use crate::plugin::{Grants, grants::ReadGrant};

    fn found(project: &Path, pattern: &str) -> Result<Vec<String>, String> {
        let asked = Capabilities { read: vec![pattern.to_owned()], ..Capabilities::default() };
        let grants = Grants::resolve(&asked, &serde_json::Value::Null).expect("a glob");
        let [ReadGrant::Folders(pattern)] = grants.read.as_slice() else { panic!("no glob: {pattern}") };
        let project = Dir::open_ambient_dir(project, cap_std::ambient_authority()).expect("there");
        matching(&project, pattern)
            .map(|found| found.into_iter().map(|(_, place)| place).collect())
            .map_err(|cause| cause.to_string())
    }

    fn make(project: &Path, folders: &[&str]) {
        for folder in folders {
            assert!(ProjectPath::parse(folder).is_ok());
            std::fs::create_dir_all(project.join(folder)).expect("created");
        }
    }

    #[test]
    fn folders_are_found_and_secrets_links_and_files_are_not() {
        let project = tempfile::tempdir().expect("a folder");
        let project = project.path();
        make(
            project,
            &["packages/a/docs/inner/docs", "packages/b/docs", "packages/c/src", "docs/adr", "adr"],
        );
        make(project, &[".git/docs", ".docket/adr", ".env.d/adr", ".github/docs", "packages/.git/docs"]);
        std::fs::write(project.join("packages/docs"), "a file").expect("written");
        std::os::unix::fs::symlink("packages/a", project.join("linked")).expect("linked");
        std::os::unix::fs::symlink("a", project.join("packages/linked")).expect("linked");
        let all = |pattern: &str| found(project, pattern).expect(pattern);
        assert_eq!(all("packages/*/docs"), ["packages/a/docs", "packages/b/docs"]);
        assert_eq!(all("**/adr"), ["adr", "docs/adr"]);
        assert_eq!(all("**"), ["adr", "docs", "packages"]);
        assert_eq!(all(".github/*"), [".github/docs"]);
        assert_eq!(all("packages/{a,c}"), ["packages/a", "packages/c"]);
        assert_eq!(all("packages/[!a]"), ["packages/b", "packages/c"]);
        assert!(all("missing/*").is_empty() && all("packages/*/nothing").is_empty());
        assert!(found(project, "linked/*").expect_err("a link").contains("linked/*"));
    }

    #[test]
    fn there_are_bounds() {
        let project = tempfile::tempdir().expect("a folder");
        let names: Vec<String> = (0..=MAX_MATCHES).map(|number| format!("many/{number}")).collect();
        make(project.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
        let refused = found(project.path(), "many/*").expect_err("too many");
        assert!(refused.contains("many/*") && refused.contains("100 folders"), "{refused}");
        make(project.path(), &[&["d"; MAX_DEPTH + 3].join("/")]);
        let refused = found(project.path(), "**/x").expect_err("too deep");
        assert!(refused.contains("64 deep"), "{refused}");
        // What can't be that deep is not looked for there.
        assert!(found(project.path(), "*/x").expect("fine").is_empty());
    }
}
