use super::{Office, now};

#[test]
fn a_script_gets_the_key_alone_and_nobody_gets_it_again() {
    let office = Office::new("keys-script");
    let ran = office.run(&["keys", "create", "--name", "ci"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let key = ran.stdout.strip_suffix('\n').unwrap();
    assert!(key.starts_with("sk-oc-") && !key.contains(['\n', ' ']), "{key}");
    assert!(
        ran.stderr.contains("Made the key 'ci'") && ran.stderr.contains("default/default"),
        "{ran:?}"
    );
    let secret = key.rsplit('-').next().unwrap();
    let prefix = key.strip_suffix(&format!("-{secret}")).unwrap();
    for arguments in [
        &["keys", "list"][..],
        &["keys", "list", "--table"],
        &["keys", "show", prefix],
        &["keys", "show", key],
        &["audit"],
    ] {
        let shown = office.printed(arguments);
        assert!(shown.contains("ci") && !shown.contains(secret), "{shown}");
    }
    assert!(!ran.stderr.contains(secret));
}

#[test]
fn flags_say_all_that_a_key_may_do() {
    let office = Office::new("keys-flags").with("key.json", r#"{"requests_per_minute": 5, "region": "eu-west-1"}"#);
    let (_, key) = office.key(&[
        "--project=acme/search",
        "--create",
        "--user=ann",
        "--expires=90d",
        "--models=claude-*,nova-lite",
        "--endpoints=chat/*,/v1/embeddings",
        "--networks=10.0.0.0/8",
        "--rpm=60",
        "--tpm=100000",
        "--concurrent-streams=4",
        "--budget=100/month",
        "--budget=$5/day",
        "--soft-budget=80/month",
        "--warn-at=80%",
        "--settings=key.json",
        "--set=metadata.cost=42",
        "--set=parameters.temperature=0.2",
        "--set=prompt_caching=auto",
    ]);
    let expected = serde_json::json!({
        "allowed_models": ["claude-*", "nova-lite"],
        "allowed_endpoints": ["/v1/chat/*", "/v1/embeddings"],
        "allowed_networks": ["10.0.0.0/8"],
        "requests_per_minute": 60,
        "tokens_per_minute": 100_000,
        "concurrent_streams": 4,
        "budgets": [
            {"period": "month", "limit_usd": 100.0, "warn_at": 0.8},
            {"period": "day", "limit_usd": 5.0, "warn_at": 0.8},
            {"period": "month", "limit_usd": 80.0, "warn_at": 0.8, "soft": true},
        ],
        "parameters": {"temperature": 0.2},
        "prompt_caching": "auto",
        "metadata": {"cost": "42"},
        "region": "eu-west-1",
    });
    assert_eq!(key["settings"], expected);
    assert_eq!((&key["project"], &key["user"]), (&"acme/search".into(), &"ann".into()));
    let ends = key["expires_at"].as_i64().unwrap() - now();
    assert!((89 * 86_400..=90 * 86_400).contains(&ends), "{ends}");

    let id = key["id"].as_str().unwrap();
    let changed = office.json(&[
        "keys",
        "update",
        id,
        "--unset=models",
        "--unset=metadata.cost",
        "--unset=networks",
        "--budget=7/day",
        "--expires=never",
        "--user=",
        "--name=other",
    ]);
    assert_eq!(changed["settings"].get("allowed_models"), None);
    assert_eq!(changed["settings"].get("metadata"), None);
    assert_eq!(changed["settings"]["budgets"][1]["limit_usd"], 7.0);
    assert_eq!(changed["settings"]["requests_per_minute"], 60);
    assert!(
        changed["expires_at"].is_null() && changed["user"].is_null(),
        "{changed}"
    );
    assert!(office.refused(&["keys", "update", id]).contains("nothing is different"));
    let shown = office.printed(&["keys", "show", "other", "--table"]);
    assert!(
        shown.contains("$7.00/day (warns from 80%)") && shown.contains("never"),
        "{shown}"
    );
}

#[test]
fn mistakes_say_what_to_do_next() {
    let office = Office::new("keys-mistakes");
    office.key(&["--project=acme/search", "--create"]);
    for (arguments, told) in [
        (
            &["--project=acme/serach"][..],
            "did you mean 'acme/search'? (--create makes it)",
        ),
        (
            &["--project=acme"],
            "write ORGANIZATION/PROJECT; did you mean acme/search?",
        ),
        (&["--project=a/b/c", "--create"], "must not have a '/'"),
        (&["--expires=2020-01-01"], "2020-01-01 00:00 UTC has passed"),
        (&["--set=region=mars"], "'region' must be an AWS region"),
        (&["--set=rmp=5"], "unknown field `rmp`"),
        (&["--networks=10.0.0.1/8"], "'allowed_networks[0]' has bits set"),
        (&["--warn-at=0.5"], "add one such as --budget 100/month"),
        (&["--settings=gone.json"], "cannot read gone.json"),
        (&["--name= x"], "must not begin or end with a space"),
    ] {
        let said = office.refused(&[&["keys", "create"], arguments].concat());
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    for (arguments, told) in [
        (["keys", "create", "--budget=100"], "such as 100/month"),
        (
            ["keys", "create", "--budget=1/year"],
            "periods are day, week, month and total",
        ),
        (["keys", "create", "--rpm=0"], "0 is not in"),
        (["keys", "create", "--expires=soon"], "write a span such as 90d"),
    ] {
        let ran = office.run(&arguments);
        assert!(ran.status == 2 && ran.stderr.contains(told), "{ran:?}");
    }
    // None of it has made anything.
    assert_eq!(office.json(&["keys", "list"])["data"].as_array().unwrap().len(), 1);
    assert_eq!(office.json(&["tenants", "list"])["data"].as_array().unwrap().len(), 1);
    let said = office.refused(&["keys", "revoke", "key_00000000000000000000"]);
    assert!(said.contains("there is no key or login"), "{said}");
}

#[test]
fn keys_are_rotated_disabled_and_revoked() {
    let office = Office::new("keys-life");
    let (old, view) = office.key(&["--name=ci", "--rpm=9"]);
    let id = view["id"].as_str().unwrap();
    let new = office.printed(&["keys", "rotate", id, "--overlap", "2h"]);
    assert!(new.starts_with("sk-oc-") && new.trim_end() != old);
    let list = office.json(&["keys", "list"]);
    let [first, second] = &list["data"].as_array().unwrap()[..] else {
        panic!("{list}")
    };
    assert!(
        (7100..=7200).contains(&(first["expires_at"].as_i64().unwrap() - now())),
        "{first}"
    );
    assert_eq!(
        (&second["rotated_from"], &second["settings"]),
        (&first["id"], &first["settings"])
    );

    let other = second["id"].as_str().unwrap();
    assert_eq!(
        office.json(&["keys", "disable", other])["data"][0]["status"],
        "disabled"
    );
    assert_eq!(office.json(&["keys", "enable", other])["data"][0]["status"], "active");
    let ambiguous = office.refused(&["keys", "revoke", "ci"]);
    assert!(ambiguous.contains("several are called 'ci'"), "{ambiguous}");
    let said = office.printed(&["keys", "revoke", id, other, "--table"]);
    assert_eq!(said.matches("Revoked the key").count(), 2, "{said}");
    assert!(
        office
            .printed(&["keys", "revoke", id, "--table"])
            .contains("is revoked already")
    );
    assert!(office.refused(&["keys", "enable", id]).contains("for ever"));
    assert_eq!(office.json(&["keys", "list"])["data"].as_array().unwrap().len(), 0);
    assert_eq!(
        office.json(&["keys", "list", "--all"])["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let log = office.json(&["audit", "--object", id]);
    let actions: Vec<&str> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["key.revoke", "key.rotate", "key.create"]);
    assert!(
        log["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["actor"] == "cli:ann")
    );
}

#[test]
fn logins_and_admins_have_commands_of_their_own() {
    let office = Office::new("keys-logins");
    let arn = "arn:aws:iam::123456789012:role/search-*";
    let login = office.json(&[
        "logins",
        "create",
        "-p",
        "acme/search",
        "--create",
        "--iam",
        arn,
        "--rpm",
        "5",
    ]);
    assert_eq!((&login["object"], &login["iam"]["arn"]), (&"login".into(), &arn.into()));
    let said = office.run(&["logins", "create", "--issuer=https://gone.example.com", "--claim=a=b"]);
    assert!(
        said.stderr.contains("until the gateway's [[issuers]] name it"),
        "{said:?}"
    );
    office.printed(&["logins", "revoke", "a=b"]);
    let jwt = office.json(&[
        "logins",
        "create",
        "--issuer=https://login.example.com",
        "--claim=groups=search",
    ]);
    assert_eq!(jwt["jwt"]["claims"]["groups"], "search");
    assert_eq!(office.json(&["logins", "list"])["data"].as_array().unwrap().len(), 2);
    assert_eq!(office.json(&["keys", "list"])["data"].as_array().unwrap().len(), 0);
    let id = login["id"].as_str().unwrap();
    assert!(office.refused(&["keys", "revoke", id]).contains("see outcrop logins"));
    assert_eq!(office.json(&["logins", "revoke", id])["data"][0]["status"], "deleted");
    assert!(
        office
            .refused(&["logins", "create", "--iam", "*"])
            .contains("must be the ARN")
    );
    assert_eq!(office.run(&["logins", "create"]).status, 2);

    let key = office.printed(&[
        "admins",
        "create",
        "--role",
        "billing",
        "--organization",
        "acme",
        "--expires",
        "1d",
    ]);
    assert!(key.starts_with("sk-oca-"), "{key}");
    let list = office.json(&["admins", "list"]);
    assert_eq!(list["data"][0]["role"], "billing");
    assert!(office.printed(&["admins", "list", "--table"]).contains("acme"));
    let id = list["data"][0]["id"].as_str().unwrap();
    assert!(
        office
            .printed(&["admins", "revoke", id, "--table"])
            .starts_with("Revoked")
    );
    assert!(office.json(&["admins", "list"])["data"].as_array().unwrap().is_empty());
    assert_eq!(office.run(&["admins", "create", "--role", "boss"]).status, 2);
}

#[test]
fn each_command_has_an_example() {
    let office = Office::new("keys-help");
    for group in ["keys", "logins", "tenants", "budget", "admins"] {
        let help = office.printed(&[group, "--help"]);
        let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
        for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
            if command != "help" {
                let help = office.printed(&[group, command, "--help"]);
                assert!(help.contains("Example"), "{group} {command}");
            }
        }
    }
}
