//! Regions, and the geographies whose inference profiles they call.

/// The geographies of a region, the nearest first: a model that has a profile for Japan alone as well as one for all of
/// Asia and the Pacific is asked within Japan.
///
/// Source: Amazon Bedrock User Guide, "Supported Regions and models for inference profiles", and ids seen in LiteLLM's
/// price map, read 2026-11. Canada's region calls the profiles of the United States. Prefixes that may come are those that their regions suggest.
#[must_use]
pub fn of_region(region: &str) -> &'static [&'static str] {
    const BY_REGION: &[(&str, &[&str])] = &[
        ("us-gov-", &["us-gov"]),
        ("us-", &["us"]),
        ("eu-", &["eu"]),
        ("eusc-", &["eusc"]),
        ("ap-northeast-1", &["jp", "apac"]),
        ("ap-northeast-3", &["jp", "apac"]),
        ("ap-southeast-2", &["au", "apac"]),
        ("ap-southeast-4", &["au", "apac"]),
        ("ap-south-1", &["in", "apac"]),
        ("ap-south-2", &["in", "apac"]),
        ("ap-", &["apac"]),
        ("ca-", &["ca", "us"]),
        ("sa-", &["sa"]),
        ("mx-", &["mx"]),
        ("me-", &["me"]),
        ("af-", &["af"]),
        ("il-", &["il"]),
        ("cn-", &["cn"]),
    ];
    BY_REGION
        .iter()
        .find(|(beginning, _)| region.starts_with(beginning))
        .map_or(&[], |(_, geographies)| geographies)
}

/// The geography of an inference profile that calls these models: where one is in no region, it is everywhere; where
/// there is but one, it stays in its region, and has none.
#[must_use]
pub fn of_models<T: AsRef<str>>(arns: &[T]) -> Option<String> {
    let regions: Vec<&str> = arns.iter().filter_map(|arn| arn.as_ref().split(':').nth(3)).collect();
    if regions.iter().any(|region| region.is_empty()) {
        return Some(GLOBAL.to_owned());
    }
    let (first, others) = regions.split_first()?;
    let holds = |geography: &&&str| others.iter().all(|region| of_region(region).contains(*geography));
    let found = of_region(first).iter().find(holds);
    found
        .filter(|_| !others.is_empty())
        .map(|geography| (*geography).to_owned())
}

/// The partition of a region: credentials are good for one of them.
pub(crate) fn partition(region: &str) -> &'static str {
    // AWS's own partitions by the beginnings of their regions (botocore 1.44.5, `partitions.json`, 2026-11).
    const PARTITIONS: &[&str] = &["cn-", "us-gov-", "us-isob-", "us-isof-", "us-iso-", "eu-isoe-", "eusc-"];
    PARTITIONS
        .iter()
        .find(|beginning| region.starts_with(*beginning))
        .unwrap_or(&"")
}

/// The name of a region's partition, as ARNs begin with it (botocore 1.44.5, `partitions.json`, 2026-11).
pub(crate) fn arn_partition(region: &str) -> &'static str {
    match partition(region) {
        "cn-" => "aws-cn",
        "us-gov-" => "aws-us-gov",
        "us-iso-" => "aws-iso",
        "us-isob-" => "aws-iso-b",
        "us-isof-" => "aws-iso-f",
        "eu-isoe-" => "aws-iso-e",
        "eusc-" => "aws-eusc",
        _ => "aws",
    }
}

/// The profile prefix for all commercial regions.
pub(crate) const GLOBAL: &str = "global";

/// Whether `text` has the form of a region: `us-east-1`, `us-gov-west-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let words: Vec<&str> = parts.collect();
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (2..=3).contains(&words.len())
        && words.iter().all(is_word)
        && text.len() <= 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_other_words() {
        for region in ["us-east-1", "us-gov-west-1", "ap-southeast-2", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
            assert!(!of_region(region).is_empty(), "{region}");
        }
        for word in [
            "us",
            "converse",
            "us-east",
            "claude-3",
            "us-east-10",
            "US-EAST-1",
            "a-b-1",
        ] {
            assert!(!is_region(word), "{word}");
        }
        assert_eq!(of_region("us-gov-east-1"), ["us-gov"]);
        assert!(of_region("moon-base-1").is_empty());
    }

    #[test]
    fn a_profile_has_the_geography_that_its_models_have_in_common() {
        let geography = |regions: &[&str]| {
            let arn = |region: &&str| format!("arn:aws:bedrock:{region}::foundation-model/amazon.nova-lite-v1:0");
            of_models(&regions.iter().map(arn).collect::<Vec<_>>())
        };
        assert_eq!(geography(&["us-east-1", "us-west-2"]).as_deref(), Some("us"));
        assert_eq!(geography(&["ap-northeast-1", "ap-northeast-3"]).as_deref(), Some("jp"));
        assert_eq!(geography(&["ap-northeast-1", "ap-south-1"]).as_deref(), Some("apac"));
        assert_eq!(geography(&["eu-west-1", ""]).as_deref(), Some("global"));
        assert_eq!(geography(&["eu-west-1"]), None);
        assert_eq!(geography(&[]), None);
    }
}
