//! LiteLLM's names: `bedrock/`, then what is said of the way, then the model.

use super::geography::is_region;
use crate::catalogue::Api;

/// What stands in front of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    /// The API by which the model is asked.
    pub(crate) api: Option<Api>,
    /// The region.
    pub(crate) region: Option<&'a str>,
    /// The name of the format in which an imported model is prompted.
    pub(crate) format: Option<&'a str>,
    /// The rest: the model.
    pub(crate) model: &'a str,
}

/// Formats of imported models by LiteLLM's names (its provider pages on Bedrock, read 2026-11), and ours.
const FORMATS: &[(&str, &str)] = &[
    ("llama", "llama3"),
    ("deepseek_r1", "deepseek-r1"),
    ("qwen2", "chatml"),
    ("qwen3", "chatml"),
    ("openai", "openai-chat"),
];

/// Reads a name that begins as LiteLLM's do; `None` for others.
pub(crate) fn read(name: &str) -> Option<Route<'_>> {
    let (provider, rest) = name.split_once('/')?;
    let mut route = Route {
        model: rest,
        ..Route::default()
    };
    match provider {
        "bedrock" => {}
        "bedrock_converse" => route.api = Some(Api::Converse),
        // What LiteLLM's proxy calls itself, in front of any model.
        "litellm_proxy" => {
            return Some(read(rest).unwrap_or(route));
        }
        _ => return None,
    }
    while let Some((word, rest)) = route.model.split_once('/') {
        match word {
            "converse" | "converse_like" => route.api = Some(Api::Converse),
            "invoke" => route.api = Some(Api::Invoke),
            // Prices differ with these; calls don't.
            "1-month-commitment" | "6-month-commitment" | "*" => {}
            _ if is_region(word) => route.region = Some(word),
            _ => match FORMATS.iter().find(|(format, _)| *format == word) {
                Some((_, ours)) if rest.starts_with("arn:") => route.format = Some(ours),
                _ => break,
            },
        }
        route.model = rest;
    }
    Some(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_read_off_in_any_order() {
        let route = |api, region, format, model| Route {
            api,
            region,
            format,
            model,
        };
        for (name, expected) in [
            ("bedrock/a.b", route(None, None, None, "a.b")),
            ("bedrock/converse/a.b", route(Some(Api::Converse), None, None, "a.b")),
            ("bedrock_converse/a.b", route(Some(Api::Converse), None, None, "a.b")),
            ("bedrock/invoke/us.a.b", route(Some(Api::Invoke), None, None, "us.a.b")),
            ("bedrock/us-west-2/a.b", route(None, Some("us-west-2"), None, "a.b")),
            (
                "bedrock/us-west-2/converse/a.b",
                route(Some(Api::Converse), Some("us-west-2"), None, "a.b"),
            ),
            (
                "bedrock/deepseek_r1/arn:aws:bedrock:us-east-1:1:imported-model/x",
                route(
                    None,
                    None,
                    Some("deepseek-r1"),
                    "arn:aws:bedrock:us-east-1:1:imported-model/x",
                ),
            ),
            ("litellm_proxy/bedrock/a.b", route(None, None, None, "a.b")),
            ("litellm_proxy/gpt-4o", route(None, None, None, "gpt-4o")),
            ("bedrock/llama/a.b", route(None, None, None, "llama/a.b")),
        ] {
            assert_eq!(read(name), Some(expected), "{name}");
        }
        assert_eq!(read("openai/gpt-4o"), None);
        assert_eq!(read("a.b"), None);
    }
}
