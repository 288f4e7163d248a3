//! The limits of one stage, and the failures that say which was hit and how to raise it.

use std::time::Duration;

use docket_core::run::Failure;

/// The limits of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// CPU time of the thread while the plugin runs.
    pub cpu: Duration,
    /// Wall-clock time.
    pub wall_clock: Duration,
    /// Entries of all tables together.
    pub table_entries: usize,
    /// Files, folders, streams and other handles that are open at a time.
    pub handles: usize,
    /// Instances, and as many memories and tables, that a component may be made of.
    pub parts: usize,
    /// Bytes of stack.
    pub stack: usize,
    /// Processes, over the whole stage.
    pub processes: usize,
    /// Bytes that one call from the plugin to docket may carry.
    pub host_call: usize,
    /// Bytes of log.
    pub log: usize,
    /// Bytes of proposed files.
    pub out: u64,
    /// Number of proposed files.
    pub out_files: usize,
    /// Bytes of a plugin's cache for one project.
    pub cache: u64,
    /// Bytes of a component.
    pub component: u64,
    /// Time to compile a component.
    pub compile: Duration,
    /// Bytes of memory to compile a component of somebody else's.
    pub compile_memory: u64,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            cpu: Duration::from_secs(60),
            wall_clock: Duration::from_secs(24 * 3600),
            table_entries: 1000,
            handles: 1000,
            parts: 100,
            stack: MIB,
            processes: 100,
            host_call: 8 * MIB,
            log: MIB,
            out: 64 * MIB as u64,
            out_files: 1000,
            cache: 512 * MIB as u64,
            component: 64 * MIB as u64,
            compile: Duration::from_secs(30),
            compile_memory: 2048 * MIB as u64,
        }
    }
}

/// The code of the failure for a cache that grew too large.
pub(super) const CACHE_LIMIT: &str = "cache-limit";

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitHit {
    /// Memory.
    #[error("needed more than {} MiB of memory", .0 / MIB)]
    Memory(usize),
    /// CPU time.
    #[error("used more than {} s of CPU time", .0.as_secs())]
    Cpu(Duration),
    /// Wall clock.
    #[error("took longer than {} s", .0.as_secs())]
    WallClock(Duration),
    /// Tables.
    #[error("needed tables of more than {0} entries")]
    TableEntries(usize),
    /// Handles.
    #[error("opened more than {0} files, folders and streams at a time")]
    Handles(usize),
    /// Parts.
    #[error("is made of more than {0} instances, memories or tables")]
    Parts(usize),
    /// The stack.
    #[error("used up its stack, of which docket gives {} KiB, by calling too deep", .0 / 1024)]
    Stack(usize),
    /// Processes.
    #[error("started more than {0} processes")]
    Processes(usize),
    /// One call.
    #[error("passed more than {} MiB in one call", .0 / MIB)]
    HostCall(usize),
    /// Proposed files.
    #[error("proposed files of more than {} MiB", .0 / MIB as u64)]
    Out(u64),
    /// Number of proposed files.
    #[error("proposed more than {0} files")]
    OutFiles(usize),
    /// The plugin's cache.
    #[error("kept more than {} MiB in its cache, which was emptied", .0 / MIB as u64)]
    Cache(u64),
    /// Size of the component.
    #[error("is a component of more than {} MiB", .0 / MIB as u64)]
    Component(u64),
    /// Time to compile.
    #[error("took more than {} s to compile", .0.as_secs())]
    Compile(Duration),
    /// Memory to compile.
    #[error("needed more than {} MiB of memory to compile", .0 / MIB as u64)]
    CompileMemory(u64),
}

impl LimitHit {
    /// The failure for it, naming the plugin and the setting that raises the limit.
    pub fn failure(&self, plugin: &str) -> Failure {
        let (code, setting) = self.code_and_setting();
        let asked =
            if self.is_askable() { ", or let its manifest ask for it in `capabilities.limits`" } else { "" };
        let raised = format!("raise it with `limits: {{ {setting}: … }}` in ~/.docket/config.yml{asked}");
        let hint = match self {
            Self::WallClock(_) => {
                "raise the stage's `timeout`, or `limits: { wall_clock: … }` in ~/.docket/config.yml"
                    .to_owned()
            }
            Self::OutFiles(_) => format!("{raised}, or propose fewer files, in several stages"),
            Self::Handles(_) => {
                format!(
                    "{raised}, and `ulimit -n` when it is the system's; a plugin should close what it opens"
                )
            }
            Self::Stack(_) => format!(
                "{raised}; a plugin that recurses for as long as its input is deep should not, or be linked with a larger stack (`-z stack-size`)"
            ),
            _ => raised,
        };
        Failure::new(code, format!("plugin '{plugin}' {self}")).hint(hint)
    }

    /// Whether a plugin can ask for more: what [`super::AskedLimits`] has.
    fn is_askable(&self) -> bool {
        matches!(
            self,
            Self::Memory(_)
                | Self::Cpu(_)
                | Self::TableEntries(_)
                | Self::HostCall(_)
                | Self::Out(_)
                | Self::Cache(_)
                | Self::Component(_)
                | Self::Compile(_)
        )
    }

    /// The failure's code, and the setting that raises the limit.
    fn code_and_setting(&self) -> (&'static str, &'static str) {
        match self {
            Self::Memory(_) => ("memory-limit", "memory_mib"),
            Self::Cpu(_) => ("cpu-limit", "cpu"),
            Self::WallClock(_) => ("timeout", "wall_clock"),
            Self::TableEntries(_) => ("table-limit", "table_entries"),
            Self::Handles(_) => ("handle-limit", "handles"),
            Self::Parts(_) => ("parts-limit", "parts"),
            Self::Stack(_) => ("stack-limit", "stack_kib"),
            Self::Processes(_) => ("process-limit", "processes"),
            Self::HostCall(_) => ("host-call-limit", "host_call_mib"),
            Self::Out(_) => ("output-limit", "out_mib"),
            Self::OutFiles(_) => ("output-limit", "out_files"),
            Self::Cache(_) => (CACHE_LIMIT, "cache_mib"),
            Self::Component(_) => ("component-limit", "component_mib"),
            Self::Compile(_) => ("compile-limit", "compile_timeout"),
            Self::CompileMemory(_) => ("compile-limit", "compile_memory_mib"),
        }
    }
}
