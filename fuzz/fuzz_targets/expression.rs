//! The fuzz target `expression`: see `tests/fuzz/src/expression.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::expression(data));
