//! Where outputs are kept: paths below a run's folder, checked as text.
//!
//! A definition may write `.docket/workflows/{workflow_id}/x.json`, as older ones do; that is the run's folder, and
//! the path is kept without it. Must not allow a path that leads out of the folder or onto docket's own files.

use super::{ExpressionError, Scope, Template};

/// What older definitions write before a path in the run's folder.
const RUN_FOLDER: [&str; 3] = [
    ".docket/workflows/{workflow_id}/",
    ".docket/workflows/${workflow_id}/",
    ".docket/workflows/${{ workflow_id }}/",
];
/// What docket itself keeps in the run's folder.
const KEPT: [&str; 11] = [
    "journal.jsonl",
    "state.json",
    "logs.txt",
    "lock",
    "definition.yml",
    "inputs.json",
    "inbox",
    "blobs",
    "work",
    "owner.log",
    "claims.jsonl",
];
/// Bytes a path may have.
const MAX_LENGTH: usize = 512;

/// The path without the run's folder in front.
///
/// # Errors
/// When it lies in docket's folder but not in the run's, or its fixed parts are unsafe.
pub(super) fn in_run_folder(path: &Template) -> Result<Template, ExpressionError> {
    let stripped = RUN_FOLDER.iter().find_map(|folder| path.without_prefix(folder));
    let path = stripped.unwrap_or_else(|| path.clone());
    // What expressions will put in is not known yet; a letter stands for it, and the real text is checked later.
    let text: String = path
        .parts()
        .iter()
        .map(|part| match part {
            super::template::Part::Literal(text) => text.as_str(),
            super::template::Part::Expression { .. } => "x",
        })
        .collect();
    check(&text)?;
    Ok(path)
}

/// The path of an output in a run, relative to the run's folder.
///
/// # Errors
/// When an expression in it can't be evaluated, or what comes out is unsafe.
pub fn output_path(path: &Template, scope: &Scope<'_>) -> Result<String, ExpressionError> {
    let text = path.text(scope)?;
    check(&text)?;
    Ok(text)
}

fn check(text: &str) -> Result<(), ExpressionError> {
    let problem = if text.is_empty() {
        "is empty"
    } else if text.len() > MAX_LENGTH {
        "is too long"
    } else if text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
        "is absolute"
    } else if text.contains('\\') || text.chars().any(char::is_control) {
        "has a backslash or a control character"
    } else if text.starts_with("results/") && text.contains("/attempt-") {
        "lies where docket keeps the records of processes"
    } else if text.split('/').any(|part| part == "..") {
        "leads out of the run's folder ('..')"
    } else if text.split('/').any(|part| part.is_empty() || part == ".") {
        "has an empty part"
    } else if text
        .split('/')
        .any(|part| part.eq_ignore_ascii_case(".docket") || part.eq_ignore_ascii_case(".git"))
    {
        "lies in a folder that is docket's or git's own"
    } else if KEPT
        .iter()
        .any(|name| text.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(name)))
    {
        "is a file that docket keeps there itself"
    } else {
        return Ok(());
    };
    Err(ExpressionError::new(format!("the output path '{}' {problem}", super::fault::visible(text)))
        .hint("write a path relative to the run's folder, such as review-results.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(path: &str) -> Result<String, String> {
        let template = Template::parse(path).map_err(|error| error.message)?;
        in_run_folder(&template).map(|path| path.source().to_owned()).map_err(|error| error.message)
    }

    #[test]
    fn the_run_folder_is_left_out() {
        assert_eq!(kept(".docket/workflows/{workflow_id}/a/b.json").as_deref(), Ok("a/b.json"));
        assert_eq!(
            kept(".docket/workflows/${{ workflow_id }}/x-{date}.json").as_deref(),
            Ok("x-{date}.json")
        );
        assert_eq!(kept("review.json").as_deref(), Ok("review.json"));
    }

    #[test]
    fn unsafe_paths_are_refused() {
        for path in [
            "",
            "/etc/x",
            "../x",
            "a/../../x",
            "a//b",
            "C:/x",
            "a\\b",
            ".docket/config.yml",
            "journal.jsonl",
            ".docket/workflows/{workflow_id}/state.json",
            ".docket/workflows/other/x.json",
            "a/./b",
            "x/.git/y",
        ] {
            assert!(kept(path).is_err(), "{path}");
        }
    }
}
