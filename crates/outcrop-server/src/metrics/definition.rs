//! All metrics: names, kinds, labels and what they mean. `docs/metrics.md` is held to this list.

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows; its samples end in `_total`.
    Counter,
    Gauge,
    Histogram,
    /// Its labels say all; its sample ends in `_info`.
    Info,
}

/// A metric.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Without the ending of its samples.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [&'static str],
    /// Without the full stop.
    pub(crate) help: &'static str,
}

macro_rules! metrics {
    ($( $constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal; )+) => {
        $( #[doc = $help] pub(crate) const $constant: Definition = Definition {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        }; )+

        /// All of them, in the order in which they are told.
        pub(crate) const ALL: &[&Definition] = &[$(&$constant),+];
    };
}

metrics! {
    REQUESTS = Counter "outcrop_requests" ["endpoint", "status", "outcome", "error_type"]
        "Requests that are over, by endpoint, HTTP status, how they ended, and the code of the error";
    IN_FLIGHT = Gauge "outcrop_in_flight_requests" []
        "Requests that are not over";
    OPEN_STREAMS = Gauge "outcrop_open_streams" []
        "Streamed answers that are not over";
    CONNECTIONS = Gauge "outcrop_client_connections" []
        "Connections of clients that are open";
    DURATION = Histogram "gen_ai_server_request_duration_seconds"
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "region"]
        "Time from a request's first byte to the last of its answer, in seconds";
    FIRST_TOKEN = Histogram "gen_ai_server_time_to_first_token_seconds"
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "region"]
        "Time from a request's first byte to the first one of its streamed answer, in seconds";
    PER_TOKEN = Histogram "gen_ai_server_time_per_output_token_seconds"
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "region"]
        "Mean time for each token of a streamed answer after the first, in seconds";
    TOKEN_USAGE = Histogram "gen_ai_client_token_usage"
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "region", "gen_ai_token_type"]
        "Tokens of a request, those read and those written";
    STREAM_GAP = Histogram "outcrop_stream_gap_seconds" []
        "Time between two pieces of a streamed answer, in seconds";
    MODEL_REQUESTS = Counter "outcrop_model_requests" ["endpoint", "model", "region", "outcome"]
        "Requests that asked a model, by model and how they ended";
    TOKENS = Counter "outcrop_tokens" ["endpoint", "model", "region", "kind"]
        "Tokens by kind; the kinds of input don't overlap, and output includes reasoning";
    COST = Counter "outcrop_cost_dollars" ["endpoint", "model", "region"]
        "What requests have cost by the prices of the catalogue, in US dollars";
    TENANT_REQUESTS = Counter "outcrop_project_requests" ["organization", "project"]
        "Requests of a project that asked a model";
    TENANT_TOKENS = Counter "outcrop_project_tokens" ["organization", "project", "kind"]
        "Tokens of a project by kind, as outcrop_tokens";
    TENANT_COST = Counter "outcrop_project_cost_dollars" ["organization", "project"]
        "What a project's requests have cost, in US dollars";
    CACHE = Counter "outcrop_response_cache_lookups" ["result"]
        "Requests for which an answer was looked for among those given before";
    ATTEMPTS = Counter "outcrop_upstream_attempts" ["region", "outcome"]
        "Tries of calls to Bedrock, by what came of them";
    RETRIES = Counter "outcrop_retries" ["kind"]
        "Calls that were made once more after a failure, at the same target or at another one";
    UPSTREAM_CALLS = Gauge "outcrop_upstream_calls" []
        "Calls to Bedrock under way";
    BROKEN = Gauge "outcrop_target_broken" ["route", "target", "account", "region"]
        "1 for a route's target that is left alone because its calls failed, else 0";
    TARGET_CALLS = Gauge "outcrop_target_in_flight" ["route", "target", "account", "region"]
        "Calls to a route's target under way";
    QUEUE = Gauge "outcrop_queue_length" []
        "Requests that wait for room in a quota";
    QUOTA = Gauge "outcrop_quota_limit" ["quota", "account", "region", "model"]
        "A quota of AWS's by the minute, where it is known";
    QUOTA_LEFT = Gauge "outcrop_quota_remaining" ["quota", "account", "region", "model"]
        "What is left of it by the gateway's own count";
    BUDGET = Gauge "outcrop_budget_limit_dollars" ["scope", "organization", "project", "period"]
        "A budget of an organization or a project that was asked for lately, in US dollars";
    BUDGET_LEFT = Gauge "outcrop_budget_left_dollars" ["scope", "organization", "project", "period"]
        "What is left of it, as far as this instance knows; less than 0 where it is exceeded";
    JOURNAL = Gauge "outcrop_usage_journal_bytes" []
        "Records of usage that aren't in the database yet, in bytes";
    LEARNED = Counter "outcrop_learned_parameters" []
        "Things that models were found to refuse";
    BUILD = Info "outcrop_build" ["version"]
        "The version that runs";
    CPU = Counter "process_cpu_seconds" []
        "Time that the process has computed, in seconds";
    MEMORY = Gauge "process_resident_memory_bytes" []
        "Memory that the process holds, in bytes";
    FILES = Gauge "process_open_fds" []
        "Files and sockets that the process has open";
    MAX_FILES = Gauge "process_max_fds" []
        "Files and sockets that it may have open";
    STARTED = Gauge "process_start_time_seconds" []
        "When the process began, in seconds since 1970";
}

/// The upper ends of buckets that the conventions name for the time of a request, in seconds, and two more for long answers.
pub(crate) const DURATIONS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
];
/// Those for the time to the first token.
pub(crate) const FIRST_TOKENS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Those for the time of an output token, and between two pieces.
pub(crate) const GAPS: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
/// Those for tokens.
pub(crate) const TOKEN_COUNTS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
