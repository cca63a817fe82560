use super::Office;

/// 2026-10-24T22:30:00Z: the next day in Paris, the last one of summer time.
const LATE: i64 = 1_792_881_000;

fn asked(name: &str) -> Office {
    let office = Office::new(name);
    let (_, one) = office.key(&["-p", "acme/search", "--create", "--name", "one"]);
    let (_, two) = office.key(&["-p", "acme/chat", "--create", "--name", "two"]);
    office.ask(&one, 1, LATE, "ann", "0.25");
    office.ask(&one, 2, LATE + 3600, "=bob", "0.5");
    office.ask(&two, 3, LATE + 7200, "ann", "1.000000001");
    office
}

const OCTOBER: [&str; 4] = ["--from", "2026-10-01", "--to", "2026-10-31"];

#[test]
fn sums_are_by_what_is_asked_in_the_time_zone_that_is_asked() {
    let office = asked("usage-sums");
    let sums = |by: &[&str]| office.json(&[&["usage"], by, &OCTOBER].concat());
    let by_project = sums(&["--by", "project"]);
    assert_eq!(by_project["data"][0]["project"], "acme/chat", "the dearest is first");
    assert_eq!(by_project["data"][1]["requests"], 2);
    assert_eq!(by_project["total"]["cost_usd"], 1.750_000_001);
    assert_eq!(by_project["total"]["tokens"]["input"], 3600);
    let days = |zone: &str| {
        let sums = sums(&["--by", "day", "--time-zone", zone]);
        let rows = sums["data"].as_array().unwrap().iter();
        rows.map(|row| {
            (
                row["day"].as_str().unwrap().to_owned(),
                row["requests"].as_u64().unwrap(),
            )
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        days("UTC"),
        [("2026-10-24".to_owned(), 2), ("2026-10-25".to_owned(), 1)]
    );
    assert_eq!(days("Europe/Paris"), [("2026-10-25".to_owned(), 3)]);
    let of_one = sums(&["--by", "user,hour", "--key", "one"]);
    assert_eq!(of_one["data"].as_array().unwrap().len(), 2);
    assert_eq!(of_one["data"][0]["hour"], "2026-10-24 22:00+00:00");
    assert_eq!(sums(&["--user", "ann"])["total"]["requests"], 2);
    assert_eq!(
        sums(&["--model", "nova", "--project", "acme/chat"])["total"]["requests"],
        1
    );
    assert_eq!(office.json(&["usage", "--last", "1h"])["total"]["requests"], 0);
}

#[test]
fn people_get_a_table_and_spreadsheets_no_formulas() {
    let office = asked("usage-table");
    let table = office.printed(&[&["usage", "--by", "key,user", "--table"], &OCTOBER[..]].concat());
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "From 2026-10-01 00:00 +00:00 to 2026-11-01 00:00 +00:00");
    assert!(lines[2].starts_with("KEY    USER  REQUESTS"), "{table}");
    assert!(
        lines[6].starts_with("TOTAL") && lines[6].contains("$1.750000001"),
        "{table}"
    );
    let csv = office.printed(&[&["usage", "--by", "key,user", "--csv"], &OCTOBER[..]].concat());
    assert!(csv.starts_with("key_id,key,user,requests,"), "{csv}");
    assert!(csv.contains(",one,'=bob,1,0,") && csv.lines().count() == 4, "{csv}");
}

#[test]
fn mistakes_are_told() {
    let office = asked("usage-mistakes");
    let from = office.refused(&["usage", "--from", "2026-11-02", "--to", "2026-11-01"]);
    assert!(from.contains("--from must be before --to"), "{from}");
    assert!(
        office
            .refused(&["usage", "--project", "acme/cat"])
            .contains("did you mean 'acme/chat'?")
    );
    for wrong in [
        ["--by", "colour"],
        ["--time-zone", "Mars/Olympus"],
        ["--last", "soon"],
        ["--from", "yesterday"],
    ] {
        assert_eq!(office.run(&[&["usage"], &wrong[..]].concat()).status, 2, "{wrong:?}");
    }
}
