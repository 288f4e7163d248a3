//! Compiled code is run as it is, so only what this user's docket wrote for this very component is: anything else in
//! the cache is compiled again and replaced, without a word.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use docket_tests::{Place, finish_or_kill};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::sandbox::{PLUGIN, guest, guest_place, single, with_section};

/// A place whose cache is its own, with the guest's compiled code in it.
fn compiled() -> (Place, PathBuf, Vec<u8>) {
    let place = guest_place();
    place.trusted_definition("acts", &single(&json!({ "act": "time" })));
    assert_runs(&place);
    let entry = entry(&place, &guest());
    let bytes = std::fs::read(&entry).expect("the compiled code");
    (place, entry, bytes)
}

#[track_caller]
fn assert_runs(place: &Place) {
    let mut command = place.command(&["workflow", "start", "acts"]);
    command.env("XDG_CACHE_HOME", place.home().join("cache"));
    let output = finish_or_kill(&mut command).success();
    // What the run may do is said, its private cache among it; of compiled code nobody wants to hear.
    assert!(!output.stderr.contains("compil") && !output.stderr.contains("warning"), "{}", output.stderr);
}

/// Where the compiled code of a component is kept.
fn entry(place: &Place, component: &[u8]) -> PathBuf {
    let name: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    let compiled = place.home().join("cache/docket/compiled");
    let folders =
        std::fs::read_dir(compiled).expect("a cache").map(|folder| folder.expect("readable").path());
    folders.map(|folder| folder.join(format!("{name}.cwasm"))).find(|file| file.exists()).expect("an entry")
}

#[test]
fn an_entry_that_is_not_dockets_is_compiled_again_and_replaced() {
    let (place, entry, whole) = compiled();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let native = std::fs::read("/bin/sh").expect("a native program");
    for (what, bytes) in [
        ("a changed byte", flipped),
        ("cut short", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("native code", native),
        ("the component itself", guest()),
    ] {
        std::fs::write(&entry, bytes).expect("written");
        assert_runs(&place);
        assert_eq!(std::fs::read(&entry).expect("there"), whole, "{what} was not replaced");
    }
}

/// Code that docket made, but of another component: a swapped name must not swap what runs.
#[test]
fn the_entry_of_another_component_is_not_taken() {
    let (place, entry_of_first, whole) = compiled();
    let second = with_section(&guest(), "second", b"x");
    place.write(PLUGIN, &second);
    place.run(&["trust", "--yes"]).success();
    assert_runs(&place);
    let entry_of_second = entry(&place, &second);
    let code_of_second = std::fs::read(&entry_of_second).expect("there");
    assert_ne!(code_of_second, whole);
    std::fs::copy(&entry_of_first, &entry_of_second).expect("copied");
    assert_runs(&place);
    assert_eq!(std::fs::read(&entry_of_second).expect("there"), code_of_second);
}

/// A cache that was restored from elsewhere carries somebody else's key.
#[test]
fn entries_under_another_key_are_made_anew() {
    let (place, entry, whole) = compiled();
    place.write_home("cache-key", [2; 32]);
    assert_runs(&place);
    let anew = std::fs::read(&entry).expect("there");
    assert_ne!(anew, whole);
    assert_runs(&place);
    assert_eq!(std::fs::read(&entry).expect("there"), anew, "what is sealed with the key is kept");
    // A key that is none is replaced like everything else that is only there to save time.
    place.write_home("cache-key", "short");
    assert_runs(&place);
    assert_eq!(std::fs::read(place.docket_home().join("cache-key")).expect("a key").len(), 32);
}

#[test]
fn a_link_or_a_file_that_others_can_write_is_not_read() {
    let (place, entry, whole) = compiled();
    let elsewhere = place.home().join("elsewhere.cwasm");
    std::fs::rename(&entry, &elsewhere).expect("moved");
    symlink(&elsewhere, &entry).expect("linked");
    assert_runs(&place);
    assert!(!entry.is_symlink(), "the link is still there");
    assert_eq!(std::fs::read(&elsewhere).expect("there"), whole, "something was written through the link");
    std::fs::set_permissions(&entry, std::fs::Permissions::from_mode(0o666)).expect("mode set");
    assert_runs(&place);
    assert_eq!(std::fs::metadata(&entry).expect("there").permissions().mode() & 0o022, 0);
}

/// A folder that others can write holds nothing that is believed, and nothing is put there.
#[test]
fn an_unsafe_cache_folder_is_not_used() {
    let (place, entry, whole) = compiled();
    let folder = entry.parent().expect("a folder");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).expect("mode set");
    std::fs::write(&entry, b"left alone").expect("written");
    assert_runs(&place);
    assert_eq!(std::fs::read(&entry).expect("there"), b"left alone");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("mode set");
    assert_runs(&place);
    assert_eq!(std::fs::read(&entry).expect("there"), whole);
}
