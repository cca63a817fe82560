//! The variables of bedrock-access-gateway's that say in other words what a setting says.
//!
//! Source: its `src/api/setting.py` and `src/api/auth.py`, read 2026-11.

use std::borrow::Cow;

/// What `DEBUG` has logged: its own parts, as those of others may log what they are sent.
const DEBUG_LOG: &str = "info,outcrop=debug,outcrop_server=debug,outcrop_upstream=debug";

/// What a variable means in the words of the setting that it stands for; `None` if it says nothing.
pub(super) fn translated<'a>(variable: &str, text: &'a str) -> Option<Cow<'a, str>> {
    // There, all is true but this word.
    let is_true = !text.eq_ignore_ascii_case("false");
    let word = |word: &'static str| Some(Cow::Borrowed(word));
    match variable {
        "API_KEY_PARAM_NAME" => Some(Cow::Owned(format!("ssm:{text}"))),
        "API_KEY_SECRET_ARN" => Some(Cow::Owned(format!("secretsmanager:{text}#api_key"))),
        // Many programs heed it, and many words mean no.
        "DEBUG" if text.is_empty() || text == "0" || !is_true => None,
        "DEBUG" => word(DEBUG_LOG),
        "ENABLE_PROMPT_CACHING" => word(if is_true { "auto" } else { "explicit" }),
        "ENABLE_CROSS_REGION_INFERENCE" | "ENABLE_APPLICATION_INFERENCE_PROFILES" => {
            word(if is_true { "true" } else { "false" })
        }
        _ => Some(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_says_what_it_says_there() {
        for (variable, text, expected) in [
            ("API_KEY", "sk-a", Some("sk-a")),
            ("API_KEY_PARAM_NAME", "/bag/key", Some("ssm:/bag/key")),
            (
                "API_KEY_SECRET_ARN",
                "arn:aws:secretsmanager:us-east-1:1:secret:x",
                Some("secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:x#api_key"),
            ),
            ("ENABLE_PROMPT_CACHING", "true", Some("auto")),
            ("ENABLE_PROMPT_CACHING", "False", Some("explicit")),
            ("ENABLE_CROSS_REGION_INFERENCE", "false", Some("false")),
            ("ENABLE_CROSS_REGION_INFERENCE", "TRUE", Some("true")),
            ("DEBUG", "false", None),
            ("DEBUG", "", None),
            ("DEBUG", "true", Some(DEBUG_LOG)),
        ] {
            assert_eq!(translated(variable, text).as_deref(), expected, "{variable}={text}");
        }
    }
}
