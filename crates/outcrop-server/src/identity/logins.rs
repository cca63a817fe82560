//! Which of the logins somebody is.

use std::collections::HashMap;

use outcrop_tenants::{Credential, CredentialKind, Id, Status};
use serde_json::Value;

/// The logins of the directory, fit to be looked up.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    iam: Vec<(Id, Pattern)>,
    jwt: Vec<JwtLogin>,
    by_id: HashMap<Id, Usable>,
}

#[derive(Debug)]
struct JwtLogin {
    id: Id,
    issuer: String,
    claims: Vec<(String, Pattern)>,
}

/// Whether a login may be used.
#[derive(Clone, Copy, Debug)]
struct Usable {
    is_active: bool,
    expires_at: Option<i64>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    One(Id),
    /// Two fit equally well: it is anybody's guess whom the operator meant.
    Several(Id, Id),
    None,
}

impl Logins {
    /// Of all credentials; keys and deleted ones are left out. Disabled ones stay: who fits one isn't let in by another
    /// that is less about them.
    pub(crate) fn new<'a>(credentials: impl IntoIterator<Item = &'a Credential>) -> Self {
        let mut logins = Self::default();
        for credential in credentials {
            if credential.status == Status::Deleted {
                continue;
            }
            let id = credential.id.clone();
            match &credential.kind {
                CredentialKind::Key { .. } => continue,
                CredentialKind::Iam { arn } => logins.iam.push((id.clone(), Pattern::new(arn))),
                CredentialKind::Jwt { issuer, claims } => logins.jwt.push(JwtLogin {
                    id: id.clone(),
                    issuer: issuer.clone(),
                    claims: claims
                        .iter()
                        .map(|(name, value)| (name.clone(), Pattern::new(value)))
                        .collect(),
                }),
            }
            let usable = Usable {
                is_active: credential.status == Status::Active,
                expires_at: credential.expires_at,
            };
            logins.by_id.insert(id, usable);
        }
        logins
    }

    /// Whether there is any for AWS identities.
    pub(crate) fn has_iam(&self) -> bool {
        !self.iam.is_empty()
    }

    /// Whether a login may be used at a moment.
    pub(crate) fn is_usable(&self, id: &str, now: i64) -> bool {
        let usable = self.by_id.get(id);
        usable.is_some_and(|usable| usable.is_active && usable.expires_at.is_none_or(|end| now < end))
    }

    /// The login of an AWS identity: the one whose pattern says most.
    pub(crate) fn of_arn(&self, arn: &str) -> Found {
        let role = role_of(arn);
        let fits = |pattern: &Pattern| pattern.matches(arn) || role.as_ref().is_some_and(|role| pattern.matches(role));
        let fitting = self.iam.iter().filter(|(_, pattern)| fits(pattern));
        best(fitting.map(|(id, pattern)| (id, (0, pattern.literals))))
    }

    /// The login of the claims of an issuer's token: the one that asks for most.
    pub(crate) fn of_claims(&self, issuer: &str, claims: &Value) -> Found {
        let fits = |login: &&JwtLogin| {
            login.issuer == issuer
                && login
                    .claims
                    .iter()
                    .all(|(name, pattern)| claim(claims, name).is_some_and(|value| has(value, pattern)))
        };
        let said = |login: &JwtLogin| {
            let literals = login.claims.iter().map(|(_, pattern)| pattern.literals).sum();
            (login.claims.len(), literals)
        };
        best(self.jwt.iter().filter(fits).map(|login| (&login.id, said(login))))
    }
}

fn best<'a>(fitting: impl Iterator<Item = (&'a Id, (usize, usize))>) -> Found {
    let (mut found, mut most) = (Found::None, None);
    for (id, said) in fitting {
        found = match (most, &found) {
            (Some(best), _) if said < best => continue,
            (Some(best), Found::One(other) | Found::Several(other, _)) if said == best => {
                Found::Several(other.clone(), id.clone())
            }
            _ => Found::One(id.clone()),
        };
        most = Some(said);
    }
    found
}

/// The role of a session, as its ARN in IAM without the path, which STS doesn't tell.
fn role_of(arn: &str) -> Option<String> {
    let (start, resource) = arn.split_once(":assumed-role/")?;
    let (role, _session) = resource.split_once('/')?;
    let partition = start.strip_prefix("arn:")?;
    let (partition, account) = partition.split_once(":sts::")?;
    Some(format!("arn:{partition}:iam::{account}:role/{role}"))
}

/// A claim by its name, else by the names of members within members.
pub(super) fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    name.split('.').try_fold(claims, |value, name| value.get(name))
}

/// A claim as text, where it is one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn has(value: &Value, pattern: &Pattern) -> bool {
    match value {
        Value::Array(values) => values.iter().filter_map(text).any(|value| pattern.matches(&value)),
        value => text(value).is_some_and(|value| pattern.matches(&value)),
    }
}

/// A text with `*` for any text.
#[derive(Clone, Debug)]
struct Pattern {
    parts: Vec<String>,
    /// How many characters it names.
    literals: usize,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self {
            parts: text.split('*').map(ToOwned::to_owned).collect(),
            literals: text.chars().filter(|letter| *letter != '*').count(),
        }
    }

    fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        // The earliest place for each part leaves most for the others.
        for part in middle {
            match text.find(part.as_str()) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn login(id: &str, kind: CredentialKind) -> Credential {
        Credential {
            id: id.to_owned(),
            project_id: "proj_1".to_owned(),
            name: id.to_owned(),
            kind,
            status: Status::Active,
            expires_at: None,
            settings: outcrop_tenants::Settings::default(),
            created_at: 0,
            rotated_from: None,
            user: None,
        }
    }

    fn iam(id: &str, arn: &str) -> Credential {
        login(id, CredentialKind::Iam { arn: arn.to_owned() })
    }

    fn jwt(id: &str, claims: &[(&str, &str)]) -> Credential {
        let claims: BTreeMap<_, _> = claims
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let issuer = "https://issuer.example".to_owned();
        login(id, CredentialKind::Jwt { issuer, claims })
    }

    fn one(id: &str) -> Found {
        Found::One(id.to_owned())
    }

    #[test]
    fn patterns_stand_for_any_text() {
        for (pattern, text, fits) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*a", "a", false),
            ("*b*b*", "abb", true),
            ("*b*b*", "ab", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_pattern_that_says_most_wins() {
        let credentials = [
            iam("any", "arn:aws:*::111111111111:*"),
            iam("role", "arn:aws:iam::111111111111:role/Search"),
            iam("session", "arn:aws:sts::111111111111:assumed-role/Search/*"),
            iam("me", "arn:aws:sts::111111111111:assumed-role/Search/me"),
            iam("user", "arn:aws:iam::111111111111:user/*"),
        ];
        let logins = Logins::new(&credentials);
        let of = |resource: &str| logins.of_arn(resource);
        assert_eq!(of("arn:aws:sts::111111111111:assumed-role/Search/me"), one("me"));
        assert_eq!(of("arn:aws:sts::111111111111:assumed-role/Search/you"), one("session"));
        assert_eq!(of("arn:aws:sts::111111111111:assumed-role/Other/me"), one("any"));
        assert_eq!(of("arn:aws:iam::111111111111:user/team/me"), one("user"));
        assert_eq!(of("arn:aws:sts::222222222222:assumed-role/Search/me"), Found::None);
        let by_role = Logins::new(&credentials[1..2]);
        assert_eq!(
            by_role.of_arn("arn:aws:sts::111111111111:assumed-role/Search/me"),
            one("role")
        );
        assert_eq!(
            by_role.of_arn("arn:aws:sts::111111111111:assumed-role/Search2/me"),
            Found::None
        );
    }

    #[test]
    fn nobody_guesses_between_two() {
        let (one, two) = (iam("one", "arn:aws:*:user/a"), iam("two", "arn:aws:*:user/a"));
        let logins = Logins::new([&one, &two]);
        let arn = "arn:aws:iam::111111111111:user/a";
        assert_eq!(logins.of_arn(arn), Found::Several("one".to_owned(), "two".to_owned()));
    }

    #[test]
    fn all_claims_must_be_there() {
        let credentials = [
            jwt("all", &[]),
            jwt("group", &[("groups", "search")]),
            jwt("both", &[("groups", "search"), ("realm.team", "a*")]),
            jwt("url", &[("https://a.example/b", "true")]),
        ];
        let logins = Logins::new(&credentials);
        let of = |claims: Value| logins.of_claims("https://issuer.example", &claims);
        assert_eq!(of(json!({})), one("all"));
        assert_eq!(of(json!({"groups": ["other", "search"]})), one("group"));
        assert_eq!(of(json!({"groups": "search", "realm": {"team": "abc"}})), one("both"));
        assert_eq!(of(json!({"groups": "search", "realm": {"team": "b"}})), one("group"));
        assert_eq!(of(json!({"https://a.example/b": true})), one("url"));
        assert_eq!(logins.of_claims("https://other.example", &json!({})), Found::None);
    }

    #[test]
    fn a_disabled_login_is_no_way_around() {
        let mut disabled = iam("disabled", "arn:aws:iam::111111111111:user/bad");
        disabled.status = Status::Disabled;
        let mut deleted = iam("deleted", "arn:aws:iam::111111111111:user/bad");
        deleted.status = Status::Deleted;
        let any = iam("any", "arn:aws:iam::111111111111:user/*");
        let logins = Logins::new([&disabled, &deleted, &any]);
        assert_eq!(logins.of_arn("arn:aws:iam::111111111111:user/bad"), one("disabled"));
        assert!(!logins.is_usable("disabled", 0) && logins.is_usable("any", 0));
        assert!(!logins.is_usable("deleted", 0));
    }
}
