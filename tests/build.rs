//! Builds the test plugin from source, with and without the ability to run commands.

use std::path::Path;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the workspace").to_owned();
    let watched = ["tests/guest"];
    for (variable, features) in [("DOCKET_TEST_GUEST", &[][..]), ("DOCKET_TEST_GUEST_SPAWN", &["spawn"][..])]
    {
        let folder =
            docket_component_build::build_with(&workspace, &["docket-test-guest"], features, &watched);
        println!("cargo::rustc-env={variable}={}", folder.join("docket_test_guest.wasm").display());
    }
}
