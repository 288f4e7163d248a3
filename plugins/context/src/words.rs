//! Which documents have which word: an inverted list for each word, so that a document is compared with thousands of
//! others by reading the lists of its own words only.
//!
//! Lists are packed: for each document the distance from the one before as a variable-length number (seven bits a byte,
//! lowest first), a byte that says which fields have the word, and a byte for each of these. What was kept before stays
//! packed where it is; each list has a checksum of its own and is read when it is asked for. What a word is worth is
//! not decided here.

use crate::facts::{Counts, TermCount};

/// A document that has a word: its position, and how often.
pub type Posting = (u32, Counts);

/// Bytes of a word in a packed vocabulary: hash, documents, where its list begins, checksum.
const WORD: usize = 16;
/// Bytes of a document in a list at most: distance, fields, a count for each, and one to write a count in vain.
const LONGEST: usize = 5 + 1 + 5 + 1;
/// So many words wait for their lists.
const PENDING: usize = 1 << 18;
/// The place of a document that is no longer there.
pub const GONE: u32 = u32::MAX;

/// What was kept can't be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// The list of one word.
#[derive(Debug, Default)]
struct List {
    documents: u32,
    last: u32,
    bytes: Vec<u8>,
}

impl List {
    fn clear(&mut self) {
        (self.documents, self.last) = (0, 0);
        self.bytes.clear();
    }

    /// Adds a document; positions only rise.
    fn push(&mut self, document: u32, counts: Counts) {
        let mut packed = [0_u8; LONGEST];
        let mut length = 0;
        let mut distance = document - self.last;
        while distance >= 0x80 {
            packed[length] = (distance & 0x7f) as u8 | 0x80;
            length += 1;
            distance >>= 7;
        }
        packed[length] = distance as u8;
        let mask = length + 1;
        length += 2;
        let fields = [counts.title, counts.heading, counts.lead, counts.body, counts.code];
        // Without branches: which fields a word is in can't be foreseen, and there are millions.
        for (at, field) in fields.into_iter().enumerate() {
            packed[mask] |= u8::from(field > 0) << at;
            packed[length] = field;
            length += usize::from(field > 0);
        }
        self.bytes.extend_from_slice(&packed[..length]);
        self.documents += 1;
        self.last = document;
    }

    /// Adds a packed list of documents that come after all of this one.
    fn append(&mut self, piece: Piece<'_>) {
        let mut unpacked = Unpacked::new(piece.bytes);
        let Some((first, counts)) = unpacked.next() else { return };
        self.push(first, counts);
        self.bytes.extend_from_slice(unpacked.rest);
        self.documents += piece.documents - 1;
        self.last = piece.last;
    }
}

/// A packed list among others.
#[derive(Clone, Copy)]
struct Piece<'a> {
    documents: u32,
    last: u32,
    bytes: &'a [u8],
}

/// Reads a packed list; ends early where it is damaged.
struct Unpacked<'a> {
    rest: &'a [u8],
    last: u32,
}

impl<'a> Unpacked<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, last: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Posting;

    fn next(&mut self) -> Option<Posting> {
        let mut distance = 0_u32;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            distance |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                break;
            }
        }
        self.last = self.last.wrapping_add(distance);
        let mask = self.byte()?;
        let mut field = |at: u8| if mask & (1 << at) == 0 { Some(0) } else { self.byte() };
        let counts = Counts {
            title: field(0)?,
            heading: field(1)?,
            lead: field(2)?,
            body: field(3)?,
            code: field(4)?,
        };
        Some((self.last, counts))
    }
}

/// A word of a document that is in no list yet.
#[derive(Debug, Clone, Copy, Default)]
struct Pending {
    term: u32,
    document: u32,
    counts: Counts,
}

/// Lists of some documents, in the order of words.
#[derive(Debug, Default)]
struct Run {
    words: Vec<RunWord>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct RunWord {
    term: u32,
    documents: u32,
    last: u32,
    from: usize,
}

impl Run {
    fn piece(&self, at: usize) -> Piece<'_> {
        let RunWord { documents, last, from, .. } = self.words[at];
        let to = self.words.get(at + 1).map_or(self.bytes.len(), |next| next.from);
        Piece { documents, last, bytes: &self.bytes[from..to] }
    }

    fn find(&self, term: u32) -> Option<Piece<'_>> {
        let at = self.words.binary_search_by_key(&term, |word| word.term).ok()?;
        Some(self.piece(at))
    }
}

/// Lists that are being made. Words wait until there are many and are sorted then: going to one of tens of thousands of
/// lists for each word would take longer than reading the documents.
#[derive(Debug, Default)]
pub struct Lists {
    /// Of documents that follow each other.
    runs: Vec<Run>,
    pending: Vec<Pending>,
}

impl Lists {
    /// Adds the words of the document at this position, which is higher than all before.
    pub fn add(&mut self, document: u32, words: &[TermCount]) {
        self.pending.extend(words.iter().map(|word| Pending {
            term: word.term,
            document,
            counts: word.counts,
        }));
        if self.pending.len() >= PENDING {
            self.settle();
        }
    }

    /// Makes lists of what waits.
    fn settle(&mut self) {
        sort(&mut self.pending);
        let mut run = Run::default();
        let mut list = List::default();
        for words in self.pending.chunk_by(|left, right| left.term == right.term) {
            list.clear();
            words.iter().for_each(|word| list.push(word.document, word.counts));
            let (term, from) = (words[0].term, run.bytes.len());
            run.words.push(RunWord { term, documents: list.documents, last: list.last, from });
            run.bytes.extend_from_slice(&list.bytes);
        }
        self.pending.clear();
        self.runs.push(run);
    }

    fn pieces(&self, term: u32) -> impl Iterator<Item = Piece<'_>> {
        self.runs.iter().filter_map(move |run| run.find(term))
    }
}

/// Sorts by term and leaves documents in their order: a radix sort, lowest digits first (Knuth, "The Art of Computer
/// Programming", volume 3, section 5.2.5), because there are millions.
fn sort(words: &mut Vec<Pending>) {
    const BITS: u32 = 11;
    let mut other = vec![Pending::default(); words.len()];
    for shift in (0..u32::BITS).step_by(BITS as usize) {
        let digit = |word: &Pending| (word.term >> shift) as usize & ((1 << BITS) - 1);
        let mut places = vec![0_usize; (1 << BITS) + 1];
        words.iter().for_each(|word| places[digit(word) + 1] += 1);
        for at in 1..places.len() {
            places[at] += places[at - 1];
        }
        for word in words.iter() {
            let place = &mut places[digit(word)];
            other[*place] = *word;
            *place += 1;
        }
        std::mem::swap(words, &mut other);
    }
}

/// Where packed lists of before are, and what became of their documents.
pub trait Kept {
    /// These bytes of all lists; none when they can't be read.
    fn bytes(&self, from: usize, to: usize) -> Option<Vec<u8>>;
    /// A hash of bytes, as it was when they were packed.
    fn checksum(&self, bytes: &[u8]) -> u32;
}

/// Lists of before.
struct Before {
    vocabulary: Vec<u8>,
    kept: Box<dyn Kept>,
    /// For each document of before its position now, or [`GONE`]; positions rise.
    positions: Vec<u32>,
    gone: u32,
}

/// A word of a packed vocabulary.
struct Known {
    documents: u32,
    from: usize,
    to: usize,
    checksum: u32,
}

impl Before {
    fn len(&self) -> usize {
        // The last one only says where the last list ends.
        (self.vocabulary.len() / WORD).saturating_sub(1)
    }

    fn number(&self, at: usize, field: usize) -> u32 {
        let start = at * WORD + field * 4;
        let bytes = self.vocabulary.get(start..start + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    fn at(&self, at: usize) -> Known {
        Known {
            documents: self.number(at, 1),
            from: self.number(at, 2) as usize,
            to: self.number(at + 1, 2) as usize,
            checksum: self.number(at, 3),
        }
    }

    /// Whether the word at this place is `term`.
    fn has(&self, at: usize, term: u32) -> bool {
        at < self.len() && self.number(at, 0) == term
    }

    fn find(&self, term: u32) -> Option<Known> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.number(middle, 0).cmp(&term) {
                std::cmp::Ordering::Equal => return Some(self.at(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The documents of a list that are still there, at their positions now.
    fn still<'a>(
        &'a self,
        known: &Known,
        bytes: &'a [u8],
    ) -> Result<impl Iterator<Item = Posting> + 'a, Damaged> {
        if self.kept.checksum(bytes) != known.checksum {
            return Err(Damaged);
        }
        let now = |(document, counts): Posting| {
            let position = self.positions.get(document as usize).copied().unwrap_or(GONE);
            (position != GONE).then_some((position, counts))
        };
        Ok(Unpacked::new(bytes).filter_map(now))
    }
}

/// The words of all documents.
#[derive(Default)]
pub struct Words {
    before: Option<Before>,
    fresh: Lists,
}

/// Lists of all words, packed to be kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Packed {
    /// The words, sorted by hash.
    pub vocabulary: Vec<u8>,
    /// Their lists.
    pub lists: Vec<u8>,
}

impl Words {
    /// The words of documents that were all read now.
    pub fn new(mut fresh: Lists) -> Self {
        fresh.settle();
        Self { before: None, fresh }
    }

    /// The words of documents of which some were read now and others before: `positions` says where those are now.
    pub fn with_kept(
        mut fresh: Lists,
        vocabulary: Vec<u8>,
        kept: Box<dyn Kept>,
        positions: Vec<u32>,
    ) -> Self {
        fresh.settle();
        let gone = positions.iter().filter(|position| **position == GONE).count();
        let gone = u32::try_from(gone).unwrap_or(u32::MAX);
        Self { before: Some(Before { vocabulary, kept, positions, gone }), fresh }
    }

    /// How many documents have a word: at least, and at most. How many exactly is known by reading the list.
    pub fn having(&self, term: u32) -> (u32, u32) {
        let fresh = self.fresh.pieces(term).map(|piece| piece.documents).sum();
        let Some(before) = &self.before else { return (fresh, fresh) };
        let known = before.find(term).map_or(0, |known| known.documents);
        (fresh + known.saturating_sub(before.gone), fresh + known)
    }

    /// The documents that have a word, by position.
    ///
    /// # Errors
    /// When what was kept is not what it was.
    pub fn postings(&self, term: u32) -> Result<Vec<Posting>, Damaged> {
        let mut found: Vec<Posting> = Vec::new();
        if let Some(before) = &self.before
            && let Some(known) = before.find(term)
        {
            let bytes = before.kept.bytes(known.from, known.to).ok_or(Damaged)?;
            found.reserve(known.documents as usize);
            found.extend(before.still(&known, &bytes)?);
        }
        let before = found.len();
        found.extend(self.fresh.pieces(term).flat_map(|piece| Unpacked::new(piece.bytes)));
        if before > 0 && found.len() > before {
            found.sort_unstable_by_key(|(document, _)| *document);
        }
        Ok(found)
    }

    /// Packs all lists; `checksum` is what each of them will be checked by.
    ///
    /// # Errors
    /// As [`Words::postings`].
    pub fn pack(&self, checksum: impl Fn(&[u8]) -> u32) -> Result<Packed, Damaged> {
        let runs = self.fresh.runs.iter().flat_map(|run| run.words.iter().map(|word| word.term));
        let before = self.before.iter().flat_map(|before| (0..before.len()).map(|at| before.number(at, 0)));
        let mut terms: Vec<u32> = runs.chain(before).collect();
        terms.sort_unstable();
        terms.dedup();
        let old = match &self.before {
            Some(before) => {
                let end = before.number(before.len(), 2) as usize;
                before.kept.bytes(0, end).ok_or(Damaged)?
            }
            None => Vec::new(),
        };
        let mut packed =
            Packed { vocabulary: Vec::with_capacity((terms.len() + 1) * WORD), lists: Vec::new() };
        let mut list = List::default();
        // Where the next word is among those of before, and of each run.
        let mut next_before = 0;
        let mut next = vec![0_usize; self.fresh.runs.len()];
        for term in terms {
            list.clear();
            let mut mixed: Vec<Posting> = Vec::new();
            if let Some(before) = self.before.as_ref().filter(|before| before.has(next_before, term)) {
                let known = before.at(next_before);
                let bytes = old.get(known.from..known.to).ok_or(Damaged)?;
                mixed.extend(before.still(&known, bytes)?);
                next_before += 1;
            }
            let is_mixed = !mixed.is_empty();
            for (run, at) in self.fresh.runs.iter().zip(&mut next) {
                if run.words.get(*at).is_some_and(|word| word.term == term) {
                    let piece = run.piece(*at);
                    *at += 1;
                    if is_mixed {
                        mixed.extend(Unpacked::new(piece.bytes));
                    } else {
                        list.append(piece);
                    }
                }
            }
            mixed.sort_unstable_by_key(|(document, _)| *document);
            mixed.iter().for_each(|(document, counts)| list.push(*document, *counts));
            if list.documents > 0 {
                packed.push(term, list.documents, &list.bytes, &checksum);
            }
        }
        packed.push(u32::MAX, 0, &[], &checksum);
        Ok(packed)
    }
}

impl Packed {
    fn push(&mut self, term: u32, documents: u32, list: &[u8], checksum: impl Fn(&[u8]) -> u32) {
        // Kept files are smaller by far than what this can't count.
        let from = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        for number in [term, documents, from, checksum(list)] {
            self.vocabulary.extend(number.to_le_bytes());
        }
        self.lists.extend(list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory(Vec<u8>);

    impl Kept for Memory {
        fn bytes(&self, from: usize, to: usize) -> Option<Vec<u8>> {
            self.0.get(from..to).map(<[u8]>::to_vec)
        }
        fn checksum(&self, bytes: &[u8]) -> u32 {
            sum(bytes)
        }
    }

    fn sum(bytes: &[u8]) -> u32 {
        bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
    }

    fn word(term: u32, body: u8) -> TermCount {
        TermCount { term, counts: Counts { body, code: body / 2, ..Counts::default() } }
    }

    fn lists(documents: &[(u32, &[TermCount])]) -> Lists {
        let mut lists = Lists::default();
        documents.iter().for_each(|(position, words)| lists.add(*position, words));
        lists
    }

    fn bodies(words: &Words, term: u32) -> Vec<(u32, u8)> {
        let found = words.postings(term).expect("not damaged");
        found.into_iter().map(|(document, counts)| (document, counts.body)).collect()
    }

    #[test]
    fn what_was_kept_and_what_is_new_are_one() {
        let first = [word(5, 1), word(900, 255)];
        let second = [word(5, 2)];
        let far = [word(5, 3), word(7, 1)];
        let before = Words::new(lists(&[(0, &first), (1, &second), (70_000, &far)]));
        assert_eq!(bodies(&before, 5), [(0, 1), (1, 2), (70_000, 3)]);
        assert_eq!((before.having(5), before.having(6)), ((3, 3), (0, 0)));
        let packed = before.pack(sum).expect("packed");
        // The first is gone, a new one comes before the second, which moved.
        let mut positions = vec![GONE; 70_001];
        positions[1] = 4;
        positions[70_000] = 9;
        let fresh = lists(&[(2, &[word(5, 9), word(8, 1)])]);
        let kept = Box::new(Memory(packed.lists.clone()));
        let now = Words::with_kept(fresh, packed.vocabulary.clone(), kept, positions);
        assert_eq!(bodies(&now, 5), [(2, 9), (4, 2), (9, 3)]);
        assert_eq!((bodies(&now, 900), bodies(&now, 8), bodies(&now, 1)), (vec![], vec![(2, 1)], vec![]));
        let (least, most) = now.having(5);
        assert!((least..=most).contains(&3));
        let again = now.pack(sum).expect("packed");
        let again = Words::with_kept(
            Lists::default(),
            again.vocabulary,
            Box::new(Memory(again.lists)),
            (0..10).collect(),
        );
        assert_eq!(bodies(&again, 5), [(2, 9), (4, 2), (9, 3)]);
        assert_eq!((again.having(5), again.having(900)), ((3, 3), (0, 0)));
    }

    #[test]
    fn a_damaged_list_is_seen() {
        let packed = Words::new(lists(&[(0, &[word(5, 1)]), (3, &[word(5, 2), word(6, 2)])]))
            .pack(sum)
            .expect("packed");
        for at in 0..packed.lists.len() {
            let mut damaged = packed.lists.clone();
            damaged[at] ^= 1;
            let positions = (0..4).collect();
            let words = Words::with_kept(
                Lists::default(),
                packed.vocabulary.clone(),
                Box::new(Memory(damaged)),
                positions,
            );
            assert!(words.postings(5).is_err() || words.postings(6).is_err(), "byte {at}");
            assert_eq!(words.pack(sum), Err(Damaged));
        }
        let short = Box::new(Memory(Vec::new()));
        let words = Words::with_kept(Lists::default(), packed.vocabulary, short, vec![0, 1, 2, 3]);
        assert_eq!(words.postings(5), Err(Damaged));
    }
}
