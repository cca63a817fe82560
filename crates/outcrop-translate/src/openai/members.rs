//! The members of a request's body, wherever they stand.

use outcrop_bedrock::json::{Fault, Json, Reader};

use super::chat::operators_decision;
use crate::problem::Problem;

/// Hands each member of a request's body to `read`.
///
/// SDKs merge `extra_body` into the body, where its members win; whoever writes requests by hand sends it as it is. So
/// its members are read last, wherever it stands.
///
/// # Errors
/// What is no JSON object, or what `read` says, by its place.
pub(crate) fn read_members<'a>(
    body: &'a [u8],
    mut read: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut extra_body: Option<Json<'a>> = None;
    Reader::document(body, |reader| {
        reader.object(|name, reader| {
            if name == "extra_body" {
                extra_body = reader.nullable(Reader::json)?;
                return Ok(());
            }
            read(name, reader)
        })
    })?;
    if let Some(extra_body) = extra_body.as_ref().and_then(Json::as_slice) {
        Reader::document(extra_body.as_bytes(), |reader| reader.object(&mut read))
            .map_err(|fault| fault.under_key("extra_body"))?;
    }
    Ok(())
}

/// Refuses members that choose whose account is asked, or where, which is the operator's to decide.
pub(crate) fn refuse_operators<'n>(mut names: impl Iterator<Item = &'n str>) -> Result<(), Problem> {
    match names.find_map(|name| Some((name, operators_decision(name)?))) {
        Some((name, advice)) => Err(unsupported(name, advice)),
        None => Ok(()),
    }
}

/// The refusal of a parameter without which the answer would be wrong.
pub(crate) fn unsupported(name: &str, advice: &str) -> Problem {
    Problem::invalid(format!("Unsupported parameter: '{name}'; {advice}."))
        .with_code("unsupported_parameter")
        .with_param(name)
}
