//! An agent's answer before it is the stage's result: whether it would do, and keeping it word for word. Outside
//! WebAssembly every answer fits and nothing is kept.

#[cfg(target_arch = "wasm32")]
use crate::export::bindings::docket::stage::answer as wire;
use crate::{Fault, Value};

/// What docket would find wrong with this as the stage's result. Nothing: it fits.
pub fn check(answer: &Value) -> Vec<Fault> {
    #[cfg(target_arch = "wasm32")]
    return wire::check(&answer.to_string())
        .into_iter()
        .map(|fault| Fault { pointer: fault.pointer, message: fault.message, hint: fault.hint })
        .collect();
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = answer;
        Vec::new()
    }
}

/// Keeps what the agent said beside the stage's other files and returns the file's name, for messages; an empty one when
/// there is no room: 100 texts are kept, and 8 MiB.
pub fn keep(text: &str) -> String {
    #[cfg(target_arch = "wasm32")]
    return wire::keep(text);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = text;
        String::new()
    }
}
