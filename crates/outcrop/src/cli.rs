//! The command line. Flags of settings come from their table; this file only says which command takes which.

mod generated;
mod iam_policy;
mod keys;
mod models;
mod prices;
mod tenancy;
mod tenants;
mod usage;
pub(crate) mod words;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use http::{HeaderName, HeaderValue};

use crate::commands::DEFAULT_MODEL;
use crate::settings::{Given, Kind as _, SETTINGS, Setting, Shape, Timeout};
use crate::version;

/// What the simulator alone heeds.
const FOR_SIMULATE: &[&str] = &[
    "listen",
    "region",
    "simulator_pace",
    "simulator_scenario",
    "max_connections",
    "log",
    "log_format",
];

/// What a gateway that runs for one command heeds. The rest comes from the environment and the file.
const FOR_ONE_COMMAND: &[&str] = &[
    "simulate",
    "region",
    "profile",
    "endpoint_url",
    "control_endpoint_url",
    "agent_runtime_endpoint_url",
    "simulator_pace",
    "simulator_scenario",
    "log",
    "log_format",
];

/// What says where a gateway is.
const FOR_HEALTH: &[&str] = &["listen"];

/// What changes an explanation. The rest comes from the environment and the file.
const FOR_EXPLAIN: &[&str] = &[
    "region",
    "regions",
    "profile",
    "bedrock_api_key",
    "endpoint_url",
    "agent_runtime_endpoint_url",
    "use_fips",
    "use_dualstack",
    "body_limit",
    "max_choices",
    "on_unsupported",
    "prompt_caching",
    "bedrock_api",
    "guardrail_id",
    "guardrail_version",
    "guardrail_trace",
    "guardrail_stream_mode",
    "catalogue",
    "aliases",
    "default_model",
    "redirect_retired",
    "allowed_regions",
    "fetch_urls",
    "fetch_hosts",
    "fetch_private_networks",
    "fetch_max_bytes",
    "fetch_timeout",
    "fetch_max_redirects",
    "log",
    "log_format",
];

/// The heading of the settings of a gateway that runs for one command.
const IN_PROCESS: &str = "Without a base URL";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("outcrop")
        .about("An OpenAI-compatible gateway for Amazon Bedrock")
        .version(version::SHORT)
        .long_version(version::LONG)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_long_help(
            "Examples:\n  outcrop serve --simulate              Try it without an AWS account\n  \
             outcrop serve --region eu-central-1   Serve Bedrock on http://127.0.0.1:8080/v1\n  \
             outcrop chat \"Why is the sky blue?\"   Ask once, by itself or through OPENAI_BASE_URL\n  \
             outcrop models resolve gpt-4o         Show which model a name means, and why\n  \
             outcrop count-tokens \"Hello!\"         Count the tokens of a text or a request\n  \
             outcrop explain request.json          Show the call to Bedrock that a request becomes\n  \
             outcrop iam-policy                    Print the AWS policy that the settings need\n  \
             outcrop config check                  Find what is wrong with the settings\n  \
             outcrop keys create                   Make a key; then one is asked for\n  \
             outcrop usage --by key,model          Sum up requests, tokens and dollars",
        )
        .subcommands([
            serve(),
            simulate(),
            chat(),
            models::models(),
            prices::prices(),
            count_tokens(),
            explain(),
            iam_policy::iam_policy(),
            config(),
            health(),
            token(),
            keys::keys(),
            keys::logins(),
            tenants::tenants(),
            tenants::budget(),
            tenants::usage(),
            tenants::audit(),
            keys::admins(),
            generated::completions(),
            generated::man(),
        ])
}

fn serve() -> Command {
    Command::new("serve")
        .about("Serve OpenAI's API in front of Bedrock, or of the simulator")
        .arg(config_file())
        .args(SETTINGS.iter().map(flag))
        .after_long_help(
            "Examples:\n  outcrop serve --simulate\n  outcrop serve --config /etc/outcrop.toml\n  \
             OUTCROP_API_KEYS=sk-a,sk-b outcrop serve --listen 0.0.0.0:8080",
        )
}

fn simulate() -> Command {
    Command::new("simulate")
        .about("Serve the simulator alone, for any AWS SDK")
        .arg(config_file())
        .args(flags(FOR_SIMULATE))
        .after_long_help("Example:\n  outcrop simulate --listen 127.0.0.1:9000 --simulator-pace 0")
}

fn chat() -> Command {
    Command::new("chat")
        .about("Ask a model, and print its answer as it arrives")
        .arg(
            Arg::new("prompt")
                .value_name("PROMPT")
                .help("What to ask [standard input if it is - or absent]"),
        )
        .arg(
            Arg::new("model")
                .long("model")
                .short('m')
                .value_name("MODEL")
                .default_value(DEFAULT_MODEL)
                .value_parser(NonEmptyStringValueParser::new())
                .help("The model to ask"),
        )
        .arg(
            Arg::new("system")
                .long("system")
                .short('s')
                .value_name("TEXT")
                .help("Instructions for the model"),
        )
        .arg(
            Arg::new("max_tokens")
                .long("max-tokens")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..))
                .help("The most tokens to answer with"),
        )
        .arg(
            Arg::new("temperature")
                .long("temperature")
                .value_name("NUMBER")
                .value_parser(value_parser!(f64))
                .help("How freely to choose words, from 0"),
        )
        .args(gateway())
        .args(in_process())
        .after_long_help(
            "Examples:\n  outcrop chat --simulate \"Hello!\"\n  git diff | outcrop chat --system \"Review this.\"\n  \
             outcrop chat --base-url http://127.0.0.1:8080/v1 --max-tokens 200 \"Tell me a story.\"",
        )
}

fn count_tokens() -> Command {
    Command::new("count-tokens")
        .about("Count the tokens of a text or a request, as a model would read it")
        .long_about(
            "Count the tokens of a text, or of a request for chat completions, as a model would read it, by Bedrock's \
             CountTokens. No model is asked, and nothing is paid for. The number is printed. Not all models can count; \
             for one that can't, the error names those that can.",
        )
        .arg(
            Arg::new("prompt")
                .value_name("TEXT")
                .conflicts_with("file")
                .help("The text [standard input if it is - or absent]"),
        )
        .arg(
            Arg::new("file")
                .long("file")
                .short('f')
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("A request's JSON instead of a text [standard input if it is -]"),
        )
        .arg(
            Arg::new("model")
                .long("model")
                .short('m')
                .value_name("MODEL")
                .value_parser(NonEmptyStringValueParser::new())
                .help(format!("The model [default: the request's, or {DEFAULT_MODEL}]")),
        )
        .arg(
            Arg::new("system")
                .long("system")
                .short('s')
                .value_name("TEXT")
                .conflicts_with("file")
                .help("Instructions for the model, which count too"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print the gateway's answer as it is"),
        )
        .args(gateway())
        .args(in_process())
        .after_long_help(
            "Examples:\n  outcrop count-tokens --simulate \"Hello!\"\n  outcrop count-tokens < README.md\n  \
             outcrop count-tokens --file request.json --model anthropic.claude-haiku-4-5-20251001-v1:0",
        )
}

fn explain() -> Command {
    Command::new("explain")
        .about("Show what a request becomes: the call to Bedrock, what was adapted, the rights it needs")
        .long_about(
            "Show what the gateway would do with a request: the call to Bedrock, what was adapted \
             and why, and the IAM actions that the call needs. Bedrock isn't called, no AWS credentials are needed, and \
             without --fetch no connection is made to anyone.\n\nOn a terminal it is a page to read, elsewhere JSON: \
             what the gateway answers to the header X-Outcrop-Dry-Run. A request that the gateway would refuse fails.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The request's JSON [standard input if it is - or absent]"),
        )
        .arg(
            Arg::new("model")
                .long("model")
                .short('m')
                .value_name("MODEL")
                .value_parser(NonEmptyStringValueParser::new())
                .help("The model to ask instead of the one that the request names"),
        )
        .arg(
            Arg::new("endpoint")
                .long("endpoint")
                .short('e')
                .value_name("ENDPOINT")
                .value_parser(NonEmptyStringValueParser::new())
                .default_value("chat/completions")
                .help("The endpoint that the request is for, such as embeddings or images/generations"),
        )
        .arg(
            Arg::new("stream")
                .long("stream")
                .action(ArgAction::SetTrue)
                .help("Ask for a stream, whatever the request says"),
        )
        .arg(
            Arg::new("header")
                .long("header")
                .short('H')
                .value_name("NAME: VALUE")
                .action(ArgAction::Append)
                .value_parser(header)
                .help("A header of the request, such as X-Outcrop-On-Unsupported or a guardrail's")
                .long_help(
                    "A header of the request; may be repeated. X-Outcrop-On-Unsupported, a guardrail's, and \
                     Authorization count, the latter for settings that apply to some keys only: without a key none is \
                     asked for.",
                ),
        )
        .arg(
            Arg::new("fetch")
                .long("fetch")
                .action(ArgAction::SetTrue)
                .help("Fetch what the request's URLs point to, instead of having a name stand in for it"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print JSON on a terminal too"),
        )
        .arg(config_file())
        .args(flags(FOR_EXPLAIN))
        .after_long_help(
            "Examples:\n  outcrop explain request.json\n  outcrop explain < request.json | jq .body\n  \
             outcrop explain --model amazon.nova-lite-v1:0 --stream request.json\n  \
             outcrop explain -H 'X-Outcrop-On-Unsupported: reject' request.json\n  \
             outcrop explain --endpoint completions request.json",
        )
}

/// `Name: value`, as curl takes it.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    let name = name.trim().parse().map_err(|_| "its name is none that HTTP takes")?;
    let value = value.trim().parse();
    Ok((name, value.map_err(|_| "its value is none that HTTP takes")?))
}

fn config() -> Command {
    let with_settings = |name, about| {
        Command::new(name)
            .about(about)
            .arg(config_file())
            .args(SETTINGS.iter().map(flag))
    };
    Command::new("config")
        .about("Check, show and document the settings")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            with_settings(
                "check",
                "Say whether the settings are in order, or all that is wrong with them",
            ),
            with_settings(
                "print",
                "Print what each setting is and where that comes from, secrets masked",
            ),
            Command::new("convert")
                .about("Write another gateway's configuration as an outcrop.toml")
                .long_about(
                    "Write another gateway's configuration as an outcrop.toml: LiteLLM's config.yaml if a file is \
                     named, else what the environment says in the words of bedrock-access-gateway. Secrets that stand \
                     in it are written too.",
                )
                .arg(
                    Arg::new("file")
                        .value_name("FILE")
                        .value_parser(value_parser!(PathBuf))
                        .help("LiteLLM's config.yaml"),
                )
                .after_long_help("Example:\n  outcrop config convert config.yaml > outcrop.toml"),
            Command::new("schema").about("Print a JSON Schema of outcrop.toml, for editors"),
            Command::new("docs").about("Print the reference page of all settings, in Markdown"),
        ])
}

fn health() -> Command {
    Command::new("health")
        .about("Ask a running gateway whether it is well; the status of the command says it")
        .long_about(
            "Ask a running gateway whether it is well, and end with status 0 or 1: for the health checks of containers \
             and for scripts. Unless a URL is given, the gateway is asked at the address that the settings name, and \
             at loopback where that is an address that stands for all. It takes no key.",
        )
        .arg(
            Arg::new("ready")
                .long("ready")
                .action(ArgAction::SetTrue)
                .help("Ask /readyz, which asks AWS, instead of /healthz"),
        )
        .arg(
            Arg::new("url")
                .long("url")
                .value_name("URL")
                .conflicts_with_all(["config", "listen"])
                .help("The gateway, such as http://127.0.0.1:8080 [what the settings say]"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("DURATION")
                .value_parser(|text: &str| Timeout::from_text(text).map_err(|_| Timeout::EXPECTED))
                .help("How long to wait for the answer [default: 5s, with --ready 15s]"),
        )
        .arg(config_file())
        .args(flags(FOR_HEALTH))
        .after_long_help("Examples:\n  outcrop health\n  outcrop health --ready --url https://ai.example.com")
}

fn token() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(NonEmptyStringValueParser::new())
            .help(help)
    };
    Command::new("token")
        .about("Print a token by which your AWS identity logs in at a gateway")
        .long_about(
            "Print a token by which your AWS identity logs in at a gateway, made with the AWS credentials that are found as \
             AWS's own tools find them. It is good for 15 minutes, for that gateway, and once. With --session the gateway \
             gives a key for it that is good for an hour, and that is printed.",
        )
        .arg(text("url", "URL", "The gateway [OPENAI_BASE_URL, else http://127.0.0.1:8080/v1]"))
        .arg(text("gateway", "HOST", "The name that the gateway goes by [the URL's host]"))
        .arg(text("profile", "NAME", "The profile in AWS's configuration files"))
        .arg(text("region", "REGION", "The region whose STS is asked"))
        .arg(
            Arg::new("session")
                .long("session")
                .action(ArgAction::SetTrue)
                .help("Print the key of a session instead"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print JSON, with the end"),
        )
        .after_long_help(
            "Examples:\n  export OPENAI_API_KEY=$(outcrop token --session --url https://gateway.example.com/v1)\n  \
             curl -H \"Authorization: Bearer $(outcrop token)\" http://127.0.0.1:8080/v1/models",
        )
}

fn config_file() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .help("The settings file [./outcrop.toml if there is one]")
        .long_help("The settings file.\n\n[env: OUTCROP_CONFIG]\n[default: ./outcrop.toml if there is one]")
}

/// Which gateway to ask.
fn gateway() -> [Arg; 2] {
    [
        Arg::new("base_url")
            .long("base-url")
            .value_name("URL")
            .help("The gateway to ask [OPENAI_BASE_URL, else one is started for this command]"),
        Arg::new("api_key")
            .long("api-key")
            .value_name("KEY")
            .help("The key to show it [OPENAI_API_KEY]"),
    ]
}

fn in_process() -> impl Iterator<Item = Arg> {
    let args = std::iter::once(config_file()).chain(flags(FOR_ONE_COMMAND));
    args.map(|arg| arg.help_heading(IN_PROCESS).conflicts_with_all(["base_url", "api_key"]))
}

fn flags(names: &'static [&str]) -> impl Iterator<Item = Arg> {
    names.iter().filter_map(|name| Setting::named(name)).map(flag)
}

/// The flag of a setting. Its value is only text here: settings are checked together, with all other layers.
fn flag(setting: &'static Setting) -> Arg {
    let default = match (setting.shown_default)(setting.default) {
        Some(value) => format!("[default: {}]", value.to_string().trim_matches('"')),
        None => String::new(),
    };
    // The summary of a switch or list says what its absence means.
    let short_default = if setting.shape == Shape::Value {
        default.as_str()
    } else {
        ""
    };
    let variables: Vec<String> = std::iter::once(setting.env())
        .chain(setting.env_fallbacks.iter().map(|name| (*name).to_owned()))
        .collect();
    let summary = setting.summary();
    let details = match setting.details() {
        text if text.is_empty() => text,
        text => format!("\n\n{text}"),
    };
    let arg = Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.placeholder)
        .help_heading(setting.section)
        .help(
            format!("{} {short_default}", summary.trim_end_matches('.'))
                .trim_end()
                .to_owned(),
        )
        .long_help(
            format!("{summary}{details}\n\n[env: {}]\n{default}", variables.join(", else "))
                .trim_end()
                .to_owned(),
        );
    match setting.shape {
        Shape::Value => arg,
        Shape::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Shape::List => arg.action(ArgAction::Append),
    }
}

/// Whether a flag asks for a gateway of our own, even if the environment names another.
pub(crate) fn wants_own_gateway(matches: &ArgMatches) -> bool {
    std::iter::once("config")
        .chain(FOR_ONE_COMMAND.iter().copied())
        .any(|name| matches.contains_id(name))
}

/// What the flags of a command and the environment say about settings.
pub(crate) fn given(matches: &ArgMatches) -> Given {
    let flags = SETTINGS
        .iter()
        .filter_map(|setting| {
            let values = matches.try_get_many::<String>(setting.name).ok()??;
            let values: Vec<&str> = values.map(String::as_str).collect();
            Some((setting, values.join(",")))
        })
        .collect();
    let config = matches.try_get_one::<PathBuf>("config").ok().flatten().cloned();
    Given {
        flags,
        config,
        folder: None,
        environment: std::env::vars_os().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        command().debug_assert();
    }

    #[test]
    fn commands_only_take_settings_that_exist() {
        let lists = [
            FOR_SIMULATE,
            FOR_ONE_COMMAND,
            FOR_HEALTH,
            FOR_EXPLAIN,
            tenancy::DATABASE,
        ];
        for name in lists
            .into_iter()
            .chain(models::SETTINGS)
            .chain(prices::SETTINGS)
            .chain(usage::SETTINGS)
            .flatten()
        {
            assert!(Setting::named(name).is_some(), "{name}");
        }
    }
}
