//! Who can call: the client itself, the accounts that are configured, and those that calls bring with them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::auth::Auth;
use crate::aws::Aws;
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::login;
use crate::place::{Configured, Places};
use crate::sdk::region_of_profile;
use crate::sts::Desk;

/// Accounts that calls brought with them are forgotten when nobody has used them for so long…
const ADOPTED_FOR: Duration = Duration::from_secs(15 * 60);
/// … and the longest unused one, where there are so many.
const MAX_ADOPTED: usize = 1024;

/// Somebody who calls, and where to.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The account's name; `None` for the client itself.
    pub(crate) name: Option<String>,
    pub(crate) auth: Auth,
    pub(crate) places: Places,
    pub(crate) desk: Desk,
}

impl Identity {
    /// An error of credentials says whose.
    pub(crate) fn named(&self, error: Error) -> Error {
        match (error, &self.name) {
            (Error::Credentials(message), Some(name)) => Error::Credentials(format!("account '{name}': {message}")),
            (error, _) => error,
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Identities {
    pub(crate) own: Identity,
    accounts: HashMap<String, Identity>,
    adopted: Mutex<HashMap<String, Adopted>>,
}

#[derive(Debug)]
struct Adopted {
    identity: Arc<Identity>,
    used: Instant,
}

/// The one that a call names.
pub(crate) enum Chosen<'a> {
    Kept(&'a Identity),
    Adopted(Arc<Identity>),
}

impl Deref for Chosen<'_> {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        match self {
            Self::Kept(identity) => identity,
            Self::Adopted(identity) => identity,
        }
    }
}

impl Identities {
    /// The client itself and its accounts.
    ///
    /// # Errors
    /// When what an account says doesn't fit together.
    pub(crate) async fn new(aws: &Arc<Aws>, own: Identity, accounts: &[Account]) -> Result<Self, ConfigError> {
        let mut identities = Self {
            own,
            accounts: HashMap::new(),
            adopted: Mutex::default(),
        };
        let mut waiting: Vec<&Account> = Vec::new();
        for account in accounts {
            if account.name.is_empty() {
                return Err(ConfigError::Account {
                    account: String::new(),
                    problem: "it has no name".to_owned(),
                });
            }
            if waiting.iter().any(|other| other.name == account.name) {
                return Err(ConfigError::SameAccount(account.name.clone()));
            }
            waiting.push(account);
        }
        for account in accounts {
            if let Some(source) = &account.source_account
                && !accounts.iter().any(|other| other.name == *source)
            {
                return Err(ConfigError::NoSourceAccount {
                    account: account.name.clone(),
                    source_account: source.clone(),
                });
            }
        }
        // Sources first. Where none is left whose source is there, the rest go round in circles.
        while !waiting.is_empty() {
            let ready = waiting.iter().position(|account| {
                let source = account.source_account.as_ref();
                source.is_none_or(|source| identities.accounts.contains_key(source))
            });
            let Some(ready) = ready else {
                return Err(ConfigError::CircularAccount(waiting[0].name.clone()));
            };
            let account = waiting.remove(ready);
            let identity = identities.identity(aws, account).await?;
            identities.accounts.insert(account.name.clone(), identity);
        }
        Ok(identities)
    }

    /// The identity that a call names.
    pub(crate) fn choose(&self, name: Option<&str>) -> Result<Chosen<'_>, Error> {
        let Some(name) = name else {
            return Ok(Chosen::Kept(&self.own));
        };
        if let Some(identity) = self.accounts.get(name) {
            return Ok(Chosen::Kept(identity));
        }
        let mut adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        match adopted.get_mut(name) {
            Some(adopted) => {
                adopted.used = Instant::now();
                Ok(Chosen::Adopted(Arc::clone(&adopted.identity)))
            }
            None => Err(Error::Account(name.to_owned())),
        }
    }

    /// One that is configured.
    pub(crate) fn configured(&self, name: Option<&str>) -> Option<&Identity> {
        match name {
            Some(name) => self.accounts.get(name),
            None => Some(&self.own),
        }
    }

    /// Takes up an account that a call brings; `account.name` is that of its contents. What is known already stays as
    /// it is, with its credentials.
    pub(crate) async fn adopt(&self, aws: &Arc<Aws>, account: &Account) -> Result<(), ConfigError> {
        let is_known = |adopted: &mut HashMap<String, Adopted>| {
            let known = adopted.get_mut(&account.name);
            known.map(|known| known.used = Instant::now()).is_some()
        };
        if is_known(&mut self.adopted.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let identity = Arc::new(self.identity(aws, account).await?);
        let mut adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        if is_known(&mut adopted) {
            return Ok(());
        }
        adopted.retain(|_, adopted| adopted.used.elapsed() < ADOPTED_FOR);
        if adopted.len() >= MAX_ADOPTED {
            let oldest = adopted.iter().min_by_key(|(_, adopted)| adopted.used);
            let oldest = oldest.map(|(name, _)| name.clone()).unwrap_or_default();
            adopted.remove(&oldest);
        }
        let used = Instant::now();
        adopted.insert(account.name.clone(), Adopted { identity, used });
        Ok(())
    }

    async fn identity(&self, aws: &Arc<Aws>, account: &Account) -> Result<Identity, ConfigError> {
        let of_account = |error: ConfigError| ConfigError::Account {
            account: account.name.clone(),
            problem: error.to_string(),
        };
        let of_profile = match (&account.region, &account.profile) {
            (None, Some(profile)) => region_of_profile(Some(profile)).await,
            _ => None,
        };
        let own = &self.own;
        let region = account.region.clone().or(of_profile);
        let region = region.unwrap_or_else(|| own.places.home().region.clone());
        let configured = own.places.configured();
        let endpoint = |of_account: &Option<String>, of_client: &Option<Endpoint>| match of_account {
            Some(url) => Endpoint::parse(url).map(Some),
            None => Ok(of_client.clone()),
        };
        let places = |()| {
            let configured = Configured {
                runtime: endpoint(&account.runtime_endpoint, &configured.runtime)?,
                control: endpoint(&account.control_endpoint, &configured.control)?,
                agent_runtime: endpoint(&account.agent_runtime_endpoint, &configured.agent_runtime)?,
                use_fips: account.use_fips.unwrap_or(configured.use_fips),
                use_dual_stack: account.use_dual_stack.unwrap_or(configured.use_dual_stack),
            };
            if let Some(url) = &account.sts_endpoint {
                Endpoint::parse(url)?;
            }
            Places::new(&region, configured)
        };
        let places = places(()).map_err(of_account)?;
        let desk = Desk {
            region,
            endpoint: account.sts_endpoint.clone(),
            use_fips: account.use_fips,
            use_dual_stack: account.use_dual_stack,
        };
        let source = match &account.source_account {
            None => None,
            Some(source) => match self.accounts.get(source) {
                Some(identity) => Some(&identity.auth),
                None => {
                    return Err(ConfigError::NoSourceAccount {
                        account: account.name.clone(),
                        source_account: source.clone(),
                    });
                }
            },
        };
        Ok(Identity {
            auth: login::auth(aws, account, &desk, &own.auth, source)?,
            name: Some(account.name.clone()),
            places,
            desk,
        })
    }
}
