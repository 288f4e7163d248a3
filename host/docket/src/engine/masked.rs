//! Values of granted variables taken out of everything a stage says, at the one place where it comes in: its notices,
//! and how it ended. What a stage proposes to write stays as it is: files are checked against grants and shown as a
//! difference, and a changed byte would be damage.

use std::sync::{Arc, Mutex, PoisonError};

use docket_core::run::{Failure, Notice};
use docket_core::secret::Secrets;

use crate::plugin::Outcome;
use crate::plugin::host::Notices;

/// Notices without secrets. A value that is broken over several log lines is masked in each.
pub(super) fn notices(inner: Notices, secrets: &Secrets) -> Notices {
    if secrets.is_empty() {
        return inner;
    }
    let streams = Mutex::new((secrets.stream(), secrets.stream()));
    Arc::new(move |notice| {
        let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
        inner(match notice {
            Notice::Log { level, text } => Notice::Log { level, text: streams.0.line(&text) },
            Notice::Progress(text) => Notice::Progress(streams.1.line(&text)),
            Notice::Usage(usage) => Notice::Usage(usage),
        });
    })
}

/// How a stage ended, without secrets.
pub(super) fn outcome(mut outcome: Outcome, secrets: &Secrets) -> Outcome {
    match &mut outcome {
        Outcome::Completed { result, .. } => secrets.mask_json(result),
        Outcome::Waiting(question) => {
            question.prompt = secrets.mask(&question.prompt);
            if let Some(schema) = &mut question.schema {
                secrets.mask_json(schema);
            }
        }
        Outcome::Failed(failure) => mask_failure(failure, secrets),
        Outcome::Cancelled => {}
    }
    outcome
}

fn mask_failure(failure: &mut Failure, secrets: &Secrets) {
    failure.code = secrets.mask(&failure.code);
    // A failure quotes last words, cut to what fits.
    failure.message = secrets.mask_cut(&failure.message);
    failure.hint = failure.hint.as_deref().map(|hint| secrets.mask_cut(hint));
    if let Some(rejected) = &mut failure.rejected {
        secrets.mask_json(rejected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_core::run::Question;
    use serde_json::json;

    #[test]
    fn every_way_of_ending_is_masked() {
        let secrets = Secrets::new([("K", "hidden-value")]);
        let question =
            Question { prompt: "say hidden-value".into(), schema: Some(json!({ "const": "hidden-value" })) };
        let failure = Failure::new("hidden-value", "hidden-value").hint("hidden-value");
        for ended in [
            Outcome::Waiting(question),
            Outcome::Failed(failure.rejected(json!(["hidden-value"]))),
            Outcome::Completed {
                result: json!({ "a": "aGlkZGVuLXZhbHVl" }),
                writes: Vec::new(),
                seen: Default::default(),
                since: std::time::SystemTime::UNIX_EPOCH,
            },
        ] {
            let shown = format!("{:?}", outcome(ended, &secrets));
            assert!(shown.contains("•••[K]"), "{shown}");
            assert!(!shown.contains("hidden-value") && !shown.contains("aGlkZGVu"), "{shown}");
        }
    }

    #[test]
    fn notices_are_masked_across_lines() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let inner = Arc::clone(&heard);
        let inner: Notices = Arc::new(move |notice| inner.lock().expect("whole").push(notice));
        let told = notices(inner, &Secrets::new([("K", "hidden-value")]));
        for text in ["the hidden", "-value", "hidden-value"] {
            told(Notice::Log { level: "info", text: text.into() });
        }
        told(Notice::Progress("hidden-value".into()));
        let heard = format!("{:?}", heard.lock().expect("whole"));
        assert!(!heard.contains("hidden") && !heard.contains("value"), "{heard}");
    }
}
