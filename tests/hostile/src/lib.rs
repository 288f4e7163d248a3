//! A plugin that tries what a plugin must not be able to do, one function for each attempt. Only for docket's own tests;
//! never embedded. What there is to try stands in `list.rs`, which the tests share.
//!
//! Must not decide whether an attempt may succeed: it tells what came of it, and the tests judge.

// Elsewhere there is nothing to break out of.
#![cfg(target_os = "wasi")]
#![deny(dead_code)]

#[expect(unused_macros, reason = "files and settings need no guest")]
#[macro_use]
#[path = "../list.rs"]
mod list;

mod calls;
mod checks;
#[cfg(feature = "spawn")]
mod commands;
#[cfg(feature = "spawn")]
mod dialogues;
mod files;
mod limits;
mod proposals;
mod tries;
mod words;
mod world;

use docket_plugin::{Error, Fault, Outcome, Request, Stage, Value, json, plugin};

/// The stage type `hostile`.
pub struct Hostile;

type Act = fn(&Request) -> Result<Outcome, Error>;
type Check = fn(&Value) -> Vec<Fault>;

/// Makes, of a list of names, the function that finds an attempt by its name.
macro_rules! find_act {
    ($($module:ident { $($act:ident),* $(,)? })*) => {
        fn find_act(name: &str) -> Option<Act> {
            $($(
                if name == concat!(stringify!($module), "/", stringify!($act)) {
                    return Some($module::$act);
                }
            )*)*
            None
        }
    };
}
every_act!(find_act);

/// The same for what is tried in `check`.
macro_rules! find_check {
    ($($module:ident { $($act:ident),* $(,)? })*) => {
        fn find_check(name: &str) -> Option<Check> {
            $($(
                if name == concat!(stringify!($module), "/", stringify!($act)) {
                    return Some($module::$act);
                }
            )*)*
            None
        }
    };
}
every_check!(find_check);

/// The same for what is tried with the right to run a command.
macro_rules! find_command {
    ($($module:ident { $($act:ident),* $(,)? })*) => {
        #[cfg(feature = "spawn")]
        fn find_command(name: &str) -> Option<Act> {
            $($(
                if name == concat!(stringify!($module), "/", stringify!($act)) {
                    return Some($module::$act);
                }
            )*)*
            None
        }
        #[cfg(not(feature = "spawn"))]
        fn find_command(_: &str) -> Option<Act> {
            None
        }
    };
}
every_command!(find_command);

impl Stage for Hostile {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let name = request.config.get("act").and_then(Value::as_str).unwrap_or_default();
        if name == "well" {
            return well();
        }
        match find_act(name).or_else(|| find_command(name)) {
            Some(act) => act(request),
            None => Err(Error::new("act-unknown", format!("there is no act '{name}'"))),
        }
    }

    fn check(_: &str, config: &Value) -> Vec<Fault> {
        let name = config.get("act").and_then(Value::as_str).unwrap_or_default();
        find_check(name).map(|act| act(config)).unwrap_or_default()
    }
}

/// Does what an ordinary plugin does: reads what it may read and proposes what it may propose.
fn well() -> Result<Outcome, Error> {
    let failed = |cause: std::io::Error| Error::new("not-well", cause.to_string());
    let folder = std::fs::read_dir("/project").map_err(failed)?.count();
    std::fs::create_dir_all("/out/out").map_err(failed)?;
    std::fs::write("/out/out/well.md", "well\n").map_err(failed)?;
    Ok(Outcome::Completed(json!({ "well": true, "entries": folder })))
}

plugin!(Hostile, manifest = "../manifest.json");
