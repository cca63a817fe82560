//! Forms: `multipart/form-data`, once all of it is there.

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use multer::Multipart;
use outcrop_translate::{Form, Part, Problem};

/// More parts than any endpoint has fields and files.
const MAX_PARTS: usize = 64;

/// Reads the parts of a form.
///
/// # Errors
/// When it is none, or has too many parts.
pub(crate) async fn parse(head: &Parts, body: Bytes) -> Result<Form, Problem> {
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default())
        .map_err(|_| malformed("its content type names no boundary").with_param("content-type"))?;
    let all = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut multipart = Multipart::new(all, boundary);
    let mut form = Form::default();
    while let Some(field) = multipart.next_field().await.map_err(|error| broken(&error))? {
        if form.parts.len() == MAX_PARTS {
            return Err(malformed("it has too many parts"));
        }
        let Some(name) = field.name().map(ToOwned::to_owned) else {
            return Err(malformed("one of its parts has no name"));
        };
        form.parts.push(Part {
            name,
            file_name: field.file_name().map(ToOwned::to_owned),
            media_type: field.content_type().map(|media_type| media_type.to_string()),
            bytes: field.bytes().await.map_err(|error| broken(&error))?,
        });
    }
    Ok(form)
}

/// What multer says may repeat the client's bytes; the kind says enough.
fn broken(error: &multer::Error) -> Problem {
    malformed(match error {
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => {
            "it ends in the middle of a part"
        }
        multer::Error::IncompleteHeaders | multer::Error::ReadHeaderFailed(_) => "a part's headers can't be read",
        _ => "its parts can't be told apart",
    })
}

fn malformed(what: &str) -> Problem {
    Problem::invalid(format!("The request body is no valid form: {what}.")).with_code("invalid_form")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn parse_text(content_type: &str, body: &'static str) -> Result<Form, Problem> {
        let (head, ()) = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(())
            .unwrap()
            .into_parts();
        parse(&head, Bytes::from_static(body.as_bytes())).await
    }

    #[tokio::test]
    async fn a_form_is_read_part_by_part() {
        let form = parse_text(
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n2\r\n--b\r\n\
             Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
             \r\nx\r\n--b--\r\n",
        )
        .await
        .unwrap();
        let [n, image] = form.parts.as_slice() else {
            panic!("{form:?}");
        };
        assert_eq!((n.name.as_str(), &n.bytes[..], &n.file_name), ("n", &b"2"[..], &None));
        assert_eq!(image.file_name.as_deref(), Some("a.png"));
        assert_eq!(image.media_type.as_deref(), Some("image/png"));
        assert_eq!(&image.bytes[..], b"\r\nx");
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused_with_what_is_wrong() {
        for (content_type, body, expected) in [
            ("multipart/form-data", "", "no boundary"),
            ("multipart/form-data; boundary=b", "--b\r\nContent-Dispo", "part"),
            (
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n2",
                "middle of a part",
            ),
            (
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data\r\n\r\n2\r\n--b--\r\n",
                "no name",
            ),
        ] {
            let problem = parse_text(content_type, body).await.unwrap_err();
            assert!(problem.message.contains(expected), "{}", problem.message);
            assert_eq!(problem.status, 400);
        }
    }
}
