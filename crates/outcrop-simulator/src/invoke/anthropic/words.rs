//! What is wrong with a body, in the words of Claude's own server.

/// `#/messages/0: extraneous key [x] is not permitted` as `messages.0.x: Extra inputs are not permitted`.
pub(super) fn of(complaint: &str) -> String {
    let (place, what) = complaint.split_once(": ").unwrap_or((complaint, ""));
    let place = place.trim_start_matches("#").trim_start_matches('/').replace('/', ".");
    let at = |name: &str| match place.is_empty() {
        true => name.to_owned(),
        false => format!("{place}.{name}"),
    };
    if let Some(name) = between(what, "extraneous key [", "] is not permitted") {
        return format!("{}: Extra inputs are not permitted", at(name));
    }
    if let Some(name) = between(what, "required key [", "] not found") {
        return format!("{}: Field required", at(name));
    }
    if let Some(word) = what.strip_suffix(" is not a valid enum value") {
        return format!("{place}: Input '{word}' does not match any of the expected values");
    }
    if let Some((_, limit)) = what.split_once(" is not less or equal to ") {
        return format!("{place}: Input should be less than or equal to {limit}");
    }
    if let Some((_, limit)) = what.split_once(" is not greater or equal to ") {
        return format!("{place}: Input should be greater than or equal to {limit}");
    }
    if let Some((_, pattern)) = what.split_once(" does not match pattern ") {
        return format!("{place}: String should match pattern '{pattern}'");
    }
    let expected = what
        .strip_prefix("expected type: ")
        .and_then(|what| what.split(',').next());
    let valid = match expected {
        Some("Integer") => "integer",
        Some("Number") => "number",
        Some("String") => "string",
        Some("Boolean") => "boolean",
        Some("JSONArray") => "list",
        Some("JSONObject") => "dictionary",
        _ => return format!("{place}: {what}"),
    };
    format!("{place}: Input should be a valid {valid}")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_reworded() {
        assert_eq!(
            of("#: extraneous key [stream] is not permitted"),
            "stream: Extra inputs are not permitted"
        );
        assert_eq!(
            of("#/messages/0: required key [role] not found"),
            "messages.0.role: Field required"
        );
        assert_eq!(
            of("#/max_tokens: expected type: Integer, found: String"),
            "max_tokens: Input should be a valid integer"
        );
        assert_eq!(
            of("#/temperature: 2 is not less or equal to 1"),
            "temperature: Input should be less than or equal to 1"
        );
    }
}
