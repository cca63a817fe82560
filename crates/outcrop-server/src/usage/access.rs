//! Who may see which usage.

use http::request::Parts;
use outcrop_store::Filter;
use outcrop_tenants::Id;
use outcrop_translate::{Problem, ProblemKind};
use subtle::{Choice, ConstantTimeEq as _};

use crate::access;
use crate::exchange::Gateway;
use crate::tenants;

/// What somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    All,
    /// What is of one organization.
    Organization(Id),
    /// What is of one key.
    Key(Id),
}

impl Scope {
    /// Holds a question to what may be seen. False if nothing is left of it: what belongs to others isn't there.
    pub(super) fn narrow(&self, filter: &mut Filter) -> bool {
        match self {
            Self::All => true,
            Self::Organization(own) => {
                let is_own = filter.organization_id.as_ref().is_none_or(|asked| asked == own);
                filter.organization_id = Some(own.clone());
                is_own
            }
            Self::Key(own) => {
                let is_own = filter.key_ids.is_empty() || filter.key_ids.contains(own);
                filter.key_ids = vec![own.clone()];
                is_own
            }
        }
    }
}

/// Finds out who asks, and what they may see: an admin key all, or all of its organization; another key its own. Where no
/// key is asked for, or there is but one, nobody else's usage is there.
///
/// # Errors
/// 401 or 403.
pub(super) async fn scope(gateway: &Gateway, head: &Parts) -> Result<Scope, Problem> {
    let config = &gateway.config;
    if let Some(shown) = access::shown_key(&head.headers)? {
        let own = config.admin_keys.iter();
        let is_admins = own.fold(Choice::from(0), |known, key| known | key.as_bytes().ct_eq(shown));
        if is_admins.into() {
            return Ok(Scope::All);
        }
        if let Some(admin) = gateway.tenants.admin(&String::from_utf8_lossy(shown)).await {
            let organization = admin.organization_id.clone();
            return Ok(organization.map_or(Scope::All, Scope::Organization));
        }
    }
    let admitted = tenants::admit(gateway, head).await?;
    match admitted.tenant {
        Some(tenant) => Ok(Scope::Key(tenant.credential.id.clone())),
        None if config.api_keys.len() <= 1 && !gateway.tenants.has_credentials() => Ok(Scope::All),
        None => {
            let message = "Usage isn't told apart by keys of the settings. Ask with an admin key: one of `admin_keys`, or \
                           one that begins with 'sk-oca-'.";
            Err(Problem::new(403, ProblemKind::Permission, message).with_code("no_usage_of_its_own"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_usage_is_not_there() {
        let asked = |key_ids: &[&str], organization: Option<&str>| Filter {
            key_ids: key_ids.iter().map(|&id| id.to_owned()).collect(),
            organization_id: organization.map(ToOwned::to_owned),
            ..Filter::default()
        };
        let own = Scope::Key("key_1".to_owned());
        let mut filter = asked(&[], None);
        assert!(own.narrow(&mut filter));
        assert_eq!(filter.key_ids, ["key_1"]);
        let mut filter = asked(&["key_2", "key_1"], None);
        assert!(own.narrow(&mut filter));
        assert_eq!(filter.key_ids, ["key_1"]);
        let mut filter = asked(&["key_2"], None);
        assert!(!own.narrow(&mut filter));
        assert_eq!(filter.key_ids, ["key_1"]);

        let own = Scope::Organization("org_1".to_owned());
        let mut filter = asked(&[], None);
        assert!(own.narrow(&mut filter));
        assert_eq!(filter.organization_id.as_deref(), Some("org_1"));
        let mut filter = asked(&["key_2"], Some("org_2"));
        assert!(!own.narrow(&mut filter));
        assert_eq!(filter.organization_id.as_deref(), Some("org_1"));
    }
}
