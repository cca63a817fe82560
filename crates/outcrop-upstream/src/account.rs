//! Identities besides the client's own.

use std::path::PathBuf;

/// An identity with its region and endpoints, which calls choose by its name. What is `None` is as it is for the client
/// itself. Where nothing says who it is (no key, profile, role, token), it is the client's own identity.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The region that calls go to which name none.
    pub region: Option<String>,
    /// Profile of the shared configuration files: its keys, role, identity centre (SSO) or process.
    pub profile: Option<String>,
    /// Access key id.
    pub access_key_id: Option<Value>,
    /// Secret access key.
    pub secret_access_key: Option<Value>,
    /// Session token.
    pub session_token: Option<Value>,
    /// A role to assume with what else is said, or with the client's own identity.
    pub role_arn: Option<Value>,
    /// The role's session name.
    pub role_session_name: Option<Value>,
    /// What a role of another company wants to be told.
    pub external_id: Option<Value>,
    /// Tags of the role's session.
    pub session_tags: Vec<(String, String)>,
    /// Another account, by its name, which assumes the role: roles can be chained.
    pub source_account: Option<String>,
    /// A web identity token, with which the role is assumed. A file is read again each time.
    pub web_identity_token: Option<Value>,
    /// A Bedrock API key; it is used instead of credentials.
    pub api_key: Option<Value>,
    /// Address of Bedrock Runtime: a VPC endpoint, a proxy.
    pub runtime_endpoint: Option<String>,
    /// Address of Bedrock's control plane.
    pub control_endpoint: Option<String>,
    /// Address of Bedrock's agent runtime.
    pub agent_runtime_endpoint: Option<String>,
    /// Address of STS.
    pub sts_endpoint: Option<String>,
    /// Whether to use endpoints with FIPS 140 cryptography.
    pub use_fips: Option<bool>,
    /// Whether to use endpoints that also answer on IPv6.
    pub use_dual_stack: Option<bool>,
}

/// A value, or where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// The value itself.
    Literal(String),
    /// A variable of the environment: `os.environ/NAME`, `${NAME}`.
    Environment(String),
    /// A file, without the line break at its end: `file:/run/secrets/key`.
    File(PathBuf),
    /// A secret of Secrets Manager, by name or ARN, and the member of it that is meant, where it is a JSON object:
    /// `secretsmanager:NAME`, `secretsmanager:NAME#MEMBER`, `arn:aws:secretsmanager:…`.
    Secret {
        /// Name or ARN.
        id: String,
        /// The member.
        member: Option<String>,
    },
    /// A parameter of Systems Manager's Parameter Store, by name or ARN: `ssm:/path/name`, `arn:aws:ssm:…`.
    Parameter(String),
}

impl std::fmt::Debug for Value {
    /// Without the value itself.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("Literal(…)"),
            Self::Environment(name) => f.debug_tuple("Environment").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Secret { id, member } => f
                .debug_struct("Secret")
                .field("id", id)
                .field("member", member)
                .finish(),
            Self::Parameter(name) => f.debug_tuple("Parameter").field(name).finish(),
        }
    }
}

impl Value {
    /// Reads a value as it stands in a configuration. What is none of the references is the value itself.
    ///
    /// # Errors
    /// When it begins like a reference but isn't one; the message never holds the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let named = |name: &str| match name.is_empty() {
            true => Err("a reference needs a name behind it"),
            false => Ok(name.to_owned()),
        };
        if let Some(name) = text.strip_prefix("os.environ/") {
            return named(name).map(Self::Environment);
        }
        if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            return named(name).map(Self::Environment);
        }
        if let Some(path) = text.strip_prefix("file:") {
            return named(path).map(|path| Self::File(PathBuf::from(path)));
        }
        let secret = match text.strip_prefix("secretsmanager:") {
            Some(rest) => Some(rest),
            None => is_arn_of(text, "secretsmanager").then_some(text),
        };
        if let Some(secret) = secret {
            let (id, member) = match secret.split_once('#') {
                Some((id, member)) => (id, Some(named(member)?)),
                None => (secret, None),
            };
            return Ok(Self::Secret { id: named(id)?, member });
        }
        match text.strip_prefix("ssm:") {
            Some(name) => named(name).map(Self::Parameter),
            None if is_arn_of(text, "ssm") => Ok(Self::Parameter(text.to_owned())),
            None => Ok(Self::Literal(text.to_owned())),
        }
    }
}

fn is_arn_of(text: &str, service: &str) -> bool {
    let mut parts = text.split(':');
    parts.next() == Some("arn") && parts.next().is_some() && parts.next() == Some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_say_where_a_value_is() {
        let secret = |id: &str, member: Option<&str>| Value::Secret {
            id: id.to_owned(),
            member: member.map(ToOwned::to_owned),
        };
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf";
        for (text, value) in [
            ("os.environ/KEY", Value::Environment("KEY".to_owned())),
            ("${KEY}", Value::Environment("KEY".to_owned())),
            ("file:/run/key", Value::File("/run/key".into())),
            ("secretsmanager:keys#bedrock", secret("keys", Some("bedrock"))),
            (arn, secret(arn, None)),
            ("ssm:/prod/key", Value::Parameter("/prod/key".to_owned())),
            (
                "arn:aws:iam::1:role/x",
                Value::Literal("arn:aws:iam::1:role/x".to_owned()),
            ),
            ("AKID$", Value::Literal("AKID$".to_owned())),
        ] {
            assert_eq!(Value::parse(text), Ok(value), "{text}");
        }
        assert!(Value::parse("os.environ/").is_err());
        assert!(!format!("{:?}", Value::Literal("hush".to_owned())).contains("hush"));
    }
}
