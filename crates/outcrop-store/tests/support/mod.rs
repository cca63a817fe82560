//! Databases to test with.

pub(crate) mod postgres;
pub(crate) mod proxy;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use outcrop_store::{Actor, Location, NewCredential, NewOrganization, NewProject, Page, Store};
use outcrop_tenants::{Credential, CredentialKind, KeyHash, Organization, Project, Settings};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A number that no other test of this process has.
pub(crate) fn unique() -> String {
    format!("{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A folder that goes away.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("outcrop-store-{}", unique()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A new database, which goes away with its folder or its server.
pub(crate) struct Place {
    pub(crate) location: Location,
    _folder: Option<Folder>,
}

impl Place {
    pub(crate) fn file() -> Self {
        let folder = Folder::new();
        Self {
            location: Location::Sqlite(folder.path().join("state").join("outcrop.db")),
            _folder: Some(folder),
        }
    }

    pub(crate) fn memory() -> Self {
        Self {
            location: Location::Memory,
            _folder: None,
        }
    }

    pub(crate) fn url(url: String) -> Self {
        Self {
            location: Location::Postgres(url),
            _folder: None,
        }
    }

    /// Another instance's view of it.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.location).await.unwrap()
    }
}

pub(crate) fn actor() -> Actor {
    Actor {
        name: "cli:tester".to_owned(),
        address: "127.0.0.1".to_owned(),
    }
}

/// All in one page.
pub(crate) fn all() -> Page {
    page(1000)
}

pub(crate) fn page(limit: u32) -> Page {
    Page {
        limit,
        after: None,
        with_deleted: false,
    }
}

pub(crate) async fn organization(store: &Store, name: &str) -> Organization {
    let new = NewOrganization {
        name: name.to_owned(),
        ..NewOrganization::default()
    };
    store.create_organization(&actor(), new).await.unwrap()
}

pub(crate) async fn project(store: &Store, organization: &Organization, name: &str) -> Project {
    let new = NewProject {
        organization_id: organization.id.clone(),
        name: name.to_owned(),
        settings: Settings::default(),
    };
    store.create_project(&actor(), new).await.unwrap()
}

pub(crate) fn new_key(project: &Project, prefix: &str) -> NewCredential {
    NewCredential {
        project_id: project.id.clone(),
        name: "a key".to_owned(),
        kind: CredentialKind::Key {
            prefix: prefix.to_owned(),
            hash: KeyHash::from_bytes([0xab; 32]),
        },
        expires_at: None,
        settings: Settings::default(),
        user: None,
    }
}

pub(crate) async fn key(store: &Store, project: &Project, prefix: &str) -> Credential {
    store
        .create_credential(&actor(), new_key(project, prefix))
        .await
        .unwrap()
}
