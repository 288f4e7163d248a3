//! What a broken reference probably meant: the file whose name shares most words.

use crate::inventory::{File, Inventory};

/// Below this share of words in common a guess would mislead.
const MINIMUM: f64 = 0.5;

/// The file nearest to the path `wanted`: the same name elsewhere, else the most words of the name in common.
pub(crate) fn nearest(inventory: &Inventory, wanted: &str) -> Option<String> {
    let name = wanted.rsplit('/').next()?.to_ascii_lowercase();
    if let Some(same) = inventory
        .named(&name)
        .max_by_key(|file| (common_tail(&file.path, wanted), std::cmp::Reverse(&file.path)))
    {
        return Some(same.path.clone());
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let words: Vec<&str> = words(stem);
    let mut best: Option<(f64, &File)> = None;
    for file in inventory.files() {
        if !extension.is_empty() && !file.stem_and_extension().1.eq_ignore_ascii_case(extension) {
            continue;
        }
        let likeness = likeness(&words, file);
        if likeness >= MINIMUM && best.is_none_or(|(so_far, _)| likeness > so_far) {
            best = Some((likeness, file));
        }
    }
    best.map(|(_, file)| file.path.clone())
}

fn words(stem: &str) -> Vec<&str> {
    stem.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Dice's coefficient of the names' words; an id in common weighs more than the rest of the name.
fn likeness(wanted: &[&str], file: &File) -> f64 {
    let name = file.name().to_ascii_lowercase();
    let other = words(name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem));
    let shared = wanted.iter().filter(|word| other.contains(word)).count();
    let total = wanted.len() + other.len();
    if total == 0 {
        return 0.0;
    }
    let same_id = wanted.len() > 1
        && wanted[..2] == other[..other.len().min(2)]
        && wanted[1].bytes().all(|byte| byte.is_ascii_digit());
    2.0 * shared as f64 / total as f64 + if same_id { 0.5 } else { 0.0 }
}

fn common_tail(left: &str, right: &str) -> usize {
    left.rsplit('/')
        .zip(right.rsplit('/'))
        .take_while(|(left, right)| left.eq_ignore_ascii_case(right))
        .count()
}
