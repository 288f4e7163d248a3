//! The bytes of files that claim to be plugins. What is no ordinary component is written as text and made when a test
//! wants it. Has no tests of its own; every fixture has one of its name in `plugin_files`.

use docket_tests::HOSTILE_GUEST_WITH_SPAWN;
use docket_tests::component::{from_text, leb128, replaced, with_manifest, with_section};
use serde_json::json;

use crate::ground::guest;

/// How a component begins.
const HEAD: [u8; 8] = *b"\0asm\x0d\0\x01\0";
/// How a core module begins.
const CORE_HEAD: [u8; 8] = *b"\0asm\x01\0\0\0";

pub(crate) fn truncated() -> Vec<u8> {
    let whole = guest();
    whole[..whole.len() / 2].to_vec()
}

pub(crate) fn garbage() -> Vec<u8> {
    [&HEAD[..], &[0xff; 1000]].concat()
}

pub(crate) fn empty() -> Vec<u8> {
    Vec::new()
}

pub(crate) fn core_module() -> Vec<u8> {
    from_text("(module (func (export \"run\")))")
}

/// A program of this machine.
pub(crate) fn native_code() -> Vec<u8> {
    let program = std::fs::read("/bin/true").expect("a program");
    assert!(program.starts_with(b"\x7fELF"), "not the kind of program that was expected");
    program
}

/// The test makes it as large as its name says, without using the room.
pub(crate) fn half_a_gigabyte() -> Vec<u8> {
    guest()
}

/// A plugin with a module more that is small and takes a compiler long: straight code without anything to share.
pub(crate) fn compile_bomb() -> Vec<u8> {
    const FUNCTIONS: usize = 4;
    const OPERATIONS: usize = 250_000;
    // local.get 0, local.get 0, i64.mul, local.get 0, i64.add, local.set 0
    let step = [0x20, 0, 0x20, 0, 0x7e, 0x20, 0, 0x7c, 0x21, 0];
    let code = [vec![0], step.repeat(OPERATIONS), vec![0x20, 0, 0x0b]].concat();
    let body = [leb128(code.len()), code].concat();
    let section = |id: u8, content: Vec<u8>| [vec![id], leb128(content.len()), content].concat();
    let functions = [leb128(FUNCTIONS), vec![0; FUNCTIONS]].concat();
    let bodies = [leb128(FUNCTIONS), body.repeat(FUNCTIONS)].concat();
    let one_type = vec![1, 0x60, 1, 0x7e, 1, 0x7e];
    let module =
        [CORE_HEAD.to_vec(), section(1, one_type), section(3, functions), section(10, bodies)].concat();
    [guest(), section(1, module)].concat()
}

/// Built for a contract that is not there yet.
pub(crate) fn newer_contract() -> Vec<u8> {
    let newer = replaced(&guest(), "docket:stage/stage@0.1.0", "docket:stage/stage@0.2.0");
    with_manifest(&newer, |manifest| manifest["contract"] = json!("0.2.0"))
}

/// Exports something that is no stage.
pub(crate) fn unknown_contract() -> Vec<u8> {
    replaced(&guest(), "docket:stage/stage@0.1.0", "docket:other/stage@0.1.0")
}

/// Wants something that nobody has.
pub(crate) fn unknown_import() -> Vec<u8> {
    replaced(&guest(), "wasi:random/random@", "evil:random/random@")
}

/// Imports the ability to run commands and does not ask for it.
pub(crate) fn process_without_asking() -> Vec<u8> {
    std::fs::read(HOSTILE_GUEST_WITH_SPAWN).expect("the hostile plugin")
}

pub(crate) fn two_manifests() -> Vec<u8> {
    with_section(&guest(), "docket:manifest", b"{}")
}

pub(crate) fn giant_manifest() -> Vec<u8> {
    let text = json!({ "contract": "0.1.0", "name": "x".repeat(20 << 20) }).to_string();
    with_section(&HEAD, "docket:manifest", text.as_bytes())
}

/// Words that a terminal obeys, wherever a manifest holds a text.
pub(crate) fn words_in_manifest() -> Vec<u8> {
    let evil = "\u{1b}[2J\u{9b}2J\u{202e}";
    with_manifest(&guest(), |manifest| {
        manifest["description"] = json!(evil);
        manifest["version"] = json!(format!("1+{evil}"));
        manifest["stages"][0]["description"] = json!(evil);
        manifest["stages"][0]["config"] = json!({ "required": ["act"], "description": evil });
        manifest["capabilities"] = json!({ "read": [evil], "write": [evil] });
    })
}

/// A config schema that refers to itself without end.
pub(crate) fn endless_manifest_schema() -> Vec<u8> {
    with_manifest(&guest(), |manifest| {
        manifest["stages"][0]["config"] = json!({ "allOf": [{ "$ref": "#" }] })
    })
}

/// A plugin with components in components.
pub(crate) fn nested_components() -> Vec<u8> {
    const DEPTH: usize = 20_000;
    let mut sizes = vec![HEAD.len()];
    for _ in 0..DEPTH {
        let inner = sizes[sizes.len() - 1];
        sizes.push(HEAD.len() + 1 + leb128(inner).len() + inner);
    }
    let begin = |inner: &usize| [&HEAD[..], &[4], &leb128(*inner)].concat();
    let outer: Vec<u8> = sizes[..DEPTH].iter().rev().flat_map(begin).collect();
    let nested = [outer, HEAD.to_vec()].concat();
    [guest(), vec![4], leb128(nested.len()), nested].concat()
}

/// Core code that speaks the contract's binary interface by hand, and badly. What is left out does as it should.
#[derive(Clone, Copy)]
struct Core {
    memory: &'static str,
    realloc: &'static str,
    run: &'static str,
    after_run: &'static str,
    more: &'static str,
    instances: usize,
}

/// `run` gives an error without words; `check` finds no fault.
const ORDINARY: Core = Core {
    memory: "1",
    realloc: "i32.const 4096",
    // Discriminant 1 (an error), then four empty texts: all zero but the first byte.
    run: "(i32.store8 (i32.const 1024) (i32.const 1)) i32.const 1024",
    after_run: "",
    more: "",
    instances: 0,
};

impl Core {
    /// The plugin.
    fn plugin(self) -> Vec<u8> {
        let Self { memory, realloc, run, after_run, more, .. } = self;
        let extra = "(core instance (instantiate $extra))".repeat(self.instances);
        let text = format!(
            r#"(component
              (core module $extra)
              {extra}
              (core module $core
                (memory (export "memory") {memory})
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "run") (param i32 i32) (result i32) {run})
                (func (export "after-run") (param i32) {after_run})
                (func (export "check") (param i32 i32 i32 i32) (result i32) i32.const 2048)
                {more})
              (core instance $core (instantiate $core))
              (alias core export $core "memory" (core memory $memory))
              (alias core export $core "cabi_realloc" (core func $realloc))
              (type $question (record (field "prompt" string) (field "schema" (option string))))
              (type $outcome (variant (case "completed" string) (case "waiting" $question)))
              (type $error (record (field "code" string) (field "message" string) (field "hint" (option string)) (field "retryable" bool)))
              (type $fault (record (field "pointer" string) (field "message" string) (field "hint" (option string))))
              (func $run (param "request" string) (result (result $outcome (error $error)))
                (canon lift (core func $core "run") (memory $memory) (realloc $realloc) (post-return (core func $core "after-run"))))
              (func $check (param "stage-type" string) (param "config" string) (result (list $fault))
                (canon lift (core func $core "check") (memory $memory) (realloc $realloc)))
              (component $named
                (type $question-0 (record (field "prompt" string) (field "schema" (option string))))
                (import "q" (type $question (eq $question-0)))
                (type $outcome-0 (variant (case "completed" string) (case "waiting" $question)))
                (import "o" (type $outcome (eq $outcome-0)))
                (type $error-0 (record (field "code" string) (field "message" string) (field "hint" (option string)) (field "retryable" bool)))
                (import "e" (type $error (eq $error-0)))
                (type $fault-0 (record (field "pointer" string) (field "message" string) (field "hint" (option string))))
                (import "f" (type $fault (eq $fault-0)))
                (import "r" (func $run (param "request" string) (result (result $outcome (error $error)))))
                (import "c" (func $check (param "stage-type" string) (param "config" string) (result (list $fault))))
                (export $question-1 "question" (type $question))
                (type $outcome-1 (variant (case "completed" string) (case "waiting" $question-1)))
                (export $outcome-2 "outcome" (type $outcome) (type (eq $outcome-1)))
                (export $error-1 "stage-error" (type $error))
                (export $fault-1 "fault" (type $fault))
                (export "run" (func $run) (func (param "request" string) (result (result $outcome-2 (error $error-1)))))
                (export "check" (func $check) (func (param "stage-type" string) (param "config" string) (result (list $fault-1)))))
              (instance $stage (instantiate $named
                (with "q" (type $question)) (with "o" (type $outcome)) (with "e" (type $error)) (with "f" (type $fault))
                (with "r" (func $run)) (with "c" (func $check))))
              (export "docket:stage/stage@0.1.0" (instance $stage)))"#
        );
        let component = from_text(&text);
        with_section(&component, "docket:manifest", include_bytes!("../hostile/manifest.json"))
    }
}

/// Never comes to an end before it is even begun.
pub(crate) fn endless_start() -> Vec<u8> {
    Core { more: "(func $start (loop br 0)) (start $start)", ..ORDINARY }.plugin()
}

pub(crate) fn trapping_realloc() -> Vec<u8> {
    Core { realloc: "unreachable", ..ORDINARY }.plugin()
}

/// Has docket write the request where there is no memory.
pub(crate) fn realloc_outside_memory() -> Vec<u8> {
    Core { realloc: "i32.const 0xffff_fff0", ..ORDINARY }.plugin()
}

/// A result in a place that is not there.
pub(crate) fn result_outside_memory() -> Vec<u8> {
    Core { run: "i32.const 0xffff_fff0", ..ORDINARY }.plugin()
}

/// A message of all the memory there could be.
pub(crate) fn result_of_four_gib() -> Vec<u8> {
    let run = "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store (i32.const 1040) (i32.const 0xffff_ffff)) i32.const 1024";
    Core { run, ..ORDINARY }.plugin()
}

/// A message that is no UTF-8.
pub(crate) fn result_no_text() -> Vec<u8> {
    let run = "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 3000) (i32.const 0xff)) \
               (i32.store (i32.const 1036) (i32.const 3000)) (i32.store (i32.const 1040) (i32.const 1)) i32.const 1024";
    Core { run, ..ORDINARY }.plugin()
}

/// Neither a result nor an error, but the 255th case of two.
pub(crate) fn unknown_outcome() -> Vec<u8> {
    Core { run: "(i32.store8 (i32.const 1024) (i32.const 255)) i32.const 1024", ..ORDINARY }.plugin()
}

/// Traps when docket is done with its result.
pub(crate) fn trap_after_return() -> Vec<u8> {
    Core { after_run: "unreachable", ..ORDINARY }.plugin()
}

/// Begins with all the memory there could be.
pub(crate) fn giant_memory() -> Vec<u8> {
    Core { memory: "65536", ..ORDINARY }.plugin()
}

/// Begins with a table of millions.
pub(crate) fn giant_table() -> Vec<u8> {
    Core { more: "(table 5000000 funcref)", ..ORDINARY }.plugin()
}

/// Makes its table grow until it is not allowed any more, and then gives up.
pub(crate) fn growing_table() -> Vec<u8> {
    let run = "(loop (br_if 0 (i32.ne (table.grow $table (ref.null func) (i32.const 100)) (i32.const -1)))) unreachable";
    Core { run, more: "(table $table 1 funcref)", ..ORDINARY }.plugin()
}

/// Is made of more parts than anything is made of.
pub(crate) fn many_instances() -> Vec<u8> {
    Core { instances: 500, ..ORDINARY }.plugin()
}
