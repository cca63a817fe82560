//! All organizations, projects and keys, by their names.

use outcrop_store::{Directory, Filter, NewOrganization, NewProject, Page, PageOf, SpendScope, StoreError};
use outcrop_tenants::{Credential, CredentialKind, Organization, Project, Settings, Status, Token, validate};

use super::{Session, faulty, note};
use crate::failure::Failure;
use crate::settings::nearest;

/// The project of keys that have none.
const DEFAULT: &str = "default/default";

/// What there is.
pub(in crate::commands) struct Book(Directory);

/// What settings and budgets can be of.
pub(in crate::commands) enum Scope {
    Organization(Organization),
    Project(Project),
    Credential(Credential),
}

impl Scope {
    /// Of what budgets are.
    pub(in crate::commands) fn kind(&self) -> SpendScope {
        match self {
            Self::Organization(_) => SpendScope::Organization,
            Self::Project(_) => SpendScope::Project,
            Self::Credential(_) => SpendScope::Key,
        }
    }

    pub(in crate::commands) fn id(&self) -> &str {
        match self {
            Self::Organization(organization) => &organization.id,
            Self::Project(project) => &project.id,
            Self::Credential(credential) => &credential.id,
        }
    }

    pub(in crate::commands) fn settings(&self) -> &Settings {
        match self {
            Self::Organization(organization) => &organization.settings,
            Self::Project(project) => &project.settings,
            Self::Credential(credential) => &credential.settings,
        }
    }

    /// Writes other settings of it.
    pub(in crate::commands) async fn write(self, session: &Session, settings: Settings) -> Result<Self, Failure> {
        let (store, actor) = (&session.store, &session.actor);
        Ok(match self {
            Self::Organization(old) => {
                let new = Organization {
                    settings,
                    ..old.clone()
                };
                Self::Organization(store.update_organization(actor, &old, new).await?)
            }
            Self::Project(old) => {
                let new = Project {
                    settings,
                    ..old.clone()
                };
                Self::Project(store.update_project(actor, &old, new).await?)
            }
            Self::Credential(old) => {
                let new = Credential {
                    settings,
                    ..old.clone()
                };
                Self::Credential(store.update_credential(actor, "key.update", &old, new).await?)
            }
        })
    }
}

impl Book {
    pub(in crate::commands) async fn read(session: &Session) -> Result<Self, Failure> {
        let store = &session.store;
        let any = Filter::default();
        // A directory has them in the order of their changes, lists in which they were made.
        Ok(Self(Directory {
            organizations: all(async |page| store.organizations(&page).await).await?,
            projects: all(async |page| store.projects(None, &page).await).await?,
            credentials: all(async |page| store.credentials(&any, &page).await).await?,
            admin_keys: all(async |page| store.admin_keys(&page).await).await?,
            ..Directory::default()
        }))
    }

    /// Organizations, oldest first; deleted ones where they are wanted.
    pub(in crate::commands) fn organizations(&self, deleted: bool) -> impl Iterator<Item = &Organization> {
        let mut all: Vec<&Organization> = self.0.organizations.iter().collect();
        all.retain(|organization| deleted || organization.status != Status::Deleted);
        all.into_iter()
    }

    /// Projects, oldest first.
    pub(in crate::commands) fn projects(&self, deleted: bool) -> impl Iterator<Item = &Project> {
        let mut all: Vec<&Project> = self.0.projects.iter().collect();
        all.retain(|project| deleted || project.status != Status::Deleted);
        all.into_iter()
    }

    /// Keys and logins, oldest first.
    pub(in crate::commands) fn credentials(&self, deleted: bool) -> impl Iterator<Item = &Credential> {
        let mut all: Vec<&Credential> = self.0.credentials.iter().collect();
        all.retain(|credential| deleted || credential.status != Status::Deleted);
        all.into_iter()
    }

    pub(in crate::commands) fn organization_of(&self, project_id: &str) -> Option<&Organization> {
        let project = self.0.projects.iter().find(|project| project.id == project_id)?;
        self.0
            .organizations
            .iter()
            .find(|one| one.id == project.organization_id)
    }

    /// What people call an organization.
    pub(in crate::commands) fn organization_name(&self, id: &str) -> String {
        let found = self.0.organizations.iter().find(|one| one.id == id);
        found.map_or_else(|| id.to_owned(), |one| one.name.clone())
    }

    /// What people call a project: `acme/search`.
    pub(in crate::commands) fn path(&self, id: &str) -> String {
        match self.0.projects.iter().find(|one| one.id == id) {
            Some(project) => format!("{}/{}", self.organization_name(&project.organization_id), project.name),
            None => id.to_owned(),
        }
    }

    /// What people call a key or a login.
    pub(in crate::commands) fn key_name(&self, id: &str) -> String {
        let found = self.0.credentials.iter().find(|one| one.id == id);
        found.map_or_else(|| id.to_owned(), |one| one.name.clone())
    }

    /// What people call something.
    pub(in crate::commands) fn name(&self, id: &str) -> String {
        match id.split('_').next() {
            Some("org") => self.organization_name(id),
            Some("proj") => self.path(id),
            Some("adm") => {
                let found = self.0.admin_keys.iter().find(|one| one.id == id);
                found.map_or_else(|| id.to_owned(), |one| one.name.clone())
            }
            _ => self.key_name(id),
        }
    }

    /// An organization by its id or name.
    pub(in crate::commands) fn organization(&self, named: &str) -> Result<&Organization, Failure> {
        let is_it = |one: &&Organization| one.id == named || (one.name == named && one.status != Status::Deleted);
        self.0.organizations.iter().find(is_it).ok_or_else(|| {
            let names = self.organizations(false).map(|one| one.name.clone());
            unknown("organization", named, &names.collect::<Vec<_>>())
        })
    }

    /// A project by its id or path.
    pub(in crate::commands) fn project(&self, named: &str) -> Result<&Project, Failure> {
        let is_it = |one: &&Project| {
            let is_called = one.status != Status::Deleted && self.path(&one.id) == named;
            one.id == named
                || (is_called
                    && self
                        .organization_of(&one.id)
                        .is_some_and(|of| of.status != Status::Deleted))
        };
        self.0.projects.iter().find(is_it).ok_or_else(|| {
            let paths: Vec<String> = self.projects(false).map(|one| self.path(&one.id)).collect();
            if named.contains('/') || named.starts_with("proj_") {
                return unknown("project", named, &paths);
            }
            let of_it: Vec<&str> = paths
                .iter()
                .filter(|path| path.split('/').any(|part| part == named))
                .map(String::as_str)
                .collect();
            let meant = match of_it.is_empty() {
                true => String::new(),
                false => format!("; did you mean {}?", of_it.join(" or ")),
            };
            Failure::Tenancy(format!("'{named}' is no project: write ORGANIZATION/PROJECT{meant}"))
        })
    }

    /// A project for something new, which is made where that is wanted.
    pub(in crate::commands) async fn project_for(
        &self,
        session: &Session,
        named: Option<&str>,
        create: bool,
    ) -> Result<Project, Failure> {
        let (store, actor) = (&session.store, &session.actor);
        let Some(named) = named.filter(|named| *named != DEFAULT) else {
            return Ok(store.default_project(actor).await?);
        };
        match (self.project(named), named.split_once('/')) {
            (Ok(project), _) if project.status == Status::Deleted => Err(Failure::Tenancy(format!(
                "the project '{named}' is deleted; make another one"
            ))),
            (Ok(project), _) => Ok(project.clone()),
            (Err(_), Some((organization, name))) if create => {
                self.make_project(session, organization, name, Settings::default(), true)
                    .await
            }
            (Err(Failure::Tenancy(text)), Some(_)) => Err(Failure::Tenancy(format!("{text} (--create makes it)"))),
            (Err(failure), _) => Err(failure),
        }
    }

    /// Makes a project, and its organization where that is wanted.
    pub(in crate::commands) async fn make_project(
        &self,
        session: &Session,
        organization: &str,
        name: &str,
        settings: Settings,
        create: bool,
    ) -> Result<Project, Failure> {
        validate::tenant_name(name).map_err(|fault| faulty(&format!("the project's name '{name}'"), fault))?;
        let organization_id = match self.organization(organization) {
            Ok(found) => found.id.clone(),
            Err(_) if create => {
                self.make_organization(session, organization, Settings::default())
                    .await?
                    .id
            }
            Err(Failure::Tenancy(text)) => return Err(Failure::Tenancy(format!("{text} (--create makes it)"))),
            Err(failure) => return Err(failure),
        };
        let new = NewProject {
            organization_id,
            name: name.to_owned(),
            settings,
        };
        let made = session.store.create_project(&session.actor, new).await?;
        note(&format!("Made the project {organization}/{name} ({}).", made.id));
        Ok(made)
    }

    /// Makes an organization.
    pub(in crate::commands) async fn make_organization(
        &self,
        session: &Session,
        name: &str,
        settings: Settings,
    ) -> Result<Organization, Failure> {
        validate::tenant_name(name).map_err(|fault| faulty(&format!("the organization's name '{name}'"), fault))?;
        let new = NewOrganization {
            name: name.to_owned(),
            settings,
        };
        let made = session.store.create_organization(&session.actor, new).await?;
        note(&format!("Made the organization {name} ({}).", made.id));
        Ok(made)
    }

    /// A key or login by its id, by the beginning of a key, or by a name that only one has.
    pub(in crate::commands) fn credential(&self, named: &str) -> Result<&Credential, Failure> {
        // Whoever pastes the whole key means it.
        let token = Token::parse(named).ok();
        let asked = token.as_ref().map_or(named, Token::prefix);
        let is_it = |one: &&Credential| one.id == asked || prefix(one) == Some(asked);
        if let Some(found) = self.0.credentials.iter().find(is_it) {
            return Ok(found);
        }
        let by_name: Vec<&Credential> = self.credentials(false).filter(|one| one.name == asked).collect();
        match by_name[..] {
            [one] => Ok(one),
            [] => {
                let known = self.credentials(false).flat_map(|one| {
                    let names = [Some(one.id.as_str()), prefix(one), Some(one.name.as_str())];
                    names.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>()
                });
                Err(unknown("key or login", asked, &known.collect::<Vec<_>>()))
            }
            _ => {
                let ids: Vec<&str> = by_name.iter().map(|one| one.id.as_str()).collect();
                Err(Failure::Tenancy(format!(
                    "several are called '{asked}': {}",
                    ids.join(", ")
                )))
            }
        }
    }

    /// An organization, a project, a key or a login.
    pub(in crate::commands) fn scope(&self, named: &str) -> Result<Scope, Failure> {
        if named.starts_with("key_") || named.starts_with("sk-oc") {
            return self.credential(named).cloned().map(Scope::Credential);
        }
        self.tenant(named)
    }

    /// An organization or a project.
    pub(in crate::commands) fn tenant(&self, named: &str) -> Result<Scope, Failure> {
        if named.contains('/') || named.starts_with("proj_") {
            self.project(named).cloned().map(Scope::Project)
        } else {
            self.organization(named).cloned().map(Scope::Organization)
        }
    }
}

/// All pages of a list, with what is deleted.
async fn all<T>(fetch: impl AsyncFn(Page) -> Result<PageOf<T>, StoreError>) -> Result<Vec<T>, Failure> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = Page {
            limit: 1000,
            after,
            with_deleted: true,
        };
        let part = fetch(page).await?;
        items.extend(part.items);
        after = part.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}

/// What is shown of a key.
pub(super) fn prefix(credential: &Credential) -> Option<&str> {
    match &credential.kind {
        CredentialKind::Key { prefix, .. } => Some(prefix),
        _ => None,
    }
}

/// There is nothing of a name; perhaps it was a slip.
fn unknown(what: &str, named: &str, known: &[String]) -> Failure {
    let end = match nearest(named, known.iter().cloned()) {
        Some(near) => format!("; did you mean '{near}'?"),
        None if known.is_empty() => "; there is none yet".to_owned(),
        None => String::new(),
    };
    Failure::Tenancy(format!("there is no {what} '{named}'{end}"))
}
