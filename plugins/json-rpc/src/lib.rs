//! JSON-RPC 2.0 over lines, with a program that docket runs: what the launchers of protocols share. [`Connection`] asks
//! the program and answers what it asks meanwhile, [`Message`] is what goes over the line, [`Trouble`] is why there was no
//! answer, and [`script`] plays a program from a list in tests.
//!
//! After docket died a launcher runs again from the start, against the recorded output of its program. So what is sent
//! must follow from what was heard alone: ids are counted, and time may only lead to the end of a dialogue.
//! Must not know any protocol that is spoken over it.

mod connection;
mod lines;
mod message;
pub mod script;
mod trouble;

pub use connection::{Connection, Peer, Wire};
pub use message::{INVALID_PARAMS, METHOD_NOT_FOUND, Message, Refusal};
pub use trouble::Trouble;
