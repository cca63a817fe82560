use bytes::Bytes;
use outcrop_bedrock::base64::encode;
use outcrop_bedrock::converse::{ConverseRequest, Role};

use super::*;
use crate::catalogue::Catalogue;
use crate::remote::Fetched;

const CLAUDE_3: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const CLAUDE_5: &str = "us.anthropic.claude-sonnet-5";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0";

/// `head`, and zeros up to a length.
fn sized(head: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.resize(length, 0);
    bytes
}

fn support(model_id: &str) -> MediaSupport {
    let catalogue = Catalogue::built_in();
    catalogue.media(catalogue.base_id(model_id))
}

fn take_bytes(model_id: &str, expected: Expected, bytes: Vec<u8>) -> Result<(), String> {
    let text = JsonText::encode("https://host/large");
    let mut remote = Remote::default();
    let fetched = Fetched {
        bytes: Bytes::from(bytes),
        media_type: None,
    };
    remote.add("https://host/large", fetched);
    let given = Given::new(expected, &text, Form::Url);
    let medium = Intake::new(support(model_id), &mut remote).take(given);
    medium.map(|_| ()).map_err(|fault| fault.message)
}

#[test]
fn the_limit_of_size_is_named_with_what_was_found() {
    for (model_id, expected, head, most, what) in [
        (CLAUDE_5, Expected::Image, PNG, 3_932_160, "image"),
        (CLAUDE_3, Expected::File, &b"%PDF-1.4"[..], 4_718_592, "document"),
    ] {
        assert_eq!(take_bytes(model_id, expected, sized(head, most)), Ok(()));
        let refusal = take_bytes(model_id, expected, sized(head, most + 1)).unwrap_err();
        let found = most + 1;
        assert_eq!(
            refusal,
            format!("the {what} has {found} bytes, but Bedrock takes at most {most}")
        );
    }
}

#[test]
fn newer_claudes_take_larger_pdfs_up_to_what_a_request_may_hold() {
    assert_eq!(
        take_bytes(CLAUDE_5, Expected::File, sized(b"%PDF-1.4", 8_000_000)),
        Ok(())
    );
    let refusal = take_bytes(CLAUDE_5, Expected::File, sized(b"%PDF-1.4", 20_000_000)).unwrap_err();
    assert!(
        refusal.contains("26666668 characters of base64, but Bedrock takes at most 26214400"),
        "{refusal}"
    );
}

#[test]
fn a_name_can_stand_in_for_what_a_url_leads_to() {
    for (expected, url, format) in [
        (Expected::Image, "https://host/a.webp?x=1", "webp"),
        (Expected::Image, "https://host/a", "png"),
        (Expected::File, "https://host/a.gif", "gif"),
        (Expected::File, "https://host/a.pdf", "pdf"),
        (Expected::File, "https://host/a", "txt"),
        (Expected::Video, "https://host/a.mov", "mov"),
        (Expected::File, "https://host/a.webm", "webm"),
    ] {
        let (mut remote, text) = (Remote::default(), JsonText::encode(url));
        remote.leave_out(url);
        let taken =
            Intake::new(support("amazon.nova-lite-v1:0"), &mut remote).take(Given::new(expected, &text, Form::Url));
        let (told, source) = match taken.unwrap() {
            Medium::Image(image) => (image.format.name(), image.source),
            Medium::Document(document) => (document.format.name(), document.source),
            Medium::Video(video) => (video.format.name(), video.source),
            Medium::Audio(audio) => (audio.format.name(), audio.source),
        };
        assert_eq!(told, format, "{url}");
        assert_eq!(source, Source::Absent(format!("(base64 of {url})").into()));
        assert!(remote.missing().is_empty());
    }
}

#[test]
fn what_stands_behind_a_url_is_asked_for_and_then_taken() {
    let urls = ["https://host/a.png", "https://host/notes.md", "https://host/a.png"];
    let texts = urls.map(JsonText::encode);
    let expected = [Expected::Image, Expected::File, Expected::File];
    let take_all = |remote: &mut Remote| {
        let mut intake = Intake::new(support("amazon.nova-lite-v1:0"), remote);
        let all = texts.iter().zip(expected);
        all.map(|(text, expected)| intake.take(Given::new(expected, text, Form::Url)))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut remote = Remote::default();
    assert!(take_all(&mut remote).is_ok());
    assert_eq!(remote.missing(), ["https://host/a.png", "https://host/notes.md"]);
    for (url, bytes, media_type) in [(urls[0], PNG, "text/html"), (urls[1], b"# Title", "text/plain")] {
        let fetched = Fetched {
            bytes: Bytes::from_static(bytes),
            media_type: Some(media_type.to_owned()),
        };
        remote.add(url, fetched);
    }
    let media = take_all(&mut remote).unwrap();
    assert!(remote.missing().is_empty());
    let image = Medium::Image(Image {
        format: ImageFormat::Png,
        source: Source::Bytes(Bytes::from_static(PNG)),
    });
    assert_eq!(media[0], image);
    assert!(matches!(&media[1], Medium::Document(document) if document.format == DocumentFormat::Md));
    assert_eq!(media[2], image);
    remote.add_failure(urls[1], "its host is not public");
    let fault = take_all(&mut remote).unwrap_err();
    assert_eq!(fault.message, "the URL can't be fetched: its host is not public");
    assert_eq!(fault.code, Some("url_not_fetched"));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_fetched() {
    for (expected, name, most, what) in [
        (Expected::Image, "", 20, "images"),
        (Expected::Image, ".pdf", 5, "documents"),
        (Expected::File, ".png", 20, "images"),
        (Expected::File, ".docx", 5, "documents"),
        (Expected::Video, "", 1, "videos"),
    ] {
        let mut remote = Remote::default();
        let mut intake = Intake::new(support("amazon.nova-lite-v1:0"), &mut remote);
        let mut take = |number: usize| {
            let text = JsonText::encode(&format!("https://host/{number}{name}"));
            let taken = intake.take(Given::new(expected, &text, Form::Url));
            taken.map(|_| ()).map_err(|fault| fault.message)
        };
        for number in 1..=most {
            assert_eq!(take(number), Ok(()), "{what}");
        }
        let refusal = format!(
            "this is number {} of the request's {what}, but Bedrock takes at most {most}",
            most + 1
        );
        assert_eq!(take(most + 1), Err(refusal));
    }
}

#[test]
fn what_was_fetched_is_written_in_base64_however_large() {
    for length in [PNG.len(), 200_000] {
        let bytes = sized(PNG, length);
        let image = Image {
            format: ImageFormat::Png,
            source: Source::Bytes(Bytes::from(bytes.clone())),
        };
        let request = ConverseRequest {
            messages: vec![Message {
                role: Role::User,
                content: vec![ContentBlock::Image(image)],
            }],
            ..ConverseRequest::default()
        };
        let body = String::from_utf8(request.to_body(&Bytes::new()).to_vec()).unwrap();
        let block = format!(
            r#"{{"image":{{"format":"png","source":{{"bytes":"{}"}}}}}}"#,
            encode(&bytes)
        );
        assert_eq!(
            body,
            format!(r#"{{"messages":[{{"role":"user","content":[{block}]}}]}}"#)
        );
    }
}
