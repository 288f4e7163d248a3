//! The fuzz target `definition`: see `tests/fuzz/src/definition.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::definition(data));
