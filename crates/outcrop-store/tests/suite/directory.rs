//! What has changed, and word of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use outcrop_store::{Directory, Store};
use outcrop_tenants::{Credential, Status};
use tokio::sync::watch;

use crate::support::{Place, actor, key, organization, project};

/// How long to wait for what must come.
const LIMIT: Duration = Duration::from_secs(30);

async fn changed(receiver: &mut watch::Receiver<u64>) {
    let waited = tokio::time::timeout(LIMIT, receiver.changed()).await;
    assert!(matches!(waited, Ok(Ok(()))), "there is no word of a change");
}

pub(crate) async fn it_has_what_is_different(place: Place) {
    let store = place.open().await;
    let empty = store.directory(0).await.unwrap();
    assert_eq!(empty, Directory::default());
    let acme = organization(&store, "acme").await;
    let search = project(&store, &acme, "search").await;
    let before = store.directory(0).await.unwrap();
    assert_eq!(before.organizations, [acme.clone()]);
    assert_eq!(before.projects, [search.clone()]);
    let first = key(&store, &search, "sk-oc-a").await;
    let delta = store.directory(before.version).await.unwrap();
    assert_eq!(delta.organizations, []);
    assert_eq!(delta.credentials, [first.clone()]);
    assert!(delta.version > before.version);
    let revoked = Credential {
        status: Status::Deleted,
        ..first.clone()
    };
    let revoked = store
        .update_credential(&actor(), "key.revoke", &first, revoked)
        .await
        .unwrap();
    let delta = store.directory(delta.version).await.unwrap();
    assert_eq!(delta.credentials, [revoked.clone()]);
    let nothing = store.directory(delta.version).await.unwrap();
    assert_eq!(
        nothing,
        Directory {
            version: delta.version,
            ..Directory::default()
        }
    );
    assert_eq!(store.directory(0).await.unwrap().credentials, [revoked]);
    // Of a database that was put back to an earlier state.
    assert_eq!(
        store.directory(1_000_000).await.unwrap(),
        store.directory(0).await.unwrap()
    );
}

pub(crate) async fn a_change_of_our_own_is_seen_at_once(place: Place) {
    let store = place.open().await;
    let mut changes = store.changes();
    changes.borrow_and_update();
    organization(&store, "acme").await;
    assert!(changes.has_changed().unwrap());
    // What fails changes nothing.
    changes.borrow_and_update();
    let same = outcrop_store::NewOrganization {
        name: "acme".to_owned(),
        ..Default::default()
    };
    store.create_organization(&actor(), same).await.unwrap_err();
    assert!(!changes.has_changed().unwrap());
}

pub(crate) async fn a_change_of_another_instance_is_seen(place: Place) {
    let ours = place.open().await;
    let theirs = place.open().await;
    let mut changes = ours.changes();
    let mut version = 0;
    for name in ["a", "b", "c"] {
        changes.borrow_and_update();
        organization(&theirs, name).await;
        loop {
            let found = ours.directory(version).await.unwrap();
            version = found.version;
            if found.organizations.iter().any(|found| found.name == name) {
                break;
            }
            changed(&mut changes).await;
        }
    }
    // Word of it comes also where nobody looks.
    changes.borrow_and_update();
    organization(&theirs, "d").await;
    changed(&mut changes).await;
}

/// Writers of several instances, and a reader that keeps what it was told, by what is different alone.
async fn follow(reader: Store, writers: Vec<Store>) {
    let acme = organization(&writers[0], "acme").await;
    let search = project(&writers[0], &acme, "search").await;
    let tasks: Vec<_> = writers
        .into_iter()
        .enumerate()
        .map(|(number, store)| {
            let search = search.clone();
            tokio::spawn(async move {
                for count in 0..20 {
                    let made = key(&store, &search, &format!("sk-oc-{number}-{count}")).await;
                    if count % 3 == 0 {
                        let disabled = Credential {
                            status: Status::Disabled,
                            ..made.clone()
                        };
                        store.update_credential(&actor(), "", &made, disabled).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let mut known: BTreeMap<String, Credential> = BTreeMap::new();
    let mut version = 0;
    loop {
        let is_last = tasks.iter().all(tokio::task::JoinHandle::is_finished);
        let delta = reader.directory(version).await.unwrap();
        assert!(delta.version >= version);
        version = delta.version;
        let projects: BTreeSet<_> = delta.projects.iter().map(|project| project.id.clone()).collect();
        for credential in delta.credentials {
            assert!(credential.project_id == search.id || projects.contains(&credential.project_id));
            known.insert(credential.id.clone(), credential);
        }
        if is_last {
            break;
        }
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let all = reader.directory(0).await.unwrap();
    assert_eq!(all.credentials.len(), known.len());
    for credential in all.credentials {
        assert_eq!(known[&credential.id], credential);
    }
}

pub(crate) async fn nothing_is_missed_that_tasks_write(place: Place) {
    let store = place.open().await;
    follow(store.clone(), vec![store; 4]).await;
}

pub(crate) async fn nothing_is_missed_that_instances_write(place: Place) {
    let mut writers = Vec::new();
    for _ in 0..4 {
        writers.push(place.open().await);
    }
    follow(place.open().await, writers).await;
}
