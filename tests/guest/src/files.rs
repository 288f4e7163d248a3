//! Acts on files: each says what came out, or the error in the words of the guest's own library.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use docket_plugin::{Value, guest_path, json};

/// The guest's path of a proposal.
pub(crate) fn proposal(path: &str) -> String {
    format!("{}/{path}", guest_path::PROPOSALS)
}

/// The guest's path of a cached file.
pub(crate) fn cached(path: &str) -> String {
    format!("{}/{path}", guest_path::CACHE)
}

/// `{ok: value}`, or `{error: text}`.
pub(crate) fn told<T: Into<Value>, E: Display>(result: Result<T, E>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value.into() }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// Reads a file as text.
pub(crate) fn read(path: &str) -> Value {
    told(fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The names in a folder, sorted; folders end with `/`.
pub(crate) fn list(path: &str) -> Value {
    let names = fs::read_dir(path).and_then(|entries| {
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let folder = if entry.file_type()?.is_dir() { "/" } else { "" };
            names.push(format!("{}{folder}", entry.file_name().to_string_lossy()));
        }
        names.sort();
        Ok(names)
    });
    told(names)
}

/// Writes a file, creating the folders above it.
pub(crate) fn write(path: &str, content: &str) -> Value {
    let folders = Path::new(path).parent().map_or(Ok(()), fs::create_dir_all);
    told(folders.and_then(|()| fs::write(path, content)).map(|()| content.len()))
}

/// Proposes many files of a size, named by their number.
pub(crate) fn write_many(folder: &str, count: usize, bytes: usize) -> Value {
    let content = "x".repeat(bytes);
    let failed = (0..count).map(|number| write(&proposal(&format!("{folder}/{number}.txt")), &content));
    json!({ "written": count, "failed": failed.filter(|told| told.get("error").is_some()).count() })
}

/// Makes a symbolic link at `path`.
pub(crate) fn symbolic_link(target: &str, path: &str) -> Value {
    let folders = Path::new(path).parent().map_or(Ok(()), fs::create_dir_all);
    told(folders.and_then(|()| link(target, path)).map(|()| true))
}

#[cfg(target_os = "wasi")]
fn link(target: &str, path: &str) -> std::io::Result<()> {
    // The library's own `symlink` is unstable for this target; its C library's is what it would call.
    let text = |text: &str| std::ffi::CString::new(text).map_err(std::io::Error::other);
    let (target, path) = (text(target)?, text(path)?);
    #[expect(unsafe_code, reason = "a symbolic link can be had in no other stable way")]
    // SAFETY: both are valid strings that end with a zero byte, and the function keeps neither.
    let failed = unsafe { symlink(target.as_ptr(), path.as_ptr()) } != 0;
    if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(target_os = "wasi")]
#[expect(unsafe_code, reason = "a symbolic link can be had in no other stable way")]
unsafe extern "C" {
    fn symlink(target: *const std::ffi::c_char, path: *const std::ffi::c_char) -> std::ffi::c_int;
}

#[cfg(not(target_os = "wasi"))]
fn link(target: &str, path: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Makes a hard link at `path` to the file `target`.
pub(crate) fn hard_link(target: &str, path: &str) -> Value {
    let folders = Path::new(path).parent().map_or(Ok(()), fs::create_dir_all);
    told(folders.and_then(|()| fs::hard_link(target, path)).map(|()| true))
}

/// Tries every way to change a file of the project.
pub(crate) fn write_project(path: &str) -> Value {
    let target = format!("{}/{path}", guest_path::PROJECT);
    let beside = format!("{target}.new");
    json!({
        "write": told(fs::write(&target, "changed by a guest").map(|()| true)),
        "append": told(fs::OpenOptions::new().append(true).open(&target).map(|_| true)),
        "truncate": told(fs::OpenOptions::new().write(true).truncate(true).open(&target).map(|_| true)),
        "create": told(fs::write(&beside, "made by a guest").map(|()| true)),
        "folder": told(fs::create_dir(&beside).map(|()| true)),
        "remove": told(fs::remove_file(&target).map(|()| true)),
    })
}

/// Tries to move a file of the project within it, out of it, and another over it.
pub(crate) fn rename_project(path: &str) -> Value {
    let target = format!("{}/{path}", guest_path::PROJECT);
    let own = proposal("renamed.txt");
    json!({
        "within": told(fs::rename(&target, format!("{target}.moved")).map(|()| true)),
        "out": told(fs::rename(&target, proposal("moved.txt")).map(|()| true)),
        "over": told(fs::write(&own, "over").and_then(|()| fs::rename(&own, &target)).map(|()| true)),
    })
}
