//! What administrators can do: one table of paths, rights and handlers.

use std::sync::LazyLock;

use futures_util::future::BoxFuture;
use outcrop_translate::Problem;
use serde_json::{Map, Value};

use super::access::{Right, Who, client_key};
use super::call::{Answered, Call};
use super::{admin_keys, audit, budgets, keys, litellm, logins, organizations, projects, whoami};

/// One operation.
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(super) right: Right,
    pub(super) run: fn(Call) -> BoxFuture<'static, Answered>,
}

/// Descriptions for the API's own, of operations and of the schemas that they refer to.
const DESCRIPTIONS: [&str; 5] = [
    include_str!("description/tenants.json"),
    include_str!("description/keys.json"),
    include_str!("description/admins.json"),
    include_str!("description/schemas.json"),
    include_str!("description/litellm.json"),
];

macro_rules! row {
    ($method:literal $path:literal $right:ident $run:path) => {
        Row {
            method: $method,
            path: $path,
            right: Right::$right,
            run: |call| Box::pin($run(call)),
        }
    };
}

/// All of them; the rows of a path follow one another.
pub(crate) static ROWS: &[Row] = &[
    row!("get" "/admin/v1/whoami" Own whoami::get),
    row!("get" "/admin/v1/organizations" Read organizations::list),
    row!("post" "/admin/v1/organizations" Write organizations::create),
    row!("get" "/admin/v1/organizations/{organization}" Read organizations::get),
    row!("patch" "/admin/v1/organizations/{organization}" Write organizations::update),
    row!("delete" "/admin/v1/organizations/{organization}" Write organizations::delete),
    row!("get" "/admin/v1/projects" Read projects::list),
    row!("post" "/admin/v1/projects" Write projects::create),
    row!("get" "/admin/v1/projects/{project}" Read projects::get),
    row!("patch" "/admin/v1/projects/{project}" Write projects::update),
    row!("delete" "/admin/v1/projects/{project}" Write projects::delete),
    row!("get" "/admin/v1/keys" Read keys::list),
    row!("post" "/admin/v1/keys" Write keys::create),
    row!("get" "/admin/v1/keys/{key}" Read keys::get),
    row!("patch" "/admin/v1/keys/{key}" Write keys::update),
    row!("delete" "/admin/v1/keys/{key}" Write keys::revoke),
    row!("post" "/admin/v1/keys/{key}/rotate" Write keys::rotate),
    row!("post" "/admin/v1/keys/{key}/disable" Write keys::disable),
    row!("post" "/admin/v1/keys/{key}/enable" Write keys::enable),
    row!("get" "/admin/v1/logins" Read logins::list),
    row!("post" "/admin/v1/logins" Write logins::create),
    row!("get" "/admin/v1/logins/{login}" Read logins::get),
    row!("patch" "/admin/v1/logins/{login}" Write logins::update),
    row!("delete" "/admin/v1/logins/{login}" Write logins::delete),
    row!("get" "/admin/v1/admin_keys" ReadAdmins admin_keys::list),
    row!("post" "/admin/v1/admin_keys" WriteAdmins admin_keys::create),
    row!("get" "/admin/v1/admin_keys/{admin_key}" ReadAdmins admin_keys::get),
    row!("patch" "/admin/v1/admin_keys/{admin_key}" WriteAdmins admin_keys::update),
    row!("delete" "/admin/v1/admin_keys/{admin_key}" WriteAdmins admin_keys::revoke),
    row!("get" "/admin/v1/audit_log" Audit audit::list),
    row!("get" "/admin/v1/budgets" Usage budgets::list),
    row!("post" "/key/generate" Write litellm::keys::generate),
    row!("get" "/key/info" OwnKey litellm::keys::info),
    row!("get" "/key/list" Read litellm::keys::list),
    row!("post" "/key/update" Write litellm::keys::update),
    row!("post" "/key/delete" Write litellm::keys::delete),
    row!("post" "/key/block" Write litellm::keys::block),
    row!("post" "/key/unblock" Write litellm::keys::unblock),
    row!("post" "/key/regenerate" Write litellm::keys::regenerate),
    row!("post" "/key/{key}/regenerate" Write litellm::keys::regenerate),
    row!("post" "/team/new" Write litellm::teams::create),
    row!("get" "/team/info" Read litellm::teams::info),
    row!("get" "/team/list" Read litellm::teams::list),
    row!("post" "/team/update" Write litellm::teams::update),
    row!("post" "/team/delete" Write litellm::teams::delete),
    row!("get" "/spend/logs" Usage litellm::spend::logs),
];

impl Row {
    /// Lets somebody do it who has the right.
    pub(super) fn admit(&self, who: Who) -> Result<Who, Problem> {
        match &who {
            Who::Admin(admin) => admin.check(self.right)?,
            Who::Client(_) if self.right == Right::OwnKey => {}
            Who::Client(_) => return Err(client_key()),
        }
        Ok(who)
    }

    /// As the descriptions name it.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The methods that a path takes, for `Allow`.
pub(crate) fn allowed(path: &str) -> &'static str {
    let has = |method| ROWS.iter().any(|row| row.path == path && row.method == method);
    match (has("get"), has("post"), has("patch")) {
        (true, true, _) => "GET, HEAD, POST",
        (true, false, true) => "GET, HEAD, PATCH, DELETE",
        (true, false, false) => "GET, HEAD",
        _ => "POST",
    }
}

/// What is said of each operation, in the order of the table.
pub(crate) fn descriptions() -> &'static [String] {
    static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut said: Map<String, Value> = Map::new();
        for text in DESCRIPTIONS {
            // That each can be read is a test's business.
            said.extend(serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default());
        }
        let mut schemas = said.remove("schemas");
        let describe = |row: &Row| {
            let mut own = said.get(&row.name()).cloned().unwrap_or_default();
            if own.is_object() {
                own["admin"] = true.into();
                // Once is enough for all.
                if let Some(schemas) = schemas.take() {
                    own["schemas"] = schemas;
                }
            }
            own.to_string()
        };
        ROWS.iter().map(describe).collect()
    });
    &ALL
}
