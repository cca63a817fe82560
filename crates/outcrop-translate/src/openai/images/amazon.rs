//! The body of Titan Image Generator and Nova Canvas: a task, its parameters, and what all tasks share (Bedrock's user
//! guide, "Amazon Titan Image Generator G1 models", and Nova's, "Image generation and editing", read 2026-11).

use serde_json::{Map, Value};

use super::mask::{Shade, black_and_white};
use super::member::{contradiction, missing, unsupported, whole, wrong};
use super::plan::{Body, Order, put, put_others, put_own};
use super::request::ImageRequest;
use super::size::Sizing;
use crate::catalogue::ImageTask;
use crate::notes::Notes;
use crate::problem::Problem;

/// Tasks, and where their parameters stand.
const TASKS: [(&str, &str); 7] = [
    ("TEXT_IMAGE", "textToImageParams"),
    ("INPAINTING", "inPaintingParams"),
    ("OUTPAINTING", "outPaintingParams"),
    ("IMAGE_VARIATION", "imageVariationParams"),
    ("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams"),
    ("BACKGROUND_REMOVAL", "backgroundRemovalParams"),
    ("VIRTUAL_TRY_ON", "virtualTryOnParams"),
];
const CONFIG: &str = "imageGenerationConfig";
/// The largest seed.
const MAX_SEED: u64 = (1 << 31) - 2;

/// Members of a task's parameters, by the names that clients have for them.
const PARAMS: [(&str, &[&str]); 12] = [
    ("negativeText", &["negativeText", "negative_prompt"]),
    ("maskPrompt", &["maskPrompt", "mask_prompt"]),
    ("maskImage", &["maskImage"]),
    ("outPaintingMode", &["outPaintingMode"]),
    ("returnMask", &["returnMask"]),
    ("similarityStrength", &["similarityStrength", "similarity_strength"]),
    ("conditionImage", &["conditionImage"]),
    ("controlMode", &["controlMode"]),
    ("controlStrength", &["controlStrength", "control_strength"]),
    ("colors", &["colors"]),
    ("referenceImage", &["referenceImage"]),
    ("text", &["text"]),
];

pub(super) fn body(order: &mut Order<'_>, notes: &mut Notes) -> Result<Body, Problem> {
    let (task, params) = task(order)?;
    let mut members = Map::new();
    members.insert("taskType".to_owned(), task.into());
    let mut within = Map::new();
    if let Some(prompt) = order.prompt {
        match task {
            "BACKGROUND_REMOVAL" | "VIRTUAL_TRY_ON" => notes.lose("prompt", "dropped", "not-of-task"),
            _ => put(&mut within, &["text"], prompt.into()),
        }
    }
    place_images(order, task, &mut within)?;
    place_style(order, task, &mut within, notes);
    for (name, names) in PARAMS {
        if let Some(value) = order.take(names) {
            put_own(&mut within, name, value, name)?;
        }
    }
    let sized = task != "BACKGROUND_REMOVAL";
    let mut config = match sized {
        true => config(order, task, notes)?,
        false => no_config(order, notes),
    };
    // As AWS has them, whole.
    for (name, into) in [(params, &mut within), (CONFIG, &mut config)] {
        match order.others.remove(name) {
            Some(Value::Object(own)) => {
                for (member, value) in own {
                    put_own(into, &member, value, &format!("{name}.{member}"))?;
                }
            }
            Some(_) => return Err(wrong(name, "an object")),
            None => {}
        }
    }
    members.insert(params.to_owned(), within.into());
    if !config.is_empty() {
        members.insert(CONFIG.to_owned(), config.into());
    }
    put_others(order, &mut members)?;
    Ok(Body {
        members,
        seed_at: sized.then_some(&[CONFIG, "seed"]),
        max_seed: MAX_SEED,
        count_at: sized.then_some(&[CONFIG, "numberOfImages"]),
    })
}

/// Takes the seed and the number of images out of AWS's words: they are reckoned with, whoever's words they are.
pub(super) fn lift(request: &mut ImageRequest) -> Result<(), Problem> {
    const COUNT: &str = "numberOfImages";
    let mut counts: Vec<_> = request
        .others
        .remove(COUNT)
        .map(|n| (COUNT.to_owned(), n))
        .into_iter()
        .collect();
    if let Some(Value::Object(config)) = request.others.get_mut(CONFIG) {
        counts.extend(config.remove(COUNT).map(|n| (format!("{CONFIG}.{COUNT}"), n)));
        let (own, was_all) = (config.remove("seed"), config.is_empty());
        if was_all {
            request.others.remove(CONFIG);
        }
        if let Some(own) = own {
            put_own(&mut request.others, "seed", own, &format!("{CONFIG}.seed"))?;
        }
    }
    for (path, count) in counts {
        let count = whole(&count).ok_or_else(|| wrong(&path, "a whole number"))?;
        if request.n.replace(count).is_some_and(|n| n != count) {
            return Err(contradiction("n", &path));
        }
    }
    Ok(())
}

/// The task that the client names in AWS's words, or the one that its request comes to.
fn task(order: &mut Order<'_>) -> Result<(&'static str, &'static str), Problem> {
    if let Some(named) = order.take(&["taskType", "task_type"]) {
        let found = TASKS.into_iter().find(|(task, _)| named.as_str() == Some(task));
        return found.ok_or_else(|| {
            let known = TASKS.map(|(task, _)| format!("'{task}'"));
            wrong("taskType", &format!("one of {}", known.join(", ")))
        });
    }
    let has = |names: &[&str]| names.iter().any(|name| order.others.contains_key(*name));
    let place = match order.task {
        ImageTask::Generate if has(&["colors", "colorGuidedGenerationParams"]) => 4,
        ImageTask::Generate => 0,
        ImageTask::Edit
            if order.mask.is_some() || has(&["maskPrompt", "mask_prompt", "maskImage", "inPaintingParams"]) =>
        {
            1
        }
        ImageTask::Edit if has(&["outPaintingParams"]) => 2,
        ImageTask::Edit if has(&["backgroundRemovalParams"]) => 5,
        // Without a mask, all of the image may change.
        ImageTask::Edit | ImageTask::Vary => 3,
    };
    let (name, params) = TASKS[place];
    match order.prompt {
        None if order.task == ImageTask::Edit && place == 2 => Err(missing("prompt")),
        _ => Ok((name, params)),
    }
}

fn place_images(order: &Order<'_>, task: &str, within: &mut Map<String, Value>) -> Result<(), Problem> {
    let Some(first) = order.images.first() else {
        return Ok(());
    };
    if task == "IMAGE_VARIATION" {
        if order.mask.is_some() {
            return Err(unsupported("mask", "this task takes none"));
        }
        const MOST: usize = 5;
        if order.images.len() > MOST {
            return Err(wrong("image", &format!("at most {MOST} images for this model")));
        }
        let all: Vec<Value> = order.images.iter().map(|image| image.base64().into()).collect();
        within.insert("images".to_owned(), all.into());
        return Ok(());
    }
    if let Some(second) = order.images.get(1) {
        return Err(unsupported(&second.name, "this task changes one image at a time"));
    }
    let name = match task {
        "TEXT_IMAGE" => "conditionImage",
        "COLOR_GUIDED_GENERATION" => "referenceImage",
        "VIRTUAL_TRY_ON" => "sourceImage",
        _ => "image",
    };
    within.insert(name.to_owned(), first.base64().into());
    let Some(mask) = order.mask else { return Ok(()) };
    // Inpainting changes what is black, outpainting what is white.
    let edited = match task {
        "INPAINTING" => Shade::Black,
        "OUTPAINTING" => Shade::White,
        _ => return Err(unsupported("mask", "this task takes none")),
    };
    let mask = black_and_white(mask, order.image_size(), edited)?;
    within.insert("maskImage".to_owned(), outcrop_bedrock::base64::encode(&mask).into());
    Ok(())
}

/// Nova Canvas has styles of its own for text alone.
fn place_style(order: &Order<'_>, task: &str, within: &mut Map<String, Value>, notes: &mut Notes) {
    let Some(style) = order.style else { return };
    match style {
        _ if task != "TEXT_IMAGE" || !order.rules.takes("style") => notes.lose("style", "dropped", "no-styles"),
        "vivid" => notes.lose("style", "dropped", "no-counterpart"),
        "natural" => {
            notes.add("style", "PHOTOREALISM", "nearest-preset");
            put(within, &["style"], "PHOTOREALISM".into());
        }
        own => put(within, &["style"], own.into()),
    }
}

fn config(order: &mut Order<'_>, task: &str, notes: &mut Notes) -> Result<Map<String, Value>, Problem> {
    let mut config = Map::new();
    let keeps_size = task.ends_with("PAINTING");
    match order.sizing {
        Sizing::Exact(size) if !keeps_size => {
            config.insert("width".to_owned(), size.width.into());
            config.insert("height".to_owned(), size.height.into());
        }
        _ => order.keep_size_of_image(notes),
    }
    let quality = match order.quality {
        None | Some("auto") => None,
        Some("hd" | "high" | "premium") => Some("premium"),
        Some(_) => Some("standard"),
    };
    if let (Some(quality), Some(asked)) = (quality, order.quality) {
        if asked != quality {
            notes.add("quality", quality, "bedrock-calls-it-so");
        }
        config.insert("quality".to_owned(), quality.into());
    }
    for (name, names) in [
        ("cfgScale", &["cfgScale", "cfg_scale"][..]),
        ("width", &["width"]),
        ("height", &["height"]),
    ] {
        if let Some(value) = order.take(names) {
            put_own(&mut config, name, value, name)?;
        }
    }
    if order.others.remove("steps").is_some() {
        notes.lose("steps", "dropped", "not-of-model");
    }
    note_format(order, notes);
    Ok(config)
}

/// Notes what is lost where a task takes nothing but an image.
fn no_config(order: &mut Order<'_>, notes: &mut Notes) -> Map<String, Value> {
    order.keep_size_of_image(notes);
    if !matches!(order.quality, None | Some("auto")) {
        notes.lose("quality", "dropped", "not-of-task");
    }
    for name in ["cfgScale", "cfg_scale", "width", "height", "steps", CONFIG] {
        if order.others.remove(name).is_some() {
            notes.lose(name, "dropped", "not-of-task");
        }
    }
    note_format(order, notes);
    Map::new()
}

fn note_format(order: &Order<'_>, notes: &mut Notes) {
    if !matches!(order.output_format, None | Some("png")) {
        notes.lose("output_format", "png", "only-format");
    }
}
