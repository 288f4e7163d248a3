//! The fuzz target `manifest`: see `tests/fuzz/src/manifest.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::manifest(data));
