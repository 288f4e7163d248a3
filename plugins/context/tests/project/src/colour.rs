//! Test data: what the document does not name.
pub fn paint_everything() {}
