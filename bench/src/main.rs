//! Measures the gateway next to a bare reverse proxy, on one machine and in one run.
//!
//! The harness (`run`, the default) starts every part as a process of its own on a loopback port: the stub that plays
//! Bedrock, the proxy, the gateway, the load client. `docs/performance.md` tells what is measured, and how. `scenario`
//! measures something else: what clients notice of throttling and of an outage.

mod bodies;
mod check;
mod error;
mod frames;
mod load;
mod meter;
mod net;
mod plan;
mod process;
mod proxy;
mod run;
mod scenario;
mod stub;
mod table;
mod target;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::check::Expect;
use crate::error::{Doing, Error, Result};
use crate::load::{Job, Slow};
use crate::plan::Plan;
use crate::run::Options;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let outcome = match matches.subcommand() {
        Some(("stub", args)) => stub(args),
        Some(("proxy", args)) => proxy(args),
        Some(("load", args)) => load(args),
        Some(("scenario", args)) => scenario(args),
        Some((_, args)) => run(args),
        None => run(&matches),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("outcrop-bench: {error}");
        ExitCode::FAILURE
    })
}

fn command() -> Command {
    Command::new("outcrop-bench")
        .about("Measures the gateway next to a bare reverse proxy")
        .args_conflicts_with_subcommands(true)
        .args(run_args())
        .subcommand(
            Command::new("run")
                .about("Measure and print the table (the default)")
                .args(run_args()),
        )
        .subcommand(
            Command::new("scenario")
                .about("Three regions, one that throttles and one that dies: who answers, and how soon")
                .args([
                    gateway_arg().default_value("target/debug/outcrop"),
                    number("requests", "Requests in all")
                        .value_parser(value_parser!(u64).range(1..))
                        .default_value("10000"),
                    number("seconds", "The time over which they are sent")
                        .value_parser(value_parser!(u64).range(1..))
                        .default_value("120"),
                    number(
                        "quotas",
                        "What quotas are multiplied by, in hundredths: less than 71 is less than the load",
                    )
                    .default_value("100"),
                    only_arg("Run only this set-up; may be given again", scenario::NAMES),
                ]),
        )
        .subcommand(
            Command::new("stub")
                .about("Play Bedrock, with canned answers; a model id such as stub.n500.i10 sets the shape of a stream")
                .args(serve_args())
                .arg(number("chunks", "Text deltas per stream").default_value("100"))
                .arg(number("interval-ms", "Time between two deltas; 0 is full speed").default_value("0"))
                .arg(number("text-bytes", "Text per delta; 0 is one word").default_value("0")),
        )
        .subcommand(
            Command::new("proxy")
                .about("Forward everything, as it is")
                .args(serve_args())
                .arg(address("upstream")),
        )
        .subcommand(
            Command::new("load")
                .about("Send requests in a closed loop, check each answer, print a report")
                .arg(address("target"))
                .arg(
                    Arg::new("path")
                        .long("path")
                        .required(true)
                        .help("The path of each request"),
                )
                .arg(
                    Arg::new("body")
                        .long("body")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("The file with the body of each request"),
                )
                .arg(
                    Arg::new("key")
                        .long("key")
                        .default_value(process::KEY)
                        .help("The bearer token"),
                )
                .arg(number("connections", "Connections at once").default_value("16"))
                .arg(number("requests", "Requests in all").default_value("1000"))
                .arg(number("ramp-ms", "Time over which the connections start").default_value("0"))
                .arg(
                    Arg::new("expect")
                        .long("expect")
                        .default_value("reply")
                        .value_parser(Expect::parse)
                        .help("A whole answer: reply, frames:CHUNKS or events:CHUNKS"),
                )
                .arg(number("slow-bytes-per-s", "Read at this pace at first").requires("slow-ms"))
                .arg(number("slow-ms", "For how long to read slowly").requires("slow-bytes-per-s"))
                .arg(number("time-limit-s", "When to give up").default_value("120")),
        )
}

fn run_args() -> [Arg; 8] {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    [
        gateway_arg().default_value("target/release/outcrop"),
        flag(
            "gateway-is-proxy",
            "Measure a second proxy in place of the gateway: all ratios should come out near 1",
        ),
        only_arg(
            "Measure only this work; may be given again",
            work::WORKS.map(|(name, _)| name),
        ),
        number("rounds", "Alternating rounds of each work; the median counts")
            .value_parser(value_parser!(u64).range(1..))
            .default_value("15"),
        flag(
            "quick",
            "A fifth of the requests and 5 rounds: a first look, not a figure to quote",
        ),
        flag(
            "routed",
            "The gateway has three targets for each model, and keeps within quotas",
        ),
        flag("json", "Print JSON"),
        flag("check", "End with status 1 if a bar is exceeded"),
    ]
}

fn gateway_arg() -> Arg {
    Arg::new("gateway")
        .long("gateway")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .help("The gateway's binary")
}

fn only_arg(help: &'static str, names: impl IntoIterator<Item = &'static str>) -> Arg {
    Arg::new("only")
        .long("only")
        .value_name("NAME")
        .action(ArgAction::Append)
        .value_parser(PossibleValuesParser::new(names))
        .help(help)
}

/// The arguments of a role that serves.
fn serve_args() -> [Arg; 2] {
    let end = Arg::new(net::END_WITH_STDIN)
        .long(net::END_WITH_STDIN)
        .action(ArgAction::SetTrue);
    [
        address("listen").required(false).default_value("127.0.0.1:0"),
        end.help("End when standard input does, as it does when the harness is killed"),
    ]
}

fn address(name: &'static str) -> Arg {
    let parser = value_parser!(SocketAddr);
    Arg::new(name)
        .long(name)
        .value_name("HOST:PORT")
        .required(true)
        .value_parser(parser)
        .help("A socket address")
}

fn number(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help(help)
}

fn run(args: &ArgMatches) -> Result<ExitCode> {
    let quick = args.get_flag("quick");
    let gateway = one::<PathBuf>(args, "gateway")?;
    let options = Options {
        gateway: (!args.get_flag("gateway-is-proxy")).then_some(gateway),
        only: args.get_many("only").into_iter().flatten().cloned().collect(),
        rounds: if quick { 5 } else { one::<u64>(args, "rounds")? as usize },
        quick,
        json: args.get_flag("json"),
        routed: args.get_flag("routed"),
    };
    let kept = run::run(&options)?;
    Ok(if kept || !args.get_flag("check") {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn scenario(args: &ArgMatches) -> Result<ExitCode> {
    let options = scenario::Options {
        gateway: one(args, "gateway")?,
        requests: one(args, "requests")?,
        seconds: one(args, "seconds")?,
        quotas: one(args, "quotas")?,
        only: args.get_many("only").into_iter().flatten().cloned().collect(),
    };
    Ok(if scenario::run(&options)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn stub(args: &ArgMatches) -> Result<ExitCode> {
    let plan = Plan {
        chunks: one::<u64>(args, "chunks")? as usize,
        interval: Duration::from_millis(one(args, "interval-ms")?),
        text_bytes: one::<u64>(args, "text-bytes")? as usize,
    };
    if args.get_flag(net::END_WITH_STDIN) {
        net::end_with_stdin();
    }
    single_thread()?
        .block_on(stub::serve(one(args, "listen")?, plan))
        .map(|()| ExitCode::SUCCESS)
}

fn proxy(args: &ArgMatches) -> Result<ExitCode> {
    if args.get_flag(net::END_WITH_STDIN) {
        net::end_with_stdin();
    }
    let runtime = tokio::runtime::Runtime::new().doing("start the runtime")?;
    runtime
        .block_on(proxy::serve(one(args, "listen")?, one(args, "upstream")?))
        .map(|()| ExitCode::SUCCESS)
}

fn load(args: &ArgMatches) -> Result<ExitCode> {
    let body: PathBuf = one(args, "body")?;
    let slow = match (args.get_one::<u64>("slow-bytes-per-s"), args.get_one::<u64>("slow-ms")) {
        (Some(&bytes_per_second), Some(&lasting)) => Some(Slow {
            bytes_per_second,
            lasting: Duration::from_millis(lasting),
        }),
        _ => None,
    };
    let job = Job {
        target: one(args, "target")?,
        path: one(args, "path")?,
        body: std::fs::read(&body).doing(format!("read {}", body.display()))?.into(),
        key: one(args, "key")?,
        connections: one::<u64>(args, "connections")? as usize,
        requests: one::<u64>(args, "requests")? as usize,
        ramp: Duration::from_millis(one(args, "ramp-ms")?),
        expect: one(args, "expect")?,
        slow,
        time_limit: Duration::from_secs(one(args, "time-limit-s")?),
    };
    let report = single_thread()?.block_on(load::run(job))?;
    load::print(&report)?;
    Ok(if report.errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The value of an argument that has a default or is required.
fn one<T: Clone + Send + Sync + 'static>(args: &ArgMatches, name: &str) -> Result<T> {
    args.get_one::<T>(name)
        .cloned()
        .ok_or_else(|| Error::Malformed(format!("--{name} is missing")))
}

/// What a role other than the proxy runs on: one thread, since there is another process to be measured beside it.
fn single_thread() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("start the runtime")
}
