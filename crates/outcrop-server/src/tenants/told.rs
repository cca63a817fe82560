//! What a tenant is told of routes: no more than it may ask for.

use outcrop_translate::catalogue::Catalogue;
use serde_json::Value;

use super::{Tenant, Tenants};

impl Tenants {
    /// Takes out of what is told of a route what a tenant may not ask: targets that are another organization's, or that its
    /// rights leave out.
    pub(crate) fn hide_targets(&self, tenant: &Tenant, catalogue: &Catalogue, route: &mut Value) {
        let name = route["name"].as_str().map(ToOwned::to_owned);
        if let Some(Value::Array(targets)) = route.get_mut("targets") {
            targets.retain(|target| {
                let names = [target["model"].as_str(), target["resolves_to"].as_str()];
                self.may_be_told(tenant, catalogue, names, name.as_deref())
            });
        }
        for kind in ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"] {
            if let Some(Value::Array(models)) = route.get_mut(kind) {
                models.retain(|model| self.may_be_told(tenant, catalogue, [model.as_str(), None], None));
            }
        }
    }

    /// Whether a tenant may know that there is a target: by the name that the operator gives it, and what is called.
    /// `route` is the route that it is of.
    pub(crate) fn may_be_told(
        &self,
        tenant: &Tenant,
        catalogue: &Catalogue,
        names: [Option<&str>; 2],
        route: Option<&str>,
    ) -> bool {
        let directory = self.directory();
        let bases = names.map(|name| name.and_then(|name| catalogue.base_id(name)));
        let all = names.into_iter().chain(bases).flatten();
        let others: Vec<&str> = route.into_iter().collect();
        tenant.rights.allow_names(all, &others, false)
            && names.into_iter().flatten().all(|name| directory.may_call(tenant, name))
    }
}
