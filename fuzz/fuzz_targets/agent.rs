//! The fuzz target `agent`: see `tests/fuzz/src/agent.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::agent(data));
