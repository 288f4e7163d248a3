//! What an agent printed, and what it was told, is kept as its transcript. While it works, the files are its own, private to the user; once its
//! stage is over, values of granted variables are masked in them, too. Must not be used on a process that still writes.

use std::io::{self, Read as _};
use std::path::Path;

use docket_core::secret::Secrets;

use super::process_folder::ProcessFolder;
use super::records::process_folders;
use super::said;
use crate::disk::{Durability, replace};

/// Largest file that is looked through. Of a larger one only what docket took from it was masked.
const MAX_TRANSCRIPT: u64 = 256 * 1024 * 1024;

/// Masks what the processes of an attempt printed, answered and were told. A file that can't be rewritten stays as it is: private.
pub(in crate::plugin) fn mask_all(attempt: &Path, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    for path in process_folders(attempt) {
        let folder = ProcessFolder { path };
        let answers = std::fs::read_dir(folder.answers()).into_iter().flatten().flatten();
        let answers = answers.map(|entry| entry.path());
        for file in [folder.stdout(), folder.stderr()].into_iter().chain(answers) {
            let _ = mask(&file, secrets);
        }
        let _ = mask_said(&folder.said(), secrets);
    }
}

fn mask(path: &Path, secrets: &Secrets) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if !metadata.is_file() || metadata.len() > MAX_TRANSCRIPT {
        return Ok(());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_TRANSCRIPT).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let masked = secrets.mask_transcript(&text);
    // What has no value in it stays byte for byte, UTF-8 or not.
    if masked == text {
        return Ok(());
    }
    replace(path, masked.as_bytes(), Durability::Derived).map_err(io::Error::other)
}

/// What was said to a process stays a file of sound records.
fn mask_said(path: &Path, secrets: &Secrets) -> io::Result<()> {
    match said::masked(path, secrets)? {
        Some(masked) => replace(path, masked.as_bytes(), Durability::Derived).map_err(io::Error::other),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_with_a_value_in_them_are_rewritten() {
        let attempt = tempfile::tempdir().expect("a folder");
        let folder = ProcessFolder { path: attempt.path().join("process-1") };
        std::fs::create_dir_all(folder.answers()).expect("created");
        std::fs::write(folder.stdout(), b"\xffa\nhid\nden-value\n").expect("written");
        std::fs::write(folder.stderr(), b"\xff nothing\n").expect("written");
        std::fs::write(folder.answers().join("x"), "{\"k\":\"hidden-value\"}").expect("written");
        mask_all(attempt.path(), &Secrets::new([("K", "hidden-value")]));
        let read = |path: &Path| std::fs::read(path).expect("readable");
        assert_eq!(String::from_utf8_lossy(&read(&folder.stdout())), "\u{fffd}a\n•••[K]\n•••[K]\n");
        assert_eq!(read(&folder.stderr()), b"\xff nothing\n");
        assert_eq!(read(&folder.answers().join("x")), "{\"k\":\"•••[K]\"}".as_bytes());
    }
}
