//! Which file of a project a link means. Pure: what exists is asked through a function.

/// What a link's target turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// An address outside the project, such as `https://…` or `mailto:…`.
    External,
    /// A place in the document itself: the fragment without `#`.
    Anchor(String),
    /// A file or folder of the project.
    Found {
        /// Project path with `/`.
        path: String,
        /// The fragment without `#`.
        fragment: Option<String>,
        /// Whether it was found by the tail of another machine's absolute path.
        foreign: bool,
    },
    /// A path of the project that does not exist.
    Missing {
        /// The project path that was looked for.
        path: String,
    },
    /// It leads out of the project.
    Outside,
}

/// Finds what `target`, as written in the document at project path `document`, means. `exists` tells of a project
/// path (no leading `/`) whether it is there.
///
/// Tried in turn: the path itself, with `.md` added, and a folder's readme or index. An absolute path is taken from
/// the project's root, then as another machine's path whose tail, of at least two names, exists here.
pub fn resolve(document: &str, target: &str, exists: impl Fn(&str) -> bool) -> Resolution {
    let target = target.trim();
    let (address, fragment) = match target.split_once('#') {
        Some((address, fragment)) => (address, Some(percent_decode(fragment))),
        None => (target, None),
    };
    let address = address.split('?').next().unwrap_or_default();
    if address.is_empty() {
        return fragment.map_or(Resolution::Outside, Resolution::Anchor);
    }
    let local = address.strip_prefix("file://").unwrap_or(address);
    let drive = local.trim_start_matches('/');
    let has_drive = drive.len() > 2
        && drive.as_bytes()[0].is_ascii_alphabetic()
        && drive.as_bytes()[1] == b':'
        && matches!(drive.as_bytes()[2], b'\\' | b'/');
    if !has_drive && has_scheme(local) || local.starts_with("//") {
        return Resolution::External;
    }
    let decoded = percent_decode(local);
    let path = if has_drive { decoded.trim_start_matches('/')[2..].replace('\\', "/") } else { decoded };
    let found = |path: String, foreign| Resolution::Found { path, fragment: fragment.clone(), foreign };
    if let Some(absolute) = path.strip_prefix('/') {
        let Some(absolute) = join("", absolute) else { return Resolution::Outside };
        if let Some(path) = existing(&absolute, &exists) {
            return found(path, false);
        }
        return match tail(&absolute, &exists) {
            Some(path) => found(path, true),
            None => Resolution::Missing { path: absolute },
        };
    }
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    match join(folder, &path) {
        None => Resolution::Outside,
        Some(path) => match existing(&path, &exists) {
            Some(path) => found(path, false),
            None => Resolution::Missing { path },
        },
    }
}

/// Joins a relative path to a folder, both with `/`, and removes `.` and `..`. `None` when it leads out.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => _ = names.pop()?,
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

fn existing(path: &str, exists: &impl Fn(&str) -> bool) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let candidates = ["{}/README.md", "{}/readme.md", "{}/index.md", "{}", "{}.md"];
    candidates.iter().map(|form| form.replace("{}", path)).find(|candidate| exists(candidate))
}

/// The longest tail of at least two names that exists.
fn tail(absolute: &str, exists: &impl Fn(&str) -> bool) -> Option<String> {
    let mut rest = absolute;
    while let Some((_, tail)) = rest.split_once('/') {
        rest = tail;
        if rest.contains('/') && exists(rest) {
            return Some(rest.to_owned());
        }
    }
    None
}

fn has_scheme(address: &str) -> bool {
    address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|character: char| character.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.'))
    })
}

fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.filter(|_| bytes[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 5] = [
        "docs/adr/adr-0003-x.md",
        "docs/rfcs/rfc-1.md",
        "docs/guides/README.md",
        "docs/with space.md",
        "README.md",
    ];

    fn path(target: &str) -> Option<(String, bool)> {
        match resolve("docs/rfcs/rfc-1.md", target, |path| FILES.contains(&path)) {
            Resolution::Found { path, foreign, .. } => Some((path, foreign)),
            _ => None,
        }
    }

    #[test]
    fn links_lead_to_files() {
        let here = |path: &str| Some((path.to_owned(), false));
        assert_eq!(path("../adr/adr-0003-x.md"), here("docs/adr/adr-0003-x.md"));
        assert_eq!(path("../adr/adr-0003-x"), here("docs/adr/adr-0003-x.md"));
        assert_eq!(path("/docs/adr/adr-0003-x.md#context"), here("docs/adr/adr-0003-x.md"));
        assert_eq!(path("../guides/"), here("docs/guides/README.md"));
        assert_eq!(path("../with%20space.md"), here("docs/with space.md"));
        assert_eq!(path("../../README.md"), here("README.md"));
    }

    #[test]
    fn another_machines_path_is_found_by_its_tail() {
        let there = Some(("docs/adr/adr-0003-x.md".to_owned(), true));
        assert_eq!(path("/Users/a/project/docs/adr/adr-0003-x.md"), there);
        assert_eq!(path("file:///home/b/docs/adr/adr-0003-x.md"), there);
        assert_eq!(path("C:\\work\\docs\\adr\\adr-0003-x.md"), there);
        assert_eq!(path("/etc/README.md"), None, "one name is too little to go by");
    }

    #[test]
    fn the_rest_is_told_apart() {
        let kind = |target: &str| resolve("docs/a.md", target, |path| FILES.contains(&path));
        assert_eq!(kind("https://example.org/a.md"), Resolution::External);
        assert_eq!(kind("mailto:a@example.org"), Resolution::External);
        assert_eq!(kind("#goals"), Resolution::Anchor("goals".into()));
        assert_eq!(kind("../../../etc/passwd"), Resolution::Outside);
        assert_eq!(kind("b.md"), Resolution::Missing { path: "docs/b.md".into() });
        assert_eq!(kind(""), Resolution::Outside);
        assert_eq!(kind("%zz%"), Resolution::Missing { path: "docs/%zz%".into() });
    }
}
