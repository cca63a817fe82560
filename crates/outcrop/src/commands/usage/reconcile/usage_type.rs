//! AWS's usage types: `USE1-Claude4.6Sonnet-cache-read-input-token-count`.
//!
//! There are three ways to write them. Most have the model's name and the kind of tokens, with dashes; those of
//! `bedrock-mantle` have the model's id; those of the marketplace (`MP:`) have no model, which is the product then.
//! Source: Amazon Bedrock User Guide, "Understanding your Amazon Bedrock Cost and Usage Report data", and usage types of
//! AWS's price list, as others quote them, read 2026-11.

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    CacheWrite1h,
    Images,
    Searches,
    Other,
}

/// A usage type, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsageType<'a> {
    /// The model, where it is named.
    pub(super) model: Option<&'a str>,
    pub(super) kind: Kind,
    /// Whether it is the marketplace's, which counts in millions.
    pub(super) is_of_marketplace: bool,
}

/// What stands behind the model's name.
const BEHIND: [&str; 12] = [
    "-mantle-",
    "-cache-read",
    "-cache-write",
    "-input-",
    "-output-",
    "-text-input",
    "-text-output",
    "-T2I",
    "-I2I",
    "-Customization",
    "-ProvisionedThroughput",
    "-search",
];

impl<'a> UsageType<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let is_code = |code: &str| {
            !code.is_empty()
                && code
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        let rest = match text.split_once('-') {
            Some((code, rest)) if is_code(code) => rest,
            _ => text,
        };
        if let Some(rest) = rest.strip_prefix("MP:") {
            return Self {
                model: None,
                kind: kind(rest.split_once('_').map_or(rest, |(_, rest)| rest)),
                is_of_marketplace: true,
            };
        }
        let end = BEHIND.iter().filter_map(|word| rest.find(word)).min();
        let (model, behind) = rest.split_at(end.unwrap_or(rest.len()));
        Self {
            model: end.map(|_| model).filter(|model| !model.is_empty()),
            kind: kind(behind),
            is_of_marketplace: false,
        }
    }
}

fn kind(text: &str) -> Kind {
    let text: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let text = text.to_ascii_lowercase();
    let has = |word: &str| text.contains(word);
    match () {
        () if has("custom") || has("provisioned") || has("reserved") => Kind::Other,
        () if has("cacheread") => Kind::CacheRead,
        () if has("cachewrite") && (has("1h")) => Kind::CacheWrite1h,
        () if has("cachewrite") => Kind::CacheWrite,
        () if has("createdimage") || has("t2i") || has("i2i") => Kind::Images,
        () if has("inputtoken") || has("inputtexttoken") || has("inputimagetoken") => Kind::Input,
        () if has("outputtoken") || has("outputtexttoken") => Kind::Output,
        () if has("search") => Kind::Searches,
        () => Kind::Other,
    }
}
