//! How docket's engines are set up. Whoever compiles and whoever runs must agree on it, also when they are two
//! processes.

use std::num::NonZeroUsize;

use wasmtime::{Config, Engine, Strategy};

/// Frames of a backtrace that are kept: enough to tell a recursion from a long way.
pub(super) const FRAMES: usize = 64;
/// Stack of whatever needs one only to be made, in bytes.
const COMPILER_STACK: usize = 1024 * 1024;

/// An engine with this compiler, whose plugins get so many bytes of stack.
///
/// # Errors
/// When wasmtime does not know the machine, or the stack makes no sense.
pub(super) fn engine(strategy: Strategy, stack: usize) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(strategy)
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        // What docket itself needs on top of it when a plugin calls.
        .async_stack_size(stack.saturating_mul(2))
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES))
        // All that 32-bit code can address: no access to memory needs a check of its bounds then, which was up to a
        // quarter of the time of a stage that reads much. Addresses are only reserved (ADR-0024).
        .memory_reservation(4 << 30);
    Engine::new(&config)
}

/// The engine that strangers' components are compiled with.
///
/// # Errors
/// As [`engine`].
pub(super) fn compiling_engine() -> wasmtime::Result<Engine> {
    engine(Strategy::Cranelift, COMPILER_STACK)
}
