//! Every key of LiteLLM's `config.yaml` that its documents name, and what becomes of it.
//!
//! Source: LiteLLM's pages "All settings", "Config.yaml", "Reliability", "Load balancing", "Caching" and "Bedrock", read
//! 2026-11.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts, as this says.
    Taken(&'static str),
    /// It says nothing that matters here, for this reason.
    Needless(&'static str),
    /// It doesn't count, which may be missed: a warning at the start.
    Missed(&'static str),
}

/// A part of the file.
pub(crate) struct Section {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [(&'static str, Fate)],
}

use Fate::{Missed, Needless, Taken};

const NO_DATABASE: Fate = Missed("there is no database: keys, users, teams and budgets are not kept");
const NO_CALLBACKS: Fate = Missed("there are no callbacks; each request has a line in the log");
const NO_ALERTS: Fate = Missed("nobody is alerted; what goes wrong is in the log");
const NO_SPEND: Fate = Needless("what is spent is not kept");
const KEYS_ONLY: Fate = Missed("callers are known by `api_keys` alone");
const OWN_LIMITS: Fate = Missed("tries are counted over all targets, by `max_attempts` and `retry_budget`");
const REDIS_OF_CACHE: Fate = Taken("the URL of `response_cache`");
const OTHER_CACHE: Fate = Missed("answers are kept in memory or in Redis only");
const CREDENTIAL: Fate = Taken("the target's `[[accounts]]`");

/// All parts of the file.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        name: "",
        keys: &[
            ("model_list", Taken("`[[routes]]`, `[[accounts]]` and `[[quotas]]`")),
            ("litellm_settings", Taken("see below")),
            ("router_settings", Taken("see below; it wins over `litellm_settings`")),
            ("general_settings", Taken("see below")),
            (
                "environment_variables",
                Taken("what `os.environ/NAME` means in the file, before the environment itself"),
            ),
            ("credential_list", Taken("what `litellm_credential_name` means")),
            ("callback_settings", NO_CALLBACKS),
            ("include", Missed("other files are not read; put all in one")),
            (
                "guardrails",
                Missed("set `guardrail_id` and `guardrail_version`, or `[[policies]]`"),
            ),
            ("mcp_servers", Missed("there is no MCP")),
            ("mcp_tools", Missed("there is no MCP")),
            ("vector_store_registry", Missed("there are no vector stores")),
            ("search_tools", Missed("there is no search")),
            ("files_settings", Missed("files are not stored")),
            ("finetune_settings", Missed("models are not tuned")),
            ("assistant_settings", Missed("there are no assistants")),
            ("prompts", Missed("prompts are not stored")),
        ],
    },
    Section {
        name: "model_list",
        keys: &[
            (
                "model_name",
                Taken("the route's `name`; entries of one name are its targets"),
            ),
            ("litellm_params", Taken("see below")),
            ("model_info", Needless("what models are and cost is in the catalogue")),
            ("access_groups", NO_DATABASE),
        ],
    },
    Section {
        name: "litellm_params",
        keys: &[
            (
                "model",
                Taken("the target's `model`, with LiteLLM's prefixes; models that aren't Bedrock's are left out"),
            ),
            ("custom_llm_provider", Taken("`bedrock` and `bedrock_converse`")),
            ("model_id", Taken("the target's `model_id`")),
            ("provider", Taken("`model_provider` in the target's `parameters`")),
            ("aws_access_key_id", CREDENTIAL),
            ("aws_secret_access_key", CREDENTIAL),
            ("aws_session_token", CREDENTIAL),
            ("aws_region_name", Taken("the target's `region`")),
            ("region_name", Taken("the target's `region`")),
            ("aws_session_name", Taken("`role_session_name` of `[[accounts]]`")),
            ("aws_session_tags", Taken("`session_tags` of `[[accounts]]`")),
            ("aws_profile_name", Taken("`profile` of `[[accounts]]`")),
            ("aws_role_name", Taken("`role_arn` of `[[accounts]]`")),
            (
                "aws_web_identity_token",
                Taken("`web_identity_token` of `[[accounts]]`; of the `oidc/` forms `env`, `env_path` and `file`"),
            ),
            ("aws_sts_endpoint", Taken("`sts_endpoint_url` of `[[accounts]]`")),
            ("aws_external_id", Taken("`external_id` of `[[accounts]]`")),
            (
                "aws_bedrock_runtime_endpoint",
                Taken("`endpoint_url` of `[[accounts]]`"),
            ),
            ("api_base", Taken("`endpoint_url` of `[[accounts]]`")),
            ("api_key", Taken("`bedrock_api_key` of `[[accounts]]`")),
            ("litellm_credential_name", Taken("the values of that credential")),
            (
                "rpm",
                Taken("`requests_per_minute` of `[[quotas]]`, and the weight where `weight` is not set"),
            ),
            (
                "tpm",
                Taken("`tokens_per_minute` of `[[quotas]]`, and the weight where neither `weight` nor `rpm` is set"),
            ),
            ("weight", Taken("the target's `weight`")),
            ("order", Taken("the order of the targets, with the strategy `ordered`")),
            ("max_parallel_requests", Taken("the target's `max_parallel_requests`")),
            ("timeout", Taken("the target's `first_byte_timeout`")),
            (
                "stream_timeout",
                Missed("one limit holds for streams and whole answers: `timeout`"),
            ),
            ("max_retries", OWN_LIMITS),
            ("num_retries", OWN_LIMITS),
            ("drop_params", Needless("`on_unsupported` says it for all models")),
            (
                "additional_drop_params",
                Missed("parameters that a model refuses are left out by themselves; others can't be"),
            ),
            ("allowed_openai_params", Needless("what a model takes is tried")),
            ("aws_bedrock_client", Missed("there is no Python here")),
            (
                "aws_bedrock_project_id",
                Missed("projects of Bedrock's are not supported"),
            ),
            ("tags", Missed("requests are not routed by tags")),
            (
                "cache_control_injection_points",
                Missed("set `prompt_caching` to `auto`"),
            ),
            (
                "configurable_clientside_auth_params",
                Missed("set `request_aws_parameters`"),
            ),
            ("mock_response", Missed("`--simulate` answers instead of AWS")),
            ("max_budget", NO_DATABASE),
            ("budget_duration", NO_DATABASE),
            ("input_cost_per_token", NO_SPEND),
            ("output_cost_per_token", NO_SPEND),
            ("input_cost_per_second", NO_SPEND),
            ("output_cost_per_second", NO_SPEND),
            ("cache_read_input_token_cost", NO_SPEND),
            ("cache_creation_input_token_cost", NO_SPEND),
            ("use_in_pass_through", Needless("requests are not passed through")),
            (
                "use_litellm_proxy",
                Missed("requests are not handed to another gateway"),
            ),
            (
                "merge_reasoning_content_in_choices",
                Missed("reasoning has a member of its own"),
            ),
            ("max_file_size_mb", Needless("files have a limit: `fetch_max_bytes`")),
            ("callbacks", NO_CALLBACKS),
            (
                "guardrails",
                Missed("set `guardrailConfig`, `guardrail_id` or `[[policies]]`"),
            ),
        ],
    },
    Section {
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
    },
    Section {
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
    },
    Section {
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
    },
    Section {
        name: "general_settings",
        keys: &[
            (
                "master_key",
                Taken("`api_keys`; `LITELLM_MASTER_KEY` where it is not set"),
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
            ("database_url", NO_DATABASE),
            ("database_connection_pool_limit", NO_DATABASE),
            ("database_connection_timeout", NO_DATABASE),
            ("database_connection_pool_timeout", NO_DATABASE),
            ("allow_requests_on_db_unavailable", NO_DATABASE),
            ("store_model_in_db", NO_DATABASE),
            ("supported_db_objects", NO_DATABASE),
            ("store_prompts_in_spend_logs", NO_DATABASE),
            ("disable_prisma_schema_update", Needless("there is no database")),
            ("disable_spend_logs", NO_SPEND),
            ("disable_spend_updates", NO_SPEND),
            ("disable_error_logs", NO_SPEND),
            ("disable_reset_budget", NO_SPEND),
            ("disable_adding_master_key_hash_to_db", Needless("there is no database")),
            ("proxy_batch_write_at", Needless("there is no database")),
            ("proxy_batch_polling_interval", Needless("there is no database")),
            ("proxy_budget_rescheduler_min_time", Needless("there is no database")),
            ("proxy_budget_rescheduler_max_time", Needless("there is no database")),
            ("maximum_spend_logs_retention_period", Needless("there is no database")),
            (
                "maximum_spend_logs_retention_interval",
                Needless("there is no database"),
            ),
            ("user_api_key_cache_ttl", Needless("there is no database")),
            ("use_redis_transaction_buffer", Needless("there is no database")),
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
    },
];

/// What becomes of a key; `None` if nobody knows it.
pub(super) fn fate(section: &str, key: &str) -> Option<Fate> {
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    let (_, fate) = section.keys.iter().find(|(name, _)| *name == key)?;
    Some(*fate)
}

/// The names of a section's keys.
pub(super) fn names(section: &str) -> impl Iterator<Item = String> {
    let sections = SECTIONS.iter().filter(move |known| known.name == section);
    sections.flat_map(|section| section.keys.iter().map(|(name, _)| (*name).to_owned()))
}

/// The tables of all keys, in Markdown.
#[cfg(test)]
fn tables() -> String {
    let mut page = String::new();
    for section in SECTIONS {
        let head = match section.name {
            "" => "At the top".to_owned(),
            name => format!("`{name}`"),
        };
        page += &format!("\n### {head}\n\n| Key | Counts | How, or why not |\n|---|---|---|\n");
        for (name, fate) in section.keys {
            let (word, why) = match fate {
                Taken(how) => ("yes", how),
                Needless(why) => ("not needed", why),
                Missed(why) => ("**no**", why),
            };
            page += &format!("| `{name}` | {word} | {why} |\n");
        }
        if section.name == "litellm_params" {
            page += "| everything else | yes | a member of the target's `parameters`, such as `temperature`, `top_k`, \
                     `guardrailConfig` |\n";
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    /// Between these lines the page is written from the tables here.
    const MARKS: [&str; 2] = ["<!-- keys: begin -->\n", "<!-- keys: end -->\n"];

    #[test]
    fn keys_stand_once() {
        for section in SECTIONS {
            let names: BTreeSet<&str> = section.keys.iter().map(|(name, _)| *name).collect();
            assert_eq!(names.len(), section.keys.len(), "{}", section.name);
        }
    }

    #[test]
    fn the_page_on_migrating_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migrating.md");
        let page = fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once(MARKS[0]).unwrap();
        let (written, tail) = rest.split_once(MARKS[1]).unwrap();
        let current = tables();
        if env::var_os("BLESS").is_some() {
            fs::write(&path, format!("{head}{}{current}\n{}{tail}", MARKS[0], MARKS[1])).unwrap();
            return;
        }
        assert!(
            written.trim() == current.trim(),
            "docs/migrating.md is out of date: run this test with BLESS=1"
        );
    }
}
