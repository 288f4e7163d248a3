//! Seals: proof that a run was started by this user and not shipped along with a project.
//!
//! A journal's chain of hashes shows that nothing was changed, not who wrote it. What a resumed run may do (which
//! definition, which command) stands in its first record, so that record carries an HMAC-SHA-256 (RFC 2104) under a key
//! that only the user's own folder has.

use sha2::{Digest as _, Sha256};

use super::NewRun;

/// Bytes that SHA-256 works through at a time.
const BLOCK: usize = 64;

/// The seal of a run's start under a key, as hexadecimal digits. The seal that is already in it does not count.
///
/// # Errors
/// When the start can't be written as JSON, which nothing in it can be the cause of: a bug.
pub fn seal(key: &[u8; 32], start: &NewRun) -> Result<String, serde_json::Error> {
    let unsealed = NewRun { seal: String::new(), ..start.clone() };
    Ok(hexadecimal(&hmac(key, &serde_json::to_vec(&unsealed)?)))
}

/// Whether a run's start was sealed with this key.
pub fn is_sealed(key: &[u8; 32], start: &NewRun) -> bool {
    seal(key, start).is_ok_and(|wanted| fits(&wanted, &start.seal))
}

/// The seal of any other text under a key, as hexadecimal digits. The text must begin with what it is about, so that a
/// seal fits nothing else.
pub fn seal_text(key: &[u8; 32], text: &str) -> String {
    hexadecimal(&hmac(key, text.as_bytes()))
}

/// Whether a text was sealed with this key.
pub fn is_sealed_text(key: &[u8; 32], text: &str, seal: &str) -> bool {
    fits(&seal_text(key, text), seal)
}

/// Every byte is compared, so that the time taken tells nothing about how many fit.
fn fits(wanted: &str, given: &str) -> bool {
    let differing =
        wanted.bytes().zip(given.bytes()).fold(0, |differing, (left, right)| differing | (left ^ right));
    wanted.len() == given.len() && differing == 0
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 1 of RFC 4231.
    #[test]
    fn it_is_the_standard_hmac() {
        assert_eq!(
            hexadecimal(&hmac(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }
}
