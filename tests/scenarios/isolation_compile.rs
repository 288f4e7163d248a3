//! Compiling what a stranger wrote: in a process of its own, which is ended when its time or its memory is up and
//! leaves nothing behind.

use docket_tests::{Place, finish_or_kill};
use serde_json::json;

use crate::sandbox::{PLUGIN, guest, guest_place, single};

/// The guest with a core module more that nobody uses, of about so many MiB of code. It runs like the guest, once
/// somebody has compiled it.
fn bomb(mebibytes: usize) -> Vec<u8> {
    // (i32.store (i32.const 0) (i32.rotl (i32.load (i32.const 0)) (i32.const 7)))
    const STEP: [u8; 14] = [0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 7, 0x77, 0x36, 2, 0, 0x01];
    const STEPS: usize = 20_000;
    let body = [&[0_u8][..], &STEP.repeat(STEPS), &[0x0b]].concat();
    let count = (mebibytes << 20) / body.len();
    let code: Vec<u8> = std::iter::repeat_n([number(body.len()), body].concat(), count).flatten().collect();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[number(count), vec![0; count]].concat()),
        section(5, &[1, 0, 1]),
        section(10, &[number(count), code].concat()),
    ];
    [guest(), section(1, &module.concat())].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], number(content.len()), content.to_vec()].concat()
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
fn number(mut rest: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(rest & 0x7f).expect("seven bits");
        rest >>= 7;
        bytes.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            return bytes;
        }
    }
}

fn place_with(component: &[u8]) -> Place {
    let place = guest_place();
    place.write(PLUGIN, component);
    place.trusted_definition("acts", &single(&json!({ "act": "time" })));
    place
}

/// Starts the run with a cache of its own: what is compiled already takes no time.
fn start(place: &Place) -> docket_tests::Output {
    let mut command = place.command(&["workflow", "start", "acts"]);
    command.env("XDG_CACHE_HOME", place.home().join("cache"));
    finish_or_kill(&mut command)
}

/// Compilers that were allowed so much memory, which tells those of one test from all others.
fn compilers(mebibytes: u64) -> usize {
    let argument = (mebibytes << 20).to_string();
    let is_one = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.nth(1) == Some(b"__compile") && words.next() == Some(argument.as_bytes())
    };
    std::fs::read_dir("/proc").expect("processes").flatten().map(is_one).filter(|is_one| *is_one).count()
}

#[test]
fn a_component_that_takes_too_long_to_compile_is_given_up() {
    let place = place_with(&bomb(24));
    place.write_home("config.yml", "limits: { compile_timeout: 1, compile_memory_mib: 3001 }\n");
    start(&place)
        .code(2)
        .says("'test-guest' took more than 1 s to compile")
        .says("limits: { compile_timeout");
    assert_eq!(compilers(3001), 0, "a compiler goes on");
}

#[test]
fn a_component_that_needs_too_much_memory_to_compile_is_given_up() {
    let place = place_with(&bomb(24));
    place.write_home("config.yml", "limits: { compile_memory_mib: 80, compile_timeout: 10m }\n");
    start(&place)
        .code(2)
        .says("'test-guest' needed more than 80 MiB of memory to compile")
        .says("limits: { compile_memory_mib");
    // The guest itself is no bomb.
    place.write(PLUGIN, guest());
    place.run(&["trust", "--yes"]).success();
    start(&place).success();
}

/// A docket that is killed takes its compiler with it.
#[test]
fn a_compiler_does_not_outlive_docket() {
    let place = place_with(&bomb(24));
    place.write_home("config.yml", "limits: { compile_timeout: 10m, compile_memory_mib: 3002 }\n");
    let mut command = place.command(&["workflow", "start", "acts"]);
    command.env("XDG_CACHE_HOME", place.home().join("cache"));
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut docket = command.spawn().expect("it can be started");
    docket_tests::wait_until("a compiler is at work", || compilers(3002) == 1);
    docket_tests::kill(&mut docket);
    docket_tests::wait_until("the compiler has ended", || compilers(3002) == 0);
}

/// What is no valid component is told with the compiler's reason.
#[test]
fn a_component_with_bad_code_is_refused_with_the_reason() {
    // A function of type () -> () that leaves a number behind.
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &[1, 4, 0, 0x41, 0, 0x0b]),
    ];
    let place = place_with(&[guest(), section(1, &module.concat())].concat());
    start(&place).code(2).says("'test-guest' is no valid component").says("values remaining on stack");
}
