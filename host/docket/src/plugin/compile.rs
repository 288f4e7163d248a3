//! Compiling components, and keeping the compiled code in the user's cache folder.
//!
//! Compiled code is machine code that is run as it is, so it is only ever read from a folder that belongs to the
//! user and nobody else can write, under a name made of the component's hash and what the engine is compatible with,
//! and together with a checksum, so that a damaged or foreign entry is compiled again.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::Plugin;
use super::limits::{LimitHit, Limits};

/// Length of the checksum that stands before the code. It is there against damage; against other users there are the
/// folder's owner and permissions.
const CHECKSUM_LENGTH: usize = 16;

/// Why a component can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CompileError {
    /// A limit.
    #[error("{0}")]
    Limit(LimitHit),
    /// Not valid.
    #[error("is no valid component: {0}")]
    Invalid(String),
}

/// The folder with compiled code. Without one, everything is compiled each time.
#[derive(Debug, Clone)]
pub(super) struct CompileCache {
    folder: Option<PathBuf>,
}

impl CompileCache {
    /// A cache for this engine below the user's cache folder. A folder that others can write is not used.
    pub(super) fn new(cache: &Path, engine: &Engine) -> Self {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let folder = cache.join("compiled").join(format!("{:016x}", hasher.finish()));
        let usable =
            crate::disk::create_private(&folder).and_then(|()| crate::disk::refuse_unsafe(&folder)).is_ok();
        Self { folder: usable.then_some(folder) }
    }

    /// Whether there is an entry for a component.
    pub(super) fn has(&self, sha256_of_component: &str) -> bool {
        self.file(sha256_of_component).is_some_and(|file| file.is_file())
    }

    fn load(&self, engine: &Engine, sha256_of_component: &str) -> Option<Component> {
        let bytes = fs::read(self.file(sha256_of_component)?).ok()?;
        let (sum, code) = bytes.split_at_checked(CHECKSUM_LENGTH)?;
        if checksum(code) != sum {
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "the code was made by this engine: the folder is the user's alone and the checksum fits"
        )]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    fn keep(&self, sha256_of_component: &str, component: &Component) {
        let Some(file) = self.file(sha256_of_component) else { return };
        // A cache that can't be written costs time, nothing else.
        if let Ok(code) = component.serialize() {
            let mut bytes = checksum(&code).to_vec();
            bytes.extend(code);
            let _ = crate::disk::replace(&file, &bytes, crate::disk::Durability::Derived);
        }
    }

    fn file(&self, sha256_of_component: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{sha256_of_component}.cwasm")))
    }
}

fn checksum(code: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    xxhash_rust::xxh3::xxh3_128(code).to_le_bytes()
}

/// The compiled component, from the cache or made now.
pub(super) fn component(
    engine: &Engine,
    cache: &CompileCache,
    plugin: &Plugin,
    limits: &Limits,
) -> Result<Component, CompileError> {
    if plugin.bytes.len() as u64 > limits.component {
        return Err(CompileError::Limit(LimitHit::Component(limits.component)));
    }
    if let Some(component) = cache.load(engine, &plugin.sha256) {
        return Ok(component);
    }
    let component = compile(engine, plugin.bytes.to_vec(), limits)?;
    cache.keep(&plugin.sha256, &component);
    Ok(component)
}

/// Compiles in a thread of its own: a compiler can't be stopped, but it need not be waited for.
fn compile(engine: &Engine, bytes: Vec<u8>, limits: &Limits) -> Result<Component, CompileError> {
    let (sender, receiver) = mpsc::channel();
    let engine = engine.clone();
    std::thread::spawn(move || {
        let _ = sender.send(Component::new(&engine, &bytes));
    });
    match receiver.recv_timeout(limits.compile) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(cause)) => Err(CompileError::Invalid(format!("{cause:#}"))),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(CompileError::Limit(LimitHit::Compile(limits.compile))),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(CompileError::Invalid("the compiler crashed on it".to_owned()))
        }
    }
}
