//! Asks Bedrock for all its lists, in all configured regions, side by side.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use outcrop_bedrock::exception::Exception;
use outcrop_translate::Problem;
use outcrop_upstream::{
    Client, CustomModel, CustomModelDeployment, Error, FoundationModel, ImportedModel, InferenceProfile, Listed,
    ProvisionedModel,
};

use super::warning::Warning;
use crate::error;

/// As long as one list may take: those who wait for the page wait for the slowest.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Bedrock lists, by region; the gateway's own region comes first.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) regions: Vec<Region>,
}

/// What Bedrock lists in one region.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) foundation: List<FoundationModel>,
    pub(super) profiles: List<InferenceProfile>,
    pub(super) provisioned: List<ProvisionedModel>,
    pub(super) custom: List<CustomModel>,
    pub(super) deployments: List<CustomModelDeployment>,
    pub(super) imported: List<ImportedModel>,
}

/// One list: what was read of it, now or before, and what went wrong now.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    /// `None` if it was never read.
    pub(super) items: Option<Arc<Vec<T>>>,
    pub(super) failure: Option<Failure>,
}

/// Why a list can't be read.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Whether a permission is missing.
    pub(super) is_denied: bool,
    /// As clients are told.
    pub(super) problem: Problem,
    /// The name of AWS's exception, or what went wrong on the way.
    pub(super) reason: String,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: None,
            failure: None,
        }
    }
}

impl<T> List<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flat_map(|items| items.iter())
    }

    fn is_missing_for_good(&self) -> Option<&Failure> {
        self.failure
            .as_ref()
            .filter(|failure| self.items.is_none() && !failure.is_denied)
    }
}

impl Region {
    /// Why nothing at all is known of the region, beyond missing permissions.
    pub(super) fn unreachable(&self) -> Option<&Failure> {
        let failure = self.foundation.is_missing_for_good()?;
        self.profiles.is_missing_for_good().map(|_| failure)
    }
}

impl Gathered {
    /// Asks for all lists. What fails is taken from `last`, what was known before.
    pub(super) async fn ask(client: &Client, regions: &[String], last: Option<&Self>) -> Self {
        let asking = regions.iter().map(|name| async move {
            let known = last.and_then(|last| last.regions.iter().find(|region| region.name == *name));
            Region::ask(client, name, known).await
        });
        Self {
            regions: join_all(asking).await,
        }
    }

    /// What went wrong.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.regions.iter().flat_map(Region::warnings).collect()
    }

    /// Whether something failed that may soon succeed.
    pub(super) fn is_shaky(&self) -> bool {
        self.warnings().iter().any(|warning| !warning.is_denied)
    }

    /// Why nothing is known of any region.
    pub(super) fn problem(&self) -> Option<Problem> {
        let mut failures = self.regions.iter().map(Region::unreachable);
        let first = failures.next()??;
        failures.all(|failure| failure.is_some()).then(|| first.problem.clone())
    }
}

impl Region {
    async fn ask(client: &Client, name: &str, last: Option<&Self>) -> Self {
        let last = last.cloned().unwrap_or_default();
        let (foundation, profiles, provisioned, custom, deployments, imported) = futures_util::join!(
            read(client, name, last.foundation, true),
            read(client, name, last.profiles, true),
            read(client, name, last.provisioned, false),
            read(client, name, last.custom, false),
            read(client, name, last.deployments, false),
            read(client, name, last.imported, false),
        );
        Self {
            name: name.to_owned(),
            foundation,
            profiles,
            provisioned,
            custom,
            deployments,
            imported,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let region = self.name.as_str();
        let found = [
            Warning::of(
                region,
                &self.foundation,
                Some("the models of the catalogue, which the region may not have"),
            ),
            Warning::of(
                region,
                &self.profiles,
                Some("the profiles of the catalogue, which the region may not have"),
            ),
            Warning::of(region, &self.provisioned, None),
            Warning::of(region, &self.custom, None),
            Warning::of(region, &self.deployments, None),
            Warning::of(region, &self.imported, None),
        ];
        let is_unreachable = self.unreachable().is_some();
        let found = found.into_iter().flatten();
        // Nothing stands in for lists of a region that isn't there.
        found
            .map(|warning| {
                if is_unreachable {
                    warning.without_stand_in()
                } else {
                    warning
                }
            })
            .collect()
    }
}

/// Reads a list. Bedrock has those that are not `basic` in some regions only: where there is none, it is empty.
async fn read<T: Listed>(client: &Client, region: &str, last: List<T>, is_basic: bool) -> List<T> {
    let error = match tokio::time::timeout(PATIENCE, client.list::<T>(Some(region))).await {
        Ok(Ok(items)) => {
            return List {
                items: Some(Arc::new(items)),
                failure: None,
            };
        }
        Ok(Err(error)) if !is_basic && isnt_there(&error) => {
            tracing::debug!(region, operation = T::OPERATION, %error, "the region has no such list");
            return List {
                items: Some(Arc::default()),
                failure: None,
            };
        }
        Ok(Err(error)) => error,
        Err(_) => Error::Timeout {
            phase: "to list models",
            limit: PATIENCE,
        },
    };
    tracing::debug!(region, operation = T::OPERATION, %error, "a list can't be read");
    List {
        items: last.items,
        failure: Some(Failure {
            is_denied: matches!(
                error,
                Error::Service {
                    exception: Exception::AccessDenied,
                    ..
                }
            ),
            reason: match &error {
                Error::Service { name, .. } => name.clone(),
                _ => error::of_error(&error).message,
            },
            problem: error::of_error(&error),
        }),
    }
}

fn isnt_there(error: &Error) -> bool {
    match error {
        Error::Service { name, status, .. } => *status == 404 || name.starts_with("UnknownOperation"),
        _ => false,
    }
}
