//! How a document's words are stored: by far the most there is to store, so without a format's own care for each number.
//! Each word is its hash, a byte that says which fields have it, and a byte for each of these.

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

use super::TermCount;

/// Bytes of a hash.
const HASH: usize = 4;

/// Stores the words.
pub(crate) fn serialize<S: Serializer>(counts: &[TermCount], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(counts.len() * (HASH + 2));
    for count in counts {
        bytes.extend(count.term.to_le_bytes());
        let fields = fields(count);
        let mask =
            fields.iter().enumerate().fold(0_u8, |mask, (at, field)| mask | u8::from(*field > 0) << at);
        bytes.push(mask);
        bytes.extend(fields.iter().filter(|field| **field > 0));
    }
    serializer.serialize_bytes(&bytes)
}

/// Reads the words back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TermCount>, D::Error> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<TermCount>;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("packed words")
        }
        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            unpacked(bytes).ok_or_else(|| E::custom("words that were cut short"))
        }
    }
    deserializer.deserialize_bytes(Bytes)
}

fn fields(count: &TermCount) -> [u8; 5] {
    [count.title, count.heading, count.lead, count.body, count.code]
}

fn unpacked(bytes: &[u8]) -> Option<Vec<TermCount>> {
    // A word has its hash, its mask and at least one count.
    let mut counts = Vec::with_capacity(bytes.len() / (HASH + 2));
    let mut rest = bytes;
    while let Some((hash, after)) = rest.split_first_chunk::<HASH>() {
        let (mask, mut after) = after.split_first()?;
        let mut fields = [0_u8; 5];
        for (at, field) in fields.iter_mut().enumerate() {
            if mask & (1 << at) != 0 {
                let (count, more) = after.split_first()?;
                (*field, after) = (*count, more);
            }
        }
        let [title, heading, lead, body, code] = fields;
        counts.push(TermCount { term: u32::from_le_bytes(*hash), title, heading, lead, body, code });
        rest = after;
    }
    rest.is_empty().then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::super::Terms;
    use super::*;

    #[test]
    fn words_come_back_as_they_were() {
        let count = |term, title, body| TermCount { term, title, heading: 0, lead: 0, body, code: 255 };
        let terms = Terms { length: 9, counts: vec![count(0, 0, 0), count(7, 1, 2), count(u32::MAX, 0, 3)] };
        let bytes = postcard::to_allocvec(&terms).expect("stored");
        assert_eq!(postcard::from_bytes::<Terms>(&bytes), Ok(terms));
        assert!(bytes.len() < 3 * 9, "{}", bytes.len());
    }

    #[test]
    fn what_was_cut_short_is_an_error() {
        assert_eq!(unpacked(&[]), Some(Vec::new()));
        for bytes in [&[1][..], &[1, 2, 3, 4], &[1, 2, 3, 4, 8], &[1, 2, 3, 4, 8, 1, 9]] {
            assert_eq!(unpacked(bytes), None, "{bytes:?}");
        }
    }
}
