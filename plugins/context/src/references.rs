//! What the target itself refers to, and whether each reference leads somewhere.

use docket_markdown::Resolution;
use foldhash::HashSet;

use crate::facts::{Form, Place};
use crate::inventory::Inventory;
use crate::nearest::nearest;
use crate::package::{Reference, ReferenceKind};
use crate::resolve::{Lead, Referrer, Resolver};

/// For so many broken references a nearest file is looked for; more are reported without.
const MAXIMUM_GUESSES: usize = 40;

/// A reference, and the path that was looked for in vain.
type Found = (Reference, Option<String>);

/// Finds everything `target` refers to. Each thing is listed once for each way it is written, at its first line; the
/// order is that of the lines.
pub fn references(target: Referrer<'_>, resolver: &Resolver<'_>, inventory: &Inventory) -> Vec<Reference> {
    let mut found: Vec<Found> = Vec::new();
    for written in target.written {
        let kind = match written.form {
            Form::Link if is_address(&written.text) => ReferenceKind::Url,
            Form::Link => ReferenceKind::Link,
            Form::Id => ReferenceKind::Id,
            Form::Path => ReferenceKind::Path,
        };
        let (path, broken, wanted) = match resolver.lead(target, written) {
            Lead::Found(path) => (Some(path), false, None),
            Lead::Renamed(path) => (Some(path.clone()), true, Some(path)),
            Lead::Broken(wanted) => (None, true, wanted),
            Lead::Elsewhere => (None, false, None),
            Lead::Nothing => continue,
        };
        if broken && matches!(written.place, Place::Code) {
            continue;
        }
        let (text, line) = (written.text.clone(), written.line as usize);
        found.push((Reference { text, line, kind, path, broken, nearest: None }, wanted));
    }
    once_each(&mut found);
    for (reference, wanted) in found.iter_mut().filter(|(_, wanted)| wanted.is_some()).take(MAXIMUM_GUESSES) {
        if reference.path.is_some() {
            reference.nearest.clone_from(&reference.path);
            continue;
        }
        let guess = wanted.as_deref().and_then(|wanted| nearest(inventory, wanted));
        reference.nearest = guess.filter(|guess| *guess != target.facts.path);
    }
    let is_certain = |reference: &Reference| {
        !reference.broken || reference.kind != ReferenceKind::Path || reference.nearest.is_some()
    };
    found.into_iter().map(|(reference, _)| reference).filter(is_certain).collect()
}

/// `[ADR-0003](adr-0003.md)` is one reference, not two.
fn once_each(found: &mut Vec<Found>) {
    let is_link = |kind: ReferenceKind| matches!(kind, ReferenceKind::Link | ReferenceKind::Url);
    let linked: HashSet<(usize, String)> = found
        .iter()
        .filter(|(reference, _)| is_link(reference.kind))
        .filter_map(|(reference, _)| Some((reference.line, reference.path.clone()?)))
        .collect();
    found.retain(|(reference, _)| {
        let same =
            reference.path.as_ref().is_some_and(|path| linked.contains(&(reference.line, path.clone())));
        is_link(reference.kind) || !same
    });
    found.sort_by_key(|(reference, _)| (reference.line, reference.kind));
    let mut seen = HashSet::default();
    found.retain(|(reference, _)| {
        seen.insert((reference.kind, reference.text.clone(), reference.path.clone()))
    });
}

fn is_address(target: &str) -> bool {
    docket_markdown::resolve("x.md", target, |_| false) == Resolution::External
}
