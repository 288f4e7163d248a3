//! Compiled code, kept in the user's cache folder.
//!
//! Compiled code is machine code that is run as it is. So an entry is believed only when it carries a message
//! authentication code under a key from the user's home folder, over the code, the component's hash and what the engine
//! is compatible with: a cache folder that was restored from elsewhere, an entry that somebody else wrote, one that was
//! cut short, and one that was put under another component's name are all the same: not there. Besides, only regular
//! files of the user's own that nobody else can write are read, and no link is followed.
//!
//! Must not compile, and must not know where the key is kept.

use std::fs::{self, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the key.
pub const KEY_LENGTH: usize = 32;
/// Gives the key, when there is one; asked at most once for each engine.
pub type CacheKey = dyn Fn() -> Option<[u8; KEY_LENGTH]> + Send + Sync;

/// What the codes are about, so that a code made for something else under the same key means nothing here.
const PURPOSE: &[u8] = b"docket compiled component 1\0";
/// Permission bits that let others write.
const OTHERS_WRITE: u32 = 0o022;
/// Largest entry that is read: a component of the largest size makes less.
const MAX_ENTRY: u64 = 4 << 30;

/// The compiled components of one engine. Without a folder that can be trusted or a key, there is none, and everything
/// is compiled each time.
#[derive(Debug)]
pub(super) struct CompileCache {
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    folder: PathBuf,
    /// What the engine is compatible with.
    engine: u64,
    key: [u8; KEY_LENGTH],
}

impl CompileCache {
    /// A cache for this engine below the user's cache folder. A folder that others can write, or that is a link, is not
    /// used.
    pub(super) fn new(cache: &Path, key: &CacheKey, engine: &Engine) -> Self {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hasher.finish();
        let above = cache.join("compiled");
        let folder = above.join(format!("{engine:016x}"));
        let usable = crate::disk::create_private(&folder).is_ok() && is_own(&above) && is_own(&folder);
        let place = usable.then(key).flatten().map(|key| Place { folder, engine, key });
        Self { place }
    }

    /// The code for a component, when there is an entry that can be believed.
    pub(super) fn load(&self, engine: &Engine, sha256_of_component: &str) -> Option<Component> {
        let place = self.place.as_ref()?;
        let bytes = read_own(&place.file(sha256_of_component))?;
        let (code, tag) = bytes.split_last_chunk::<{ blake3::OUT_LEN }>()?;
        // Compared in constant time.
        if place.tag(sha256_of_component, code) != *tag {
            return None;
        }
        deserialize(engine, code).ok()
    }

    /// Keeps the code for a component, in place of whatever is there.
    pub(super) fn keep(&self, sha256_of_component: &str, code: &[u8]) {
        let Some(place) = &self.place else { return };
        let file = place.file(sha256_of_component);
        let tag = place.tag(sha256_of_component, code);
        // A folder, or a file whose permissions a replacement would keep, is in the way of every later entry.
        if let Ok(there) = fs::symlink_metadata(&file)
            && !is_own_file(&there)
        {
            let _ = if there.is_dir() { fs::remove_dir_all(&file) } else { fs::remove_file(&file) };
        }
        // A cache that can't be written costs time, nothing else.
        let _ = crate::disk::replace(
            &file,
            &[code, tag.as_bytes().as_slice()].concat(),
            crate::disk::Durability::Derived,
        );
    }
}

impl Place {
    fn file(&self, sha256_of_component: &str) -> PathBuf {
        self.folder.join(format!("{sha256_of_component}.cwasm"))
    }

    /// The message authentication code of an entry. What stands before the code has a fixed length.
    fn tag(&self, sha256_of_component: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher
            .update(PURPOSE)
            .update(&self.engine.to_le_bytes())
            .update(blake3::hash(sha256_of_component.as_bytes()).as_bytes())
            .update(code);
        hasher.finalize()
    }
}

/// Makes code runnable. It must come from this docket's own compiler: out of an entry that was believed, or straight
/// from the process that was started to compile it.
pub(super) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "the code was made by this docket's compiler: its key is on it, or it came from it just now"
    )]
    // SAFETY: wasmtime asks that the bytes come unchanged from its own compiler; see this function's condition.
    unsafe {
        Component::deserialize(engine, code)
    }
}

/// Whether this is a folder, not a link to one, that belongs to the user and nobody else can write.
fn is_own(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir() && is_private(&metadata))
}

fn is_own_file(metadata: &fs::Metadata) -> bool {
    metadata.is_file() && is_private(metadata)
}

fn is_private(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & OTHERS_WRITE == 0
}

/// Reads a file of the user's own without following a link; what was looked at is what is read.
fn read_own(path: &Path) -> Option<Vec<u8>> {
    // Opening a named pipe would wait for its other end.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !is_own_file(&metadata) || metadata.len() > MAX_ENTRY {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
    file.take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    /// The smallest component there is.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
    const OTHER: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    struct Kept {
        folder: tempfile::TempDir,
        engine: Engine,
        cache: CompileCache,
    }

    impl Kept {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let engine = Engine::default();
            let cache = CompileCache::new(folder.path(), &|| Some([7; KEY_LENGTH]), &engine);
            let code = engine.precompile_component(EMPTY).expect("it compiles");
            cache.keep(ONE, &code);
            assert!(cache.load(&engine, ONE).is_some());
            Self { folder, engine, cache }
        }

        fn file(&self, sha256: &str) -> PathBuf {
            self.cache.place.as_ref().expect("a place").file(sha256)
        }

        fn loads(&self, sha256: &str) -> bool {
            self.cache.load(&self.engine, sha256).is_some()
        }
    }

    #[test]
    fn an_entry_of_another_key_is_not_believed() {
        let kept = Kept::new();
        let other = CompileCache::new(kept.folder.path(), &|| Some([8; KEY_LENGTH]), &kept.engine);
        assert!(other.load(&kept.engine, ONE).is_none());
        let keyless = CompileCache::new(kept.folder.path(), &|| None, &kept.engine);
        assert!(keyless.load(&kept.engine, ONE).is_none());
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let kept = Kept::new();
        let whole = fs::read(kept.file(ONE)).expect("readable");
        for position in [0, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            fs::write(kept.file(ONE), damaged).expect("written");
            assert!(!kept.loads(ONE), "byte {position}");
        }
        for length in [0, 1, 31, 32, whole.len() - 1] {
            fs::write(kept.file(ONE), &whole[..length]).expect("written");
            assert!(!kept.loads(ONE), "{length} bytes");
        }
        fs::write(kept.file(ONE), &whole).expect("written");
        assert!(kept.loads(ONE));
    }

    #[test]
    fn an_entry_under_another_components_name_is_not_believed() {
        let kept = Kept::new();
        fs::copy(kept.file(ONE), kept.file(OTHER)).expect("copied");
        assert!(!kept.loads(OTHER));
    }

    #[test]
    fn only_regular_files_that_others_can_not_write_are_read() {
        let kept = Kept::new();
        let file = kept.file(ONE);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("mode set");
        assert!(!kept.loads(ONE));
        let code = kept.engine.precompile_component(EMPTY).expect("it compiles");
        kept.cache.keep(ONE, &code);
        assert!(kept.loads(ONE), "an unsafe file is replaced by a safe one");
        let elsewhere = kept.folder.path().join("elsewhere");
        fs::rename(&file, &elsewhere).expect("moved");
        symlink(&elsewhere, &file).expect("linked");
        assert!(!kept.loads(ONE));
        kept.cache.keep(ONE, &code);
        assert!(kept.loads(ONE) && !file.is_symlink());
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("a folder");
        assert!(!kept.loads(ONE));
        kept.cache.keep(ONE, &code);
        assert!(kept.loads(ONE));
    }

    #[test]
    fn a_folder_that_others_can_write_or_that_is_a_link_is_not_used() {
        let kept = Kept::new();
        let folder = kept.file(ONE).parent().expect("a folder").to_owned();
        let again = || CompileCache::new(kept.folder.path(), &|| Some([7; KEY_LENGTH]), &kept.engine);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("mode set");
        assert!(again().load(&kept.engine, ONE).is_none());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("mode set");
        assert!(again().load(&kept.engine, ONE).is_some());
        let moved = kept.folder.path().join("moved");
        fs::rename(&folder, &moved).expect("moved");
        symlink(&moved, &folder).expect("linked");
        assert!(again().load(&kept.engine, ONE).is_none());
    }
}
