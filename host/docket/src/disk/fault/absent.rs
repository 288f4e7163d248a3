//! Fault points of a release build: there are none. Every function is the plain call that it stands around.

use std::fs::File;
use std::io::{self, Write};
use std::process::Command;

use super::Point;

/// Nothing happens before an operation.
///
/// # Errors
/// None.
#[inline(always)]
pub const fn before(_: Point) -> io::Result<()> {
    Ok(())
}

/// No disk lies.
#[inline(always)]
pub(super) const fn is_skipped(_: Point) -> bool {
    false
}

/// Nothing happens after it.
#[inline(always)]
pub const fn after(_: Point) {}

/// Writes all bytes.
///
/// # Errors
/// The file's own.
#[inline(always)]
pub fn write(_: Point, mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// There is nothing to hand on to a process of docket's own.
#[inline(always)]
pub fn hand_on(_: &mut Command) {}

/// There is nothing to keep from anybody else's.
#[inline(always)]
pub fn conceal(_: &mut Command) {}
