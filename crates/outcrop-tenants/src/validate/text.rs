//! Forms of texts, as AWS has them (service models of Bedrock Runtime, IAM and STS, 2026-11).

/// Bedrock's pattern for request metadata: `[a-zA-Z0-9\s:_@$#=/+,-.]`.
pub(super) fn is_metadata(text: &str) -> bool {
    text.chars().all(|letter| match letter {
        ' ' | '\t' | '\n' => true,
        ':' | '_' | '@' | '$' | '#' | '=' | '/' | '+' | ',' | '-' | '.' => true,
        _ => letter.is_ascii_alphanumeric(),
    })
}

/// STS's pattern for tags of sessions: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`. Control characters that count as spaces are none of
/// them.
pub(super) fn is_tag(text: &str) -> bool {
    text.chars().all(|letter| match letter {
        '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@' => true,
        _ => letter.is_alphanumeric() || (letter.is_whitespace() && !letter.is_control()),
    })
}

/// It becomes a part of a host's name.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = parts.next_back().unwrap_or_default();
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.len() <= 32 && text.matches('-').count() >= 2 && parts.all(is_name)
}

/// The ARN of a role, of at most 2048 characters.
pub(super) fn is_role(text: &str) -> bool {
    let Some((account, resource)) = of_iam(text, "iam") else {
        return false;
    };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    is_account(account) && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) && !name.contains('*')
}

pub(super) fn is_external_id(text: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || "_+=,.@:/-".contains(char);
    (2..=1224).contains(&text.len()) && text.chars().all(fits)
}

pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Account and resource of an ARN of IAM or STS, which have no region.
pub(super) fn of_iam<'a>(text: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, of, region, account, resource] = parts[..] else {
        return None;
    };
    let is_partition = !partition.is_empty()
        && partition
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    ((arn, of, region) == ("arn", service, "") && is_partition && text.len() <= 2048).then_some((account, resource))
}
