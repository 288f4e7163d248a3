//! Paths of proposals and what is granted for them: any texts.
//!
//! What holds: a path that is taken, put behind a folder, stays below it, on the systems that see more in a name than
//! this one, too. One that may be written is not git's or docket's own, by the rules that git itself goes by. What a
//! grant allows is what it names, or what its pattern matches, and never anything that may not be written.

use std::path::{Component, Path};

use docket::plugin::Grants;
use docket::plugin::manifest::Capabilities;
use docket_core::run::{PlannedWrite, ProjectPath};
use serde_json::json;

use crate::text;

/// Runs the target: lines of a path, a pattern that is asked for, and a path in a config.
pub fn paths(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut parts = text.splitn(3, '\n');
    let path = parts.next().unwrap_or_default();
    let (asked, configured) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let taken = ProjectPath::parse(path);
    let writable = ProjectPath::writable(path);
    if let Ok(taken) = &taken {
        assert_eq!(taken.as_str(), path, "a path is not changed");
        stays_inside(path);
        assert!(!taken.stem().contains('/'), "a stem of several parts");
        let kept = serde_json::to_string(taken).expect("a path is JSON");
        assert_eq!(serde_json::from_str::<ProjectPath>(&kept).ok().as_ref(), Some(taken), "kept and read");
    }
    if let Ok(writable) = &writable {
        assert_eq!(taken.as_ref(), Ok(writable), "what may be written is a path");
        for part in path.split('/') {
            for own in ["git", "docket"] {
                assert!(!is_own_on_windows(part, own), "'{path}' is .{own} on Windows");
                assert!(!is_own_on_macos(part, own), "'{path}' is .{own} on macOS");
            }
        }
    } else if let Ok(path) = serde_json::from_value::<ProjectPath>(json!(path)) {
        assert_eq!(taken.as_ref(), Ok(&path), "read from JSON, but not from text");
    }
    granted(taken.ok(), asked, configured);
}

/// Holds a path to what it means where it is joined.
fn stays_inside(path: &str) {
    let joined = Path::new("/somewhere/project").join(path);
    let mut below =
        joined.strip_prefix("/somewhere/project").expect("a path stays below its root").components();
    assert!(below.all(|part| matches!(part, Component::Normal(_))), "'{path}' goes up");
    for part in path.split('/') {
        // Windows leaves dots and blanks at the end of a name out.
        assert!(
            !part.trim_end_matches(['.', ' ']).is_empty(),
            "'{path}' has a part that Windows does not see"
        );
        assert!(!part.contains(['\\', '\0']), "'{path}' has more parts on Windows");
    }
    let drive = path
        .split_once(':')
        .is_some_and(|(drive, _)| matches!(drive.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z']));
    assert!(!drive, "'{path}' begins with a drive");
}

/// Whether Windows takes a name for docket's or git's folder: git's `is_ntfs_dot_generic`. A short name, or the name
/// itself, with any dots and blanks behind it, up to a colon.
fn is_own_on_windows(part: &str, own: &str) -> bool {
    let visible: String = part.chars().filter(|it| !is_left_out(*it)).collect::<String>().to_lowercase();
    let rest = visible.strip_prefix(&format!(".{own}"));
    // A short name is made of the first six letters of a longer one, and of all three of a short one.
    let short = &own[..own.len().min(6)];
    let rest = rest.or_else(|| visible.strip_prefix(&format!("{short}~1")));
    rest.is_some_and(|rest| {
        let behind = rest.trim_start_matches(['.', ' ']);
        behind.is_empty() || behind.starts_with(':')
    })
}

/// Whether macOS takes a name for docket's or git's folder: case and some invisible characters do not count
/// (git's `is_hfs_dot_generic`).
fn is_own_on_macos(part: &str, own: &str) -> bool {
    let visible: String = part.chars().filter(|it| !is_left_out(*it)).collect();
    visible.to_lowercase() == format!(".{own}") || visible.eq_ignore_ascii_case(&format!(".{own}"))
}

/// What HFS+ leaves out of names, from git's `next_hfs_char`.
fn is_left_out(character: char) -> bool {
    const LEFT_OUT: [u32; 16] = [
        0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x206a, 0x206b, 0x206c,
        0x206d, 0x206e, 0x206f, 0xfeff,
    ];
    LEFT_OUT.contains(&u32::from(character))
}

fn granted(path: Option<ProjectPath>, asked: &str, configured: &str) {
    let capabilities = Capabilities {
        read: vec!["docs".to_owned()],
        write: vec![asked.to_owned(), "${config.file}".to_owned()],
        ..Capabilities::default()
    };
    let Ok(grants) = Grants::resolve(&capabilities, &json!({ "file": configured })) else { return };
    let configured = ProjectPath::writable(configured).expect("a file that is granted may be written");
    assert!(grants.exact_writes().any(|exact| *exact == configured), "the file of the config is granted");
    let Some(path) = path else { return };
    let is_exact = path == configured || path.as_str() == asked;
    let is_pattern = asked.contains(['*', '?', '[', '{']);
    let write = PlannedWrite { path, bytes: Vec::new() };
    let is_allowed = grants.allow(&write).is_ok();
    assert!(!is_allowed || is_exact || is_pattern, "'{}' is allowed by '{asked}'", write.path);
    let is_kept = write.path.parts().any(|part| part.starts_with(".env"));
    assert!(is_allowed || is_kept || write.path != configured, "'{}' was granted and is refused", write.path);
    // A star stays within its folder.
    if is_allowed && !is_exact && !asked.contains("**") {
        let depth = |text: &str| text.split('/').count();
        let is_plain = !asked.contains(['{', '[', '\\']);
        assert!(!is_plain || depth(write.path.as_str()) == depth(asked), "'{asked}' allows '{}'", write.path);
    }
}
