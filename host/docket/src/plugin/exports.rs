//! What a component exports, for those who look at one. None of its code is run.

use wasmparser::{Parser, Payload};

/// The names that a component exports to the outside, in its own order. What can't be read of it is left out: whether it
/// is a plugin at all is for [`super::manifest::inspect`] to say.
pub fn exports(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(section) if depth == 0 => {
                names.extend(section.into_iter().flatten().map(|export| export.name.name.to_owned()));
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::exports;

    #[test]
    fn a_built_in_component_exports_its_stage() {
        let component = crate::embedded::COMPONENTS.first().expect("there are some");
        assert!(exports(component).iter().any(|name| name.starts_with("docket:stage/stage@")));
        assert!(exports(b"no component").is_empty());
    }
}
