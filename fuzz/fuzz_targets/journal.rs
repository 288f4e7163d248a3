//! The fuzz target `journal`: see `tests/fuzz/src/journal.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::journal(data));
