//! The keys of `litellm_settings`.

use super::Fate::{Missed, Needless, Taken};
use super::{Fate, NO_CALLBACKS, NO_DATABASE, NO_SPEND, Section};

const REDIS_OF_CACHE: Fate = Taken("the URL of `response_cache`");
const OTHER_CACHE: Fate = Missed("answers are kept in memory or in Redis only");

/// `litellm_settings`.
pub(super) const MODULE: Section = Section {
    name: "litellm_settings",
    keys: &[
        (
            "drop_params",
            Taken("`on_unsupported`: `adapt` if true, `reject` if false"),
        ),
        ("num_retries", Taken("`max_attempts`, one more")),
        ("request_timeout", Taken("`total_timeout` and `first_byte_timeout`")),
        ("fallbacks", Taken("`fallbacks` of `[[routes]]`; for `*` of all")),
        ("context_window_fallbacks", Taken("`context_window_fallbacks` likewise")),
        ("content_policy_fallbacks", Taken("`content_policy_fallbacks` likewise")),
        ("default_fallbacks", Taken("`fallbacks`")),
        ("cache", Taken("`response_cache`")),
        ("cache_params", Taken("see below")),
        ("json_logs", Taken("`log_format`")),
        ("set_verbose", Taken("`log`")),
        (
            "allowed_fails",
            Taken("`breaker_min_calls`, one more, within a `breaker_window` of a minute"),
        ),
        (
            "model_group_alias_map",
            Missed("use `router_settings.model_group_alias`"),
        ),
        ("success_callback", NO_CALLBACKS),
        ("failure_callback", NO_CALLBACKS),
        ("callbacks", NO_CALLBACKS),
        ("service_callbacks", NO_CALLBACKS),
        ("service_callback", NO_CALLBACKS),
        ("langfuse_default_tags", NO_CALLBACKS),
        ("turn_off_message_logging", Needless("messages are never logged")),
        ("redact_user_api_key_info", Needless("keys are never logged")),
        ("redact_messages_in_exceptions", Needless("messages are never logged")),
        ("modify_params", Needless("histories are always mended")),
        ("enable_preview_features", Needless("there are none")),
        ("force_ipv4", Missed("addresses are used as they resolve")),
        ("mcp_aliases", Missed("there is no MCP")),
        ("disable_end_user_cost_tracking", NO_SPEND),
        ("disable_end_user_cost_tracking_prometheus_only", NO_SPEND),
        ("max_budget", NO_DATABASE),
        ("budget_duration", NO_DATABASE),
        ("max_end_user_budget", NO_DATABASE),
        ("max_internal_user_budget", NO_DATABASE),
        ("internal_user_budget_duration", NO_DATABASE),
        ("default_internal_user_params", NO_DATABASE),
        ("default_team_params", NO_DATABASE),
        ("default_team_settings", NO_DATABASE),
        ("default_key_generate_params", NO_DATABASE),
        ("upperbound_key_generate_params", NO_DATABASE),
        ("key_generation_settings", NO_DATABASE),
        ("enable_key_alias_format_validation", NO_DATABASE),
        (
            "ssl_verify",
            Missed("certificates are always verified; SSL_CERT_FILE names others"),
        ),
        ("ssl_certificate", Missed("clients' certificates are not used")),
        ("telemetry", Needless("there is none")),
        ("disable_hf_tokenizer_download", Needless("nothing is downloaded")),
        (
            "enable_json_schema_validation",
            Missed("only answers to `response_format` are checked"),
        ),
        (
            "disable_add_transform_inline_image_block",
            Needless("it is for another provider"),
        ),
        (
            "use_chat_completions_url_for_anthropic_messages",
            Needless("it is for another provider"),
        ),
        (
            "disable_copilot_system_to_assistant",
            Needless("it is for another provider"),
        ),
        ("custom_provider_map", Missed("there is no Python here")),
        (
            "forward_traceparent_to_llm_provider",
            Missed("headers are not passed on to Bedrock"),
        ),
        (
            "add_function_to_prompt",
            Needless("tools are told to models as they take them"),
        ),
        ("ui_theme_config", Needless("there is no user interface")),
        ("public_model_groups", Needless("there is no user interface")),
    ],
};

/// Where answers are kept.
pub(super) const CACHE: Section = Section {
    name: "cache_params",
    keys: &[
        (
            "type",
            Taken("`memory` for `local`, else the URL for `redis`, which is the default"),
        ),
        ("host", REDIS_OF_CACHE),
        ("port", REDIS_OF_CACHE),
        ("username", REDIS_OF_CACHE),
        ("password", REDIS_OF_CACHE),
        ("db", REDIS_OF_CACHE),
        ("ssl", REDIS_OF_CACHE),
        ("url", REDIS_OF_CACHE),
        ("ttl", Taken("`response_cache_ttl`")),
        ("default_in_memory_ttl", Taken("`response_cache_ttl` for `local`")),
        ("default_in_redis_ttl", Taken("`response_cache_ttl` for `redis`")),
        ("mode", Taken("`default_on`; with `default_off` nothing is kept")),
        ("namespace", Needless("entries have names of their own")),
        ("max_connections", Needless("few are needed")),
        (
            "supported_call_types",
            Missed("all answers that are deterministic are kept"),
        ),
        ("redis_startup_nodes", OTHER_CACHE),
        ("redis_flush_size", Needless("answers are written one by one")),
        ("service_name", OTHER_CACHE),
        ("sentinel_nodes", OTHER_CACHE),
        ("sentinel_password", OTHER_CACHE),
        ("gcp_service_account", OTHER_CACHE),
        ("gcp_ssl_ca_certs", OTHER_CACHE),
        ("ssl_cert_reqs", Missed("certificates are always verified")),
        ("ssl_check_hostname", Missed("certificates are always verified")),
        ("similarity_threshold", OTHER_CACHE),
        ("qdrant_semantic_cache_embedding_model", OTHER_CACHE),
        ("qdrant_collection_name", OTHER_CACHE),
        ("qdrant_quantization_config", OTHER_CACHE),
        ("qdrant_semantic_cache_vector_size", OTHER_CACHE),
        ("redis_semantic_cache_embedding_model", OTHER_CACHE),
        ("s3_bucket_name", OTHER_CACHE),
        ("s3_region_name", OTHER_CACHE),
        ("s3_aws_access_key_id", OTHER_CACHE),
        ("s3_aws_secret_access_key", OTHER_CACHE),
        ("s3_endpoint_url", OTHER_CACHE),
        ("gcs_bucket_name", OTHER_CACHE),
        ("gcs_path_service_account", OTHER_CACHE),
        ("gcs_path", OTHER_CACHE),
        ("disk_cache_dir", OTHER_CACHE),
    ],
};
