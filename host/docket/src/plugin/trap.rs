//! Why a plugin came to an end that is no answer: a limit it hit, or a crash with the functions it was in and its last
//! words.

use docket_core::run::Failure;
use docket_core::text::printable;
use wasmtime::component::ResourceTableError;
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use super::host::StageContext;
use super::limits::{LimitHit, Limits};
use super::machine::FRAMES;

/// Functions that a failure names.
const SHOWN: usize = 8;
/// Longest function name that is shown, in characters.
const NAME_LENGTH: usize = 160;
/// How often one function is in a full backtrace when it is a recursion that used up the stack.
const RECURSING: usize = 8;
/// What wasmtime's error for a call over its limit says; its type is private.
const HOST_CALL: &str = "fuel allocated for hostcalls";
/// The same for a component's own handles.
const HANDLES: &str = "store handle limit exceeded";
/// And for the parts it is made of.
const PARTS: &str = "resource limit exceeded";

/// The failure for a call that ended with an error of wasmtime's. The whole backtrace goes to the stage's log.
pub(super) fn trapped(plugin: &str, context: &StageContext, error: &wasmtime::Error) -> Failure {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let calls = calls(frames);
    if let Some(hit) = limit(context, error, &calls) {
        return hit.failure(plugin);
    }
    let last = context.log.last_lines();
    for (number, call) in calls.iter().enumerate() {
        context.log.add("error", &format!("crashed in {number}: {}", call.name));
    }
    let cause = printable(&error.root_cause().to_string());
    let place = place(&calls);
    let said = if last.is_empty() { String::new() } else { format!("; it last said: {}", last.join(" / ")) };
    Failure::new("plugin-crashed", format!("plugin '{plugin}' crashed: {cause}{place}{said}"))
        .hint("this is a bug of the plugin; the run's other stages and files are as they were")
}

/// The limit that an error is about, if it is one.
fn limit(context: &StageContext, error: &wasmtime::Error, calls: &[Call]) -> Option<LimitHit> {
    let limits: &Limits = &context.guard.limits;
    let trap = error.downcast_ref::<Trap>();
    // What the compiler calls the stack, and the part of the memory that languages use as one; both are used up by the
    // same mistake.
    let is_deep = matches!(trap, Some(Trap::MemoryOutOfBounds)) && is_recursion(calls);
    if is_deep || matches!(trap, Some(Trap::StackOverflow)) {
        return Some(LimitHit::Stack(limits.stack));
    }
    if context.guard.hit.is_some() {
        return context.guard.hit.clone();
    }
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return Some(LimitHit::Handles(context.handles()));
    }
    let cause = error.root_cause().to_string();
    if cause.contains(HOST_CALL) {
        Some(LimitHit::HostCall(limits.host_call))
    } else if cause.contains(HANDLES) {
        Some(LimitHit::Handles(context.handles()))
    } else if cause.contains(PARTS) {
        Some(LimitHit::Parts(limits.parts))
    } else {
        None
    }
}

/// A function in a backtrace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    name: String,
    is_noise: bool,
}

fn calls(frames: &[FrameInfo]) -> Vec<Call> {
    frames.iter().map(|frame| call(frame.func_name(), frame.func_index())).collect()
}

fn call(name: Option<&str>, index: u32) -> Call {
    let Some(name) = name else {
        return Call { name: format!("function {index}"), is_noise: false };
    };
    // Without the hash; what is no Rust stays as it is.
    let name =
        rustc_demangle::try_demangle(name).map_or_else(|_| name.to_owned(), |name| format!("{name:#}"));
    let is_noise = is_noise(&name);
    Call { name: printable(&name.chars().take(NAME_LENGTH).collect::<String>()), is_noise }
}

/// What says nothing about the plugin: the language's machinery for panics, the SDK's and the tools' glue.
fn is_noise(name: &str) -> bool {
    const STARTS: [&str; 12] = [
        "core::",
        "std::",
        "alloc::",
        "docket_plugin::",
        "dlmalloc::",
        "wit_bindgen::",
        "__rust",
        "rust_",
        "_rust",
        "__wasm",
        "__cabi",
        "_export_",
    ];
    let plain = name.trim_start_matches(['<', '&']);
    plain == "abort" || plain.contains('#') || STARTS.iter().any(|start| plain.starts_with(start))
}

/// Whether a backtrace is full and one function is in it again and again.
fn is_recursion(calls: &[Call]) -> bool {
    let times = |call: &Call| calls.iter().filter(|other| other.name == call.name).count();
    calls.len() >= FRAMES && calls.iter().take(RECURSING).any(|call| times(call) >= RECURSING)
}

/// The innermost functions of the plugin's own, or whatever there is when there are none.
fn place(calls: &[Call]) -> String {
    let own: Vec<&Call> = calls.iter().filter(|call| !call.is_noise).collect();
    let shown = if own.is_empty() { calls.iter().collect() } else { own };
    let mut names: Vec<(&str, usize)> = Vec::new();
    for call in shown {
        let is_full = names.len() == SHOWN;
        match names.last_mut() {
            Some((name, times)) if *name == call.name => *times += 1,
            _ if is_full => break,
            _ => names.push((&call.name, 1)),
        }
    }
    let text = |(name, times): &(&str, usize)| match times {
        1 => (*name).to_owned(),
        times => format!("{name} (×{times})"),
    };
    let names: Vec<String> = names.iter().map(text).collect();
    if names.is_empty() { String::new() } else { format!(", in {}", names.join(" ← ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Call> {
        names.iter().map(|name| call(Some(name), 0)).collect()
    }

    #[test]
    fn machinery_is_left_out_and_repetition_is_counted() {
        let calls = named(&[
            "__rustc[1]::rust_panic",
            "_RNvNtCs1_4core9panicking9panic_fmt",
            "_ZN5guest4boom17h0123456789abcdefE",
            "tree::walk",
            "tree::walk",
            "<tree::Node as docket_plugin::Stage>::run",
            "docket:stage/stage@0.1.0#run",
        ]);
        assert_eq!(
            place(&calls),
            ", in guest::boom ← tree::walk (×2) ← <tree::Node as docket_plugin::Stage>::run"
        );
    }

    #[test]
    fn functions_without_names_are_numbered() {
        let calls = [call(None, 12), call(None, 3)];
        assert_eq!(place(&calls), ", in function 12 ← function 3");
        assert_eq!(place(&[]), "");
        assert_eq!(place(&named(&["core::a"])), ", in core::a");
    }

    #[test]
    fn no_more_than_eight_functions_are_named() {
        let names: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(place(&named(&names)).matches('←').count(), SHOWN - 1);
    }

    #[test]
    fn a_long_way_is_no_recursion() {
        let names: Vec<String> = (0..FRAMES).map(|number| format!("f{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(!is_recursion(&named(&names)));
        assert!(is_recursion(&named(&vec!["f"; FRAMES])));
        assert!(!is_recursion(&named(&vec!["f"; FRAMES - 1])));
    }
}
