//! Attempts to use more than a stage is given, and to end in ways that hurt. Most never return.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Outcome, Question, Request, Value, json};
use wasip2::clocks::monotonic_clock::subscribe_duration;

use crate::tries::{Tries, over};

/// How much memory is asked for at a time, and more than one call may carry.
const PIECE: usize = 16 * 1024 * 1024;
/// What a million is made of.
const MILLION: usize = 1_000_000;

/// Uses the processor and never ends.
pub(crate) fn endless_run(_: &Request) -> Result<Outcome, Error> {
    endless()
}

/// Uses the processor and never ends.
pub(crate) fn endless() -> ! {
    let mut count: u64 = 0;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

/// Moves much memory with single instructions, so that little else is run.
pub(crate) fn copy_storm(_: &Request) -> Result<Outcome, Error> {
    let mut bytes = vec![1_u8; 100 * 1024 * 1024];
    let half = bytes.len() / 2;
    loop {
        bytes.copy_within(..half, half);
        std::hint::black_box(&mut bytes);
    }
}

/// Calls itself until there is no stack left, with nothing on the stack but calls.
pub(crate) fn deep_recursion(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "depth": deeper(1) }))
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    // No sum: a compiler can make a loop of one.
    if depth == 0 { 0 } else { deeper(depth.wrapping_add(1)).rotate_left(7) ^ depth }
}

/// Calls itself until there is no room for what a call keeps in memory.
pub(crate) fn deep_frames(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "depth": larger(0) }))
}

#[expect(unconditional_recursion, reason = "this is what the act is for")]
fn larger(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    larger(depth + 1).wrapping_add(frame.iter().sum())
}

/// Asks for all the memory that 32 bits can name, at once.
pub(crate) fn grow_to_four_gib(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let grow = |pages: usize| match core::arch::wasm32::memory_grow::<0>(pages) {
        usize::MAX => Err("refused"),
        before => Ok(before),
    };
    tries.refused("to 4 GiB", grow(65_536 - core::arch::wasm32::memory_size::<0>()));
    tries.refused("more than 4 GiB", grow(usize::MAX));
    tries.refused("by 1 GiB", grow(16_384));
    tries.allowed("one page", grow(1));
    tries.done()
}

/// Takes memory until there is no more, without asking whether there is.
pub(crate) fn use_all_memory(_: &Request) -> Result<Outcome, Error> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    loop {
        pieces.push(std::hint::black_box(vec![1; PIECE]));
    }
}

/// Sleeps for longer than there will be anybody.
pub(crate) fn sleep_for_ever(_: &Request) -> Result<Outcome, Error> {
    std::thread::sleep(Duration::MAX);
    over(json!({ "slept": true }))
}

/// Waits for many things that never come.
pub(crate) fn poll_for_ever(_: &Request) -> Result<Outcome, Error> {
    let waits: Vec<_> = (0..100).map(|number| subscribe_duration(u64::MAX - number)).collect();
    let waits: Vec<_> = waits.iter().collect();
    let ready = wasip2::io::poll::poll(&waits);
    over(json!({ "ready": ready.len() }))
}

/// Waits for somebody to type.
pub(crate) fn blocked_stdin(_: &Request) -> Result<Outcome, Error> {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut input);
    over(json!({ "read": read.ok() }))
}

/// Opens a million things and closes none.
pub(crate) fn million_handles(_: &Request) -> Result<Outcome, Error> {
    for _ in 0..MILLION {
        std::mem::forget(subscribe_duration(u64::MAX));
    }
    over(json!({ "handles": MILLION }))
}

/// Logs a million short lines.
pub(crate) fn million_logs(_: &Request) -> Result<Outcome, Error> {
    for number in 0..MILLION {
        report::log(Level::Info, if number % 2 == 0 { "x" } else { "" });
    }
    over(json!({ "logged": MILLION }))
}

/// Reports a million activities.
pub(crate) fn million_activities(_: &Request) -> Result<Outcome, Error> {
    for number in 0..MILLION {
        report::progress(if number % 2 == 0 { "x" } else { "" });
    }
    over(json!({ "reported": MILLION }))
}

/// Prints without end.
pub(crate) fn endless_stdout(_: &Request) -> Result<Outcome, Error> {
    loop {
        let _ = std::io::stdout().write_all(b"and so on, and so on, and so on\n");
    }
}

/// Prints without end and without a line end.
pub(crate) fn endless_stderr(_: &Request) -> Result<Outcome, Error> {
    loop {
        let _ = std::io::stderr().write_all(&[b'x'; 4096]);
    }
}

/// Prints nothing, often.
pub(crate) fn empty_lines(_: &Request) -> Result<Outcome, Error> {
    for _ in 0..500 {
        let _ = std::io::stdout().write_all(&[b'\n'; 4096]);
    }
    over(json!({ "printed": true }))
}

/// What is proposed before a stage comes to a bad end.
fn half_a_proposal() {
    let _ = std::fs::create_dir_all("/out/out");
    let _ = std::fs::write("/out/out/half.md", "half");
}

/// Traps in the middle of its work, with a proposal half made.
pub(crate) fn trap_in_run(_: &Request) -> Result<Outcome, Error> {
    half_a_proposal();
    report::log(Level::Info, "the last words of the guest");
    core::arch::wasm32::unreachable()
}

/// Panics in the middle of its work.
pub(crate) fn panic_in_run(_: &Request) -> Result<Outcome, Error> {
    half_a_proposal();
    panic!("the guest gives up")
}

/// Ends its process, if it had one.
pub(crate) fn exit_in_run(_: &Request) -> Result<Outcome, Error> {
    half_a_proposal();
    wasip2::cli::exit::exit(Ok(()));
    over(json!({ "alive": true }))
}

/// Sleeps over its time with a proposal half made.
pub(crate) fn timeout_then_again(_: &Request) -> Result<Outcome, Error> {
    half_a_proposal();
    std::thread::sleep(Duration::MAX);
    over(json!({ "slept": true }))
}

/// A result of lists in lists.
pub(crate) fn deep_result(_: &Request) -> Result<Outcome, Error> {
    over((0..1_000).fold(json!(1), |inner, _| Value::Array(vec![inner])))
}

/// A result that is larger than one call may carry.
pub(crate) fn giant_result(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "text": "x".repeat(PIECE) }))
}

/// An error that is.
pub(crate) fn giant_error(_: &Request) -> Result<Outcome, Error> {
    Err(Error::new("x".repeat(PIECE), "x".repeat(PIECE)).hint("x".repeat(PIECE)))
}

/// A question that is.
pub(crate) fn giant_question(_: &Request) -> Result<Outcome, Error> {
    Ok(Outcome::Waiting(Question { prompt: "x".repeat(PIECE), schema: None }))
}
