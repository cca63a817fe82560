//! From a request to calls: which model, which size, how many calls, whose body.

use std::sync::Arc;

use outcrop_bedrock::call::{CallBody, Operation};
use serde_json::{Map, Value};

use super::answer::{Form, Memo};
use super::member::{contradiction, missing, unsupported, whole, wrong};
use super::request::ImageRequest;
use super::size::{Sizing, sizing};
use super::source::SourceImage;
use super::{amazon, diffusion, stability};
use crate::catalogue::{ImageRules, ImageSize, ImageTask, Shape, Traits};
use crate::endpoint::{Context, Halt};
use crate::notes::Notes;
use crate::policy::Guardrail;
use crate::problem::Problem;
use crate::resolve::{Asked, Purpose, Target};
use crate::task::{Input, TaskCall, TaskPlan};

/// The most images of a request, as at OpenAI.
const MAX_IMAGES: u64 = 10;
/// The largest seed that all models take.
const MAX_SEED: u64 = (1 << 31) - 2;

/// One order for a model, before it is written in the model's own words.
pub(super) struct Order<'a> {
    pub(super) task: ImageTask,
    pub(super) prompt: Option<&'a str>,
    pub(super) sizing: &'a Sizing,
    pub(super) rules: &'a ImageRules,
    pub(super) quality: Option<&'a str>,
    pub(super) style: Option<&'a str>,
    pub(super) output_format: Option<&'a str>,
    pub(super) images: &'a [SourceImage],
    pub(super) mask: Option<&'a bytes::Bytes>,
    /// What isn't OpenAI's. Each body takes out what it places.
    pub(super) others: Map<String, Value>,
}

impl Order<'_> {
    /// The size of the image that is to be changed.
    pub(super) fn image_size(&self) -> Option<ImageSize> {
        self.images.first()?.size
    }

    /// Takes out a member that isn't OpenAI's, by the first of its names that is there.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| self.others.remove(*name))
    }

    /// Notes that answers can't have the size that was asked for, but the image's own.
    pub(super) fn keep_size_of_image(&self, notes: &mut Notes) {
        let asked = match self.sizing {
            Sizing::Unsaid => return,
            Sizing::Exact(size) => Some(*size),
            Sizing::Ratio(_) => None,
        };
        if self.rules.enlarges {
            notes.lose("size", "dropped", "service-decides");
        } else if asked.is_none() || asked != self.image_size() {
            notes.lose("size", "dropped", "size-of-image");
        }
    }
}

/// A body, but for what differs from call to call.
pub(super) struct Body {
    pub(super) members: Map<String, Value>,
    /// Where the seed goes.
    pub(super) seed_at: Option<&'static [&'static str]>,
    /// The largest seed that the model takes.
    pub(super) max_seed: u64,
    /// Where the number of images goes, for models that make several at once.
    pub(super) count_at: Option<&'static [&'static str]>,
}

impl Body {
    /// The quality that the images are paid for by, in the words of the prices.
    fn quality(&self, shape: Shape) -> &'static str {
        let premium = match shape {
            Shape::AmazonImage => {
                let config = self.members.get("imageGenerationConfig");
                config.and_then(|config| config.get("quality")).and_then(Value::as_str) == Some("premium")
            }
            // More than 50 steps are the dearer quality (Amazon Bedrock's prices, as LiteLLM's price map has them).
            Shape::StableDiffusion => {
                let steps = self.members.get("steps").and_then(Value::as_u64);
                steps.is_some_and(|steps| steps > 50)
            }
            _ => return "",
        };
        if premium { "premium" } else { "standard" }
    }

    /// How many images a call makes at most.
    fn per_call(&self, rules: &ImageRules) -> u64 {
        if self.count_at.is_some() { rules.per_call() } else { 1 }
    }
}

/// Plans the calls.
pub(super) fn plan(task: ImageTask, input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
    let mut notes = Notes::default();
    let mut request = ImageRequest::read(task, input, &mut notes)?;
    context.note_user(request.user.as_deref());
    let target = target(task, &request, context, &mut notes)?;
    let policy = context.policy(&target);
    let (shape, rules) = rules(task, &target, context)?;
    if shape == Shape::AmazonImage {
        amazon::lift(&mut request)?;
    }
    let n = request.n.unwrap_or(1);
    if !(1..=MAX_IMAGES).contains(&n) {
        return Err(wrong("n", &format!("1 to {MAX_IMAGES}, but got {n}")).into());
    }
    check_needs(task, &request, &rules)?;
    let images = images(&request, task, &rules)?;
    let sizing = sizing(request.size.as_deref(), &rules, &mut notes)?;
    let seed = seed(&mut request)?;
    let mut order = Order {
        task,
        prompt: request.prompt.as_deref(),
        sizing: &sizing,
        rules: &rules,
        quality: request.quality.as_deref(),
        style: request.style.as_deref(),
        output_format: request.output_format,
        images: &images,
        mask: request.mask.as_ref(),
        others: std::mem::take(&mut request.others),
    };
    let body = match shape {
        Shape::AmazonImage => amazon::body(&mut order, &mut notes),
        Shape::StableDiffusion => diffusion::body(&mut order, &mut notes),
        _ => stability::body(&mut order, &mut notes),
    }?;
    let quality = body.quality(shape);
    check_seed(&body, n, seed, &rules, &mut notes)?;
    let on_unsupported = request.on_unsupported.unwrap_or(policy.on_unsupported);
    on_unsupported.check(&notes)?;
    let headers = policy.guardrail.as_ref().map(guardrail_headers).unwrap_or_default();
    let calls = bodies(body, n, seed, &rules, context).into_iter().map(|body| TaskCall {
        operation: Operation::InvokeModel,
        model_id: target.model_id.clone(),
        headers: headers.clone(),
        body: CallBody::new(vec![body.into()]),
        param: None,
    });
    Ok(TaskPlan {
        calls: calls.collect(),
        model_id: target.model_id.clone(),
        region: target.region.clone(),
        route: "invoke",
        memo: Memo {
            shape,
            form: form(&request, context),
            has_source: !images.is_empty(),
            count: n,
            quality,
        },
        notes,
    })
}

fn target(
    task: ImageTask,
    request: &ImageRequest,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Result<Arc<Target>, Halt> {
    let asked = Asked {
        // None, where the client leaves it to the operator.
        name: request.asked_model(context).unwrap_or_default(),
        provider: request.model_provider.as_deref(),
        model_id: request.model_id.as_deref(),
        purpose: match task {
            ImageTask::Vary => Purpose::ImageVariation,
            _ if request.mask.is_some() => Purpose::MaskedImage,
            _ => Purpose::Image,
        },
        ..Asked::default()
    };
    context.target(&asked, notes)
}

/// The form of the model's body, and what it makes.
fn rules(task: ImageTask, target: &Target, context: &Context<'_>) -> Result<(Shape, Arc<ImageRules>), Problem> {
    let known = target.base_id.as_deref().and_then(|id| {
        let shape = Traits::of(context.catalogue, Some(id), &[]).invoke?;
        Some((shape, context.catalogue.images(id)?))
    });
    let name = &target.model_id;
    let (shape, rules) = known.ok_or_else(|| {
        let message = format!("The model '{name}' makes no images, as far as is known here.");
        Problem::invalid(message)
            .with_code("unsupported_model")
            .with_param("model")
    })?;
    if !rules.tasks.contains(task) {
        let what = match task {
            ImageTask::Generate => "makes images of other images only: ask for an edit",
            ImageTask::Edit => "doesn't change images",
            ImageTask::Vary => "makes no variations: ask for an edit, or another model",
        };
        let problem = Problem::invalid(format!("The model '{name}' {what}."));
        return Err(problem.with_code("unsupported_model").with_param("model"));
    }
    Ok((shape, rules))
}

/// Checks that there is what the model needs, and that the prompt isn't too long.
fn check_needs(task: ImageTask, request: &ImageRequest, rules: &ImageRules) -> Result<(), Problem> {
    let is_there = |name: &str| match name {
        "prompt" => request.prompt.is_some(),
        own => request.others.contains_key(own),
    };
    if let Some(lacking) = rules.needs.iter().find(|name| !is_there(name)) {
        return Err(missing(lacking));
    }
    match &request.prompt {
        None if task == ImageTask::Generate => Err(missing("prompt")),
        None => Ok(()),
        Some(prompt) => {
            let chars = prompt.chars().count();
            match rules.prompt_chars.filter(|most| chars > *most) {
                Some(most) => {
                    let expected = format!("at most {most} characters for this model, but got {chars}");
                    Err(wrong("prompt", &expected))
                }
                None => Ok(()),
            }
        }
    }
}

fn images(request: &ImageRequest, task: ImageTask, rules: &ImageRules) -> Result<Vec<SourceImage>, Problem> {
    if task == ImageTask::Generate {
        return Ok(Vec::new());
    }
    if request.images.is_empty() {
        return Err(missing(request.images_name));
    }
    if task == ImageTask::Vary && request.mask.is_some() {
        return Err(unsupported("mask", "variations have none"));
    }
    let all = request.images.iter();
    all.map(|(name, bytes)| SourceImage::read(name, bytes, rules)).collect()
}

/// The seed that the request names.
fn seed(request: &mut ImageRequest) -> Result<Option<u64>, Problem> {
    let Some(value) = request.others.remove("seed") else {
        return Ok(None);
    };
    let seed = whole(&value).ok_or_else(|| wrong("seed", "a whole number, 0 or above"))?;
    Ok(Some(seed))
}

/// Checks that several images can differ, and that each of them gets a seed that the model takes.
fn check_seed(body: &Body, n: u64, seed: Option<u64>, rules: &ImageRules, notes: &mut Notes) -> Result<(), Problem> {
    if body.seed_at.is_none() {
        if n > 1 {
            let why = "all of them would be the same, as nothing in this is left to chance; ask for one";
            return Err(unsupported("n", why));
        }
        if seed.is_some() {
            notes.lose("seed", "dropped", "nothing-to-choose");
        }
        return Ok(());
    }
    let last = (n - 1) / body.per_call(rules) * body.per_call(rules);
    match seed {
        Some(seed) if seed > body.max_seed - last => {
            let most = body.max_seed - last;
            let expected = format!("at most {most} for {n} images, of which each call has the next, but got {seed}");
            Err(wrong("seed", &expected))
        }
        _ => Ok(()),
    }
}

/// The body of each call: as few calls as will do, each with a seed of its own where there are several.
fn bodies(body: Body, n: u64, seed: Option<u64>, rules: &ImageRules, context: &Context<'_>) -> Vec<Vec<u8>> {
    let per_call = body.per_call(rules);
    let calls = n.div_ceil(per_call);
    // Without it, all calls might give the same images.
    let first = match (seed, calls) {
        (None, 2..) => Some((context.unique % u128::from(MAX_SEED - MAX_IMAGES)) as u64),
        _ => seed,
    };
    let one = |call: u64| {
        let mut members = body.members.clone();
        if let (Some(path), Some(first)) = (body.seed_at, first) {
            put(&mut members, path, first.saturating_add(call * per_call).into());
        }
        let count = (n - call * per_call).min(per_call);
        if let Some(path) = body.count_at.filter(|_| n > 1) {
            put(&mut members, path, count.into());
        }
        Value::Object(members).to_string().into_bytes()
    };
    (0..calls).map(one).collect()
}

/// Sets a member that may stand within another.
pub(super) fn put(members: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            members.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let within = members
                .entry((*name).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(within) = within {
                put(within, rest, value);
            }
        }
    }
}

/// Sets a member that OpenAI's words may have set before; `path` is where the client has this one. Both must say the
/// same.
pub(super) fn put_own(members: &mut Map<String, Value>, name: &str, value: Value, path: &str) -> Result<(), Problem> {
    let said = match name {
        "text" | "text_prompts" => "prompt",
        "width" | "height" | "aspect_ratio" | "left" | "right" | "up" | "down" => "size",
        "style_preset" => "style",
        "maskImage" | "mask_image" | "mask_source" => "mask",
        "images" | "conditionImage" | "referenceImage" | "sourceImage" | "init_image" | "style_image" | "mode" => {
            "image"
        }
        own => own,
    };
    match members.get(name) {
        Some(before) if *before != value => Err(contradiction(said, path)),
        _ => {
            members.insert(name.to_owned(), value);
            Ok(())
        }
    }
}

/// Adds what isn't OpenAI's, as it stands.
pub(super) fn put_others(order: &mut Order<'_>, members: &mut Map<String, Value>) -> Result<(), Problem> {
    for (name, value) in std::mem::take(&mut order.others) {
        put_own(members, &name, value, &name)?;
    }
    Ok(())
}

/// How the client wants the images: OpenAI's older models give URLs, unless they are told otherwise.
fn form(request: &ImageRequest, context: &Context<'_>) -> Form {
    // Without a name, it is DALL-E 2 that is asked for.
    let is_dall_e = |name: &str| name.to_ascii_lowercase().contains("dall-e");
    match request.response_format {
        Some("url") => Form::Url,
        None if request.asked_model(context).is_none_or(is_dall_e) => Form::Url,
        _ => Form::Base64,
    }
}

fn guardrail_headers(guardrail: &Guardrail) -> Vec<(&'static str, String)> {
    vec![
        ("x-amzn-bedrock-guardrailidentifier", guardrail.id.clone()),
        ("x-amzn-bedrock-guardrailversion", guardrail.version.clone()),
    ]
}

/// `style_preset` for OpenAI's `style`, where the model takes one.
pub(super) fn place_style(order: &mut Order<'_>, members: &mut Map<String, Value>, takes: bool, notes: &mut Notes) {
    let Some(style) = order.style else { return };
    let preset = match style {
        _ if !takes => {
            notes.lose("style", "dropped", "no-styles");
            return;
        }
        "vivid" => "cinematic",
        "natural" => "photographic",
        own => own,
    };
    if preset != style {
        notes.add("style", "style_preset", "nearest-preset");
    }
    members.insert("style_preset".to_owned(), preset.into());
}

/// Notes that the model has no grades of quality.
pub(super) fn drop_quality(order: &Order<'_>, notes: &mut Notes) {
    if !matches!(order.quality, None | Some("auto" | "standard")) {
        notes.lose("quality", "dropped", "one-quality");
    }
}

/// Notes that the model takes no words.
pub(super) fn no_prompt(order: &Order<'_>, notes: &mut Notes) {
    if order.prompt.is_some() {
        notes.lose("prompt", "dropped", "not-of-model");
    }
}
