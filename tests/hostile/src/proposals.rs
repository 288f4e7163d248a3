//! Attempts to make docket write where it must not, by what is put under `/out`. The names come from the test, one stage
//! for each, because one bad name refuses them all. Must not judge.

use std::fs;
use std::path::Path;

use docket_plugin::{Error, Outcome, Request, json};
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

use crate::tries::{Tries, create, failed, folder, open, out, over, text};

/// Proposes the file that the config names.
fn propose(request: &Request) -> Result<Outcome, Error> {
    let path = format!("/out/{}", text(request, "path"));
    let folders = Path::new(&path).parent().map_or(Ok(()), fs::create_dir_all);
    match folders.and_then(|()| fs::write(&path, "proposed by a hostile plugin\n")) {
        Ok(()) => over(json!({ "proposed": path })),
        Err(cause) => Err(Error::new("not-proposed", format!("{path:?}: {cause}"))),
    }
}

/// docket's own and git's folders, however written.
pub(crate) fn reserved_names(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// Names that Windows keeps for devices.
pub(crate) fn device_names(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// Names that some systems take for another file's.
pub(crate) fn ambiguous_names(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// Two names that are one where case does not count.
pub(crate) fn colliding_names(_: &Request) -> Result<Outcome, Error> {
    let made = fs::create_dir_all("/out/out")
        .and_then(|()| fs::write("/out/out/README.md", "one"))
        .and_then(|()| fs::write("/out/out/readme.md", "two"));
    over(json!({ "made": made.is_ok() }))
}

/// Names outside what was granted.
pub(crate) fn ungranted_names(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// Names with control characters.
pub(crate) fn control_names(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// Leaves a link to the target that the config names among its proposals, if it can be made.
pub(crate) fn links_out(request: &Request) -> Result<Outcome, Error> {
    out().create_directory_at("out").map_err(failed)?;
    let made = out().symlink_at(text(request, "target"), "out/link.md");
    over(json!({ "made": made.is_ok() }))
}

/// Makes links in `/out` and `/cache` and writes through them.
pub(crate) fn through_links(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let targets = ["..", "../..", "../../..", "/", "/tmp", text(request, "canary"), text(request, "project")];
    for place in ["/out", "/cache"] {
        let folder = folder(place);
        for (number, target) in targets.iter().enumerate() {
            let link = format!("link-{number}");
            // Whether the link itself can be made does not matter, as long as it leads nowhere.
            let _ = folder.symlink_at(target, &link);
            for path in ["planted.md", "./planted.md", "/planted.md"] {
                let path = format!("{link}/{path}");
                let flags = DescriptorFlags::WRITE;
                let opened = folder.open_at(PathFlags::SYMLINK_FOLLOW, &path, OpenFlags::CREATE, flags);
                tries.refused(format!("{place} {target} {path}"), opened);
            }
            let made = folder.create_directory_at(&format!("{link}/planted"));
            tries.refused(format!("{place} {target} folder"), made);
            tries.refused(format!("{place} {target} read"), open(&folder, &format!("{link}/secret.md")));
            let _ = folder.unlink_file_at(&link);
        }
    }
    tries.allowed("own", create(&out(), "own"));
    tries.allowed("own removed", out().unlink_file_at("own"));
    tries.done()
}

/// Proposes a file below what is a link in the project.
pub(crate) fn through_project_links(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}

/// A file that claims a tebibyte and takes no room.
pub(crate) fn sparse_file(_: &Request) -> Result<Outcome, Error> {
    create(&out(), "sparse").and_then(|file| file.set_size(1 << 40)).map_err(failed)?;
    over(json!({ "made": true }))
}

/// More files than anybody wants.
pub(crate) fn many_files(_: &Request) -> Result<Outcome, Error> {
    let made = (0..5_000).filter(|number| create(&out(), &format!("{number}.md")).is_ok()).count();
    over(json!({ "made": made }))
}

/// Folders in folders, deeper than a path can be long, made one beneath the other.
pub(crate) fn deep_folders(_: &Request) -> Result<Outcome, Error> {
    let name = "deeper-and-deeper";
    let mut here = out();
    for depth in 0..3_000 {
        let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
        let next = here
            .create_directory_at(name)
            .and_then(|()| here.open_at(PathFlags::empty(), name, OpenFlags::DIRECTORY, flags));
        match next {
            Ok(next) => here = next,
            Err(code) => return over(json!({ "depth": depth, "end": format!("{code:?}") })),
        }
    }
    over(json!({ "depth": 3_000 }))
}

/// A cache of empty files: no bytes, and no end of names.
pub(crate) fn cache_flood(_: &Request) -> Result<Outcome, Error> {
    let cache = folder("/cache");
    let made = (0..20_000).filter(|number| create(&cache, &format!("{number}")).is_ok()).count();
    over(json!({ "made": made }))
}

/// Proposes a file where the project has a folder.
pub(crate) fn file_for_a_folder(request: &Request) -> Result<Outcome, Error> {
    propose(request)
}
