//! Running one stage of one plugin: a fresh Store, the granted folders, the limits, and nothing else. The Store is
//! thrown away afterwards, whatever happened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cap_std::fs::Dir;
use docket_core::definition::ConfigFault;
use docket_core::run::{Failure, FileState, PlannedWrite, ProjectPath, Question, Usage};
use docket_core::text::{printable, printable_lines};
use serde_json::Value;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, Store, UpdateDeadline};

use super::Plugin;
use super::compile::{CompileCache, CompileError, component};
use super::grants::Grants;
use super::host::contract::docket::stage::{process, report, types};
use super::host::contract::{StagePlugin, StagePluginPre};
use super::host::files::{Folders, Mounts};
use super::host::process::{GrantedCommand, Processes, stop_all};
use super::host::{Cancel, Notices, StageContext};
use super::limits::{LimitHit, Limits};

/// How often running plugins are interrupted to look at their limits.
const TICK: Duration = Duration::from_millis(10);
/// Stack of a plugin.
const STACK: usize = 1024 * 1024;
/// Time a plugin has to look at a config.
const CHECK_TIME: Duration = Duration::from_secs(5);
/// Longest text of an error or a question, in characters.
const MAX_TOLD: usize = 16 * 1024;
/// What wasmtime's error for a call over its limit says; its type is private.
const HOST_CALL_TRAP: &str = "fuel allocated for hostcalls";
/// The interface that runs commands.
const PROCESS_INTERFACE: &str = "docket:stage/process@";

/// Runs stages.
pub struct Runtime {
    engine: Engine,
    cache: CompileCache,
    linker: OnceLock<Result<Linkers, String>>,
    running: Arc<AtomicBool>,
}

struct Linkers {
    plain: Linker<StageContext>,
    with_process: Linker<StageContext>,
}

/// One stage to be run.
pub struct StageCall<'a> {
    /// The plugin.
    pub plugin: &'a Plugin,
    /// The request, as JSON after the published schema `stage-request`.
    pub request: String,
    /// What it may touch.
    pub grants: Grants,
    /// The project, opened.
    pub project: &'a Dir,
    /// Where its sandbox lies.
    pub folders: Folders,
    /// Files for `/in`, by path below it.
    pub inputs: Vec<(String, Vec<u8>)>,
    /// Its limits.
    pub limits: Limits,
    /// Where what it says goes.
    pub notices: Notices,
    /// Tells it to stop.
    pub cancel: Cancel,
    /// The command it may run.
    pub command: Option<GrantedCommand>,
}

/// What came of a stage.
#[derive(Debug)]
pub struct StageReply {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
}

/// How a stage ended.
#[derive(Debug)]
pub enum Outcome {
    /// With a result.
    Completed {
        /// The result.
        result: Value,
        /// The files it proposes, all of them granted.
        writes: Vec<PlannedWrite>,
        /// What was at its files when it started.
        seen: BTreeMap<ProjectPath, FileState>,
    },
    /// With a question.
    Waiting(Question),
    /// Not at all.
    Failed(Failure),
    /// It was told to stop.
    Cancelled,
}

impl Runtime {
    /// A runtime that keeps compiled code below this cache folder.
    ///
    /// # Errors
    /// When this machine can't run WebAssembly, which is a bug.
    pub fn new(cache: &Path) -> Result<Self, String> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .epoch_interruption(true)
            .max_wasm_stack(STACK)
            .async_stack_size(STACK * 2)
            // A plugin is a small program: reserving 4 GiB of addresses for each memory would only cost.
            .memory_reservation(64 << 20);
        let engine = Engine::new(&config).map_err(|cause| format!("BUG: {cause:#}"))?;
        let cache = CompileCache::new(cache, &engine);
        let running = Arc::new(AtomicBool::new(true));
        let ticker = (engine.weak(), Arc::clone(&running));
        std::thread::spawn(move || {
            while ticker.1.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                let Some(engine) = ticker.0.upgrade() else { return };
                engine.increment_epoch();
            }
        });
        Ok(Self { engine, cache, linker: OnceLock::new(), running })
    }

    /// Compiles a plugin ahead of its use, so that a run compiles its plugins side by side.
    pub fn prepare(&self, plugin: &Plugin, limits: &Limits) {
        // A failure is told when the plugin is used.
        let _ = component(&self.engine, &self.cache, plugin, limits);
    }

    /// Asks a plugin what is wrong with a config. It sees no file, can run nothing, and has little time.
    ///
    /// # Errors
    /// When the plugin can't be run or does not come to an end.
    pub fn check(
        &self,
        plugin: &Plugin,
        stage_type: &str,
        config: &Value,
        limits: &Limits,
    ) -> Result<Vec<ConfigFault>, Failure> {
        let name = &plugin.manifest.name;
        let limits = Limits { cpu: limits.cpu.min(CHECK_TIME), wall_clock: limits.wall_clock.min(CHECK_TIME), ..*limits };
        let granted = Grants::without_files(plugin.manifest.capabilities.exec);
        let stage = self.link(plugin, &granted, &limits)?;
        let context = StageContext::new(limits, None, Arc::new(|_| {}), None)
            .map_err(|cause| Failure::new("sandbox-failed", format!("the sandbox of plugin '{name}': {cause:#}")))?;
        let mut store = self.store(context, &limits);
        let (stage_type, config) = (stage_type.to_owned(), config.to_string());
        let ended = event_loop()?.block_on(async {
            let call = async {
                let instance: StagePlugin = stage.instantiate_async(&mut store).await?;
                instance.docket_stage_stage().call_check(&mut store, &stage_type, &config).await
            };
            tokio::time::timeout(limits.wall_clock, call).await
        });
        let faults = match ended {
            Err(_) => return Err(LimitHit::WallClock(limits.wall_clock).failure(name)),
            Ok(Err(trap)) => return Err(trapped(name, &store.into_data(), &trap)),
            Ok(Ok(faults)) => faults,
        };
        let fault = |fault: types::Fault| ConfigFault {
            pointer: fault.pointer,
            message: printable(&fault.message),
            hint: fault.hint.as_deref().map(printable),
        };
        Ok(faults.into_iter().map(fault).collect())
    }

    /// Runs a stage. What goes wrong comes back as the stage's failure.
    pub fn run(&self, call: StageCall<'_>) -> StageReply {
        let records = call.command.as_ref().map(|command| command.records.clone());
        let work = call.folders.work.clone();
        let reply = self.run_in_sandbox(call);
        let (outcome, usage) = reply.unwrap_or_else(|failure| (Outcome::Failed(failure), Usage::default()));
        // Whatever a stage that is over left running has no reader any more.
        if let Some(records) = records {
            stop_all(&records);
        }
        // Only scratch; a leftover is removed before the folder is used again.
        let _ = std::fs::remove_dir_all(work);
        StageReply { outcome, usage }
    }

    fn run_in_sandbox(&self, call: StageCall<'_>) -> Result<(Outcome, Usage), Failure> {
        let name = call.plugin.manifest.name.clone();
        let stage = self.link(call.plugin, &call.grants, &call.limits)?;
        let mounts =
            Mounts::prepare(call.project, &call.folders, &call.grants, &call.inputs).map_err(|cause| {
                Failure::new(
                    "sandbox-failed",
                    format!("the sandbox of plugin '{name}' can't be made: {cause}"),
                )
                .hint("name files and folders of the project themselves, not links to them")
            })?;
        let processes = call
            .command
            .filter(|_| call.grants.exec)
            .map(|command| Processes::new(command, call.cancel.clone()));
        let context = StageContext::new(call.limits, Some(&mounts), call.notices, processes).map_err(|cause| {
            Failure::new("sandbox-failed", format!("the sandbox of plugin '{name}': {cause:#}"))
        })?;
        let mut store = self.store(context, &call.limits);
        let ended = event_loop()?.block_on(async {
            tokio::select! {
                biased;
                hit = watch(&call.limits, &call.cancel, &mounts) => Ended::Stopped(hit),
                result = call_stage(&stage, &mut store, &call.request) => Ended::Returned(result),
            }
        });
        let context = store.into_data();
        let usage = context.usage;
        let outcome = match ended {
            Ended::Stopped(None) => Outcome::Cancelled,
            Ended::Stopped(Some(hit)) => Outcome::Failed(hit.failure(&name)),
            Ended::Returned(Err(trap)) => Outcome::Failed(trapped(&name, &context, &trap)),
            Ended::Returned(Ok(Err(error))) => Outcome::Failed(refused(&error)),
            Ended::Returned(Ok(Ok(types::Outcome::Waiting(question)))) => waiting(&name, question),
            Ended::Returned(Ok(Ok(types::Outcome::Completed(result)))) => {
                completed(&name, &result, &call.grants, &call.limits, &mounts)
            }
        };
        Ok((outcome, usage))
    }

    /// Makes a component ready to be instantiated, with what it was granted and no more.
    fn link(
        &self,
        plugin: &Plugin,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<StagePluginPre<StageContext>, Failure> {
        let name = &plugin.manifest.name;
        let wants_process = plugin.imports.iter().any(|import| import.starts_with(PROCESS_INTERFACE));
        if wants_process && !grants.exec {
            return Err(Failure::new(
                "not-granted",
                format!("plugin '{name}' imports `process` but was not granted to run a command"),
            )
            .hint("its manifest must ask for `exec`, and the user must grant it"));
        }
        let component =
            component(&self.engine, &self.cache, plugin, limits).map_err(|error| match error {
                CompileError::Limit(hit) => hit.failure(name),
                invalid => Failure::new("component-invalid", format!("plugin '{name}' {invalid}")),
            })?;
        let linkers =
            self.linker.get_or_init(|| Linkers::new(&self.engine).map_err(|cause| format!("{cause:#}")));
        let linkers =
            linkers.as_ref().map_err(|cause| Failure::new("sandbox-failed", format!("BUG: {cause}")))?;
        let linker = if grants.exec { &linkers.with_process } else { &linkers.plain };
        linker.instantiate_pre(&component).and_then(StagePluginPre::new).map_err(|cause| {
            Failure::new("component-invalid", format!("plugin '{name}' can't be linked: {cause:#}"))
                .hint("it may import only `docket:stage` 0.1 and WASI 0.2")
        })
    }

    fn store(&self, context: StageContext, limits: &Limits) -> Store<StageContext> {
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.guard);
        store.set_hostcall_fuel(limits.host_call);
        store.set_epoch_deadline(1);
        let cpu = limits.cpu;
        let start = thread_cpu();
        store.epoch_deadline_callback(move |mut context| {
            // The stage has its thread to itself, and only running code gets here: waiting costs nothing.
            if thread_cpu().saturating_sub(start) > cpu {
                context.data_mut().guard.hit = Some(LimitHit::Cpu(cpu));
                return Ok(UpdateDeadline::Interrupt);
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
    }
}

impl Linkers {
    fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut plain: Linker<StageContext> = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut plain)?;
        report::add_to_linker::<_, HasSelf<StageContext>>(&mut plain, |context| context)?;
        types::add_to_linker::<_, HasSelf<StageContext>>(&mut plain, |context| context)?;
        let mut with_process = plain.clone();
        process::add_to_linker::<_, HasSelf<StageContext>>(&mut with_process, |context| context)?;
        Ok(Self { plain, with_process })
    }
}

enum Ended {
    Returned(wasmtime::Result<Result<types::Outcome, types::StageError>>),
    Stopped(Option<LimitHit>),
}

async fn call_stage(
    stage: &StagePluginPre<StageContext>,
    store: &mut Store<StageContext>,
    request: &String,
) -> wasmtime::Result<Result<types::Outcome, types::StageError>> {
    let instance: StagePlugin = stage.instantiate_async(&mut *store).await?;
    instance.docket_stage_stage().call_run(store, request).await
}

/// The event loop of one stage, on its own thread.
fn event_loop() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|cause| Failure::new("sandbox-failed", format!("BUG: no event loop: {cause}")))
}

/// Comes back when the stage is to be stopped from outside: with the limit it hit, or without when it was cancelled.
async fn watch(limits: &Limits, cancel: &Cancel, mounts: &Mounts) -> Option<LimitHit> {
    let start = std::time::Instant::now();
    let mut ticks = 0_u32;
    loop {
        tokio::time::sleep(TICK).await;
        ticks += 1;
        if cancel.is_cancelled() {
            return None;
        }
        if start.elapsed() > limits.wall_clock {
            return Some(LimitHit::WallClock(limits.wall_clock));
        }
        // Looking at the proposals costs system calls, so not at every tick.
        if ticks.is_multiple_of(10)
            && let Err(hit) = mounts.check_size(limits) {
                return Some(hit);
            }
    }
}

/// CPU time of this thread.
fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn trapped(plugin: &str, context: &StageContext, trap: &wasmtime::Error) -> Failure {
    if let Some(hit) = &context.guard.hit {
        return hit.failure(plugin);
    }
    let cause = printable(&trap.root_cause().to_string());
    if cause.contains(HOST_CALL_TRAP) {
        return LimitHit::HostCall(context.guard.limits.host_call).failure(plugin);
    }
    let last = context.log.last_lines();
    let said = if last.is_empty() { String::new() } else { format!("; it last said: {}", last.join(" / ")) };
    Failure::new("plugin-crashed", format!("plugin '{plugin}' crashed: {cause}{said}"))
        .hint("this is a bug of the plugin; the run's other stages and files are as they were")
}

/// A plugin's text as it is recorded and shown: made safe to print, and no longer than anybody reads.
fn told(text: &str) -> String {
    let text = printable_lines(text);
    if text.chars().count() <= MAX_TOLD {
        return text;
    }
    format!("{}… (cut)", text.chars().take(MAX_TOLD).collect::<String>())
}

fn refused(error: &types::StageError) -> Failure {
    let code: String =
        error.code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    let code = if code.is_empty() { "stage-failed".to_owned() } else { code };
    Failure {
        code,
        message: told(&error.message),
        hint: error.hint.as_deref().map(told),
        retryable: error.retryable,
        rejected: None,
    }
}

fn not_json(plugin: &str, what: &str, cause: &serde_json::Error) -> Outcome {
    Outcome::Failed(Failure::new(
        "result-unreadable",
        format!("{what} of plugin '{plugin}' is no JSON: {cause}"),
    ))
}

fn waiting(plugin: &str, question: types::Question) -> Outcome {
    let schema = match question.schema.as_deref().map(serde_json::from_str).transpose() {
        Ok(schema) => schema,
        Err(cause) => return not_json(plugin, "the schema of a question", &cause),
    };
    Outcome::Waiting(Question { prompt: told(&question.prompt), schema })
}

fn completed(plugin: &str, result: &str, grants: &Grants, limits: &Limits, mounts: &Mounts) -> Outcome {
    let result = match serde_json::from_str(result) {
        Ok(result) => result,
        Err(cause) => return not_json(plugin, "the result", &cause),
    };
    let writes = match mounts.proposals(limits, plugin) {
        Ok(writes) => writes,
        Err(failure) => return Outcome::Failed(failure),
    };
    if let Some(error) = writes.iter().find_map(|write| grants.allow(write).err()) {
        return Outcome::Failed(
            Failure::new("not-granted", format!("plugin '{plugin}': {error}; nothing was written")).hint(
                "its manifest must ask for the path under `capabilities.write`, and the user must grant it",
            ),
        );
    }
    Outcome::Completed { result, writes, seen: mounts.seen.clone() }
}
