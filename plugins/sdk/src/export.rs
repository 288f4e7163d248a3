//! The wiring between the contract's raw types and this crate's. Only [`crate::plugin!`] uses it.

use crate::{Error, Outcome, Request, Stage};

use bindings::docket::stage::types;
pub use bindings::docket::stage::types::Fault as WireFault;
pub use bindings::exports::docket::stage::stage::Guest;

/// What the contract's `run` returns.
pub type RunResult = Result<types::Outcome, types::StageError>;

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated from wit/stage.wit, which is documented")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "stage-plugin",
        pub_export_macro: true,
        default_bindings_module: "docket_plugin::export::bindings",
        generate_all,
    });
}

/// Runs `S` on a request in JSON.
///
/// # Errors
/// The stage's own error, or `request-unreadable` when docket and the plugin disagree about the request.
pub fn run<S: Stage>(request: &str) -> RunResult {
    let outcome = serde_json::from_str::<Request>(request)
        .map_err(|cause| {
            Error::new("request-unreadable", format!("BUG: docket's request can't be read: {cause}"))
        })
        .and_then(|request| S::run(&request));
    match outcome {
        Ok(Outcome::Completed(result)) => Ok(types::Outcome::Completed(result.to_string())),
        Ok(Outcome::Waiting(question)) => Ok(types::Outcome::Waiting(types::Question {
            prompt: question.prompt,
            schema: question.schema.map(|schema| schema.to_string()),
        })),
        Err(error) => Err(types::StageError {
            code: error.code,
            message: error.message,
            hint: error.hint,
            retryable: error.retryable,
        }),
    }
}

/// Asks `S` about a config in JSON.
pub fn check<S: Stage>(stage_type: &str, config: &str) -> Vec<WireFault> {
    let config = match serde_json::from_str(config) {
        Ok(config) => config,
        Err(cause) => {
            let message = format!("BUG: docket's config can't be read: {cause}");
            return vec![WireFault { pointer: String::new(), message, hint: None }];
        }
    };
    S::check(stage_type, &config)
        .into_iter()
        .map(|fault| WireFault { pointer: fault.pointer, message: fault.message, hint: fault.hint })
        .collect()
}
