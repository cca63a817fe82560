//! Usage, and what was spent.

use std::collections::BTreeMap;

use outcrop_store::{Bucket, Filter, GroupBy, Page, SpendScope, Store, StoreError, UsageQuery};
use outcrop_tenants::{Estimate, Id, Money, Period, TokenCounts, UsageRecord};

use crate::support::{Place, all, page};

/// 2026-11-21 21:46:08 UTC, a Saturday.
const THEN: i64 = 1_795_297_568_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn record(number: u32) -> UsageRecord {
    UsageRecord {
        id: format!("{number:032x}"),
        request_id: format!("req_{number}"),
        aws_request_id: "aws".to_owned(),
        at: THEN,
        organization_id: Some("org_a".to_owned()),
        project_id: Some("proj_a".to_owned()),
        key_id: Some("key_a".to_owned()),
        user: "somebody".to_owned(),
        endpoint: "/v1/chat/completions".to_owned(),
        operation: "completions".to_owned(),
        model: "fast".to_owned(),
        called_model: "us.anthropic.claude".to_owned(),
        base_model: "claude".to_owned(),
        region: "us-east-1".to_owned(),
        account: "main".to_owned(),
        route: "converse".to_owned(),
        tier: "default".to_owned(),
        is_stream: true,
        tokens: TokenCounts {
            input: 100,
            output: 20,
            cache_read: 3,
            cache_write: 4,
            cache_write_1h: 5,
            reasoning: 6,
            images: 7,
            searches: 8,
        },
        estimate: Estimate::Exact,
        cost: Some(Money::from_nanos(1_000_001)),
        cache_savings: Money::from_nanos(-5),
        status: 200,
        outcome: "completed".to_owned(),
        error_type: String::new(),
        attempts: 2,
        is_cache_hit: false,
        first_byte_ms: Some(12),
        duration_ms: 345,
        metadata: [("team".to_owned(), "búsqueda".to_owned())].into(),
    }
}

fn sums(bucket: Bucket, group_by: &[GroupBy]) -> UsageQuery {
    UsageQuery {
        filter: Filter::default(),
        bucket,
        group_by: group_by.to_vec(),
    }
}

async fn spent(store: &Store, scope: SpendScope, id: &str, at: i64) -> BTreeMap<Period, i64> {
    let totals = store.spend_of(scope, &Id::from(id), at / 1000).await.unwrap();
    assert_eq!(totals.len(), 4);
    totals
        .into_iter()
        .map(|total| (total.period, total.spent.nanos()))
        .collect()
}

pub(crate) async fn records_are_read_as_they_were_written(place: Place) {
    let store = place.open().await;
    let nothing = UsageRecord {
        id: "0".repeat(32),
        at: THEN - 1,
        ..UsageRecord::default()
    };
    let all_set = record(1);
    assert_eq!(store.add_usage(&[]).await.unwrap(), 0);
    let written = [all_set.clone(), nothing.clone(), all_set.clone()];
    assert_eq!(store.add_usage(&written).await.unwrap(), 2);
    assert_eq!(store.add_usage(&written).await.unwrap(), 0);
    let read = store.usage_records(&Filter::default(), &all()).await.unwrap();
    assert_eq!(read.items, [all_set, nothing]);
    assert_eq!(read.next, None);
}

/// What clients choose must not keep others' usage from being written.
pub(crate) async fn words_of_clients_do_no_harm(place: Place) {
    let store = place.open().await;
    let odd = UsageRecord {
        user: "\0'; DROP TABLE usage_records; --".to_owned(),
        model: "é".repeat(100_000),
        request_id: "x".repeat(100_000),
        tokens: TokenCounts {
            input: u64::MAX,
            output: u64::MAX,
            ..TokenCounts::default()
        },
        cost: Some(Money::from_nanos(i64::MAX)),
        duration_ms: u64::MAX,
        metadata: [("\0".to_owned(), "\0".to_owned())].into(),
        ..record(1)
    };
    let other = UsageRecord {
        id: "f".repeat(32),
        ..odd.clone()
    };
    assert_eq!(store.add_usage(&[odd, other, record(2)]).await.unwrap(), 3);
    let rows = store.usage(&sums(Bucket::Whole, &[])).await.unwrap();
    assert_eq!(rows[0].requests, 3);
    assert!(rows[0].tokens.input > 1_000_000_000);
    let read = store.usage_records(&Filter::default(), &all()).await.unwrap();
    assert_eq!(read.items[0].user, "\u{fffd}'; DROP TABLE usage_records; --");
    assert_eq!(read.items[0].model.len(), 1024);
}

pub(crate) async fn a_record_counts_once_whoever_writes_it(place: Place) {
    let store = place.open().await;
    let records: Vec<UsageRecord> = (0..600)
        .map(|number| UsageRecord {
            key_id: Some(format!("key_{}", number % 7)),
            project_id: Some(format!("proj_{}", number % 3)),
            ..record(number)
        })
        .collect();
    // Each task writes all of them in parts, in an order of its own, as instances do that replay a journal.
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let store = store.clone();
            let mut mine = records.clone();
            mine.rotate_left(task * 71);
            if task % 2 == 1 {
                mine.reverse();
            }
            tokio::spawn(async move {
                let mut new = 0;
                for some in mine.chunks(150 + task) {
                    new += store.add_usage(some).await.unwrap();
                }
                new
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += task.await.unwrap();
    }
    assert_eq!(new, 600);
    let rows = store.usage(&sums(Bucket::Whole, &[])).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].requests, 600);
    assert_eq!(rows[0].tokens.input, 60_000);
    assert_eq!(rows[0].cost.nanos(), 600 * 1_000_001);
    let mut by_key = 0;
    for key in 0..7 {
        by_key += spent(&store, SpendScope::Key, &format!("key_{key}"), THEN).await[&Period::Day];
    }
    let organization = spent(&store, SpendScope::Organization, "org_a", THEN).await;
    assert_eq!(by_key, rows[0].cost.nanos());
    assert!(organization.values().all(|spent| *spent == rows[0].cost.nanos()));
    let totals = store.spend(THEN / 1000).await.unwrap();
    assert_eq!(totals.len(), (1 + 3 + 7) * 4);
}

pub(crate) async fn sums_are_by_time_and_group(place: Place) {
    let store = place.open().await;
    let failed = UsageRecord {
        at: THEN + MINUTE,
        key_id: None,
        outcome: "failed".to_owned(),
        cost: None,
        ..record(1)
    };
    let cached = UsageRecord {
        at: THEN + 30 * MINUTE,
        is_cache_hit: true,
        base_model: "other".to_owned(),
        ..record(2)
    };
    let estimated = UsageRecord {
        at: THEN + DAY,
        estimate: Estimate::Estimated,
        ..record(3)
    };
    store.add_usage(&[record(0), failed, cached, estimated]).await.unwrap();

    let whole = store.usage(&sums(Bucket::Whole, &[])).await.unwrap();
    assert_eq!(whole.len(), 1);
    let row = &whole[0];
    assert_eq!((row.start, row.requests, row.failed), (0, 4, 1));
    assert_eq!((row.cache_hits, row.estimated, row.unpriced), (1, 1, 1));
    assert_eq!((row.tokens.searches, row.tokens.cache_write_1h), (32, 20));
    assert_eq!((row.cost.nanos(), row.cache_savings.nanos()), (3_000_003, -20));
    assert_eq!(row.group, Vec::<String>::new());

    let starts = |bucket| {
        let store = store.clone();
        async move {
            let rows = store.usage(&sums(bucket, &[])).await.unwrap();
            rows.iter().map(|row| (row.start, row.requests)).collect::<Vec<_>>()
        }
    };
    let minute = THEN - THEN % MINUTE;
    let quarter = THEN - THEN % (15 * MINUTE);
    let day = THEN - THEN % DAY;
    assert_eq!(
        starts(Bucket::Minute).await,
        [
            (minute, 1),
            (minute + MINUTE, 1),
            (minute + 30 * MINUTE, 1),
            (minute + DAY, 1)
        ]
    );
    assert_eq!(
        starts(Bucket::Quarter).await,
        [(quarter, 2), (quarter + 30 * MINUTE, 1), (quarter + DAY, 1)]
    );
    assert_eq!(starts(Bucket::Day).await, [(day, 3), (day + DAY, 1)]);

    let rows = store
        .usage(&sums(Bucket::Day, &[GroupBy::Model, GroupBy::Key]))
        .await
        .unwrap();
    let groups: Vec<_> = rows
        .iter()
        .map(|row| (row.start, row.group.join(" "), row.requests))
        .collect();
    let expected = [
        (day, "claude ", 1),
        (day, "claude key_a", 1),
        (day, "other key_a", 1),
        (day + DAY, "claude key_a", 1),
    ];
    assert_eq!(
        groups,
        expected.map(|(start, group, count)| (start, group.to_owned(), count))
    );
    let by = [
        GroupBy::Organization,
        GroupBy::Project,
        GroupBy::Key,
        GroupBy::User,
        GroupBy::Model,
        GroupBy::CalledModel,
        GroupBy::Operation,
        GroupBy::Region,
        GroupBy::Account,
        GroupBy::Tier,
        GroupBy::Endpoint,
    ];
    let rows = store.usage(&sums(Bucket::Minute, &by)).await.unwrap();
    assert_eq!(
        rows[0].group.join(" "),
        "org_a proj_a key_a somebody claude us.anthropic.claude completions us-east-1 main default \
         /v1/chat/completions"
    );
}

pub(crate) async fn a_filter_holds_for_records_and_sums(place: Place) {
    let store = place.open().await;
    let other = UsageRecord {
        at: THEN + MINUTE,
        organization_id: Some("org_b".to_owned()),
        project_id: Some("proj_b".to_owned()),
        key_id: Some("key_b".to_owned()),
        user: "else".to_owned(),
        model: "slow".to_owned(),
        called_model: "nova".to_owned(),
        base_model: "amazon.nova".to_owned(),
        operation: "embeddings".to_owned(),
        ..record(1)
    };
    let none = UsageRecord {
        organization_id: None,
        project_id: None,
        key_id: None,
        at: THEN - MINUTE,
        ..record(2)
    };
    store.add_usage(&[record(0), other, none]).await.unwrap();
    let text = |text: &str| vec![text.to_owned()];
    let any = Filter::default;
    let cases = [
        (any(), "1 0 2"),
        (
            Filter {
                from: Some(THEN),
                ..any()
            },
            "1 0",
        ),
        (
            Filter {
                until: Some(THEN),
                ..any()
            },
            "2",
        ),
        (
            Filter {
                organization_id: Some("org_a".to_owned()),
                ..any()
            },
            "0",
        ),
        (
            Filter {
                organization_id: Some("org_".to_owned()),
                ..any()
            },
            "",
        ),
        (
            Filter {
                project_ids: vec!["proj_a".to_owned(), "proj_b".to_owned()],
                ..any()
            },
            "1 0",
        ),
        (
            Filter {
                key_ids: text("key_b"),
                ..any()
            },
            "1",
        ),
        (
            Filter {
                users: text("else"),
                ..any()
            },
            "1",
        ),
        (
            Filter {
                models: text("slow"),
                ..any()
            },
            "1",
        ),
        (
            Filter {
                models: text("nova"),
                ..any()
            },
            "1",
        ),
        (
            Filter {
                models: vec!["amazon.nova".to_owned(), "claude".to_owned()],
                ..any()
            },
            "1 0 2",
        ),
        (
            Filter {
                operations: text("embeddings"),
                ..any()
            },
            "1",
        ),
        (
            Filter {
                request_id: Some("req_0".to_owned()),
                ..any()
            },
            "0",
        ),
        (
            Filter {
                organization_id: Some("org_a".to_owned()),
                key_ids: text("key_b"),
                ..any()
            },
            "",
        ),
    ];
    for (filter, expected) in cases {
        let records = store.usage_records(&filter, &all()).await.unwrap();
        let found: Vec<&str> = records
            .items
            .iter()
            .map(|record| record.request_id.trim_start_matches("req_"))
            .collect();
        assert_eq!(found.join(" "), expected, "{filter:?}");
        let query = UsageQuery {
            filter,
            ..sums(Bucket::Whole, &[])
        };
        let rows = store.usage(&query).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.requests).sum::<u64>(), found.len() as u64);
    }
}

pub(crate) async fn spending_is_by_period(place: Place) {
    let store = place.open().await;
    // The last millisecond of November, a Monday, and the first of December.
    let december = 1_796_083_200_000;
    let records = [
        UsageRecord {
            at: december - 1,
            ..record(1)
        },
        UsageRecord {
            at: december,
            ..record(2)
        },
        UsageRecord {
            at: december + 7 * DAY,
            ..record(3)
        },
        UsageRecord {
            at: december,
            cost: None,
            ..record(4)
        },
        UsageRecord {
            at: december,
            cost: Some(Money::ZERO),
            ..record(5)
        },
    ];
    store.add_usage(&records).await.unwrap();
    let one = 1_000_001;
    let at = |at| {
        let store = store.clone();
        async move {
            let spent = spent(&store, SpendScope::Project, "proj_a", at).await;
            Period::ALL.map(|period| spent[&period] / one)
        }
    };
    assert_eq!(at(december - 1).await, [1, 2, 1, 3]);
    assert_eq!(at(december).await, [1, 2, 2, 3]);
    assert_eq!(at(december + 7 * DAY).await, [1, 1, 2, 3]);
    assert_eq!(at(december + 100 * DAY).await, [0, 0, 0, 3]);
    let later = store.spend((december + 100 * DAY) / 1000).await.unwrap();
    assert_eq!(later.len(), 3);
    assert!(
        later
            .iter()
            .all(|total| total.period == Period::Total && total.start == 0)
    );
    let none = spent(&store, SpendScope::Key, "key_none", december).await;
    assert!(none.values().all(|spent| *spent == 0));
}

pub(crate) async fn changes_of_sums_are_read_alone(place: Place) {
    let store = place.open().await;
    let of = |number, key: &str| UsageRecord {
        key_id: Some(key.to_owned()),
        organization_id: None,
        project_id: None,
        ..record(number)
    };
    let now = THEN / 1000;
    store.add_usage(&[of(1, "key_a"), of(2, "key_b")]).await.unwrap();
    let first = store.spend_since(None, now).await.unwrap();
    assert!(first.is_whole);
    assert_eq!(first.totals.len(), 2 * 4);
    let same = store.spend_since(Some(first.version), now).await.unwrap();
    assert_eq!(
        (same.version, same.is_whole, same.totals.len()),
        (first.version, false, 0)
    );
    // What is there already changes nothing.
    store.add_usage(&[of(1, "key_a")]).await.unwrap();
    assert_eq!(store.spend_since(Some(first.version), now).await.unwrap(), same);
    store.add_usage(&[of(3, "key_b"), of(4, "key_c")]).await.unwrap();
    let changed = store.spend_since(Some(first.version), now).await.unwrap();
    assert!(changed.version > first.version && !changed.is_whole);
    let mut keys: Vec<(&str, i64)> = changed
        .totals
        .iter()
        .filter(|total| total.period == Period::Day)
        .map(|total| (total.id.as_str(), total.spent.nanos()))
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, [("key_b", 2 * 1_000_001), ("key_c", 1_000_001)]);
    // A backup was put back.
    let back = store.spend_since(Some(changed.version + 1), now).await.unwrap();
    assert!(back.is_whole);
    assert_eq!(back.totals.len(), 3 * 4);
}

pub(crate) async fn what_a_client_pays_itself_is_in_no_sum(place: Place) {
    let store = place.open().await;
    let own = UsageRecord {
        account: UsageRecord::CLIENTS_ACCOUNT.to_owned(),
        ..record(1)
    };
    assert_eq!(store.add_usage(&[own]).await.unwrap(), 1);
    assert_eq!(store.spend(THEN / 1000).await.unwrap(), []);
    let rows = store.usage(&sums(Bucket::Whole, &[])).await.unwrap();
    assert_eq!(rows[0].cost.nanos(), 1_000_001, "it is told all the same");
}

pub(crate) async fn pages_go_on_where_they_ended(place: Place) {
    let store = place.open().await;
    // All at the same time, but the last.
    let records: Vec<UsageRecord> = (0..25).map(record).collect();
    store.add_usage(&records).await.unwrap();
    let mut seen = Vec::new();
    let mut asked = page(10);
    loop {
        let found = store.usage_records(&Filter::default(), &asked).await.unwrap();
        seen.extend(found.items.into_iter().map(|record| record.id));
        // What is newer doesn't come in between.
        let newer = UsageRecord {
            at: THEN + 1,
            ..record(1000 + u32::try_from(seen.len()).unwrap())
        };
        store.add_usage(&[newer]).await.unwrap();
        match found.next {
            Some(next) => asked.after = Some(next),
            None => break,
        }
    }
    let mut expected: Vec<String> = records.into_iter().map(|record| record.id).collect();
    expected.reverse();
    assert_eq!(seen, expected);
}

pub(crate) async fn pages_of_other_lists_are_refused(place: Place) {
    let store = place.open().await;
    store.add_usage(&[record(1), record(2)]).await.unwrap();
    let found = store.usage_records(&Filter::default(), &page(1)).await.unwrap();
    let of_usage = found.next.unwrap();
    for wrong in [
        of_usage.as_str(),
        "",
        "0",
        "zz",
        "é",
        "3a3a3a",
        &"a".repeat(10_000),
        "' OR 1=1 --",
        "\0",
    ] {
        let page = Page {
            after: Some(wrong.to_owned()),
            ..page(10)
        };
        let refused = [
            store.organizations(&page).await.err(),
            store.projects(None, &page).await.err(),
            store.credentials(&Filter::default(), &page).await.err(),
            store.admin_keys(&page).await.err(),
            store.audit_log(None, &page).await.err(),
        ];
        for error in refused {
            assert!(matches!(error, Some(StoreError::Cursor(_))), "{wrong}: {error:?}");
        }
        if wrong != of_usage {
            let error = store.usage_records(&Filter::default(), &page).await.err();
            assert!(matches!(error, Some(StoreError::Cursor(_))), "{wrong}: {error:?}");
        }
    }
}

pub(crate) async fn old_usage_is_forgotten_but_not_its_cost(place: Place) {
    let store = place.open().await;
    let records: Vec<UsageRecord> = (0..100)
        .map(|number| UsageRecord {
            at: THEN + i64::from(number),
            ..record(number)
        })
        .collect();
    store.add_usage(&records).await.unwrap();
    assert_eq!(store.forget_usage(THEN + 60).await.unwrap(), 60);
    assert_eq!(store.forget_usage(THEN + 60).await.unwrap(), 0);
    let rows = store.usage(&sums(Bucket::Whole, &[])).await.unwrap();
    assert_eq!(rows[0].requests, 40);
    let spent = spent(&store, SpendScope::Key, "key_a", THEN).await;
    assert_eq!(spent[&Period::Total], 100 * 1_000_001);
}
