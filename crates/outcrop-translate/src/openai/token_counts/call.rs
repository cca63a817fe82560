//! From a chat request to the call of `CountTokens`.

use bytes::Bytes;
use outcrop_bedrock::base64;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::json::{Fault, Json, ObjectWriter, Reader};

use super::Memo;
use crate::catalogue::Catalogue;
use crate::endpoint::{Context, Endpoint as _, Halt};
use crate::notes::Notes;
use crate::openai::chat::{self, ChatCompletions};
use crate::openai::members::read_members;
use crate::problem::Problem;
use crate::resolve::Target;
use crate::task::{TaskCall, TaskPlan};

/// What of a Converse call is counted (service model of Bedrock Runtime, `ConverseTokensRequest`, botocore 1.44.5).
const COUNTED: [&str; 4] = ["messages", "system", "toolConfig", "additionalModelRequestFields"];
/// What else of it the model reads.
const READ_TOO: [&str; 2] = ["outputConfig", "promptVariables"];

/// Plans the call that counts what `body`'s call would have.
pub(super) fn plan(body: &Bytes, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
    let chat = ChatCompletions::plan(body, context)?;
    let target = chat::target(body, context)?;
    let Some(counted_by) = counted_by(&target, context.catalogue) else {
        let message = format!(
            "Nobody can tell which model is behind '{}', and tokens are counted by models. {}",
            target.model_id,
            those_that_count(context.catalogue)
        );
        return Err(not_supported(message).into());
    };
    let mut notes = chat.notes;
    let counted = match chat.operation {
        Operation::Converse | Operation::ConverseStream => of_converse(&chat.body, &mut notes)?,
        Operation::InvokeModel | Operation::InvokeModelWithResponseStream => of_invoke(&chat.body),
        // OpenAI's own way: no such body can be counted.
        _ => return Err(not_supported(not_counted(&counted_by, context.catalogue)).into()),
    };
    let call = TaskCall {
        operation: Operation::CountTokens,
        model_id: counted_by.clone(),
        headers: Vec::new(),
        body: CallBody::new(vec![counted.into()]),
        param: None,
    };
    Ok(TaskPlan {
        calls: vec![call],
        model_id: counted_by.clone(),
        region: chat.region,
        route: "count-tokens",
        memo: Memo {
            asked: asked(body, context),
            counted_by,
        },
        notes,
    })
}

/// What is to be said of a model whose tokens Bedrock doesn't count.
pub fn not_counted(model_id: &str, catalogue: &Catalogue) -> String {
    format!(
        "Bedrock's CountTokens doesn't count the tokens of '{model_id}'. {}",
        those_that_count(catalogue)
    )
}

fn those_that_count(catalogue: &Catalogue) -> String {
    let known: Vec<&str> = catalogue.counting().map(|model| model.id.as_str()).collect();
    format!("It is known to count those of {}.", known.join(", "))
}

fn not_supported(message: String) -> Problem {
    Problem::invalid(message)
        .with_code("model_not_supported")
        .with_param("model")
}

/// The model itself: `CountTokens` knows neither profiles nor whatever else may be called.
fn counted_by(target: &Target, catalogue: &Catalogue) -> Option<String> {
    let known = target.behind.as_deref().or(target.base_id.as_deref())?;
    let row = catalogue.model(known).and_then(|model| model.base_model.as_deref());
    let id = row.unwrap_or(known);
    (!id.starts_with("arn:")).then(|| id.to_owned())
}

/// The model as the client named it.
fn asked(body: &[u8], context: &Context<'_>) -> String {
    let mut name = None;
    // What can't be read was refused before.
    let _ = read_members(body, |member, reader| match member {
        "model" => {
            name = reader.nullable(Reader::string)?;
            Ok(())
        }
        _ => reader.skip(),
    });
    context.path_model.or(name.as_deref()).unwrap_or_default().to_owned()
}

/// A call of Converse, as far as it is counted.
fn of_converse(body: &CallBody, notes: &mut Notes) -> Result<Vec<u8>, Fault> {
    let whole = body.to_vec();
    let mut members: Vec<(String, Json<'_>)> = Vec::new();
    Reader::document(&whole, |reader| {
        reader.object(|name, reader| {
            members.push((name.to_owned(), reader.json()?));
            Ok(())
        })
    })?;
    for (name, _) in &members {
        if READ_TOO.contains(&name.as_str()) {
            notes.lose(name, "not-counted", "not-in-bedrocks-counttokens");
        }
    }
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |body| {
        body.object("input", |input| {
            input.object("converse", |converse| {
                for (name, value) in members.iter().filter(|(name, _)| COUNTED.contains(&name.as_str())) {
                    converse.field(name, value);
                }
            });
        });
    });
    Ok(out)
}

/// A call in the model's own words.
fn of_invoke(body: &CallBody) -> Vec<u8> {
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |object| {
        object.object("input", |input| {
            input.object("invokeModel", |invoke| {
                invoke.field("body", &base64::encode(&body.to_vec()))
            });
        });
    });
    out
}
