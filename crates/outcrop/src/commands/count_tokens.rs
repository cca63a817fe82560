//! `outcrop count-tokens`: how many tokens a text or a request has for a model.

use std::path::PathBuf;

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::{DEFAULT_MODEL, block_on, chat, explain, print_page, with_gateway};
use crate::client::{Client, ClientError};
use crate::failure::Failure;

/// Counts, and prints the number.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let request = request(matches)?;
    let counted = block_on(with_gateway(matches, async |client: Client| {
        client.post_for_json("/chat/completions/input_tokens", &request).await
    }))?;
    if matches.get_flag("json") {
        return print_page(&format!("{counted}\n"));
    }
    let Some(tokens) = counted.get("input_tokens").and_then(Value::as_u64) else {
        return Err(ClientError::NotOpenAi("there is no 'input_tokens' in it".to_owned()).into());
    };
    print_page(&format!("{tokens}\n"))
}

/// The request that is given, or one that holds the text.
fn request(matches: &ArgMatches) -> Result<Value, Failure> {
    let model = matches.get_one::<String>("model");
    if let Some(file) = matches.get_one::<PathBuf>("file") {
        let bytes = explain::read(Some(file))?;
        let mut request: Map<String, Value> = serde_json::from_slice(&bytes).map_err(Failure::RequestJson)?;
        if let Some(model) = model {
            request.insert("model".to_owned(), json!(model));
        }
        return Ok(request.into());
    }
    let text = chat::prompt(matches)?;
    let model = model.map_or(DEFAULT_MODEL, String::as_str);
    let messages: Vec<Value> = chat::system(matches)
        .into_iter()
        .chain([json!({ "role": "user", "content": text })])
        .collect();
    Ok(json!({ "model": model, "messages": messages }))
}
