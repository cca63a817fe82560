//! What a model is told when nothing but words can make it answer in JSON.

/// The system text that asks for JSON: with a schema, JSON that fits it (`response_format: json_schema`), without one
/// any object (`json_object`). `schema` is the client's, as JSON.
pub fn answer_in_json(schema: Option<&str>) -> String {
    let form = "Answer with one JSON document and nothing else: no explanation before or after it, and no Markdown.";
    match schema {
        Some(schema) => format!(
            "{form} The document must be valid against this JSON Schema, with every required member present and no \
             member that the schema doesn't allow:\n\n{schema}"
        ),
        None => format!("{form} The document must be an object."),
    }
}

/// The user's turn after an answer that isn't valid. `reason` says what is wrong with it, such as
/// [`Violation`](super::Violation)'s own words.
pub fn repair(reason: &str) -> String {
    format!(
        "That answer isn't valid: {reason}. Answer again with only the corrected JSON document, whole, and nothing \
         before or after it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_carry_the_schema_and_the_reason() {
        let schema = r#"{"type":"object"}"#;
        assert!(answer_in_json(Some(schema)).ends_with(schema));
        assert!(answer_in_json(None).contains("must be an object"));
        assert!(repair("items[1].price: is required").contains("items[1].price: is required."));
    }
}
