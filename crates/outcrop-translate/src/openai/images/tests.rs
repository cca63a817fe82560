use std::io::Cursor;

use bytes::Bytes;
use png::{BitDepth, ColorType, Decoder, Encoder};
use proptest::prelude::*;

use super::mask::{Shade, black_and_white};
use super::request::ImageRequest;
use super::size::{Sizing, sizing};
use crate::catalogue::{Catalogue, ImageSize, ImageTask};
use crate::notes::Notes;
use crate::task::Input;

/// A PNG of these channels' bytes.
fn png(width: u32, height: u32, color: ColorType, pixels: &[u8]) -> Bytes {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    out.into()
}

fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

fn refusal(mask: &Bytes, image: Option<ImageSize>) -> String {
    let problem = black_and_white(mask, image, Shade::White).unwrap_err();
    assert_eq!((problem.status, problem.param.as_deref()), (400, Some("mask")));
    problem.message
}

proptest! {
    #[test]
    fn what_is_transparent_is_what_changes(width in 1_u32..40, height in 1_u32..40, seed: u64) {
        let count = (width * height) as usize;
        let alphas: Vec<u8> = (0..count as u64).map(|at| (seed.wrapping_mul(at * 2 + 1) >> 56) as u8).collect();
        for (color, channels) in [(ColorType::Rgba, 4), (ColorType::GrayscaleAlpha, 2)] {
            let raw: Vec<u8> = alphas.iter().flat_map(|alpha| {
                let mut pixel = vec![90; channels];
                pixel[channels - 1] = *alpha;
                pixel
            }).collect();
            let mask = png(width, height, color, &raw);
            for (edited, inside, outside) in [(Shade::White, 255, 0), (Shade::Black, 0, 255)] {
                let converted = black_and_white(&mask, Some(ImageSize { width, height }), edited).unwrap();
                let expected: Vec<u8> = alphas.iter().map(|alpha| if *alpha < 128 { inside } else { outside }).collect();
                prop_assert_eq!(pixels(&converted), expected);
            }
        }
    }

    #[test]
    fn any_cut_of_a_mask_is_refused_and_names_it(end in 0_usize..200) {
        let whole = png(9, 9, ColorType::Rgba, &(0..324).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>());
        let end = end.min(whole.len() - 13);
        refusal(&whole.slice(..end), None);
    }
}

#[test]
fn masks_that_cant_be_meant_are_refused_with_the_reason() {
    let opaque = png(2, 2, ColorType::Rgb, &[0; 12]);
    assert!(refusal(&opaque, None).contains("transparency"));
    let clear = png(2, 2, ColorType::Rgba, &[0; 16]);
    let other = ImageSize { width: 2, height: 3 };
    assert!(refusal(&clear, Some(other)).contains("2x3"));
    assert!(refusal(&Bytes::from_static(b"\xff\xd8\xff\xe0"), None).contains("a PNG"));
    // Its header announces more than it could ever hold.
    let mut bomb = clear.to_vec();
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    assert!(refusal(&bomb.into(), None).contains("16777216"));
}

#[test]
fn a_size_is_the_nearest_shape_or_none() {
    let rules = Catalogue::built_in()
        .images("stability.stable-image-core-v1:1")
        .unwrap();
    let of = |asked: &str| {
        let mut notes = Notes::default();
        let sizing = sizing(Some(asked), &rules, &mut notes).ok()?;
        Some((sizing, notes.is_empty()))
    };
    for (asked, name, is_exact) in [
        ("1024x1024", "1:1", true),
        ("256x256", "1:1", false),
        ("1920x1080", "16:9", false),
        ("1792x1024", "16:9", false),
        ("1024x1792", "9:16", false),
        ("1536x1024", "3:2", false),
        ("1216x832", "3:2", true),
        ("1216X832", "3:2", true),
        ("21:9", "21:9", true),
    ] {
        assert_eq!(of(asked), Some((Sizing::Ratio(name.to_owned()), is_exact)), "{asked}");
    }
    for asked in ["1024", "0x0", "-1x5", "1024x", "x", "1100x700", "99999999999x1", "+8x8"] {
        assert_eq!(of(asked), None, "{asked}");
    }
    assert_eq!(of("auto"), Some((Sizing::Unsaid, true)));
}

#[test]
fn each_image_model_of_the_catalogue_says_what_it_makes() {
    let catalogue = Catalogue::built_in();
    let paints = |model: &&crate::catalogue::Model| model.output.contains(crate::catalogue::Modality::Image);
    let models: Vec<_> = catalogue.models().filter(paints).collect();
    assert!(models.len() > 20);
    for model in models {
        let rules = catalogue
            .images(&model.id)
            .unwrap_or_else(|| panic!("{} has no rules", model.id));
        let makes = rules.tasks.contains(crate::catalogue::ImageTask::Generate);
        assert_eq!(
            makes,
            rules.usual_size().is_some() && !model.id.contains("style-guide"),
            "{}",
            model.id
        );
        for size in rules.sizes.iter().chain(rules.ratios.values()) {
            assert!(size.pixels() <= 1 << 20 || makes, "{}: {size}", model.id);
        }
    }
}

#[test]
fn extra_body_is_unfolded_and_wins() {
    let read = |body: &'static str| {
        let input = Input::Json(Bytes::from_static(body.as_bytes()));
        ImageRequest::read(ImageTask::Generate, &input, &mut Notes::default())
    };
    let request = read(r#"{"prompt":"a","extra_body":{"prompt":"b","seed":1},"model":"m"}"#).unwrap();
    assert_eq!(request.prompt.as_deref(), Some("b"));
    assert!(request.others.contains_key("seed") && !request.others.contains_key("extra_body"));
    for (body, param) in [
        (r#"{"prompt":"a","extra_body":{"aws_role_name":"x"}}"#, "aws_role_name"),
        (r#"{"prompt":"a","extra_body":7}"#, "extra_body"),
    ] {
        let problem = read(body).err().unwrap();
        assert_eq!((problem.status, problem.param.as_deref()), (400, Some(param)));
    }
}
