//! The documents of a project, as [`Facts`], sorted by path.

use std::path::Path;

use crate::facts::{self, Facts};
use crate::inventory::{Inventory, read_text};

/// Larger documents are listed by name only.
const MAXIMUM_DOCUMENT: u64 = 2 << 20;

/// Reads the facts of every document of `inventory` below `root`; those of `target` are given.
pub fn read(root: &Path, inventory: &Inventory, target: Facts) -> Vec<Facts> {
    let files = inventory.files().iter().filter(|file| file.is_document() && file.path != target.path);
    let mut documents: Vec<Facts> = files
        .map(|file| match read_text(root, file, MAXIMUM_DOCUMENT) {
            Some(text) => facts::read(&file.path, &text),
            None => Facts::unread(&file.path, file.bytes),
        })
        .collect();
    documents.push(target);
    documents.sort_by(|left, right| left.path.cmp(&right.path));
    documents
}
