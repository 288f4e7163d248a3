//! Uncompressing zlib data from a file without reading more of it than needed, up to a limit. Must not know objects.

use std::io::{self, Read};

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// How much is read at a time.
const PIECE: usize = 16 * 1024;

/// Uncompresses one zlib stream.
///
/// # Errors
/// When it is damaged (its checksum is compared), cut short, or gives more than `limit` bytes.
pub(super) fn all(source: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let (mut input, mut output) = (vec![0; PIECE], vec![0; PIECE]);
    let (mut from, mut to) = (0, 0);
    let mut result = Vec::new();
    loop {
        if from == to {
            (from, to) = (0, source.read(&mut input)?);
        }
        let done = inflate(&mut state, &input[from..to], &mut output, MZFlush::None);
        from += done.bytes_consumed;
        result.extend_from_slice(&output[..done.bytes_written]);
        if result.len() > limit {
            return Err(damaged("an object is too large"));
        }
        match done.status {
            Ok(MZStatus::StreamEnd) => return Ok(result),
            Ok(_) if done.bytes_consumed > 0 || done.bytes_written > 0 => {}
            _ => return Err(damaged("compressed data is damaged or cut short")),
        }
    }
}
