//! The fuzz target `host`: see `tests/fuzz/src/host.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // Docket starts its own program again to supervise processes; here that is this one.
        if let Some(code) = docket_fuzz::become_helper() {
            std::process::exit(i32::from(code));
        }
    },
    |data: &[u8]| docket_fuzz::host(data)
);
