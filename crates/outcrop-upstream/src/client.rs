//! One call to Bedrock, from the body to the reply.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use outcrop_bedrock::call::{Call, CallBody, ReplyForm, TokenCounts};
use outcrop_bedrock::exception::{ErrorBody, Exception, bare_name};
use outcrop_bedrock::frame::FrameDecoder;
use outcrop_bedrock::sse::SseDecoder;
use tokio::time::{Instant, timeout_at};

use crate::auth::Auth;
use crate::body::PiecesBody;
use crate::config::{Config, ConfigError};
use crate::credentials::{CredentialCache, NoCredentials};
use crate::endpoint::{Endpoint, Service};
use crate::error::{Error, Failure};
use crate::place::{Configured, Place, Places};
use crate::pool::Pool;
use crate::stream::{Decoder, EventStream};

/// The largest whole reply; Bedrock's own limit for a body is 25 MB.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;
/// The largest error body that is read; the rest can't say more.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Time for an answer, of any kind, to the question whether anyone is there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// Media type of event streams.
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
const AGENT: &str = concat!("outcrop/", env!("CARGO_PKG_VERSION"));

/// A client of Bedrock in one region, with one identity.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    places: Places,
    auth: Auth,
    pool: Pool,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When the answer must be whole.
    pub deadline: Instant,
    /// Time for Bedrock to begin it.
    pub first_byte_timeout: Duration,
}

/// Bedrock's answer to a call.
#[derive(Debug)]
pub struct Reply {
    /// `x-amzn-requestid`
    pub request_id: Option<String>,
    /// How often the call was tried.
    pub attempts: u32,
    /// Tokens, as the headers of `InvokeModel` tell.
    pub tokens: TokenCounts,
    /// The answer itself.
    pub body: ReplyBody,
}

/// The body of a reply.
#[derive(Debug)]
pub enum ReplyBody {
    /// All of it.
    Whole(Bytes),
    /// Its events; the first has arrived.
    Stream(Box<EventStream>),
}

/// What a call would look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where it would go.
    pub url: String,
    /// Its headers, by name in small letters; what is secret is redacted.
    pub headers: BTreeMap<&'static str, String>,
}

impl Client {
    /// A client as configured; nothing is connected yet, and credentials are asked for with the first call.
    ///
    /// # Errors
    /// When the region or an endpoint is missing or malformed.
    pub async fn new(config: Config) -> Result<Self, ConfigError> {
        let sdk = match (&config.region, &config.runtime_endpoint, &config.credentials) {
            // All is said; there is no need to look around.
            (Some(_), Some(_), Some(_)) => None,
            _ => Some(load_sdk_config(&config).await),
        };
        let region = config
            .region
            .clone()
            .or_else(|| Some(sdk.as_ref()?.region()?.as_ref().to_owned()))
            // Compose files pass variables on that nobody has set.
            .filter(|region| !region.is_empty())
            .ok_or(ConfigError::NoRegion)?;
        let find = |service: Service, configured: &Option<String>| {
            let found = configured
                .clone()
                .or_else(|| configured_endpoint(sdk.as_ref()?, service));
            found.map(|url| Endpoint::parse(&url)).transpose()
        };
        let flag = |of: fn(&SdkConfig) -> Option<bool>| sdk.as_ref().and_then(of).unwrap_or(false);
        let places = Places::new(
            &region,
            Configured {
                runtime: find(Service::Runtime, &config.runtime_endpoint)?,
                control: find(Service::Control, &config.control_endpoint)?,
                agent_runtime: find(Service::AgentRuntime, &config.agent_runtime_endpoint)?,
                use_fips: flag(SdkConfig::use_fips),
                use_dual_stack: flag(SdkConfig::use_dual_stack),
            },
        )?;
        let auth = auth(&config, sdk.as_ref())?;
        Ok(Self {
            shared: Arc::new(Shared {
                pool: Pool::new(config.connect_timeout),
                places,
                auth,
                config,
            }),
        })
    }

    /// Whether calls are made with a Bedrock API key instead of AWS credentials.
    pub fn uses_api_key(&self) -> bool {
        matches!(self.shared.auth, Auth::ApiKey(_))
    }

    /// The region that is called where a call names no other.
    pub fn region(&self) -> &str {
        &self.shared.places.home().region
    }

    /// Makes a call once; twice only where Bedrock says that the credentials have expired. A stream's first event has
    /// arrived when this returns.
    ///
    /// # Errors
    /// When it failed.
    pub async fn attempt(&self, call: &Call, limits: Limits) -> Result<Reply, Failure> {
        let shared = &*self.shared;
        let path = call.path();
        let place = shared.places.of(call.region.as_deref()).map_err(|error| Failure {
            error,
            request_id: None,
            attempts: 0,
        })?;
        let (mut attempts, mut renewed) = (0, false);
        loop {
            attempts += 1;
            let mut request_id = None;
            let error = match shared.attempt(call, &place, &path, limits, &mut request_id).await {
                Ok((tokens, body)) => {
                    return Ok(Reply {
                        request_id,
                        attempts,
                        tokens,
                        body,
                    });
                }
                Err(error) => error,
            };
            if !renewed && shared.forget_expired_credentials(&error) {
                renewed = true;
                continue;
            }
            return Err(Failure {
                error,
                request_id,
                attempts,
            });
        }
    }

    /// What a call would look like, with the secrets left out. Nothing is asked, of AWS or of anyone.
    pub fn describe(&self, call: &Call) -> Description {
        let shared = &*self.shared;
        let path = call.path();
        let place = shared.places.of(call.region.as_deref());
        let place = place.as_deref().unwrap_or_else(|_| shared.places.home());
        let url = place
            .endpoint(call.operation)
            .uri(&path)
            .map_or(path, |uri| uri.to_string());
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", accept(call).to_owned()),
            ("user-agent", AGENT.to_owned()),
        ];
        headers.extend(call.headers.iter().cloned());
        headers.extend(shared.auth.described(&place.region));
        Description {
            url,
            headers: headers.into_iter().collect(),
        }
    }

    /// Whether credentials can be had and the runtime's endpoint answers.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), Error> {
        let shared = &*self.shared;
        if let Auth::Credentials(cache) = &shared.auth {
            cache.credentials().await?;
        }
        let request = shared.request(Method::GET, &shared.places.home().runtime, "/", &CallBody::default())?;
        // Whatever it answers to this, it answers.
        let deadline = Instant::now() + shared.config.connect_timeout + CHECK_TIMEOUT;
        timeout_at(deadline, shared.pool.send(request))
            .await
            .map_err(|_| Error::Timeout {
                phase: "to answer at all",
                limit: shared.config.connect_timeout + CHECK_TIMEOUT,
            })?
            .map(drop)
    }

    /// Reads a document of the control plane, of another region where one is named.
    pub(crate) async fn control_document(&self, region: Option<&str>, path_and_query: &str) -> Result<Bytes, Error> {
        match self.read_document(region, path_and_query).await {
            Err(error) if self.shared.forget_expired_credentials(&error) => {
                self.read_document(region, path_and_query).await
            }
            read => read,
        }
    }

    async fn read_document(&self, region: Option<&str>, path_and_query: &str) -> Result<Bytes, Error> {
        let shared = &*self.shared;
        let place = shared.places.of(region)?;
        let deadline = Instant::now() + shared.config.first_byte_timeout.min(Duration::from_secs(60));
        let nothing = CallBody::default();
        let mut request = shared.request(Method::GET, &place.control, path_and_query, &nothing)?;
        shared.auth.apply(&place.signer, &mut request, &nothing).await?;
        let exchanged = timeout_at(deadline, shared.pool.send(request)).await;
        let (response, _lease) = exchanged.map_err(|_| Error::Timeout {
            phase: "to begin its answer",
            limit: shared.config.first_byte_timeout,
        })??;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            return Err(shared
                .refusal(head.status.as_u16(), &head.headers, body, deadline)
                .await);
        }
        collect(body, MAX_REPLY_BYTES, deadline, shared.config.first_byte_timeout).await
    }
}

impl Shared {
    async fn attempt(
        &self,
        call: &Call,
        place: &Place,
        path: &str,
        limits: Limits,
        request_id: &mut Option<String>,
    ) -> Result<(TokenCounts, ReplyBody), Error> {
        let mut request = self.request(Method::POST, place.endpoint(call.operation), path, &call.body)?;
        let accept = accept(call);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::Sign(format!(
                    "the header '{name}' would have characters that no header takes"
                ))
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let deadline = limits.deadline;
        let first_byte = deadline.min(Instant::now() + limits.first_byte_timeout);
        timeout_at(first_byte, self.auth.apply(&place.signer, &mut request, &call.body))
            .await
            .map_err(|_| Error::Credentials("the provider of credentials took too long".to_owned()))??;
        let exchanged = timeout_at(first_byte, self.pool.send(request)).await;
        let (response, lease) = exchanged.map_err(|_| self.first_byte_timeout(limits))??;
        let (head, body) = response.into_parts();
        *request_id = text_header(&head.headers, "x-amzn-requestid");
        if !head.status.is_success() {
            return Err(self.refusal(head.status.as_u16(), &head.headers, body, deadline).await);
        }
        check_media_type(&head.headers, media_type(call.operation.reply_form()))?;
        let tokens = token_counts(&head.headers);
        let decoder = match call.operation.reply_form() {
            ReplyForm::Whole => {
                let body = collect(body, MAX_REPLY_BYTES, deadline, self.config.total_timeout).await?;
                return Ok((tokens, ReplyBody::Whole(body)));
            }
            ReplyForm::Frames => Decoder::Frames(FrameDecoder::default()),
            ReplyForm::ServerSentEvents => Decoder::ServerSentEvents(SseDecoder::default(), Vec::new()),
        };
        let (chunk_timeout, total_timeout) = (self.config.chunk_timeout, self.config.total_timeout);
        let mut stream = EventStream::new(body, decoder, lease, chunk_timeout, deadline, total_timeout);
        timeout_at(first_byte, stream.prime())
            .await
            .map_err(|_| self.first_byte_timeout(limits))??;
        Ok((tokens, ReplyBody::Stream(Box::new(stream))))
    }

    fn request(
        &self,
        method: Method,
        endpoint: &Endpoint,
        path: &str,
        body: &CallBody,
    ) -> Result<Request<PiecesBody>, Error> {
        let uri = endpoint.uri(path).map_err(|error| Error::Sign(error.to_string()))?;
        Request::builder()
            .method(method)
            .uri(uri)
            .header(USER_AGENT, AGENT)
            .body(PiecesBody::new(body))
            .map_err(|error| Error::Sign(error.to_string()))
    }

    /// Which limit has passed before the first byte: that for it, or that of the whole call.
    fn first_byte_timeout(&self, limits: Limits) -> Error {
        let total = self.config.total_timeout;
        if total < limits.first_byte_timeout && Instant::now() >= limits.deadline {
            return Error::Timeout {
                phase: "for the whole answer",
                limit: total,
            };
        }
        Error::Timeout {
            phase: "to begin its answer",
            limit: limits.first_byte_timeout,
        }
    }

    /// The error that an unsuccessful response tells of.
    async fn refusal(&self, status: u16, headers: &HeaderMap, body: Incoming, deadline: Instant) -> Error {
        if (300..400).contains(&status) {
            return Error::Protocol(format!("a redirect ({status}), which is not followed"));
        }
        // An error body that is too long or breaks off still leaves the status and the headers.
        let deadline = deadline.min(Instant::now() + self.config.chunk_timeout);
        let body = collect(body, MAX_ERROR_BYTES, deadline, self.config.chunk_timeout)
            .await
            .unwrap_or_default();
        let body = ErrorBody::parse(&body);
        let header = text_header(headers, "x-amzn-errortype").map(|name| bare_name(&name).to_owned());
        let name = header.or(body.name);
        let exception = match &name {
            Some(name) => Exception::from_name(name),
            None => Exception::from_status(status),
        };
        // A refused API key is an AccessDeniedException like any other but for its words.
        let is_key_refused = matches!(self.auth, Auth::ApiKey(_))
            && matches!(status, 401 | 403)
            && body.message.to_ascii_lowercase().contains("api key");
        Error::Service {
            exception: if is_key_refused || status == 401 {
                Exception::Credentials
            } else {
                exception
            },
            name: name.unwrap_or_else(|| format!("HTTP {status}")),
            status,
            message: body.message,
            retry_after_seconds: text_header(headers, RETRY_AFTER.as_str()).and_then(|value| retry_after(&value)),
        }
    }

    /// Forgets the credentials if Bedrock says that they have expired: a file that somebody renews tells no expiry.
    fn forget_expired_credentials(&self, error: &Error) -> bool {
        match (error, &self.auth) {
            (Error::Service { name, .. }, Auth::Credentials(cache)) if name.starts_with("ExpiredToken") => {
                cache.forget();
                true
            }
            _ => false,
        }
    }
}

/// The media type that a call asks for.
fn accept(call: &Call) -> &'static str {
    match call.operation.reply_form() {
        // OpenAI's own clients ask for JSON and take a stream of it.
        ReplyForm::Whole | ReplyForm::ServerSentEvents => "application/json",
        ReplyForm::Frames => EVENT_STREAM,
    }
}

/// The media type of a call's reply.
fn media_type(form: ReplyForm) -> &'static str {
    match form {
        ReplyForm::Whole => "application/json",
        ReplyForm::Frames => EVENT_STREAM,
        ReplyForm::ServerSentEvents => "text/event-stream",
    }
}

/// The region that the configuration, AWS's variables or the profile name, with no look at the network: where all of
/// them are silent, [`Client::new`] would ask the instance's metadata. A [`Client`] whose configuration names a region
/// connects to nothing until it is asked for a call.
pub async fn configured_region(config: &Config) -> Option<String> {
    if config.region.is_some() {
        return config.region.clone();
    }
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &config.profile {
        profile = profile.profile_name(name);
    }
    let profile = profile.build();
    let is_named = |region: &Region| !region.as_ref().is_empty();
    let of_variables = EnvironmentVariableRegionProvider::new().region().await.filter(is_named);
    let region = match of_variables {
        Some(region) => Some(region),
        None => profile.region().await.filter(is_named),
    };
    region.map(|region| region.as_ref().to_owned())
}

async fn load_sdk_config(config: &Config) -> SdkConfig {
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client);
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(use_fips) = config.use_fips {
        loader = loader.use_fips(use_fips);
    }
    if let Some(use_dual_stack) = config.use_dual_stack {
        loader = loader.use_dual_stack(use_dual_stack);
    }
    loader.load().await
}

/// `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` and its like, the profile's `services` section, then `AWS_ENDPOINT_URL`.
fn configured_endpoint(sdk: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = sdk.service_config().and_then(|config| config.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(ToOwned::to_owned))
}

fn auth(config: &Config, sdk: Option<&SdkConfig>) -> Result<Auth, ConfigError> {
    if let Some(key) = config.api_key.as_deref() {
        return Auth::api_key(key).ok_or(ConfigError::ApiKey);
    }
    let provider = match &config.credentials {
        Some(fixed) => {
            let credentials = Credentials::new(&fixed.access_key_id, &fixed.secret_access_key, None, None, "outcrop");
            SharedCredentialsProvider::new(credentials)
        }
        None => sdk
            .and_then(SdkConfig::credentials_provider)
            .unwrap_or_else(|| SharedCredentialsProvider::new(NoCredentials)),
    };
    Ok(Auth::Credentials(CredentialCache::new(provider)))
}

async fn collect(body: Incoming, limit: usize, deadline: Instant, timeout: Duration) -> Result<Bytes, Error> {
    let collecting = Limited::new(body, limit).collect();
    let collected = timeout_at(deadline, collecting).await.map_err(|_| Error::Timeout {
        phase: "to send its answer",
        limit: timeout,
    })?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Error::Protocol(format!("its body is larger than {limit} bytes")))
        }
        Err(error) => Err(Error::interrupted(&*error)),
    }
}

fn check_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Error> {
    let media_type = text_header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    if media_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case(expected)
    {
        return Ok(());
    }
    Err(Error::Protocol(format!(
        "it has the media type '{}' instead of '{expected}'",
        media_type.chars().take(100).collect::<String>()
    )))
}

/// Seconds from now that a `Retry-After` asks for, whether it tells seconds or a date.
fn retry_after(value: &str) -> Option<u64> {
    value.trim().parse().ok().or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        Some(date.duration_since(SystemTime::now()).map_or(0, |wait| wait.as_secs()))
    })
}

fn token_counts(headers: &HeaderMap) -> TokenCounts {
    let count = |name: &str| text_header(headers, name)?.trim().parse().ok();
    TokenCounts {
        input: count("x-amzn-bedrock-input-token-count"),
        output: count("x-amzn-bedrock-output-token-count"),
    }
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}
