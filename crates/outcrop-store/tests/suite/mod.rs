//! What is promised of a store.

mod away;
mod directory;
mod entities;
mod log;
mod opening;
mod usage;

pub(crate) use opening::open_as_told;

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
    directory::it_has_what_is_different,
    directory::a_change_of_our_own_is_seen_at_once,
    directory::nothing_is_missed_that_tasks_write,
    log::each_change_leaves_a_line,
    log::it_is_paged_newest_first,
    log::names_taken_at_once_are_given_once,
    log::the_secret_is_made_once,
    log::what_may_be_used_once_is_used_once,
    usage::records_are_read_as_they_were_written,
    usage::words_of_clients_do_no_harm,
    usage::a_record_counts_once_whoever_writes_it,
    usage::sums_are_by_time_and_group,
    usage::a_filter_holds_for_records_and_sums,
    usage::spending_is_by_period,
    usage::changes_of_sums_are_read_alone,
    usage::what_a_client_pays_itself_is_in_no_sum,
    usage::pages_go_on_where_they_ended,
    usage::pages_of_other_lists_are_refused,
    usage::old_usage_is_forgotten_but_not_its_cost,
    opening::it_answers_until_it_is_closed,
    opening::it_is_copied_or_says_why_not,
];

/// Of databases that several instances share.
pub(crate) const SHARED: &[Case] = cases![
    directory::a_change_of_another_instance_is_seen,
    directory::nothing_is_missed_that_instances_write,
    opening::it_is_there_after_it_was_closed,
    opening::tasks_open_it_at_once,
    opening::processes_open_it_at_once,
    opening::a_later_versions_is_refused,
    opening::the_audit_log_is_only_added_to,
    opening::what_is_not_understood_may_not_be_used,
];

/// Of SQLite's files.
pub(crate) const SQLITE: &[Case] = cases![opening::the_file_is_for_its_owner, opening::a_copy_is_a_database,];

/// Of PostgreSQL.
pub(crate) const POSTGRES: &[Case] = cases![
    away::a_server_that_is_not_there_is_told,
    away::a_server_that_says_nothing_is_given_up,
    away::it_goes_on_when_the_server_is_back,
    away::a_change_that_was_left_alone_holds_nobody_up,
];
