//! Making a package fit its budget of tokens: what is worth most stays, and what goes is listed.
//!
//! A token is estimated as four bytes of ASCII, and as one other character: close to what models count for English and
//! code, and on the safe side for other languages. Exact counts would differ between models anyway.

use crate::package::{ContextPackage, Item, LeftOut};

/// Bytes of ASCII in a token.
const BYTES: u64 = 4;
/// So many things that have no room are listed one by one.
const LISTED: usize = 40;
/// The share of the budget that references may have: 1 of so many.
const REFERENCES: u64 = 2;
/// The same for lists of commits and of what is to do, each.
const LISTS: u64 = 3;

/// About how many tokens a text has.
pub fn tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.chars().filter(|character| !character.is_ascii()).count() as u64;
    ascii.div_ceil(BYTES) + other
}

/// About how many tokens a file of this size has.
pub fn file_tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES)
}

/// About how many tokens a value has as the JSON it is given as.
fn value_tokens(value: &impl serde::Serialize) -> u64 {
    serde_json::to_string(value).map_or(0, |text| tokens(&text))
}

/// Notes what each item takes.
pub fn weigh(item: &mut Item) {
    item.tokens = value_tokens(item);
}

/// Takes out of a package what has no room in `budget`, best first in, and notes sizes and what was left out. The items
/// of each list stay in their order.
pub fn fit(package: &mut ContextPackage, budget: u64) {
    let mut left = Leftovers { budget, list: Vec::new() };
    let mut used = value_tokens(&(&package.target, &package.title, &package.patterns, &package.notes));
    used += value_tokens(&package.session);
    used += trimmed(&mut package.references, budget / REFERENCES, "reference", &mut left, |reference| {
        // A reader can find what the document refers to in the document, but not that it leads nowhere.
        !reference.broken
    });
    if let Some(history) = &mut package.history {
        used += trimmed(&mut history.commits, budget / LISTS, "commit", &mut left, |_| false);
        used += value_tokens(&history.together);
    }
    if let Some(todos) = &mut package.todos {
        used += trimmed(todos, budget / LISTS, "todo", &mut left, |_| false);
    }
    used += items(package, budget.saturating_sub(used), &mut left);
    package.ranked = ranked(package);
    package.size.tokens = used + value_tokens(&package.ranked);
    package.size.budget = budget;
    package.size.file_tokens = all(package).map(|item| file_tokens(item.bytes)).sum();
    package.left_out = left.list;
}

fn all(package: &ContextPackage) -> impl Iterator<Item = &Item> {
    let related = &package.related;
    [&related.adrs, &related.rfcs, &related.architecture, &related.documents, &related.code]
        .into_iter()
        .flatten()
}

/// All paths, best first.
fn ranked(package: &ContextPackage) -> Vec<String> {
    let mut items: Vec<&Item> = all(package).collect();
    items.sort_by(|left, right| better(left, right));
    items.into_iter().map(|item| item.path.clone()).collect()
}

fn better(left: &Item, right: &Item) -> std::cmp::Ordering {
    right.score.total_cmp(&left.score).then_with(|| left.path.cmp(&right.path))
}

/// Keeps the best items that fit, and says what they take.
fn items(package: &mut ContextPackage, room: u64, left: &mut Leftovers) -> u64 {
    let mut by_value: Vec<(String, f64, u64)> = {
        let mut items: Vec<&Item> = all(package).collect();
        items.sort_by(|left, right| better(left, right));
        items.into_iter().map(|item| (item.path.clone(), item.score, item.tokens)).collect()
    };
    let mut used = 0;
    // A smaller one further down may still fit where a large one did not.
    by_value.retain(|(_, _, tokens)| {
        let fits = used + tokens <= room;
        used += if fits { *tokens } else { 0 };
        fits
    });
    let kept: std::collections::HashSet<&str> = by_value.iter().map(|(path, ..)| path.as_str()).collect();
    let related = &mut package.related;
    let mut gone: Vec<(Item, &'static str)> = Vec::new();
    for (list, what) in [
        (&mut related.adrs, "document"),
        (&mut related.rfcs, "document"),
        (&mut related.architecture, "document"),
        (&mut related.documents, "document"),
        (&mut related.code, "code"),
    ] {
        let (stay, go): (Vec<Item>, Vec<Item>) =
            std::mem::take(list).into_iter().partition(|item| kept.contains(item.path.as_str()));
        *list = stay;
        gone.extend(go.into_iter().map(|item| (item, what)));
    }
    gone.sort_by(|(left, _), (right, _)| better(left, right));
    gone.iter().for_each(|(item, what)| left.item(item, what));
    left.sum_up();
    used
}

/// Keeps the first entries of a list that fit into `room`, and says what they take. Those for which `goes_first` is true
/// go before others.
fn trimmed<T: serde::Serialize>(
    list: &mut Vec<T>,
    room: u64,
    what: &'static str,
    left: &mut Leftovers,
    goes_first: impl Fn(&T) -> bool,
) -> u64 {
    let sizes: Vec<u64> = list.iter().map(value_tokens).collect();
    let mut used: u64 = 0;
    let mut stays = vec![false; list.len()];
    for round in [false, true] {
        for (at, _) in list.iter().enumerate().filter(|(_, entry)| goes_first(*entry) == round) {
            if used + sizes[at] <= room {
                used += sizes[at];
                stays[at] = true;
            }
        }
    }
    let (gone, tokens) = stays
        .iter()
        .zip(&sizes)
        .filter(|(stays, _)| !**stays)
        .fold((0_usize, 0_u64), |(count, sum), (_, size)| (count + 1, sum + size));
    let mut stays = stays.into_iter();
    list.retain(|_| stays.next().unwrap_or(true));
    if gone > 0 {
        left.several(
            what,
            gone,
            tokens,
            format!("more than the {room} tokens that a list of this kind may have"),
        );
    }
    used
}

struct Leftovers {
    budget: u64,
    list: Vec<LeftOut>,
}

impl Leftovers {
    fn item(&mut self, item: &Item, what: &'static str) {
        self.list.push(LeftOut {
            path: Some(item.path.clone()),
            what,
            count: None,
            score: Some(item.score),
            tokens: item.tokens,
            bytes: Some(item.bytes),
            reason: format!("no room in the budget of {} tokens", self.budget),
        });
    }

    fn several(&mut self, what: &'static str, count: usize, tokens: u64, reason: String) {
        self.list.push(LeftOut {
            path: None,
            what,
            count: Some(count),
            score: None,
            tokens,
            bytes: None,
            reason,
        });
    }

    /// Puts what is beyond the listed ones into one entry for each kind.
    fn sum_up(&mut self) {
        let Some(beyond) = self.list.len().checked_sub(LISTED).filter(|beyond| *beyond > 0) else { return };
        let rest = self.list.split_off(self.list.len() - beyond);
        for what in ["document", "code"] {
            let of_kind: Vec<&LeftOut> = rest.iter().filter(|left| left.what == what).collect();
            if !of_kind.is_empty() {
                let tokens = of_kind.iter().map(|left| left.tokens).sum();
                let reason = format!(
                    "no room in the budget of {} tokens, and less related than those above",
                    self.budget
                );
                self.several(what, of_kind.len(), tokens, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{Origin, Reference, ReferenceKind};

    fn item(path: &str, score: f64, excerpt: usize) -> Item {
        let mut item = Item {
            path: path.to_owned(),
            title: path.to_owned(),
            kind: "adr",
            status: None,
            score,
            reasons: vec!["shares terms: a".to_owned()],
            bytes: 4_000,
            tokens: 0,
            excerpt: "x".repeat(excerpt),
            origin: Origin::of(path),
        };
        weigh(&mut item);
        item
    }

    fn package(adrs: Vec<Item>, code: Vec<Item>) -> ContextPackage {
        let mut package = ContextPackage::empty("a.md", "A", "rfc", "rfc-review");
        package.related.adrs = adrs;
        package.related.code = code;
        package
    }

    #[test]
    fn what_is_worth_most_stays_and_what_goes_is_listed() {
        let mut package = package(
            vec![item("1.md", 1.0, 4_000), item("2.md", 0.5, 400), item("4.md", 0.1, 4_000)],
            vec![item("3.rs", 0.7, 4_000)],
        );
        let (first, second) = (package.related.adrs[0].tokens, package.related.adrs[1].tokens);
        fit(&mut package, first + second + 200);
        assert_eq!(package.ranked, ["1.md", "2.md"], "the small one fits where a better one did not");
        let left: Vec<_> = package.left_out.iter().filter_map(|left| left.path.as_deref()).collect();
        assert_eq!(left, ["3.rs", "4.md"]);
        assert!(package.left_out[0].reason.contains("budget") && package.left_out[0].bytes == Some(4_000));
        assert!(package.size.tokens <= package.size.budget + 20, "{:?}", package.size);
        assert_eq!(package.size.file_tokens, 2_000);
    }

    #[test]
    fn all_that_fits_stays_ranked_over_all_lists() {
        let mut package =
            package(vec![item("b.md", 0.5, 10), item("a.md", 0.5, 10)], vec![item("c.rs", 0.7, 10)]);
        fit(&mut package, 100_000);
        assert_eq!(package.ranked, ["c.rs", "a.md", "b.md"]);
        assert!(package.left_out.is_empty());
    }

    #[test]
    fn broken_references_stay_before_others() {
        let mut package = package(Vec::new(), Vec::new());
        let reference = |line: usize| Reference {
            text: format!("docs/{}.md", "x".repeat(60)),
            line,
            kind: ReferenceKind::Link,
            path: None,
            broken: line > 90,
            nearest: None,
        };
        package.references = (0..100).map(reference).collect();
        fit(&mut package, 1_000);
        assert_eq!(package.references.iter().filter(|reference| reference.broken).count(), 9);
        assert!(
            package.references.len() < 40
                && package.references.windows(2).all(|pair| pair[0].line < pair[1].line)
        );
        let left = &package.left_out[0];
        assert_eq!((left.what, left.count), ("reference", Some(100 - package.references.len())));
    }

    #[test]
    fn very_many_are_summed_up() {
        let many = (0..200).map(|number| item(&format!("{number:03}.md"), 0.1, 100)).collect();
        let mut package = package(many, Vec::new());
        fit(&mut package, 500);
        assert!(package.left_out.len() <= LISTED + 1);
        let counted: usize = package.left_out.iter().map(|left| left.count.unwrap_or(1)).sum();
        assert_eq!(counted + package.ranked.len(), 200);
    }

    #[test]
    fn estimates_know_other_scripts() {
        assert_eq!(tokens("abcd"), 1);
        assert_eq!(tokens("äöü漢字"), 5);
    }
}
