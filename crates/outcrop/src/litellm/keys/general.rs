//! The keys of `general_settings`.

use super::Fate::{Missed, Needless, Taken};
use super::{Fate, NO_ALERTS, NO_CALLBACKS, NO_DATABASE, NO_SPEND, Section};

const KEYS_ONLY: Fate = Missed("callers are known by `api_keys` alone");

/// `general_settings`.
pub(super) const GENERAL: Section = Section {
    name: "general_settings",
    keys: &[
        (
            "master_key",
            Taken("`api_keys` and `admin_keys`; `LITELLM_MASTER_KEY` where it is not set"),
        ),
        (
            "completion_model",
            Taken("`default_model`, for names that nobody knows"),
        ),
        (
            "embedding_model",
            Taken("`default_embedding_model`, for names that nobody knows"),
        ),
        (
            "image_generation_model",
            Taken("`default_image_model`, for names that nobody knows"),
        ),
        ("max_request_size_mb", Taken("`body_limit`")),
        (
            "max_parallel_requests",
            Taken("`max_parallel_requests` of targets that don't say it"),
        ),
        ("global_max_parallel_requests", Missed("set `max_connections`")),
        (
            "moderation_model",
            Missed("moderations are made by a guardrail: `guardrail_id`"),
        ),
        (
            "database_url",
            Missed(
                "its tables are LiteLLM's own; set `database`, and make keys by `outcrop keys create` or `/key/generate`",
            ),
        ),
        ("database_connection_pool_limit", NO_DATABASE),
        ("database_connection_timeout", NO_DATABASE),
        ("database_connection_pool_timeout", NO_DATABASE),
        ("allow_requests_on_db_unavailable", NO_DATABASE),
        ("store_model_in_db", NO_DATABASE),
        ("supported_db_objects", NO_DATABASE),
        ("store_prompts_in_spend_logs", NO_DATABASE),
        ("disable_prisma_schema_update", Needless("the database is our own")),
        ("disable_spend_logs", NO_SPEND),
        ("disable_spend_updates", NO_SPEND),
        ("disable_error_logs", NO_SPEND),
        ("disable_reset_budget", NO_SPEND),
        (
            "disable_adding_master_key_hash_to_db",
            Needless("the database is our own"),
        ),
        ("proxy_batch_write_at", Needless("the database is our own")),
        ("proxy_batch_polling_interval", Needless("the database is our own")),
        ("proxy_budget_rescheduler_min_time", Needless("the database is our own")),
        ("proxy_budget_rescheduler_max_time", Needless("the database is our own")),
        (
            "maximum_spend_logs_retention_period",
            Needless("the database is our own"),
        ),
        (
            "maximum_spend_logs_retention_interval",
            Needless("the database is our own"),
        ),
        ("user_api_key_cache_ttl", Needless("the database is our own")),
        ("use_redis_transaction_buffer", Needless("the database is our own")),
        ("disable_master_key_return", Needless("the key is never shown")),
        (
            "disable_retry_on_max_parallel_request_limit_error",
            Needless("such a request goes to another target"),
        ),
        ("disable_responses_id_security", Needless("responses are not stored")),
        ("health_check_interval", Needless("targets are judged by their answers")),
        (
            "background_health_checks",
            Needless("targets are judged by their answers"),
        ),
        ("health_check_details", Needless("`/readyz` tells no secrets")),
        (
            "use_background_health_checks",
            Needless("targets are judged by their answers"),
        ),
        ("custom_auth", KEYS_ONLY),
        ("custom_key_generate", KEYS_ONLY),
        ("custom_sso", KEYS_ONLY),
        ("enable_jwt_auth", KEYS_ONLY),
        ("litellm_jwtauth", KEYS_ONLY),
        ("enable_oauth2_auth", KEYS_ONLY),
        ("enable_oauth2_proxy_auth", KEYS_ONLY),
        ("oauth2_config_mappings", KEYS_ONLY),
        ("allow_user_auth", KEYS_ONLY),
        ("service_account_settings", KEYS_ONLY),
        ("default_team_disabled", KEYS_ONLY),
        (
            "litellm_key_header_name",
            Missed("keys come as `Authorization: Bearer` or `api-key`"),
        ),
        ("allowed_routes", Missed("every caller may use every path")),
        ("admin_only_routes", Missed("every caller may use every path")),
        ("public_routes", Missed("every caller may use every path")),
        ("allowed_ips", Missed("who may connect is for the network to say")),
        ("use_x_forwarded_for", Needless("callers are not told apart by address")),
        ("enforce_user_param", Missed("parameters are not demanded")),
        ("enforced_params", Missed("parameters are not demanded")),
        ("reject_clientside_metadata_tags", Needless("tags have no effect")),
        ("allow_client_side_credentials", Missed("set `request_aws_parameters`")),
        (
            "forward_client_headers_to_llm_api",
            Missed("headers are not passed on to Bedrock"),
        ),
        ("forward_openai_org_id", Needless("it is for another provider")),
        ("pass_through_endpoints", Missed("requests are not passed through")),
        (
            "use_client_credentials_pass_through_routes",
            Needless("requests are not passed through"),
        ),
        ("infer_model_from_keys", Missed("models are those of `model_list`")),
        ("max_response_size_mb", Missed("answers have no limit but the model's")),
        ("alerting", NO_ALERTS),
        ("alerting_threshold", NO_ALERTS),
        ("alerting_args", NO_ALERTS),
        ("alert_types", NO_ALERTS),
        ("alert_to_webhook_url", NO_ALERTS),
        ("spend_report_frequency", NO_ALERTS),
        (
            "key_management_system",
            Missed("write references: `secretsmanager:NAME`, `ssm:/path/name`"),
        ),
        (
            "key_management_settings",
            Missed("write references: `secretsmanager:NAME`, `ssm:/path/name`"),
        ),
        (
            "use_azure_key_vault",
            Missed("write references: `secretsmanager:NAME`, `ssm:/path/name`"),
        ),
        (
            "use_google_kms",
            Missed("write references: `secretsmanager:NAME`, `ssm:/path/name`"),
        ),
        ("ui_access_mode", Needless("there is no user interface")),
        ("user_mcp_management_mode", Needless("there is no user interface")),
        ("litellm_license", Needless("no licence is needed")),
        ("otel", NO_CALLBACKS),
    ],
};
