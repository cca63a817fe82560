//! The reference page, `docs/configuration.md`.

use std::fmt::Write;

use super::routing;
use super::table::{SETTINGS, Setting};

const HEAD: &str = "\
# Configuration

<!-- Written by `outcrop config docs` from the table in crates/outcrop/src/settings/table.rs. Don't edit it here. -->

Every setting has one name. Take `body_limit`: it is the flag `--body-limit`, the variable `OUTCROP_BODY_LIMIT` and the
key `body_limit` in a TOML file. A flag wins over a variable, a variable over the file, the file over the default.

The file is the one named by `--config` or `OUTCROP_CONFIG`, else `outcrop.toml` in the working directory if there is
one. Its keys stand at the top, without tables but [`[[aliases]]`](#aliases),
[`[[policies]]`](#policies-by-model-and-key), and
[`[[accounts]]`, `[[routes]]` and `[[quotas]]`](#accounts-routes-and-quotas), which stand behind them:

```toml
#:schema ./outcrop.schema.json
listen = \"127.0.0.1:9000\"
region = \"eu-central-1\"
body_limit = \"8MiB\"
total_timeout = \"5m\"

[[aliases]]
name = \"gpt-4o*\"
model = \"us.anthropic.claude-sonnet-4-5-20250929-v1:0\"
```

- A duration is `500ms`, `15s`, `15m`, `1h 30m`, or a plain number of seconds.
- A size is `32MiB`, `1MB`, or a plain number of bytes.
- A switch needs no value as a flag: `--simulate`. `--simulate=false` overrides a file that says `true`.
- A list is an array in the file and separated by commas elsewhere.
- Empty text for a setting that may be unset means \"not set\", so that a variable can undo what the file says.

The file may also be LiteLLM's `config.yaml`: [migrating.md](migrating.md) says what of it counts. A change of the file
is taken over while serving: [reload.md](reload.md).

A value that is not valid stops the start, in whichever layer it stands, and so does a key in the file that doesn't
exist. An `OUTCROP_` variable that doesn't exist is a warning. Five commands help:

| Command | What it does |
|---|---|
| `outcrop config check` | Says whether the settings are in order, or all that is wrong with them and where. |
| `outcrop config print` | Prints what each setting is and where that comes from, secrets masked. |
| `outcrop config convert` | Writes LiteLLM's file or bedrock-access-gateway's variables as a commented `outcrop.toml`. |
| `outcrop config schema` | Prints a JSON Schema of the file, for completion in editors. |
| `outcrop config docs` | Prints this page. |
";

const POLICIES: &str = r#"
## Policies by model and key

The settings under [Policy](#policy) hold for all requests. Tables at the end of the file change them for some:

```toml
prompt_caching = "explicit"

[[policies]]
models = ["*claude*"]
prompt_caching = "auto"

[[policies]]
keys = ["sk-team-a"]
on_unsupported = "reject"
guardrail_id = "abc123def456"
guardrail_version = "1"
```

- `models` are patterns of whole model names, with `*` for any text. Without it, a table is for all models.
- `keys` are some of `api_keys`, as clients show them. Without it, a table is for all callers. They are never shown.
- Each setting under [Policy](#policy) may stand in a table, under its name.
- Of the tables that fit a request, later ones win over earlier ones, setting by setting. All win over what stands
  outside of tables, flags and variables included.
- `guardrail_id` and `guardrail_version` go together. `guardrail_id = ""` alone means no guardrail.
"#;

/// The whole page.
pub(crate) fn reference() -> String {
    let mut page = String::from(HEAD);
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let _ = write!(page, "\n## {section}\n");
        }
        entry(&mut page, setting);
    }
    page.push_str(POLICIES);
    page.push_str(&routing::reference());
    page
}

fn entry(page: &mut String, setting: &Setting) {
    let _ = write!(page, "\n### `{}`\n\n{}\n", setting.name, setting.summary());
    let details = setting.details();
    if !details.is_empty() {
        let _ = writeln!(page, "{details}");
    }
    let default = match (setting.shown_default)(setting.default) {
        Some(value) => format!("`{value}`"),
        None => "not set".to_owned(),
    };
    let variables: Vec<String> = std::iter::once(setting.env())
        .chain(setting.env_fallbacks.iter().map(|name| (*name).to_owned()))
        .map(|name| format!("`{name}`"))
        .collect();
    let _ = write!(
        page,
        "\n| Default | Flag | Variable | Value |\n|---|---|---|---|\n| {default} | `--{}` | {} | {} |\n",
        setting.flag(),
        variables.join(", else "),
        if setting.secret {
            format!("{}; never shown", setting.expected)
        } else {
            setting.expected.to_owned()
        },
    );
}
