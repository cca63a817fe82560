//! Errors in Cohere's shape and in OpenAI's at once (Cohere's API reference, "Errors", read 2026-11).

use outcrop_bedrock::json::ObjectWriter;

use crate::openai;
use crate::problem::Problem;

/// The body of an error: Cohere's clients read `message`, all others `error`.
pub fn error_body(problem: &Problem) -> Vec<u8> {
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |body| body.field("message", &problem.message));
    // Two objects become one.
    out.pop();
    let theirs = openai::error_body(problem);
    out.push(b',');
    out.extend_from_slice(theirs.strip_prefix(b"{").unwrap_or(&theirs));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_clients_find_the_message() {
        let problem = Problem::invalid("No \"query\".").with_param("query");
        let body: serde_json::Value = serde_json::from_slice(&error_body(&problem)).unwrap();
        assert_eq!(body["message"], "No \"query\".");
        assert_eq!(body["error"]["message"], "No \"query\".");
        assert_eq!(body["error"]["param"], "query");
    }
}
