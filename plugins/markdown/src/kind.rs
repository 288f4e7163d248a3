//! What kind of document a file is: by its name, then its title, then its folder.

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A proposal.
    Rfc,
    /// A decision.
    Adr,
    /// Product requirements.
    Prd,
    /// A specification.
    Spec,
    /// A description of the architecture.
    Architecture,
    /// Research.
    Research,
    /// A guide or runbook.
    Guide,
    /// Anything else.
    Document,
}

impl Kind {
    /// The name used in a context package.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Adr => "adr",
            Self::Prd => "prd",
            Self::Spec => "spec",
            Self::Architecture => "architecture",
            Self::Research => "research",
            Self::Guide => "guide",
            Self::Document => "document",
        }
    }

    /// Says what kind of document lies at `path` and has this title.
    pub fn of(path: &str, title: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let stem = name.split('.').next().unwrap_or_default();
        if is_template(&path) {
            return Self::Document;
        }
        if name.ends_with(".spec.md") {
            return Self::Spec;
        }
        if let Some(kind) = by_prefix(stem).or_else(|| by_prefix(title)) {
            return kind;
        }
        if stem.split(['-', '_']).any(|word| word == "architecture") {
            return Self::Architecture;
        }
        // A folder's readme tells about the folder, and is none of the things in it.
        if matches!(stem, "readme" | "index" | "changelog" | "contributing" | "license") {
            return Self::Document;
        }
        folder.rsplit('/').find_map(by_folder).unwrap_or(Self::Document)
    }
}

/// Whether a file is a form to be filled in, not a document: its words are those of every document made from it.
pub fn is_template(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let stem = name.split('.').next().unwrap_or_default();
    stem == "template"
        || stem.ends_with("-template")
        || stem.ends_with("_template")
        || stem.starts_with("template-")
        || folder.split('/').any(|name| matches!(name, "templates" | "template"))
}

/// By the first word. The short names are only kinds before a number or a colon: `rfc-review-notes` is no RFC.
fn by_prefix(text: &str) -> Option<Kind> {
    let end = text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let is_numbered =
        rest.trim_start_matches(['-', '_', ' ', '#']).starts_with(|next: char| next.is_ascii_digit());
    let is_label = is_numbered || rest.starts_with(':');
    Some(match word.to_ascii_lowercase().as_str() {
        "rfc" | "rfd" | "proposal" | "eip" | "pep" if is_label => Kind::Rfc,
        "adr" if is_label => Kind::Adr,
        "prd" if is_label => Kind::Prd,
        "spec" | "specification" => Kind::Spec,
        "architecture" => Kind::Architecture,
        "research" => Kind::Research,
        "guide" | "runbook" => Kind::Guide,
        _ => return None,
    })
}

fn by_folder(name: &str) -> Option<Kind> {
    Some(match name {
        "rfc" | "rfcs" | "proposal" | "proposals" | "rfds" => Kind::Rfc,
        "adr" | "adrs" | "decisions" | "decision-records" => Kind::Adr,
        "prd" | "prds" => Kind::Prd,
        "spec" | "specs" | "specifications" => Kind::Spec,
        "architecture" => Kind::Architecture,
        "research" | "_research" | "investigations" => Kind::Research,
        "guide" | "guides" | "runbook" | "runbooks" | "how-to" | "howto" | "tutorials" => Kind::Guide,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_comes_before_title_and_folder() {
        assert_eq!(Kind::of("docs/rfc-0001-x.md", "X"), Kind::Rfc);
        assert_eq!(Kind::of("docs/architecture/overview.md", "Overview"), Kind::Architecture);
        assert_eq!(Kind::of("docs/decisions/0003-x.md", "X"), Kind::Adr);
        assert_eq!(Kind::of("docs/ARCHITECTURE.md", "System"), Kind::Architecture);
        assert_eq!(Kind::of("docs/notes.md", "RFC 12: Y"), Kind::Rfc);
        assert_eq!(Kind::of("docs/research/rfc-review-notes.md", "RFC Review"), Kind::Research);
        assert_eq!(Kind::of("docs/adr/README.md", "Decisions"), Kind::Document);
        assert_eq!(Kind::of("templates/adr-template.md", "ADR-NNNN"), Kind::Document);
        assert_eq!(Kind::of("x/login.spec.md", "Login"), Kind::Spec);
    }
}
