//! `model_list`: its entries become targets, and those of one name a route.

use super::account::is_part;
use super::keys::fate;
use super::names::{bedrock_model, called, without_region};
use super::{Converter, as_text, as_texts, section};
use crate::settings::{Origin, Raw, RawTable, unquoted};

/// A route as it grows.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) origin: Origin,
    /// Strategy, affinity, fallbacks.
    pub(super) members: Vec<(String, Origin, Raw)>,
    pub(super) targets: Vec<Target>,
}

/// An entry.
#[derive(Clone)]
pub(super) struct Target {
    table: RawTable,
    order: Option<i64>,
    /// By `weight`, `rpm` and `tpm`, whichever counts.
    weights: [Option<i64>; 3],
}

impl Group {
    pub(super) fn into_table(mut self) -> RawTable {
        let name = ("name".to_owned(), self.origin.clone(), Raw::Text(self.name));
        self.members.insert(0, name);
        let targets = self
            .targets
            .into_iter()
            .map(|target| Raw::Table(target.table))
            .collect();
        self.members
            .push(("targets".to_owned(), self.origin.clone(), Raw::List(targets)));
        RawTable {
            origin: self.origin,
            members: self.members,
        }
    }

    /// The model of its first target, where that is one.
    pub(super) fn first_model(&self) -> Option<String> {
        let (_, model) = self.targets.first()?.table.get("model")?;
        as_text(model).filter(|model| !model.contains('*'))
    }
}

/// All entries so far, with what holds for each.
pub(super) struct Entries<'a> {
    groups: Vec<Group>,
    defaults: Option<&'a RawTable>,
    router: &'a RawTable,
    general: &'a RawTable,
    credentials: Vec<&'a RawTable>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(router: &'a RawTable, general: &'a RawTable, file: &'a RawTable) -> Self {
        let credentials = match file.get("credential_list") {
            Some((_, Raw::List(items))) => items
                .iter()
                .filter_map(|item| match item {
                    Raw::Table(table) => Some(table),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            groups: Vec::new(),
            defaults: section(router, "default_litellm_params"),
            router,
            general,
            credentials,
        }
    }

    /// Adds an entry, or says why not.
    pub(super) fn add(&mut self, converter: &mut Converter<'_>, entry: &RawTable) {
        let Some((origin, name)) = converter.text_of(entry, "model_name") else {
            converter.note(
                &entry.origin,
                "an entry of model_list without a `model_name` is left out".to_owned(),
            );
            return;
        };
        let Some(own) = section(entry, "litellm_params") else {
            converter.note(&origin, format!("{name:?} is left out: it has no `litellm_params`"));
            return;
        };
        converter.look_at_keys("litellm_params", own);
        let params = self.with_defaults(own);
        match converter.target(&name, &params, self) {
            Ok(target) => match self.groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.targets.push(target),
                None => self.groups.push(Group {
                    name,
                    origin,
                    members: Vec::new(),
                    targets: vec![target],
                }),
            },
            Err((origin, why)) => converter.note(&origin, format!("{name:?} is left out: {why}")),
        }
    }

    /// What the entry says, then its credential, then the router's defaults.
    fn with_defaults(&self, own: &RawTable) -> RawTable {
        let mut params = own.clone();
        let credential = own.get("litellm_credential_name").and_then(|(_, name)| as_text(name));
        let credential = self.credentials.iter().find(|known| {
            let name = known.get("credential_name").and_then(|(_, name)| as_text(name));
            name.is_some() && name == credential
        });
        let values = credential.and_then(|known| section(known, "credential_values"));
        for (key, origin, value) in values.into_iter().chain(self.defaults).flat_map(|table| &table.members) {
            if params.get(key).is_none() {
                params.members.push((key.clone(), origin.clone(), value.clone()));
            }
        }
        params
    }

    /// The routes, in the order in which they are tried: whole names before patterns, long patterns before short ones.
    pub(super) fn routes(mut self, converter: &mut Converter<'_>, router: &RawTable) -> Vec<Group> {
        let (strategy, strategy_origin) = converter.strategy(router);
        let affinity = converter.affinity(router);
        for group in &mut self.groups {
            let mut strategy = strategy;
            if group.targets.iter().any(|target| target.order.is_some()) {
                strategy = "ordered";
                group.targets.sort_by_key(|target| target.order.unwrap_or(i64::MAX));
            }
            if strategy == "weighted" {
                weigh(&mut group.targets);
            }
            let origin = strategy_origin.clone().unwrap_or_else(|| group.origin.clone());
            group
                .members
                .push(("strategy".to_owned(), origin, Raw::Text(strategy.to_owned())));
            let (affinity, origin) = &affinity;
            let origin = origin.clone().unwrap_or_else(|| group.origin.clone());
            group
                .members
                .push(("affinity".to_owned(), origin, Raw::Text((*affinity).to_owned())));
        }
        self.add_aliases(converter);
        self.groups
            .sort_by_key(|group| (group.name.contains('*'), std::cmp::Reverse(pattern_weight(&group.name))));
        self.groups
    }

    fn add_aliases(&mut self, converter: &mut Converter<'_>) {
        let Some(aliases) = section(self.router, "model_group_alias") else {
            return;
        };
        for (alias, origin, value) in &aliases.members {
            let model = match value {
                Raw::Table(table) => table.get("model").and_then(|(_, model)| as_text(model)),
                other => as_text(other),
            };
            let group = self.groups.iter().find(|group| Some(&group.name) == model.as_ref());
            match group.cloned() {
                Some(_) if self.groups.iter().any(|group| group.name == *alias) => {}
                Some(group) => self.groups.push(Group {
                    name: alias.clone(),
                    origin: origin.clone(),
                    ..group
                }),
                None => converter.note(
                    origin,
                    format!("{alias:?} is left out: what it means is not in model_list"),
                ),
            }
        }
    }
}

/// How much of a pattern is text; whole names keep their order.
fn pattern_weight(name: &str) -> usize {
    if name.contains('*') { name.len() } else { 0 }
}

/// Gives each target the weight that the first entry says by: the one that LiteLLM looks at.
fn weigh(targets: &mut [Target]) {
    let Some(first) = targets.first() else { return };
    let Some(by) = first.weights.iter().position(Option::is_some) else {
        return;
    };
    if targets.len() < 2 {
        return;
    }
    for target in targets {
        let weight = target.weights.get(by).copied().flatten().unwrap_or(0);
        let origin = target.table.origin.clone();
        target
            .table
            .members
            .push(("weight".to_owned(), origin, Raw::Integer(weight)));
    }
}

type Refused = (Origin, String);

impl Converter<'_> {
    fn target(&mut self, name: &str, params: &RawTable, entries: &Entries<'_>) -> Result<Target, Refused> {
        let Some((model_origin, model)) = self.text_of(params, "model") else {
            return Err((params.origin.clone(), "it names no `model`".to_owned()));
        };
        let region = self
            .text_of(params, "aws_region_name")
            .or_else(|| self.text_of(params, "region_name"));
        let custom = self.text_of(params, "custom_llm_provider").map(|(_, custom)| custom);
        let model_id = self.text_of(params, "model_id");
        let refused = |why| (model_origin.clone(), why);
        let mut model = bedrock_model(&model, custom.as_deref()).map_err(refused)?;
        if name == "*" && model == "bedrock/*" {
            "*".clone_into(&mut model);
        }
        if model.contains('*') && !name.contains('*') {
            return Err(refused(format!("its model is {model:?}, but its name has no `*`")));
        }
        if region.is_some() {
            model = without_region(&model);
        }
        let account = self.account(params).map_err(refused)?;

        let mut members = vec![("model".to_owned(), model_origin.clone(), Raw::Text(model.clone()))];
        let mut add = |key: &str, given: Option<(Origin, Raw)>| {
            members.extend(given.map(|(origin, value)| (key.to_owned(), origin, value)));
        };
        let texts = |given: &Option<(Origin, String)>| {
            given
                .as_ref()
                .map(|(origin, text)| (origin.clone(), Raw::Text(text.clone())))
        };
        add("model_id", texts(&model_id));
        add("region", texts(&region));
        add(
            "account",
            account.clone().map(|name| (params.origin.clone(), Raw::Text(name))),
        );
        let parallel = self
            .count_of(params, "max_parallel_requests")
            .or_else(|| self.count_of(entries.router, "default_max_parallel_requests"))
            .or_else(|| self.count_of(entries.general, "max_parallel_requests"));
        let parallel = parallel.filter(|(_, count)| *count > 0);
        add(
            "max_parallel_requests",
            parallel.map(|(origin, count)| (origin, Raw::Integer(count))),
        );
        let timeout = self.number_of(params, "timeout").filter(|(_, seconds)| *seconds > 0.0);
        add(
            "first_byte_timeout",
            timeout.map(|(origin, seconds)| (origin, super::seconds(seconds))),
        );
        let parameters = self.parameters(params).map_err(refused)?;
        add(
            "parameters",
            parameters.map(|table| (table.origin.clone(), Raw::Table(table))),
        );

        let limits = ["weight", "rpm", "tpm"].map(|key| self.count_of(params, key));
        let called = model_id.map_or_else(|| called(&model), |(_, id)| id);
        self.quota(&called, region.map(|(_, region)| region), account, &limits);
        Ok(Target {
            table: RawTable {
                origin: params.origin.clone(),
                members,
            },
            order: self.count_of(params, "order").map(|(_, order)| order),
            weights: limits.map(|limit| limit.map(|(_, number)| number)),
        })
    }

    /// All that is no key of LiteLLM's own.
    fn parameters(&self, params: &RawTable) -> Result<Option<RawTable>, String> {
        let mut members = Vec::new();
        for (key, origin, value) in &params.members {
            let key = match key.as_str() {
                "provider" => "model_provider",
                key if is_part(key) || fate("litellm_params", key).is_some() => continue,
                key => key,
            };
            let value = self.surroundings.within(value);
            let value = value.map_err(|name| format!("{key} is the variable {name}, which is not set"))?;
            members.push((key.to_owned(), origin.clone(), unquoted(key, value)));
        }
        let origin = members.first().map(|(_, origin, _)| origin.clone());
        Ok(origin.map(|origin| RawTable { origin, members }))
    }

    fn quota(
        &mut self,
        model: &str,
        region: Option<String>,
        account: Option<String>,
        [_, rpm, tpm]: &[Option<(Origin, i64)>; 3],
    ) {
        let Some((origin, _)) = rpm.as_ref().or(tpm.as_ref()) else {
            return;
        };
        let mut members = vec![("model".to_owned(), origin.clone(), Raw::Text(model.to_owned()))];
        for (key, text) in [("region", region), ("account", account)] {
            members.extend(text.map(|text| (key.to_owned(), origin.clone(), Raw::Text(text))));
        }
        for (key, limit) in [("requests_per_minute", rpm), ("tokens_per_minute", tpm)] {
            let limit = limit.as_ref().filter(|(_, number)| *number > 0);
            members.extend(limit.map(|(origin, number)| (key.to_owned(), origin.clone(), Raw::Integer(*number))));
        }
        self.out.tables.quotas.push(RawTable {
            origin: origin.clone(),
            members,
        });
    }

    fn strategy(&mut self, router: &RawTable) -> (&'static str, Option<Origin>) {
        let Some((origin, name)) = self.text_of(router, "routing_strategy") else {
            return ("weighted", None);
        };
        let strategy = match name.as_str() {
            "simple-shuffle" => "weighted",
            "least-busy" => "least_busy",
            "latency-based-routing" => "lowest_latency",
            "usage-based-routing" | "usage-based-routing-v2" => {
                self.set("admission", &origin, Raw::Bool(true));
                "least_busy"
            }
            "cost-based-routing" => {
                let message = "cost-based-routing is `weighted` here: what models cost doesn't choose them";
                self.note(&origin, message.to_owned());
                "weighted"
            }
            other => {
                self.note(
                    &origin,
                    format!("{other:?} is no strategy; targets are chosen by weight"),
                );
                "weighted"
            }
        };
        (strategy, Some(origin))
    }

    fn affinity(&self, router: &RawTable) -> (&'static str, Option<Origin>) {
        let Some((origin, checks)) = router.get("optional_pre_call_checks") else {
            return ("none", None);
        };
        let keeps = |check: &String| check.contains("affinity") || check == "prompt_caching";
        match as_texts(checks).iter().any(keeps) {
            true => ("session", Some(origin.clone())),
            false => ("none", None),
        }
    }
}
