//! Who an entry of `model_list` asks as.

use super::{Converter, as_text};
use crate::settings::{Origin, Raw, RawTable};

/// LiteLLM's parameters and our keys of `[[accounts]]`. Values that may stay references come first.
const SECRETS: &[(&str, &str)] = &[
    ("aws_access_key_id", "access_key_id"),
    ("aws_secret_access_key", "secret_access_key"),
    ("aws_session_token", "session_token"),
    ("aws_role_name", "role_arn"),
    ("aws_session_name", "role_session_name"),
    ("aws_external_id", "external_id"),
    ("aws_web_identity_token", "web_identity_token"),
    ("api_key", "bedrock_api_key"),
];
const PLAIN: &[(&str, &str)] = &[
    ("aws_profile_name", "profile"),
    ("api_base", "endpoint_url"),
    ("aws_bedrock_runtime_endpoint", "endpoint_url"),
    ("aws_sts_endpoint", "sts_endpoint_url"),
];

/// Variables that count where an entry says nothing of who it asks as, if the file itself sets them.
const VARIABLES: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
    ("AWS_SESSION_TOKEN", "session_token"),
    ("AWS_PROFILE", "profile"),
    ("AWS_BEARER_TOKEN_BEDROCK", "bedrock_api_key"),
    ("AWS_BEDROCK_RUNTIME_ENDPOINT", "endpoint_url"),
];

/// A key, and others beside which it says nothing.
const OVERRULED: &[(&str, &[&str])] = &[
    ("access_key_id", &["bedrock_api_key", "web_identity_token", "profile"]),
    (
        "secret_access_key",
        &["bedrock_api_key", "web_identity_token", "profile"],
    ),
    ("session_token", &["bedrock_api_key", "web_identity_token", "profile"]),
    ("profile", &["bedrock_api_key", "web_identity_token"]),
    ("role_arn", &["bedrock_api_key"]),
    ("web_identity_token", &["bedrock_api_key"]),
];

/// A key, and another without which it says nothing.
const NEEDS: &[(&str, &str)] = &[
    ("access_key_id", "secret_access_key"),
    ("secret_access_key", "access_key_id"),
    ("session_token", "access_key_id"),
    ("web_identity_token", "role_arn"),
    ("role_session_name", "role_arn"),
    ("external_id", "role_arn"),
    ("session_tags", "role_arn"),
];

/// Whether a parameter says who is asked as.
pub(super) fn is_part(parameter: &str) -> bool {
    let mut all = SECRETS.iter().chain(PLAIN);
    all.any(|(theirs, _)| *theirs == parameter) || parameter == "aws_session_tags"
}

type Member = (String, Origin, Raw);

impl Converter<'_> {
    /// The name of the account of an entry, which is made unless an earlier entry had the same; `Ok(None)` is the
    /// gateway's own, `Err` one that can't be had.
    pub(super) fn account(&mut self, params: &RawTable) -> Result<Option<String>, String> {
        let mut members = self.members(params)?;
        if members.is_empty() {
            members = self.members_of_file();
        }
        self.settle(&mut members);
        if members.is_empty() {
            return Ok(None);
        }
        let said = |members: &[Member]| {
            let words = members.iter().filter(|(key, ..)| key != "name");
            words
                .map(|(key, _, value)| (key.clone(), value.json()))
                .collect::<Vec<_>>()
        };
        let mut known = self.out.tables.accounts.iter();
        if let Some(same) = known.find(|account| said(&account.members) == said(&members)) {
            return Ok(same.get("name").and_then(|(_, name)| as_text(name)));
        }
        let name = self.unused_name(&base_name(&members));
        members.insert(0, ("name".to_owned(), params.origin.clone(), Raw::Text(name.clone())));
        self.out.tables.accounts.push(RawTable {
            origin: params.origin.clone(),
            members,
        });
        Ok(Some(name))
    }

    fn members(&mut self, params: &RawTable) -> Result<Vec<Member>, String> {
        let mut members: Vec<Member> = Vec::new();
        for (theirs, ours) in SECRETS {
            let Some((origin, value)) = params.get(theirs) else {
                continue;
            };
            let Some(text) = as_text(value).filter(|text| !text.is_empty()) else {
                continue;
            };
            let text = if *theirs == "aws_web_identity_token" {
                self.web_identity(text)?
            } else {
                self.surroundings.later(text)
            };
            members.push(((*ours).to_owned(), origin.clone(), Raw::Text(text)));
        }
        for (theirs, ours) in PLAIN {
            if let Some((origin, text)) = self.text_of(params, theirs) {
                members.retain(|(key, ..)| key != ours);
                members.push(((*ours).to_owned(), origin, Raw::Text(text)));
            }
        }
        if let Some((origin, tags)) = params.get("aws_session_tags") {
            members.extend(tags_of(origin, tags));
        }
        Ok(members)
    }

    fn members_of_file(&self) -> Vec<Member> {
        let variables = VARIABLES.iter().filter_map(|(name, key)| {
            let (origin, text) = self.surroundings.in_file(name)?;
            Some(((*key).to_owned(), origin.clone(), Raw::Text(text)))
        });
        variables.collect()
    }

    /// LiteLLM's ways to a token.
    fn web_identity(&self, text: String) -> Result<String, String> {
        let Some(way) = text.strip_prefix("oidc/") else {
            return Ok(self.surroundings.later(text));
        };
        match way.split_once('/') {
            Some(("env", name)) => Ok(self.surroundings.later(format!("os.environ/{name}"))),
            Some(("file", path)) => Ok(format!("file:{path}")),
            Some(("env_path", name)) => match self.surroundings.get(name) {
                Some((_, path)) => Ok(format!("file:{path}")),
                None => Err(format!(
                    "the variable {name}, which names the file of a token, is not set"
                )),
            },
            _ => Err("tokens are had by `oidc/env/`, `oidc/env_path/` and `oidc/file/` only".to_owned()),
        }
    }

    /// Takes out what says nothing beside the rest.
    fn settle(&mut self, members: &mut Vec<Member>) {
        for (key, others) in OVERRULED {
            let stronger = others.iter().find(|other| has(members, other)).copied();
            self.leave_out(members, key, stronger.map(|other| format!("{other} beside it wins")));
        }
        for (key, needed) in NEEDS {
            let lacks = !has(members, needed);
            self.leave_out(members, key, lacks.then(|| format!("{needed} is missing beside it")));
        }
    }

    fn leave_out(&mut self, members: &mut Vec<Member>, key: &str, why: Option<String>) {
        let Some(why) = why else { return };
        if let Some(at) = members.iter().position(|(member, ..)| member == key) {
            let (key, origin, _) = members.remove(at);
            self.note(&origin, format!("{key} is not taken over: {why}"));
        }
    }

    fn unused_name(&self, base: &str) -> String {
        let is_used = |name: &str| {
            let mut accounts = self.out.tables.accounts.iter();
            accounts.any(|account| matches!(account.get("name"), Some((_, Raw::Text(known))) if known == name))
        };
        if !is_used(base) {
            return base.to_owned();
        }
        let mut numbered = (2..).map(|number| format!("{base}-{number}"));
        numbered.find(|name| !is_used(name)).unwrap_or_default()
    }
}

fn has(members: &[Member], key: &str) -> bool {
    members.iter().any(|(member, ..)| member == key)
}

/// Tags as AWS writes them, a list of `Key` and `Value`, or by name.
fn tags_of(origin: &Origin, tags: &Raw) -> Option<Member> {
    let mut members = Vec::new();
    match tags {
        Raw::Table(table) => {
            for (name, origin, value) in &table.members {
                members.push((name.clone(), origin.clone(), Raw::Text(as_text(value)?)));
            }
        }
        Raw::List(items) => {
            for item in items {
                let Raw::Table(tag) = item else { continue };
                let word = |key| tag.get(key).and_then(|(_, value)| as_text(value));
                members.push((word("Key")?, tag.origin.clone(), Raw::Text(word("Value")?)));
            }
        }
        _ => return None,
    }
    let table = RawTable {
        origin: origin.clone(),
        members,
    };
    Some(("session_tags".to_owned(), origin.clone(), Raw::Table(table)))
}

/// A name that says what the account is, without a secret in it.
fn base_name(members: &[Member]) -> String {
    let word = |key: &str| {
        let (.., value) = members.iter().find(|(member, ..)| member == key)?;
        as_text(value).filter(|text| !text.is_empty())
    };
    if let Some(profile) = word("profile") {
        return profile.trim().to_owned();
    }
    if let Some(role) = word("role_arn") {
        let last = role.rsplit('/').next().unwrap_or_default();
        return if last.is_empty() {
            "role".to_owned()
        } else {
            last.to_lowercase()
        };
    }
    let has = |key| has(members, key);
    if has("bedrock_api_key") {
        "api-key".to_owned()
    } else if has("access_key_id") {
        "access-key".to_owned()
    } else {
        "endpoint".to_owned()
    }
}
