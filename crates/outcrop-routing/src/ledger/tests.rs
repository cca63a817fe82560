//! Laws of the ledger, and what it does in a story.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn ledger(requests: Option<u64>, tokens: Option<u64>) -> (Ledger, Instant) {
    let start = Instant::now();
    let rule = QuotaRule {
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        ..QuotaRule::default()
    };
    (Ledger::new(&[rule], start), start)
}

fn need(tokens: u64) -> Need {
    Need {
        input_tokens: 0,
        output_tokens: tokens,
        expected_output_tokens: 0,
        burn_rate: 5,
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[derive(Clone, Copy, Debug)]
enum End {
    Settled { share: u64 },
    Dropped,
    Released,
    Refused,
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        (0u64..=100).prop_map(|share| End::Settled { share }),
        Just(End::Dropped),
        Just(End::Released),
        Just(End::Refused),
    ]
}

/// A bucket that refills all the time, as AWS may keep its quotas.
struct Bucket {
    level: f64,
    at: Duration,
    limit: f64,
}

impl Bucket {
    fn take(&mut self, now: Duration, tokens: f64) -> bool {
        let refilled = (now - self.at).as_secs_f64() * self.limit / 60.0;
        self.level = (self.level + refilled).min(self.limit);
        self.at = now;
        self.level -= tokens;
        self.level >= -0.001
    }
}

proptest! {
    // Each case is long.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_admitted_is_within_the_quota_in_each_window_and_bucket(
        limit in 1u64..5000,
        calls in prop::collection::vec((0u64..20_000, 1u64..2000, ends(), 0u64..90_000), 1..200),
    ) {
        let (ledger, start) = ledger(None, Some(limit));
        let lane = ledger.lane(start, None, "r", "m");
        let mut now = Duration::ZERO;
        let mut held: Vec<(Duration, u64, End, Reservation)> = Vec::new();
        // What AWS counts: when, and how much; and changes of it as a bucket sees them.
        let mut bucket = Bucket { level: limit as f64, at: Duration::ZERO, limit: limit as f64 };
        let mut spent: Vec<(Duration, u64)> = Vec::new();
        for (gap, tokens, end, length) in calls {
            let next = now + Duration::from_millis(gap);
            held.sort_by_key(|(ends_at, ..)| *ends_at);
            while held.first().is_some_and(|(ends_at, ..)| *ends_at <= next) {
                let (at, index, end, reservation) = held.remove(0);
                let reserved = reservation.tokens();
                let index = usize::try_from(index).unwrap();
                let back = match end {
                    End::Settled { share } => {
                        let used = reserved * share / 100;
                        reservation.settle(start + at, Usage { input: used, ..Usage::default() });
                        reserved - used
                    }
                    End::Dropped => { drop(reservation); 0 }
                    End::Released => { reservation.release(); reserved }
                    End::Refused => { reservation.refused(); reserved }
                };
                spent[index].1 -= back;
                prop_assert!(bucket.take(at, -(back as f64)));
            }
            now = next;
            match lane.try_reserve(start + now, need(tokens)) {
                Ok(reservation) => {
                    prop_assert_eq!(reservation.tokens(), tokens);
                    prop_assert!(bucket.take(now, tokens as f64), "a bucket would have refused");
                    let index = u64::try_from(spent.len()).unwrap();
                    spent.push((now, tokens));
                    held.push((now + Duration::from_millis(length), index, end, reservation));
                    let counted: u64 = spent.iter().filter(|(at, _)| *at + seconds(60) > now).map(|(_, tokens)| tokens).sum();
                    prop_assert!(counted <= limit, "{} of {} within a minute", counted, limit);
                }
                Err(full) => match full.retry_after {
                    None => prop_assert!(tokens > limit),
                    Some(after) => {
                        // Refused for a reason: within the time that the window has beyond a minute.
                        let counted: u64 = spent.iter().filter(|(at, _)| *at + seconds(61) > now).map(|(_, tokens)| tokens).sum();
                        prop_assert!(counted + tokens > limit);
                        prop_assert!(after <= seconds(61));
                    }
                },
            }
        }
        let count = held.len();
        prop_assert_eq!(lane.in_flight(), count);
        drop(held);
        prop_assert_eq!(lane.in_flight(), 0);
        let rested = lane.snapshot(start + now + seconds(62)).unwrap().tokens.unwrap();
        prop_assert_eq!(rested.remaining, limit);
        prop_assert_eq!(rested.reset, Duration::ZERO);
    }

    #[test]
    fn a_steady_load_gets_nearly_all_of_a_quota(limit in 60u64..2000) {
        let (ledger, start) = ledger(Some(limit), None);
        let lane = ledger.lane(start, None, "r", "m");
        let mut admitted = 0u64;
        let gap = Duration::from_secs(60) / u32::try_from(limit * 2).unwrap();
        let mut now = start;
        while now < start + seconds(610) {
            if let Ok(reservation) = lane.try_reserve(now, need(1)) {
                admitted += 1;
                drop(reservation);
            }
            now += gap;
        }
        prop_assert!(admitted as f64 > limit as f64 * 10.0 * 0.97, "{} of {}", admitted, limit * 10);
    }
}

#[test]
fn many_threads_take_no_more_than_there_is() {
    let (ledger, start) = ledger(None, Some(1000));
    let ledger = &ledger;
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let lane = ledger.lane(start, None, "r", "m");
                    let tries = (0..500).filter(|_| lane.try_reserve(start, need(1)).is_ok());
                    tries.count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 1000);
    assert_eq!(ledger.lane(start, None, "r", "m").in_flight(), 0);
}

#[test]
fn an_answer_that_burns_more_than_was_reserved_counts_in_full() {
    let (ledger, start) = ledger(None, Some(1000));
    let lane = ledger.lane(start, None, "r", "m");
    let reservation = lane.try_reserve(start, need(100)).unwrap();
    let usage = Usage {
        input: 50,
        output: 100,
        cache_read: 9999,
        ..Usage::default()
    };
    reservation.settle(start + seconds(10), usage);
    let tokens = lane.snapshot(start + seconds(10)).unwrap().tokens.unwrap();
    assert_eq!(tokens.remaining, 450);
    assert_eq!(tokens.limit, 1000);
}

#[test]
fn lanes_are_apart() {
    let (ledger, start) = ledger(Some(1), None);
    let lane = |account, region, model| ledger.lane(start, account, region, model);
    let first = lane(None, "r", "m");
    drop(first.try_reserve(start, need(1)));
    assert!(first.try_reserve(start, need(1)).is_err());
    for other in [lane(Some("a"), "r", "m"), lane(None, "s", "m"), lane(None, "r", "us.m")] {
        assert!(other.try_reserve(start, need(1)).is_ok());
    }
    assert!(lane(None, "r", "m").try_reserve(start, need(1)).is_err());
}

#[test]
fn a_call_that_never_fits_is_told_so() {
    let (ledger, start) = ledger(None, Some(1000));
    let lane = ledger.lane(start, None, "r", "m");
    let full = lane.try_reserve(start, need(1001)).unwrap_err();
    assert_eq!(
        full,
        Full {
            quota: Quota::Tokens,
            limit: Some(1000),
            retry_after: None
        }
    );
}

#[test]
fn a_refusal_sends_the_next_calls_elsewhere_and_its_limit_is_learned() {
    let (ledger, start) = ledger(None, None);
    let lane = ledger.lane(start, None, "r", "m");
    assert_eq!(lane.snapshot(start), None);
    drop(
        (0..100)
            .map(|_| lane.try_reserve(start, need(1000)).unwrap())
            .collect::<Vec<_>>(),
    );
    let [one, two] = [(); 2].map(|()| lane.try_reserve(start, need(1000)).unwrap());
    let message = "Too many tokens, please wait before trying again.";
    one.throttled(start, message);
    two.throttled(start, message);
    let full = lane.try_reserve(start, need(1000)).unwrap_err();
    assert_eq!(full.quota, Quota::Tokens);
    assert!(full.retry_after.is_some());
    // The window is over: what was learned holds, lowered once though two were refused.
    let later = start + seconds(62);
    let admitted = (0..200)
        .take_while(|_| lane.try_reserve(later, need(1000)).is_ok())
        .count();
    assert!((85..=95).contains(&admitted), "{admitted}");
    assert_eq!(lane.snapshot(later), None, "what is learned isn't told as a quota");
}

#[test]
fn an_outage_in_which_all_is_refused_leaves_most_of_a_limit() {
    for (tokens, first) in [(None, 1000), (Some(10_000), 100)] {
        let (ledger, start) = ledger(None, tokens);
        let lane = ledger.lane(start, None, "r", "m");
        drop(lane.try_reserve(start, need(first)).unwrap());
        for second in 1..300 {
            if let Ok(reservation) = lane.try_reserve(start + seconds(second), need(10)) {
                reservation.throttled(
                    start + seconds(second),
                    "Too many tokens, please wait before trying again.",
                );
            }
        }
        let later = start + seconds(330);
        let room = (0..80).filter_map(|_| lane.try_reserve(later, need(10)).ok()).count();
        assert_eq!(room, 80, "{tokens:?}");
    }
    // The first call of all says nothing of how much there is.
    for message in ["Too many tokens", "Too many requests"] {
        let (ledger, start) = ledger(None, None);
        let lane = ledger.lane(start, None, "r", "m");
        lane.try_reserve(start, need(10)).unwrap().throttled(start, message);
        let later = start + seconds(2);
        assert!((0..80).all(|_| lane.try_reserve(later, need(10)).is_ok()), "{message}");
    }
}

#[test]
fn a_refusal_among_few_calls_is_others_doing() {
    let (ledger, start) = ledger(None, None);
    let lane = ledger.lane(start, None, "r", "m");
    drop(lane.try_reserve(start, need(100)).unwrap());
    for (at, message) in [
        (0, "Too many tokens, please wait."),
        (10, "Too many requests, please wait."),
    ] {
        let now = start + seconds(at);
        lane.try_reserve(now, need(100)).unwrap().throttled(now, message);
        assert!(lane.try_reserve(now, need(100)).is_err(), "it pauses");
    }
    let later = start + seconds(15);
    for _ in 0..50 {
        drop(lane.try_reserve(later, need(100)).unwrap());
    }
}

#[test]
fn a_day_that_is_used_up_is_left_alone_for_longer_until_an_answer_comes() {
    let (ledger, start) = ledger(None, None);
    let lane = ledger.lane(start, None, "r", "m");
    let before = lane.try_reserve(start, need(1)).unwrap();
    lane.throttled(start, "Too many tokens per day, please wait before trying again.");
    before.accepted();
    assert!(
        lane.try_reserve(start + seconds(59), need(1)).is_err(),
        "it began before the refusal"
    );
    let probe = lane.try_reserve(start + seconds(61), need(1)).unwrap();
    probe.throttled(start + seconds(61), "Too many tokens per day");
    assert!(
        lane.try_reserve(start + seconds(180), need(1)).is_err(),
        "twice as long"
    );
    lane.try_reserve(start + seconds(182), need(1)).unwrap().accepted();
    lane.throttled(start + seconds(183), "Too many tokens per day");
    assert!(
        lane.try_reserve(start + seconds(244), need(1)).is_ok(),
        "the first pause again"
    );
}

#[test]
fn what_aws_tells_changes_lanes_that_are_there_and_whoever_waits_is_told() {
    let start = Instant::now();
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let ledger = Ledger::new(&[], start).with_hook(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let lane = ledger.lane(start, None, "r", "m");
    let told = Quotas {
        requests_per_minute: Some(2),
        ..Quotas::default()
    };
    ledger.set_quotas(None, "r", HashMap::from([("m".to_owned(), told)]));
    assert_eq!(lane.quotas(), told);
    let (first, second) = (
        lane.try_reserve(start, need(1)).unwrap(),
        lane.try_reserve(start, need(1)).unwrap(),
    );
    assert!(lane.try_reserve(start, need(1)).is_err());
    first.release();
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 0, "nobody waits");
    lane.waiting().fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    second.release();
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(lane.snapshot(start).unwrap().requests.unwrap().remaining, 2);
}

#[test]
fn no_lane_misses_what_is_told_while_it_is_made() {
    let (ledger, start) = ledger(None, None);
    let told = Quotas {
        tokens_per_minute: Some(7),
        ..Quotas::default()
    };
    for round in 0..200 {
        let model = round.to_string();
        std::thread::scope(|scope| {
            scope.spawn(|| ledger.lane(start, None, "r", &model));
            scope.spawn(|| ledger.set_quotas(None, "r", HashMap::from([(model.clone(), told)])));
        });
        assert_eq!(ledger.lane(start, None, "r", &model).quotas(), told);
    }
}

#[test]
fn lanes_are_not_without_number() {
    let (ledger, start) = ledger(Some(1), None);
    let busy = ledger.lane(start, None, "r", "busy");
    drop(busy.try_reserve(start, need(1)));
    for index in 0..MAX_LANES + 10 {
        drop(ledger.lane(start, None, "r", &index.to_string()));
    }
    assert!(ledger.lanes.read().unwrap().len() <= MAX_LANES);
    assert!(
        ledger
            .lane(start, None, "r", "busy")
            .try_reserve(start, need(1))
            .is_err()
    );
}

#[test]
fn quotas_are_of_what_is_called() {
    let arn = |resource: &str| format!("arn:aws:bedrock:us-east-1:123456789012:{resource}");
    for (called, behind, expected) in [
        ("us.a.b-v1:0".to_owned(), None, Some("us.a.b-v1:0")),
        (
            arn("inference-profile/us.a.b-v1:0"),
            Some("a.b-v1:0"),
            Some("us.a.b-v1:0"),
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0".to_owned(),
            None,
            Some("a.b-v1:0"),
        ),
        (
            arn("application-inference-profile/x"),
            Some("a.b-v1:0"),
            Some("a.b-v1:0"),
        ),
        (arn("provisioned-model/x"), Some("a.b-v1:0"), None),
        (arn("imported-model/x"), None, None),
        (arn("custom-model-deployment/x"), None, None),
    ] {
        assert_eq!(quota_model(&called, behind), expected, "{called}");
    }
}
