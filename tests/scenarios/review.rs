//! The main job: a review of a real document from one command.

use crate::place;

/// docket's own documents are the first real input.
#[test]
fn a_review_of_a_real_document_is_stored_and_its_status_changed() {
    let place = place();
    place.copy_from_repository("docs");
    let path = "docs/rfcs/rfc-0001-human-approval-stages.md";
    let before = place.read(path);
    let output = place
        .run(&["review", "rfc-0001", "--perspective", "architecture", "--launcher", "checklist"])
        .success();
    assert!(output.stdout.starts_with("Review complete! "), "{}", output.stdout);

    let reviews: Vec<_> =
        std::fs::read_dir(place.project().join("docs/rfcs/.reviews")).expect("reviews").collect();
    assert_eq!(reviews.len(), 1);
    let after = place.read(path);
    let removed: Vec<&str> =
        before.lines().filter(|line| !after.lines().any(|other| other == *line)).collect();
    assert_eq!(removed, ["**Status:** Partially implemented"]);
}
