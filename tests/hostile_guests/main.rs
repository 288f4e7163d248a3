//! Hostile plugins, projects and inputs against the real binary. What is tried stands in `tests/hostile/list.rs`; of each
//! name there this file makes a test, which is the function of that name in the module of that name. A function that is
//! in no list is dead code, and so is a fixture without a test: neither compiles.
//!
//! Every test goes over a [`ground::Ground`], which sees to it that nothing outside changed, that docket and the plugin do
//! their work afterwards, and that nothing was printed that a terminal would obey.

#![deny(dead_code)]
#![expect(clippy::disallowed_methods, reason = "a test looks at the files that docket leaves")]

#[macro_use]
#[path = "../hostile/list.rs"]
mod list;

mod calls;
mod checks;
mod commands;
mod dialogues;
mod files;
mod fixtures;
mod ground;
mod limits;
mod plugin_files;
mod proposals;
mod settings;
mod snapshot;
mod words;
mod world;

/// The binary under test.
const DOCKET: &str = env!("CARGO_BIN_EXE_docket");

/// Makes the tests of a list whose guest is the hostile plugin.
macro_rules! tests_of_acts {
    ($($module:ident { $($act:ident),* $(,)? })*) => {
        $(mod $module {
            $(
                #[test]
                fn $act() {
                    crate::$module::$act(crate::ground::Ground::new(concat!(stringify!($module), "/", stringify!($act))));
                }
            )*
        })*
    };
}

/// The same with a plugin that was granted to run a command.
macro_rules! tests_of_commands {
    ($($module:ident { $($act:ident),* $(,)? })*) => {
        $(mod $module {
            $(
                #[test]
                fn $act() {
                    let act = concat!(stringify!($module), "/", stringify!($act));
                    crate::$module::$act(crate::ground::Ground::with_command(act));
                }
            )*
        })*
    };
}

/// The same for files that claim to be plugins, whose bytes are fixtures.
macro_rules! tests_of_files {
    ($($module:ident { $($file:ident),* $(,)? })*) => {
        $(mod $module {
            $(
                #[test]
                fn $file() {
                    let ground = crate::ground::Ground::with_plugin("well", &crate::fixtures::$file());
                    crate::$module::$file(ground);
                }
            )*
        })*
    };
}

/// Tests by what tries to break out.
mod hostile {
    every_act!(tests_of_acts);
    every_check!(tests_of_acts);
    every_command!(tests_of_commands);
    every_plugin_file!(tests_of_files);
    every_setting!(tests_of_acts);
}
