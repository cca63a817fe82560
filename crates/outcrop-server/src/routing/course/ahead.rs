//! What may be asked after the first target, for those who want to know beforehand.

use outcrop_routing::RouteTarget;

use super::{Course, Leg};

/// A target, or a model without a route, that may be asked later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stop {
    /// What must have happened to those before.
    pub(crate) when: &'static str,
    /// The model that is asked for; `None` for the one that the request names.
    pub(crate) model: Option<String>,
    /// The target; `None` for a model without a route.
    pub(crate) target: Option<RouteTarget>,
}

impl Course {
    /// All that may be asked after what is asked now, in this order; of models for special cases, the targets alone.
    pub(crate) fn ahead(&self) -> Vec<Stop> {
        const FAILED: &str = "failed";
        let leg = &self.leg;
        let mut stops: Vec<Stop> = stops_of(leg, FAILED).skip(leg.at + 1).collect();
        let mut course = self.clone();
        let general = course.fallbacks().general;
        course.look_ahead(general);
        while let Some(name) = course.ahead.pop_front() {
            course.leg = course.named_leg(name);
            stops.extend(stops_of(&course.leg, FAILED));
            let general = course.fallbacks().general;
            course.look_ahead(general);
        }
        let fallbacks = self.fallbacks();
        for (when, names) in [
            ("context_window", fallbacks.context_window),
            ("content_policy", fallbacks.content_policy),
        ] {
            for name in names {
                stops.extend(stops_of(&self.named_leg(name), when));
            }
        }
        stops
    }

    /// The name that the request asks for, where names may mean something else.
    pub(crate) fn asked_name(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    fn named_leg(&self, name: String) -> Leg {
        let mut leg = self.leg_of(&name);
        leg.name = Some(name);
        leg
    }
}

/// The targets of a name, or the name itself.
fn stops_of<'a>(leg: &'a Leg, when: &'static str) -> impl Iterator<Item = Stop> + 'a {
    let name = leg.name.clone();
    let of_route = leg.order.iter().filter_map(move |index| {
        let found = leg.found.as_ref()?;
        Some(Stop {
            when,
            model: found.model(*index).or_else(|| leg.name.clone()),
            target: found.target(*index).cloned(),
        })
    });
    let itself = Stop {
        when,
        model: name,
        target: None,
    };
    of_route.chain(leg.found.is_none().then_some(itself))
}
