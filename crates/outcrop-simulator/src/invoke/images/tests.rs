use png::Decoder;
use serde_json::json;

use super::*;
use crate::models::Catalogue;

fn read(id: &str, body: Value) -> Result<Order, String> {
    let catalogue = Catalogue::new("us-east-1");
    let target = catalogue.target(catalogue.model(id).unwrap());
    let painter = named(target.model.invoke.as_deref().unwrap()).unwrap();
    painter.read(&body, &target).map_err(|refusal| refusal.message)
}

#[test]
fn each_model_that_paints_has_a_body() {
    let catalogue = Catalogue::new("us-east-1");
    for model in catalogue.models().filter(|model| model.output == ["IMAGE"]) {
        let target = catalogue.target(model);
        let painter = model.invoke.as_deref().and_then(named);
        let painter = painter.unwrap_or_else(|| panic!("{} has no body", model.id));
        for body in [json!({}), json!({"unheard-of": 1}), json!({"prompt": 5})] {
            let refusal = painter.read(&body, &target).unwrap_err();
            assert_eq!(refusal.exception, "ValidationException", "{}: {body}", model.id);
        }
    }
}

#[test]
fn the_same_key_gives_the_same_picture() {
    let picture = |key| picture::png(64, 48, key, false);
    assert_eq!(picture("a"), picture("a"));
    assert_ne!(picture("a"), picture("b"));
    assert_ne!(jpeg::jpeg(64, 48, "a"), jpeg::jpeg(64, 48, "b"));
}

#[test]
fn pictures_have_the_size_that_was_asked_for() {
    for (width, height) in [(1, 1), (128, 512), (513, 7)] {
        let bytes = picture::png(width, height, "key", true);
        let mut reader = Decoder::new(std::io::Cursor::new(bytes.as_slice()))
            .read_info()
            .unwrap();
        assert_eq!((reader.info().width, reader.info().height), (width, height));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let jpeg = jpeg::jpeg(width, height, "key");
        assert_eq!(crate::rules::image::size(&jpeg), Some((width, height)));
    }
}

#[test]
fn sizes_are_each_models_own() {
    let titan = |width, height| {
        read(
            "amazon.titan-image-generator-v2:0",
            json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fish"},
                "imageGenerationConfig": {"width": width, "height": height}}),
        )
    };
    assert_eq!(
        titan(1173, 640).map(|order| (order.width, order.height)),
        Ok((1173, 640))
    );
    assert!(titan(1024, 512).is_err());
    let sdxl = |version, width, height| {
        read(
            &format!("stability.stable-diffusion-xl-{version}"),
            json!({"text_prompts": [{"text": "a fish"}], "width": width, "height": height}),
        )
    };
    assert_eq!(
        sdxl("v0", 128, 512).map(|order| (order.width, order.height)),
        Ok((128, 512))
    );
    assert!(sdxl("v1", 128, 512).unwrap_err().contains("1536x640"));
    let ratio = |ratio| {
        read(
            "stability.sd3-5-large-v1:0",
            json!({"prompt": "a fish", "aspect_ratio": ratio}),
        )
    };
    assert_eq!(ratio("21:9").map(|order| (order.width, order.height)), Ok((1536, 640)));
    assert!(
        ratio("7:4")
            .unwrap_err()
            .contains("#/aspect_ratio: 7:4 is not a valid enum value")
    );
}
