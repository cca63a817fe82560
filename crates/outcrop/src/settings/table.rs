//! The table of settings, and the struct that it becomes.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outcrop_server::{
    Api, Catalogue, ForwardedIdentity, HostPattern, IamReplay, Network, OnUnsupported, PromptCaching, StreamMode, Trace,
};

use super::kind::Kind;
use super::kinds::{
    Aliases, ApiKey, AwsParameter, BaseUrl, ByteSize, Database, EmbeddingModelName, Emf, GatewayName, GuardrailId,
    GuardrailVersion, LambdaResponse, List, LogFilter, LogFormat, MetricNamespace, ModelName, Profile, Ratio, Region,
    ResponseCache, RoutePrefix, SecretValue, SharedCounters, Timeout, UpTo,
};
use super::layers::Layers;
use super::policies::PolicyTable;
use super::problem::Problems;
use super::routing::{self, Tables};
pub(crate) use super::setting::{Effective, Setting};

impl Setting {
    /// The row with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// A row reads `/// docs`, then `name: Kind = "default", or FALLBACK_VARIABLE;`.
macro_rules! settings {
    ($( section $section:literal { $(
        $(#[doc = $doc:literal])+
        $name:ident: $kind:ty = $default:literal $(, or $fallback:ident)*;
    )+ } )+) => {
        /// Every setting, in the order of the reference page.
        pub(crate) const SETTINGS: &[Setting] = &[$($( Setting {
            name: stringify!($name),
            section: $section,
            doc: &[$($doc),+],
            default: $default,
            env_fallbacks: &[$(stringify!($fallback)),*],
            expected: <$kind as Kind>::EXPECTED,
            placeholder: <$kind as Kind>::PLACEHOLDER,
            shape: <$kind as Kind>::SHAPE,
            secret: <$kind as Kind>::SECRET,
            schema: <$kind as Kind>::schema,
            shown_default: |text| <$kind as Kind>::from_default(text).ok()?.show(),
        }, )+)+];

        /// The settings of one run, checked.
        #[derive(Clone, Debug)]
        pub(crate) struct Settings {
            $($( $(#[doc = $doc])+ pub(crate) $name: $kind, )+)+
            /// The tables for some models and keys.
            pub(crate) policies: Vec<PolicyTable>,
            /// The accounts, routes and quotas.
            pub(crate) tables: Tables,
            /// What is known of models: the built-in catalogue, and the operator's over it.
            pub(crate) models: Arc<Catalogue>,
        }

        impl Settings {
            /// Picks the value of each setting from its highest layer, and says where it came from.
            ///
            /// # Errors
            /// All values that aren't valid, in any layer: also one that another layer overrides.
            pub(super) fn pick(layers: &Layers) -> Result<(Settings, Vec<Effective>), Problems> {
                let mut problems = Problems::default();
                let mut effective = Vec::new();
                let [$($($name),+),+] = &layers.rows;
                $($( let $name = $name.pick::<$kind>(&mut problems, &mut effective); )+)+
                let tables = routing::read(&layers.tables, &mut problems);
                match ($($($name),+),+,) {
                    ($($(Some($name)),+),+,) if problems.is_empty() => {
                        let policies = layers.policies.clone();
                        let models = Arc::clone(Catalogue::built_in());
                        Ok((Settings { $($($name),+),+, policies, tables, models }, effective))
                    }
                    _ => Err(problems),
                }
            }
        }
    };
}

/// How many settings there are.
pub(super) const COUNT: usize = SETTINGS.len();

settings! {
    section "Serving" {
        /// The address and port to listen on.
        /// Port 0 takes any free one, and the banner says which.
        listen: SocketAddr = "127.0.0.1:8080";
        /// Answer from the built-in simulator instead of AWS.
        /// Nothing leaves the machine but what `fetch_urls` fetches and what references to AWS read, no credentials are
        /// needed, and the answers are deterministic.
        simulate: bool = "false";
        /// How long requests are still taken after SIGTERM, while `/readyz` says 503.
        /// A balancer that asks `/readyz` sends its requests elsewhere before the port is closed: as long as it takes to
        /// notice. Answers carry `Connection: close` meanwhile. `shutdown_timeout` begins after it.
        shutdown_delay: Duration = "0s";
        /// How long open streams may go on after SIGTERM.
        /// What is still open then ends with an error event. 0 ends them at once.
        shutdown_timeout: Duration = "30s";
        /// The URL at which clients reach the gateway, such as `https://ai.example.com`.
        /// The URLs of images that it keeps begin with it. Where it is not set, they begin with `http://` and the host
        /// that the client named.
        public_url: Option<BaseUrl> = "";
        /// Another path under which the API is served.
        /// It is served under `/v1`, `/api/v1`, `/openai/v1`, `/openai` and without any in front of it besides.
        /// `API_ROUTE_PREFIX` is the variable of bedrock-access-gateway.
        route_prefix: Option<RoutePrefix> = "", or API_ROUTE_PREFIX;
        /// Take over changes of the settings file while serving.
        /// What changed holds for requests that begin after it. A file that is not in order is refused, and the log
        /// says why. SIGHUP has the file read whether this is on or not.
        watch_config: bool = "true";
    }
    section "Lambda" {
        /// How answers are given where the gateway is a Lambda function.
        /// `stream` passes on each piece at once; the function URL must have the invoke mode `RESPONSE_STREAM`, or the
        /// integration of the REST API the response transfer mode `STREAM`. `buffer` gives whole answers. `auto` streams
        /// to function URLs alone. Load balancers always get whole answers.
        lambda_response: LambdaResponse = "auto";
        /// How long before the end of the function's time an answer that is not whole ends with an error.
        /// It is the time for writing down what the request leaves behind.
        lambda_margin: Duration = "2s";
    }
    section "Access" {
        /// The API keys that clients may use, as `Authorization: Bearer` or `api-key`.
        /// Commas separate them in the environment and in a flag. A flag can be seen by other users of the machine,
        /// so prefer the environment. A key may be a reference: `os.environ/NAME`, `file:/run/secrets/key`,
        /// `secretsmanager:NAME`, `ssm:/path/name`. `API_KEY_PARAM_NAME`, `API_KEY_SECRET_ARN` and `API_KEY` are the
        /// variables of bedrock-access-gateway. With no key configured any key is accepted, and only a loopback address
        /// can be listened on.
        api_keys: Vec<ApiKey> = "", or API_KEY_PARAM_NAME, or API_KEY_SECRET_ARN, or API_KEY;
        /// Listen on an address that others can reach although no API key is configured.
        /// Anyone who reaches it then spends on your AWS account.
        insecure_no_auth: bool = "false";
    }
    section "Tenants" {
        /// Where organizations, projects, keys and usage are kept.
        /// It is `sqlite:PATH`, a `postgres://` URL, `memory` or `none`. A URL with a password is a secret; it may be a reference: `os.environ/DATABASE_URL`. Where it is not set, they
        /// are kept in `outcrop.db` in `state_dir`, and in memory while the models are simulated.
        database: Database = "";
        /// The folder for what the gateway keeps on disk.
        /// That is its database, where none is named, and usage that is on its way to the database. Where it is not set, it is systemd's `STATE_DIRECTORY`, else `outcrop` below `XDG_STATE_HOME` or
        /// `~/.local/state`.
        state_dir: Option<PathBuf> = "";
        /// The keys for administration that may do all, as `Authorization: Bearer` at `/admin/v1`.
        /// Further ones, with roles, are made by `outcrop keys` or the API itself. A key may be a reference, as for
        /// `api_keys`. `LITELLM_MASTER_KEY` is LiteLLM's variable.
        admin_keys: Vec<ApiKey> = "", or LITELLM_MASTER_KEY;
        /// The secret that keys are hashed with, at least 16 characters.
        /// Where it is not set, it is made once and kept in the database. Keys that were made with another secret don't
        /// work. It may be a reference.
        key_secret: Option<SecretValue> = "";
        /// How long records of usage are kept; sums of budgets stay. `0` keeps them for ever.
        usage_retention: Duration = "0";
        /// How large the journal of usage may grow on disk while the database is away.
        /// Beyond that its oldest part is given up, with an error in the log. No request is refused for it.
        usage_journal_limit: ByteSize = "1GB";
        /// Where instances count limits and budgets together: `off`, or the URL of a Redis or Valkey.
        /// With `off` each counts for itself, and learns each second from the database what the others have spent. It may be
        /// a reference, as for `response_cache`, and is read at the start alone.
        shared_counters: SharedCounters = "off";
        /// Proxies that are believed where a request comes from, by `X-Forwarded-For`.
        /// It matters for keys that may be used from some networks only.
        trusted_proxies: List<Network> = "";
    }
    section "Logins" {
        /// What tokens of AWS identities are bound to: the gateway's names.
        /// Where it is not set, the host of `public_url`; without that, only a name of this machine by which the
        /// request came in. See [Logins](login.md).
        iam_audience: List<GatewayName> = "";
        /// How long a token of an AWS identity is good, whatever it says itself; at most 15 min.
        iam_max_age: UpTo<900> = "15m";
        /// What becomes of a token of an AWS identity that comes once more.
        /// With `allow` it is good until it ends, and AWS STS is asked once.
        iam_replay: IamReplay = "refuse";
        /// How long a session lasts that `POST /v1/auth/session` begins; at most 12 h.
        session_duration: UpTo<43200> = "1h";
        /// Base URL of STS, if it isn't AWS's: tokens of AWS identities may be for it.
        sts_endpoint_url: Option<BaseUrl> = "", or AWS_ENDPOINT_URL_STS;
        /// Where API Gateway or a Lambda function URL with IAM authorization says who somebody is.
        /// `aws-request-context` for the header of the Lambda Web Adapter, or the name of a header that holds an ARN. It is
        /// believed from `trusted_proxies` alone.
        forwarded_identity: Option<ForwardedIdentity> = "";
    }
    section "AWS" {
        /// The region of Bedrock.
        /// Where it is not set it is found the AWS way: AWS_REGION, the profile, the first of `regions`, the instance's
        /// metadata.
        region: Option<Region> = "";
        /// The regions whose models are listed, and called by ids that the gateway's own region doesn't have.
        /// They add to the gateway's own, which needs not be among them. Where neither `region` nor AWS's variables nor
        /// the profile name one, the first is the gateway's own; the simulator's is the first where `region` is not set.
        /// With none, only the gateway's own is listed.
        regions: List<Region> = "";
        /// The profile in AWS's configuration files.
        /// Where it is not set it is found the AWS way: AWS_PROFILE, or `default`.
        profile: Option<Profile> = "";
        /// A Bedrock API key, to use instead of AWS credentials.
        bedrock_api_key: Option<ApiKey> = "", or AWS_BEARER_TOKEN_BEDROCK;
        /// The base URL to use for bedrock-runtime (the answers of models).
        /// Where it is not set it is found the AWS way: AWS_ENDPOINT_URL_BEDROCK_RUNTIME, or the region's own.
        endpoint_url: Option<BaseUrl> = "";
        /// The base URL to use for bedrock (the lists of models).
        /// Where it is not set it is found the AWS way: AWS_ENDPOINT_URL_BEDROCK, or the region's own.
        control_endpoint_url: Option<BaseUrl> = "";
        /// The base URL to use for bedrock-agent-runtime (the ranking of documents).
        /// Where it is not set it is found the AWS way: AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME, or the region's own.
        agent_runtime_endpoint_url: Option<BaseUrl> = "";
        /// Use AWS's FIPS endpoints.
        use_fips: bool = "false";
        /// Use AWS's endpoints that speak both IPv4 and IPv6.
        use_dualstack: bool = "false";
    }
    section "Routing" {
        /// Models, or routes, that are asked where all targets of a request failed.
        /// A route's own list wins.
        fallbacks: List<ModelName> = "";
        /// Models, or routes, that are asked where the prompt is too long for the model.
        /// A route's own list wins.
        context_window_fallbacks: List<ModelName> = "";
        /// Models, or routes, that are asked where a guardrail or a filter refused.
        /// A route's own list wins.
        content_policy_fallbacks: List<ModelName> = "";
        /// The share of a target's calls that must have failed before it is left alone, from 0 to 1.
        breaker_failure_ratio: Ratio = "0.5";
        /// The least calls within `breaker_window` that say anything about a target.
        breaker_min_calls: NonZeroUsize = "5";
        /// How far back a target's failures count.
        breaker_window: Timeout = "30s";
        /// How long a failing target is left alone.
        /// One call is let through then, and if it fails, the time begins anew. 0 leaves none alone.
        breaker_cool_down: Duration = "15s";
        /// Silence of a target after which a second one is asked beside it.
        /// The answer that begins first is taken. Both cost. Where it is not set, none is asked.
        hedge_after: Option<Timeout> = "";
        /// The most second calls for each call, from 0 to 1.
        hedge_budget: Ratio = "0.05";
        /// Parameters that requests may carry to say who Bedrock is asked as, such as `aws_region_name`.
        /// All others are refused. Each of them is a way in: who may send `aws_role_name` may ask as any role that the
        /// gateway can assume.
        request_aws_parameters: List<AwsParameter> = "";
    }
    section "Quotas" {
        /// Keep within AWS's quotas by holding requests back.
        /// A request that doesn't fit goes to another target, or waits, or is refused with status 429.
        admission: bool = "false";
        /// Ask AWS's Service Quotas for quotas, of each region and account that is called, and again each hour.
        /// It needs the right `servicequotas:ListServiceQuotas`. What `[[quotas]]` says wins.
        service_quotas: bool = "false";
        /// How long a request waits for room in a quota at most.
        /// 0 refuses it at once.
        queue_timeout: Duration = "10s";
        /// The most requests that wait for room at a time.
        queue_limit: usize = "1000";
        /// Tokens that are reserved for the answer to a request that doesn't limit it.
        /// It counts while nothing is known of the model's answers.
        default_output_tokens: NonZeroUsize = "4096";
    }
    section "Response cache" {
        /// Where answers are kept for when the same is asked again: `off`, `memory`, or the URL of a Redis.
        /// Only what is deterministic is kept, and only for the key that asked. A URL with a password is a secret; it may
        /// be a reference: `os.environ/REDIS_URL`.
        response_cache: ResponseCache = "off";
        /// How long an answer is kept.
        response_cache_ttl: Timeout = "10m";
        /// The most memory for answers that are kept.
        response_cache_limit: ByteSize = "64MiB";
    }
    section "Limits" {
        /// The largest request body to accept.
        /// A larger one is refused with status 413.
        body_limit: ByteSize = "32MiB";
        /// How long a connection may stay open without a request.
        /// Longer than the idle time-out of a balancer in front, which would otherwise send a request into a connection
        /// that is being closed.
        idle_timeout: Timeout = "75s";
        /// How long a client may take to send the head of a request.
        header_timeout: Timeout = "10s";
        /// How long a client may take to send the body of a request.
        body_timeout: Timeout = "60s";
        /// How long a client may take nothing of what is sent to it.
        /// Its connection is closed then, and its calls to Bedrock with it.
        send_timeout: Timeout = "2m";
        /// How many connections may be open at a time.
        /// Further ones wait to be accepted until another closes.
        max_connections: NonZeroUsize = "10000";
        /// The largest `n` that a request may ask for.
        /// Each choice is a call of its own to Bedrock.
        max_choices: NonZeroUsize = "8";
        /// The most memory for images that clients asked for by URL.
        /// Each is kept for an hour; where there is no room, the oldest go first.
        kept_files_limit: ByteSize = "128MiB";
        /// Silence on a stream after which it gets an SSE comment.
        /// It keeps load balancers from cutting a connection that looks idle. 0 sends none.
        keep_alive_interval: Duration = "15s";
    }
    section "Policy" {
        /// What to do with a parameter or content that a model can't be given.
        /// `adapt` changes it or leaves it out, and names it in `X-Outcrop-Adapted`; `reject` refuses the request.
        on_unsupported: OnUnsupported = "adapt";
        /// Where prompts are cached.
        /// `explicit` is where clients ask for it, `auto` also at the best places of prompts whose clients don't ask,
        /// `off` nowhere. `ENABLE_PROMPT_CACHING` is the variable of bedrock-access-gateway: `true` is `auto`, `false`
        /// is `explicit`.
        prompt_caching: PromptCaching = "explicit", or ENABLE_PROMPT_CACHING;
        /// The API of Bedrock's by which models are asked.
        /// `openai` is Bedrock's own version of OpenAI's. Where it is not set, each model is asked by the API that its
        /// row in the catalogue names first. A request or a model's name that says otherwise wins, and a model that
        /// doesn't answer this API is asked by one of its own.
        bedrock_api: Option<Api> = "";
        /// The guardrail of requests that don't name one, by id or ARN.
        /// It needs a version too.
        guardrail_id: Option<GuardrailId> = "";
        /// The guardrail's version.
        guardrail_version: Option<GuardrailVersion> = "";
        /// Whether answers tell what the guardrail did.
        /// Where it is not set, Bedrock decides.
        guardrail_trace: Option<Trace> = "";
        /// How the guardrail works on streams.
        /// `sync` looks at each piece before it is passed on, `async` passes pieces on while it looks. Where it is not
        /// set, Bedrock decides.
        guardrail_stream_mode: Option<StreamMode> = "";
    }
    section "Models" {
        /// A file with rows of your own for the catalogue of models.
        /// Each field in it lies over what is built in. `outcrop models check` says what is wrong with it and what it
        /// changes; if it isn't in order, nothing starts.
        catalogue: Option<PathBuf> = "";
        /// How long the list of models is handed out from memory.
        /// An older one is handed out once more while Bedrock is asked behind it. `?refresh=true` asks at once.
        model_list_max_age: Duration = "5m";
        /// List the inference profiles that spread calls over regions, such as `us.amazon.nova-pro-v1:0`.
        /// They can be called either way. `ENABLE_CROSS_REGION_INFERENCE` is the variable of bedrock-access-gateway.
        list_inference_profiles: bool = "true", or ENABLE_CROSS_REGION_INFERENCE;
        /// List the inference profiles of the account's own.
        /// They can be called either way. `ENABLE_APPLICATION_INFERENCE_PROFILES` is the variable of
        /// bedrock-access-gateway.
        list_application_profiles: bool = "true", or ENABLE_APPLICATION_INFERENCE_PROFILES;
        /// Other names for models.
        /// Each is `NAME=MODEL`, in the file also a table `[[aliases]]` with a `name` and a `model`. A name may have
        /// `*` for any text, and capital letters are the same as small ones. The first that fits counts. The model is
        /// any name that is no alias itself; it is looked up at the start.
        aliases: Aliases = "";
        /// The model to ask in place of a chat model whose name nobody knows.
        /// Where it is not set, such a request is refused with status 404. `DEFAULT_MODEL` is the variable of
        /// bedrock-access-gateway.
        default_model: Option<ModelName> = "", or DEFAULT_MODEL;
        /// The model to ask in place of an embedding model whose name nobody knows.
        /// Where it is not set, OpenAI's names, `text-embedding-…`, mean `cohere.embed-multilingual-v3`; others are
        /// refused with status 404. What vectors are for may stand behind it: `cohere.embed-v4:0#search_query`.
        /// `DEFAULT_EMBEDDING_MODEL` is the variable of bedrock-access-gateway.
        default_embedding_model: Option<EmbeddingModelName> = "", or DEFAULT_EMBEDDING_MODEL;
        /// The model to ask for images where a request names none, one of OpenAI's, or one that nobody knows.
        /// Where it is not set, OpenAI's names, `dall-e-…` and `gpt-image-…`, and none at all, mean Stable Diffusion 3.5
        /// Large, for edits with a mask Stable Image Inpaint, and for variations Nova Canvas; others are refused with
        /// status 404.
        default_image_model: Option<ModelName> = "";
        /// Ask the successor of a model that AWS has retired.
        /// Switched off, Bedrock refuses such a request, and the error names the successor. A row of the catalogue can
        /// redirect one model.
        redirect_retired: bool = "false";
        /// The regions that models' names and ARNs may choose.
        /// With none, any region may be. The gateway's own region always may.
        allowed_regions: List<Region> = "";
    }
    section "Fetching" {
        /// Fetch the images and files that requests name by `http://` and `https://` URLs.
        /// Switched off, such a request is refused; data URLs always work. Fetching needs a direct way out: proxies are
        /// not used.
        fetch_urls: bool = "true";
        /// The hosts that may be fetched from, such as `cdn.example.com` or `*.example.com`.
        /// With none, any public host may. Redirects are held to it too. A host with a private address has to be in
        /// `fetch_private_networks` besides.
        fetch_hosts: List<HostPattern> = "";
        /// Networks that may be fetched from although their addresses are not public.
        /// Everyone who may use the gateway can then read what is served there. Link-local and multicast addresses and
        /// the metadata servers of clouds are never fetched from.
        fetch_private_networks: List<Network> = "";
        /// The largest file to fetch.
        /// Bedrock takes 25 MB in one request, and less for one image or document. All files of a request together may
        /// be four times as large.
        fetch_max_bytes: ByteSize = "25MB";
        /// How long fetching one file may take, redirects included.
        /// It may wait as long again for its turn.
        fetch_timeout: Timeout = "15s";
        /// How many redirects are followed for one file.
        /// 0 follows none.
        fetch_max_redirects: usize = "5";
        /// How many files are fetched at the same time, over all requests.
        /// One request fetches up to 4 at a time.
        fetch_concurrency: NonZeroUsize = "32";
    }
    section "Upstream" {
        /// How long connecting to Bedrock may take.
        connect_timeout: Timeout = "5s";
        /// How long Bedrock may take to begin its answer.
        first_byte_timeout: Timeout = "5m";
        /// How long Bedrock may be silent in the middle of an answer.
        chunk_timeout: Timeout = "2m";
        /// How long one answer may take as a whole.
        total_timeout: Timeout = "15m";
        /// How often a call is tried at most when Bedrock throttles or fails in passing.
        /// Nothing is tried again once a byte has gone to the client. 1 never retries.
        max_attempts: NonZeroUsize = "3";
        /// The share of calls that may be retries, from 0 to 1.
        /// It keeps an outage from being made worse by retries.
        retry_budget: Ratio = "0.1";
    }
    section "Log" {
        /// What to log: a level, or levels for parts of the program.
        /// The syntax is that of `tracing`'s filters: `info`, `warn,outcrop_upstream=debug`.
        /// `DEBUG` is the variable of bedrock-access-gateway: `true` is `debug` for Outcrop's own parts.
        log: LogFilter = "info", or DEBUG;
        /// The form of log lines on stderr.
        /// `auto` is text on a terminal and JSON elsewhere.
        log_format: LogFormat = "auto";
    }
    section "Metrics" {
        /// The address and port at which `GET /metrics` is served without a key, such as `127.0.0.1:9464`.
        /// Where it is not set, it is at the gateway's own address, for admin keys where keys are asked for. It is read
        /// at the start alone.
        metrics_listen: Option<SocketAddr> = "";
        /// Whether each request leaves a JSON line on stdout, of which CloudWatch Logs makes metrics.
        /// `auto` is on in an AWS Lambda function and off elsewhere. It is read at the start alone. See
        /// [Metrics](metrics.md).
        emf: Emf = "auto";
        /// The namespace of these metrics in CloudWatch.
        /// It is read at the start alone.
        emf_namespace: MetricNamespace = "Outcrop";
    }
    section "Simulator" {
        /// The pause between two parts of a simulated stream.
        /// 0 streams as fast as it can.
        simulator_pace: Duration = "15ms";
        /// A file that scripts what the simulator answers.
        simulator_scenario: Option<PathBuf> = "";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn every_summary_is_one_sentence() {
        for setting in SETTINGS {
            let summary = setting.summary();
            assert!(
                summary.ends_with('.') && summary.len() <= 100,
                "{}: {summary}",
                setting.name
            );
            assert!(
                setting.details().is_empty() || setting.details().ends_with('.'),
                "{}",
                setting.name
            );
        }
    }
}
