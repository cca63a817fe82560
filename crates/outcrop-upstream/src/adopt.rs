//! Accounts that a call brings with it.

use ring::hmac;
use ring::rand::SystemRandom;

use crate::account::{Account, Value};
use crate::client::Client;
use crate::config::ConfigError;

/// What their names begin with.
const PREFIX: &str = "request-";

/// Makes names of contents. They can't be made, or compared, by anybody else: the key is of this process alone.
#[derive(Debug)]
pub(crate) struct Namer(hmac::Key);

impl Namer {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self)
            .map_err(|_| ConfigError::Tls("the system has no randomness".to_owned()))
    }

    fn name(&self, account: &Account) -> String {
        // Each member stands here, so that a new one can't be forgotten.
        let Account {
            name: _,
            region,
            profile,
            access_key_id,
            secret_access_key,
            session_token,
            role_arn,
            role_session_name,
            external_id,
            session_tags,
            source_account,
            web_identity_token,
            api_key,
            runtime_endpoint,
            control_endpoint,
            agent_runtime_endpoint,
            sts_endpoint,
            use_fips,
            use_dual_stack,
        } = account;
        let mut context = hmac::Context::with_key(&self.0);
        let mut add = |text: Option<&str>| {
            // Lengths keep the members apart.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            context.update(&length.to_be_bytes());
            context.update(text.unwrap_or_default().as_bytes());
        };
        for value in [
            access_key_id,
            secret_access_key,
            session_token,
            role_arn,
            role_session_name,
            external_id,
            web_identity_token,
            api_key,
        ] {
            add(value.as_ref().and_then(literal));
        }
        for text in [
            region,
            profile,
            source_account,
            runtime_endpoint,
            control_endpoint,
            agent_runtime_endpoint,
            sts_endpoint,
        ] {
            add(text.as_deref());
        }
        for flag in [use_fips, use_dual_stack] {
            add(flag.map(|flag| if flag { "on" } else { "off" }));
        }
        for (key, value) in session_tags {
            add(Some(key));
            add(Some(value));
        }
        let tag = context.sign();
        let mut name = PREFIX.to_owned();
        for byte in &tag.as_ref()[..16] {
            // Writing to a string cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut name, format_args!("{byte:02x}"));
        }
        name
    }
}

fn literal(value: &Value) -> Option<&str> {
    match value {
        Value::Literal(text) => Some(text),
        _ => None,
    }
}

impl Client {
    /// Takes up an account that a call brings with it, and returns the name for [`Call::account`]. The same account has
    /// the same name, and keeps its credentials; it is forgotten when nobody has used it for a quarter of an hour.
    ///
    /// The account is a stranger's. Its values must be literal, as a reference would have our files, variables and
    /// secrets read for it. Whether a stranger may name a profile, a source account, a role for our own identity to
    /// assume, or endpoints, which are then called with what the account says, is for the caller to decide beforehand.
    /// `account.name` is not looked at.
    ///
    /// [`Call::account`]: outcrop_bedrock::call::Call::account
    ///
    /// # Errors
    /// When a value is a reference, or what the account says doesn't fit together.
    pub async fn adopt(&self, account: Account) -> Result<String, ConfigError> {
        let values = [
            ("access key id", &account.access_key_id),
            ("secret access key", &account.secret_access_key),
            ("session token", &account.session_token),
            ("role", &account.role_arn),
            ("role session name", &account.role_session_name),
            ("external id", &account.external_id),
            ("web identity token", &account.web_identity_token),
            ("Bedrock API key", &account.api_key),
        ];
        let reference = values
            .iter()
            .find(|(_, value)| value.as_ref().is_some_and(|value| literal(value).is_none()));
        if let Some((what, _)) = reference {
            return Err(ConfigError::Account {
                account: "of the request".to_owned(),
                problem: format!("its {what} must be the value itself, and no reference to it"),
            });
        }
        let name = self.namer().name(&account);
        let account = Account {
            name: name.clone(),
            ..account
        };
        self.identities().adopt(self.aws(), &account).await?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_contents_have_another_name() {
        let namer = Namer::new().unwrap();
        let literal = |text: &str| Some(Value::Literal(text.to_owned()));
        let account = Account {
            access_key_id: literal("a"),
            secret_access_key: literal("bc"),
            ..Account::default()
        };
        let other = Account {
            access_key_id: literal("ab"),
            secret_access_key: literal("c"),
            ..Account::default()
        };
        let name = namer.name(&account);
        assert_eq!(name, namer.name(&account.clone()));
        assert_ne!(name, namer.name(&other));
        assert_ne!(name, Namer::new().unwrap().name(&account));
        let elsewhere = Account {
            region: Some("eu-west-1".to_owned()),
            ..account
        };
        assert_ne!(name, namer.name(&elsewhere));
    }
}
