//! Configs: JSON values whose texts are templates. Must not know what a stage does with them.

use serde_json::{Map, Value};

use super::{Config, ExpressionError, Scope, Template};

impl Config {
    /// The value with every expression replaced.
    ///
    /// # Errors
    /// When one of them can't be evaluated.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => template.render(scope)?,
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| Ok((name.clone(), value.render(scope)?)));
                Value::Object(fields.collect::<Result<Map<_, _>, ExpressionError>>()?)
            }
        })
    }

    /// The value with expressions as they are written: what a plugin's `check` gets.
    pub fn source(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => Value::from(template.source()),
            Self::List(items) => Value::Array(items.iter().map(Self::source).collect()),
            Self::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), value.source())).collect())
            }
        }
    }

    /// The value, when there is no expression in it.
    pub(super) fn literal(&self) -> Option<Value> {
        match self {
            Self::Plain(value) => Some(value.clone()),
            Self::Text(template) => template.literal().map(Value::from),
            Self::List(items) => items.iter().map(Self::literal).collect::<Option<_>>().map(Value::Array),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| Some((name.clone(), value.literal()?)));
                fields.collect::<Option<_>>().map(Value::Object)
            }
        }
    }

    /// A field of an object.
    pub fn field(&self, name: &str) -> Option<&Config> {
        match self {
            Self::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn as_template(&self) -> Option<&Template> {
        match self {
            Self::Text(template) => Some(template),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::definition::RunFacts;

    #[test]
    fn expressions_are_replaced_and_the_order_is_kept() {
        let text = |text: &str| Config::Text(Template::parse(text).expect("a template"));
        let config = Config::Object(vec![
            ("z".to_owned(), Config::List(vec![text("on {date}"), text("${{ 1 + 1 }}")])),
            ("a".to_owned(), Config::Plain(json!(true))),
        ]);
        let scope = Scope {
            inputs: &BTreeMap::new(),
            input_specs: &[],
            facts: RunFacts { date: "2026-01-02".into(), ..RunFacts::default() },
            stages: &BTreeMap::new(),
            matrix: None,
            last_agent_result: None,
        };
        let rendered = config.render(&scope).expect("a value").to_string();
        assert_eq!(rendered, r#"{"z":["on 2026-01-02",2],"a":true}"#);
        assert_eq!(config.source(), json!({"z": ["on {date}", "${{ 1 + 1 }}"], "a": true}));
        assert_eq!(config.literal(), None);
        assert_eq!(config.field("a").and_then(Config::literal), Some(json!(true)));
        assert!(config.field("z").and_then(Config::as_template).is_none());
    }
}
