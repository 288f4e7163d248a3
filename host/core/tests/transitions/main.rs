//! The rules of runs, transition by transition, without any machine around them: one module per subject, `run` is what
//! they all use.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod approval;
mod budget;
mod claims;
mod matrix;
mod order;
mod retry;
mod rework;
mod run;
mod sub_run;
