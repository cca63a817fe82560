//! `[[issuers]]`: who issues tokens (OIDC, JWT) that somebody may log in with.

use std::time::Duration;

use outcrop_server::{Issuer, JwtAlgorithm, is_trustworthy};

use super::kind::{Kind, RawTable};
use super::kinds::{Audience, BaseUrl, Label, List, TokenAlgorithm};
use super::layers::Origin;
use super::problem::Problems;
use super::rows::{Key, Reader, Shown};

/// The key in the file.
pub(super) const ISSUERS: &str = "issuers";

/// By how much clocks differ, unless something else is said.
const LEEWAY: Duration = Duration::from_secs(60);
/// A longer one would make a token's end mean nothing.
const LONGEST_LEEWAY: Duration = Duration::from_secs(10 * 60);

/// The keys of a table.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "issuer",
        about: "The claim `iss` of its tokens, to the letter; its configuration is found below it.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "audiences",
        about: "What the claim `aud` may be, of which a token must have one.",
        schema: <List<Audience> as Kind>::schema,
    },
    Key {
        name: "jwks_url",
        about: "Where its public keys are. Where it is not set, `/.well-known/openid-configuration` says it.",
        schema: <BaseUrl as Kind>::schema,
    },
    Key {
        name: "algorithms",
        about: "What it signs with: `RS256` and `ES256` if absent; also `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES384`, `EdDSA`.",
        schema: <List<TokenAlgorithm> as Kind>::schema,
    },
    Key {
        name: "leeway",
        about: "By how much its clock and the gateway's may differ: 60 s if absent, at most 10 min.",
        schema: <Duration as Kind>::schema,
    },
    Key {
        name: "user_claim",
        about: "The claim that names the user, such as `email`; `sub` if absent.",
        schema: <Label as Kind>::schema,
    },
];

/// One table, in order.
#[derive(Clone, Debug)]
pub(crate) struct IssuerTable {
    /// For the server.
    pub(crate) issuer: Issuer,
    pub(super) shown: Shown,
    pub(super) origin: Origin,
}

/// Reads one table. `None` only if a problem was added.
pub(super) fn read(table: &RawTable, problems: &mut Problems) -> Option<IssuerTable> {
    let mut reader = Reader::new(ISSUERS, table, KEYS, problems);
    let name = reader.need::<Label>("issuer").map(Label::into_string);
    let audiences = reader.need::<List<Audience>>("audiences");
    let jwks_url = reader.take::<BaseUrl>("jwks_url").map(|url| url.as_str().to_owned());
    let algorithms = reader.take::<List<TokenAlgorithm>>("algorithms");
    let leeway = reader.take::<Duration>("leeway").unwrap_or(LEEWAY);
    let user_claim = reader.take::<Label>("user_claim").map(Label::into_string);
    if leeway > LONGEST_LEEWAY {
        reader.complain("leeway", "at most 10 min");
    }
    if audiences.as_ref().is_some_and(|audiences| audiences.is_empty()) {
        reader.complain("audiences", "name one; without any, tokens for other services would do");
    }
    if algorithms.as_ref().is_some_and(|algorithms| algorithms.is_empty()) {
        reader.complain("algorithms", "name one, or leave it out");
    }
    let insecure = "expected an `https://` URL, or `http://` on this machine";
    match &jwks_url {
        Some(url) if !is_trustworthy(url) => reader.complain("jwks_url", insecure),
        None if name.as_ref().is_some_and(|name| !is_trustworthy(name)) => reader.complain("issuer", insecure),
        _ => {}
    }
    let usual = [JwtAlgorithm::Rs256, JwtAlgorithm::Es256];
    Some(IssuerTable {
        issuer: Issuer {
            issuer: name?,
            audiences: audiences?.iter().map(ToString::to_string).collect(),
            jwks_url,
            algorithms: algorithms.map_or(usual.to_vec(), |list| {
                list.iter().map(|algorithm| algorithm.0).collect()
            }),
            leeway_seconds: leeway.as_secs(),
            user_claim,
        },
        shown: reader.shown,
        origin: table.origin.clone(),
    })
}

/// What is wrong with several together.
pub(super) fn check_all(tables: &[IssuerTable], problems: &mut Problems) {
    for (index, table) in tables.iter().enumerate() {
        let name = &table.issuer.issuer;
        if let Some(first) = tables[..index].iter().find(|other| other.issuer.issuer == *name) {
            let message = format!(
                "issuers.issuer: there is an issuer {name:?} already, at {}",
                first.origin
            );
            problems.add(table.origin.clone(), message);
        }
    }
}
