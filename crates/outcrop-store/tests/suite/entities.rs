//! Organizations, projects, keys, admin keys.

use outcrop_store::{Filter, NewAdminKey, NewOrganization, NewProject, StoreError};
use outcrop_tenants::{AdminKey, Credential, CredentialKind, KeyHash, Organization, Project, Role, Settings, Status};
use serde_json::json;

use crate::support::{Place, actor, all, key, new_key, organization, project};

fn settings() -> Settings {
    serde_json::from_value(json!({
        "allowed_models": ["claude-*"],
        "requests_per_minute": 60,
        "budgets": [{"period": "month", "limit_usd": 12.345_678_901, "warn_at": 0.1}],
        "parameters": {"temperature": 0.123_456_789_012_345_68, "stop": ["\u{0}", "é"]},
        "metadata": {"team": "búsqueda"},
    }))
    .unwrap()
}

pub(crate) async fn organizations_are_made_read_and_changed(place: Place) {
    let store = place.open().await;
    let new = NewOrganization {
        name: "acme".to_owned(),
        settings: settings(),
    };
    let made = store.create_organization(&actor(), new.clone()).await.unwrap();
    assert!(made.id.starts_with("org_"));
    assert_eq!(made.status, Status::Active);
    assert_eq!(store.organization(&made.id).await.unwrap(), made);
    assert_eq!(store.organization("acme").await.unwrap(), made);
    let taken = store.create_organization(&actor(), new.clone()).await.unwrap_err();
    assert_eq!(taken.to_string(), "organization 'acme' exists already");
    assert!(matches!(taken, StoreError::Taken { .. }));
    let missing = store.organization("other").await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    assert!(!missing.is_temporary());

    let changed = Organization {
        name: "acme2".to_owned(),
        status: Status::Disabled,
        ..made.clone()
    };
    let changed = store.update_organization(&actor(), &made, changed).await.unwrap();
    assert_eq!(store.organization("acme2").await.unwrap(), changed);
    let other = store.create_organization(&actor(), new.clone()).await.unwrap();
    let same = Organization {
        name: "acme2".to_owned(),
        ..other.clone()
    };
    let taken = store.update_organization(&actor(), &other, same).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { .. }), "{taken}");

    // What is deleted stays so, and its name is free.
    let deleted = Organization {
        status: Status::Deleted,
        ..other.clone()
    };
    let deleted = store.update_organization(&actor(), &other, deleted).await.unwrap();
    assert_eq!(store.organization(&deleted.id).await.unwrap().status, Status::Deleted);
    let gone = store.organization("acme").await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { .. }), "{gone}");
    let again = Organization {
        status: Status::Active,
        ..deleted.clone()
    };
    let gone = store.update_organization(&actor(), &deleted, again).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { .. }), "{gone}");
    let third = store.create_organization(&actor(), new).await.unwrap();
    let listed = store.organizations(&all()).await.unwrap();
    assert_eq!(listed.items, [changed, third]);
    assert_eq!(listed.next, None);
    let mut page = all();
    page.with_deleted = true;
    assert_eq!(store.organizations(&page).await.unwrap().items.len(), 3);
}

pub(crate) async fn projects_belong_to_organizations(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let other = organization(&store, "other").await;
    let search = project(&store, &acme, "search").await;
    let namesake = project(&store, &other, "search").await;
    assert_eq!(store.project(&search.id).await.unwrap(), search);
    assert_eq!(store.project("acme/search").await.unwrap(), search);
    assert_eq!(store.project("other/search").await.unwrap(), namesake);
    for wrong in ["search", "acme/", "/search", "acme/search/x", "%/%"] {
        let missing = store.project(wrong).await.unwrap_err();
        assert!(matches!(missing, StoreError::NotFound { .. }), "{wrong}: {missing}");
    }
    let taken = NewProject {
        organization_id: acme.id.clone(),
        name: "search".to_owned(),
        settings: settings(),
    };
    let taken = store.create_project(&actor(), taken).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { .. }), "{taken}");
    let orphan = NewProject {
        organization_id: "org_none".to_owned(),
        ..NewProject::default()
    };
    let orphan = store.create_project(&actor(), orphan).await.unwrap_err();
    assert_eq!(orphan.to_string(), "there is no organization 'org_none'");

    let changed = Project {
        name: "find".to_owned(),
        settings: settings(),
        // It stays where it is.
        organization_id: other.id.clone(),
        ..search.clone()
    };
    let changed = store.update_project(&actor(), &search, changed).await.unwrap();
    assert_eq!(changed.organization_id, acme.id);
    assert_eq!(store.project("acme/find").await.unwrap(), changed);
    assert_eq!(
        store.projects(Some(&acme.id), &all()).await.unwrap().items,
        [changed.clone()]
    );
    assert_eq!(store.projects(None, &all()).await.unwrap().items, [changed, namesake]);
}

pub(crate) async fn the_default_project_is_made_once(place: Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.default_project(&actor()).await.unwrap() })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.unwrap());
    }
    found.dedup();
    assert_eq!(found.len(), 1);
    assert_eq!(store.project("default/default").await.unwrap(), found[0]);
}

pub(crate) async fn keys_and_logins_are_read_as_they_were_made(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let search = project(&store, &acme, "search").await;
    let mut new = new_key(&search, "sk-oc-a");
    new.settings = settings();
    new.expires_at = Some(4_000_000_000);
    new.user = Some("somebody".to_owned());
    let first = store.create_credential(&actor(), new.clone()).await.unwrap();
    assert_eq!(store.credential(&first.id).await.unwrap(), first);
    assert_eq!(store.credential("sk-oc-a").await.unwrap(), first);
    assert!(first.kind == new.kind);
    let taken = store.create_credential(&actor(), new.clone()).await.unwrap_err();
    assert_eq!(taken.to_string(), "key 'sk-oc-a' exists already");
    new.kind = CredentialKind::Iam {
        arn: "arn:aws:iam::123456789012:role/*".to_owned(),
    };
    let iam = store.create_credential(&actor(), new.clone()).await.unwrap();
    assert_eq!(store.credential(&iam.id).await.unwrap(), iam);
    new.kind = CredentialKind::Jwt {
        issuer: "https://login.example.com".to_owned(),
        claims: [("groups".to_owned(), "team-*".to_owned())].into(),
    };
    new.user = None;
    let jwt = store.create_credential(&actor(), new.clone()).await.unwrap();
    assert_eq!(store.credential(&jwt.id).await.unwrap(), jwt);
    new.project_id = "proj_none".to_owned();
    let orphan = store.create_credential(&actor(), new).await.unwrap_err();
    assert_eq!(orphan.to_string(), "there is no project 'proj_none'");

    let elsewhere = project(&store, &organization(&store, "other").await, "search").await;
    let other = key(&store, &elsewhere, "sk-oc-b").await;
    let listed = |filter: Filter| {
        let store = store.clone();
        async move { store.credentials(&filter, &all()).await.unwrap().items }
    };
    assert_eq!(
        listed(Filter::default()).await,
        [first.clone(), iam.clone(), jwt.clone(), other.clone()]
    );
    let of_organization = Filter {
        organization_id: Some(acme.id.clone()),
        ..Filter::default()
    };
    assert_eq!(listed(of_organization).await, [first.clone(), iam.clone(), jwt.clone()]);
    let of_project = Filter {
        project_ids: vec![elsewhere.id.clone()],
        ..Filter::default()
    };
    assert_eq!(listed(of_project).await, [other.clone()]);
    let of_both = Filter {
        organization_id: Some(acme.id.clone()),
        project_ids: vec![elsewhere.id.clone()],
        ..Filter::default()
    };
    assert_eq!(listed(of_both).await, []);
    let of_user = Filter {
        users: vec!["somebody".to_owned()],
        key_ids: vec![iam.id.clone(), other.id.clone()],
        ..Filter::default()
    };
    assert_eq!(listed(of_user).await, [iam.clone()]);
    let of_then = Filter {
        until: Some(first.created_at * 1000),
        ..Filter::default()
    };
    assert_eq!(listed(of_then).await, []);

    let revoked = Credential {
        status: Status::Deleted,
        ..first.clone()
    };
    store.update_credential(&actor(), "", &first, revoked).await.unwrap();
    assert_eq!(listed(Filter::default()).await, [iam, jwt, other]);
    assert_eq!(store.credential("sk-oc-a").await.unwrap().status, Status::Deleted);
}

pub(crate) async fn a_key_is_rotated(place: Place) {
    let store = place.open().await;
    let project = store.default_project(&actor()).await.unwrap();
    let old = key(&store, &project, "sk-oc-old").await;
    let new = store
        .rotate_credential(&actor(), &old, 1_900_000_000, new_key(&project, "sk-oc-new"))
        .await
        .unwrap();
    assert_eq!(new.rotated_from, Some(old.id.clone()));
    let ending = store.credential("sk-oc-old").await.unwrap();
    assert_eq!(ending.expires_at, Some(1_900_000_000));
    // Nothing is lengthened, and nothing is half done.
    let failed = store
        .rotate_credential(&actor(), &ending, 1, new_key(&project, "sk-oc-new"))
        .await
        .unwrap_err();
    assert!(matches!(failed, StoreError::Taken { .. }), "{failed}");
    assert_eq!(store.credential("sk-oc-old").await.unwrap(), ending);
    store
        .rotate_credential(&actor(), &ending, 2_000_000_000, new_key(&project, "sk-oc-newer"))
        .await
        .unwrap();
    let ending = store.credential("sk-oc-old").await.unwrap();
    assert_eq!(ending.expires_at, Some(1_900_000_000));
    let late = store
        .rotate_credential(&actor(), &old, 1, new_key(&project, "sk-oc-late"))
        .await
        .unwrap_err();
    assert!(matches!(late, StoreError::Conflict { .. }), "{late}");
}

pub(crate) async fn admin_keys_are_made_and_changed(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let new = NewAdminKey {
        name: "ops".to_owned(),
        prefix: "sk-oca-a".to_owned(),
        hash: KeyHash::from_bytes([7; 32]),
        role: Role::Viewer,
        organization_id: Some(acme.id.clone()),
        expires_at: None,
    };
    let made = store.create_admin_key(&actor(), new.clone()).await.unwrap();
    assert_eq!(store.admin_key(&made.id).await.unwrap(), made);
    assert!(made.hash == new.hash);
    let taken = store.create_admin_key(&actor(), new.clone()).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { .. }), "{taken}");
    let orphan = NewAdminKey {
        organization_id: Some("org_none".to_owned()),
        prefix: "sk-oca-b".to_owned(),
        ..new
    };
    let orphan = store.create_admin_key(&actor(), orphan).await.unwrap_err();
    assert!(matches!(orphan, StoreError::NotFound { .. }), "{orphan}");
    let changed = AdminKey {
        role: Role::Owner,
        organization_id: None,
        ..made.clone()
    };
    let changed = store.update_admin_key(&actor(), &made, changed).await.unwrap();
    assert_eq!(store.admin_keys(&all()).await.unwrap().items, [changed.clone()]);
    let conflict = store.update_admin_key(&actor(), &made, changed).await.unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict { .. }), "{conflict}");
}

pub(crate) async fn what_was_changed_meanwhile_is_not_overwritten(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let search = project(&store, &acme, "search").await;
    let first = key(&store, &search, "sk-oc-a").await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (store, read) = (store.clone(), first.clone());
            let changed = Credential {
                name: format!("name {number}"),
                ..read.clone()
            };
            tokio::spawn(async move { store.update_credential(&actor(), "key.update", &read, changed).await })
        })
        .collect();
    let mut written = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(changed) => written.push(changed),
            Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error}"),
        }
    }
    assert_eq!(written.len(), 1);
    assert_eq!(store.credential(&first.id).await.unwrap(), written[0]);
}
