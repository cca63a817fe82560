//! One suite over all databases: each case is given a new one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should fail")]
#![allow(clippy::cloned_ref_to_slice_refs, reason = "a list of one reads like a list of two")]

mod suite;
mod support;

use std::future::Future;
use std::pin::Pin;

use support::Place;
use support::postgres::Server;
use tokio::task::JoinSet;

/// A case, by its name.
type Case = (&'static str, fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>);

/// How many cases run at the same time.
const AT_ONCE: usize = 4;

/// Runs all cases, and tells which of them failed.
async fn run(cases: &'static [Case], place: impl AsyncFn() -> Place) {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut running = JoinSet::new();
    let mut failed = Vec::new();
    let mut ended = |(name, result): (&'static str, Result<(), tokio::task::JoinError>)| {
        if result.is_err() {
            failed.push(name);
        }
    };
    for &(name, case) in cases.iter().filter(|(name, _)| name.contains(&only)) {
        if running.len() >= AT_ONCE {
            ended(running.join_next().await.unwrap().unwrap());
        }
        let place = place().await;
        let case = tokio::spawn(case(place));
        running.spawn(async move { (name, case.await) });
    }
    while let Some(result) = running.join_next().await {
        ended(result.unwrap());
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    run(suite::CASES, async || Place::memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    run(suite::CASES, async || Place::file()).await;
    run(suite::SHARED, async || Place::file()).await;
    run(suite::SQLITE, async || Place::file()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(server) = Server::start().await else { return };
    run(suite::CASES, async || server.place().await).await;
    run(suite::SHARED, async || server.place().await).await;
    run(suite::POSTGRES, async || server.place().await).await;
    server.stop().await;
}

/// What cases start as other instances, each in a process of its own.
#[tokio::test]
#[ignore = "part of a case"]
async fn another_process() {
    suite::open_as_told().await;
}
