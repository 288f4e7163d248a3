//! YAML that is no definition, such as `config.yml`: what is wrong with it, and where. Looks at places only when there
//! is a fault to tell, so that a text without one costs nothing. Must not know what the text is about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::schema_faults;
use super::fault::{Fault, Faults};
use super::node;

/// A text in YAML, and what it is called in faults: usually its path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocatedText {
    name: String,
    text: String,
}

impl LocatedText {
    /// A text that is called `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything in which it does not fit a JSON Schema, or the one reason why it is no YAML. The schema's own
    /// descriptions serve as hints.
    pub fn faults(&self, schema: &Value) -> Faults {
        let list = match (node::parse(&self.text), jsonschema::validator_for(schema)) {
            (Err(faults), _) => faults,
            (Ok(node), Ok(validator)) => {
                schema_faults(&validator, schema, &node.to_json(), &node, &BTreeSet::new())
            }
            (Ok(_), Err(_)) => Vec::new(),
        };
        Faults::new(&self.name, &self.text, list)
    }

    /// One fault, at the value that a JSON Pointer leads to, or at the last one on the way to it.
    pub fn fault(&self, pointer: &str, message: impl Into<String>, hint: Option<String>) -> Faults {
        let location = node::parse(&self.text).ok().map(|node| node.at(pointer).location);
        let fault = Fault { message: message.into(), location, hint };
        Faults::new(&self.name, &self.text, vec![fault])
    }

    /// The line, from 1, of the value that a JSON Pointer leads to.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        Some(node::parse(&self.text).ok()?.at(pointer).location.line)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "launcher": { "type": ["string", "null"] },
                "wait": { "description": "Seconds, or a number with a unit", "pattern": "^[0-9]+[smh]?$" },
                "size": { "description": "64 to 100", "type": "integer", "minimum": 64 },
            },
        })
    }

    #[test]
    fn every_fault_has_its_place_and_says_what_would_be_right() {
        let text = LocatedText::new("config.yml", "lanucher: a\nwait: soon\nsize: 3\n");
        let told = text.faults(&schema()).to_string();
        assert!(told.contains("config.yml:1:1: unknown key 'lanucher' in config"), "{told}");
        assert!(told.contains("did you mean 'launcher'?"), "{told}");
        assert!(told.contains("config.yml:2:7: 'wait' in config"), "{told}");
        assert!(told.contains("hint: Seconds, or a number with a unit"), "{told}");
        assert!(told.contains("config.yml:3:7: 'size' in config") && told.contains("64 to 100"), "{told}");
        assert!(LocatedText::new("c", "launcher: a\n").faults(&schema()).list.is_empty());
        let broken = LocatedText::new("config.yml", "launcher: [a\n").faults(&schema()).to_string();
        assert!(broken.starts_with("config.yml:") && broken.contains("not valid YAML"), "{broken}");
    }

    #[test]
    fn a_fault_is_told_at_the_value_it_is_about() {
        let text = LocatedText::new("config.yml", "profiles:\n  mine: { launcher: shel }\n");
        let told = text.fault("/profiles/mine/launcher", "there is no launcher 'shel'", None).to_string();
        assert!(told.starts_with("config.yml:2:21: there is no launcher 'shel'\n"), "{told}");
        assert_eq!(text.line("/profiles/mine/launcher"), Some(2));
        assert_eq!(LocatedText::default().fault("/x", "gone", None).list.len(), 1);
    }
}
