//! From replies to the answer: images as they came, or as files.

use std::borrow::Cow;

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::json::{Fault, JsonText, ObjectWriter, Reader, write_array};

use crate::catalogue::{ImageSize, Images, Shape};
use crate::media;
use crate::notes::Notes;
use crate::problem::{Problem, ProblemKind};
use crate::task::{AnswerContext, Billed, File, TaskAnswer, TaskReply};

/// What the way back must know.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The form of the replies.
    pub(super) shape: Shape,
    pub(super) form: Form,
    /// Whether the request brought images.
    pub(super) has_source: bool,
    /// How many images were asked for.
    pub(super) count: u64,
    /// The quality that is paid for.
    pub(super) quality: &'static str,
}

/// How the client wants the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Base64,
    Url,
}

/// What a reply holds.
#[derive(Debug, Default)]
struct Painted<'a> {
    /// In base64.
    images: Vec<JsonText<'a>>,
    /// What a filter says.
    filtered: Option<Cow<'a, str>>,
    /// What else went wrong.
    failed: Option<Cow<'a, str>>,
}

/// As much of an image, in base64, as tells its format and, mostly, its size. A multiple of four.
const HEADER_CHARS: usize = 4096;

pub(super) fn answer(
    memo: &Memo,
    replies: &[TaskReply<'_>],
    context: &AnswerContext<'_>,
) -> Result<TaskAnswer, Problem> {
    let mut images = Vec::new();
    let (mut filtered, mut failed) = (None, None);
    for reply in replies {
        let painted = read(memo.shape, reply.body).map_err(unreadable)?;
        images.extend(painted.images);
        filtered = filtered.or(painted.filtered);
        failed = failed.or(painted.failed);
    }
    // Where some of several images were stopped, the client gets the others, as Bedrock gives them: they are made and
    // paid for, so that this is told, but never refused.
    if images.is_empty() {
        return Err(match (filtered, failed) {
            (Some(said), _) => rejected(&said),
            (None, said) => {
                let said = said.unwrap_or("the answer holds no image".into());
                Problem::new(502, ProblemKind::Server, format!("Bedrock: {said}")).with_code("upstream_model_error")
            }
        });
    }
    let mut notes = Notes::default();
    if (images.len() as u64) < memo.count {
        let reason = match (&filtered, &failed) {
            (Some(_), _) => "content-filtered",
            (None, Some(_)) => "failed",
            (None, None) => "fewer-came",
        };
        notes.lose("n", &images.len().to_string(), reason);
    }
    let usage = replies.iter().map(|reply| reply.tokens).fold(None, add);
    let data = images.iter().map(|image| datum(memo.form, image, context));
    let data = data.collect::<Result<Vec<_>, Problem>>()?;
    let mut body = Vec::with_capacity(data.iter().map(Datum::length).sum::<usize>() + 512);
    ObjectWriter::write(&mut body, |out| {
        out.field("created", &context.created);
        write_array(out.key("data"), &data, |datum, out| {
            ObjectWriter::write(out, |out| match datum {
                Datum::Base64(image) => out.field("b64_json", *image),
                Datum::Url(url) => out.field("url", url),
            });
        });
        if let Some((format, size)) = images.first().and_then(look) {
            out.field("output_format", format);
            // OpenAI's clients know no others, and those in strict languages take no others.
            let size = size.map(|size| size.to_string());
            let known = size.filter(|size| ["1024x1024", "1024x1536", "1536x1024"].contains(&size.as_str()));
            out.optional("size", &known);
        }
        // How much of the input was image and how much text, Bedrock doesn't say.
        if let Some((input, output)) = usage.filter(|_| !memo.has_source) {
            write_usage(input, output, out);
        }
    });
    Ok(TaskAnswer {
        body,
        usage: usage.map(|(input_tokens, output_tokens)| TokenUsage {
            input_tokens,
            output_tokens,
            ..TokenUsage::default()
        }),
        billed: billed(memo, &images),
        notes,
    })
}

/// The images that are asked for.
pub(super) fn asks(memo: &Memo) -> Billed {
    Billed {
        images: Images {
            count: memo.count,
            ..Images::default()
        },
        ..Billed::default()
    }
}

/// The images that replies hold, as far as they can be read.
pub(super) fn made(memo: &Memo, replies: &[TaskReply<'_>]) -> Billed {
    let painted = replies.iter().filter_map(|reply| read(memo.shape, reply.body).ok());
    let images: Vec<JsonText<'_>> = painted.flat_map(|painted| painted.images).collect();
    billed(memo, &images)
}

/// What images are paid for. They are of one size.
fn billed(memo: &Memo, images: &[JsonText<'_>]) -> Billed {
    let size = images.first().and_then(look).and_then(|(_, size)| size);
    Billed {
        images: Images {
            count: images.len() as u64,
            quality: memo.quality,
            pixels: size.map_or(0, |size| u64::from(size.width) * u64::from(size.height)),
        },
        ..Billed::default()
    }
}

/// An image in the answer.
enum Datum<'a> {
    Base64(&'a JsonText<'a>),
    Url(String),
}

impl Datum<'_> {
    fn length(&self) -> usize {
        match self {
            Self::Base64(image) => image.token().len() + 16,
            Self::Url(url) => url.len() + 16,
        }
    }
}

fn datum<'a>(form: Form, image: &'a JsonText<'a>, context: &AnswerContext<'_>) -> Result<Datum<'a>, Problem> {
    if form == Form::Base64 {
        return Ok(Datum::Base64(image));
    }
    let damaged = || unreadable(Fault::shape("an image isn't in base64"));
    let encoded = Base64::parse(image.decoded()).ok_or_else(damaged)?;
    let media_type = match look(image) {
        Some(("jpeg", _)) => "image/jpeg",
        Some(("webp", _)) => "image/webp",
        _ => "image/png",
    };
    let bytes = encoded.decode().into();
    context.shelf.keep(File { media_type, bytes }).map(Datum::Url)
}

/// The format and the size of an image, by its first bytes.
fn look(image: &JsonText<'_>) -> Option<(&'static str, Option<ImageSize>)> {
    let text = image.inner();
    let head = text.get(..HEADER_CHARS.min(text.len() / 4 * 4))?;
    let head = Base64::parse(head)?.decode().into();
    let (format, size) = media::image(&head)?;
    Some((format.name(), size.map(|(width, height)| ImageSize { width, height })))
}

fn add(sum: Option<(u64, u64)>, tokens: TokenCounts) -> Option<(u64, u64)> {
    if tokens.input.is_none() && tokens.output.is_none() {
        return sum;
    }
    let (input, output) = sum.unwrap_or_default();
    Some((
        input.saturating_add(tokens.input.unwrap_or_default()),
        output.saturating_add(tokens.output.unwrap_or_default()),
    ))
}

fn write_usage(input: u64, output: u64, out: &mut ObjectWriter<'_>) {
    out.object("usage", |usage| {
        usage.field("input_tokens", &input);
        usage.field("output_tokens", &output);
        usage.field("total_tokens", &input.saturating_add(output));
        usage.object("input_tokens_details", |details| {
            details.field("text_tokens", &input);
            details.field("image_tokens", &0_u64);
        });
    });
}

/// Content that a filter stopped, as OpenAI tells it.
fn rejected(said: &str) -> Problem {
    let message = format!("Your request was rejected by the safety system of Bedrock or of the model: {said}");
    Problem::invalid(message).with_code("content_policy_violation")
}

fn unreadable(fault: Fault) -> Problem {
    let message = format!("The upstream's answer is not one of Bedrock's, or is damaged: {fault}.");
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_invalid_response")
}

fn read(shape: Shape, body: &[u8]) -> Result<Painted<'_>, Fault> {
    let mut painted = Painted::default();
    Reader::document(body, |reader| {
        reader.object(|name, reader| {
            match (name, shape) {
                ("images", _) => {
                    painted.images = reader.nullable(|reader| reader.list(Reader::text))?.unwrap_or_default()
                }
                ("artifacts", Shape::StableDiffusion) => reader.array(|reader| artifact(reader, &mut painted))?,
                ("finish_reasons", _) => {
                    let reasons = reader.list(|reader| reader.nullable(Reader::string))?;
                    for reason in reasons.into_iter().flatten() {
                        painted.stop(reason);
                    }
                }
                // Amazon's word for what its filter stopped.
                ("error", Shape::AmazonImage) => painted.filtered = reader.nullable(Reader::string)?,
                ("amazon-bedrock-guardrailAction", _) => {
                    if reader.string()? == "INTERVENED" {
                        painted.filtered = Some("a guardrail intervened".into());
                    }
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
    })?;
    Ok(painted)
}

/// One of Stable Diffusion XL's images. A filtered one is blurred, and of no use.
fn artifact<'a>(reader: &mut Reader<'a>, painted: &mut Painted<'a>) -> Result<(), Fault> {
    let (mut image, mut reason) = (None, None);
    reader.object(|name, reader| {
        match name {
            "base64" => image = reader.nullable(Reader::text)?,
            "finishReason" => reason = reader.nullable(Reader::string)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    match reason {
        Some(reason) if reason != "SUCCESS" => painted.stop(reason),
        _ => painted.images.extend(image),
    }
    Ok(())
}

impl<'a> Painted<'a> {
    /// Notes why there is no image, in Stability AI's words.
    fn stop(&mut self, reason: Cow<'a, str>) {
        let lower = reason.to_ascii_lowercase();
        match lower.contains("filter") {
            true => self.filtered = Some(reason),
            false => self.failed = Some(reason),
        }
    }
}
