//! PostgreSQL that can't be reached.

use std::future::Future;
use std::time::Duration;

use outcrop_store::{Filter, Location, Store, StoreError};
use outcrop_tenants::UsageRecord;

use crate::support::proxy::{Proxy, Way};
use crate::support::{Place, actor, all, organization};

/// Longer than anything may take, and shorter than a network's own limits.
const LIMIT: Duration = Duration::from_secs(90);

async fn bounded<T>(answer: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(LIMIT, answer).await;
    assert!(answer.is_ok(), "it hangs");
    answer.unwrap()
}

fn is_temporary<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

pub(crate) async fn a_server_that_is_not_there_is_told(place: Place) {
    let proxy = Proxy::to(&place).await;
    let location = proxy.location(&place);
    drop(proxy);
    // The port is nobody's now, or somebody else's.
    let refused = bounded(Store::open(&location)).await.unwrap_err();
    let told = refused.to_string();
    assert!(refused.is_temporary(), "{told}");
    assert!(
        told.contains("cannot open the database postgres://outcrop@127.0.0.1:"),
        "{told}"
    );
    assert!(!format!("{told} {refused:?}").contains("secret"), "{told}");
    for wrong in [
        "postgres://",
        "postgres://user:secret@[::1/x",
        "postgres://u:secret@h:99999999/x",
        "nonsense",
    ] {
        let refused = bounded(Store::open(&Location::Postgres(wrong.to_owned()))).await;
        let refused = refused.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
    }
}

pub(crate) async fn a_server_that_says_nothing_is_given_up(place: Place) {
    let proxy = Proxy::to(&place).await;
    proxy.set(Way::Blocked);
    is_temporary(bounded(Store::open(&proxy.location(&place))).await);
}

pub(crate) async fn it_goes_on_when_the_server_is_back(place: Place) {
    let proxy = Proxy::to(&place).await;
    let store = Store::open(&proxy.location(&place)).await.unwrap();
    let theirs = place.open().await;
    let mut changes = store.changes();
    for (name, way) in [("cut", Way::Cut), ("blocked", Way::Blocked)] {
        store.ping().await.unwrap();
        proxy.set(way);
        let record = UsageRecord {
            id: name.to_owned(),
            ..UsageRecord::default()
        };
        let (usage, directory, ping) = bounded(async {
            tokio::join!(
                store.add_usage(std::slice::from_ref(&record)),
                store.directory(0),
                store.ping()
            )
        })
        .await;
        is_temporary(usage);
        is_temporary(directory);
        is_temporary(ping);
        organization(&theirs, name).await;
        changes.borrow_and_update();
        proxy.set(Way::Open);
        // What changed meanwhile is told of, and all works again.
        bounded(changes.changed()).await.unwrap();
        bounded(async { while store.ping().await.is_err() {} }).await;
        bounded(async { while store.add_usage(std::slice::from_ref(&record)).await.is_err() {} }).await;
        let found = store.usage_records(&Filter::default(), &all()).await.unwrap().items;
        assert_eq!(found.iter().filter(|found| found.id == name).count(), 1);
        assert!(store.organization(name).await.is_ok());
    }
    // Also a way that listens is there again: word comes of what changes now.
    changes.borrow_and_update();
    organization(&theirs, "later").await;
    bounded(changes.changed()).await.unwrap();
    bounded(store.close()).await;
}

/// Somebody who went away in the middle of a change must not hold up the others.
pub(crate) async fn a_change_that_was_left_alone_holds_nobody_up(place: Place) {
    let proxy = Proxy::to(&place).await;
    let theirs = Store::open(&proxy.location(&place)).await.unwrap();
    let ours = place.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let theirs = theirs.clone();
        tasks.spawn(async move {
            let new = outcrop_store::NewOrganization {
                name: format!("theirs {number}"),
                ..Default::default()
            };
            theirs.create_organization(&actor(), new).await.map(drop)
        });
    }
    tasks.join_next().await.unwrap().unwrap().unwrap();
    proxy.set(Way::Blocked);
    let made = bounded(async {
        loop {
            let new = outcrop_store::NewOrganization {
                name: "ours".to_owned(),
                ..Default::default()
            };
            match ours.create_organization(&actor(), new).await {
                Ok(made) => return made,
                Err(error) => assert!(error.is_temporary(), "{error}"),
            }
        }
    })
    .await;
    assert_eq!(ours.organization("ours").await.unwrap(), made);
    tasks.abort_all();
}
