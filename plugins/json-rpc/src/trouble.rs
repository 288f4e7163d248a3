//! Why a request got no answer, and the error that a user reads about it. Must not decide what follows from it.

use docket_launcher::tail::described;
use docket_launcher::words::cut;
use docket_plugin::Error;
use docket_plugin::dialogue::SendError;
use docket_plugin::process::ExitStatus;

use crate::message::Refusal;

/// How much of a peer's own words about an error is shown.
const SHOWN_CHARACTERS: usize = 1_000;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The program answered with an error.
    Refused(Refusal),
    /// It said nothing for so many seconds.
    Silent(u64),
    /// It ended.
    Gone(ExitStatus),
    /// It could not be told.
    Unsent(SendError),
    /// A message of more than so many MiB.
    TooLarge(usize),
    /// The launcher had enough of what it heard.
    Ended(Error),
}

impl Trouble {
    /// The error for a user. `program` is who was asked, `method` for what.
    pub(crate) fn error(self, program: &str, method: &str) -> Error {
        match self {
            Self::Refused(refusal) => {
                let data = refusal.data.map(|data| format!("; {data}")).unwrap_or_default();
                let said = cut(&format!("{}{data}", refusal.message), SHOWN_CHARACTERS);
                let message =
                    format!("'{program}' answered {method} with an error: {said} (code {})", refusal.code);
                Error::new("agent-failed", message).retryable()
            }
            Self::Silent(seconds) => {
                let message =
                    format!("'{program}' said nothing for {seconds} s after {method} and was stopped");
                Error::new("agent-idle", message)
                    .hint(
                        "raise `idle_timeout` in the launcher profile if the agent may be silent for longer",
                    )
                    .retryable()
            }
            Self::Gone(exit) => {
                let message =
                    format!("'{program}' ended with {} before it answered {method}", described(&exit));
                Error::new("agent-interrupted", message)
                    .hint("run the profile's command by hand to see what is wrong")
                    .retryable()
            }
            Self::Unsent(error) => error.into(),
            Self::TooLarge(mebibytes) => {
                let message = format!("'{program}' sent a message of more than {mebibytes} MiB");
                Error::new("agent-output-too-large", message).hint("have the agent answer with less")
            }
            Self::Ended(error) => error,
        }
    }
}
