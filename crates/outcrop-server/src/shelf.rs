//! Files that answers only name: kept in memory for a while, and served to whoever knows the name.
//!
//! As with OpenAI's URLs, the name is the key: it can't be guessed, and who has it needs no other. Who shows a key of
//! another organization nevertheless isn't served.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Uri};
use outcrop_translate::{File, Problem, ProblemKind, Shelf, openai};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::access::API_KEY;
use crate::exchange::Gateway;
use crate::tenants::Admitted;
use crate::{error, tenants};

/// How long a file is kept, as at OpenAI.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Random bytes of a name: nobody guesses 192 bits.
const NAME_BYTES: usize = 24;
/// Browsers take a file for what it is said to be.
const X_CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// All files that are kept.
#[derive(Debug)]
pub(crate) struct Files {
    /// The most bytes of all files together.
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The oldest first.
    files: VecDeque<KeptFile>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct KeptFile {
    name: String,
    file: File,
    /// The answer that tells of it.
    answer: u128,
    /// The organization whose it is.
    owner: Option<String>,
    since: Instant,
}

impl Files {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Mutex::default(),
        }
    }

    /// Keeps a file, and gives its name. The oldest make room for it, but for those of the same answer: it would tell
    /// of files that are gone.
    fn keep(&self, file: File, answer: u128, owner: Option<&str>, now: Instant) -> Result<String, Problem> {
        let size = file.bytes.len();
        let name = new_name(&file)?;
        let mut kept = self.lock();
        kept.drop_old(now);
        let own = kept.files.iter().filter(|kept| kept.answer == answer);
        if own.map(|kept| kept.file.bytes.len()).sum::<usize>() + size > self.limit {
            // Nobody will be told of these.
            kept.drop_answer(answer);
            return Err(no_room());
        }
        while kept.bytes + size > self.limit && kept.drop_oldest_but(answer) {}
        kept.bytes += size;
        kept.files.push_back(KeptFile {
            name: name.clone(),
            file,
            answer,
            owner: owner.map(ToOwned::to_owned),
            since: now,
        });
        Ok(name)
    }

    /// A file, and for how many seconds it is still kept. Who says who they are get only their own organization's.
    fn find(&self, name: &str, asker: Option<&Admitted>, now: Instant) -> Option<(File, u64)> {
        let mut kept = self.lock();
        kept.drop_old(now);
        let found = kept.files.iter().find(|kept| kept.name == name)?;
        if let (Some(owner), Some(asker)) = (&found.owner, asker)
            && asker
                .tenant
                .as_ref()
                .is_none_or(|tenant| tenant.organization.id != *owner)
        {
            return None;
        }
        let left = KEPT.saturating_sub(now.duration_since(found.since));
        Some((found.file.clone(), left.as_secs()))
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_old(&mut self, now: Instant) {
        while self
            .files
            .front()
            .is_some_and(|oldest| now.duration_since(oldest.since) >= KEPT)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest_but(&mut self, answer: u128) -> bool {
        let oldest = self.files.iter().position(|kept| kept.answer != answer);
        let oldest = oldest.and_then(|at| self.files.remove(at));
        if let Some(oldest) = &oldest {
            self.bytes -= oldest.file.bytes.len();
        }
        oldest.is_some()
    }

    fn drop_answer(&mut self, answer: u128) {
        self.files.retain(|kept| kept.answer != answer);
        self.bytes = self.files.iter().map(|kept| kept.file.bytes.len()).sum();
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.files.pop_front();
        if let Some(oldest) = &oldest {
            self.bytes -= oldest.file.bytes.len();
        }
        oldest.is_some()
    }
}

fn no_room() -> Problem {
    let message = "The images take more than the gateway keeps at once ('kept_files_limit'); ask for 'response_format' \
                   'b64_json', or for fewer.";
    Problem::invalid(message)
        .with_code("no_room_for_file")
        .with_param("response_format")
}

fn new_name(file: &File) -> Result<String, Problem> {
    let mut random = [0; NAME_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| {
        let message = "The gateway has no randomness to name a file with.";
        Problem::new(500, ProblemKind::Server, message).with_code("internal_error")
    })?;
    let mut name = String::new();
    for byte in random {
        // Writing into a text can't fail.
        let _ = write!(name, "{byte:02x}");
    }
    let ending = file.media_type.rsplit_once('/').map_or("bin", |(_, ending)| ending);
    Ok(format!("{name}.{ending}"))
}

/// Keeps the files of one request's answer.
pub(crate) struct RequestShelf<'a> {
    files: &'a Files,
    /// Where clients reach the gateway.
    base: Option<String>,
    /// The answer's own number.
    answer: u128,
    /// The organization whose the answer is.
    owner: Option<&'a str>,
}

impl<'a> RequestShelf<'a> {
    /// Clients reach the gateway at `public_url`; if there is none, as this one did.
    pub(crate) fn new(gateway: &'a Gateway, head: &Parts, answer: u128, owner: Option<&'a str>) -> Self {
        let base = gateway.config.public_url.clone().or_else(|| own_base(head));
        Self {
            files: &gateway.files,
            base,
            answer,
            owner,
        }
    }
}

impl Shelf for RequestShelf<'_> {
    fn keep(&self, file: File) -> Result<String, Problem> {
        let base = self.base.as_deref().ok_or_else(|| {
            let message = "The request names no host to make a URL of; ask for 'response_format' 'b64_json', or set \
                           'public_url'.";
            Problem::invalid(message).with_param("response_format")
        })?;
        let name = self.files.keep(file, self.answer, self.owner, Instant::now())?;
        Ok(format!("{base}/v1/images/{name}"))
    }
}

/// Among the extensions of a request: it came by TLS, which ends before the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsSecure;

/// The address by which a request came. The gateway itself speaks no TLS, and believes nobody's word about it.
fn own_base(head: &Parts) -> Option<String> {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(Authority::as_str))?;
    let authority: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
    let is_secure = head.extensions.get::<IsSecure>().is_some();
    let scheme = if is_secure { "https" } else { "http" };
    let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query("");
    let uri = uri.build().ok()?;
    Some(uri.to_string().trim_end_matches('/').to_owned())
}

/// `GET /v1/images/{name}`: a file that is kept.
pub(crate) async fn serve(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>, head: Parts) -> Response {
    let shows_key = head.headers.contains_key(AUTHORIZATION) || head.headers.contains_key(API_KEY);
    let asker = match shows_key {
        false => None,
        true => match tenants::admit(&gateway, &head).await {
            Ok(asker) => Some(asker),
            Err(problem) => return error::response(&problem, openai::error_body(&problem)),
        },
    };
    let Some((file, seconds)) = gateway.files.find(&name, asker.as_ref(), Instant::now()) else {
        let message = "There is no such image, or its hour is over.";
        let problem = Problem::new(404, ProblemKind::InvalidRequest, message).with_code("not_found");
        return error::response(&problem, openai::error_body(&problem));
    };
    let bytes: Bytes = file.bytes;
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::try_from(format!("private, max-age={seconds}")) {
        headers.insert(CACHE_CONTROL, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn file(length: usize) -> File {
        File {
            media_type: "image/png",
            bytes: vec![7; length].into(),
        }
    }

    #[test]
    fn a_file_is_kept_for_an_hour() {
        let (files, start) = (Files::new(100), Instant::now());
        let name = files.keep(file(10), 1, None, start).unwrap();
        assert!(name.ends_with(".png") && name.len() == 52, "{name}");
        let minutes = |minutes: u64| start + Duration::from_secs(minutes * 60);
        assert_eq!(files.find(&name, None, minutes(59)).unwrap().1, 60);
        assert!(files.find(&name, None, minutes(60)).is_none());
        assert_eq!(files.lock().bytes, 0);
        assert!(files.find("other.png", None, start).is_none());
    }

    #[test]
    fn the_oldest_make_room() {
        let (files, now) = (Files::new(25), Instant::now());
        let names = [1, 2, 3].map(|answer| files.keep(file(10), answer, None, now).unwrap());
        let found = names.map(|name| files.find(&name, None, now).is_some());
        assert_eq!(found, [false, true, true]);
        assert_eq!(
            files.keep(file(26), 4, None, now).unwrap_err().code,
            Some("no_room_for_file")
        );
        assert_eq!(files.lock().bytes, 20);
    }

    #[test]
    fn an_answer_never_pushes_out_its_own_files() {
        let (files, now) = (Files::new(25), Instant::now());
        let old = files.keep(file(10), 1, None, now).unwrap();
        let first = files.keep(file(10), 2, None, now).unwrap();
        files.keep(file(10), 2, None, now).unwrap();
        assert!(files.find(&old, None, now).is_none() && files.find(&first, None, now).is_some());
        assert_eq!(
            files.keep(file(10), 2, None, now).unwrap_err().code,
            Some("no_room_for_file")
        );
        // Nobody was told of them.
        assert_eq!(files.lock().bytes, 0);
    }

    #[test]
    fn urls_are_at_the_host_that_was_asked() {
        let base = |host: &str| {
            let (head, ()) = Request::builder().header(HOST, host).body(()).unwrap().into_parts();
            own_base(&head)
        };
        assert_eq!(base("gateway:8080").as_deref(), Some("http://gateway:8080"));
        assert_eq!(base("[::1]:80").as_deref(), Some("http://[::1]:80"));
        for host in ["", "a b", "a/b", "me@there", "x\"y"] {
            assert_eq!(base(host), None, "{host}");
        }
    }
}
