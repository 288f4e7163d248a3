//! Whether an agent may do what it asks to be allowed. Default deny: what is not plainly reading is refused, and nothing
//! is allowed for longer than once unless the user allowed everything.
//!
//! Agents say themselves what kind of work a tool does, so this keeps a well-meaning agent from following a document's
//! bad advice; it is no sandbox around a hostile program.

use std::path::{Component, Path};

use agent_client_protocol_schema::v1::{
    PermissionOption, PermissionOptionKind, RequestPermissionOutcome, SelectedPermissionOutcome, ToolKind,
};
use serde::Deserialize;

/// What an agent is allowed when it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Permissions {
    /// Nothing.
    Reject,
    /// To read and search in the project, and to think.
    #[default]
    Read,
    /// Everything.
    All,
}

impl Permissions {
    /// As the profile writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Read => "read",
            Self::All => "all",
        }
    }

    /// Whether something is allowed. `kinds` is all that was said of what kind it is, `paths` what it would touch.
    pub(crate) fn allow(self, kinds: &[ToolKind], paths: &[&Path], project: &Path) -> bool {
        match self {
            Self::Reject => false,
            Self::All => true,
            Self::Read => {
                !kinds.is_empty()
                    && kinds
                        .iter()
                        .all(|kind| matches!(kind, ToolKind::Read | ToolKind::Search | ToolKind::Think))
                    && paths.iter().all(|path| is_below(path, project))
            }
        }
    }

    /// The answer to an agent, among the options it gives.
    pub(crate) fn outcome(self, allowed: bool, options: &[PermissionOption]) -> RequestPermissionOutcome {
        use PermissionOptionKind::{AllowAlways, AllowOnce, RejectAlways, RejectOnce};
        let wanted: &[PermissionOptionKind] = match (allowed, self) {
            (true, Self::All) => &[AllowOnce, AllowAlways],
            (true, _) => &[AllowOnce],
            (false, _) => &[RejectOnce, RejectAlways],
        };
        let of_kind = |kind: &PermissionOptionKind| options.iter().find(|option| option.kind == *kind);
        match wanted.iter().find_map(of_kind) {
            Some(option) => {
                RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(option.option_id.clone()))
            }
            None => RequestPermissionOutcome::Cancelled,
        }
    }
}

/// Whether a path is plainly one below a folder. The text of a path is all there is to go by.
fn is_below(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder) && !path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    #[test]
    fn only_what_is_plainly_reading_is_allowed_by_default() {
        let project = Path::new("/home/me/project");
        let allow = |policy: Permissions, kinds: &[ToolKind], path: &str| {
            policy.allow(kinds, &[Path::new(path)], project)
        };
        let inside = "/home/me/project/docs/a.md";
        let read = Permissions::default();
        assert!(allow(read, &[ToolKind::Read], inside) && allow(read, &[ToolKind::Search; 2], inside));
        for kind in [
            ToolKind::Edit,
            ToolKind::Delete,
            ToolKind::Move,
            ToolKind::Execute,
            ToolKind::Fetch,
            ToolKind::SwitchMode,
            ToolKind::Other,
        ] {
            assert!(!allow(read, &[kind], inside), "{kind:?}");
            assert!(!allow(read, &[ToolKind::Read, kind], inside), "said to be both");
            assert!(allow(Permissions::All, &[kind], "/etc/passwd"));
        }
        assert!(!allow(read, &[], inside), "nothing was said");
        for outside in
            ["/home/me/.ssh/id", "/home/me/project/../.ssh/id", "docs/a.md", "/home/me/project-2/a"]
        {
            assert!(!allow(read, &[ToolKind::Read], outside), "{outside}");
        }
        assert!(!allow(Permissions::Reject, &[ToolKind::Read], inside));
    }

    #[test]
    fn nothing_is_allowed_for_longer_than_it_has_to_be() {
        let options = |kinds: &[&str]| -> Vec<PermissionOption> {
            let option = |kind: &&str| json!({ "optionId": kind, "name": kind, "kind": kind });
            serde_json::from_value(kinds.iter().map(option).collect()).expect("options")
        };
        let chosen = |policy: Permissions, allowed, kinds: &[&str]| {
            let outcome = policy.outcome(allowed, &options(kinds));
            let outcome = serde_json::to_value(outcome).expect("JSON");
            outcome["optionId"].as_str().unwrap_or("cancelled").to_owned()
        };
        let all = ["allow_always", "allow_once", "reject_always", "reject_once"];
        assert_eq!(chosen(Permissions::Read, true, &all), "allow_once");
        assert_eq!(chosen(Permissions::Read, true, &["allow_always", "reject_once"]), "cancelled");
        assert_eq!(chosen(Permissions::All, true, &["allow_always", "reject_once"]), "allow_always");
        assert_eq!(chosen(Permissions::Read, false, &all), "reject_once");
        assert_eq!(chosen(Permissions::All, false, &["allow_once", "reject_always"]), "reject_always");
        assert_eq!(chosen(Permissions::Read, false, &["allow_once"]), "cancelled");
    }
}
