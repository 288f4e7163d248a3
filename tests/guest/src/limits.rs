//! Acts that use more than a stage is given.

use std::time::{Duration, Instant};

use docket_plugin::{Value, json};

/// How much memory is asked for at a time.
const PIECE: usize = 16 * 1024 * 1024;
/// Where growing ends if nothing stops it: all that 32 bits can address, or the patience of a native test.
const MOST_PIECES: usize = if cfg!(target_arch = "wasm32") { 256 } else { 4 };

/// Uses the processor and never ends.
pub(crate) fn endless() -> Value {
    let mut count: u64 = 0;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

/// Sleeps and says how long that was.
pub(crate) fn sleep(seconds: f64) -> Value {
    let start = Instant::now();
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) => std::thread::sleep(duration),
        Err(error) => return json!({ "error": error.to_string() }),
    }
    json!({ "slept": start.elapsed().as_secs_f64() })
}

/// Takes memory until there is no more, and says how much there was.
pub(crate) fn grow() -> Value {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.len() < MOST_PIECES {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(PIECE).is_err() {
            return json!({ "bytes": pieces.len() * PIECE, "refused": true });
        }
        // Memory that is only reserved may not be there.
        piece.resize(PIECE, 1);
        pieces.push(std::hint::black_box(piece));
    }
    json!({ "bytes": pieces.len() * PIECE, "refused": false })
}

/// Takes memory until there is no more, without asking whether there is.
pub(crate) fn grow_or_die() -> Value {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.len() < MOST_PIECES {
        pieces.push(std::hint::black_box(vec![1; PIECE]));
    }
    json!({ "bytes": pieces.len() * PIECE })
}

/// Calls itself until the stack is used up; never returns a value that matters.
#[expect(unconditional_recursion, reason = "this is what the act is for")]
pub(crate) fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1).wrapping_add(frame.iter().sum())
}

/// Opens a file again and again and closes none. Says how many were open when it was refused.
pub(crate) fn open_many(path: &str, count: usize) -> Value {
    let mut open = Vec::new();
    while open.len() < count {
        match std::fs::File::open(path) {
            Ok(file) => open.push(file),
            Err(error) => return json!({ "open": open.len(), "error": error.to_string() }),
        }
    }
    json!({ "open": open.len() })
}

/// Opens and closes a file so many times.
pub(crate) fn open_and_close(path: &str, count: usize) -> Value {
    let opened = (0..count).filter(|_| std::fs::File::open(path).is_ok()).count();
    json!({ "opened": opened })
}

/// Copies a large part of the memory back and forth and never ends.
pub(crate) fn copy_storm() -> Value {
    let mut bytes = vec![1_u8; 2 * PIECE];
    loop {
        bytes.copy_within(..PIECE + 1, PIECE - 1);
        bytes.copy_within(PIECE - 1.., 0);
        std::hint::black_box(&mut bytes);
    }
}

/// Says something and then goes where no element is, two functions deep.
pub(crate) fn stumble(position: usize) -> Value {
    docket_plugin::report::log(docket_plugin::report::Level::Info, "about to stumble");
    json!({ "value": reach_too_far(&[1, 2, 3], position) })
}

#[inline(never)]
fn reach_too_far(values: &[u64], position: usize) -> u64 {
    std::hint::black_box(values)[std::hint::black_box(position)]
}
