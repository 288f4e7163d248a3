//! Two ways to compile, each with its engine, its linkers and its part of the cache.
//!
//! Docket's own plugins go through wasmtime's baseline compiler when they are met for the first time: they are trusted,
//! small, and compiled in a few dozen milliseconds. `docket init` compiles them with the optimising compiler, too, once
//! per version; from then on that code is used. Everybody else's plugins go through the optimising compiler only, which
//! is the one that wasmtime's security promises are about.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use docket_core::run::Failure;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Strategy};

use super::cache::{CacheKey, CompileCache};
use super::compile::{CompileError, component};
use super::host::StageContext;
use super::host::contract::StagePluginPre;
use super::host::contract::docket::stage::{answer, dialogue, process, report, types};
use super::imports::unlinked;
use super::limits::Limits;
use super::{Plugin, PluginOrigin, machine};

/// How often running plugins are interrupted to look at their limits.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// A component, linked and ready to be instantiated.
pub(super) type Ready = StagePluginPre<StageContext>;
/// Filled by whoever needs it first; everybody else waits for that one.
type Slot = Arc<OnceLock<Result<Ready, Failure>>>;

/// Both tiers; an engine is made only when it is needed.
pub(super) struct Tiers {
    cache: std::path::PathBuf,
    key: Box<CacheKey>,
    stack: usize,
    baseline: OnceLock<Result<Tier, String>>,
    optimizing: OnceLock<Result<Tier, String>>,
    /// By a plugin's hash: whether optimised code of it was kept when it was first asked for.
    optimized: Mutex<HashMap<String, Arc<OnceLock<bool>>>>,
}

/// One engine and what was made for it.
pub(super) struct Tier {
    engine: Engine,
    cache: CompileCache,
    plain: Linker<StageContext>,
    with_process: Linker<StageContext>,
    /// Loaded from the cache already, by the component's hash.
    kept: Mutex<HashMap<String, Component>>,
    /// By the component's hash and whether it may run a command.
    ready: Mutex<HashMap<(String, bool), Slot>>,
}

impl Tiers {
    /// Tiers that keep compiled code below this cache folder, under this key, and give plugins so many bytes of stack.
    pub(super) fn new(cache: &Path, key: Box<CacheKey>, stack: usize) -> Self {
        Self {
            cache: cache.to_owned(),
            key,
            stack,
            baseline: OnceLock::new(),
            optimizing: OnceLock::new(),
            optimized: Mutex::default(),
        }
    }

    /// The tier for a plugin.
    pub(super) fn of(&self, plugin: &Plugin) -> Result<&Tier, Failure> {
        let is_own = plugin.origin == PluginOrigin::BuiltIn;
        if !is_own || self.is_optimized(plugin) {
            return self.optimizing();
        }
        // Where the baseline compiler does not know the machine, the other one does.
        let baseline = self.baseline.get_or_init(|| self.tier(Strategy::Winch));
        baseline.as_ref().map_or_else(|_| self.optimizing(), Ok)
    }

    /// The tier with the optimising compiler.
    pub(super) fn optimizing(&self) -> Result<&Tier, Failure> {
        let tier = self.optimizing.get_or_init(|| self.tier(Strategy::Cranelift));
        tier.as_ref().map_err(|cause| Failure::new("sandbox-failed", format!("BUG: {cause}")))
    }

    /// Whether optimised code of a plugin is kept. Asked once per plugin and process, so that a plugin does not change
    /// its tier on the way.
    pub(super) fn is_optimized(&self, plugin: &Plugin) -> bool {
        let slot = {
            let mut known = self.optimized.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(plugin.sha256.clone()).or_default())
        };
        *slot.get_or_init(|| self.optimizing().is_ok_and(|tier| tier.take_kept(plugin)))
    }

    fn tier(&self, strategy: Strategy) -> Result<Tier, String> {
        Tier::new(strategy, self).map_err(|cause| format!("{cause:#}"))
    }
}

impl Tier {
    fn new(strategy: Strategy, tiers: &Tiers) -> wasmtime::Result<Self> {
        let engine = machine::engine(strategy, tiers.stack)?;
        let (plain, with_process) = linkers(&engine)?;
        let ticked = engine.weak();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                let Some(engine) = ticked.upgrade() else { return };
                engine.increment_epoch();
            }
        });
        let cache = CompileCache::new(&tiers.cache, &tiers.key, &engine);
        let (kept, ready) = (Mutex::default(), Mutex::default());
        Ok(Self { engine, cache, plain, with_process, kept, ready })
    }

    /// Whether the cache has code for a plugin that can be believed; it is kept at hand then, for [`Self::ready`].
    fn take_kept(&self, plugin: &Plugin) -> bool {
        let Some(component) = self.cache.load(&self.engine, &plugin.sha256) else { return false };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(plugin.sha256.clone(), component);
        true
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The plugin, compiled and linked: from memory, from the cache, or made now.
    pub(super) fn ready(
        &self,
        plugin: &Plugin,
        with_process: bool,
        limits: &Limits,
    ) -> Result<Ready, Failure> {
        let slot = {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(ready.entry((plugin.sha256.clone(), with_process)).or_default())
        };
        let made = slot.get_or_init(|| self.make(plugin, with_process, limits)).clone();
        if made.is_err() {
            // A busy machine may be the reason; the next stage tries again.
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            ready.remove(&(plugin.sha256.clone(), with_process));
        }
        made
    }

    fn make(&self, plugin: &Plugin, with_process: bool, limits: &Limits) -> Result<Ready, Failure> {
        let name = &plugin.manifest.name;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&plugin.sha256).cloned();
        let component = match kept {
            Some(component) => component,
            None => component(&self.engine, &self.cache, plugin, limits).map_err(|error| match error {
                CompileError::Limit(hit) => hit.failure(name),
                other => Failure::new("component-invalid", format!("plugin '{name}' {other}")),
            })?,
        };
        let linker = if with_process { &self.with_process } else { &self.plain };
        linker
            .instantiate_pre(&component)
            .and_then(StagePluginPre::new)
            .map_err(|cause| unlinked(name, &cause))
    }
}

/// What plugins may import: without and with the ability to run a command.
fn linkers(engine: &Engine) -> wasmtime::Result<(Linker<StageContext>, Linker<StageContext>)> {
    let mut plain: Linker<StageContext> = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut plain)?;
    report::add_to_linker::<_, HasSelf<StageContext>>(&mut plain, |context| context)?;
    answer::add_to_linker::<_, HasSelf<StageContext>>(&mut plain, |context| context)?;
    types::add_to_linker::<_, HasSelf<StageContext>>(&mut plain, |context| context)?;
    let mut with_process = plain.clone();
    process::add_to_linker::<_, HasSelf<StageContext>>(&mut with_process, |context| context)?;
    dialogue::add_to_linker::<_, HasSelf<StageContext>>(&mut with_process, |context| context)?;
    Ok((plain, with_process))
}
