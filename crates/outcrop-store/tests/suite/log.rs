//! The audit log, and what is made or used once.

use outcrop_store::{Page, StoreError};
use outcrop_tenants::{Credential, CredentialKind, KeyHash, Organization, Status};
use serde_json::json;

use crate::support::{Place, actor, all, key, organization, page, project};

pub(crate) async fn each_change_leaves_a_line(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let other = organization(&store, "other").await;
    let search = project(&store, &acme, "search").await;
    let first = key(&store, &search, "sk-oc-a").await;
    let mut changed = Credential {
        name: "renamed".to_owned(),
        kind: CredentialKind::Key {
            prefix: "sk-oc-a".to_owned(),
            hash: KeyHash::from_bytes([0xcd; 32]),
        },
        ..first.clone()
    };
    changed.settings.requests_per_minute = Some(5);
    store
        .update_credential(&actor(), "key.renew", &first, changed)
        .await
        .unwrap();
    let disabled = Organization {
        status: Status::Disabled,
        ..other.clone()
    };
    store.update_organization(&actor(), &other, disabled).await.unwrap();

    let log = store.audit_log(None, &all()).await.unwrap().items;
    let actions: Vec<&str> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "organization.create",
        "organization.create",
        "project.create",
        "key.create",
        "key.renew",
        "organization.disable",
    ];
    assert_eq!(actions, expected);
    assert!(log.windows(2).all(|pair| pair[0].sequence > pair[1].sequence));
    assert!(
        log.iter()
            .all(|entry| entry.actor == "cli:tester" && entry.address == "127.0.0.1")
    );
    assert_eq!(
        log[1].detail,
        json!({
            "name": {"from": "a key", "to": "renamed"},
            "settings": {"requests_per_minute": {"from": null, "to": 5}},
            "secret": "changed",
        })
    );
    assert_eq!(log[0].detail, json!({"status": {"from": "active", "to": "disabled"}}));
    // Hashes aren't told, in whatever form.
    let told = format!("{log:?}").to_lowercase();
    for hash in ["abab", "cdcd", "171, 171", "205, 205", "hash"] {
        assert!(!told.contains(hash), "{hash}: {told}");
    }
    // Of one object; of an organization, also what belongs to it.
    let of_key = store.audit_log(Some(&first.id), &all()).await.unwrap().items;
    assert_eq!(of_key.len(), 2);
    let of_acme = store.audit_log(Some(&acme.id), &all()).await.unwrap().items;
    assert_eq!(of_acme.len(), 4);
}

pub(crate) async fn it_is_paged_newest_first(place: Place) {
    let store = place.open().await;
    for number in 0..7 {
        organization(&store, &format!("o{number}")).await;
    }
    let mut asked = page(3);
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let found = store.audit_log(None, &asked).await.unwrap();
        seen.extend(found.items.into_iter().map(|entry| entry.detail["name"].clone()));
        organization(&store, &format!("later{pages}")).await;
        pages += 1;
        match found.next {
            Some(next) => asked.after = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(json!(seen), json!(["o6", "o5", "o4", "o3", "o2", "o1", "o0"]));
    // Lists that go from old to new have what comes later.
    let found = store.organizations(&page(9)).await.unwrap();
    assert_eq!(found.items.len(), 9);
    let rest = Page {
        after: found.next,
        ..page(2000)
    };
    let rest = store.organizations(&rest).await.unwrap();
    assert_eq!(rest.items.last().unwrap().name, "later2");
    assert_eq!(store.organizations(&page(0)).await.unwrap().items.len(), 1);
}

pub(crate) async fn names_taken_at_once_are_given_once(place: Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let new = outcrop_store::NewOrganization {
                    name: "acme".to_owned(),
                    ..Default::default()
                };
                store.create_organization(&actor(), new).await
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, StoreError::Taken { .. }), "{error}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(store.audit_log(None, &all()).await.unwrap().items.len(), 1);
}

pub(crate) async fn the_secret_is_made_once(place: Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.pepper().await.unwrap() })
        })
        .collect();
    let secret = store.pepper().await.unwrap();
    assert_eq!(secret.len(), 32);
    for task in tasks {
        assert_eq!(task.await.unwrap(), secret);
    }
}

pub(crate) async fn what_may_be_used_once_is_used_once(place: Place) {
    let store = place.open().await;
    let far = 4_000_000_000;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.use_once("proof", far).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        first += usize::from(task.await.unwrap());
    }
    assert_eq!(first, 1);
    assert!(store.use_once("another", far).await.unwrap());
    // What has ended may be used again, and is taken out by and by.
    for number in 0..100 {
        assert!(store.use_once(&format!("old {number}"), 1).await.unwrap());
        assert!(store.use_once(&format!("old {number}"), 1).await.unwrap());
    }
    assert!(!store.use_once("proof", far).await.unwrap());
}
