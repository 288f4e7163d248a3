//! Write a docket stage type: implement [`Stage`], name it in [`plugin!`], build for `wasm32-wasip2`.
//!
//! ```ignore
//! use docket_plugin::{Error, Outcome, Request, Stage, json, plugin};
//! struct Hello;
//! impl Stage for Hello {
//!     fn run(request: &Request) -> Result<Outcome, Error> {
//!         Ok(Outcome::Completed(json!({ "greeting": format!("hello from {}", request.stage) })))
//!     }
//! }
//! plugin!(Hello, manifest = "../manifest.json");
//! ```
//!
//! The contract itself, with everything a plugin may rely on, is `wit/stage.wit`. This crate adds types and
//! nothing else: it must not do for docket's own plugins what a third party's can't do. Built for another target
//! than WebAssembly it still compiles, so that a plugin's logic can be tested with plain `cargo test`; only
//! [`process::spawn`] then answers with an error.

pub mod guest_path;
mod outcome;
pub mod process;
pub mod report;
mod request;

pub use outcome::{Error, Fault, Outcome, Question};
pub use request::{Agent, Profile, Reference, Request};
pub use serde_json::{Value, json};

/// A stage type. One component may serve several: `request.stage_type` tells which is asked for.
pub trait Stage {
    /// Does the work of one stage and returns its result.
    ///
    /// # Errors
    /// What kept the stage from doing its work, for the user to read. A panic is shown as a bug of the plugin.
    fn run(request: &Request) -> Result<Outcome, Error>;

    /// Says what is wrong with a config beyond what the manifest's schema says. Expressions are unevaluated.
    fn check(stage_type: &str, config: &Value) -> Vec<Fault> {
        let _ = (stage_type, config);
        Vec::new()
    }
}

/// Makes a component of a type that implements [`Stage`]: exports the contract and embeds the manifest file,
/// whose path is relative to the source file, as the custom section `docket:manifest`.
#[macro_export]
macro_rules! plugin {
    ($stage:ty, manifest = $path:literal) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const TEXT: &[u8] = include_bytes!($path);
            #[allow(unsafe_code, reason = "a custom section can be had in no other way")]
            #[unsafe(link_section = "docket:manifest")]
            #[used]
            static MANIFEST: [u8; TEXT.len()] = *include_bytes!($path);

            struct Exported;
            impl $crate::export::Guest for Exported {
                fn run(request: String) -> $crate::export::RunResult {
                    $crate::export::run::<$stage>(&request)
                }
                fn check(stage_type: String, config: String) -> Vec<$crate::export::WireFault> {
                    $crate::export::check::<$stage>(&stage_type, &config)
                }
            }
    $crate::export::bindings::export!(Exported with_types_in $crate::export::bindings);
        };
    };
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod export;
