//! `GET /admin/v1/audit_log`

use outcrop_tenants::AuditEntry;

use super::call::{Answered, Call};
use super::paging::{self, Ask};
use super::{problems, view};

pub(super) async fn list(call: Call) -> Answered {
    let ask = Ask::read(&call.query, &["object", "actor", "action"])?;
    let object = ask.filter("object");
    if object.is_some_and(|object| object.contains(char::is_control)) {
        return Err(problems::invalid("object", "must be an id"));
    }
    let own = call.admin()?.organization_id.as_deref();
    // The log of an organization is of all that it has and had.
    let asked = own.or(object).map(ToOwned::to_owned);
    let fetch = |page| {
        let (store, asked) = (call.store.clone(), asked.clone());
        async move { store.audit_log(asked.as_deref(), &page).await }
    };
    let keep = |entry: &AuditEntry| {
        let is_object = own.is_none() || own == object || object.is_none_or(|object| entry.object == object);
        is_object
            && ask.filter("actor").is_none_or(|actor| entry.actor == actor)
            && ask.filter("action").is_none_or(|action| entry.action == action)
    };
    let page = ask.collect(fetch, keep).await?;
    Ok(paging::list(page, view::audit_entry))
}
