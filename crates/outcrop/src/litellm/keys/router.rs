//! The keys of `router_settings`.

use super::Fate::{Missed, Needless, Taken};
use super::{NO_ALERTS, NO_DATABASE, OWN_LIMITS, Section};

/// `router_settings`.
pub(super) const ROUTER: Section = Section {
    name: "router_settings",
    keys: &[
        (
            "routing_strategy",
            Taken(
                "`strategy` of `[[routes]]`: `weighted`, `least_busy` or `lowest_latency`; `usage-based-routing` is `least_busy` with `admission`, `cost-based-routing` is `weighted`",
            ),
        ),
        ("num_retries", Taken("`max_attempts`, one more")),
        ("timeout", Taken("`total_timeout` and `first_byte_timeout`")),
        (
            "stream_timeout",
            Missed("one limit holds for streams and whole answers: `timeout`"),
        ),
        (
            "allowed_fails",
            Taken("`breaker_min_calls`, one more, within a `breaker_window` of a minute"),
        ),
        ("cooldown_time", Taken("`breaker_cool_down`")),
        ("disable_cooldowns", Taken("`breaker_cool_down` of 0")),
        ("model_group_alias", Taken("a route of that name with the same targets")),
        ("fallbacks", Taken("`fallbacks` of `[[routes]]`; for `*` of all")),
        ("context_window_fallbacks", Taken("`context_window_fallbacks` likewise")),
        ("content_policy_fallbacks", Taken("`content_policy_fallbacks` likewise")),
        ("default_fallbacks", Taken("`fallbacks`")),
        (
            "default_litellm_params",
            Taken("`litellm_params` that entries don't have"),
        ),
        (
            "default_max_parallel_requests",
            Taken("`max_parallel_requests` of targets that don't say it"),
        ),
        (
            "optional_pre_call_checks",
            Taken("`affinity`: `session` if one of them keeps requests at one deployment, else `none`"),
        ),
        (
            "retry_after",
            Needless("Bedrock says how long to wait, or it is worked out"),
        ),
        ("max_fallbacks", Needless("each is asked once")),
        (
            "enable_pre_call_checks",
            Needless("Bedrock says that a prompt is too long, and `context_window_fallbacks` follow"),
        ),
        (
            "enable_pre_call_check",
            Needless("Bedrock says that a prompt is too long, and `context_window_fallbacks` follow"),
        ),
        (
            "routing_strategy_args",
            Missed("strategies have no settings of their own"),
        ),
        ("retry_policy", OWN_LIMITS),
        ("model_group_retry_policy", OWN_LIMITS),
        ("allowed_fails_policy", Missed("failures of all kinds count alike")),
        ("redis_host", Missed("each instance counts for itself")),
        ("redis_port", Missed("each instance counts for itself")),
        ("redis_password", Missed("each instance counts for itself")),
        ("redis_url", Missed("each instance counts for itself")),
        ("redis_db", Missed("each instance counts for itself")),
        ("cache_kwargs", Missed("set `litellm_settings.cache_params`")),
        ("cache_responses", Missed("set `litellm_settings.cache`")),
        (
            "caching_groups",
            Missed("answers are kept for the model that gave them"),
        ),
        (
            "client_ttl",
            Needless("connections are kept as long as they are of use"),
        ),
        ("enable_tag_filtering", Missed("requests are not routed by tags")),
        ("tag_filtering_match_any", Missed("requests are not routed by tags")),
        ("default_priority", Missed("callers are equal")),
        ("polling_interval", Needless("nothing is polled")),
        ("debug_level", Needless("the log is set by `log`")),
        ("set_verbose", Needless("the log is set by `log`")),
        ("provider_budget_config", NO_DATABASE),
        ("alerting_config", NO_ALERTS),
        ("assistants_config", Missed("there are no assistants")),
        ("search_tools", Missed("there is no search")),
        (
            "ignore_invalid_deployments",
            Needless("such entries are warned of and left out"),
        ),
    ],
};
