//! Telling what a stage is doing. Outside WebAssembly everything here does nothing.

#[cfg(target_arch = "wasm32")]
use crate::export::bindings::docket::stage::{report, types};

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For whoever debugs the plugin.
    Debug,
    /// What happened.
    Info,
    /// Something a user should look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// What an agent used. `None` means unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Tokens read by the model.
    pub input_tokens: Option<u64>,
    /// Tokens read from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Tokens written.
    pub output_tokens: Option<u64>,
    /// Cost in US dollars.
    pub cost_usd: Option<f64>,
}

/// Adds a line to the run's log.
pub fn log(level: Level, message: impl AsRef<str>) {
    #[cfg(target_arch = "wasm32")]
    {
        let level = match level {
            Level::Debug => types::Level::Debug,
            Level::Info => types::Level::Info,
            Level::Warn => types::Level::Warn,
            Level::Error => types::Level::Error,
        };
        report::log(level, message.as_ref());
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (level, message.as_ref());
}

/// Says what is going on right now, in a few words.
pub fn progress(activity: impl AsRef<str>) {
    #[cfg(target_arch = "wasm32")]
    report::progress(activity.as_ref());
    #[cfg(not(target_arch = "wasm32"))]
    let _ = activity.as_ref();
}

/// Records what was used; calls add up.
pub fn usage(used: Usage) {
    #[cfg(target_arch = "wasm32")]
    report::add_usage(types::Usage {
        input_tokens: used.input_tokens,
        cached_tokens: used.cached_tokens,
        output_tokens: used.output_tokens,
        cost_usd: used.cost_usd,
    });
    #[cfg(not(target_arch = "wasm32"))]
    let _ = used;
}
