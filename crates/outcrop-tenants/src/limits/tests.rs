use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{Budget, Settings};

const DAY: i64 = 86_400;

fn scope(scope: Scope, id: &str, settings: &Settings) -> ScopeLimits {
    ScopeLimits::new(scope, &id.to_owned(), &format!("the {id}"), settings)
}

fn key(settings: &Settings) -> ScopeLimits {
    scope(Scope::Key, "key_1", settings)
}

fn budget(period: Period, nanos: i64) -> Budget {
    Budget {
        period,
        limit_usd: Money::from_nanos(nanos),
        warn_at: None,
        soft: false,
    }
}

fn at(ticks: u64) -> Now {
    Now {
        ticks,
        seconds: 1_000_000 + i64::try_from(ticks / 1000).unwrap(),
    }
}

fn ask(ticks: u64) -> Ask {
    Ask {
        input_tokens: 10,
        output_tokens: 20,
        most_cost: MostCost::AtMost(Money::from_nanos(10)),
        is_stream: false,
        now: at(ticks),
    }
}

#[test]
fn what_isnt_limited_isnt_counted() {
    let limits = Limits::default();
    let free = key(&Settings::default());
    let reservation = limits.admit(&[free], &ask(0)).unwrap();
    assert!(reservation.is_empty());
    assert_eq!(limits.sweep(at(0)), 0);
}

#[test]
fn all_scopes_let_a_call_through_or_none() {
    let limits = Limits::default();
    let organization = scope(
        Scope::Organization,
        "same",
        &Settings {
            requests_per_minute: Some(5),
            ..Settings::default()
        },
    );
    // The same id, and nevertheless something else.
    let of_key = |rpm| {
        scope(
            Scope::Key,
            "same",
            &Settings {
                requests_per_minute: Some(rpm),
                ..Settings::default()
            },
        )
    };
    // In any order.
    let scopes = [of_key(2), organization.clone()];
    for _ in 0..2 {
        limits.admit(&scopes, &ask(0)).unwrap().settle(at(0), 0, Money::ZERO, 0);
    }
    let refused = limits.admit(&scopes, &ask(0)).unwrap_err();
    assert_eq!((refused.scope, &refused.limit), (Scope::Key, &Limit::Requests(2)));
    assert_eq!(refused.retry_after_ms, Some(61_000));
    assert_eq!(
        refused.to_string(),
        "The key 'the same' may make 2 requests per minute."
    );
    // The refused one took nothing from the organization.
    let reservation = limits.admit(&[organization], &ask(0)).unwrap();
    assert_eq!(reservation.rates().requests.unwrap().remaining, 2);
}

#[test]
fn tokens_are_reserved_and_settled() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        tokens_per_minute: Some(100),
        ..Settings::default()
    })];
    let first = limits.admit(&scopes, &ask(0)).unwrap();
    let second = limits.admit(&scopes, &ask(0)).unwrap();
    assert_eq!(second.rates().tokens.unwrap().remaining, 40);
    first.settle(at(1000), 5, Money::ZERO, 0);
    second.settle(at(1000), 65, Money::ZERO, 0);
    limits.admit(&scopes, &ask(2000)).unwrap().release();
    let large = Ask {
        input_tokens: 101,
        ..ask(2000)
    };
    let refused = limits.admit(&scopes, &large).unwrap_err();
    assert_eq!(refused.retry_after_ms, None, "it never fits");
    // It could write more than the limit, and has to have a minute for itself.
    let long = Ask {
        output_tokens: 64_000,
        ..ask(2000)
    };
    let refused = limits.admit(&scopes, &long).unwrap_err();
    assert_eq!(refused.limit, Limit::Tokens(100, 100));
    let wait = refused.retry_after_ms.unwrap();
    limits
        .admit(
            &scopes,
            &Ask {
                now: at(2000 + wait),
                ..long
            },
        )
        .unwrap()
        .release();
}

#[test]
fn streams_and_requests_are_counted_while_they_are_open() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        concurrent_requests: Some(2),
        concurrent_streams: Some(1),
        ..Settings::default()
    })];
    let stream = Ask {
        is_stream: true,
        ..ask(0)
    };
    let first = limits.admit(&scopes, &stream).unwrap();
    let refused = limits.admit(&scopes, &stream).unwrap_err();
    assert_eq!(refused.limit, Limit::ConcurrentStreams(1));
    let second = limits.admit(&scopes, &ask(0)).unwrap();
    let refused = limits.admit(&scopes, &ask(0)).unwrap_err();
    assert_eq!(refused.limit, Limit::ConcurrentRequests(2));
    drop(first);
    second.settle(at(0), 0, Money::ZERO, 0);
    limits.admit(&scopes, &stream).unwrap().release();
}

#[test]
fn a_budget_says_what_is_spent_and_when_it_begins_anew() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        budgets: vec![budget(Period::Day, 2_000_000_000)],
        ..Settings::default()
    })];
    let reservation = limits.admit(&scopes, &ask(0)).unwrap();
    reservation.settle(at(0), 5, Money::from_nanos(2_500_000_000), 1);
    let refused = limits.admit(&scopes, &ask(0)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "The key 'the key_1' has spent $2.50 of its budget of $2.00 for each day. It begins anew on 1970-01-13 at 00:00 UTC."
    );
    let wait = refused.retry_after_ms.unwrap();
    assert_eq!(wait, 1000 * u64::try_from(12 * DAY - 1_000_000).unwrap());
    assert!(limits.admit(&scopes, &ask(wait - 1)).is_err());
    limits.admit(&scopes, &ask(wait)).unwrap().release();
    let unpriced = Ask {
        most_cost: MostCost::Unknown,
        ..ask(wait)
    };
    let refused = limits.admit(&scopes, &unpriced).unwrap_err();
    assert_eq!(refused.limit, Limit::NoPrice(Period::Day));
}

#[test]
fn what_is_free_needs_no_budget() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        requests_per_minute: Some(1),
        budgets: vec![budget(Period::Total, 0)],
        ..Settings::default()
    })];
    let free = Ask {
        most_cost: MostCost::Free,
        ..ask(0)
    };
    limits.admit(&scopes, &free).unwrap().settle(at(0), 0, Money::ZERO, 0);
    assert_eq!(limits.admit(&scopes, &free).unwrap_err().limit, Limit::Requests(1));
}

#[test]
fn a_soft_budget_warns_and_refuses_nothing() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        budgets: vec![
            Budget {
                soft: true,
                ..budget(Period::Day, 10)
            },
            Budget {
                warn_at: Some(0.5),
                ..budget(Period::Day, 100)
            },
        ],
        ..Settings::default()
    })];
    let spend = |nanos: i64| {
        let reservation = limits.admit(&scopes, &ask(0)).unwrap();
        let warnings: Vec<_> = reservation
            .warnings()
            .iter()
            .map(|warning| (warning.budget.limit.nanos(), warning.is_first))
            .collect();
        reservation.settle(at(0), 0, Money::from_nanos(nanos), 1);
        warnings
    };
    assert_eq!(spend(10), []);
    assert_eq!(spend(40), [(10, true)]);
    assert_eq!(spend(0), [(10, false), (100, true)]);
    assert_eq!(spend(0), [(10, false), (100, false)]);
}

#[test]
fn a_gate_begins_with_what_the_database_has_and_goes_when_it_is_idle() {
    let limits = Limits::default();
    let scopes = [key(&Settings {
        requests_per_minute: Some(5),
        budgets: vec![budget(Period::Day, 100)],
        ..Settings::default()
    })];
    let sums = |spent| {
        [Sum {
            scope: Scope::Key,
            id: "key_1".into(),
            period: Period::Day,
            start: 11 * DAY,
            spent: Money::from_nanos(spent),
        }]
    };
    limits.take_over(sums(99), 1_000_000, 0);
    let reservation = limits.admit(&scopes, &ask(0)).unwrap();
    assert_eq!(limits.sweep(at(30_000)), 1, "a call is under way");
    reservation.settle(at(0), 0, Money::from_nanos(1), 7);
    assert_eq!(limits.sweep(at(30_000)), 1, "the database doesn't have it yet");
    limits.take_over(sums(100), 1_000_000, 7);
    assert_eq!(limits.sweep(at(60_000)), 1, "a request counts for a minute");
    assert_eq!(limits.sweep(at(61_000)), 0);
    assert!(limits.admit(&scopes, &ask(61_000)).is_err());
}

#[test]
fn what_has_not_changed_in_the_database_stays() {
    let limits = Limits::default();
    let scopes = |id: &str| {
        let settings = Settings {
            budgets: vec![budget(Period::Day, 100)],
            ..Settings::default()
        };
        [scope(Scope::Key, id, &settings)]
    };
    let sum = |id: &str, spent| Sum {
        scope: Scope::Key,
        id: id.into(),
        period: Period::Day,
        start: 11 * DAY,
        spent: Money::from_nanos(spent),
    };
    limits.take_over([sum("one", 100), sum("other", 99)], 1_000_000, 0);
    assert!(limits.admit(&scopes("other"), &ask(0)).is_ok());
    limits.take_over_changes([sum("other", 100)], 1_000_000, 0);
    assert!(limits.admit(&scopes("other"), &ask(0)).is_err());
    assert!(limits.admit(&scopes("one"), &ask(0)).is_err());
    limits.take_over([], 1_000_000, 0);
    assert!(limits.admit(&scopes("one"), &ask(0)).is_ok());
}

#[test]
fn threads_dont_stop_one_another_for_good_and_lose_nothing() {
    let limits = Limits::default();
    let organization = scope(
        Scope::Organization,
        "org",
        &Settings {
            concurrent_requests: Some(1000),
            budgets: vec![budget(Period::Total, 8 * 500 * 3)],
            ..Settings::default()
        },
    );
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let (limits, organization) = (&limits, &organization);
            threads.spawn(move || {
                let settings = Settings {
                    requests_per_minute: Some(1_000_000),
                    ..Settings::default()
                };
                let key = scope(Scope::Key, &format!("key_{}", thread % 3), &settings);
                for mark in 0..500 {
                    let one = Ask {
                        most_cost: MostCost::AtMost(Money::from_nanos(3)),
                        ..ask(0)
                    };
                    let scopes = [key.clone(), organization.clone()];
                    let reservation = limits.admit(&scopes, &one).unwrap();
                    reservation.settle(at(0), 3, Money::from_nanos(3), mark);
                }
            });
        }
    });
    let spent = limits.spent();
    assert_eq!(spent.len(), 1);
    assert_eq!((spent[0].pending.nanos(), spent[0].reserved), (12_000, Money::ZERO));
    assert!(limits.admit(&[organization], &ask(0)).is_err());
}

/// What happens in the property below.
#[derive(Clone, Debug)]
enum Step {
    Admit {
        key: usize,
        most: i64,
        tokens: u64,
        is_stream: bool,
    },
    /// Of what is under way the one with this number; it costs this part of what was reserved, in hundredths.
    Settle(prop::sample::Index, i64),
    Release(prop::sample::Index),
    /// What was settled up to this part of it reaches the database.
    Write(prop::sample::Index),
    /// A sum is taken over, which was read while more was written.
    Sync(prop::sample::Index),
    Pass(u64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (0..2_usize, 0..60_i64, 0..40_u64, any::<bool>())
            .prop_map(|(key, most, tokens, is_stream)| Step::Admit { key, most, tokens, is_stream }),
        3 => (index(), 0..=100_i64).prop_map(|(which, part)| Step::Settle(which, part)),
        1 => index().prop_map(Step::Release),
        1 => index().prop_map(Step::Write),
        1 => index().prop_map(Step::Sync),
        2 => (0..30_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: budgets are exceeded by one call at most, other limits by nothing, and nothing
    /// stays behind.
    #[test]
    fn no_limit_is_exceeded_and_nothing_leaks(steps in prop::collection::vec(step(), 1..150)) {
        const LIMIT: i64 = 200;
        let organization = scope(Scope::Organization, "org", &Settings {
            budgets: vec![budget(Period::Total, LIMIT)],
            concurrent_requests: Some(6),
            ..Settings::default()
        });
        let keys = ["key_a", "key_b"].map(|id| scope(Scope::Key, id, &Settings {
            requests_per_minute: Some(10),
            tokens_per_minute: Some(100),
            concurrent_streams: Some(2),
            ..Settings::default()
        }));
        let limits = Limits::default();
        let mut now = 0;
        let mut open: Vec<(Reservation, usize, i64, u64, bool, usize)> = Vec::new();
        // What was really spent, by mark, and how much of it the database has.
        let (mut settled, mut written): (Vec<i64>, usize) = (Vec::new(), 0);
        // Key, time and tokens; the time is none of what was released.
        let mut passed: Vec<(usize, Option<u64>, u64)> = Vec::new();
        let mut most_of_all = 0;
        for step in steps {
            match step {
                Step::Admit { key, most, tokens, is_stream } => {
                    let one = Ask {
                        input_tokens: tokens,
                        output_tokens: 0,
                        most_cost: MostCost::AtMost(Money::from_nanos(most)),
                        is_stream,
                        now: at(now),
                    };
                    if let Ok(reservation) = limits.admit(&[organization.clone(), keys[key].clone()], &one) {
                        most_of_all = most_of_all.max(most);
                        open.push((reservation, key, most, tokens, is_stream, passed.len()));
                        passed.push((key, Some(now), tokens));
                    }
                    prop_assert!(open.len() <= 6);
                    for key in 0..2 {
                        prop_assert!(open.iter().filter(|call| call.1 == key && call.4).count() <= 2);
                    }
                }
                Step::Settle(which, part) if !open.is_empty() => {
                    let (reservation, _, most, tokens, ..) = open.swap_remove(which.index(open.len()));
                    let cost = most * part / 100;
                    settled.push(cost);
                    reservation.settle(at(now), tokens, Money::from_nanos(cost), settled.len() as u64);
                }
                Step::Release(which) if !open.is_empty() => {
                    let (reservation, .., number) = open.swap_remove(which.index(open.len()));
                    reservation.release();
                    passed[number].1 = None;
                }
                Step::Write(upto) => written += upto.index(settled.len() - written + 1),
                Step::Sync(more) => {
                    let reached = written as u64;
                    written += more.index(settled.len() - written + 1);
                    let spent: i64 = settled[..written].iter().sum();
                    let sum = Sum {
                        scope: Scope::Organization,
                        id: "org".into(),
                        period: Period::Total,
                        start: 0,
                        spent: Money::from_nanos(spent),
                    };
                    limits.take_over([sum], at(now).seconds, reached);
                }
                Step::Pass(millis) => now += millis,
                Step::Sweep => drop(limits.sweep(at(now))),
                Step::Settle(..) | Step::Release(_) => {}
            }
            let spent: i64 = settled.iter().sum();
            prop_assert!(spent < LIMIT + most_of_all.max(1), "{spent}");
            // Never less than what is true.
            for known in limits.spent() {
                prop_assert!((known.in_database + known.pending).nanos() >= spent);
            }
        }
        for key in 0..2 {
            let of_key = passed.iter().filter(|(of, ..)| *of == key);
            let passed: Vec<_> = of_key.filter_map(|(_, time, tokens)| Some(((*time)?, *tokens))).collect();
            for (index, (first, _)) in passed.iter().enumerate() {
                let minute = passed[index..].iter().take_while(|(time, _)| time - first < 60_000);
                let (count, tokens) = minute.fold((0, 0), |(count, sum), (_, tokens)| (count + 1, sum + tokens));
                prop_assert!(count <= 10 && tokens <= 100, "{count} requests, {tokens} tokens");
            }
        }
        open.clear();
        limits.each_gate(|gate| assert_eq!(gate.lock().open(), (0, 0, Money::ZERO)));
        let all = Sum {
            scope: Scope::Organization,
            id: Arc::from("org"),
            period: Period::Total,
            start: 0,
            spent: Money::from_nanos(settled.iter().sum()),
        };
        limits.take_over([all], at(now).seconds, settled.len() as u64);
        prop_assert_eq!(limits.sweep(at(now + 61_000)), 0);
    }
}
