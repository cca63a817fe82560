//! The roles that accounts assume, for those who must allow it.

use crate::account::Value;
use crate::client::Client;

/// A role that an account assumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedRole {
    /// The account, by its name.
    pub account: String,
    /// The role; `None` where it stands elsewhere than in the settings.
    pub arn: Option<String>,
    /// Whether the session has tags.
    pub is_tagged: bool,
}

impl Client {
    /// The roles that are assumed for calls of this account by its own settings, the last one first. Those that a web
    /// identity token is for are assumed by nobody.
    pub fn assumed_roles(&self, account: Option<&str>) -> Vec<AssumedRole> {
        let accounts = self.accounts();
        let find = |name: Option<&str>| accounts.iter().find(|known| Some(known.name.as_str()) == name);
        let mut roles = Vec::new();
        let mut next = find(account);
        while let Some(account) = next.filter(|account| account.api_key.is_none()) {
            if let Some(arn) = account
                .role_arn
                .as_ref()
                .filter(|_| account.web_identity_token.is_none())
            {
                roles.push(AssumedRole {
                    account: account.name.clone(),
                    arn: match arn {
                        Value::Literal(arn) => Some(arn.clone()),
                        _ => None,
                    },
                    is_tagged: !account.session_tags.is_empty(),
                });
            }
            // That nobody is their own source was seen to at the start.
            next = find(account.source_account.as_deref());
        }
        roles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::config::Config;

    #[tokio::test]
    async fn a_chain_of_roles_is_told_from_its_end() {
        let literal = |text: &str| Some(Value::Literal(text.to_owned()));
        let account = |name: &str, role_arn, source: Option<&str>| Account {
            name: name.to_owned(),
            role_arn,
            source_account: source.map(ToOwned::to_owned),
            ..Account::default()
        };
        let mut token = account("web", literal("arn:web"), None);
        token.web_identity_token = literal("hush");
        let mut tagged = account("spoke", Some(Value::Environment("ROLE".to_owned())), Some("hub"));
        tagged.session_tags = vec![("team".to_owned(), "blue".to_owned())];
        let client = Client::new(Config {
            region: Some("us-east-1".to_owned()),
            runtime_endpoint: Some("http://127.0.0.1:1".to_owned()),
            accounts: vec![account("hub", literal("arn:hub"), None), tagged, token],
            ..Config::default()
        })
        .await
        .unwrap();
        let role = |account: &str, arn: Option<&str>, is_tagged| AssumedRole {
            account: account.to_owned(),
            arn: arn.map(ToOwned::to_owned),
            is_tagged,
        };
        let hub = role("hub", Some("arn:hub"), false);
        assert_eq!(client.assumed_roles(Some("spoke")), [role("spoke", None, true), hub]);
        assert_eq!(client.assumed_roles(Some("web")), []);
        assert_eq!(client.assumed_roles(None), []);
    }
}
