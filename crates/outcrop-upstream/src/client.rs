//! One call to Bedrock, from the body to the reply.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use outcrop_bedrock::call::{Call, CallBody, ReplyForm, TokenCounts};
use outcrop_bedrock::frame::FrameDecoder;
use outcrop_bedrock::sse::SseDecoder;
use tokio::time::{Instant, timeout_at};

use crate::account::Account;
use crate::adopt::Namer;
use crate::answer::{MAX_REPLY_BYTES, Patience, check_media_type, collect, refusal, text_header, token_counts};
use crate::auth::Auth;
use crate::aws::Aws;
use crate::body::PiecesBody;
use crate::config::{Config, ConfigError};
use crate::endpoint::{Endpoint, Service};
use crate::error::{Error, Failure};
use crate::identity::{Identities, Identity};
use crate::place::{Configured, Place, Places};
use crate::pool::Unanswered;
use crate::sdk::configured_endpoint;
use crate::stream::{Decoder, EventStream};
use crate::sts::{CallerIdentity, Desk};

/// Time for an answer, of any kind, to the question whether anyone is there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// Media type of event streams.
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
pub(crate) const AGENT: &str = concat!("outcrop/", env!("CARGO_PKG_VERSION"));

/// A client of Bedrock: an identity of its own with its region, and the accounts that calls name.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    aws: Arc<Aws>,
    identities: Identities,
    namer: Namer,
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
    /// When the region or an endpoint is missing or malformed, or what an account says doesn't fit together.
    pub async fn new(config: Config) -> Result<Self, ConfigError> {
        let aws = Aws::new(&config)?;
        let sdk = match (&config.region, &config.runtime_endpoint, &config.credentials) {
            // All is said; there is no need to look around.
            (Some(_), Some(_), Some(_)) => None,
            _ => Some(aws.sdk.config().await),
        };
        let region = aws.region().await.ok_or(ConfigError::NoRegion)?;
        let find = |service: Service, configured: &Option<String>| {
            let found = configured.clone().or_else(|| configured_endpoint(sdk?, service.id()));
            found.map(|url| Endpoint::parse(&url)).transpose()
        };
        let flag = |of: fn(&SdkConfig) -> Option<bool>| sdk.and_then(of).unwrap_or(false);
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
        let own = Identity {
            name: None,
            auth: own_auth(&config, &aws)?,
            places,
            desk: Desk {
                region,
                endpoint: None,
                use_fips: config.use_fips,
                use_dual_stack: config.use_dual_stack,
            },
        };
        Ok(Self {
            shared: Arc::new(Shared {
                identities: Identities::new(&aws, own, &config.accounts).await?,
                namer: Namer::new()?,
                aws,
                config,
            }),
        })
    }

    /// Uses none of the connections any more that are open now: they may lead nowhere. Calls that are under way go on.
    pub fn forget_connections(&self) {
        self.shared.aws.pool.forget();
    }

    /// Whether calls of this account, or the client's own, are made with a Bedrock API key instead of AWS credentials.
    pub fn uses_api_key(&self, account: Option<&str>) -> bool {
        let identity = self.shared.identities.choose(account);
        identity.is_ok_and(|identity| identity.auth.is_api_key())
    }

    /// The region that is called where a call names no other.
    pub fn region(&self) -> &str {
        &self.shared.identities.own.places.home().region
    }

    /// The region that is called where a call of this account names no other: the client's own for `None`, and for
    /// what is no account of the configuration.
    pub fn region_of(&self, account: Option<&str>) -> &str {
        match self.shared.identities.configured(account) {
            Some(identity) => &identity.places.home().region,
            None => self.region(),
        }
    }

    /// Whether the configuration has an account of this name.
    pub fn has_account(&self, name: &str) -> bool {
        self.shared.identities.configured(Some(name)).is_some()
    }

    /// Who an account is, or the client itself, as STS says. Nobody needs a permission to ask.
    ///
    /// # Errors
    /// When there is no such account, it has no AWS credentials, or STS can't be asked.
    pub async fn caller_identity(&self, account: Option<&str>) -> Result<CallerIdentity, Error> {
        let identity = self.shared.identities.choose(account)?;
        let Auth::Credentials(cache) = &identity.auth else {
            let message = "a Bedrock API key doesn't say whose it is".to_owned();
            return Err(identity.named(Error::Credentials(message)));
        };
        let credentials = cache.get().await.map_err(|error| identity.named(error))?;
        let asked = identity.desk.caller_identity(&self.shared.aws.sdk, &credentials).await;
        asked.map_err(|refusal| identity.named(Error::Credentials(refusal.message)))
    }

    pub(crate) fn aws(&self) -> &Arc<Aws> {
        &self.shared.aws
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.shared.config.accounts
    }

    pub(crate) fn identities(&self) -> &Identities {
        &self.shared.identities
    }

    pub(crate) fn namer(&self) -> &Namer {
        &self.shared.namer
    }

    /// Makes a call once; twice only where Bedrock says that the credentials have expired. A stream's first event has
    /// arrived when this returns.
    ///
    /// # Errors
    /// When it failed.
    pub async fn attempt(&self, call: &Call, limits: Limits) -> Result<Reply, Failure> {
        let shared = &*self.shared;
        let path = call.path();
        let unsent = |error| Failure {
            error,
            request_id: None,
            attempts: 0,
        };
        let identity = shared.identities.choose(call.account.as_deref()).map_err(unsent)?;
        let place = identity.places.of(call.region.as_deref()).map_err(unsent)?;
        let (mut attempts, mut renewed) = (0, false);
        loop {
            attempts += 1;
            let mut request_id = None;
            let error = match shared
                .attempt(call, &identity, &place, &path, limits, &mut request_id)
                .await
            {
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
            if !renewed && identity.auth.may_have_changed(&error) {
                renewed = true;
                continue;
            }
            return Err(Failure {
                error: identity.named(error),
                request_id,
                attempts,
            });
        }
    }

    /// What a call would look like, with the secrets left out. Nothing is asked, of AWS or of anyone.
    pub fn describe(&self, call: &Call) -> Description {
        let shared = &*self.shared;
        let path = call.path();
        let identity = shared.identities.choose(call.account.as_deref());
        let identity = identity.as_deref().unwrap_or(&shared.identities.own);
        let place = identity.places.of(call.region.as_deref());
        let place = place.as_deref().unwrap_or_else(|_| identity.places.home());
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
        headers.extend(identity.auth.described(&place.region));
        Description {
            url,
            headers: headers.into_iter().collect(),
        }
    }

    /// Whether an account's credentials can be had, or the client's own.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check_credentials(&self, account: Option<&str>) -> Result<(), Error> {
        let identity = self.shared.identities.choose(account)?;
        identity.auth.check().await.map_err(|error| identity.named(error))
    }

    /// Calls to Bedrock under way, the reading of their answers included.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.shared.aws.pool.calls()
    }

    /// Whether the runtime's endpoint answers.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check_endpoint(&self) -> Result<(), Error> {
        let shared = &*self.shared;
        let own = &shared.identities.own;
        let request = shared.request(Method::GET, &own.places.home().runtime, "/", &CallBody::default())?;
        // Whatever it answers to this, it answers.
        let deadline = Instant::now() + shared.config.connect_timeout + CHECK_TIMEOUT;
        timeout_at(deadline, shared.aws.pool.send(request))
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
            Err(error) if self.shared.identities.own.auth.may_have_changed(&error) => {
                self.read_document(region, path_and_query).await
            }
            read => read,
        }
    }

    async fn read_document(&self, region: Option<&str>, path_and_query: &str) -> Result<Bytes, Error> {
        let shared = &*self.shared;
        let own = &shared.identities.own;
        let place = own.places.of(region)?;
        let deadline = Instant::now() + shared.config.first_byte_timeout.min(Duration::from_secs(60));
        let nothing = CallBody::default();
        let mut request = shared.request(Method::GET, &place.control, path_and_query, &nothing)?;
        own.auth.apply(&place.signer, &mut request, &nothing).await?;
        let exchanged = timeout_at(deadline, shared.aws.pool.send(request)).await;
        let (response, _lease) = exchanged.map_err(|_| Error::Timeout {
            phase: "to begin its answer",
            limit: shared.config.first_byte_timeout,
        })??;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let timeout = shared.config.chunk_timeout;
            let by_key = own.auth.is_api_key();
            return Err(refusal(head.status.as_u16(), &head.headers, body, by_key, deadline, timeout).await);
        }
        let patience = Patience {
            deadline,
            limit: shared.config.first_byte_timeout,
            silence: shared.config.chunk_timeout,
        };
        collect(body, MAX_REPLY_BYTES, patience).await
    }
}

impl Shared {
    async fn attempt(
        &self,
        call: &Call,
        identity: &Identity,
        place: &Place,
        path: &str,
        limits: Limits,
        request_id: &mut Option<String>,
    ) -> Result<(TokenCounts, ReplyBody), Error> {
        let deadline = limits.deadline;
        let first_byte = deadline.min(Instant::now() + limits.first_byte_timeout);
        let request = self.signed(call, identity, place, path, first_byte).await?;
        let sent = timeout_at(first_byte, self.aws.pool.try_send(request)).await;
        let (response, lease) = match sent.map_err(|_| self.first_byte_timeout(limits))? {
            Ok(answered) => answered,
            Err(Unanswered::Failed(error)) => return Err(error),
            Err(Unanswered::Stale) => {
                let request = Box::pin(self.signed(call, identity, place, path, first_byte)).await?;
                // Boxed, as it is rare: every call would else carry room for it.
                let sent = timeout_at(first_byte, Box::pin(self.aws.pool.send_fresh(request))).await;
                sent.map_err(|_| self.first_byte_timeout(limits))??
            }
        };
        let (head, body) = response.into_parts();
        *request_id = text_header(&head.headers, "x-amzn-requestid");
        if !head.status.is_success() {
            let timeout = self.config.chunk_timeout;
            let by_key = identity.auth.is_api_key();
            return Err(refusal(head.status.as_u16(), &head.headers, body, by_key, deadline, timeout).await);
        }
        check_media_type(&head.headers, media_type(call.operation.reply_form()))?;
        let tokens = token_counts(&head.headers);
        let decoder = match call.operation.reply_form() {
            ReplyForm::Whole => {
                let patience = Patience {
                    deadline,
                    limit: self.config.total_timeout,
                    silence: self.config.chunk_timeout,
                };
                let body = collect(body, MAX_REPLY_BYTES, patience).await?;
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

    /// A call's request, signed now.
    async fn signed(
        &self,
        call: &Call,
        identity: &Identity,
        place: &Place,
        path: &str,
        first_byte: Instant,
    ) -> Result<Request<PiecesBody>, Error> {
        let mut request = self.request(Method::POST, place.endpoint(call.operation), path, &call.body)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accept(call)));
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::Sign(format!(
                    "the header '{name}' would have characters that no header takes"
                ))
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        timeout_at(first_byte, identity.auth.apply(&place.signer, &mut request, &call.body))
            .await
            .map_err(|_| Error::Credentials("the provider of credentials took too long".to_owned()))??;
        Ok(request)
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

/// The client's own way to prove who it is.
fn own_auth(config: &Config, aws: &Aws) -> Result<Auth, ConfigError> {
    match config.api_key.as_deref() {
        Some(key) => Auth::api_key(key).ok_or(ConfigError::ApiKey),
        None => Ok(Auth::Credentials(aws.own.clone())),
    }
}
