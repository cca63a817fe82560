//! Lets callers in: by a key of the settings, a key of the database, or as whoever they prove to be.

use std::sync::Arc;

use http::request::Parts;
use outcrop_tenants::{CredentialKind, Token, TokenKind};
use outcrop_translate::{Problem, ProblemKind};

use super::{Tenant, client_address, is_trusted, now};
use crate::access::{self, Shown};
use crate::exchange::Gateway;
use crate::identity::{self, Identity, Logins, Proof, With};
use crate::routes;

/// Somebody who was let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admitted {
    /// What tells it from others: a key of the settings itself, or the id of a key of the database; `None` where no key is
    /// asked for.
    pub(crate) key: Option<String>,
    /// Whose key it is; `None` for those of the settings.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// Who uses the key, where it isn't the one that it belongs to.
    pub(crate) user: Option<String>,
    /// Who it is, where that was proved without a key of ours.
    pub(crate) identity: Option<Identity>,
}

/// Lets a caller in.
///
/// # Errors
/// 401 or 403, in words that don't repeat what was shown.
pub(crate) async fn admit(gateway: &Gateway, head: &Parts) -> Result<Admitted, Problem> {
    let config = &gateway.config;
    let tenants = &gateway.tenants;
    let is_open = is_open(gateway, head).await;
    if !is_open
        && !access::shows_bearer(&head.headers)
        && let Some(proof) = gateway.identities.forwarded(head, is_trusted(head, config))
    {
        return welcome(gateway, head, &proof).await;
    }
    let shown = match access::admit(&head.headers, config, is_open)? {
        Shown::Nothing => return Ok(Admitted::default()),
        Shown::Known(key) => {
            return Ok(Admitted {
                key: Some(key),
                ..Admitted::default()
            });
        }
        Shown::Unknown(shown) => shown,
    };
    match Token::parse(&shown).map(|token| (token.kind(), token)) {
        Ok((TokenKind::Client, token)) => {
            let tenant = find(gateway, &token).await.ok_or_else(access::unknown_key)?;
            enter(gateway, head, tenant, None)
        }
        Ok((TokenKind::Admin, _)) => {
            let message = "This is a key for administration, which models can't be asked with.";
            Err(Problem::new(403, ProblemKind::Permission, message).with_code("admin_key"))
        }
        Err(_) if gateway.identities.concerns(&shown) => {
            let with = With {
                client: &gateway.client,
                pepper: tenants.pepper(),
                store: tenants.store(),
                public_url: config.public_url.as_deref(),
                has_iam: logins(gateway).has_iam(),
            };
            let proof = gateway.identities.prove(&with, &shown, head, now()).await?;
            welcome(gateway, head, &proof).await
        }
        Err(_) => Err(access::unknown_key()),
    }
}

/// Whether anyone is let in: there is no key, and never was one. Another instance may just have made the first one, so who
/// comes with something that only makes sense where there are keys has the database looked into. A key of our form is
/// never let in unknown: it belongs to a database that isn't there.
pub(crate) async fn is_open(gateway: &Gateway, head: &Parts) -> bool {
    let (config, tenants) = (&gateway.config, &gateway.tenants);
    if config.is_closed || !config.api_keys.is_empty() || tenants.has_credentials() {
        return false;
    }
    let shown = access::shown_key(&head.headers).ok().flatten();
    let Some(shown) = shown.and_then(|shown| str::from_utf8(shown).ok()) else {
        return true;
    };
    let is_key = Token::parse(shown).is_ok();
    if tenants.store().is_none() || !is_key && !gateway.identities.concerns(shown) {
        return true;
    }
    tenants.refresh_for_unknown().await;
    !is_key && !tenants.has_credentials()
}

/// Lets in whoever has proved to be somebody that a login is for.
async fn welcome(gateway: &Gateway, head: &Parts, proof: &Proof) -> Result<Admitted, Problem> {
    let mut found = identity::find(&logins(gateway), proof, now());
    if found.is_err() {
        // The login may be new.
        gateway.tenants.refresh_for_unknown().await;
        found = identity::find(&logins(gateway), proof, now());
    }
    let identity = found?;
    let directory = gateway.tenants.directory();
    let entry = directory.by_id(&identity.credential_id);
    let tenant = entry.and_then(|entry| directory.tenant(entry));
    let tenant = tenant.ok_or_else(access::unknown_key)?;
    let admitted = enter(gateway, head, tenant, Some(identity.user.clone()))?;
    Ok(Admitted {
        identity: Some(identity),
        ..admitted
    })
}

fn logins(gateway: &Gateway) -> Arc<Logins> {
    let directory = gateway.tenants.directory();
    let credentials = directory.credentials().map(AsRef::as_ref);
    gateway.identities.logins(directory.version(), credentials)
}

/// Whose key it is. One that isn't known may be new.
async fn find(gateway: &Gateway, token: &Token) -> Option<Arc<Tenant>> {
    let tenants = &gateway.tenants;
    if tenants.directory().by_prefix(token.prefix()).is_none() {
        tenants.refresh_for_unknown().await;
    }
    let directory = tenants.directory();
    let entry = directory.by_prefix(token.prefix())?;
    let CredentialKind::Key { hash, .. } = &entry.credential.kind else {
        return None;
    };
    if *hash != tenants.pepper().hash(token) {
        return None;
    }
    directory.tenant(entry)
}

/// Lets in whoever has proved to be a tenant's, as far as the tenant allows it.
pub(crate) fn enter(
    gateway: &Gateway,
    head: &Parts,
    tenant: Arc<Tenant>,
    user: Option<String>,
) -> Result<Admitted, Problem> {
    if !tenant.is_active(now()) {
        return Err(over(&tenant));
    }
    let forbidden = |message: &str, code| Err(Problem::new(403, ProblemKind::Permission, message).with_code(code));
    if !tenant.rights.allow_address(client_address(head, &gateway.config)) {
        return forbidden("This API key may not be used from this network.", "network_not_allowed");
    }
    let own_prefix = gateway.config.route_prefix.as_deref();
    let is_allowed = tenant
        .rights
        .allow_endpoint(|| routes::endpoint_of(head.uri.path(), own_prefix));
    // A session may do what its login may, and no more: beginning one needs no right of its own.
    if !is_allowed && routes::endpoint_of(head.uri.path(), own_prefix) != "/v1/auth/session" {
        return forbidden(
            "This API key may not be used for this endpoint.",
            "endpoint_not_allowed",
        );
    }
    Ok(Admitted {
        key: Some(tenant.credential.id.clone()),
        tenant: Some(tenant),
        user,
        identity: None,
    })
}

/// Why a key that was right doesn't hold.
fn over(tenant: &Tenant) -> Problem {
    let has_expired = tenant.credential.expires_at.is_some_and(|end| end <= now());
    let (message, code) = match tenant.credential.status {
        outcrop_tenants::Status::Deleted => return access::unknown_key(),
        _ if has_expired => ("This API key has expired.", "expired_api_key"),
        outcrop_tenants::Status::Disabled => ("This API key is disabled.", "disabled_api_key"),
        outcrop_tenants::Status::Active => ("The project of this API key is disabled.", "disabled_project"),
    };
    access::refusal(message, code)
}
