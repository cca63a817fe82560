//! All organizations, projects and keys, in memory. It doesn't change: a change makes another one of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use outcrop_store::Directory as Changes;
use outcrop_tenants::{AdminKey, Credential, CredentialKind, Id, Organization, Project, Status};

use super::tenant::Tenant;

/// All that is known of who may call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    version: i64,
    organizations: HashMap<Id, Arc<Organization>>,
    projects: HashMap<Id, Arc<Project>>,
    entries: HashMap<Id, Arc<Entry>>,
    /// The ids of keys.
    prefixes: HashMap<String, Id>,
    admin_keys: HashMap<String, Arc<AdminKey>>,
    /// ARNs that organizations have given names to, such as application inference profiles: they are theirs alone.
    owners: HashMap<String, HashSet<Id>>,
}

/// A key or login, and what holds for it once somebody has come with it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) credential: Arc<Credential>,
    tenant: OnceLock<Arc<Tenant>>,
}

impl Directory {
    /// Up to which change of the database it is.
    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    /// Whether there ever was a key or login.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.entries.is_empty()
    }

    /// The same with what has changed.
    pub(crate) fn with(&self, changes: Changes) -> Self {
        let mut next = self.clone();
        next.version = changes.version;
        let is_general = !changes.organizations.is_empty() || !changes.projects.is_empty();
        for organization in changes.organizations {
            next.organizations
                .insert(organization.id.clone(), Arc::new(organization));
        }
        for project in changes.projects {
            next.projects.insert(project.id.clone(), Arc::new(project));
        }
        if is_general {
            // What holds for a key may be said by its project.
            for entry in next.entries.values_mut() {
                *entry = Entry::new(Arc::clone(&entry.credential));
            }
        }
        for credential in changes.credentials {
            if let CredentialKind::Key { prefix, .. } = &credential.kind {
                next.prefixes.insert(prefix.clone(), credential.id.clone());
            }
            next.entries
                .insert(credential.id.clone(), Entry::new(Arc::new(credential)));
        }
        for key in changes.admin_keys {
            next.admin_keys.insert(key.prefix.clone(), Arc::new(key));
        }
        next.owners = next.find_owners();
        next
    }

    fn find_owners(&self) -> HashMap<String, HashSet<Id>> {
        let of_organizations = self.organizations.values().map(|own| (&own.id, &own.settings));
        let of_projects = self.projects.values().map(|own| (&own.organization_id, &own.settings));
        let of_keys = self.entries.values().filter_map(|entry| {
            let project = self.projects.get(&entry.credential.project_id)?;
            Some((&project.organization_id, &entry.credential.settings))
        });
        let mut owners: HashMap<String, HashSet<Id>> = HashMap::new();
        for (organization, settings) in of_organizations.chain(of_projects).chain(of_keys) {
            for arn in settings.aliases.values().filter_map(|model| own_arn(model)) {
                owners.entry(arn.to_owned()).or_default().insert(organization.clone());
            }
        }
        owners
    }

    /// Whether what is called is not another organization's own.
    pub(crate) fn may_call(&self, tenant: &Tenant, model_id: &str) -> bool {
        let owners = self.owners.get(model_id);
        owners.is_none_or(|owners| owners.contains(&tenant.organization.id))
    }

    /// A key by what it is looked up by.
    pub(crate) fn by_prefix(&self, prefix: &str) -> Option<&Arc<Entry>> {
        self.entries.get(self.prefixes.get(prefix)?)
    }

    /// A key or login by its id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.get(id)
    }

    /// All keys and logins, in no order.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.entries.values().map(|entry| &entry.credential)
    }

    pub(crate) fn organization(&self, id: &str) -> Option<&Arc<Organization>> {
        self.organizations.get(id)
    }

    pub(crate) fn project(&self, id: &str) -> Option<&Arc<Project>> {
        self.projects.get(id)
    }

    pub(crate) fn organizations(&self) -> impl Iterator<Item = &Arc<Organization>> {
        self.organizations.values()
    }

    pub(crate) fn projects(&self) -> impl Iterator<Item = &Arc<Project>> {
        self.projects.values()
    }

    pub(super) fn admin_by_prefix(&self, prefix: &str) -> Option<&Arc<AdminKey>> {
        self.admin_keys.get(prefix)
    }

    /// What holds for a key or login; `None` if its project is gone.
    pub(crate) fn tenant(&self, entry: &Entry) -> Option<Arc<Tenant>> {
        if let Some(tenant) = entry.tenant.get() {
            return Some(Arc::clone(tenant));
        }
        let project = self.project(&entry.credential.project_id)?;
        let organization = self.organization(&project.organization_id)?;
        let tenant = Tenant::new(organization, project, &entry.credential);
        Some(Arc::clone(entry.tenant.get_or_init(|| Arc::new(tenant))))
    }
}

impl Entry {
    fn new(credential: Arc<Credential>) -> Arc<Self> {
        Arc::new(Self {
            credential,
            tenant: OnceLock::new(),
        })
    }
}

/// The ARN that a name stands for, whatever words are before it, if it is one that can be somebody's own.
/// Foundation models and AWS's own inference profiles are everybody's, also where one has a name for their ARN.
fn own_arn(model: &str) -> Option<&str> {
    let arn = &model[model.find("arn:")?..];
    let is_everybodys = arn.contains(":foundation-model/") || arn.contains(":inference-profile/");
    (!is_everybodys).then_some(arn)
}

/// Whether something may be used at `now`, in seconds since 1970.
pub(super) fn is_active(status: Status, expires_at: Option<i64>, now: i64) -> bool {
    status == Status::Active && expires_at.is_none_or(|end| now < end)
}
