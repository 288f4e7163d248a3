//! What the target itself refers to: links, ids, paths and web addresses, and whether each leads somewhere.

use std::collections::HashSet;

use docket_markdown::{Document, Link, LinkKind, Resolution, join, mentions, resolve};

use crate::identifier::{Id, Identifiers};
use crate::inventory::Inventory;
use crate::nearest::nearest;
use crate::package::{Reference, ReferenceKind};

/// For so many broken references a nearest file is looked for; more are reported without.
const MAXIMUM_GUESSES: usize = 40;
/// Fields whose bare numbers are ids of the document's own scheme (`requires: 20, 165`).
const NUMBER_FIELDS: [&str; 7] =
    ["requires", "replaces", "supersedes", "superseded-by", "superseded by", "related", "extends"];

/// A reference, and the path that was looked for in vain.
type Found = (Reference, Option<String>);

/// Finds everything `document`, at project path `target`, refers to. Each thing is listed once for each way it is
/// written, at its first line; the order is that of the lines.
pub fn references(
    target: &str,
    document: &Document,
    inventory: &Inventory,
    ids: &Identifiers,
) -> Vec<Reference> {
    let finder = Finder { target, document, inventory, ids };
    let mut found: Vec<Found> = document.links.iter().filter_map(|link| finder.link(link)).collect();
    let linked: HashSet<(usize, String)> =
        found.iter().filter_map(|(reference, _)| Some((reference.line, reference.path.clone()?))).collect();
    let mut others = finder.ids();
    others.extend(finder.numbers());
    others.extend(finder.paths());
    // `[ADR-0003](adr-0003.md)` is one reference, not two.
    found.extend(others.into_iter().filter(|(reference, _)| {
        reference.path.as_ref().is_none_or(|path| !linked.contains(&(reference.line, path.clone())))
    }));
    found.sort_by_key(|(reference, _)| (reference.line, reference.kind));
    let mut seen = HashSet::new();
    found.retain(|(reference, _)| {
        seen.insert((reference.kind, reference.text.clone(), reference.path.clone()))
    });
    for (reference, wanted) in found.iter_mut().filter(|(_, wanted)| wanted.is_some()).take(MAXIMUM_GUESSES) {
        let guess = wanted.as_deref().and_then(|wanted| nearest(inventory, wanted));
        reference.nearest = guess.filter(|guess| guess != target);
    }
    let is_certain = |reference: &Reference| {
        !reference.broken || reference.kind != ReferenceKind::Path || reference.nearest.is_some()
    };
    found.into_iter().map(|(reference, _)| reference).filter(is_certain).collect()
}

struct Finder<'a> {
    target: &'a str,
    document: &'a Document,
    inventory: &'a Inventory,
    ids: &'a Identifiers,
}

impl Finder<'_> {
    fn link(&self, link: &Link) -> Option<Found> {
        let resolution = resolve(self.target, &link.target, |path| self.inventory.exists(path));
        let found = |kind, path: Option<String>, broken, wanted| {
            let text = link.target.clone();
            Some((Reference { text, line: link.line, kind, path, broken, nearest: None }, wanted))
        };
        match resolution {
            Resolution::Anchor(_) => None,
            Resolution::External if link.target.starts_with("mailto:") || link.kind == LinkKind::Image => {
                None
            }
            Resolution::External => {
                found(ReferenceKind::Url, self.file_of_address(&link.target), false, None)
            }
            Resolution::Found { path, .. } if path == self.target => None,
            Resolution::Found { path, .. } => found(ReferenceKind::Link, Some(path), false, None),
            Resolution::Missing { .. } | Resolution::Outside if is_placeholder(&link.target) => None,
            Resolution::Missing { path } => found(ReferenceKind::Link, None, true, Some(path)),
            Resolution::Outside if link.target.trim().is_empty() => None,
            Resolution::Outside => found(ReferenceKind::Link, None, true, None),
        }
    }

    /// `https://…/blob/<branch>/<path>` with a path of two names or more that exists here: most likely the
    /// project's own page.
    fn file_of_address(&self, address: &str) -> Option<String> {
        let after = ["/blob/", "/tree/"].iter().find_map(|mark| address.split_once(mark))?.1;
        let path = after.split_once('/')?.1.split(['#', '?']).next()?.trim_end_matches('/');
        (path.contains('/') && path != self.target && self.inventory.exists(path)).then(|| path.to_owned())
    }

    fn ids(&self) -> Vec<Found> {
        let own = Id::of(self.target, self.document);
        mentions(&self.document.readable, |word| self.ids.is_scheme(word))
            .into_iter()
            .filter_map(|mention| {
                let id = Id { scheme: mention.scheme, number: mention.number };
                // A heading's own number, and the document's own name.
                if own.as_ref() == Some(&id) {
                    return None;
                }
                self.id(&id, mention.text, self.document.line_of(mention.offset))
            })
            .collect()
    }

    fn id(&self, id: &Id, text: String, line: usize) -> Option<Found> {
        let path = self.ids.find(id, self.target).map(String::from);
        let broken = path.is_none();
        if broken && !self.ids.is_plausible(id) || path.as_deref() == Some(self.target) {
            return None;
        }
        Some((Reference { text, line, kind: ReferenceKind::Id, path, broken, nearest: None }, None))
    }

    /// Fields such as `requires: 20, 165`.
    fn numbers(&self) -> Vec<Found> {
        let Some(own) = Id::of(self.target, self.document) else { return Vec::new() };
        let fields = self.document.front_matter.iter().chain(&self.document.metadata);
        let named = fields.filter(|field| NUMBER_FIELDS.iter().any(|name| field.is(name)));
        named
            .flat_map(|field| {
                field
                    .value
                    .split(',')
                    .filter_map(|part| Some((part.trim(), field.line, part.trim().parse().ok()?)))
            })
            .filter_map(|(text, line, number)| {
                self.id(&Id { scheme: own.scheme.clone(), number }, text.to_owned(), line)
            })
            .collect()
    }

    /// Paths written without a link. One that leads nowhere is only reported when it names a document in a folder that
    /// is there and a similar one exists: prose speaks of files that are still to be made.
    fn paths(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for (above, line) in self.document.readable.lines().enumerate() {
            for word in line
                .split(|character: char| character.is_whitespace() || "()[]<>\"'`,;|*".contains(character))
            {
                let path = word.trim_end_matches(['.', ':', '!', '?']).trim_start_matches("./");
                let has_shape = path.contains('/') && path.len() > 4 || path.ends_with(".md");
                if !has_shape || path.contains("://") || is_placeholder(path) {
                    continue;
                }
                found.extend(self.path(path, above + 1));
            }
        }
        found
    }

    fn path(&self, written: &str, line: usize) -> Option<Found> {
        let path = self.file_at(written);
        if path.as_deref() == Some(self.target) {
            return None;
        }
        let broken = path.is_none();
        let folder = written.rsplit_once('/').map(|(folder, _)| folder);
        if broken
            && !(written.ends_with(".md") && folder.is_some_and(|folder| self.inventory.is_folder(folder)))
        {
            return None;
        }
        let text = written.to_owned();
        let wanted = broken.then(|| text.clone());
        Some((Reference { text, line, kind: ReferenceKind::Path, path, broken, nearest: None }, wanted))
    }

    /// The file a path means: from the document's folder, from the root, by another machine's tail, or as the only
    /// file whose path ends like it.
    fn file_at(&self, written: &str) -> Option<String> {
        let folder = self.target.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_file = |path: &String| self.inventory.file(path).is_some();
        if written.starts_with('/') {
            return match resolve(self.target, written, |path| self.inventory.file(path).is_some()) {
                Resolution::Found { path, .. } => Some(path),
                _ => None,
            };
        }
        join(folder, written)
            .filter(is_file)
            .or_else(|| join("", written).filter(is_file))
            .or_else(|| self.inventory.only_with_tail(written).map(|file| file.path.clone()))
    }
}

/// Whether a path stands for many or none: `docs/{name}.md`, `adr-NNNN.md`, `docs/...`.
fn is_placeholder(path: &str) -> bool {
    path.contains(['{', '<', '*', '$', '['])
        || path.contains("...")
        || path.contains('…')
        || path.contains("NNN")
        || path.contains("XXX")
        || path.contains("YYYY")
}
