//! The fuzz target `paths`: see `tests/fuzz/src/paths.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::paths(data));
