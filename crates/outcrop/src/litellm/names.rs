//! What LiteLLM's `model` names, and whether that is Bedrock's.

use outcrop_server::Catalogue;
use outcrop_server::resolve::{Asked, Directory, Unresolved, resolve};

/// What of a name is no provider's that is served, though it begins like Bedrock's.
const ELSEWHERE: &[&str] = &["agent/", "agentcore/", "mantle/", "moonshot/"];

/// A name that our resolver reads, or why it is none of Bedrock's.
pub(super) fn bedrock_model(model: &str, custom: Option<&str>) -> Result<String, String> {
    let provider = model.split_once('/').map(|(provider, _)| provider);
    let model = match (provider, custom) {
        (Some("bedrock" | "bedrock_converse"), None | Some("bedrock" | "bedrock_converse")) => model.to_owned(),
        (_, Some("bedrock")) => format!("bedrock/{model}"),
        (_, Some("bedrock_converse")) => format!("bedrock/converse/{model}"),
        (_, Some(other)) => return Err(format!("{other:?} is not Bedrock")),
        (None, None) if model == "*" => model.to_owned(),
        (None, None) if model.contains('.') && problem_of(model).is_none() => format!("bedrock/{model}"),
        (None, None) if model.starts_with("arn:") => format!("bedrock/{model}"),
        _ => return Err(format!("{model:?} is not a model of Bedrock's")),
    };
    let rest = model.strip_prefix("bedrock/").unwrap_or(&model);
    if let Some(word) = ELSEWHERE.iter().find(|word| rest.starts_with(**word)) {
        return Err(format!("`bedrock/{word}` is another API of AWS's"));
    }
    let problem = if model.contains('*') { None } else { problem_of(&model) };
    problem.map_or(Ok(model), Err)
}

/// Why a name means no model that anybody knows.
pub(super) fn problem_of(name: &str) -> Option<String> {
    let asked = Asked {
        name,
        ..Asked::default()
    };
    match resolve(&asked, &Directory::offline(Catalogue::built_in())) {
        Err(Unresolved::Problem(problem)) => Some(problem.message),
        Ok(_) | Err(Unresolved::LookUp(_)) => None,
    }
}

/// `us-west-2`, in front of a model.
fn is_region(word: &str) -> bool {
    let mut parts = word.rsplit('-');
    let number = parts
        .next()
        .is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    number && words.len() >= 2 && words.iter().all(is_word)
}

/// Where the entry says the region besides, that one counts.
pub(super) fn without_region(model: &str) -> String {
    let (way, last) = match model.split_once("/arn:") {
        Some((way, arn)) => (way.to_owned(), Some(format!("arn:{arn}"))),
        None => (model.to_owned(), None),
    };
    let words = way.split('/').filter(|word| !is_region(word)).map(ToOwned::to_owned);
    words.chain(last).collect::<Vec<_>>().join("/")
}

/// The model as Bedrock is asked for it: of a plain id, by whatever profile.
pub(super) fn called(model: &str) -> String {
    if let Some((_, arn)) = model.split_once("arn:") {
        return format!("arn:{arn}");
    }
    let id = model.rsplit('/').next().unwrap_or(model);
    let mut parts = id.split('.');
    let is_profile = parts
        .next()
        .is_some_and(|first| ["us", "eu", "apac", "jp", "au", "us-gov", "global", "ca", "sa"].contains(&first));
    if is_profile || id.starts_with('*') {
        id.to_owned()
    } else {
        format!("*{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_bedrocks_models_are_taken_and_others_are_not() {
        for (name, custom, expected) in [
            ("bedrock/anthropic.claude-v2", None, "bedrock/anthropic.claude-v2"),
            (
                "bedrock/converse/us.amazon.nova-pro-v1:0",
                None,
                "bedrock/converse/us.amazon.nova-pro-v1:0",
            ),
            ("anthropic.claude-v2", None, "bedrock/anthropic.claude-v2"),
            (
                "us.amazon.nova-pro-v1:0",
                Some("bedrock"),
                "bedrock/us.amazon.nova-pro-v1:0",
            ),
            (
                "us.amazon.nova-pro-v1:0",
                Some("bedrock_converse"),
                "bedrock/converse/us.amazon.nova-pro-v1:0",
            ),
            ("bedrock/*", None, "bedrock/*"),
            ("*", None, "*"),
        ] {
            assert_eq!(bedrock_model(name, custom).as_deref(), Ok(expected), "{name}");
        }
        for (name, custom) in [
            ("openai/gpt-4o", None),
            ("gpt-4o", None),
            ("azure/x", None),
            ("anthropic.claude-v2", Some("sagemaker")),
            ("bedrock/agent/L1RT58GYRW/MFPSBCXYTW", None),
            ("bedrock/no-such-model", None),
            ("litellm_proxy/bedrock/anthropic.claude-v2", None),
        ] {
            assert!(bedrock_model(name, custom).is_err(), "{name}");
        }
    }

    #[test]
    fn a_region_on_the_way_gives_way() {
        for (model, expected) in [
            ("bedrock/us-west-2/anthropic.claude-v2", "bedrock/anthropic.claude-v2"),
            (
                "bedrock/eu-central-1/6-month-commitment/a.b",
                "bedrock/6-month-commitment/a.b",
            ),
            (
                "bedrock/us-gov-west-1/arn:aws:bedrock:us-east-1:1:imported-model/x",
                "bedrock/arn:aws:bedrock:us-east-1:1:imported-model/x",
            ),
            ("bedrock/us.a.b", "bedrock/us.a.b"),
        ] {
            assert_eq!(without_region(model), expected);
        }
    }
}
