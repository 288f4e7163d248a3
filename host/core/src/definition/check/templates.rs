//! Prompt templates: every one that a run could ask for exists and can be read.

use super::stage_names::{MAX_COMBINATIONS, expand, stage_pattern};
use super::{Checker, Node};
use crate::definition::prompt::check_prompt;
use crate::definition::{Template, suggest};

impl Checker<'_> {
    /// Looks up every template that a `prompt_template` can come to.
    pub(super) fn prompt_templates(&mut self, template: &Template, node: &Node, config: &Node) {
        let names =
            stage_pattern(template, &self.raw.inputs).ok().and_then(|name| expand(&name, &self.raw.inputs));
        let Some(names) = names else {
            let hint = format!(
                "name it with inputs of type enum only, of at most {MAX_COMBINATIONS} combinations, so that every \
                 template can be checked before a run"
            );
            let message =
                format!("which prompt template '{}' means can't be known before a run", template.source());
            self.fault_at(node.location, message, Some(hint));
            return;
        };
        let has_context = config.entry("context_from").is_some();
        for name in names {
            if !self.templates.contains_key(&name) {
                let Some(text) = self.surroundings.template(&name) else {
                    let known = self.surroundings.template_names();
                    let hint = suggest::hint(&name, known.iter().map(String::as_str));
                    self.fault_at(node.location, format!("there is no prompt template '{name}'"), hint);
                    continue;
                };
                self.templates.insert(name.clone(), text);
            }
            let inputs: Vec<&str> = self.raw.inputs.iter().map(|input| input.name.as_str()).collect();
            for error in check_prompt(&name, &self.templates[&name], &inputs, has_context) {
                self.expression_fault(node.location, error);
            }
        }
    }
}
