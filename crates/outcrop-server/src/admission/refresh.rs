//! Asking Service Quotas, once it is known where calls go to, and again after a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outcrop_translate::Catalogue;
use outcrop_upstream::Client;

use super::{Admission, by_model, now};

/// Quotas change when AWS grants more, which is seldom.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Accounts and regions that are asked of at the most: requests may name both.
const MAX_ASKED: usize = 1024;

/// Accounts and regions of which somebody has asked, and when.
#[derive(Debug, Default)]
pub(super) struct Asked {
    regions: Mutex<HashMap<String, HashMap<Option<String>, Instant>>>,
}

impl Asked {
    /// Whether it is time to ask; whoever is told so must do it.
    fn is_due(&self, account: Option<&str>, region: &str) -> bool {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(accounts) = regions.get_mut(region) {
            // No key is made for the account that calls are mostly made with.
            let known = match account {
                None => accounts.get(&None),
                Some(account) => accounts.get(&Some(account.to_owned())),
            };
            if known.is_some_and(|asked| now().saturating_duration_since(*asked) < MAX_AGE) {
                return false;
            }
        }
        if regions.values().map(HashMap::len).sum::<usize>() >= MAX_ASKED {
            regions.values_mut().for_each(|accounts| {
                accounts.retain(|_, asked| now().saturating_duration_since(*asked) < MAX_AGE);
            });
            regions.retain(|_, accounts| !accounts.is_empty());
            if regions.values().map(HashMap::len).sum::<usize>() >= MAX_ASKED {
                return false;
            }
        }
        let accounts = regions.entry(region.to_owned()).or_default();
        accounts.insert(account.map(str::to_owned), now());
        true
    }
}

impl Admission {
    /// Has Service Quotas asked for the quotas of an account in a region, if nobody has within the hour. Calls don't
    /// wait for it. What AWS doesn't permit isn't asked again before the hour is over either.
    pub(crate) fn refresh(
        self: &Arc<Self>,
        client: &Client,
        catalogue: &Arc<Catalogue>,
        account: Option<&str>,
        region: &str,
    ) {
        self.refresh_by(catalogue, account, region, |account, region| {
            let client = client.clone();
            async move {
                let asked = client.bedrock_quotas(account.as_deref(), &region).await;
                let quotas = asked.map_err(|error| error.to_string())?;
                Ok(quotas.into_iter().map(|quota| (quota.name, quota.value)).collect())
            }
        });
    }

    /// The same, by whatever `ask` does.
    pub(super) fn refresh_by<F>(
        self: &Arc<Self>,
        catalogue: &Arc<Catalogue>,
        account: Option<&str>,
        region: &str,
        ask: impl FnOnce(Option<String>, String) -> F,
    ) where
        F: Future<Output = Result<Vec<(String, f64)>, String>> + Send + 'static,
    {
        if !self.asked.is_due(account, region) {
            return;
        }
        let (account, region) = (account.map(str::to_owned), region.to_owned());
        let asking = ask(account.clone(), region.clone());
        let (admission, catalogue) = (Arc::clone(self), Arc::clone(catalogue));
        tokio::spawn(async move {
            match asking.await {
                Ok(told) => {
                    let told = told.iter().map(|(name, value)| (name.as_str(), *value));
                    let quotas = by_model(&catalogue, told);
                    tracing::info!(?account, region, models = quotas.len(), "quotas are known");
                    admission.ledger.set_quotas(account.as_deref(), &region, quotas);
                }
                Err(error) => {
                    tracing::warn!(
                        ?account,
                        region,
                        error,
                        "Service Quotas doesn't tell; quotas are learned instead"
                    );
                }
            }
        });
    }
}
