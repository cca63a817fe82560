//! Other names for models.

use std::ops::Deref;

use outcrop_server::Alias;
use serde_json::{Value, json};

use super::ModelName;
use crate::settings::kind::{Invalid, Kind, Raw, RawTable, Shape};
use crate::settings::layers::Origin;
use crate::settings::nearest::{nearest, unknown};

/// The keys of a table in the file.
const KEYS: [&str; 2] = ["name", "model"];

/// Aliases in the order in which they are tried. Empty text is none, so that a variable can undo what a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aliases(Vec<Placed>);

/// An alias, with its place where that is a table of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) alias: Alias,
    pub(crate) origin: Option<Origin>,
}

impl Deref for Aliases {
    type Target = [Placed];

    fn deref(&self) -> &[Placed] {
        &self.0
    }
}

impl Kind for Aliases {
    const EXPECTED: &'static str = "a list of aliases such as `gpt-4o*=us.amazon.nova-pro-v1:0`";
    const PLACEHOLDER: &'static str = "NAME=MODEL,…";
    const SHAPE: Shape = Shape::List;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let aliases: Result<_, _> = text.split(',').map(|text| of_pair(text.trim())).collect();
        Ok(Self(aliases?))
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        let Raw::List(items) = value else {
            return Err(Invalid::kind());
        };
        let mut aliases = Vec::new();
        let mut wrong = Vec::new();
        for item in items {
            match item {
                Raw::Text(text) => aliases.push(of_pair(text)?),
                Raw::Table(table) => aliases.extend(of_table(table, &mut wrong)),
                other => return Err(Invalid::because(format!("{other} is neither a table nor a string"))),
            }
        }
        if wrong.is_empty() {
            Ok(Self(aliases))
        } else {
            Err(Invalid::within(wrong))
        }
    }

    fn show(&self) -> Option<Value> {
        let pair = |Placed { alias, .. }: &Placed| json!(format!("{}={}", alias.name, alias.model));
        Some(self.iter().map(pair).collect())
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "oneOf": [
            { "type": "string", "pattern": "^[^=]+=.+$" },
            {
                "type": "object",
                "properties": {
                    "name": {
                        "type": "string",
                        "minLength": 1,
                        "description": "The names that mean the model, with * for any text.",
                    },
                    "model": {
                        "type": "string",
                        "minLength": 1,
                        "description": "The model, by any name that is no alias itself.",
                    },
                },
                "required": KEYS,
                "additionalProperties": false,
            },
        ] } })
    }
}

/// `NAME=MODEL`.
fn of_pair(text: &str) -> Result<Placed, Invalid> {
    let because = |why: &str| Invalid::because(format!("{text:?}: {why}"));
    let (name, model) = text.split_once('=').ok_or_else(|| because("there is no `=`"))?;
    let alias = alias(name.trim(), model.trim()).map_err(|(_, why)| because(&why))?;
    Ok(Placed { alias, origin: None })
}

/// A table `[[aliases]]`. `None` only if something was noted as wrong.
fn of_table(table: &RawTable, wrong: &mut Vec<(Origin, String)>) -> Option<Placed> {
    let count = wrong.len();
    for (key, origin, _) in &table.members {
        if !KEYS.contains(&key.as_str()) {
            let known = KEYS.iter().map(|key| (*key).to_owned());
            wrong.push((
                origin.clone(),
                format!(": {}", unknown("key", key, nearest(key, known))),
            ));
        }
    }
    let [name, model] = KEYS.map(|key| {
        let member = table.members.iter().find(|(member, ..)| member == key);
        match member {
            Some((_, _, Raw::Text(text))) => return Some(text),
            Some((_, origin, raw)) => wrong.push((origin.clone(), format!(".{key}: expected text, found {raw}"))),
            None => wrong.push((table.origin.clone(), format!(": an alias needs a `{key}`"))),
        }
        None
    });
    match alias(name?, model?) {
        Ok(alias) if wrong.len() == count => Some(Placed {
            alias,
            origin: Some(table.origin.clone()),
        }),
        Ok(_) => None,
        Err((key, why)) => {
            let member = table.members.iter().find(|(member, ..)| member == key);
            let origin = member.map_or(&table.origin, |(_, origin, _)| origin);
            wrong.push((origin.clone(), format!(".{key}: {why}")));
            None
        }
    }
}

/// An alias, or which of its keys is wrong, and why.
fn alias(name: &str, model: &str) -> Result<Alias, (&'static str, String)> {
    let [name_key, model_key] = KEYS;
    // In a variable and on the command line they stand between the names.
    if name.contains([',', '=']) {
        return Err((name_key, "a name has no `,` or `=`".to_owned()));
    }
    if model.contains(',') {
        return Err((model_key, "a model's name has no `,`".to_owned()));
    }
    let name = name.parse().map_err(|why| (name_key, why))?;
    let model = ModelName::from_text(model).map_err(|_| (model_key, format!("expected {}", ModelName::EXPECTED)))?;
    Ok(Alias {
        name,
        model: model.as_str().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_separated_by_commas() {
        let aliases = Aliases::from_text("gpt-4o*=us.amazon.nova-pro-v1:0, a = b").unwrap();
        assert_eq!(
            aliases.show().unwrap(),
            json!(["gpt-4o*=us.amazon.nova-pro-v1:0", "a=b"])
        );
        assert!(Aliases::from_text("").unwrap().is_empty());
        for bad in ["a", "=b", "a=", "a=b,", ",", "a=b,c"] {
            assert!(Aliases::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let aliases = Aliases::from_text("a=arn:aws:bedrock:eu-west-1::foundation-model/x.y,b=c").unwrap();
        let shown = aliases.show().unwrap();
        let texts = shown.as_array().unwrap().iter();
        let raw = Raw::List(texts.map(|text| Raw::Text(text.as_str().unwrap().to_owned())).collect());
        assert_eq!(Aliases::from_file(&raw).unwrap(), aliases);
    }
}
