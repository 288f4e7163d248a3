//! What is to go wrong, as text: items separated by commas, each `<fault>:<point>:<n>` for the n-th time that a process
//! reaches the point, `<fault>:<point>` for every time, or `log:<file>`. Of the processes that share a log, one has a
//! fault with a number. The point `any` is whichever is reached. For instance
//! `kill-after:journal.sync:3,enospc:file.write:2,log:/tmp/faults`.

use std::path::PathBuf;

use super::Point;

/// The operating system's numbers for "no space left" and "input/output error" (errno(3)).
const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// The point that is whichever is reached.
const ANY: &str = "any";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process is killed before the operation.
    KillBefore,
    /// The process is killed after it.
    KillAfter,
    /// Half of the bytes are written, then the process is killed.
    Torn,
    /// The operation fails with this number; a write for want of space after half of the bytes.
    Fails(i32),
    /// The operation is said to have been done and is not.
    Skip,
    /// A write reaches the file only with the next one to the same file, or when the process ends in good order.
    Late,
}

/// A fault at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) fault: Fault,
    /// Where; anywhere when there is none.
    pub(super) point: Option<Point>,
    /// The how many-th time, from 1; every time when there is none.
    pub(super) time: Option<u32>,
}

/// A whole specification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Specification {
    pub(super) items: Vec<Item>,
    /// Where to note every point that is reached.
    pub(super) log: Option<PathBuf>,
}

impl Fault {
    /// Its name in specifications and logs.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
            Self::Torn => "torn",
            Self::Fails(ENOSPC) => "enospc",
            Self::Fails(_) => "eio",
            Self::Skip => "skip",
            Self::Late => "late",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::KillBefore,
            Self::KillAfter,
            Self::Torn,
            Self::Fails(ENOSPC),
            Self::Fails(EIO),
            Self::Skip,
            Self::Late,
        ];
        all.into_iter().find(|fault| fault.name() == name)
    }
}

impl Specification {
    /// Reads a specification.
    ///
    /// # Errors
    /// The item that is none, and what it could be.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut specification = Self::default();
        for item in text.split(',').filter(|item| !item.is_empty()) {
            match item.split_once(':') {
                Some(("log", path)) => specification.log = Some(path.into()),
                _ => specification.items.push(Item::parse(item)?),
            }
        }
        Ok(specification)
    }
}

impl Item {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let (fault, point, time) = (parts.next(), parts.next(), parts.next());
        let fault = fault.and_then(Fault::parse).ok_or_else(|| {
            format!(
                "'{text}' begins with none of kill-before, kill-after, torn, enospc, eio, skip, late, log"
            )
        })?;
        let find = |name: &str| match name {
            ANY => Some(None),
            name => Point::ALL.iter().find(|point| point.name() == name).copied().map(Some),
        };
        let point = point.and_then(find).ok_or_else(|| {
            let names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
            format!("'{text}' names no fault point; there are {}", names.join(", "))
        })?;
        let time = time.map(|time| time.parse().ok().filter(|time| *time > 0));
        match (time, parts.next()) {
            (None, None) => Ok(Self { fault, point, time: None }),
            (Some(Some(time)), None) => Ok(Self { fault, point, time: Some(time) }),
            _ => Err(format!("'{text}' must end with a number from 1, or with the point")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_is_read_item_by_item() {
        let read = Specification::parse(
            "kill-after:journal.sync:3,enospc:file.write,kill-before:any:7,log:/tmp/a:b",
        )
        .expect("read");
        let items = [
            Item { fault: Fault::KillAfter, point: Some(Point::JournalSync), time: Some(3) },
            Item { fault: Fault::Fails(ENOSPC), point: Some(Point::FileWrite), time: None },
            Item { fault: Fault::KillBefore, point: None, time: Some(7) },
        ];
        assert_eq!(read, Specification { items: items.to_vec(), log: Some("/tmp/a:b".into()) });
        assert_eq!(Specification::parse(""), Ok(Specification::default()));
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for (text, words) in [
            ("explode:journal.sync:1", "'explode:journal.sync:1' begins with none of kill-before"),
            ("torn:journal.snyc", "names no fault point; there are run.create"),
            ("torn", "names no fault point"),
            ("torn:journal.write:0", "must end with a number from 1"),
            ("torn:journal.write:1:2", "must end with a number from 1"),
        ] {
            let error = Specification::parse(text).expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn every_point_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
