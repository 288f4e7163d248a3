//! The stage type `fuzz`: carries out a program of bytes, each step a call to the host with arguments that the bytes
//! choose. Only for docket's own fuzzing; never embedded.
//!
//! It tells on the host: what must not be seen from inside is logged behind a word that only the host's side knows and
//! no program can contain. Built for another target than WebAssembly it does nothing.

#[cfg(target_arch = "wasm32")]
mod files;
#[cfg(target_arch = "wasm32")]
mod machine;
#[cfg(any(target_arch = "wasm32", test))]
mod program;
#[cfg(target_arch = "wasm32")]
mod talk;

use docket_plugin::{Error, Fault, Outcome, Request, Stage, Value, plugin};

/// The stage type `fuzz`.
pub struct Guest;

impl Stage for Guest {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let word = request.config.get("word").and_then(Value::as_str).unwrap_or_default();
        let program = std::fs::read("/in/program").unwrap_or_default();
        carry_out(&program, word)
    }

    fn check(stage_type: &str, config: &Value) -> Vec<Fault> {
        let text = config.get("text").and_then(Value::as_str).unwrap_or_default();
        let word = config.get("word").and_then(Value::as_str).unwrap_or_default();
        let ended = carry_out(text.as_bytes(), word);
        let message = ended.err().map_or_else(|| text.to_owned(), |error| error.message);
        let fault = Fault { pointer: text.to_owned(), message, hint: Some(stage_type.to_owned()) };
        vec![fault; text.len()]
    }
}

#[cfg(target_arch = "wasm32")]
fn carry_out(program: &[u8], word: &str) -> Result<Outcome, Error> {
    machine::Machine::new(program::Program::new(program), word).run()
}

#[cfg(not(target_arch = "wasm32"))]
fn carry_out(program: &[u8], word: &str) -> Result<Outcome, Error> {
    Ok(Outcome::Completed(docket_plugin::json!({ "word": word, "bytes": program.len() })))
}

plugin!(Guest, manifest = "../manifest.json");
