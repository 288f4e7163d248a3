//! What a profile's `options` can say for this launcher.

use serde::Deserialize;

use crate::permission::Permissions;

/// The options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// What the agent is allowed when it asks.
    pub(crate) permissions: Permissions,
    /// The session mode it works in, by its id; see [`crate::session`] for what is chosen without it.
    pub(crate) mode: Option<String>,
    /// How it logs in if it must, by the method's id.
    pub(crate) auth_method: Option<String>,
}
