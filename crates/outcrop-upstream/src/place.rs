//! Where calls go: the home region, and others that a call names.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use outcrop_bedrock::call::Operation;

use crate::config::ConfigError;
use crate::endpoint::{Endpoint, Service};
use crate::error::Error;
use crate::sign::Signer;

/// More regions than AWS has. A client may make up some, so the table must not grow without end.
const MAX_PLACES: usize = 64;

/// A region with its endpoints and its signer.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) runtime: Endpoint,
    pub(crate) control: Endpoint,
    pub(crate) agent_runtime: Endpoint,
    pub(crate) signer: Signer,
}

/// What the configuration says of endpoints, whatever the region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configured {
    /// An address that stands for the runtime in each region: a proxy, a VPC endpoint, a simulator.
    pub(crate) runtime: Option<Endpoint>,
    /// The same for the control plane.
    pub(crate) control: Option<Endpoint>,
    /// The same for the agent runtime.
    pub(crate) agent_runtime: Option<Endpoint>,
    pub(crate) use_fips: bool,
    pub(crate) use_dual_stack: bool,
}

/// The home region, and others once they were called.
#[derive(Debug)]
pub(crate) struct Places {
    home: Arc<Place>,
    configured: Configured,
    others: RwLock<HashMap<String, Arc<Place>>>,
}

impl Places {
    pub(crate) fn new(region: &str, configured: Configured) -> Result<Self, ConfigError> {
        Ok(Self {
            home: Arc::new(configured.place(region)?),
            configured,
            others: RwLock::default(),
        })
    }

    /// What is configured of endpoints.
    pub(crate) fn configured(&self) -> &Configured {
        &self.configured
    }

    /// The region that is called where a call names no other.
    pub(crate) fn home(&self) -> &Place {
        &self.home
    }

    /// The place of a region; the home for none.
    pub(crate) fn of(&self, region: Option<&str>) -> Result<Arc<Place>, Error> {
        let Some(region) = region.filter(|region| *region != self.home.region) else {
            return Ok(Arc::clone(&self.home));
        };
        let known = self
            .others
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(region)
            .cloned();
        if let Some(place) = known {
            return Ok(place);
        }
        let place = self
            .configured
            .place(region)
            .map_err(|error| Error::Sign(error.to_string()))?;
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever makes up regions must not keep others from being called.
        if others.len() >= MAX_PLACES {
            others.clear();
        }
        Ok(Arc::clone(others.entry(region.to_owned()).or_insert(Arc::new(place))))
    }
}

impl Place {
    /// Where calls of this operation go.
    pub(crate) fn endpoint(&self, operation: Operation) -> &Endpoint {
        match operation {
            Operation::Rerank => &self.agent_runtime,
            _ => &self.runtime,
        }
    }
}

impl Configured {
    fn place(&self, region: &str) -> Result<Place, ConfigError> {
        let endpoint = |service, fixed: &Option<Endpoint>| match fixed {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Endpoint::of_region(service, region, self.use_fips, self.use_dual_stack),
        };
        Ok(Place {
            runtime: endpoint(Service::Runtime, &self.runtime)?,
            control: endpoint(Service::Control, &self.control)?,
            agent_runtime: endpoint(Service::AgentRuntime, &self.agent_runtime)?,
            signer: Signer::new(region),
            region: region.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_region_has_endpoints_of_its_own_unless_one_is_configured() {
        let places = Places::new("us-east-1", Configured::default()).unwrap();
        let address = |place: &Place| place.runtime.uri("/").unwrap().to_string();
        assert_eq!(
            address(places.home()),
            "https://bedrock-runtime.us-east-1.amazonaws.com/"
        );
        let other = places.of(Some("eu-west-1")).unwrap();
        assert_eq!(address(&other), "https://bedrock-runtime.eu-west-1.amazonaws.com/");
        assert!(Arc::ptr_eq(&other, &places.of(Some("eu-west-1")).unwrap()));
        assert!(places.of(Some("evil.example/")).is_err());

        let ranking = other.endpoint(Operation::Rerank).uri("/").unwrap().to_string();
        assert_eq!(ranking, "https://bedrock-agent-runtime.eu-west-1.amazonaws.com/");

        let configured = Configured {
            runtime: Some(Endpoint::parse("http://127.0.0.1:9").unwrap()),
            ..Configured::default()
        };
        let places = Places::new("us-east-1", configured).unwrap();
        let other = places.of(Some("eu-west-1")).unwrap();
        assert_eq!(address(&other), "http://127.0.0.1:9/");
        assert_eq!(other.region, "eu-west-1");
    }
}
