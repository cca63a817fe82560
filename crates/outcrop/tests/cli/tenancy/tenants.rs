use crate::run::{Place, finish};

use super::{Office, now};

#[test]
fn organizations_and_projects_are_a_tree() {
    let office = Office::new("tenants-tree");
    assert!(
        office
            .refused(&["tenants", "create", "acme/search"])
            .contains("(--create makes it)")
    );
    office.printed(&[
        "tenants",
        "create",
        "acme",
        "--rpm",
        "600",
        "--set",
        "session_tags.Team=search",
    ]);
    let project = office.json(&["tenants", "create", "acme/search", "--models", "nova*"]);
    assert_eq!(project["organization"], "acme");
    assert!(
        office
            .refused(&["tenants", "create", "acme"])
            .contains("exists already")
    );
    let (_, key) = office.key(&["-p", "acme/search"]);
    office.ask(&key, 1, now(), "ann", "1.25");

    let list = office.json(&["tenants", "list"]);
    let acme = &list["data"][0];
    assert_eq!(
        (&acme["keys"], &acme["projects"][0]["name"]),
        (&1.into(), &"search".into())
    );
    assert_eq!(acme["spent_this_month_usd"], 1.25);
    let table = office.printed(&["tenants", "list", "--table"]);
    assert!(
        table.lines().nth(2).unwrap().starts_with("  search  proj_") && table.contains("$1.25"),
        "{table}"
    );

    assert_eq!(
        office.json(&["tenants", "update", "acme", "--name", "corp"])["name"],
        "corp"
    );
    assert_eq!(
        office.json(&["tenants", "disable", "corp/search"])["status"],
        "disabled"
    );
    assert_eq!(office.json(&["tenants", "enable", "corp/search"])["status"], "active");
    let shown = office.printed(&["tenants", "show", "corp", "--table"]);
    assert!(shown.contains("Team=search") && shown.contains("600"), "{shown}");
    // Nobody is asked where there is no terminal, and so nothing is deleted.
    assert!(office.refused(&["tenants", "delete", "corp"]).contains("Say --yes"));
    assert_eq!(
        office.json(&["tenants", "delete", "corp", "--yes"])["status"],
        "deleted"
    );
    assert!(
        office
            .refused(&["tenants", "show", "corp"])
            .contains("there is no organization 'corp'")
    );
}

#[test]
fn budgets_are_set_seen_and_removed() {
    let office = Office::new("tenants-budgets");
    let (_, key) = office.key(&["-p", "acme/search", "--create", "--name", "ci", "--budget", "2/month"]);
    office.ask(&key, 1, now(), "ann", "1.70");
    office.printed(&["budget", "set", "acme", "10/month", "--warn-at", "0.1"]);
    office.printed(&["budget", "set", "acme/search", "1/day", "--soft"]);
    office.printed(&["budget", "set", key["id"].as_str().unwrap(), "2.5/month"]);
    let list = office.json(&["budget", "list"]);
    let rows = list["data"].as_array().unwrap();
    let states: Vec<_> = rows
        .iter()
        .map(|row| (row["scope"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [("organization", "warning"), ("project", "exceeded"), ("key", "ok")]
    );
    assert_eq!(
        (&rows[2]["spent_usd"], &rows[2]["remaining_usd"]),
        (&1.7.into(), &0.8.into())
    );
    let table = office.printed(&["budget", "list", "--project", "acme/search", "--table"]);
    assert!(
        table.contains("██████░░░░ 68%") && table.contains("170% exceeded"),
        "{table}"
    );
    let left = office.json(&["budget", "remove", "acme/search", "day"]);
    assert!(left["data"].as_array().unwrap().is_empty());
    assert!(
        office
            .refused(&["budget", "remove", "acme/search", "day"])
            .contains("no such budget")
    );
    assert!(
        office
            .refused(&["budget", "set", "acme/serch", "1/day"])
            .contains("did you mean 'acme/search'?")
    );
    assert_eq!(office.run(&["budget", "set", "acme", "ten"]).status, 2);
}

#[test]
fn without_a_database_there_is_nothing_to_look_at() {
    let place = Place::new("tenants-nowhere");
    let ran = finish(place.outcrop(&["keys", "list"]).env("OUTCROP_DATABASE", "none"));
    assert!(ran.status == 1 && ran.stderr.contains("--database"), "{ran:?}");
    let ran = place.run(&["keys", "list"]);
    assert!(
        ran.status == 1 && ran.stderr.contains("set `database` or `state_dir`"),
        "{ran:?}"
    );
    let ran = place.run(&["keys", "create", "--state-dir", "state"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(place.path("state/outcrop.db").exists());
}
