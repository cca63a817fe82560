//! The control plane's answers about what an account has of its own: one by its name or ARN, or all in a list.

mod answer;
mod filter;

use http::Method;
use serde_json::{Map, Value};

use crate::models::Catalogue;
use crate::page::Page;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::resources::{Kind, Resource};
use crate::{uri, validate};

/// A look-up, with what its path names.
#[derive(Debug, PartialEq)]
pub(crate) enum Lookup {
    One { what: &'static What, identifier: String },
    List { what: &'static What },
}

/// A kind of things that can be looked up.
#[derive(Debug, PartialEq)]
pub(crate) struct What {
    kind: Kind,
    /// The operations' names in the service model.
    get: &'static str,
    list: &'static str,
    /// What stands before the identifier in the path, and the path of the list.
    one_path: &'static [&'static str],
    list_path: &'static [&'static str],
    /// The shape that an identifier must have, and its name.
    identifier: (&'static str, &'static str),
    /// The member that holds the list.
    summaries: &'static str,
    /// If a name will do in place of the ARN.
    by_name: bool,
    not_found: &'static str,
}

const ALL: [What; 5] = [
    What {
        kind: Kind::Provisioned,
        get: "GetProvisionedModelThroughput",
        list: "ListProvisionedModelThroughputs",
        one_path: &["provisioned-model-throughput"],
        list_path: &["provisioned-model-throughputs"],
        identifier: ("ProvisionedModelId", "provisionedModelId"),
        summaries: "provisionedModelSummaries",
        by_name: true,
        not_found: "The provisioned model was not found.",
    },
    What {
        kind: Kind::Custom,
        get: "GetCustomModel",
        list: "ListCustomModels",
        one_path: &["custom-models"],
        list_path: &["custom-models"],
        identifier: ("ModelIdentifier", "modelIdentifier"),
        summaries: "modelSummaries",
        by_name: true,
        not_found: "The specified custom model was not found.",
    },
    What {
        kind: Kind::Deployment,
        get: "GetCustomModelDeployment",
        list: "ListCustomModelDeployments",
        one_path: &["model-customization", "custom-model-deployments"],
        list_path: &["model-customization", "custom-model-deployments"],
        identifier: ("CustomModelDeploymentIdentifier", "customModelDeploymentIdentifier"),
        summaries: "modelDeploymentSummaries",
        by_name: true,
        not_found: "The custom model deployment was not found.",
    },
    What {
        kind: Kind::Imported,
        get: "GetImportedModel",
        list: "ListImportedModels",
        one_path: &["imported-models"],
        list_path: &["imported-models"],
        identifier: ("ImportedModelIdentifier", "modelIdentifier"),
        summaries: "modelSummaries",
        by_name: true,
        not_found: "The imported model was not found.",
    },
    What {
        kind: Kind::Router,
        get: "GetPromptRouter",
        list: "ListPromptRouters",
        one_path: &["prompt-routers"],
        list_path: &["prompt-routers"],
        identifier: ("PromptRouterArn", "promptRouterArn"),
        summaries: "promptRouterSummaries",
        by_name: false,
        not_found: "The prompt router was not found.",
    },
];

impl Lookup {
    /// The look-up that a path names.
    pub(crate) fn find(method: &Method, segments: &[&str]) -> Option<Lookup> {
        if method != Method::GET {
            return None;
        }
        static WHATS: [What; 5] = ALL;
        WHATS.iter().find_map(|what| {
            if segments == what.list_path {
                return Some(Lookup::List { what });
            }
            let (identifier, before) = segments.split_last()?;
            let identifier = uri::decode(identifier).filter(|decoded| !decoded.is_empty())?;
            (before == what.one_path).then_some(Lookup::One { what, identifier })
        })
    }

    /// Its name in the service model.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Lookup::One { what, .. } => what.get,
            Lookup::List { what } => what.list,
        }
    }

    /// Answers it.
    ///
    /// # Errors
    ///
    /// An identifier that is none, or names nothing; a page that isn't there.
    pub(crate) fn answer(&self, catalogue: &Catalogue, query: &str) -> Result<Value, Refusal> {
        match self {
            Lookup::One { what, identifier } => what.one(catalogue, identifier),
            Lookup::List { what } => what.list(catalogue, query),
        }
    }
}

impl What {
    fn one(&self, catalogue: &Catalogue, identifier: &str) -> Result<Value, Refusal> {
        let (shape, name) = self.identifier;
        validate::text(shape, name, identifier)?;
        let is_meant =
            |resource: &&Resource| resource.arn == identifier || (self.by_name && resource.name == identifier);
        match self.all(catalogue).find(is_meant) {
            Some(resource) => Ok(answer::details(resource, catalogue)),
            None => Err(Refusal::new("ResourceNotFoundException", self.not_found)),
        }
    }

    fn list(&self, catalogue: &Catalogue, query: &str) -> Result<Value, Refusal> {
        let query = Query::read(self.list, query)?;
        let page = Page::read(self.list, &query)?;
        let mut all: Vec<(&Resource, Value)> = self
            .all(catalogue)
            .map(|one| (one, answer::summary(one, catalogue)))
            .filter(|(one, summary)| filter::is_wanted(one, summary, &query))
            .collect();
        // The newest first, unless somebody wants it otherwise.
        all.sort_by(|(a, _), (b, _)| b.since.cmp(&a.since));
        if query.text("sortOrder") == Some("Ascending") {
            all.reverse();
        }
        let (shown, next) = page.of(&all)?;
        let summaries: Value = shown.iter().map(|(_, summary)| summary.clone()).collect();
        let mut list = Map::from_iter([(self.summaries.to_owned(), summaries)]);
        if let Some(next) = next {
            list.insert("nextToken".to_owned(), next.into());
        }
        Ok(Value::Object(list))
    }

    fn all<'a>(&self, catalogue: &'a Catalogue) -> impl Iterator<Item = &'a Resource> {
        let kind = self.kind;
        catalogue
            .resources()
            .iter()
            .filter(move |resource| resource.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_as_the_service_model_says() {
        let catalogue = Catalogue::new("us-east-1");
        for what in &ALL {
            let list = what.list(&catalogue, "").unwrap();
            validate::named(&format!("{}Response", what.list), &list).unwrap();
            assert!(!list[what.summaries].as_array().unwrap().is_empty(), "{}", what.list);
            for resource in what.all(&catalogue) {
                let one = what.one(&catalogue, &resource.arn).unwrap();
                validate::named(&format!("{}Response", what.get), &one).unwrap();
            }
        }
    }

    #[test]
    fn names_will_do_except_for_routers() {
        let catalogue = Catalogue::new("us-east-1");
        for what in &ALL {
            let name = &what.all(&catalogue).next().unwrap().name;
            assert_eq!(what.one(&catalogue, name).is_ok(), what.by_name, "{}", what.get);
        }
    }
}
