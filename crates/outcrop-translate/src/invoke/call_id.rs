//! Ids of calls, for models that give none.

use outcrop_bedrock::json::JsonText;

/// The most letters of a tool's name in an id, so that the id keeps to Converse's 64.
const MAX_NAME_CHARS: usize = 40;

/// The id of the call of the tool `name` that is the answer's `number`th, counted from 0. The same answer always gives
/// the same ids, streamed or whole.
pub(super) fn call_id(number: usize, name: &str) -> JsonText<'static> {
    let name: String = name
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => letter,
            _ => '_',
        })
        .take(MAX_NAME_CHARS)
        .collect();
    JsonText::encode(&format!("call_{number}_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_converses_pattern_whatever_the_name() {
        assert_eq!(call_id(0, "get_weather").inner(), "call_0_get_weather");
        assert_eq!(call_id(12, "größe.\"x\"").inner(), "call_12_gr__e__x_");
        assert!(call_id(usize::MAX, &"a".repeat(500)).inner().len() <= 66);
    }
}
