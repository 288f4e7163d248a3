//! What a plugin meets when it runs: files, reports, processes. One module per ability; each sees only its own part
//! of the stage's context, and what was not granted is not linked.

pub mod ancestry;
pub mod detached;
pub mod files;
mod folders;
pub mod launcher;
pub mod process;
pub mod process_folder;
pub mod records;
mod report;
mod stdio;
pub mod supervisor;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_core::run::{Notice, Usage};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::limits::{LimitHit, Limits};
use process::Processes;
use report::Log;

/// Handles a plugin may have open at a time: files, folders, streams, processes.
const MAX_HANDLES: usize = 10_000;
/// Instances, memories and tables a component may be made of.
const MAX_PARTS: usize = 100;

#[expect(missing_docs, reason = "generated from wit/stage.wit, which is documented")]
pub mod contract {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "stage-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "docket:stage/process.child": super::process::Child },
    });
}

/// Where a stage's notices go.
pub type Notices = Arc<dyn Fn(Notice) + Send + Sync>;

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
    processes: Option<Processes>,
}

/// Counts what a stage holds, and remembers which limit it hit.
pub(super) struct Guard {
    pub(super) limits: Limits,
    memory: usize,
    table_entries: usize,
    pub(super) hit: Option<LimitHit>,
}

impl StageContext {
    /// The context of one stage: no arguments, no input, no network, these folders, and of the environment only what is
    /// given here.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub(super) fn new(
        limits: Limits,
        mounts: Option<&files::Mounts>,
        notices: Notices,
        processes: Option<Processes>,
        environment: &[(String, String)],
    ) -> wasmtime::Result<Self> {
        let log = Log::new(limits.log, notices);
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
        table.set_max_capacity(MAX_HANDLES);
        let guard = Guard { limits, memory: 0, table_entries: 0, hit: None };
        Ok(Self { wasi: builder.build(), table, guard, log, usage: Usage::default(), processes })
    }
}

impl WasiView for StageContext {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            self.hit = Some(LimitHit::Memory(self.limits.memory));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
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
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}
