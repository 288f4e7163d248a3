//! What a plugin meets when it runs: files, reports, processes. One module per ability; each sees only its own part
//! of the stage's context, and what was not granted is not linked.

pub mod ancestry;
pub mod answer;
mod child;
pub mod compiler;
pub(super) mod descriptors;
pub mod detached;
mod dialogue;
pub mod files;
mod folders;
mod group;
pub mod launcher;
mod lines;
mod prepare;
pub mod probe;
pub mod process;
pub mod process_folder;
mod pump;
pub mod records;
mod report;
mod said;
pub mod scratch;
mod stdio;
pub mod supervisor;
pub(in crate::plugin) mod transcript;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_core::run::{Notice, Usage};
use docket_core::secret::{SecretStream, Secrets};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::limits::{LimitHit, Limits};
use answer::Answers;
use descriptors::Share;
use process::Processes;
use report::Log;

#[expect(missing_docs, reason = "generated from wit/stage.wit, which is documented")]
pub mod contract {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "stage-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "docket:stage/process.child": super::child::Child,
            "docket:stage/dialogue.partner": super::dialogue::Partner,
        },
    });
}

/// Where a stage's notices go.
pub type Notices = Arc<dyn Fn(Notice) + Send + Sync>;

/// Asked before each launch of a process whether it may be; a launch that may is counted as one from then on.
pub type Launches = Arc<dyn Fn() -> bool + Send + Sync>;

/// Tells a running stage to stop.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Tells it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that belongs to one stage's Store.
pub struct StageContext {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(super) guard: Guard,
    pub(super) log: Log,
    pub(super) usage: Usage,
    notices: Notices,
    answers: Answers,
    processes: Option<Processes>,
    share: Share,
}

/// Counts what a stage holds, and remembers which limit it hit.
pub(super) struct Guard {
    pub(super) limits: Limits,
    memory: usize,
    /// What was counted last, in case it comes to nothing.
    growth: usize,
    table_entries: usize,
    pub(super) hit: Option<LimitHit>,
}

impl StageContext {
    /// The context of one stage: no arguments, no input, no network, these folders, and of the environment only what is
    /// given here; as many
    /// handles as its share of descriptors has.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub(super) fn new(
        limits: Limits,
        mounts: Option<&files::Mounts>,
        notices: Notices,
        answers: Answers,
        processes: Option<Processes>,
        share: Share,
        environment: &[(String, String)],
    ) -> wasmtime::Result<Self> {
        let log = Log::new(limits.log, Arc::clone(&notices));
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_blocking_current_thread(true)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .envs(environment)
            .stdout(stdio::Lines::new(log.clone(), "info"))
            .stderr(stdio::Lines::new(log.clone(), "warn"));
        if let Some(mounts) = mounts {
            mounts.open(&mut builder)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(share.handles);
        let guard = Guard { limits, memory: 0, growth: 0, table_entries: 0, hit: None };
        Ok(Self {
            wasi: builder.build(),
            table,
            guard,
            log,
            usage: Usage::default(),
            notices,
            answers,
            processes,
            share,
        })
    }

    /// Counts what was used, and tells at once: the run may have to be stopped for it.
    fn use_up(&mut self, used: Usage) {
        self.usage = self.usage.plus(used);
        (self.notices)(Notice::Usage(self.usage));
    }

    /// Lines in which the values are masked that only the stage's command may see.
    fn masked_lines(&self) -> SecretStream {
        let secrets = self.processes.as_ref().and_then(Processes::secrets);
        secrets.map_or_else(|| Secrets::default().stream(), Secrets::stream)
    }

    /// How many handles the stage may have open at a time.
    pub(super) fn handles(&self) -> usize {
        self.share.handles
    }
}

impl WasiView for StageContext {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let before = self.memory;
        self.growth = 0;
        let total = before.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            self.hit = Some(LimitHit::Memory(self.limits.memory));
            return Ok(false);
        }
        self.memory = total;
        self.growth = total - before;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        // The memory's own maximum, or the system, said no to what was counted already.
        self.memory -= std::mem::take(&mut self.growth);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_entries.saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_entries {
            self.hit = Some(LimitHit::TableEntries(self.limits.table_entries));
            return Ok(false);
        }
        self.table_entries = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.parts
    }

    fn tables(&self) -> usize {
        self.limits.parts
    }

    fn memories(&self) -> usize {
        self.limits.parts
    }
}
