//! Markdown as docket's plugins see it: title, metadata, sections, links, ids and code, each with its line.
//!
//! [`parse`] reads a text once and gives a [`Document`]; [`resolve`] says which file of a project a link means,
//! [`Kind`] what kind of document a file is.
//! Lines are counted from 1. Nothing here reads a file or judges what it finds, and no text makes it fail: what
//! can't be understood is prose.

mod document;
mod field;
mod kind;
mod line_index;
mod link_target;
mod mask;
mod mention;
mod reader;
mod section;

pub use document::{CodeBlock, CodeSpan, Comment, Document, Item, Link, LinkKind, parse};
pub use field::Field;
pub use kind::{Kind, is_template};
pub use link_target::{Resolution, join, resolve};
pub use mention::{Mention, mentions};
pub use section::{Section, slug};
