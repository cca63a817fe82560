//! What translation is told of a request's model.

use std::sync::{Arc, PoisonError};

use outcrop_translate::policy::Policy;
use outcrop_translate::resolve::{Asked, Target, Unresolved};
use outcrop_translate::{Advisor, Lesson, Problem, ProblemKind};

use super::Inquiry;

impl Advisor for Inquiry {
    fn note_user(&self, user: &str) {
        self.tally.note_user(user);
    }

    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        let mut kept = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = &*kept {
            return Ok(Arc::clone(target));
        }
        self.tally.note_model(asked.name);
        let gateway = &self.gateway;
        let routed = self.course.model();
        let tenant = self.caller.tenant.as_deref();
        let alias = tenant.and_then(|tenant| tenant.alias(asked.name));
        let target = self.course.target();
        let said = asked.name;
        let asked = Asked {
            name: routed.as_deref().or(alias).unwrap_or(asked.name),
            model_id: target.and_then(|target| target.model_id.as_deref()).or(asked.model_id),
            is_restricted: tenant.is_some_and(|tenant| tenant.rights.restricts_models()),
            ..*asked
        };
        // The region of an account is as good as the target's own.
        let region = target.filter(|target| target.region.is_some() || target.account.is_some());
        let region = self
            .asked_region()
            .or_else(|| region.map(|target| self.region_of(target)));
        let resolved = gateway
            .names
            .resolve(&asked, &gateway.config, gateway.client.region(), region)?;
        if let Some(tenant) = tenant {
            let others = [self.course.route_name(), alias.map(|_| said)];
            let others: Vec<&str> = others.into_iter().flatten().collect();
            gateway.tenants.check_model(tenant, said, &resolved, &others)?;
            // The first model was let through by its price. A fallback without one would cost nothing.
            if self.tally.is_let_through() && tenant.has_hard_budget() {
                let region = region.unwrap_or(gateway.client.region());
                gateway
                    .config
                    .catalogue
                    .tariff(&resolved, region)
                    .ok_or_else(no_price)?;
            }
        }
        self.tally.note_target(&resolved);
        *kept = Some(Arc::clone(&resolved));
        Ok(resolved)
    }

    fn policy(&self, names: &[&str], is_opaque: bool) -> Policy {
        let policies = &self.gateway.config.policies;
        let key = self.caller.key.as_deref();
        let tenant = self.caller.tenant.as_deref();
        let nearest = tenant.map(|tenant| &tenant.policy);
        let mut policy = match self.course.route_name() {
            // An operator's rule may mean the route.
            Some(route) => policies.resolve(&[names, &[route]].concat(), is_opaque, key, nearest),
            None => policies.resolve(names, is_opaque, key, nearest),
        };
        if let Some(tenant) = tenant {
            policy.is_guardrail_fixed = tenant.policy.guardrail.is_some();
            policy.request_metadata = Arc::clone(&tenant.metadata);
        }
        if let Some(guardrail) = &self.caller.guardrail {
            policy.guardrail = Some(guardrail.clone());
        }
        if let Some(on_unsupported) = self.caller.on_unsupported {
            policy.on_unsupported = on_unsupported;
        }
        policy
    }

    fn lessons(&self, model_id: &str) -> Vec<Lesson> {
        let mut lessons = self.gateway.learned.of(model_id);
        lessons.extend(self.taught.iter().map(|teaching| teaching.lesson.clone()));
        lessons
    }
}

/// What becomes of a fallback that nobody knows the price of; the client is told what failed before it.
fn no_price() -> Problem {
    let message = "There is a budget, and the gateway knows no price of this model.";
    Problem::new(429, ProblemKind::Quota, message).with_code("insufficient_quota")
}
