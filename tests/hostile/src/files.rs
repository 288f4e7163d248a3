//! Attempts to see or change files that were not granted. Each goes through the library and through WASI itself, because
//! the library looks at paths before WASI does.

use std::fs;

use docket_plugin::{Error, Outcome, Request};
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags};
use wasip2::io::streams::StreamError;

use crate::tries::{Tries, create, docs, failed, folder, open, out, read, text};

/// Paths with `..`, from every folder there is.
pub(crate) fn dot_dot(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let paths = [
        "..",
        "../",
        "../secret.md",
        "./../secret.md",
        "inner/../../secret.md",
        "../../canary/kept.md",
        "../../home/.docket/trust.json",
        "inner/../../../canary/kept.md",
        "../docs/../secret.md",
        "a.md/../../secret.md",
        "../../../../../../../../../../etc/passwd",
    ];
    for path in paths {
        tries.refused(format!("wasi {path}"), open(&docs(), path));
        tries.refused(format!("library {path}"), fs::read(format!("/project/docs/{path}")));
    }
    for place in ["/project", "/in", "/out", "/cache"] {
        for path in
            ["..", "../..", "../../../journal.jsonl", "../../../definition.yml", "../../../../../config.yml"]
        {
            tries.refused(format!("wasi {place} {path}"), open(&folder(place), path));
            tries.refused(format!("library {place} {path}"), fs::read(format!("{place}/{path}")));
        }
    }
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.allowed("inner/../a.md", read(&docs(), "inner/../a.md"));
    tries.done()
}

/// Absolute paths, of the guest and of the host.
pub(crate) fn absolute(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let (canary, project) = (text(request, "canary"), text(request, "project"));
    let mut paths = vec![format!("{canary}/kept.md"), format!("/{canary}"), format!("{project}/secret.md")];
    let known = ["/etc/passwd", "//etc/passwd", "/", "/proc/self/environ", "/dev/null", "/proc/self/fd/0"];
    paths.extend(known.map(str::to_owned));
    for path in paths {
        for place in ["/project/docs", "/project", "/in", "/out", "/cache"] {
            tries.refused(format!("wasi {place} {path}"), open(&folder(place), &path));
        }
        tries.refused(format!("library {path}"), fs::read(&path));
    }
    tries.refused("create", create(&out(), &format!("{canary}/planted.md")));
    tries.allowed("/project/docs/a.md", fs::read("/project/docs/a.md"));
    tries.done()
}

/// Files as if they were folders.
pub(crate) fn trailing_slash(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in ["a.md/", "a.md//", "a.md/.", "inner/../a.md/"] {
        tries.refused(format!("wasi {path}"), read(&docs(), path));
        tries.refused(format!("library {path}"), fs::read(format!("/project/docs/{path}")));
    }
    tries.refused("create", create(&out(), "x/"));
    tries.allowed("inner/", open(&docs(), "inner/"));
    tries.done()
}

/// Names with a NUL in them, which would end the name in the host's language.
pub(crate) fn nul_bytes(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in ["a.md\0", "a.md\0.png", "\0", "inner\0/../a.md", "../secret.md\0"] {
        tries.refused(format!("wasi {path:?}"), open(&docs(), path));
        tries.refused(format!("library {path:?}"), fs::read(format!("/project/docs/{path}")));
        tries.refused(format!("create {path:?}"), create(&out(), path));
        tries.refused(format!("folder {path:?}"), out().create_directory_at(path));
        tries.refused(format!("link {path:?}"), out().symlink_at(path, "l"));
    }
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// Links that the project has in the granted folder, one behind the other.
pub(crate) fn link_chains(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in [
        "file.md",
        "up.md",
        "above/secret.md",
        "folder/kept.md",
        "chain/kept.md",
        "chained.md",
        "loop",
        "root/etc/passwd",
        "self/../secret.md",
        "above/docs/../secret.md",
        "folder/../canary/kept.md",
    ] {
        tries.refused(format!("wasi {path}"), read(&docs(), path));
        tries.refused(format!("library {path}"), fs::read(format!("/project/docs/{path}")));
        tries.refused(format!("status {path}"), docs().stat_at(PathFlags::SYMLINK_FOLLOW, path));
    }
    for path in ["folder", "chain", "above", "root"] {
        tries.refused(format!("list {path}"), fs::read_dir(format!("/project/docs/{path}")).map(|_| ()));
    }
    tries.allowed("inside.md", read(&docs(), "inside.md"));
    tries.done()
}

/// Links whose target ends with a slash, and links named with one.
pub(crate) fn links_with_trailing_slash(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in [
        "slashed",
        "slashed/",
        "slashed/kept.md",
        "slashed//kept.md",
        "up/",
        "up/secret.md",
        "chained/",
        "chained/kept.md",
        "root/",
        "root/etc/passwd",
    ] {
        tries.refused(format!("wasi {path}"), open(&docs(), path));
        tries.refused(format!("library {path}"), fs::metadata(format!("/project/docs/{path}")));
        for (name, flags) in [("follow", PathFlags::SYMLINK_FOLLOW), ("no follow", PathFlags::empty())] {
            let opened = docs().open_at(flags, path, OpenFlags::DIRECTORY, DescriptorFlags::READ);
            tries.refused(format!("folder {path}, {name}"), opened);
        }
    }
    tries.allowed("within/", open(&docs(), "within/"));
    tries.done()
}

/// Every way of opening a file that would change it.
pub(crate) fn truncate(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let flags = [
        ("truncate", OpenFlags::TRUNCATE),
        ("create", OpenFlags::CREATE),
        ("create and truncate", OpenFlags::CREATE | OpenFlags::TRUNCATE),
        ("exclusive", OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
    ];
    for (name, flags) in flags {
        let both = DescriptorFlags::READ | DescriptorFlags::WRITE;
        for (mode, descriptor) in [("write", DescriptorFlags::WRITE), ("both", both)] {
            for (place, path) in [
                ("/project/docs", "a.md"),
                ("/project/docs", "new.md"),
                ("/in", "new.md"),
                ("/project", "new.md"),
            ] {
                let opened = folder(place).open_at(PathFlags::empty(), path, flags, descriptor);
                tries.refused(format!("{name} to {mode} {place}/{path}"), opened);
            }
        }
    }
    // Truncating needs no right to write in some systems.
    let opened = docs().open_at(PathFlags::empty(), "a.md", OpenFlags::TRUNCATE, DescriptorFlags::READ);
    tries.refused("truncate to read", opened);
    let opened = fs::OpenOptions::new().write(true).truncate(true).open("/project/docs/a.md");
    tries.refused("library", opened);
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// Writing with a handle that was opened to read.
pub(crate) fn write_flags(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let flushed = |written: Result<(), StreamError>| written.map_err(|_| ErrorCode::Access);
    let file = open(&docs(), "a.md").map_err(failed)?;
    let now = NewTimestamp::Now;
    tries.refused("write", file.write(b"changed", 0));
    tries.refused("size", file.set_size(0));
    tries.refused("times", file.set_times(now, now));
    let stream = file.write_via_stream(0);
    tries.refused("stream", stream.and_then(|stream| flushed(stream.blocking_write_and_flush(b"changed"))));
    let stream = file.append_via_stream();
    tries.refused("append", stream.and_then(|stream| flushed(stream.blocking_write_and_flush(b"changed"))));
    tries.refused("times by name", docs().set_times_at(PathFlags::empty(), "a.md", now, now));
    tries.refused("times of the folder", docs().set_times(now, now));
    let changing = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
    let opened = docs().open_at(PathFlags::empty(), "inner", OpenFlags::DIRECTORY, changing);
    tries.refused("folder to change", opened.and_then(|inner| inner.create_directory_at("new")));
    tries.refused("folder", docs().create_directory_at("new"));
    tries.allowed("read", file.read(10, 0));
    tries.done()
}

/// Hard links between what may be read and what may be written.
pub(crate) fn hard_links(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.allowed("own", create(&out(), "own"));
    let mut link = |what: &str, from: &Descriptor, old: &str, to: &Descriptor, new: &str| {
        for flags in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
            tries.refused(format!("{what} {flags:?}"), from.link_at(flags, old, to, new));
        }
    };
    link("read-only to /out", &docs(), "a.md", &out(), "stolen.md");
    link("read-only to /cache", &docs(), "a.md", &folder("/cache"), "stolen.md");
    link("copy to /out", &folder("/in"), "x", &out(), "stolen.md");
    link("/out to read-only", &out(), "own", &docs(), "planted.md");
    link("/out to /in", &out(), "own", &folder("/in"), "planted.md");
    link("within read-only", &docs(), "a.md", &docs(), "second.md");
    link("outside to /out", &out(), "../../../journal.jsonl", &out(), "stolen.md");
    link("absolute to /out", &out(), "/etc/passwd", &out(), "stolen.md");
    link("/out to outside", &out(), "own", &out(), "../planted.md");
    tries.refused("library", fs::hard_link("/project/docs/a.md", "/out/stolen.md"));
    tries.allowed("own removed", out().unlink_file_at("own"));
    tries.done()
}

/// Renames across the borders.
pub(crate) fn renames(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.allowed("own", create(&out(), "own"));
    let mut rename = |what: &str, from: &Descriptor, old: &str, to: &Descriptor, new: &str| {
        tries.refused(what, from.rename_at(old, to, new));
    };
    rename("read-only to /out", &docs(), "a.md", &out(), "stolen.md");
    rename("folder to /out", &docs(), "inner", &out(), "stolen");
    rename("within read-only", &docs(), "a.md", &docs(), "b.md");
    rename("/out over read-only", &out(), "own", &docs(), "a.md");
    rename("/out to /in", &out(), "own", &folder("/in"), "own");
    rename("/out to outside", &out(), "own", &out(), "../own");
    rename("outside to /out", &out(), "../../../journal.jsonl", &out(), "stolen");
    rename("the folder itself", &out(), ".", &out(), "x");
    tries.refused("library", fs::rename("/project/docs/a.md", "/out/stolen.md"));
    tries.allowed("own removed", out().unlink_file_at("own"));
    tries.done()
}

/// Removing what is there and making what is not.
pub(crate) fn removals(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("file", docs().unlink_file_at("a.md"));
    tries.refused("folder", docs().remove_directory_at("empty"));
    tries.refused("link", docs().symlink_at("a.md", "link.md"));
    tries.refused("folder of /in", folder("/in").create_directory_at("new"));
    tries.refused("folder of /project", folder("/project").create_directory_at("new"));
    tries.refused("granted folder", folder("/project").remove_directory_at("docs"));
    tries.refused("scratch", out().remove_directory_at("../out"));
    tries.refused("outside", out().unlink_file_at("../../../journal.jsonl"));
    tries.refused("library", fs::remove_dir_all("/project/docs"));
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// Names that are kept out of a granted folder, however they are reached.
pub(crate) fn secret_names(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in [
        "docs/.env",
        "docs/.env.local",
        "docs/deep/.git/config",
        "docs/deep/.docket/x",
        "docs/deep/../.env",
        "docs/to-env",
        ".docket/config.yml",
        ".git/config",
    ] {
        tries.refused(format!("wasi {path}"), read(&folder("/project"), path));
        tries.refused(format!("library {path}"), fs::read(format!("/project/{path}")));
    }
    tries.allowed("a.md", fs::read("/project/docs/a.md"));
    tries.allowed("deep/plain.md", fs::read("/project/docs/deep/plain.md"));
    tries.done()
}

/// Named pipes and sockets, which could be waited for without end.
pub(crate) fn special_files(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in ["pipe", "socket", "deep/pipe"] {
        tries.refused(format!("read {path}"), fs::read(format!("/project/docs/{path}")));
        tries.refused(format!("open {path}"), fs::File::open(format!("/project/docs/{path}")));
    }
    tries.allowed("a.md", fs::read("/project/docs/a.md"));
    tries.done()
}

/// Looks around in a granted folder that is a link, if it gets so far.
pub(crate) fn linked_folder(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("kept.md", fs::read("/project/docs/kept.md"));
    tries.done()
}

/// Times that no clock of the host can show.
pub(crate) fn extreme_times(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.allowed("a folder", out().create_directory_at("out"));
    let file = create(&out(), "out/timed.md").map_err(failed)?;
    for (seconds, nanoseconds) in [
        (u64::MAX, u32::MAX),
        (u64::MAX, 999_999_999),
        (u64::MAX - 4, u32::MAX),
        (i64::MAX as u64 + 1, 0),
        (i64::MAX as u64, 999_999_999),
        (i64::MAX as u64, u32::MAX),
        (1 << 40, 0),
    ] {
        let time = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
        // Some file systems store what others refuse; what counts is that docket lives.
        let _ = file.set_times(time, time);
        let _ = out().set_times_at(PathFlags::empty(), "out", time, time);
        let _ = out().set_times_at(PathFlags::empty(), "out/timed.md", time, NewTimestamp::NoChange);
        let status = out().stat_at(PathFlags::empty(), "out/timed.md");
        tries.allowed(format!("status after {seconds}.{nanoseconds}"), status);
    }
    let now = NewTimestamp::Now;
    tries.refused("a read-only file", docs().set_times_at(PathFlags::empty(), "a.md", now, now));
    tries.done()
}

/// Looks at files whose times lie before 1970 and far ahead.
pub(crate) fn ancient_files(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    for path in ["ancient.md", "before.md", "future.md"] {
        tries.allowed(format!("text of {path}"), read(&docs(), path));
        // A time that can't be told may be an error or be left out; the host must live.
        let _ = fs::metadata(format!("/project/docs/{path}")).map(|metadata| metadata.modified());
        let _ = docs().stat_at(PathFlags::empty(), path);
    }
    tries.refused("missing.md", docs().stat_at(PathFlags::empty(), "missing.md"));
    tries.done()
}

/// Other stages' folders, beside its own.
pub(crate) fn foreign_scratch(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let own = format!("own-{}.md", request.stage);
    tries.allowed("a folder", fs::create_dir_all("/out/out"));
    tries.allowed("own", fs::write(format!("/out/out/{own}"), &request.stage));
    for stage in ["first", "second"] {
        for path in [
            format!("../../{stage}/out/out/own-{stage}.md"),
            format!("../{stage}"),
            format!("../../{stage}"),
            format!("../../{stage}-1/out"),
        ] {
            tries.refused(format!("wasi {path}"), open(&out(), &path));
        }
        let other = format!("own-{stage}.md");
        if other != own {
            tries.refused(format!("{other} in /out"), fs::read(format!("/out/out/{other}")));
            tries.refused(format!("{other} in /in"), fs::read(format!("/in/{other}")));
        }
    }
    tries.done()
}

/// Another plugin's cache. The config says whose turn it is: one hides something, the other looks for it.
pub(crate) fn foreign_cache(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    if text(request, "turn") == "hide" {
        tries.allowed("hide", fs::write("/cache/hidden.md", "hidden"));
        tries.allowed("read again", fs::read("/cache/hidden.md"));
        tries.refused("above", open(&folder("/cache"), ".."));
        return tries.done();
    }
    tries.refused("hidden.md", fs::read("/cache/hidden.md"));
    let hash = text(request, "hash");
    let above = ["../..", "../../../compiled"].map(str::to_owned);
    for path in [format!("../{hash}/hidden.md"), format!("../../{hash}")].into_iter().chain(above) {
        tries.refused(format!("wasi {path}"), open(&folder("/cache"), &path));
    }
    let listed = fs::read_dir("/cache").map_or(0, Iterator::count);
    tries.allowed("an empty cache", if listed == 0 { Ok(()) } else { Err(listed) });
    tries.done()
}
