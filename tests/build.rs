//! Builds the test plugin and the hostile one from source, with and without the ability to run commands.

use std::path::Path;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the workspace").to_owned();
    let watched = ["tests/guest", "tests/hostile"];
    let packages = ["docket-test-guest", "docket-hostile-guest"];
    for (suffix, features) in [("", &[][..]), ("_SPAWN", &["spawn"][..])] {
        let folder = docket_component_build::build_with(&workspace, &packages, features, &watched);
        for (variable, file) in [
            ("DOCKET_TEST_GUEST", "docket_test_guest.wasm"),
            ("DOCKET_HOSTILE_GUEST", "docket_hostile_guest.wasm"),
        ] {
            println!("cargo::rustc-env={variable}{suffix}={}", folder.join(file).display());
        }
    }
}
