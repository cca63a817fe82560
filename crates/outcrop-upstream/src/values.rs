//! Reading what references point to.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::account::Value;
use crate::aws::Aws;
use crate::aws_json::{JsonService, SECRETS_MANAGER, SSM};
use crate::config::Config;

/// The member of a secret that is meant where none is named, if there are several.
const USUAL_MEMBER: &str = "api_key";

/// A reference that leads to nothing. It tells which, and what is wrong, and never what was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reference}: {problem}")]
pub struct ValueError {
    reference: String,
    problem: String,
}

/// Reads what `value` points to, with the identity, the region and the endpoints that `config` and AWS's own
/// configuration give.
///
/// # Errors
/// When there is nothing to be read, or it can't be.
pub async fn read_value(config: &Config, value: &Value) -> Result<String, ValueError> {
    if let Some(read) = read_here(value) {
        return read;
    }
    let aws = Aws::new(config).map_err(|error| error_of(value, error))?;
    Reading::new(&aws).read(value).await
}

/// Reads several references. Secrets of which several members are meant are asked for once, so that what belongs
/// together is of one version.
pub(crate) struct Reading<'a> {
    aws: &'a Aws,
    secrets: Vec<(String, String)>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(aws: &'a Aws) -> Self {
        Self {
            aws,
            secrets: Vec::new(),
        }
    }

    /// Reads what `value` points to.
    pub(crate) async fn read(&mut self, value: &Value) -> Result<String, ValueError> {
        if let Some(read) = read_here(value) {
            return read;
        }
        let wrong = |problem: String| error_of(value, problem);
        let text = match value {
            Value::Secret { id, member } => {
                let known = self.secrets.iter().find(|(known, _)| known == id);
                let secret = match known {
                    Some((_, secret)) => secret.clone(),
                    None => {
                        let secret = self.secret(id).await.map_err(wrong)?;
                        self.secrets.push((id.clone(), secret.clone()));
                        secret
                    }
                };
                part(secret, member.as_deref()).map_err(wrong)?
            }
            Value::Parameter(name) => self.parameter(name).await.map_err(wrong)?,
            Value::Literal(_) | Value::Environment(_) | Value::File(_) => String::new(),
        };
        not_empty(text).map_err(wrong)
    }

    async fn secret(&self, id: &str) -> Result<String, String> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct GetSecretValue<'a> {
            secret_id: &'a str,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Secret {
            secret_string: Option<String>,
        }
        let input = GetSecretValue { secret_id: id };
        let secret: Secret = self.ask(SECRETS_MANAGER, "GetSecretValue", id, &input).await?;
        secret
            .secret_string
            .ok_or_else(|| "the secret is binary, where a text is needed".to_owned())
    }

    async fn parameter(&self, name: &str) -> Result<String, String> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct GetParameter<'a> {
            name: &'a str,
            with_decryption: bool,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            parameter: Parameter,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Parameter {
            value: String,
        }
        let input = GetParameter {
            name,
            with_decryption: true,
        };
        let answer: Answer = self.ask(SSM, "GetParameter", name, &input).await?;
        Ok(answer.parameter.value)
    }

    /// Asks in the region of the ARN, else in the client's own.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        service: JsonService,
        operation: &str,
        id: &str,
        input: &impl Serialize,
    ) -> Result<T, String> {
        let region = match region_of_arn(id) {
            Some(region) => region.to_owned(),
            None => self
                .aws
                .region()
                .await
                .ok_or_else(|| "no AWS region is configured to read it in".to_owned())?,
        };
        let own = &self.aws.own;
        let asked = self.aws.ask(service, operation, &region, own, input).await;
        asked.map_err(|error| format!("{operation} in {region} failed: {error}"))
    }
}

/// What needs nobody to be asked.
fn read_here(value: &Value) -> Option<Result<String, ValueError>> {
    let read = match value {
        Value::Literal(text) => return Some(Ok(text.clone())),
        Value::Environment(name) => match std::env::var(name) {
            Ok(text) => not_empty(text),
            Err(std::env::VarError::NotPresent) => Err("it is not set".to_owned()),
            Err(std::env::VarError::NotUnicode(_)) => Err("it is no text".to_owned()),
        },
        Value::File(path) => read_file(path),
        Value::Secret { .. } | Value::Parameter(_) => return None,
    };
    Some(read.map_err(|problem| error_of(value, problem)))
}

fn read_file(path: &Path) -> Result<String, String> {
    // A file of a few hundred bytes, on a disk of the machine's own: it isn't worth another thread.
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    not_empty(text)
}

/// Without the line break at its end, which editors add.
fn not_empty(text: String) -> Result<String, String> {
    let trimmed = text.trim_end_matches(['\r', '\n']);
    if trimmed.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(trimmed.to_owned())
}

/// The part of a secret that is meant.
fn part(secret: String, member: Option<&str>) -> Result<String, String> {
    let members: Option<Map<String, Json>> = serde_json::from_str(&secret).ok();
    let Some(mut members) = members else {
        return match member {
            None => Ok(secret),
            Some(member) => Err(format!("the secret is no JSON object, so it has no member '{member}'")),
        };
    };
    let named = |members: &Map<String, Json>| {
        let names: Vec<_> = members.keys().map(|name| format!("'{name}'")).collect();
        names.join(", ")
    };
    let chosen = match member {
        Some(member) => member.to_owned(),
        None if members.contains_key(USUAL_MEMBER) => USUAL_MEMBER.to_owned(),
        None => match members.keys().next() {
            Some(only) if members.len() == 1 => only.clone(),
            _ => {
                return Err(format!(
                    "the secret has several members, or none; name one behind a '#': {}",
                    named(&members)
                ));
            }
        },
    };
    match members.remove(&chosen) {
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(format!("the member '{chosen}' of the secret is no text")),
        None => Err(format!(
            "the secret has no member '{chosen}'; it has {}",
            named(&members)
        )),
    }
}

/// `arn:partition:service:region:…`
fn region_of_arn(id: &str) -> Option<&str> {
    let mut parts = id.split(':');
    let is_arn = parts.next() == Some("arn");
    parts.nth(2).filter(|region| is_arn && !region.is_empty())
}

fn error_of(value: &Value, problem: impl ToString) -> ValueError {
    ValueError {
        reference: match value {
            Value::Literal(_) => "a value".to_owned(),
            Value::Environment(name) => format!("the environment variable {name}"),
            Value::File(path) => format!("the file '{}'", path.display()),
            Value::Secret { id, .. } => format!("the secret '{id}'"),
            Value::Parameter(name) => format!("the parameter '{name}'"),
        },
        problem: problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_an_object_gives_a_member_of_it() {
        let text = |secret: &str, member| part(secret.to_owned(), member);
        assert_eq!(text("plain", None).unwrap(), "plain");
        assert_eq!(text(r#"{"a":"1","b":"2"}"#, Some("b")).unwrap(), "2");
        assert_eq!(text(r#"{"a":"1"}"#, None).unwrap(), "1");
        assert_eq!(text(r#"{"a":"1","api_key":"2"}"#, None).unwrap(), "2");
        for (secret, member, said) in [
            (r#"{"a":"hush","b":"hush"}"#, None, "'a', 'b'"),
            (r#"{"a":"hush"}"#, Some("b"), "no member 'b'; it has 'a'"),
            (r#"{"a":7}"#, None, "'a' of the secret is no text"),
            ("hush", Some("b"), "no JSON object"),
        ] {
            let problem = text(secret, member).unwrap_err();
            assert!(problem.contains(said) && !problem.contains("hush"), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_without_its_line_break() {
        let path = std::env::temp_dir().join(format!("outcrop-value-{}", std::process::id()));
        std::fs::write(&path, "hush\n").unwrap();
        let value = Value::File(path.clone());
        assert_eq!(read_value(&Config::default(), &value).await.unwrap(), "hush");
        std::fs::write(&path, "\n").unwrap();
        let empty = read_value(&Config::default(), &value).await.unwrap_err();
        assert!(empty.to_string().ends_with("it is empty"), "{empty}");
        std::fs::remove_file(&path).unwrap();
        let missing = read_value(&Config::default(), &value).await.unwrap_err();
        assert!(missing.to_string().contains(path.to_str().unwrap()), "{missing}");
        let unset = Value::Environment("OUTCROP_TEST_NOT_SET".to_owned());
        let unset = read_value(&Config::default(), &unset).await.unwrap_err();
        assert_eq!(
            unset.to_string(),
            "the environment variable OUTCROP_TEST_NOT_SET: it is not set"
        );
    }
}
