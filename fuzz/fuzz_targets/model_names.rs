//! Names of models, of any form and with anything known of them: what Bedrock is asked is an id, its region is one, and
//! errors are the client's own and say where.
#![no_main]

use std::collections::HashSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::model_id;
use outcrop_translate::Catalogue;
use outcrop_translate::resolve::{
    Alias, Asked, Behind, Directory, Listing, NameRules, Purpose, Target, Unresolved, resolve,
};

#[derive(Arbitrary, Debug)]
struct Script {
    name: Name,
    provider: Option<String>,
    model_id: Option<Name>,
    embeds: bool,
    /// `None`: nobody told the gateway where it is.
    region: Option<u8>,
    listing: Option<Vec<(Name, u8)>>,
    aliases: Vec<(String, Name)>,
    defaults: [Option<Name>; 2],
    redirect_retired: bool,
    only_own_region: bool,
    behind: Option<(Option<Name>, Option<String>)>,
}

/// A name, often like one that means something.
#[derive(Arbitrary, Debug)]
enum Name {
    Any(String),
    Put(Vec<Piece>),
}

#[derive(Arbitrary, Debug)]
enum Piece {
    Word(u8),
    Model(u16),
    ShortName(u16),
    Other(String),
}

const WORDS: &[&str] = &[
    "bedrock/",
    "litellm_proxy/",
    "converse/",
    "invoke/",
    "us-west-2/",
    "llama/",
    "us.",
    "global.",
    "moon.",
    "-Thinking",
    "[1m]",
    "[",
    "]",
    "%3A",
    "%2F",
    ":0",
    "arn:aws:bedrock:eu-west-1:123456789012:",
    "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/",
    "application-inference-profile/",
    "inference-profile/",
    "imported-model/",
    "custom-model/",
    "foundation-model/",
    "abcdef123456",
    "/",
    ".",
    "..",
    "@20250101",
    " ",
];

const REGIONS: &[&str] = &[
    "us-east-1",
    "eu-west-1",
    "ap-northeast-1",
    "us-gov-west-1",
    "sa-east-1",
    "cn-north-1",
    "moon-base-1",
];

impl Name {
    fn text(&self) -> String {
        let pieces = match self {
            Self::Any(text) => return text.clone(),
            Self::Put(pieces) => pieces,
        };
        let models: Vec<_> = Catalogue::built_in().models().collect();
        let model = |number: u16| models[usize::from(number) % models.len()];
        let pieces = pieces.iter().take(8).map(|piece| match piece {
            Piece::Word(number) => WORDS[usize::from(*number) % WORDS.len()].to_owned(),
            Piece::Model(number) => model(*number).id.clone(),
            Piece::ShortName(number) => model(*number).short_names.first().cloned().unwrap_or_default(),
            Piece::Other(text) => text.clone(),
        });
        pieces.collect()
    }
}

fuzz_target!(|script: Script| {
    let name = script.name.text();
    let beside = script.model_id.as_ref().map(Name::text);
    let region = script.region.map(|number| REGIONS[usize::from(number) % REGIONS.len()]);
    let aliases = script.aliases.iter().filter_map(|(name, model)| {
        Some(Alias {
            name: name.parse().ok()?,
            model: model.text(),
        })
    });
    let [default_model, default_embedding_model] = script.defaults.each_ref().map(|name| name.as_ref().map(Name::text));
    let rules = NameRules {
        aliases: aliases.collect(),
        default_model,
        default_embedding_model,
        default_image_model: None,
        redirect_retired: script.redirect_retired,
        allowed_regions: region
            .filter(|_| script.only_own_region)
            .map(ToOwned::to_owned)
            .into_iter()
            .collect(),
        looks_behind: script.redirect_retired,
    };
    let listing = script.listing.as_ref().map(|listed| {
        let having = |bit: u8| -> HashSet<String> {
            let names = listed.iter().filter(|(_, bits)| bits & bit != 0);
            names.map(|(name, _)| name.text()).collect()
        };
        Listing {
            models: having(1),
            on_demand: having(2),
            profiles: having(4),
        }
    });
    let behind = |_: &str| {
        script.behind.as_ref().map(|(model, architecture)| Behind {
            name: script.redirect_retired.then(|| "deepseek-r1-distill".to_owned()),
            model: model.as_ref().map(Name::text),
            architecture: architecture.clone(),
            ..Behind::default()
        })
    };
    let directory = Directory {
        catalogue: Catalogue::built_in(),
        rules: &rules,
        region,
        listing: listing.as_ref(),
        behind: &behind,
    };
    let asked = Asked {
        name: &name,
        provider: script.provider.as_deref(),
        model_id: beside.as_deref(),
        purpose: if script.embeds {
            Purpose::Embedding
        } else {
            Purpose::Chat
        },
        ..Asked::default()
    };
    let resolved = resolve(&asked, &directory);
    assert_eq!(resolved, resolve(&asked, &directory), "the same name means the same");
    match resolved {
        Ok(target) => check(&target, region, &rules),
        Err(Unresolved::LookUp(arn)) => {
            assert!(arn.starts_with("arn:") && model_id::is_plausible(&arn), "{arn}");
            assert!(script.behind.is_none(), "what is known isn't looked up");
        }
        Err(Unresolved::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            assert!(problem.param.is_some(), "{problem:?}");
            assert!(!problem.message.chars().any(char::is_control), "{problem:?}");
        }
    }
});

fn check(target: &Target, own_region: Option<&str>, rules: &NameRules) {
    assert!(model_id::is_plausible(&target.model_id), "{target:?}");
    assert!(!target.steps.is_empty());
    if let Some(region) = &target.region {
        assert!(is_region(region), "{region}");
        assert_ne!(
            Some(region.as_str()),
            own_region,
            "the own region is none of the name's"
        );
        assert!(rules.allowed_regions.is_empty() || rules.allowed_regions.contains(region));
    }
}

/// Whether it may stand in a host's name.
fn is_region(region: &str) -> bool {
    region.len() <= 20
        && region.split('-').count() >= 3
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
