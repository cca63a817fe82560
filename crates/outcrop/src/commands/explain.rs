//! `outcrop explain`: what a request becomes, with nobody being called.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::ArgMatches;
use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_server::{DryRun, Refused};
use outcrop_upstream::{Client, configured_region};
use serde_json::{Map, Value};

use super::block_on;
use crate::client::error_message;
use crate::configs::{server_config, upstream_config};
use crate::explanation::page;
use crate::failure::Failure;
use crate::secrets::Secrets;
use crate::serve::{SIMULATED_REGION, StartError, name_region, simulated_region};
use crate::settings::{LogFilter, Settings, load};
use crate::terminal::stdout_is_terminal;
use crate::{cli, log};

/// Explains the request that is given.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let dry_run = dry_run(matches)?;
    let mut loaded = load(&cli::given(matches))?;
    if loaded.is_default("log") {
        loaded.settings.log = LogFilter::quiet();
    }
    let _log = log::init(&loaded.settings.log, loaded.settings.log_format);
    loaded.warn();
    let settings = &loaded.settings;
    let explained = block_on(async {
        let client = client(settings).await?;
        Ok(dry_run
            .explain(server_config(settings, &Secrets::offline(settings)), client)
            .await)
    })?;

    let as_json = matches.get_flag("json") || !stdout_is_terminal();
    match explained {
        Ok(explanation) if as_json => print_json(&explanation),
        Ok(explanation) => print(page(&explanation).as_bytes()),
        Err(refused) => {
            if as_json {
                print_json(&refused.body)?;
            }
            Err(refusal(&refused))
        }
    }
}

fn dry_run(matches: &ArgMatches) -> Result<DryRun, Failure> {
    let body = read(matches.get_one::<PathBuf>("file").map(PathBuf::as_path))?;
    let headers = matches.get_many::<(HeaderName, HeaderValue)>("header");
    let mut map = HeaderMap::new();
    for (name, value) in headers.into_iter().flatten() {
        map.append(name, value.clone());
    }
    Ok(DryRun {
        endpoint: matches
            .get_one::<String>("endpoint")
            .map_or("chat/completions", String::as_str)
            .to_owned(),
        headers: map,
        model: matches.get_one::<String>("model").cloned(),
        body: if matches.get_flag("stream") {
            streamed(body)
        } else {
            body
        },
        fetches_urls: matches.get_flag("fetch"),
    })
}

/// From the file, else from standard input unless someone would have to type it without having been asked.
pub(super) fn read(file: Option<&Path>) -> Result<Bytes, Failure> {
    let failed = |path: String| move |source| Failure::ReadRequest { path, source };
    let bytes = match file {
        Some(path) if path.as_os_str() != "-" => fs::read(path).map_err(failed(path.display().to_string()))?,
        None if io::stdin().is_terminal() => return Err(Failure::NoRequest),
        _ => {
            let mut bytes = Vec::new();
            let read = io::stdin().read_to_end(&mut bytes);
            read.map_err(failed("from standard input".to_owned()))?;
            bytes
        }
    };
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::NoRequest);
    }
    Ok(bytes.into())
}

/// The same request with `stream`. What is no request stays as it is: the gateway says what is wrong with it.
fn streamed(body: Bytes) -> Bytes {
    let Ok(mut request) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return body;
    };
    request.insert("stream".to_owned(), Value::Bool(true));
    Value::Object(request).to_string().into()
}

/// A client that connects to no one. A newcomer without any AWS set-up gets the simulator's region.
async fn client(settings: &Settings) -> Result<Client, StartError> {
    let mut config = upstream_config(settings);
    config.api_key = Secrets::offline(settings).bedrock_api_key;
    if settings.simulate {
        config.region = Some(simulated_region(settings));
    } else {
        name_region(&mut config, settings).await;
        config.region = configured_region(&config).await;
    }
    if config.region.is_none() {
        let _ = writeln!(
            io::stderr(),
            "note: no AWS region is configured, so this is for {SIMULATED_REGION}; --region takes another"
        );
        config.region = Some(SIMULATED_REGION.to_owned());
    }
    Ok(Client::new(config).await?)
}

fn refusal(refused: &Refused) -> Failure {
    let body = serde_json::from_slice(&refused.body).unwrap_or(Value::Null);
    Failure::Refused {
        status: refused.status,
        message: error_message(&body).unwrap_or_else(|| String::from_utf8_lossy(&refused.body).into_owned()),
    }
}

/// As it stands: reading and writing it anew could change numbers.
fn print_json(json: &[u8]) -> Result<(), Failure> {
    print(&[json.trim_ascii_end(), b"\n"].concat())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(Failure::Output)
}
