//! Who is let in, who waits, and who is sent away. Time passes as tokio lets it.

use std::sync::Mutex;

use outcrop_routing::QuotaRule;

use super::*;

fn admission(tokens_per_minute: u64, change: impl FnOnce(&mut Settings)) -> Arc<Admission> {
    let mut settings = Settings {
        enabled: true,
        quotas: vec![QuotaRule {
            tokens_per_minute: Some(tokens_per_minute),
            ..QuotaRule::default()
        }],
        queue_timeout: Duration::from_secs(90),
        ..Settings::default()
    };
    change(&mut settings);
    Arc::new(Admission::new(settings, false))
}

fn lane(admission: &Admission, region: &str) -> Arc<Lane> {
    let asked = Asked {
        account: None,
        region,
        called: "m",
        base_id: None,
    };
    admission.lane(asked).unwrap()
}

fn need(tokens: u64) -> Need {
    Need {
        output_tokens: tokens,
        burn_rate: 1,
        ..Need::default()
    }
}

/// Lets all other tasks do what they can.
async fn settle_down() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_waits_for_what_comes_back() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    let first = admission.try_reserve(&lane, need(80)).unwrap();
    assert!(admission.try_reserve(&lane, need(80)).is_err());
    let waiting = {
        let (admission, lane) = (Arc::clone(&admission), Arc::clone(&lane));
        tokio::spawn(async move { admission.wait_for_room(&[(lane, need(80))], "a", None).await })
    };
    settle_down().await;
    assert!(!waiting.is_finished());
    let before = now();
    first.release();
    let (index, reservation) = waiting.await.unwrap().unwrap();
    assert_eq!((index, reservation.tokens()), (0, 80));
    assert_eq!(now(), before, "no time has passed");
    assert_eq!(lane.waiting().load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn time_brings_room_too() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    drop(admission.try_reserve(&lane, need(80)).unwrap());
    let before = now();
    let granted = admission.wait_for_room(&[(lane, need(80))], "a", None).await;
    assert!(granted.is_ok());
    let waited = now() - before;
    assert!(
        waited >= Duration::from_secs(60) && waited <= Duration::from_secs(62),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_lanes_the_one_that_has_room_first_is_taken() {
    let admission = admission(100, |_| {});
    let (one, two) = (lane(&admission, "one"), lane(&admission, "two"));
    let [_held, back] = [&one, &two].map(|lane| admission.try_reserve(lane, need(100)).unwrap());
    let waiting = {
        let admission = Arc::clone(&admission);
        let candidates = [(one, need(10)), (two, need(10))];
        tokio::spawn(async move {
            admission
                .wait_for_room(&candidates, "a", None)
                .await
                .map(|(index, _)| index)
        })
    };
    settle_down().await;
    back.release();
    assert_eq!(waiting.await.unwrap(), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn tenants_take_turns() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    let held = admission.try_reserve(&lane, need(100)).unwrap();
    let served = Arc::new(Mutex::new(Vec::new()));
    for tenant in ["greedy", "greedy", "greedy", "greedy", "modest", "other"] {
        let (admission, lane, served) = (Arc::clone(&admission), Arc::clone(&lane), Arc::clone(&served));
        tokio::spawn(async move {
            let (_, reservation) = admission
                .wait_for_room(&[(lane, need(100))], tenant, None)
                .await
                .unwrap();
            served.lock().unwrap().push(tenant);
            tokio::time::sleep(Duration::from_secs(1)).await;
            reservation.release();
        });
        settle_down().await;
    }
    held.release();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let served = served.lock().unwrap().clone();
    assert_eq!(served, ["greedy", "modest", "other", "greedy", "greedy", "greedy"]);
}

#[tokio::test(start_paused = true)]
async fn a_large_request_is_not_overtaken_for_ever() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    let held = admission.try_reserve(&lane, need(50)).unwrap();
    let waiting = {
        let (admission, lane) = (Arc::clone(&admission), Arc::clone(&lane));
        tokio::spawn(async move { admission.wait_for_room(&[(lane, need(90))], "large", None).await })
    };
    settle_down().await;
    let full = admission.try_reserve(&lane, need(1)).unwrap_err();
    assert_eq!(
        full.retry_after,
        Some(A_MOMENT),
        "there is room, but somebody waits for it"
    );
    held.release();
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_leaves_holds_nothing_and_lets_others_through() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    let held = admission.try_reserve(&lane, need(50)).unwrap();
    let wait = |tokens, tenant: &'static str| {
        let (admission, lane) = (Arc::clone(&admission), Arc::clone(&lane));
        tokio::spawn(async move { admission.wait_for_room(&[(lane, need(tokens))], tenant, None).await })
    };
    let leaves = wait(90, "a");
    settle_down().await;
    let stays = wait(40, "b");
    settle_down().await;
    assert!(!stays.is_finished());
    leaves.abort();
    let (_, reservation) = stays.await.unwrap().unwrap();
    reservation.release();
    held.release();
    assert_eq!(lane.in_flight(), 0);
    assert_eq!(lane.waiting().load(std::sync::atomic::Ordering::Relaxed), 0);
    assert!(admission.try_reserve(&lane, need(100)).is_ok(), "all came back");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_told() {
    let admission = admission(100, |settings| settings.queue_timeout = Duration::from_secs(5));
    let lane = lane(&admission, "r");
    let _held = admission.try_reserve(&lane, need(100)).unwrap();
    let before = now();
    let refused = admission
        .wait_for_room(&[(Arc::clone(&lane), need(10))], "a", None)
        .await
        .unwrap_err();
    assert_eq!((refused.why, now() - before), (Why::TimedOut, Duration::from_secs(5)));
    assert_eq!(refused.key.region, "r");
    let after = refused.retry_after().unwrap().as_secs();
    assert!((55..=57).contains(&after), "{after}");

    let before = now();
    let deadline = Some(before + Duration::from_secs(2));
    let refused = admission
        .wait_for_room(&[(lane, need(10))], "a", deadline)
        .await
        .unwrap_err();
    assert_eq!((refused.why, now() - before), (Why::TimedOut, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_in_vain() {
    let admission = admission(100, |settings| settings.queue_timeout = Duration::from_secs(5));
    let lane = lane(&admission, "r");
    drop(admission.try_reserve(&lane, need(100)).unwrap());
    let before = now();
    let refused = admission
        .wait_for_room(&[(Arc::clone(&lane), need(10))], "a", None)
        .await
        .unwrap_err();
    assert_eq!(
        refused.why,
        Why::Full,
        "nothing under way can give anything back in time"
    );
    let refused = admission
        .wait_for_room(&[(lane, need(101))], "a", None)
        .await
        .unwrap_err();
    assert_eq!(refused.retry_after(), None);
    assert_eq!(now(), before);
}

#[tokio::test(start_paused = true)]
async fn who_can_never_have_room_in_a_lane_is_in_nobodys_way_there() {
    let admission = admission(100, |_| {});
    let (small, busy) = (lane(&admission, "small"), lane(&admission, "busy"));
    busy.set_quotas(Default::default());
    busy.throttled(now(), "Too many requests");
    let _held = busy.reserve(now(), need(1));
    let candidates = [(Arc::clone(&small), need(200)), (busy, need(200))];
    let waiting = {
        let admission = Arc::clone(&admission);
        tokio::spawn(async move {
            admission
                .wait_for_room(&candidates, "a", None)
                .await
                .map(|(index, _)| index)
        })
    };
    settle_down().await;
    assert!(admission.try_reserve(&small, need(100)).is_ok());
    assert_eq!(waiting.await.unwrap(), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_takes_from_who_has_the_most() {
    let admission = admission(100, |settings| settings.queue_limit = 3);
    let lane = lane(&admission, "r");
    let _held = admission.try_reserve(&lane, need(100)).unwrap();
    let wait = |tenant: &'static str| {
        let (admission, lane) = (Arc::clone(&admission), Arc::clone(&lane));
        tokio::spawn(async move { admission.wait_for_room(&[(lane, need(10))], tenant, None).await })
    };
    let greedy: Vec<_> = (0..3).map(|_| wait("greedy")).collect();
    settle_down().await;
    let more = wait("greedy");
    let modest = wait("modest");
    settle_down().await;
    assert_eq!(more.await.unwrap().unwrap_err().why, Why::QueueFull);
    assert!(!modest.is_finished());
    let gone: Vec<bool> = greedy.iter().map(tokio::task::JoinHandle::is_finished).collect();
    assert_eq!(gone, [false, false, true], "the last of the longest line");
}

#[tokio::test(start_paused = true)]
async fn without_admission_all_are_let_in_and_counted() {
    let admission = admission(100, |settings| settings.enabled = false);
    let lane = lane(&admission, "r");
    for _ in 0..3 {
        drop(admission.try_reserve(&lane, need(90)).unwrap());
    }
    assert_eq!(lane.snapshot(now()).unwrap().tokens.unwrap().remaining, 0);
    let mut settings = Settings::clone(&admission.settings());
    settings.enabled = true;
    admission.configure(settings, false);
    assert!(admission.try_reserve(&lane, need(90)).is_err());
}

#[tokio::test(start_paused = true)]
async fn new_quotas_let_in_who_waits() {
    let admission = admission(100, |_| {});
    let lane = lane(&admission, "r");
    let _held = admission.try_reserve(&lane, need(100)).unwrap();
    let waiting = {
        let (admission, lane) = (Arc::clone(&admission), Arc::clone(&lane));
        tokio::spawn(async move { admission.wait_for_room(&[(lane, need(50))], "a", None).await })
    };
    settle_down().await;
    let mut settings = Settings::clone(&admission.settings());
    settings.quotas = vec![QuotaRule {
        tokens_per_minute: Some(150),
        ..QuotaRule::default()
    }];
    admission.configure(settings, false);
    assert!(waiting.await.unwrap().is_ok());
}

#[test]
fn an_estimate_knows_media_and_models() {
    let admission = admission(100, |_| {});
    let body = CallBody::new(vec![
        bytes::Bytes::from(vec![b'x'; 4000]),
        bytes::Bytes::from(vec![b'y'; 2_000_000]),
    ]);
    let size = CallSize {
        max_tokens: None,
        media: outcrop_bedrock::converse::MediaSize {
            images: 1,
            image_chars: 2_000_000,
            other_chars: 0,
        },
        ..CallSize::default()
    };
    let catalogue = Catalogue::built_in();
    let estimate = |base_id, called| admission.estimate(catalogue, base_id, called, &body, size);
    let id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let sonnet = estimate(Some(id), "eu.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(sonnet.need.input_tokens, 1000 + 1600);
    assert_eq!((sonnet.need.output_tokens, sonnet.need.burn_rate), (64_000, 5));
    let unknown = estimate(None, "m");
    assert_eq!((unknown.need.output_tokens, unknown.need.burn_rate), (4096, 1));
    let reservation = lane(&admission, "r").reserve(now(), unknown.need);
    let usage = Usage {
        output: 500,
        ..Usage::default()
    };
    admission.settle(reservation, &unknown, usage);
    assert_eq!(
        estimate(None, "m").need.output_tokens,
        1000,
        "what its answers are like"
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_are_asked_for_where_calls_go_and_once_an_hour() {
    let admission = admission(100, |settings| settings.quotas = Vec::new());
    let catalogue = Catalogue::built_in();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let refresh = |account: Option<&str>, region: &str| {
        let log = Arc::clone(&asked);
        admission.refresh_by(catalogue, account, region, |account, region| async move {
            log.lock().unwrap().push((account, region.clone()));
            if region == "forbidden" {
                return Err("AccessDenied".to_owned());
            }
            let name = "On-demand model inference requests per minute for Amazon Nova Lite";
            Ok(vec![(name.to_owned(), 2.0)])
        });
    };
    for _ in 0..3 {
        refresh(None, "r");
        refresh(None, "forbidden");
        refresh(Some("a"), "r");
    }
    settle_down().await;
    assert_eq!(asked.lock().unwrap().len(), 3);
    let call = |region| {
        let asked = super::Asked {
            account: None,
            region,
            called: "amazon.nova-lite-v1:0",
            base_id: None,
        };
        let lane = admission.lane(asked).unwrap();
        admission.try_reserve(&lane, need(1)).is_ok()
    };
    assert_eq!([call("r"), call("r"), call("r")], [true, true, false]);
    assert!((0..9).all(|_| call("forbidden")));
    tokio::time::advance(Duration::from_secs(3600)).await;
    refresh(None, "forbidden");
    settle_down().await;
    assert_eq!(asked.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_holds_is_settled_by_what_it_cost_and_else_stays_spent() {
    let admission = admission(100, |_| {});
    let catalogue = Catalogue::built_in();
    let lane = lane(&admission, "r");
    let size = CallSize {
        max_tokens: Some(20),
        ..CallSize::default()
    };
    let hold = || {
        let estimate = admission.estimate(catalogue, None, "m", &CallBody::default(), size);
        let reservation = admission.try_reserve(&lane, estimate.need).unwrap();
        Held::new(Arc::clone(&admission), reservation, estimate)
    };
    let left = || lane.snapshot(now()).unwrap().tokens.unwrap().remaining;
    let cost = outcrop_bedrock::converse::TokenUsage {
        output_tokens: 5,
        ..Default::default()
    };
    hold().settle(cost);
    assert_eq!(left(), 95);
    hold().settle(Default::default());
    assert_eq!(left(), 75, "nobody has said what it cost");
    drop(hold());
    assert_eq!(left(), 55);
    hold().release();
    hold().refused();
    assert_eq!(left(), 55);
    hold().throttled("Too many tokens, please wait before trying again.");
    assert_eq!(left(), 0, "AWS knows better, for a moment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn among_many_that_come_and_leave_nothing_gets_lost() {
    let admission = admission(100, |_| {});
    let lanes = ["one", "two"].map(|region| lane(&admission, region));
    let tasks: Vec<_> = (0..400_u64)
        .map(|number| {
            let (admission, lanes) = (Arc::clone(&admission), lanes.clone());
            tokio::spawn(async move {
                let candidates = lanes.map(|lane| (lane, need(1 + number % 100)));
                let tenant = (number % 7).to_string();
                let waiting = admission.wait_for_room(&candidates, &tenant, None);
                let granted = match number % 5 {
                    // These don't wait for long.
                    0 => tokio::time::timeout(Duration::from_micros(number), waiting).await.ok(),
                    _ => Some(waiting.await),
                };
                let Some(granted) = granted else { return true };
                let (_, reservation) = granted.unwrap();
                tokio::task::yield_now().await;
                reservation.release();
                true
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    for lane in &lanes {
        assert_eq!(lane.in_flight(), 0);
        assert_eq!(lane.waiting().load(std::sync::atomic::Ordering::Relaxed), 0);
        assert!(admission.try_reserve(lane, need(100)).is_ok(), "all came back");
    }
}

#[tokio::test(start_paused = true)]
async fn room_at_a_target_that_is_down_is_nobodys_until_one_call_has_found_it_back() {
    let admission = admission(100, |_| {});
    let (full, down) = (lane(&admission, "full"), lane(&admission, "down"));
    let _held = admission.try_reserve(&full, need(100)).unwrap();
    let breaker = outcrop_routing::Breaker::default();
    let health = Arc::new(Health::new(breaker.clone(), None));
    for _ in 0..breaker.min_calls {
        health.begin(now()).note(now(), outcrop_routing::Outcome::Failed);
    }
    let begun = Arc::new(Mutex::new(Vec::new()));
    let start = now();
    for _ in 0..3 {
        let (admission, health, begun) = (Arc::clone(&admission), Arc::clone(&health), Arc::clone(&begun));
        let candidates: [Wanted; 2] = [
            (Arc::clone(&full), need(10)).into(),
            Wanted {
                lane: Arc::clone(&down),
                need: need(10),
                health: Some(Arc::clone(&health)),
            },
        ];
        tokio::spawn(async move {
            let (index, reservation) = admission.wait_for_room(&candidates, "a", None).await.unwrap();
            let mut flight = health.begin(now());
            begun.lock().unwrap().push((index, now() - start));
            tokio::time::sleep(Duration::from_secs(5)).await;
            flight.note(now(), outcrop_routing::Outcome::Answered);
            drop(reservation);
        });
    }
    tokio::time::sleep(breaker.cool_down - Duration::from_secs(1)).await;
    assert_eq!(begun.lock().unwrap().len(), 0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(begun.lock().unwrap().len(), 1, "one finds out");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let begun = begun.lock().unwrap().clone();
    assert_eq!(begun.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn who_is_served_elsewhere_is_in_nobodys_way() {
    let admission = admission(100, |_| {});
    let (one, two) = (lane(&admission, "one"), lane(&admission, "two"));
    let held = [&one, &two].map(|lane| admission.try_reserve(lane, need(100)).unwrap());
    let wait = |candidates: Vec<(Arc<Lane>, Need)>| {
        let admission = Arc::clone(&admission);
        tokio::spawn(async move { admission.wait_for_room(&candidates, "a", None).await })
    };
    let large = wait(vec![(Arc::clone(&one), need(90)), (Arc::clone(&two), need(90))]);
    settle_down().await;
    let small = wait(vec![(Arc::clone(&one), need(20))]);
    settle_down().await;
    let [of_one, of_two] = held;
    let before = now();
    // Twenty come back here, and all there.
    let usage = Usage {
        output: 80,
        ..Usage::default()
    };
    of_one.settle(now(), usage);
    of_two.release();
    let (index, _large) = large.await.unwrap().unwrap();
    assert_eq!(index, 1);
    assert!(small.await.unwrap().is_ok());
    assert_eq!(now(), before, "no time has passed");
}

#[tokio::test(start_paused = true)]
async fn who_waited_in_vain_is_told_where_there_will_be_room_first() {
    let admission = admission(100, |settings| settings.queue_timeout = Duration::from_secs(10));
    let [first, second] = ["first", "second"].map(|region| lane(&admission, region));
    drop(admission.try_reserve(&first, need(100)).unwrap());
    tokio::time::sleep(Duration::from_secs(20)).await;
    drop(admission.try_reserve(&second, need(100)).unwrap());
    tokio::time::sleep(Duration::from_secs(35)).await;
    let waiting = {
        let admission = Arc::clone(&admission);
        let candidates = [(Arc::clone(&first), need(100)), (second, need(100))];
        tokio::spawn(async move { admission.wait_for_room(&candidates, "a", None).await })
    };
    settle_down().await;
    // There is room here first, but it goes to a call that isn't held back.
    drop(first.reserve(now(), need(100)));
    let refused = waiting.await.unwrap().unwrap_err();
    assert_eq!((refused.why, refused.key.region.as_str()), (Why::TimedOut, "second"));
    let left = refused.full.retry_after.unwrap();
    assert!(left < Duration::from_secs(20), "{left:?}");
}
