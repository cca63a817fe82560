//! Opening, by one and by many, and what is in the file or on the server.

use outcrop_store::{Location, Store, StoreError};
use outcrop_tenants::Status;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::{Folder, Place, actor, all, key, organization, project};

/// Where another process is told what to open.
const TOLD: &str = "OUTCROP_TEST_OPEN";

/// Opens what this process was told to, and does something there.
pub(crate) async fn open_as_told() {
    let told = std::env::var(TOLD).unwrap();
    let location = match told.strip_prefix("sqlite:") {
        Some(path) => Location::Sqlite(path.into()),
        None => Location::Postgres(told),
    };
    let store = Store::open(&location).await.unwrap();
    store.default_project(&actor()).await.unwrap();
    store.close().await;
}

/// Does something that a store wouldn't.
async fn run(place: &Place, sql: &str) -> Result<(), sqlx::Error> {
    let sql = AssertSqlSafe(sql.to_owned());
    match &place.location {
        Location::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
            sqlx::raw_sql(sql).execute(&mut connection).await?;
            connection.close().await
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await?;
            sqlx::raw_sql(sql).execute(&mut connection).await?;
            connection.close().await
        }
        Location::Memory => unreachable!("nobody else sees it"),
    }
}

pub(crate) async fn it_answers_until_it_is_closed(place: Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    store.close().await;
    let closed = store.ping().await.unwrap_err();
    assert!(closed.is_temporary(), "{closed}");
    store.close().await;
}

pub(crate) async fn it_is_there_after_it_was_closed(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let secret = store.pepper().await.unwrap();
    store.close().await;
    let store = place.open().await;
    assert_eq!(store.organization("acme").await.unwrap(), acme);
    assert_eq!(store.pepper().await.unwrap(), secret);
}

pub(crate) async fn tasks_open_it_at_once(place: Place) {
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let location = place.location.clone();
            tokio::spawn(async move {
                let store = Store::open(&location).await.unwrap();
                (
                    store.default_project(&actor()).await.unwrap(),
                    store.pepper().await.unwrap(),
                )
            })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.unwrap());
    }
    found.dedup();
    assert_eq!(found.len(), 1);
}

pub(crate) async fn processes_open_it_at_once(place: Place) {
    let told = match &place.location {
        Location::Sqlite(path) => format!("sqlite:{}", path.display()),
        Location::Postgres(url) => url.clone(),
        Location::Memory => unreachable!("nobody else sees it"),
    };
    let children: Vec<_> = (0..4)
        .map(|_| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "another_process"])
                .env(TOLD, &told)
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = tokio::task::spawn_blocking(|| child.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
    let store = place.open().await;
    assert_eq!(store.projects(None, &all()).await.unwrap().items.len(), 1);
}

pub(crate) async fn a_later_versions_is_refused(place: Place) {
    place.open().await.close().await;
    run(&place, "INSERT INTO outcrop_migrations (version) VALUES (1000)")
        .await
        .unwrap();
    let refused = Store::open(&place.location).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooNew(1000)), "{refused}");
    assert!(!refused.is_temporary());
}

pub(crate) async fn the_audit_log_is_only_added_to(place: Place) {
    let store = place.open().await;
    organization(&store, "acme").await;
    let mut attempts = vec!["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"];
    if matches!(place.location, Location::Postgres(_)) {
        attempts.push("TRUNCATE audit_log");
    }
    for attempt in attempts {
        let refused = run(&place, attempt).await.unwrap_err().to_string();
        assert!(
            refused.contains("the audit log is only added to"),
            "{attempt}: {refused}"
        );
    }
    let log = store.audit_log(None, &all()).await.unwrap();
    assert_eq!(log.items.len(), 1);
    assert_eq!(log.items[0].actor, "cli:tester");
}

/// It has the secret by which keys are hashed.
pub(crate) async fn the_file_is_for_its_owner(place: Place) {
    use std::os::unix::fs::PermissionsExt as _;

    let store = place.open().await;
    organization(&store, "acme").await;
    let Location::Sqlite(path) = &place.location else {
        unreachable!("a file")
    };
    let folder = path.parent().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and its index of the log");
}

pub(crate) async fn a_copy_is_a_database(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let Location::Sqlite(path) = &place.location else {
        unreachable!("a file")
    };
    let copy = path.with_file_name("it's a copy.db");
    store.backup(&copy).await.unwrap();
    organization(&store, "later").await;
    let restored = Store::open(&Location::Sqlite(copy.clone())).await.unwrap();
    assert_eq!(restored.organizations(&all()).await.unwrap().items, [acme]);
    organization(&restored, "another").await;
    // Nothing is overwritten.
    assert!(store.backup(&copy).await.is_err());
    assert!(store.backup(path).await.is_err());
    assert_eq!(restored.organizations(&all()).await.unwrap().items.len(), 2);
}

pub(crate) async fn it_is_copied_or_says_why_not(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let folder = Folder::new();
    let copy = folder.path().join("copy.db");
    let copied = store.backup(&copy).await;
    if matches!(place.location, Location::Postgres(_)) {
        assert!(matches!(copied, Err(StoreError::NoBackup)));
        return;
    }
    copied.unwrap();
    let restored = Store::open(&Location::Sqlite(copy)).await.unwrap();
    assert_eq!(restored.organizations(&all()).await.unwrap().items, [acme]);
}

/// A later version may have more settings, and its restrictions must not be left out.
pub(crate) async fn what_is_not_understood_may_not_be_used(place: Place) {
    let store = place.open().await;
    let acme = organization(&store, "acme").await;
    let search = project(&store, &acme, "search").await;
    for prefix in ["sk-oc-a", "sk-oc-b", "sk-oc-c"] {
        key(&store, &search, prefix).await;
    }
    for change in [
        r#"UPDATE credentials SET settings = '{"allowed_moons": []}' WHERE prefix = 'sk-oc-a'"#,
        "UPDATE credentials SET kind = 'passkey' WHERE prefix = 'sk-oc-b'",
    ] {
        run(&place, change).await.unwrap();
    }
    let found = store.directory(0).await.unwrap();
    let status: Vec<Status> = found.credentials.iter().map(|key| key.status).collect();
    assert_eq!(status, [Status::Disabled, Status::Disabled, Status::Active]);
    // Nor may it be changed, which would lose what isn't understood.
    let refused = store.credential("sk-oc-a").await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
}
