//! Builds the guest of the fuzz target `host`, when that target is built.

#[cfg(feature = "host")]
fn main() {
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = docket_component_build::build(&workspace, &["docket-fuzz-guest"], &["tests/fuzz/guest"]);
    println!("cargo::rustc-env=DOCKET_FUZZ_GUEST={}", folder.join("docket_fuzz_guest.wasm").display());
}

#[cfg(not(feature = "host"))]
fn main() {}
