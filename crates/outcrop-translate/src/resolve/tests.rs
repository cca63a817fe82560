//! Names, and what they mean: a table for each rule.

mod around;
mod forms;
mod limits;
mod profiles;
mod rules;

use std::sync::LazyLock;

use super::*;

/// Models whose rows are ours alone, so that no change of a provider's line-up changes these tests.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let rows = r#"
        provider = "acme"
        name = "Acme Inc."
        [[family]]
        ids = ["acme."]
        [[model]]
        id = "acme.seer-1-20250101-v1:0"
        short_names = ["Seer-1"]
        profiles = ["us", "eu", "apac", "jp", "us-gov", "global"]
        thinking = "budget"
        [[model]]
        id = "acme.mage-v1:0"
        short_names = ["Mage"]
        profiles = ["us", "eu"]
        [[model]]
        id = "acme.owl-v1:0"
        short_names = ["Owl"]
        profiles = ["us", "global"]
        on_demand = true
        [[model]]
        id = "acme.elf-v1:0"
        short_names = ["Elf"]
        profiles = ["us", "eu", "global"]
        named_profile = "global"
        [[model]]
        id = "acme.crow-v1:0"
        short_names = ["Crow"]
        thinking = "none"
        [[model]]
        id = "acme.dodo-v1:0"
        short_names = ["Dodo"]
        status = "retired"
        successor = "acme.mage-v1:0"
        [[model]]
        id = "acme.moa-v1:0"
        short_names = ["Moa"]
        redirect = true
        successor = "acme.crow-v1:0"
        [[model]]
        id = "acme.twin-20240101-v1:0"
        [[model]]
        id = "acme.twin-20250101-v1:0"
    "#;
    Catalogue::built_in().with("acme.toml", rows).unwrap()
});

const SEER: &str = "acme.seer-1-20250101-v1:0";
const ACCOUNT: &str = "arn:aws:bedrock:eu-west-1:123456789012";

/// What is known, and what is asked.
#[derive(Default)]
struct World {
    rules: NameRules,
    region: Option<&'static str>,
    listing: Option<Listing>,
    provider: Option<&'static str>,
    model_id: Option<&'static str>,
    purpose: Purpose,
    /// What is behind each ARN; of others, nobody knows yet.
    behind: Vec<(String, Behind)>,
}

impl World {
    fn resolve(&self, name: &str) -> Result<Target, Unresolved> {
        let behind = |arn: &str| {
            let found = self.behind.iter().find(|(known, _)| known == arn);
            found.map(|(_, behind)| behind.clone())
        };
        let directory = Directory {
            catalogue: &CATALOGUE,
            rules: &self.rules,
            region: self.region,
            listing: self.listing.as_ref(),
            behind: &behind,
        };
        let asked = Asked {
            name,
            provider: self.provider,
            model_id: self.model_id,
            purpose: self.purpose,
            is_restricted: false,
        };
        let resolved = resolve(&asked, &directory);
        assert_eq!(resolved, resolve(&asked, &directory), "{name}: always the same");
        resolved
    }

    fn target(&self, name: &str) -> Target {
        self.resolve(name)
            .unwrap_or_else(|unresolved| panic!("{name}: {unresolved:?}"))
    }

    fn model_id(&self, name: &str) -> String {
        self.target(name).model_id
    }

    fn problem(&self, name: &str) -> Problem {
        match self.resolve(name) {
            Err(Unresolved::Problem(problem)) => problem,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn within(region: &'static str) -> World {
    World {
        region: Some(region),
        ..World::default()
    }
}

fn aliases(pairs: &[(&str, &str)]) -> World {
    let aliases = pairs.iter().map(|(name, model)| Alias {
        name: name.parse().unwrap(),
        model: (*model).to_owned(),
    });
    World {
        rules: NameRules {
            aliases: aliases.collect(),
            ..NameRules::default()
        },
        ..World::default()
    }
}

fn set(names: &[&str]) -> HashSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rules_of(target: &Target) -> Vec<&str> {
    target.steps.iter().map(|step| step.rule).collect()
}
