//! Giant strings, lists and numbers to every import there is. Must not decide what is too large: docket does.

use docket_plugin::report::{self, Level, Usage};
use docket_plugin::{Error, Outcome, Request, json};
use wasip2::cli::{stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Advice, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasip2::random::{insecure, random};

use crate::tries::{Tries, create, docs, failed, open, out, over};

/// More than one call may carry.
const GIANT: usize = 32 * 1024 * 1024;
/// A path that is longer than any.
const LONG: usize = 1024 * 1024;

fn giant() -> String {
    "x".repeat(GIANT)
}

/// A log line.
pub(crate) fn log(_: &Request) -> Result<Outcome, Error> {
    report::log(Level::Error, giant());
    over(json!({ "logged": true }))
}

/// An activity.
pub(crate) fn progress(_: &Request) -> Result<Outcome, Error> {
    report::progress(giant());
    over(json!({ "reported": true }))
}

/// Usage that can't be added up.
pub(crate) fn usage(_: &Request) -> Result<Outcome, Error> {
    for cost in [f64::MAX, f64::MAX, f64::INFINITY, f64::NAN, -1.0] {
        report::usage(Usage {
            input_tokens: Some(u64::MAX),
            cached_tokens: Some(u64::MAX),
            output_tokens: Some(u64::MAX),
            cost_usd: Some(cost),
        });
    }
    over(json!({ "used": true }))
}

/// A list of eight million entries.
pub(crate) fn poll(_: &Request) -> Result<Outcome, Error> {
    let ready = monotonic_clock::subscribe_duration(0);
    let list = vec![&ready; 8_000_000];
    let found = wasip2::io::poll::poll(&list);
    over(json!({ "found": found.len() }))
}

/// All the randomness there is.
pub(crate) fn random_bytes(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "bytes": random::get_random_bytes(u64::MAX).len() }))
}

/// The same of the other kind.
pub(crate) fn insecure_random_bytes(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "bytes": insecure::get_insecure_random_bytes(u64::MAX).len() }))
}

/// Reads of all lengths from all places.
pub(crate) fn file_read(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let file = open(&docs(), "a.md").map_err(failed)?;
    // Reading past the end gives nothing, which is as good as an error.
    let some = |read: (Vec<u8>, bool)| if read.0.is_empty() { Err(ErrorCode::Invalid) } else { Ok(()) };
    tries.allowed("everything", file.read(u64::MAX, 0));
    tries.refused("from the last byte there could be", file.read(1, u64::MAX).and_then(some));
    tries.refused("everything from there", file.read(u64::MAX, u64::MAX).and_then(some));
    tries.refused("a folder", docs().read(u64::MAX, 0));
    tries.done()
}

/// One write of more than one call may carry.
pub(crate) fn file_write(_: &Request) -> Result<Outcome, Error> {
    let written = create(&out(), "big").map_err(failed)?.write(giant().as_bytes(), 0);
    over(json!({ "written": written.ok() }))
}

/// Writes where no file can be.
pub(crate) fn file_offsets(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let file = create(&out(), "odd").map_err(failed)?;
    for offset in [u64::MAX, u64::MAX - 1, i64::MAX as u64, 1 << 63] {
        tries.refused(format!("write at {offset}"), file.write(b"x", offset));
        let stream = file.write_via_stream(offset).map_err(|code| format!("{code:?}"));
        let written = stream
            .and_then(|stream| stream.blocking_write_and_flush(b"x").map_err(|error| format!("{error:?}")));
        tries.refused(format!("stream at {offset}"), written);
        let _ = file.advise(offset, u64::MAX, Advice::WillNeed);
    }
    tries.allowed("at the start", file.write(b"x", 0));
    tries.allowed("odd removed", out().unlink_file_at("odd"));
    tries.done()
}

/// Sizes that no file can have.
pub(crate) fn file_size(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let file = create(&out(), "odd").map_err(failed)?;
    for size in [u64::MAX, 1 << 63] {
        tries.refused(format!("size {size}"), file.set_size(size));
    }
    tries.allowed("size 0", file.set_size(0));
    tries.allowed("odd removed", out().unlink_file_at("odd"));
    tries.done()
}

/// Streams of all lengths.
pub(crate) fn stream_read(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let file = open(&docs(), "a.md").map_err(failed)?;
    let stream = |offset| file.read_via_stream(offset).map_err(failed);
    tries.allowed("read", stream(0)?.read(u64::MAX));
    tries.allowed("blocking read", stream(0)?.blocking_read(u64::MAX));
    let some = |bytes: Vec<u8>| if bytes.is_empty() { Err("nothing") } else { Ok(()) };
    let past = stream(u64::MAX)?.blocking_read(u64::MAX).map_err(|_| "closed").and_then(some);
    tries.refused("read past the end", past);
    tries.refused("standard input", stdin::get_stdin().blocking_read(u64::MAX));
    tries.done()
}

/// A write that nobody allowed the stream.
pub(crate) fn stream_write(_: &Request) -> Result<Outcome, Error> {
    let stream = create(&out(), "big").and_then(|file| file.write_via_stream(0)).map_err(failed)?;
    let written = stream.write(giant().as_bytes());
    over(json!({ "written": written.is_ok() }))
}

/// All the zeroes there are.
pub(crate) fn stream_zeroes(_: &Request) -> Result<Outcome, Error> {
    let written = stdout::get_stdout().write_zeroes(u64::MAX);
    over(json!({ "written": written.is_ok() }))
}

/// From one stream to another without end.
pub(crate) fn stream_splice(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let from = open(&docs(), "a.md").and_then(|file| file.read_via_stream(0)).map_err(failed)?;
    let to = stdout::get_stdout();
    tries.allowed("splice", to.splice(&from, u64::MAX));
    tries.refused("from standard input", to.blocking_splice(&stdin::get_stdin(), u64::MAX));
    tries.done()
}

/// Skips more than there is.
pub(crate) fn stream_skip(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let from = open(&docs(), "a.md").and_then(|file| file.read_via_stream(0)).map_err(failed)?;
    tries.allowed("skip", from.skip(u64::MAX));
    tries.refused("skip standard input", stdin::get_stdin().blocking_skip(u64::MAX));
    tries.done()
}

/// Paths of megabytes.
pub(crate) fn long_paths(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let (long, deep, up) = ("x".repeat(LONG), "x/".repeat(LONG / 2), "../".repeat(LONG / 3));
    for (name, path) in [("long", &long), ("deep", &deep), ("up", &up)] {
        tries.refused(format!("open {name}"), open(&docs(), path));
        tries.refused(format!("create {name}"), create(&out(), path));
        tries.refused(format!("status {name}"), docs().stat_at(PathFlags::SYMLINK_FOLLOW, path));
        tries.refused(format!("folder {name}"), out().create_directory_at(path));
        tries.refused(format!("rename {name}"), out().rename_at(path, &out(), "x"));
        tries.refused(format!("read link {name}"), docs().readlink_at(path));
    }
    tries.allowed("a.md", open(&docs(), "a.md"));
    tries.done()
}

/// Links whose target is a megabyte long.
pub(crate) fn long_links(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("target", out().symlink_at(&"x".repeat(LONG), "link"));
    tries.refused("name", out().symlink_at("x", &"x".repeat(LONG)));
    tries.allowed("a.md", open(&docs(), "a.md"));
    tries.done()
}

/// Asks for its folders over and over, and keeps every handle.
pub(crate) fn preopens(_: &Request) -> Result<Outcome, Error> {
    for _ in 0..1_000_000 {
        get_directories().into_iter().for_each(|(folder, _)| std::mem::forget(folder));
    }
    over(json!({ "asked": true }))
}

/// Begins to list a folder over and over, and keeps every handle.
pub(crate) fn folder_listings(_: &Request) -> Result<Outcome, Error> {
    let folder = docs();
    for _ in 0..1_000_000 {
        folder.read_directory().map(std::mem::forget).map_err(failed)?;
    }
    over(json!({ "listed": true }))
}

/// Instants before and after all time.
pub(crate) fn clocks(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for when in [0, 1, u64::MAX, u64::MAX - 1, 1 << 63] {
        let instant = monotonic_clock::subscribe_instant(when);
        let duration = monotonic_clock::subscribe_duration(when);
        let now = monotonic_clock::subscribe_duration(0);
        let ready = wasip2::io::poll::poll(&[&instant, &duration, &now]);
        tries.allowed(format!("poll {when}"), if ready.is_empty() { Err("none") } else { Ok(()) });
    }
    let never = monotonic_clock::subscribe_instant(u64::MAX);
    tries.refused("never", if never.ready() { Ok(()) } else { Err("not ready") });
    tries.allowed("wall clock", if wall_clock::now().seconds > 0 { Ok(()) } else { Err("before 1970") });
    tries.done()
}

/// A terminal to write to, by way of every stream and file.
pub(crate) fn terminals(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("standard input", terminal_stdin::get_terminal_stdin().ok_or("none"));
    tries.refused("standard output", terminal_stdout::get_terminal_stdout().ok_or("none"));
    tries.refused("standard error", terminal_stderr::get_terminal_stderr().ok_or("none"));
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let opened = out().open_at(PathFlags::SYMLINK_FOLLOW, "/dev/tty", OpenFlags::empty(), flags);
    tries.refused("/dev/tty", opened);
    tries.allowed("a.md", open(&docs(), "a.md"));
    tries.done()
}

/// An answer to look at.
pub(crate) fn answer_check(_: &Request) -> Result<Outcome, Error> {
    let faults = docket_plugin::export::bindings::docket::stage::answer::check(&giant());
    over(json!({ "faults": faults.len() }))
}

/// Answers that are no JSON, or nothing that anybody reads, each of which is one fault.
pub(crate) fn odd_answers(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let fits =
        |text: &str| match docket_plugin::export::bindings::docket::stage::answer::check(text).as_slice() {
            [] => Ok(()),
            [fault] => Err(fault.message.clone()),
            several => panic!("{} faults of one", several.len()),
        };
    let deep = "[".repeat(1_000_000);
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (name, text) in [
        ("nothing", ""),
        ("half an object", "{"),
        ("words", "no JSON"),
        ("a NUL", "\0"),
        ("two values", "1 2"),
        ("a number that is none", "1e999999"),
        ("half a surrogate", r#""\ud800""#),
        ("a million brackets", &deep),
        ("deep lists", &nested),
    ] {
        tries.refused(name, fits(text));
    }
    tries.allowed("a value", fits("{}"));
    tries.allowed("a large value", fits(&format!("[{}1]", "1,".repeat(1_000_000))));
    tries.done()
}

/// A text to keep.
pub(crate) fn answer_keep(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "kept": docket_plugin::answer::keep(&giant()) }))
}

/// Texts to keep without end: large ones, then empty ones.
pub(crate) fn kept_flood(_: &Request) -> Result<Outcome, Error> {
    let large = "x".repeat(3 * 1024 * 1024);
    let mut names: Vec<String> = (0..5).map(|_| docket_plugin::answer::keep(&large)).collect();
    names.extend((0..100_000).map(|_| docket_plugin::answer::keep("")));
    names.retain(|name| !name.is_empty());
    over(json!({ "kept": names }))
}
