//! Change sets on disk: hashing what is there, planning, and applying without following a link. Whether a stage may
//! write a path at all is decided before it comes here.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::SystemTime;

use cap_std::fs::{Dir, OpenOptions};
use docket_core::run::{
    ChangeSet, Content, Failure, FileChange, FileState, PlannedWrite, ProjectPath, Verdict, sha256,
};
use rustix::fs::{Mode, OFlags};

use super::{Project, RunFolder, StoreError};
use crate::disk::fault::{self, Point};
use crate::disk::{Durability, create_folder, replace_at, sync_folder};

/// Texts up to this size are kept in the journal itself, which saves a file and a sync of its own.
const INLINE_BYTES: usize = 128 * 1024;

/// What is at a path now.
///
/// # Errors
/// When it leads through a link, is no regular file, or can't be read.
pub fn look(project: &Project, path: &ProjectPath) -> Result<FileState, StoreError> {
    Ok(project.read(path)?.map_or(FileState::Missing, |bytes| FileState::File(sha256(&bytes))))
}

/// What a stage could know of the files it writes.
#[derive(Debug)]
pub struct Seen {
    /// What was at a path when the stage was given it.
    pub files: BTreeMap<ProjectPath, FileState>,
    /// When it was given everything else.
    pub since: SystemTime,
}

/// As [`look`], for a file that the stage may have read at any time since then: one that was changed meanwhile is not
/// what the stage read. Unless it became what it is to be, `after`, anyway.
fn look_since(
    project: &Project,
    path: &ProjectPath,
    since: SystemTime,
    after: &str,
) -> Result<FileState, StoreError> {
    let now = look(project, path)?;
    if matches!(&now, FileState::File(hash) if hash == after) {
        return Ok(now);
    }
    let modified =
        std::fs::symlink_metadata(project.root().join(path.as_str())).and_then(|found| found.modified());
    if now != FileState::Missing && modified.is_ok_and(|modified| modified >= since) {
        let detail =
            "was changed while the stage ran, so what the stage wants to write there does not fit".to_owned();
        return Err(StoreError::OutsideProject { path: path.to_string(), detail });
    }
    Ok(now)
}

/// Makes a change set of what a stage wrote. Paths that are not in `seen` are looked at now, and must not have been
/// changed since the stage started. Files that would stay as they are are left out. Large contents are stored, durably.
///
/// # Errors
/// When a path can't be looked at or a content can't be stored.
pub fn plan(
    project: &Project,
    run: &RunFolder,
    writes: Vec<PlannedWrite>,
    seen: &Seen,
) -> Result<Option<ChangeSet>, StoreError> {
    let mut files = Vec::new();
    for write in writes {
        let after = sha256(&write.bytes);
        let before = match seen.files.get(&write.path) {
            Some(state) => state.clone(),
            None => look_since(project, &write.path, seen.since, &after)?,
        };
        if before == FileState::File(after.clone()) {
            continue;
        }
        let before = match before {
            FileState::Missing => None,
            FileState::File(hash) => {
                keep_before(project, run, &write.path, &hash)?;
                Some(hash)
            }
        };
        let content = store(run, &after, write.bytes)?;
        files.push(FileChange { path: write.path, before, after, content });
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok((!files.is_empty()).then_some(ChangeSet { files }))
}

/// Keeps what a file was before, so that `docket workflow diff` can show a change after it was applied. Not waited
/// for: nothing depends on it.
fn keep_before(project: &Project, run: &RunFolder, path: &ProjectPath, hash: &str) -> Result<(), StoreError> {
    if let Some(bytes) = project.read(path)?.filter(|bytes| sha256(bytes) == hash) {
        create_folder(&run.blobs())?;
        replace_at(Point::Blob, &run.blobs().join(hash), &bytes, Durability::Derived)?;
    }
    Ok(())
}

/// What a file was before a change, if it was kept or is still there. `None` for a new file.
///
/// # Errors
/// When it can't be read.
pub fn before(
    project: &Project,
    run: &RunFolder,
    change: &FileChange,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(hash) = &change.before else { return Ok(None) };
    let kept = crate::disk::read_if_there(&run.blobs().join(hash))?;
    match kept.filter(|bytes| sha256(bytes) == *hash) {
        Some(bytes) => Ok(Some(bytes)),
        None => project.read(&change.path),
    }
}

fn store(run: &RunFolder, hash: &str, bytes: Vec<u8>) -> Result<Content, StoreError> {
    let size = bytes.len();
    match String::from_utf8(bytes) {
        Ok(text) if size <= INLINE_BYTES => Ok(Content::Text(text)),
        other => {
            let bytes = other.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
            create_folder(&run.blobs())?;
            replace_at(Point::Blob, &run.blobs().join(hash), &bytes, Durability::Synced)?;
            sync_folder(run.path())?;
            Ok(Content::Blob { bytes: size as u64 })
        }
    }
}

/// The bytes of a change.
///
/// # Errors
/// [`StoreError::Damaged`] when they are not those that were planned.
pub fn content(run: &RunFolder, change: &FileChange) -> Result<Vec<u8>, StoreError> {
    let (bytes, path) = match &change.content {
        Content::Text(text) => (text.clone().into_bytes(), run.journal()),
        Content::Blob { .. } => {
            let path = run.blobs().join(&change.after);
            (std::fs::read(&path).map_err(StoreError::io("can't read", &path))?, path)
        }
    };
    if sha256(&bytes) == change.after {
        return Ok(bytes);
    }
    Err(StoreError::Damaged {
        path,
        detail: format!("the content for '{}' does not fit its hash", change.path),
    })
}

/// Writes a change set. Doing it again does nothing. All files are looked at before the first is written, so a
/// conflict leaves everything as it was.
///
/// # Errors
/// A failure that names each file and what to do: `file-changed` when somebody else changed one, `write-refused`
/// when the operating system did not let docket write.
pub fn apply(project: &Project, run: &RunFolder, changes: &ChangeSet) -> Result<(), Failure> {
    refuse_reserved(run, changes)?;
    let refused = |error: StoreError| {
        Failure::new("write-refused", error.to_string()).hint(format!(
            "nothing is lost: make the path writable, then `docket workflow resume {}`; `docket workflow diff {}` shows \
             what is to be written",
            run.id(),
            run.id()
        ))
    };
    let mut todo = Vec::new();
    let mut conflicts = Vec::new();
    for change in &changes.files {
        match change.verdict(&look(project, &change.path).map_err(refused)?) {
            Verdict::Write => todo.push(change),
            Verdict::Done => {}
            Verdict::Conflict => conflicts.push(format!("'{}'", change.path)),
        }
    }
    if !conflicts.is_empty() {
        let message =
            format!("{} changed since the stage read it; nothing was overwritten", conflicts.join(", "));
        return Err(Failure::new("file-changed", message).hint(format!(
            "`docket workflow diff {0}` shows what docket wants to write; put the file back as it was, or make that \
             change yourself, then `docket workflow resume {0}`; or give up with `docket workflow cancel {0}`",
            run.id()
        )));
    }
    for change in todo {
        let bytes = content(run, change).map_err(refused)?;
        // The first look was some syncs ago.
        if change.verdict(&look(project, &change.path).map_err(refused)?) == Verdict::Write {
            write(project, run, &change.path, &bytes).map_err(refused)?;
        }
    }
    Ok(())
}

/// Refuses a change set that names a path no stage may write. Planning refuses it as well, but what is applied was read
/// from a journal, which is a file like any other.
fn refuse_reserved(run: &RunFolder, changes: &ChangeSet) -> Result<(), Failure> {
    let faults: Vec<String> = changes
        .files
        .iter()
        .filter_map(|change| ProjectPath::writable(change.path.as_str()).err())
        .map(|fault| fault.to_string())
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let message = format!("{}; nothing was written", faults.join("; "));
    Err(Failure::new("write-refused", message).hint(format!(
        "docket never plans this, so {} was changed by something else; give the run up with \
         `docket workflow cancel {}`",
        run.journal().display(),
        run.id()
    )))
}

/// Removes what an owner that died while it applied a change set left beside the files: for a run that was cancelled
/// since, so that nobody will apply it.
pub fn clear(project: &Project, run: &RunFolder, changes: &ChangeSet) {
    for change in &changes.files {
        let path = change.path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // Hardly ever there; and one that can't be removed harms nobody.
        let _ = project.handle().remove_file(std::path::Path::new(folder).join(temporary_name(run, name)));
    }
}

/// What a file is called until it is put in place.
fn temporary_name(run: &RunFolder, name: &str) -> String {
    format!(".{}-{name}.tmp", run.id())
}

/// Writes one file beneath the project: every folder on the way is opened without following links.
fn write(project: &Project, run: &RunFolder, path: &ProjectPath, bytes: &[u8]) -> Result<(), StoreError> {
    let shown = project.root().join(path.as_str());
    let error = StoreError::io("can't write", &shown);
    let go = || -> std::io::Result<()> {
        let (folder, name) = open_parent(project, path)?;
        // A run has one owner at a time, so a leftover of one that died is overwritten by the next.
        let temporary = temporary_name(run, name);
        let mode = folder.symlink_metadata(name).map(|metadata| metadata.permissions()).ok();
        let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
        let file = folder.open_with(&temporary, &options)?.into_std();
        let mode = mode.map(|mode| mode.into_std(&file)).transpose()?;
        let written = fault::write(Point::ApplyWrite, &file, bytes)
            .and_then(|()| mode.map_or(Ok(()), |mode| file.set_permissions(mode)))
            .and_then(|()| fault::act(Point::ApplySync, || file.sync_all()))
            .and_then(|()| fault::act(Point::ApplyRename, || folder.rename(&temporary, &folder, name)));
        if written.is_err() {
            let _ = folder.remove_file(&temporary);
        }
        written?;
        fault::act(Point::ApplyFolder, || folder.into_std_file().sync_all())
    };
    fault::at(Point::ApplyFile, go).map_err(error)
}

/// Opens the folder a path lies in, creating missing ones, and gives the file's name.
fn open_parent<'a>(project: &Project, path: &'a ProjectPath) -> std::io::Result<(Dir, &'a str)> {
    let mut parts: Vec<&str> = path.parts().collect();
    let name = parts.pop().unwrap_or_default();
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    // The project's own handle is only for looking things up beneath it; this one can be synced.
    let root = rustix::fs::openat(project.handle(), ".", flags, Mode::empty())?;
    let mut folder = Dir::from_std_file(File::from(root));
    for part in parts {
        let opened = match rustix::fs::openat(&folder, part, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => {
                match folder.create_dir(part) {
                    // Another run was here first; what it made is opened as carefully as anything else.
                    Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
                    made => made?,
                }
                folder.try_clone()?.into_std_file().sync_all()?;
                rustix::fs::openat(&folder, part, flags, Mode::empty())
            }
            other => other,
        }?;
        folder = Dir::from_std_file(File::from(opened));
    }
    Ok((folder, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> (tempfile::TempDir, Project, RunFolder) {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::open(folder.path()).expect("opened");
        let run = RunFolder::create(&project, "wf-aaaaaa").expect("created").expect("new");
        (folder, project, run)
    }

    fn planned(path: &str, text: &str) -> PlannedWrite {
        PlannedWrite { path: ProjectPath::parse(path).expect("a path"), bytes: text.into() }
    }

    /// A stage that began after everything else happened.
    fn nothing_seen() -> Seen {
        let since = SystemTime::now() + std::time::Duration::from_secs(3600);
        Seen { files: BTreeMap::new(), since }
    }

    #[test]
    fn a_file_that_changed_while_the_stage_ran_is_not_what_it_read() {
        let (folder, project, run) = setting();
        let seen =
            Seen { files: BTreeMap::new(), since: SystemTime::now() - std::time::Duration::from_secs(60) };
        std::fs::write(folder.path().join("a.md"), "changed while the stage ran").expect("written");
        let refused = plan(&project, &run, vec![planned("a.md", "new")], &seen).expect_err("refused");
        assert!(refused.to_string().contains("'a.md' was changed while the stage ran"), "{refused}");
        assert!(plan(&project, &run, vec![planned("b.md", "new")], &seen).expect("a new file").is_some());
        let same = plan(&project, &run, vec![planned("a.md", "changed while the stage ran")], &seen);
        assert_eq!(same.expect("as it is to be"), None);
    }

    #[test]
    fn applying_twice_writes_once() {
        let (folder, project, run) = setting();
        let writes = vec![planned("docs/new/a.md", "one"), planned("b.bin", &"x".repeat(INLINE_BYTES + 1))];
        let changes = plan(&project, &run, writes, &nothing_seen()).expect("planned").expect("changes");
        assert!(matches!(changes.files[0].content, Content::Blob { .. }));
        apply(&project, &run, &changes).expect("applied");
        assert_eq!(std::fs::read_to_string(folder.path().join("docs/new/a.md")).expect("there"), "one");
        let before =
            std::fs::metadata(folder.path().join("docs/new/a.md")).expect("there").modified().expect("time");
        apply(&project, &run, &changes).expect("applied again");
        let after =
            std::fs::metadata(folder.path().join("docs/new/a.md")).expect("there").modified().expect("time");
        assert_eq!(before, after);
    }

    #[test]
    fn a_conflict_leaves_every_file_as_it_was() {
        let (folder, project, run) = setting();
        std::fs::write(folder.path().join("b.md"), "old").expect("written");
        let writes = vec![planned("a.md", "new"), planned("b.md", "new")];
        let changes = plan(&project, &run, writes, &nothing_seen()).expect("planned").expect("changes");
        std::fs::write(folder.path().join("b.md"), "somebody else's").expect("written");
        let failure = apply(&project, &run, &changes).expect_err("a conflict");
        assert_eq!(failure.code, "file-changed");
        assert!(failure.message.contains("'b.md'"), "{failure:?}");
        assert!(!folder.path().join("a.md").exists());
        assert_eq!(std::fs::read_to_string(folder.path().join("b.md")).expect("there"), "somebody else's");
    }

    #[test]
    fn what_the_stage_was_given_counts_not_what_is_there_later() {
        let (folder, project, run) = setting();
        let path = ProjectPath::parse("a.md").expect("a path");
        std::fs::write(folder.path().join("a.md"), "old").expect("written");
        let files = BTreeMap::from([(path.clone(), look(&project, &path).expect("looked"))]);
        let seen = Seen { files, since: SystemTime::now() };
        std::fs::write(folder.path().join("a.md"), "changed while the stage ran").expect("written");
        let changes =
            plan(&project, &run, vec![planned("a.md", "new")], &seen).expect("planned").expect("changes");
        assert_eq!(apply(&project, &run, &changes).expect_err("a conflict").code, "file-changed");
    }

    #[test]
    fn reserved_folders_are_not_written_whatever_a_journal_says() {
        let (folder, project, run) = setting();
        for reserved in [".git/hooks/post-checkout", ".docket/config.yml", "docs/.GIT/config"] {
            let writes = vec![planned("a.md", "new"), planned(reserved, "evil")];
            let changes = plan(&project, &run, writes, &nothing_seen()).expect("planned").expect("changes");
            let failure = apply(&project, &run, &changes).expect_err("refused");
            assert_eq!(failure.code, "write-refused");
            assert!(failure.message.contains(reserved), "{failure:?}");
            assert!(!folder.path().join(reserved).exists(), "{reserved}");
            assert!(!folder.path().join("a.md").exists(), "nothing of it is written");
        }
    }

    #[test]
    fn links_are_not_written_through() {
        let (folder, project, run) = setting();
        let outside = tempfile::tempdir().expect("a folder");
        let changes =
            plan(&project, &run, vec![planned("docs/a.md", "x")], &nothing_seen()).expect("planned");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("docs")).expect("linked");
        let failure = apply(&project, &run, &changes.expect("changes")).expect_err("refused");
        assert_eq!(failure.code, "write-refused");
        assert_eq!(std::fs::read_dir(outside.path()).expect("readable").count(), 0);
    }

    #[test]
    fn what_was_not_put_in_place_is_cleared_and_nothing_else() {
        let (folder, project, run) = setting();
        let writes = vec![planned("a.md", "one"), planned("docs/b.md", "two")];
        let changes = plan(&project, &run, writes, &nothing_seen()).expect("planned").expect("changes");
        std::fs::create_dir(folder.path().join("docs")).expect("created");
        for name in [".wf-aaaaaa-a.md.tmp", "docs/.wf-aaaaaa-b.md.tmp", "docs/.wf-bbbbbb-b.md.tmp"] {
            std::fs::write(folder.path().join(name), "half").expect("written");
        }
        clear(&project, &run, &changes);
        assert!(!folder.path().join(".wf-aaaaaa-a.md.tmp").exists());
        let left = std::fs::read_dir(folder.path().join("docs")).expect("readable");
        let left: Vec<_> = left.map(|entry| entry.expect("readable").file_name()).collect();
        assert_eq!(left, [".wf-bbbbbb-b.md.tmp"], "another run's is its own");
    }

    #[test]
    fn unchanged_files_are_no_change() {
        let (folder, project, run) = setting();
        std::fs::write(folder.path().join("a.md"), "same").expect("written");
        assert_eq!(
            plan(&project, &run, vec![planned("a.md", "same")], &nothing_seen()).expect("planned"),
            None
        );
    }
}
