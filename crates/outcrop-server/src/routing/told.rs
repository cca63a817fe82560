//! What a route is, as lists of models and mappings of names tell it.

use std::collections::BTreeSet;
use std::sync::Arc;

use outcrop_routing::{Fallbacks, Found, RouteTarget, Router, Strategy};
use outcrop_translate::Problem;
use outcrop_translate::resolve::{Step, Target, Unresolved};
use serde_json::{Map, Value, json};

/// The model that a target of a route asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is called in place of what the name means.
    pub model_id: Option<&'a str>,
    /// The region to which the target holds it.
    pub region: Option<&'a str>,
}

/// A route with what its targets mean.
#[derive(Debug)]
pub struct RouteView {
    name: String,
    strategy: Strategy,
    fallbacks: Fallbacks,
    targets: Vec<Meant>,
}

/// A target with what it means.
#[derive(Debug)]
pub(crate) struct Meant {
    /// The model that it asks for, by the operator's name.
    pub(crate) model: String,
    pub(crate) account: Option<String>,
    /// The region that is asked, where that is known.
    pub(crate) region: Option<String>,
    weight: u32,
    pub(crate) target: Result<Arc<Target>, Unresolved>,
}

impl RouteView {
    /// Looks at the route that `name` has. `region_of` tells the region of an account, or the gateway's own; `resolve`
    /// what a target asks for.
    pub fn new(
        router: &Router,
        found: &Found,
        name: &str,
        region_of: &dyn Fn(Option<&str>) -> Option<String>,
        resolve: &dyn Fn(Wanted<'_>) -> Result<Arc<Target>, Unresolved>,
    ) -> Self {
        let route = found.route();
        let meant = |(index, target): (usize, &RouteTarget)| {
            let model = found.model(index).unwrap_or_else(|| name.to_owned());
            let region = target.region.clone().or_else(|| region_of(target.account.as_deref()));
            let is_held = target.region.is_some() || target.account.is_some();
            let meant = resolve(Wanted {
                name: &model,
                model_id: target.model_id.as_deref(),
                region: region.as_deref().filter(|_| is_held),
            });
            let of_name = meant.as_ref().ok().and_then(|target| target.region.clone());
            Meant {
                model,
                account: target.account.clone(),
                region: of_name.or(region),
                weight: target.weight,
                target: meant,
            }
        };
        Self {
            name: route.name.clone(),
            strategy: route.strategy,
            fallbacks: router.fallbacks(Some(found)),
            targets: route.targets.iter().enumerate().map(meant).collect(),
        }
    }

    /// What is called where, by which account, of each target that means anything.
    pub fn calls(&self) -> impl Iterator<Item = (&Target, Option<&str>, Option<&str>)> {
        self.targets.iter().filter_map(|meant| {
            let target = meant.target.as_ref().ok()?;
            Some((&**target, meant.region.as_deref(), meant.account.as_deref()))
        })
    }

    /// What is asked after its targets.
    pub fn fallbacks(&self) -> &Fallbacks {
        &self.fallbacks
    }

    /// Its targets.
    pub(crate) fn targets(&self) -> &[Meant] {
        &self.targets
    }

    /// ARNs that must be looked up before it is known what targets mean.
    pub(crate) fn unknown_arns(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter_map(|meant| match &meant.target {
            Err(Unresolved::LookUp(arn)) => Some(arn.as_str()),
            _ => None,
        })
    }

    /// The regions that are asked.
    pub(crate) fn regions(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let regions = self.targets.iter().filter_map(|meant| meant.region.clone());
        regions.filter(|region| known.insert(region.clone())).collect()
    }

    /// What the first target means that means anything, with the route as its first step, and the region that is asked.
    ///
    /// # Errors
    /// What is wrong with the first target, if none means anything.
    pub fn first(&self) -> Result<(Target, Option<&str>), Problem> {
        let known = self.targets.iter().enumerate().find_map(|(index, meant)| {
            let target = meant.target.as_ref().ok()?;
            Some((index, meant, target))
        });
        if let Some((index, meant, target)) = known {
            let mut target = Target::clone(target);
            target.steps.insert(
                0,
                Step {
                    rule: "routing",
                    result: meant.model.clone(),
                    why: self.why(index),
                },
            );
            // An operator's rule may mean the route.
            if !self.name.contains('*') {
                target.names.push(self.name.clone());
            }
            return Ok((target, meant.region.as_deref()));
        }
        match self.targets.first().map(|meant| &meant.target) {
            Some(Err(Unresolved::Problem(problem))) => Err(problem.clone()),
            _ => Err(Problem::invalid("What is behind the model's ARN can't be told.")),
        }
    }

    fn why(&self, index: usize) -> String {
        let (name, strategy) = (&self.name, self.strategy.name());
        match self.targets.len() {
            1 => format!("the route '{name}': its only target"),
            all => format!("the route '{name}': target {} of {all}, {strategy}", index + 1),
        }
    }

    /// The route as JSON.
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("name".to_owned(), self.name.as_str().into());
        members.insert("strategy".to_owned(), self.strategy.name().into());
        let targets: Vec<Value> = self.targets.iter().map(|meant| self.target(meant)).collect();
        members.insert("targets".to_owned(), targets.into());
        for (name, models) in [
            ("fallbacks", &self.fallbacks.general),
            ("context_window_fallbacks", &self.fallbacks.context_window),
            ("content_policy_fallbacks", &self.fallbacks.content_policy),
        ] {
            if !models.is_empty() {
                members.insert(name.to_owned(), json!(models));
            }
        }
        members.into()
    }

    fn target(&self, meant: &Meant) -> Value {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        add("model", meant.model.as_str().into());
        match &meant.target {
            Ok(target) => add("resolves_to", target.model_id.as_str().into()),
            Err(Unresolved::Problem(problem)) => add("problem", problem.message.as_str().into()),
            Err(Unresolved::LookUp(arn)) => add("resolves_to", arn.as_str().into()),
        }
        add("region", meant.region.as_deref().into());
        add("account", meant.account.as_deref().into());
        if self.strategy == Strategy::Weighted {
            add("weight", meant.weight.into());
        }
        members.into()
    }
}
