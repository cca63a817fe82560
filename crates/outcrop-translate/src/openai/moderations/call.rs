//! From the request to the calls.

use outcrop_bedrock::base64;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::converse::{Image, ImageFormat, Source};
use outcrop_bedrock::json::{Fault, JsonText, ObjectWriter, write_array};

use super::categories::{CONTENT, PROMPT_ATTACKS};
use super::request::{Given, Part, Request};
use super::{Judge, Judged, Memo};
use crate::catalogue::{MediaSupport, Set};
use crate::endpoint::{Context, Halt};
use crate::media::{Expected, Form, Given as GivenMedium, Intake, Medium};
use crate::notes::Notes;
use crate::openai::members::refuse_operators;
use crate::policy::Guardrail;
use crate::problem::{Problem, ProblemKind};
use crate::task::{TaskCall, TaskPlan};

/// The model that is asked where none is named.
const DEFAULT_MODEL: &str = "omni-moderation-latest";
/// How OpenAI's models for moderation begin. They all mean the same here.
const MODELS: [&str; 2] = ["omni-moderation", "text-moderation"];
/// The most inputs of a request: each is a call.
const MAX_INPUTS: usize = 1000;

/// A thing that is judged by itself.
struct Subject<'a> {
    /// What of the request it is.
    param: String,
    parts: Vec<Content<'a>>,
}

enum Content<'a> {
    Text(&'a JsonText<'a>),
    Image(Image<'a>),
}

/// Plans a call for each input.
pub(super) fn plan(request: &Request<'_>, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
    let mut notes = Notes::default();
    refuse_operators(request.unknown.iter().map(String::as_str))?;
    let model = model(request, context)?;
    let policy = context
        .advisor
        .map(|advisor| advisor.policy(&[model], false))
        .unwrap_or_default();
    policy.check_guardrail(request.guardrail.is_some())?;
    let guardrail = request.guardrail.as_ref().or(policy.guardrail.as_ref());
    for name in &request.unknown {
        notes.lose(name, "dropped", "no-parameter-of-moderations");
    }
    let mut remote = context.remote.cloned().unwrap_or_default();
    let support = MediaSupport {
        images: true,
        documents: false,
        video: false,
        audio: false,
        s3: false,
        max_videos: None,
        large_documents: Set::EMPTY,
    };
    let mut intake = Intake::new(support, &mut remote);
    let input = request.input.as_ref().ok_or_else(|| missing("input"))?;
    let subjects = subjects(input, guardrail.is_some(), &mut intake)?;
    request.on_unsupported.unwrap_or(policy.on_unsupported).check(&notes)?;
    // Nothing is fetched for a request that is refused anyhow.
    if !remote.missing().is_empty() {
        return Err(Halt::Fetch(remote.missing().to_vec()));
    }
    let judged: Vec<Judged> = subjects.iter().map(Subject::judged).collect();
    let asked = subjects.iter().zip(&judged).filter(|(_, judged)| !judged.is_empty());
    let calls = asked
        .map(|(subject, _)| subject.call(guardrail, request.is_output))
        .collect();
    Ok(TaskPlan {
        calls,
        model_id: String::new(),
        region: None,
        route: if guardrail.is_some() {
            "guardrail"
        } else {
            "guardrail-checks"
        },
        memo: Memo {
            model: JsonText::encode(model),
            inputs: judged,
            by: if guardrail.is_some() {
                Judge::Guardrail
            } else {
                Judge::Checks
            },
        },
        notes,
    })
}

fn model<'r>(request: &'r Request<'_>, context: &Context<'r>) -> Result<&'r str, Problem> {
    let named = context.path_model.or(request.model.as_deref());
    let name = named.filter(|name| !name.trim().is_empty()).unwrap_or(DEFAULT_MODEL);
    if MODELS.iter().any(|beginning| name.starts_with(beginning)) {
        return Ok(name);
    }
    let message = format!(
        "The model '{name}' moderates nothing: '{DEFAULT_MODEL}', and all that begin with '{}' or '{}', stand for \
         Bedrock's guardrails.",
        MODELS[0], MODELS[1]
    );
    Err(Problem::new(404, ProblemKind::InvalidRequest, message)
        .with_code("model_not_found")
        .with_param("model"))
}

fn subjects<'a>(
    input: &'a Given<'a>,
    takes_images: bool,
    intake: &mut Intake<'_>,
) -> Result<Vec<Subject<'a>>, Problem> {
    let of_text = |param: String, text: &'a JsonText<'a>| Subject {
        param,
        parts: vec![Content::Text(text)],
    };
    let subjects = match input {
        Given::Text(text) => vec![of_text("input".to_owned(), text)],
        Given::Texts(texts) => {
            let numbered = texts.iter().enumerate();
            numbered
                .map(|(index, text)| of_text(format!("input[{index}]"), text))
                .collect()
        }
        Given::Parts(parts) => {
            let mut taken = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                taken.push(match part {
                    Part::Text(text) => Content::Text(text),
                    Part::Image(url) => {
                        let image = image(url, takes_images, intake);
                        let image = image.map_err(|fault| {
                            fault
                                .under_key("url")
                                .under_key("image_url")
                                .at_index(index)
                                .under_key("input")
                        })?;
                        Content::Image(image)
                    }
                });
            }
            vec![Subject {
                param: "input".to_owned(),
                parts: taken,
            }]
        }
    };
    if subjects.is_empty() || subjects.len() > MAX_INPUTS {
        let message = format!(
            "Invalid 'input': expected 1 to {MAX_INPUTS} inputs, but got {}.",
            subjects.len()
        );
        return Err(Problem::invalid(message).with_code("invalid_value").with_param("input"));
    }
    Ok(subjects)
}

fn image<'a>(url: &'a JsonText<'a>, takes_images: bool, intake: &mut Intake<'_>) -> Result<Image<'a>, Fault> {
    if !takes_images {
        let fault = Fault::shape("only a guardrail judges images, and none is configured");
        return Err(fault.with_code("unsupported_content"));
    }
    match intake.take(GivenMedium::new(Expected::Image, url, Form::Url))? {
        Medium::Image(image) if matches!(image.format, ImageFormat::Png | ImageFormat::Jpeg) => Ok(image),
        _ => Err(Fault::shape("guardrails judge PNG and JPEG images only").with_code("unsupported_content")),
    }
}

impl Subject<'_> {
    fn judged(&self) -> Judged {
        let mut judged = Judged::default();
        for part in &self.parts {
            match part {
                Content::Text(text) => judged.text |= !text.is_blank(),
                Content::Image(_) => judged.image = true,
            }
        }
        judged
    }

    fn call(&self, guardrail: Option<&Guardrail>, is_output: bool) -> TaskCall {
        let (operation, name, body) = match guardrail {
            Some(guardrail) => (
                Operation::ApplyGuardrail,
                format!("{}/{}", guardrail.id, guardrail.version),
                self.content(is_output),
            ),
            None => (
                Operation::InvokeGuardrailChecks,
                String::new(),
                self.messages(is_output),
            ),
        };
        TaskCall {
            operation,
            model_id: name,
            headers: Vec::new(),
            body: CallBody::new(vec![body.into()]),
            param: Some(self.param.clone()),
        }
    }

    /// The body of `ApplyGuardrail`. All is told, so that there are scores for what isn't blocked, too.
    fn content(&self, is_output: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let is_said = |part: &&Content<'_>| !matches!(part, Content::Text(text) if text.is_blank());
        ObjectWriter::write(&mut out, |body| {
            body.field("source", if is_output { "OUTPUT" } else { "INPUT" });
            write_array(body.key("content"), self.parts.iter().filter(is_said), |part, out| {
                ObjectWriter::write(out, |block| match part {
                    Content::Text(text) => block.object("text", |object| object.field("text", *text)),
                    Content::Image(image) => block.object("image", |object| {
                        let is_png = image.format == ImageFormat::Png;
                        object.field("format", if is_png { "png" } else { "jpeg" });
                        object.object("source", |source| source.field("bytes", &encoded(&image.source)));
                    }),
                });
            });
            body.field("outputScope", "FULL");
        });
        out
    }

    /// The body of `InvokeGuardrailChecks`.
    fn messages(&self, is_output: bool) -> Vec<u8> {
        let texts = self.parts.iter().filter_map(|part| match part {
            Content::Text(text) if !text.is_blank() => Some(*text),
            _ => None,
        });
        let mut out = Vec::new();
        ObjectWriter::write(&mut out, |body| {
            write_array(body.key("messages"), [texts], |texts, out| {
                ObjectWriter::write(out, |message| {
                    message.field("role", if is_output { "assistant" } else { "user" });
                    write_array(message.key("content"), texts, |text, out| {
                        ObjectWriter::write(out, |block| block.field("text", text));
                    });
                });
            });
            body.object("checks", |checks| {
                for (check, names) in [("contentFilter", &CONTENT[..]), ("promptAttack", &PROMPT_ATTACKS[..])] {
                    checks.object(check, |check| {
                        write_array(check.key("categories"), names, |name, out| {
                            ObjectWriter::write(out, |category| category.field("category", *name));
                        });
                    });
                }
            });
        });
        out
    }
}

fn encoded(source: &Source<'_>) -> String {
    match source {
        Source::Base64(base64) => base64.as_str().to_owned(),
        Source::Bytes(bytes) => base64::encode(bytes),
        // A bucket was refused; only a description of a call lacks the bytes.
        Source::S3(location) => location.uri.clone().into_owned(),
        Source::Absent(text) => text.clone().into_owned(),
    }
}

fn missing(name: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{name}'."))
        .with_code("missing_required_parameter")
        .with_param(name)
}
