//! What several launchers have to say about a profile. Must not know any launcher.

use docket_plugin::{Error, Profile};

/// Refuses a model that is named and can't be passed on: another one would do the work without a word.
///
/// # Errors
/// `option-unknown`, with the launcher's advice where to say the model.
pub fn refuse_model(profile: &Profile, launcher: &str, advice: &str) -> Result<(), Error> {
    if profile.model.is_none() {
        return Ok(());
    }
    let name = &profile.name;
    let message = format!("profile '{name}' names a model, which the launcher '{launcher}' can't pass on");
    Err(Error::new("option-unknown", message).hint(advice))
}
