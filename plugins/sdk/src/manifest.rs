//! The manifest of a plugin that has no manifest file, written at compile time from the plugin's `Cargo.toml`.
//!
//! Only [`crate::plugin!`] uses it. Must not need anything at run time: docket reads manifests without running a
//! plugin, so the text has to stand in the component as it was linked.

/// What a manifest is made of.
#[doc(hidden)]
pub struct Manifest<'a> {
    /// The package's name: the plugin's and its stage type's.
    pub name: &'a str,
    /// The package's version.
    pub version: &'a str,
    /// The package's description.
    pub description: &'a str,
    /// What it asks to read.
    pub read: &'a [&'a str],
    /// What it asks to propose.
    pub write: &'a [&'a str],
}

/// Bytes of the manifest's JSON.
#[doc(hidden)]
pub const fn length(manifest: &Manifest<'_>) -> usize {
    written::<0>(manifest).1
}

/// The manifest's JSON. `LENGTH` is what [`length`] says.
#[doc(hidden)]
pub const fn text<const LENGTH: usize>(manifest: &Manifest<'_>) -> [u8; LENGTH] {
    written::<LENGTH>(manifest).0
}

/// The JSON as far as it fits, and how long it is.
const fn written<const ROOM: usize>(manifest: &Manifest<'_>) -> ([u8; ROOM], usize) {
    Writer { bytes: [0; ROOM], length: 0 }
        .plain("{\"contract\":\"0.1.0\",\"name\":")
        .string(manifest.name)
        .plain(",\"version\":")
        .string(manifest.version)
        .plain(",\"description\":")
        .string(manifest.description)
        .plain(",\"stages\":[{\"type\":")
        .string(manifest.name)
        .plain(",\"description\":")
        .string(manifest.description)
        .plain(",\"config\":{\"type\":\"object\"},\"result\":{\"type\":\"object\"}}],\"capabilities\":{\"read\":")
        .list(manifest.read)
        .plain(",\"write\":")
        .list(manifest.write)
        .plain("}}")
        .done()
}

/// Writes JSON into an array, and counts what does not fit.
struct Writer<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> Writer<ROOM> {
    const fn done(self) -> ([u8; ROOM], usize) {
        (self.bytes, self.length)
    }

    const fn byte(mut self, byte: u8) -> Self {
        if self.length < ROOM {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
        self
    }

    /// Text as it is.
    const fn plain(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            self = self.byte(bytes[index]);
            index += 1;
        }
        self
    }

    /// Text as a JSON string. What is beyond ASCII stays UTF-8, as JSON allows.
    const fn string(mut self, text: &str) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bytes = text.as_bytes();
        let mut index = 0;
        self = self.byte(b'"');
        while index < bytes.len() {
            let byte = bytes[index];
            self = match byte {
                b'"' | b'\\' => self.byte(b'\\').byte(byte),
                0..0x20 | 0x7f => {
                    self.plain("\\u00").byte(HEX[(byte >> 4) as usize]).byte(HEX[(byte & 0x0f) as usize])
                }
                _ => self.byte(byte),
            };
            index += 1;
        }
        self.byte(b'"')
    }

    /// Texts as a JSON array.
    const fn list(mut self, texts: &[&str]) -> Self {
        let mut index = 0;
        self = self.byte(b'[');
        while index < texts.len() {
            if index > 0 {
                self = self.byte(b',');
            }
            self = self.string(texts[index]);
            index += 1;
        }
        self.byte(b']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: Manifest<'_> = Manifest {
        name: "word-count",
        version: "1.2.3-alpha+5",
        description: "Counts \"words\" in C:\\docs\n\ttabs\u{1}, \u{7f}, ünïcode and 🦀",
        read: &["docs", "a \"b\""],
        write: &[],
    };

    fn parsed<const LENGTH: usize>(manifest: &Manifest<'_>) -> serde_json::Value {
        serde_json::from_slice(&text::<LENGTH>(manifest)).expect("JSON")
    }

    #[test]
    fn any_text_comes_out_as_it_went_in() {
        let value = parsed::<{ length(&AWKWARD) }>(&AWKWARD);
        assert_eq!(value["name"], "word-count");
        assert_eq!(value["version"], AWKWARD.version);
        assert_eq!(value["description"], AWKWARD.description);
        assert_eq!(value["stages"][0]["type"], "word-count");
        assert_eq!(value["stages"][0]["description"], AWKWARD.description);
        assert_eq!(value["capabilities"], serde_json::json!({ "read": ["docs", "a \"b\""], "write": [] }));
    }

    #[test]
    fn nothing_is_asked_for_unless_it_is_said() {
        const PLAIN: Manifest<'_> =
            Manifest { name: "a", version: "1.0.0", description: "", read: &[], write: &[] };
        let value = parsed::<{ length(&PLAIN) }>(&PLAIN);
        assert_eq!(value["capabilities"], serde_json::json!({ "read": [], "write": [] }));
        assert_eq!(value["stages"][0]["config"], serde_json::json!({ "type": "object" }));
    }
}
