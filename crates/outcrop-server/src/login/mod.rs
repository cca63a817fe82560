//! Who Bedrock is asked as, and where, where a request says it itself: the members `aws_…` of its body, as LiteLLM takes
//! them. Only those that the operator allows are looked at. They are taken out before anybody else sees the body; those
//! that stay in it are refused by whoever plans the request.

mod check;

use std::fmt;

use bytes::Bytes;
use outcrop_bedrock::json::{Fault, Kind, ObjectWriter, Reader};
use outcrop_translate::{Form, Input, Problem, ProblemKind};
use outcrop_upstream::Account;

use crate::exchange::Gateway;
use crate::iam::partition;
use crate::tenants::Tenant;

/// The parameters that an operator may allow.
pub const REQUEST_AWS_PARAMETERS: [&str; 11] = [
    "aws_region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_role_name",
    "aws_session_name",
    "aws_external_id",
    "aws_web_identity_token",
    "aws_profile_name",
    "aws_sts_endpoint",
    "aws_bedrock_runtime_endpoint",
];

/// What a request says of who Bedrock is asked as, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Login {
    /// The account that was taken up for it; `None` where it says no more than a region.
    pub(crate) account: Option<String>,
    /// The region.
    pub(crate) region: Option<String>,
    /// Whether the operator has said so of the caller's key, and not the request.
    pub(crate) is_tenants: bool,
    /// Whether the credentials are the client's own, so that it pays AWS itself.
    pub(crate) is_clients: bool,
}

/// Who Bedrock is asked as for a caller: as the request says, where it may, else as is said of the caller's key.
///
/// # Errors
/// When the role of the key can't be taken up.
pub(crate) async fn of_tenant(
    gateway: &Gateway,
    said: Option<Login>,
    tenant: Option<&Tenant>,
) -> Result<Option<Login>, Problem> {
    let Some(tenant) = tenant.filter(|tenant| tenant.has_own_login()) else {
        return Ok(said);
    };
    if said.as_ref().is_some_and(|said| said.account.is_some()) {
        return Ok(said);
    }
    let account = match &tenant.role {
        None => tenant.account.clone(),
        Some(role) => Some(gateway.client.adopt((**role).clone()).await.map_err(|error| {
            tracing::error!(%error, project = tenant.project.id, "the role of a project can't be used");
            let message = "The AWS role of this API key can't be used.";
            Problem::new(502, ProblemKind::Server, message).with_code("upstream_credentials")
        })?),
    };
    Ok(Some(Login {
        account,
        region: said.and_then(|said| said.region).or_else(|| tenant.region.clone()),
        is_tenants: true,
        is_clients: false,
    }))
}

/// The parameters of one request, by their places in the list.
#[derive(Default)]
struct Said([Option<String>; REQUEST_AWS_PARAMETERS.len()]);

impl fmt::Debug for Said {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = REQUEST_AWS_PARAMETERS.iter().zip(&self.0);
        f.debug_set()
            .entries(names.filter(|(_, value)| value.is_some()).map(|(name, _)| name))
            .finish()
    }
}

impl Said {
    fn get(&self, name: &str) -> Option<&str> {
        let place = REQUEST_AWS_PARAMETERS.iter().position(|known| *known == name)?;
        self.0.get(place)?.as_deref()
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        let place = REQUEST_AWS_PARAMETERS.iter().position(|known| *known == name);
        if let Some(slot) = place.and_then(|place| self.0.get_mut(place)) {
            *slot = value;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// Takes out of a JSON body what it says of who Bedrock is asked as.
///
/// # Errors
/// When that can't be.
pub(crate) async fn take_from_json(gateway: &Gateway, body: Bytes) -> Result<(Bytes, Option<Login>), Problem> {
    let allowed = &gateway.config.request_aws_parameters;
    if allowed.is_empty() {
        return Ok((body, None));
    }
    let mut said = Said::default();
    match without_parameters(&body, allowed, &mut said)? {
        Some(rest) => Ok((rest, login(gateway, &said).await?)),
        None => Ok((body, None)),
    }
}

/// The same for a body that may be a form.
///
/// # Errors
/// When that can't be.
pub(crate) async fn take_from_input(gateway: &Gateway, input: Input) -> Result<(Input, Option<Login>), Problem> {
    let allowed = &gateway.config.request_aws_parameters;
    match input {
        Input::Json(body) => {
            let (body, login) = take_from_json(gateway, body).await?;
            Ok((Input::Json(body), login))
        }
        Input::Form(form) if allowed.is_empty() => Ok((Input::Form(form), None)),
        Input::Form(mut form) => {
            let mut said = Said::default();
            take_from_form(&mut form, allowed, &mut said)?;
            Ok((Input::Form(form), login(gateway, &said).await?))
        }
    }
}

/// The body without the parameters that are allowed; `None` if it has none. What is no object has none, and whoever
/// reads it in earnest says what is wrong with it.
fn without_parameters(body: &Bytes, allowed: &[String], said: &mut Said) -> Result<Option<Bytes>, Problem> {
    if !has_any(body, allowed).unwrap_or_default() {
        return Ok(None);
    }
    let mut extra = Said::default();
    let mut wrong = None;
    let mut rest = Vec::with_capacity(body.len());
    let read = strip(body, allowed, &mut rest, said, &mut wrong, Some(&mut extra));
    if let Some(name) = wrong {
        return Err(check::invalid(name, "must be a string"));
    }
    read?;
    // As everywhere, the members of `extra_body` win.
    for (value, extra) in said.0.iter_mut().zip(extra.0) {
        *value = extra.or_else(|| value.take());
    }
    Ok(Some(rest.into()))
}

/// Whether a body, or its `extra_body`, has parameters that are allowed.
fn has_any(body: &[u8], allowed: &[String]) -> Result<bool, Fault> {
    let mut has_any = false;
    Reader::document(body, |reader| {
        reader.object(|key, value| {
            if key == "extra_body" && value.kind()? == Kind::Object {
                return value.object(|key, value| {
                    has_any |= known(key, allowed).is_some();
                    value.skip()
                });
            }
            has_any |= known(key, allowed).is_some();
            value.skip()
        })
    })?;
    Ok(has_any)
}

/// Writes the members of an object but for the parameters, which are noted. `wrong` is the name of one that is no text;
/// those within `extra_body` are noted in `extra`.
fn strip(
    object: &[u8],
    allowed: &[String],
    rest: &mut Vec<u8>,
    said: &mut Said,
    wrong: &mut Option<&'static str>,
    mut extra: Option<&mut Said>,
) -> Result<(), Fault> {
    let mut read = Ok(());
    ObjectWriter::write(rest, |writer| {
        read = Reader::document(object, |reader| {
            reader.object(|key, value| {
                if let Some(name) = known(key, allowed) {
                    match value.kind()? {
                        Kind::String => said.set(name, Some(value.string()?.into_owned())),
                        Kind::Null => value.skip()?,
                        _ => {
                            *wrong = Some(name);
                            value.skip()?;
                        }
                    }
                    return Ok(());
                }
                let is_extra = key == "extra_body" && value.kind()? == Kind::Object;
                let value = value.json()?;
                match extra.as_deref_mut().filter(|_| is_extra) {
                    Some(extra) => strip(value.as_str().as_bytes(), allowed, writer.key(key), extra, wrong, None)?,
                    None => writer.field(key, &value),
                }
                Ok(())
            })
        });
    });
    read
}

/// Takes the fields out of a form.
fn take_from_form(form: &mut Form, allowed: &[String], said: &mut Said) -> Result<(), Problem> {
    let mut wrong = None;
    form.parts.retain(|part| {
        let Some(name) = known(&part.name, allowed) else {
            return true;
        };
        match std::str::from_utf8(&part.bytes) {
            Ok(text) => said.set(name, Some(text.to_owned())),
            Err(_) => wrong = Some(name),
        }
        false
    });
    match wrong {
        Some(name) => Err(check::invalid(name, "must be text")),
        None => Ok(()),
    }
}

/// The parameter of this name, if it is allowed.
fn known(name: &str, allowed: &[String]) -> Option<&'static str> {
    let known = REQUEST_AWS_PARAMETERS.into_iter().find(|known| *known == name)?;
    allowed.iter().any(|allowed| allowed == name).then_some(known)
}

/// Who Bedrock is asked as; `None` if nothing is said.
async fn login(gateway: &Gateway, said: &Said) -> Result<Option<Login>, Problem> {
    if said.is_empty() {
        return Ok(None);
    }
    check::all(said)?;
    let region = said.get("aws_region_name");
    if let Some(region) = region {
        let rules = &gateway.config.names;
        check_region(region, gateway.client.region(), &rules.allowed_regions)?;
    }
    let mut login = Login {
        account: None,
        region: region.map(ToOwned::to_owned),
        is_tenants: false,
        is_clients: said.get("aws_access_key_id").is_some() || said.get("aws_web_identity_token").is_some(),
    };
    if let Some(account) = account(said) {
        let adopted = gateway.client.adopt(account).await;
        // What the error says of an account may quote the request.
        login.account = Some(adopted.map_err(|error| {
            tracing::info!(%error, "the AWS parameters of a request can't be used");
            Problem::invalid("The AWS parameters of the request don't fit together.").with_code("invalid_value")
        })?);
    }
    Ok(Some(login))
}

/// The account of a request; `None` where it says no more than a region.
fn account(said: &Said) -> Option<Account> {
    use outcrop_upstream::Value::Literal;
    let is_region_alone = REQUEST_AWS_PARAMETERS
        .iter()
        .all(|name| *name == "aws_region_name" || said.get(name).is_none());
    if is_region_alone {
        return None;
    }
    let text = |name| said.get(name).map(ToOwned::to_owned);
    Some(Account {
        region: text("aws_region_name"),
        profile: text("aws_profile_name"),
        access_key_id: text("aws_access_key_id").map(Literal),
        secret_access_key: text("aws_secret_access_key").map(Literal),
        session_token: text("aws_session_token").map(Literal),
        role_arn: text("aws_role_name").map(Literal),
        role_session_name: text("aws_session_name").map(Literal),
        external_id: text("aws_external_id").map(Literal),
        web_identity_token: text("aws_web_identity_token").map(Literal),
        sts_endpoint: text("aws_sts_endpoint"),
        runtime_endpoint: text("aws_bedrock_runtime_endpoint"),
        ..Account::default()
    })
}

/// Whether a request may choose a region: the operator says which, else those of the gateway's partition.
fn check_region(region: &str, home: &str, allowed: &[String]) -> Result<(), Problem> {
    let is_allowed = match allowed {
        _ if region == home => true,
        [] => partition(home) == partition(region),
        allowed => allowed.iter().any(|allowed| allowed == region),
    };
    if is_allowed {
        return Ok(());
    }
    let message = format!("The region {region} is not one of those that this gateway may call.");
    let problem = Problem::new(403, ProblemKind::Permission, message);
    Err(problem.with_code("region_not_allowed").with_param("aws_region_name"))
}

#[cfg(test)]
mod tests;
