//! From the request to the call of Bedrock's `Rerank`.

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::json::{Fault, Json, JsonText, ObjectWriter, Reader, write_array};

use super::Memo;
use super::request::{Document, Request};
use crate::catalogue::Modality;
use crate::endpoint::{Context, Halt};
use crate::notes::Notes;
use crate::openai::members::refuse_operators;
use crate::problem::{Problem, ProblemKind};
use crate::resolve::{Asked, Purpose, Target, arn_partition};
use crate::task::{TaskCall, TaskPlan, TaskReply};

// Service model of Bedrock's agent runtime (botocore 1.44.5, 2026-11).
/// The most documents of a request.
const MAX_DOCUMENTS: usize = 1000;
/// The most characters of the query, and of a document that is a text.
const MAX_CHARS: usize = 32_000;
/// The longest name of a field of the model's own, in characters.
const MAX_FIELD_NAME_CHARS: usize = 100;

/// Plans the call that answers a request.
pub(super) fn plan(request: &Request<'_>, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
    let mut notes = Notes::default();
    let name = context
        .path_model
        .or(request.model.as_deref())
        .filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| missing("model"))?;
    let query = request.query.as_ref().ok_or_else(|| missing("query"))?;
    let given = request.documents.as_deref().ok_or_else(|| missing("documents"))?;
    context.note_user(request.user.as_deref());
    check_length(query).map_err(|fault| Problem::from(fault.under_key("query")))?;
    let documents = sources(given, request.rank_fields.as_deref())?;
    if request.top_n == Some(0) {
        return Err(invalid("top_n", "expected 1 or more").into());
    }
    refuse_operators(request.others.iter().map(|(name, _)| name.as_str()))?;
    check_fields(&request.others)?;
    let asked = Asked {
        name,
        purpose: Purpose::Ranking,
        ..Asked::default()
    };
    let target = context.target(&asked, &mut notes)?;
    check_model(&target, name, context)?;
    for name in &request.dropped {
        notes.lose(name, "dropped", "not-in-bedrocks-rerank");
    }
    let policy = context.policy(&target);
    if policy.guardrail.is_some() || request.names_guardrail {
        notes.add("guardrailConfig", "not-applied", "no-guardrails-before-rankings");
    }
    request.on_unsupported.unwrap_or(policy.on_unsupported).check(&notes)?;
    let region = target.region.as_deref().unwrap_or(context.region);
    let arn = match target.model_id.starts_with("arn:") {
        true => target.model_id.clone(),
        false => format!(
            "arn:{}:bedrock:{region}::foundation-model/{}",
            arn_partition(region),
            target.model_id
        ),
    };
    let wanted = request.top_n.and_then(|top| usize::try_from(top).ok());
    let results = wanted.unwrap_or(given.len()).min(given.len());
    let call = TaskCall {
        operation: Operation::Rerank,
        model_id: target.model_id.clone(),
        headers: Vec::new(),
        body: body(query, &documents, &arn, results, &request.others),
        param: None,
    };
    Ok(TaskPlan {
        calls: vec![call],
        model_id: target.model_id.clone(),
        region: target.region.clone(),
        route: "rerank",
        memo: Memo {
            documents: given.len(),
            returned: request.return_documents.then(|| given.iter().map(returned).collect()),
        },
        notes,
    })
}

/// The call for the results that a reply has left for the next page.
pub(super) fn next(call: &TaskCall, reply: &TaskReply<'_>) -> Option<TaskCall> {
    let mut token = None;
    let read = Reader::document(reply.body, |reader| {
        reader.object(|name, reader| match name {
            "nextToken" => {
                token = reader.nullable(Reader::text)?;
                Ok(())
            }
            _ => reader.skip(),
        })
    });
    let token = token.filter(|token| read.is_ok() && !token.is_blank())?;
    // The body begins with a brace, which the token goes behind.
    let mut pieces = vec![Bytes::from(format!("{{\"nextToken\":{},", token.token()))];
    let (first, rest) = call.body.pieces().split_first()?;
    pieces.push(first.slice(1.min(first.len())..));
    pieces.extend(rest.iter().cloned());
    Some(TaskCall {
        body: CallBody::new(pieces),
        ..call.clone()
    })
}

/// What of a document Bedrock ranks: a text, or an object as it is.
enum Source<'a> {
    Text(JsonText<'a>),
    Json(Json<'a>),
}

fn sources<'a>(
    documents: &[Document<'a>],
    fields: Option<&[std::borrow::Cow<'_, str>]>,
) -> Result<Vec<Source<'a>>, Problem> {
    if documents.is_empty() || documents.len() > MAX_DOCUMENTS {
        let message = format!("expected 1 to {MAX_DOCUMENTS} documents, but got {}", documents.len());
        return Err(invalid("documents", &message));
    }
    let sources = documents.iter().enumerate().map(|(index, document)| {
        let source = source(document, fields);
        source.map_err(|fault| fault.at_index(index).under_key("documents").into())
    });
    sources.collect()
}

/// Of an object, Cohere ranks what `rank_fields` name, or else its `text`. One without a text is ranked as a whole.
fn source<'a>(document: &Document<'a>, fields: Option<&[std::borrow::Cow<'_, str>]>) -> Result<Source<'a>, Fault> {
    let (members, whole) = match document {
        Document::Text(text) => {
            check_length(text)?;
            return Ok(Source::Text(text.clone()));
        }
        Document::Object(members, whole) => (members, whole),
    };
    let member = |name: &str| members.iter().rfind(|(known, _)| known == name).map(|(_, value)| value);
    if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
        let found: Vec<_> = fields.iter().filter_map(|name| Some((name, member(name)?))).collect();
        if found.is_empty() {
            return Err(Fault::shape("has none of the 'rank_fields'"));
        }
        return Ok(Source::Json(Json::object(|object| {
            for (name, value) in found {
                object.field(name, value);
            }
        })));
    }
    let text = member("text").and_then(Json::as_slice);
    let Some(text) = text.and_then(|text| Reader::document(text.as_bytes(), Reader::text).ok()) else {
        if members.is_empty() {
            return Err(Fault::shape("has no members"));
        }
        return Ok(Source::Json(whole.clone()));
    };
    check_length(&text).map_err(|fault| fault.under_key("text"))?;
    Ok(Source::Text(text))
}

fn check_length(text: &JsonText<'_>) -> Result<(), Fault> {
    if text.inner().is_empty() {
        return Err(Fault::shape("must not be empty"));
    }
    // An escape is longer than what it stands for.
    if text.inner().len() > MAX_CHARS {
        let chars = text.decoded().chars().count();
        if chars > MAX_CHARS {
            let message = format!("Bedrock takes at most {MAX_CHARS} characters, but this has {chars}");
            return Err(Fault::shape(message));
        }
    }
    Ok(())
}

fn check_fields(others: &[(String, Json<'_>)]) -> Result<(), Problem> {
    let is_long = |name: &str| name.is_empty() || name.chars().count() > MAX_FIELD_NAME_CHARS;
    match others.iter().find(|(name, _)| is_long(name)) {
        Some((name, _)) => {
            let name: String = name.chars().take(MAX_FIELD_NAME_CHARS).collect();
            Err(invalid(&name, "no model has a field of such a name"))
        }
        None => Ok(()),
    }
}

/// Refuses a model that is known to do something else. What nobody knows is tried.
fn check_model(target: &Target, name: &str, context: &Context<'_>) -> Result<(), Problem> {
    let known = target.base_id.as_deref().and_then(|id| context.catalogue.model(id));
    if known.is_none_or(|model| model.output.contains(Modality::Ranking)) {
        return Ok(());
    }
    let ranking: Vec<&str> = context
        .catalogue
        .models()
        .filter(|model| model.output.contains(Modality::Ranking))
        .map(|model| model.id.as_str())
        .collect();
    let message = format!(
        "The model '{name}' ranks no documents. These do: {}.",
        ranking.join(", ")
    );
    Err(Problem::new(400, ProblemKind::InvalidRequest, message)
        .with_code("model_not_supported")
        .with_param("model"))
}

fn body(
    query: &JsonText<'_>,
    sources: &[Source<'_>],
    arn: &str,
    results: usize,
    others: &[(String, Json<'_>)],
) -> CallBody {
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |body| {
        write_array(body.key("queries"), [query], |query, out| {
            ObjectWriter::write(out, |object| {
                object.field("type", "TEXT");
                object.object("textQuery", |text| text.field("text", query));
            });
        });
        write_array(body.key("sources"), sources, |source, out| {
            ObjectWriter::write(out, |object| {
                object.field("type", "INLINE");
                object.object("inlineDocumentSource", |document| match source {
                    Source::Text(text) => {
                        document.field("type", "TEXT");
                        document.object("textDocument", |object| object.field("text", text));
                    }
                    Source::Json(json) => {
                        document.field("type", "JSON");
                        document.field("jsonDocument", json);
                    }
                });
            });
        });
        body.object("rerankingConfiguration", |configuration| {
            configuration.field("type", "BEDROCK_RERANKING_MODEL");
            configuration.object("bedrockRerankingConfiguration", |own| {
                own.object("modelConfiguration", |model| {
                    model.field("modelArn", arn);
                    if !others.is_empty() {
                        model.object("additionalModelRequestFields", |fields| {
                            for (name, value) in others {
                                fields.field(name, value);
                            }
                        });
                    }
                });
                own.field("numberOfResults", &(results as u64));
            });
        });
    });
    CallBody::new(vec![out.into()])
}

/// As Cohere gives documents back.
fn returned(document: &Document<'_>) -> Json<'static> {
    match document {
        Document::Text(text) => Json::object(|object| object.field("text", text)),
        Document::Object(_, whole) => whole.clone().into_owned(),
    }
}

fn missing(name: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{name}'."))
        .with_code("missing_required_parameter")
        .with_param(name)
}

fn invalid(name: &str, what: &str) -> Problem {
    Problem::invalid(format!("Invalid '{name}': {what}."))
        .with_code("invalid_value")
        .with_param(name)
}
