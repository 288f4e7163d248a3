//! The fuzz target `prompt`: see `tests/fuzz/src/prompt.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::prompt(data));
