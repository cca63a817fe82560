//! `GET /admin/v1/whoami`

use serde_json::json;

use super::access::word;
use super::call::{Answered, Call};

pub(super) async fn get(call: Call) -> Answered {
    let admin = call.admin()?;
    Ok(json!({
        "object": "admin",
        "id": admin.name,
        "role": word(admin.role),
        "organization_id": admin.organization_id,
        "address": admin.address,
    })
    .into())
}
