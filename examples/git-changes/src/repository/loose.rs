//! Objects in files of their own (`git help gitrepository-layout`, "objects/[0-9a-f][0-9a-f]").

use std::fs::File;
use std::io;
use std::path::Path;

use docket_plugin::Error;

use super::{Hash, Kind, MAX_OBJECT, corrupt, inflate, unreadable};

/// Bytes that come before an object's content: its kind, its size, a NUL.
const MAX_HEAD: usize = 32;

/// The object with this hash, if it has a file of its own.
pub(super) fn read(objects: &Path, hash: Hash) -> Result<Option<(Kind, Vec<u8>)>, Error> {
    let name = hash.to_string();
    let (folder, rest) = name.split_at(2);
    let path = objects.join(folder).join(rest);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(&path, &cause)),
    };
    let bytes = inflate::all(&mut file, MAX_OBJECT + MAX_HEAD)
        .map_err(|cause| corrupt(format!("{hash}: {cause}")))?;
    parse(bytes).map(Some).ok_or_else(|| corrupt(format!("{hash} can't be understood")))
}

/// `commit 123`, NUL, content.
fn parse(mut bytes: Vec<u8>) -> Option<(Kind, Vec<u8>)> {
    let end = bytes.iter().take(MAX_HEAD).position(|byte| *byte == 0)?;
    let (kind, size) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    let kind = match kind {
        "commit" => Kind::Commit,
        "tree" => Kind::Tree,
        "blob" => Kind::Blob,
        "tag" => Kind::Tag,
        _ => return None,
    };
    let size: usize = size.parse().ok()?;
    bytes.drain(..=end);
    (bytes.len() == size).then_some((kind, bytes))
}
