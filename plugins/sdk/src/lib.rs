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
//! plugin!(Hello);
//! ```
//!
//! That is a whole plugin: its manifest is made from the package's `Cargo.toml`. `docket plugin new` makes the files
//! around it.
//!
//! The contract itself, with everything a plugin may rely on, is `wit/stage.wit`. This crate adds types and
//! nothing else: it must not do for docket's own plugins what a third party's can't do. Built for another target
//! than WebAssembly it still compiles, so that a plugin's logic can be tested with plain `cargo test`; only
//! [`process::spawn`] and [`dialogue::open`] then answer with an error.

pub mod answer;
pub mod dialogue;
pub mod guest_path;
#[doc(hidden)]
pub mod manifest;
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

/// Makes a component of a type that implements [`Stage`]: exports the contract and embeds a manifest as the custom
/// section `docket:manifest`.
///
/// - `plugin!(Hello);` makes the manifest from the package's `Cargo.toml`: name, version and description are the
///   package's, the stage type is the package's name, config and result are objects with any fields, and nothing is
///   asked for.
/// - `plugin!(Hello, read = ["docs"], write = ["docs/reports/**"]);` also asks for these paths.
/// - `plugin!(Hello, manifest = "../manifest.json");` embeds a file, whose path is relative to the source file: for
///   schemas of config and result, several stage types, launchers, and everything else a manifest can say.
#[macro_export]
macro_rules! plugin {
    ($stage:ty, manifest = $path:literal $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const LENGTH: usize = include_bytes!($path).len();
            $crate::__component!($stage, LENGTH, *include_bytes!($path));
        };
    };
    ($stage:ty $(, read = [$($read:literal),* $(,)?])? $(, write = [$($write:literal),* $(,)?])? $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const ABOUT: $crate::manifest::Manifest<'static> = $crate::manifest::Manifest {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                description: env!("CARGO_PKG_DESCRIPTION"),
                read: &[$($($read),*)?],
                write: &[$($($write),*)?],
            };
            const LENGTH: usize = $crate::manifest::length(&ABOUT);
            $crate::__component!($stage, LENGTH, $crate::manifest::text::<LENGTH>(&ABOUT));
        };
    };
}

/// The part of [`plugin!`] that is the same wherever the manifest comes from.
#[doc(hidden)]
#[macro_export]
macro_rules! __component {
    ($stage:ty, $length:expr, $manifest:expr) => {
        #[allow(unsafe_code, reason = "a custom section can be had in no other way")]
        #[unsafe(link_section = "docket:manifest")]
        #[used]
        static MANIFEST: [u8; $length] = $manifest;

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
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod export;
