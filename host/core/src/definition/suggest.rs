//! "Did you mean": the known name that an unknown one most likely stands for.

/// The candidate most like `name`, if one is like enough: a third of its letters may be wrong, at least one. Case,
/// `-` and `_` do not count. Among equals the first in alphabetical order, so that the answer is always the same.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(name);
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown name: the closest candidate, else all of them when they are few.
pub(super) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// More names than this are a list nobody reads.
    const SHOWN: usize = 12;
    let mut candidates: Vec<&str> = candidates.into_iter().collect();
    candidates.sort_unstable();
    candidates.dedup();
    match closest(name, candidates.iter().copied()) {
        Some(candidate) => Some(format!("did you mean '{candidate}'?")),
        None if candidates.is_empty() || candidates.len() > SHOWN => None,
        None => Some(format!("known here: {}", candidates.join(", "))),
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(closest("depnds_on", ["depends_on", "description"]), Some("depends_on"));
        assert_eq!(closest("dependsOn", ["depends_on"]), Some("depends_on"));
        assert_eq!(closest("perspektive", ["rfc_path", "perspective"]), Some("perspective"));
        assert_eq!(closest("x", ["inputs", "y"]), None);
        assert_eq!(closest("", ["a"]), None);
    }

    #[test]
    fn equals_are_decided_by_the_alphabet() {
        assert_eq!(closest("stage1", ["stage3", "stage2"]), Some("stage2"));
    }

    #[test]
    fn few_candidates_are_listed() {
        assert_eq!(hint("zzz", ["b", "a"]).as_deref(), Some("known here: a, b"));
        assert_eq!(hint("zzz", []), None);
    }
}
