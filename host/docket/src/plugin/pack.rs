//! Putting a manifest into a component that another language's tools built, as the custom section that docket reads.
//! Changes nothing else in it, and knows nothing of files.

use super::manifest::SECTION;

/// The component with a manifest behind everything else: a section's id is 0 for custom ones, then come its length, the
/// length of its name, its name, and its content.
pub fn with_manifest(component: &[u8], manifest: &[u8]) -> Vec<u8> {
    let mut section = leb128(SECTION.len());
    section.extend(SECTION.as_bytes());
    section.extend(manifest);
    let mut packed = Vec::with_capacity(component.len() + section.len() + 16);
    packed.extend(component);
    packed.push(0);
    packed.extend(leb128(section.len()));
    packed.extend(section);
    packed
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_at_the_end() {
        let component = b"\0asm\x0d\0\x01\0";
        let manifest = "x".repeat(300);
        let packed = with_manifest(component, manifest.as_bytes());
        assert!(packed.starts_with(component) && packed.ends_with(manifest.as_bytes()));
        let sections = wasmparser::Parser::new(0).parse_all(&packed);
        let found = sections.filter_map(|payload| match payload.expect("well formed") {
            wasmparser::Payload::CustomSection(section) => {
                Some((section.name().to_owned(), section.data().len()))
            }
            _ => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), [(SECTION.to_owned(), 300)]);
    }
}
