//! Who may administer, and what.

use http::request::Parts;
use outcrop_tenants::{Id, Role};
use outcrop_translate::{Problem, ProblemKind};
use subtle::{Choice, ConstantTimeEq as _};

use super::problems;
use crate::access;
use crate::exchange::Gateway;
use crate::tenants::{self, Tenant, client_address};

/// What the audit log calls the keys of the settings.
const SETTINGS: &str = "settings";

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// An administrator.
    Admin(Admin),
    /// Somebody with a key for asking models.
    Client(std::sync::Arc<Tenant>),
}

/// An administrator.
#[derive(Clone, Debug)]
pub(super) struct Admin {
    /// An admin key's id, or `settings`.
    pub(super) name: String,
    /// From which address.
    pub(super) address: String,
    pub(super) role: Role,
    /// The only organization that there is for it.
    pub(super) organization_id: Option<Id>,
}

/// What is done, as far as roles are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Asking who one is.
    Own,
    /// The same, also with a key for asking models.
    OwnKey,
    /// Reading of organizations, projects, keys and logins.
    Read,
    /// Changing them.
    Write,
    /// Reading what was and may be spent.
    Usage,
    /// Reading the audit log.
    Audit,
    /// Reading which admin keys there are.
    ReadAdmins,
    /// Changing them.
    WriteAdmins,
}

impl Right {
    #[cfg(test)]
    pub(super) const ALL: [Self; 8] = [
        Self::Own,
        Self::OwnKey,
        Self::Read,
        Self::Write,
        Self::Usage,
        Self::Audit,
        Self::ReadAdmins,
        Self::WriteAdmins,
    ];

    /// Whether a role has it: the one place that says so.
    pub(super) fn is_of(self, role: Role) -> bool {
        match self {
            Self::Own => true,
            Self::OwnKey | Self::Read | Self::ReadAdmins => matches!(role, Role::Owner | Role::Admin | Role::Viewer),
            Self::Write | Self::Audit => matches!(role, Role::Owner | Role::Admin),
            Self::Usage => matches!(role, Role::Owner | Role::Admin | Role::Viewer | Role::Billing),
            Self::WriteAdmins => role == Role::Owner,
        }
    }
}

/// The word for a role.
pub(super) fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Viewer => "viewer",
        Role::Billing => "billing",
    }
}

/// Finds out who asks.
///
/// # Errors
/// 401 if nobody knows, 403 if it is known and may not.
pub(super) async fn who(gateway: &Gateway, head: &Parts) -> Result<Who, Problem> {
    let Some(shown) = access::shown_key(&head.headers)? else {
        return Err(unauthorized(
            "This needs an admin key. Send it as 'Authorization: Bearer KEY'.",
            "missing_api_key",
        ));
    };
    let address = client_address(head, &gateway.config).map(|address| address.to_string());
    let admin = |name: &str, role, organization_id| {
        Who::Admin(Admin {
            name: name.to_owned(),
            address: address.clone().unwrap_or_default(),
            role,
            organization_id,
        })
    };
    let own = gateway.config.admin_keys.iter();
    let is_own = own.fold(Choice::from(0), |known, key| known | key.as_bytes().ct_eq(shown));
    if is_own.into() {
        return Ok(admin(SETTINGS, Role::Owner, None));
    }
    let text = String::from_utf8_lossy(shown);
    if let Some(key) = gateway.tenants.admin(&text).await {
        return Ok(admin(&key.id, key.role, key.organization_id.clone()));
    }
    // Only those who are told nothing by it learn that the key is a client's.
    match tenants::admit(gateway, head).await {
        Ok(admitted) if admitted.key.is_some() => admitted.tenant.map(Who::Client).ok_or_else(client_key),
        _ => Err(unauthorized("Incorrect admin key provided.", "invalid_api_key")),
    }
}

fn unauthorized(message: &str, code: &'static str) -> Problem {
    Problem::new(401, ProblemKind::Authentication, message).with_code(code)
}

/// A key for asking models, where an admin key is needed.
pub(super) fn client_key() -> Problem {
    let message = "This is a key for asking models. Administration needs an admin key: one of `admin_keys` in the \
                   settings, or one that begins with 'sk-oca-'.";
    Problem::new(403, ProblemKind::Permission, message).with_code("client_key")
}

impl Admin {
    /// Refuses what its role doesn't have.
    pub(super) fn check(&self, right: Right) -> Result<(), Problem> {
        if right.is_of(self.role) {
            return Ok(());
        }
        let message = format!("An admin key of the role '{}' may not do this.", word(self.role));
        Err(Problem::new(403, ProblemKind::Permission, message).with_code("role_not_allowed"))
    }

    /// Whether an organization is there for it.
    pub(super) fn sees(&self, organization_id: &str) -> bool {
        self.organization_id.as_deref().is_none_or(|own| own == organization_id)
    }

    /// Refuses what concerns more than one organization.
    pub(super) fn check_unbound(&self, what: &str) -> Result<(), Problem> {
        if self.organization_id.is_none() {
            return Ok(());
        }
        let message = format!("An admin key of one organization may not {what}.");
        Err(Problem::new(403, ProblemKind::Permission, message).with_code("bound_admin_key"))
    }

    /// For the audit log.
    pub(super) fn actor(&self) -> outcrop_store::Actor {
        outcrop_store::Actor {
            name: self.name.clone(),
            address: self.address.clone(),
        }
    }

    /// Refuses settings by which the keys of one organization could become somebody else for AWS, unless they stay as
    /// they are: who Bedrock is asked as is said by those who look after all.
    pub(super) fn check_settings(
        &self,
        old: &outcrop_tenants::Settings,
        new: &outcrop_tenants::Settings,
    ) -> Result<(), Problem> {
        if self.organization_id.is_none() {
            return Ok(());
        }
        for (member, is_same) in [
            ("account", old.account == new.account),
            ("role_arn", old.role_arn == new.role_arn),
            ("external_id", old.external_id == new.external_id),
            ("session_tags", old.session_tags == new.session_tags),
        ] {
            if !is_same {
                let problem = self.check_unbound(&format!("set '{member}'"));
                return problem.map_err(|problem| problem.with_param(format!("settings.{member}")));
            }
        }
        // An ARN is of the organization that has a name for it: naming another's would be taking it.
        for (name, model) in &new.aliases {
            if model.contains("arn:") && old.aliases.get(name) != Some(model) {
                let problem = self.check_unbound("give a name to an ARN");
                return problem.map_err(|problem| problem.with_param(format!("settings.aliases.{name}")));
            }
        }
        Ok(())
    }
}

/// What isn't there, or not for this administrator.
pub(super) fn unseen(kind: &'static str, id: &str) -> Problem {
    problems::not_found(kind, id)
}
