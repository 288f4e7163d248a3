//! Applying a difference to the object it was made from (`git help gitformat-pack`, "Deltified representation").

/// The result; none when the difference does not fit, or gives more than `limit` bytes.
pub(super) fn apply(base: &[u8], difference: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut rest = difference;
    let base_size = size(&mut rest)?;
    let result_size = size(&mut rest)?;
    if base_size != base.len() || result_size > limit {
        return None;
    }
    let mut result = Vec::new();
    while let Some((instruction, after)) = rest.split_first() {
        rest = after;
        let piece = match instruction {
            0 => return None,
            // Copy from the base: which of the bytes of offset and size follow is told by the bits.
            copy if copy & 0x80 != 0 => {
                let offset = number(&mut rest, copy & 0x0f)?;
                let length = number(&mut rest, copy >> 4 & 0x07)?;
                let length = if length == 0 { 0x10000 } else { length };
                base.get(offset..offset.checked_add(length)?)?
            }
            length => {
                let (piece, after) = rest.split_at_checked(usize::from(*length))?;
                rest = after;
                piece
            }
        };
        if result.len() + piece.len() > result_size {
            return None;
        }
        result.extend_from_slice(piece);
    }
    (result.len() == result_size).then_some(result)
}

/// A size: seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let bits = usize::from(byte & 0x7f);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return None;
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A little-endian number of which only the bytes with a set bit are there.
fn number(rest: &mut &[u8], present: u8) -> Option<usize> {
    let mut value = 0;
    for place in (0..4).filter(|place| present >> place & 1 != 0) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(*byte) << (8 * place);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_insertions_are_applied() {
        let difference = [5, 8, 0x90, 3, 2, b'-', b'-', 0x91, 2, 3];
        assert_eq!(apply(b"abcde", &difference, 100).as_deref(), Some(&b"abc--cde"[..]));
    }

    #[test]
    fn nonsense_is_refused() {
        for (base, difference) in [
            (&b"abcde"[..], &[4, 1, 0x90, 1][..]),
            (b"abcde", &[5, 1]),
            (b"abcde", &[5, 1, 0]),
            (b"abcde", &[5, 9, 0x91, 2, 9]),
            (b"abcde", &[5, 1, 0x90]),
            (b"abcde", &[5, 1, 4, b'x']),
            (b"abcde", &[5, 1, 2, b'x', b'y']),
            (b"", &[0xff; 20]),
            (b"", &[]),
        ] {
            assert_eq!(apply(base, difference, 100), None, "{difference:?}");
        }
        assert_eq!(apply(b"", &[0, 0x80, 0x80, 0x04], 100), None, "more than the limit");
    }
}
