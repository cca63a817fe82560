//! What is promised of a store.

mod entities;

use crate::Case;

/// Names cases.
macro_rules! cases {
    ($($module:ident::$case:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($case)), |place| Box::pin($module::$case(place)))),*]
    };
}

/// Of all databases.
pub(crate) const CASES: &[Case] = cases![
    entities::organizations_are_made_read_and_changed,
    entities::projects_belong_to_organizations,
    entities::the_default_project_is_made_once,
    entities::keys_and_logins_are_read_as_they_were_made,
    entities::a_key_is_rotated,
    entities::admin_keys_are_made_and_changed,
    entities::what_was_changed_meanwhile_is_not_overwritten,
];

/// Of databases that several instances share.
pub(crate) const SHARED: &[Case] = cases![];

/// Of SQLite's files.
pub(crate) const SQLITE: &[Case] = cases![];

/// Of PostgreSQL.
pub(crate) const POSTGRES: &[Case] = cases![];
