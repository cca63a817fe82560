//! Which part of the gateway needs which rights. The policy, the command's table and the one in `docs/iam.md` are all
//! made of these rows.
//!
//! Sources: Service Authorization Reference of Amazon Bedrock, STS, Secrets Manager, Systems Manager, Service Quotas and
//! CloudWatch Logs; AWS Lambda's developer guide on execution roles; read 2026-11.

/// Whole answers.
pub(super) const ANSWERS: &str = "answers";
/// Streamed answers.
pub(super) const STREAMS: &str = "streams";
/// What the account has of its own.
pub(super) const OWN_MODELS: &str = "own-models";
/// Token counting.
pub(super) const TOKEN_COUNTING: &str = "token-counting";
/// Reranking.
pub(super) const RERANK: &str = "rerank";
/// Guardrails of the settings.
pub(super) const GUARDRAILS: &str = "guardrails";
/// Moderations without a guardrail.
pub(super) const MODERATIONS: &str = "moderations";
/// Lists of models.
pub(super) const MODEL_LIST: &str = "model-list";
/// Lists of what the account has of its own.
pub(super) const OWN_MODEL_LIST: &str = "own-model-list";
/// What is behind ARNs.
pub(super) const LOOK_UP: &str = "look-up";
/// Quotas.
pub(super) const SERVICE_QUOTAS: &str = "service-quotas";
/// Roles of accounts.
pub(super) const ACCOUNTS: &str = "accounts";
/// References to Secrets Manager.
pub(super) const SECRETS: &str = "secrets";
/// References to the Parameter Store.
pub(super) const PARAMETERS: &str = "parameters";
/// Keys of one's own for both.
pub(super) const KMS: &str = "kms";
/// A Bedrock API key.
pub(super) const API_KEY: &str = "bedrock-api-key";
/// Guardrails of clients.
pub(super) const CLIENT_GUARDRAILS: &str = "client-guardrails";
/// Prompts of prompt management.
pub(super) const PROMPTS: &str = "prompts";
/// Endpoints of the Marketplace.
pub(super) const MARKETPLACE: &str = "marketplace";
/// Objects that models read.
pub(super) const S3_MEDIA: &str = "s3-media";
/// Roles that tenants and requests name.
pub(super) const TENANT_ROLES: &str = "tenant-roles";
/// Lambda's log.
pub(super) const LAMBDA_LOGS: &str = "lambda-logs";
/// Lambda in a VPC.
pub(super) const LAMBDA_VPC: &str = "lambda-vpc";

/// A part of the gateway that needs rights.
#[derive(Debug)]
pub(super) struct Feature {
    /// Its name, for `--with` and `--without`.
    pub(super) name: &'static str,
    /// The beginning of the ids of its statements.
    pub(super) sid: &'static str,
    /// All actions that it may need.
    pub(super) actions: &'static [&'static str],
    /// What they are on.
    pub(super) on: &'static str,
    /// When it is in the policy.
    pub(super) when: &'static str,
    /// What is lost without it.
    pub(super) lost: &'static str,
    /// Whether it is there only if it is asked for by `--with`, since the settings can't tell.
    pub(super) is_optional: bool,
}

const INVOKE: &str = "bedrock:InvokeModel";
const INVOKE_STREAM: &str = "bedrock:InvokeModelWithResponseStream";

/// A row reads: name, beginning of the id, actions, what they are on, when it is there, what is lost.
macro_rules! features {
    ($($kind:ident $name:ident, $sid:literal, [$($action:expr),+], $on:literal, $when:literal, $lost:literal;)+) => {
        &[$(Feature {
            name: $name,
            sid: $sid,
            actions: &[$($action),+],
            on: $on,
            when: $when,
            lost: $lost,
            is_optional: features!($kind),
        },)+]
    };
    (always) => { false };
    (asked) => { true };
}

/// All of them, in the order of the policy.
pub(super) const FEATURES: &[Feature] = features! {
    always ANSWERS, "Answers", [INVOKE],
        "foundation models and inference profiles", "always",
        "All that asks a model: chat, completions, vectors, images. Bedrock answers 403.";
    always STREAMS, "Streams", [INVOKE_STREAM],
        "the same, but for models that don't stream", "always",
        "`stream: true` ends with 403.";
    always OWN_MODELS, "OwnModels", [INVOKE, INVOKE_STREAM],
        "application inference profiles, provisioned, imported and custom models, prompt routers of the account",
        "where no models are named, or one of them is such an ARN",
        "ARNs of the account's own can't be called.";
    always TOKEN_COUNTING, "TokenCounting", ["bedrock:CountTokens"],
        "foundation models", "always; of named models, for those that answer in text",
        "`/v1/chat/completions/input_tokens` and `/utils/token_counter` end with 403.";
    always RERANK, "Rerank", ["bedrock:Rerank", INVOKE],
        "`*`, and the models that rank", "where no models are named, or one of them ranks",
        "`/v1/rerank` ends with 403.";
    always GUARDRAILS, "Guardrails", ["bedrock:ApplyGuardrail"],
        "the guardrails of `guardrail_id` and of policies", "where one is set",
        "Requests under that guardrail end with 403, moderations too.";
    always MODERATIONS, "Moderations", ["bedrock:InvokeGuardrailChecks"],
        "`*`", "where `guardrail_id` isn't set",
        "`/v1/moderations` ends with 403 where it names no guardrail.";
    always MODEL_LIST, "ModelList", ["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"],
        "`*`", "always",
        "`/v1/models` lists the catalogue's models, with a warning; models newer than the catalogue aren't called by their profile.";
    always OWN_MODEL_LIST, "OwnModelList",
        ["bedrock:ListProvisionedModelThroughputs", "bedrock:ListCustomModels", "bedrock:ListCustomModelDeployments",
         "bedrock:ListImportedModels"],
        "`*`", "where no models are named",
        "What the account has of its own isn't in `/v1/models`; a warning says so.";
    always LOOK_UP, "LookUp",
        ["bedrock:GetInferenceProfile", "bedrock:GetProvisionedModelThroughput", "bedrock:GetCustomModel",
         "bedrock:GetCustomModelDeployment", "bedrock:GetImportedModel", "bedrock:GetPromptRouter"],
        "what the account has of its own", "as own-models",
        "The gateway doesn't know which model is behind such an ARN, tries everything, and learns from refusals.";
    always SERVICE_QUOTAS, "ServiceQuotas", ["servicequotas:ListServiceQuotas"],
        "`*`", "with `service_quotas`",
        "Only the quotas of the settings are known, and those that refusals teach.";
    always ACCOUNTS, "Accounts", ["sts:AssumeRole", "sts:TagSession"],
        "the roles of accounts that this identity assumes", "where there are any; to tag, with `session_tags`",
        "Calls of that account end with 502 `upstream_credentials`; other targets are asked.";
    always SECRETS, "Secrets", ["secretsmanager:GetSecretValue"],
        "the secrets that settings refer to", "where one does",
        "The gateway doesn't start, or, for secrets of accounts, their calls end with 502.";
    always PARAMETERS, "Parameters", ["ssm:GetParameter"],
        "the parameters that settings refer to", "where one does",
        "As for secrets.";
    always KMS, "Kms", ["kms:Decrypt"],
        "the keys of `--kms-key`", "where one is given: secrets and parameters encrypted with a key of yours",
        "As for secrets.";
    always API_KEY, "BedrockApiKey", ["bedrock:CallWithBearerToken"],
        "`*`", "with `bedrock_api_key`: the policy is then for the key's identity",
        "Each call ends with 403.";
    asked CLIENT_GUARDRAILS, "ClientGuardrails", ["bedrock:ApplyGuardrail"],
        "all guardrails of the account", "asked for",
        "Guardrails that clients name in a request end with 403.";
    asked PROMPTS, "Prompts", ["bedrock:RenderPrompt", INVOKE, INVOKE_STREAM],
        "prompts of the account", "asked for, or a named model is one",
        "ARNs of prompts can't be called.";
    asked MARKETPLACE, "Marketplace", [INVOKE, INVOKE_STREAM, "sagemaker:InvokeEndpoint"],
        "the account's Marketplace endpoints", "asked for, or a named model is one",
        "ARNs of SageMaker endpoints can't be called.";
    asked S3_MEDIA, "S3Media", ["s3:GetObject"],
        "all objects; put your bucket there", "asked for",
        "`s3://` in a request ends with 403.";
    asked TENANT_ROLES, "TenantRoles", ["sts:AssumeRole", "sts:TagSession"],
        "all roles; put yours there", "asked for",
        "Keys with a `role_arn` and requests with `aws_role_name` end with 502.";
    always LAMBDA_LOGS, "LambdaLogs", ["logs:CreateLogStream", "logs:PutLogEvents"],
        "the function's log group", "with `--for lambda` or `--for lambda-vpc`",
        "There is no log, and no usage: both go there.";
    always LAMBDA_VPC, "LambdaVpc",
        ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
         "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
        "`*`", "with `--for lambda-vpc`",
        "Lambda refuses to create the function.";
};

/// The row of a name.
pub(super) fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    const BEGIN: &str = "<!-- features: written by a test -->\n";
    const END: &str = "<!-- end of features -->\n";

    /// The table of `docs/iam.md`.
    fn markdown() -> String {
        let rows = FEATURES.iter().map(|feature| {
            let actions: Vec<String> = feature.actions.iter().map(|action| format!("`{action}`")).collect();
            let (name, on, when, lost) = (feature.name, feature.on, feature.when, feature.lost);
            format!("| `{name}` | {} | {on} | {when} | {lost} |\n", actions.join(", "))
        });
        let head = "| feature | actions | on | in the policy | without it |\n|---|---|---|---|---|\n";
        std::iter::once(head.to_owned()).chain(rows).collect()
    }

    /// `BLESS=1 cargo test -p outcrop features` writes the table anew.
    #[test]
    fn the_table_of_the_page_is_that_of_the_features() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/iam.md");
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the mark where the table begins");
        let (_, after) = rest.split_once(END).expect("the mark where the table ends");
        let current = format!("{before}{BEGIN}{}{END}{after}", markdown());
        if env::var_os("BLESS").is_some() {
            fs::write(&path, &current).unwrap();
            return;
        }
        assert!(
            page == current,
            "docs/iam.md is out of date: run this test with BLESS=1"
        );
    }

    #[test]
    fn names_and_statements_are_unique() {
        for (index, one) in FEATURES.iter().enumerate() {
            assert!(one.sid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", one.sid);
            let others = FEATURES.iter().skip(index + 1);
            assert!(
                others
                    .clone()
                    .all(|other| one.name != other.name && one.sid != other.sid),
                "{}",
                one.name
            );
        }
    }
}
