//! What a definition may refer to that is not in its own text.

use serde_json::Value;

/// What a definition may refer to that is not in its own text. The host implements it over files and plugins;
/// tests over maps.
pub trait Surroundings {
    /// The stage types there are.
    fn stage_types(&self) -> Vec<StageType>;
    /// The names of the launchers there are.
    fn launchers(&self) -> Vec<String>;
    /// The text of the prompt template with this name, as the definition writes it.
    fn template(&self, name: &str) -> Option<String>;
    /// The names of the templates there are, for suggestions.
    fn template_names(&self) -> Vec<String>;
    /// The schema with this name. `Err` says why a file that is there can't be used.
    fn schema(&self, name: &str) -> Option<Result<Value, String>>;
    /// The names of the schemas there are, for suggestions.
    fn schema_names(&self) -> Vec<String>;
    /// The definition with this name, for stages that use it.
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        let _ = name;
        None
    }
    /// The names of the definitions there are, for suggestions.
    fn workflow_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// What the plugin that serves this stage type (for `agent`: as this launcher, if the definition names one) finds
    /// wrong with a config that fits its schema. Expressions in it are unevaluated text.
    fn config_faults(&self, stage_type: &str, launcher: Option<&str>, config: &Value) -> Vec<ConfigFault> {
        let _ = (stage_type, launcher, config);
        Vec::new()
    }
}

/// The definition of a workflow that a stage uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWorkflow {
    /// Where it came from: `built-in`, or its file's path.
    pub origin: String,
    /// Its text.
    pub text: String,
}

/// Something a plugin finds wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// JSON Pointer into the config; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// A stage type as its plugin's manifest describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageType {
    /// Name, as in a stage's `type`.
    pub name: String,
    /// JSON Schema of the config. Properties with `"x-docket": "output"` refer to an output of another stage.
    pub config: Value,
    /// JSON Schema of the result. Its top-level properties can be referred to as outputs.
    pub result: Value,
}
