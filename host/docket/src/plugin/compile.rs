//! Getting a component compiled: from the cache, by this process when it is docket's own, and by a process of its own
//! when it is anybody else's (see [`super::host::compiler`]).
//!
//! Must not run anything of a component.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::{CompileCache, deserialize};
use super::host::compiler;
use super::limits::{LimitHit, Limits};
use super::{Plugin, PluginOrigin};

/// Why a component can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CompileError {
    /// A limit.
    #[error("{0}")]
    Limit(LimitHit),
    /// Not valid.
    #[error("is no valid component: {0}")]
    Invalid(String),
    /// The compiler came to no end of its own.
    #[error("could not be compiled: {0}")]
    Failed(String),
}

/// The compiled component, from the cache or made now.
pub(super) fn component(
    engine: &Engine,
    cache: &CompileCache,
    plugin: &Plugin,
    limits: &Limits,
) -> Result<Component, CompileError> {
    if plugin.bytes.len() as u64 > limits.component {
        return Err(CompileError::Limit(LimitHit::Component(limits.component)));
    }
    if let Some(component) = cache.load(engine, &plugin.sha256) {
        return Ok(component);
    }
    if plugin.origin == PluginOrigin::BuiltIn {
        // Trusted like the rest of the binary, and too quick for a process.
        let component = Component::new(engine, &*plugin.bytes).map_err(invalid)?;
        if let Ok(code) = component.serialize() {
            cache.keep(&plugin.sha256, &code);
        }
        return Ok(component);
    }
    let code = compiler::compile(&plugin.bytes, limits)?;
    let component = deserialize(engine, &code).map_err(invalid)?;
    cache.keep(&plugin.sha256, &code);
    Ok(component)
}

fn invalid(cause: wasmtime::Error) -> CompileError {
    CompileError::Invalid(docket_core::text::printable(&format!("{cause:#}")))
}
