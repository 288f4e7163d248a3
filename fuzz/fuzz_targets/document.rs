//! The fuzz target `document`: see `tests/fuzz/src/document.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::document(data));
