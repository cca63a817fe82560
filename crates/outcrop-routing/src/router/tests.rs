use std::time::Duration;

use super::*;
use crate::health::Outcome;

fn target(weight: u32) -> RouteTarget {
    RouteTarget {
        weight,
        ..RouteTarget::default()
    }
}

fn router(name: &str, strategy: Strategy, weights: &[u32]) -> Router {
    Router::new(Routing {
        routes: vec![Route {
            name: name.to_owned(),
            targets: weights.iter().copied().map(target).collect(),
            strategy,
            affinity: Affinity::Session,
            fallbacks: Fallbacks::default(),
        }],
        ..Routing::default()
    })
}

fn firsts(found: &Found, session: impl Fn(usize) -> Option<String>) -> Vec<usize> {
    let mut counts = vec![0; found.lanes.health.len()];
    for number in 0..10_000 {
        counts[found.order(Instant::now(), session(number).as_deref(), true)[0]] += 1;
    }
    counts
}

#[test]
fn names_find_routes_and_a_star_is_carried_over() {
    let mut router = router("bedrock/*", Strategy::Ordered, &[1]);
    assert!(router.find("bedrock").is_none());
    let found = router.find("Bedrock/amazon.nova-lite-v1:0").unwrap();
    assert_eq!(found.model(0), None);
    let lanes = Arc::get_mut(&mut router.routes[0]);
    assert!(lanes.is_none(), "the name that was found holds it");
    drop(found);
    let lanes = Arc::get_mut(&mut router.routes[0]).unwrap();
    lanes.route.targets[0].model = Some("eu.*".to_owned());
    let found = router.find("bedrock/amazon.nova-lite-v1:0").unwrap();
    assert_eq!(found.model(0).as_deref(), Some("eu.amazon.nova-lite-v1:0"));
    for (pattern, name, captured) in [
        ("*", "", Some("")),
        ("a*b", "aXb", Some("X")),
        ("a*b", "ab", Some("")),
        ("ab*bc", "abc", None),
        ("ä*", "ö", None),
        ("a", "A", Some("")),
    ] {
        assert_eq!(capture(pattern, name), captured, "{pattern} {name}");
    }
}

#[test]
fn weights_are_shares_with_sessions_and_without() {
    let router = router("m", Strategy::Weighted, &[3, 1, 0]);
    let found = router.find("m").unwrap();
    for counts in [
        firsts(&found, |_| None),
        firsts(&found, |number| Some(format!("session {number}"))),
    ] {
        assert!((7200..7800).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[2], 0, "a reserve is asked last");
    }
}

#[test]
fn a_session_stays_until_its_target_is_ill() {
    for strategy in [Strategy::Weighted, Strategy::LeastBusy, Strategy::LowestLatency] {
        let router = router("m", strategy, &[1, 1, 1]);
        let found = router.find("m").unwrap();
        let now = Instant::now();
        let order = found.order(now, Some("one"), true);
        for _ in 0..50 {
            assert_eq!(found.order(now, Some("one"), true), order, "{strategy:?}");
        }
        let ill = found.health(order[0]).unwrap();
        ill.begin(now).note(now, Outcome::Throttled(None));
        assert_eq!(found.order(now, Some("one"), true), [order[1], order[2], order[0]]);
        assert_eq!(found.order(now + Duration::from_secs(1), Some("one"), true), order);
    }
}

#[test]
fn the_least_busy_and_the_fastest_come_first() {
    let now = Instant::now();
    let busy = router("m", Strategy::LeastBusy, &[1, 1]);
    let found = busy.find("m").unwrap();
    let flight = found.health(0).unwrap().begin(now);
    assert_eq!(found.order(now, None, true), [1, 0]);
    let more: Vec<_> = (0..2).map(|_| found.health(1).unwrap().begin(now)).collect();
    assert_eq!(found.order(now, None, true), [0, 1]);
    drop((flight, more));

    let fast = router("m", Strategy::LowestLatency, &[1, 1]);
    let found = fast.find("m").unwrap();
    for (index, millis) in [(0, 900), (1, 100)] {
        let mut flight = found.health(index).unwrap().begin(now);
        flight.first_byte(now + Duration::from_millis(millis), true);
    }
    assert_eq!(found.order(now, None, true), [1, 0]);
    assert_eq!(
        found.order(now, Some("any"), true),
        [1, 0],
        "no cache is worth so much waiting"
    );
}

#[test]
fn a_session_leaves_a_target_that_is_far_too_busy() {
    let router = router("m", Strategy::LeastBusy, &[1, 1]);
    let found = router.find("m").unwrap();
    let now = Instant::now();
    let order = found.order(now, Some("one"), true);
    let begin = |count| -> Vec<_> { (0..count).map(|_| found.health(order[0]).unwrap().begin(now)).collect() };
    let few = begin(8);
    assert_eq!(found.order(now, Some("one"), true), order, "few calls differ by chance");
    let many = begin(40);
    assert_eq!(found.order(now, Some("one"), true), [order[1], order[0]]);
    drop((few, many));
}

#[test]
fn a_routes_own_fallbacks_come_before_the_general_ones() {
    let mut routing = Routing {
        fallbacks: Fallbacks {
            general: vec!["general".to_owned()],
            content_policy: vec!["mild".to_owned()],
            ..Fallbacks::default()
        },
        ..Routing::default()
    };
    routing.routes.push(Route {
        name: "m".to_owned(),
        targets: vec![target(1)],
        strategy: Strategy::Ordered,
        affinity: Affinity::None,
        fallbacks: Fallbacks {
            general: vec!["own".to_owned()],
            ..Fallbacks::default()
        },
    });
    let router = Router::new(routing);
    let of = |name: &str| {
        let found = router.find(name);
        let fallbacks = router.fallbacks(found.as_ref());
        (fallbacks.general[0].clone(), fallbacks.content_policy[0].clone())
    };
    assert_eq!(of("m"), ("own".to_owned(), "mild".to_owned()));
    assert_eq!(of("other"), ("general".to_owned(), "mild".to_owned()));
}

#[test]
fn other_settings_forget_only_targets_that_are_others() {
    let before = router("m", Strategy::Ordered, &[1, 2]);
    let now = Instant::now();
    let found = before.find("m").unwrap();
    for index in 0..2 {
        found
            .health(index)
            .unwrap()
            .begin(now)
            .note(now, Outcome::Throttled(None));
    }
    let routing = |weights: &[u32], breaker: Breaker| Routing {
        routes: vec![Route {
            name: "m".to_owned(),
            targets: weights.iter().copied().map(target).collect(),
            strategy: Strategy::Weighted,
            affinity: Affinity::None,
            fallbacks: Fallbacks::default(),
        }],
        breaker,
        ..Routing::default()
    };
    let conditions = |after: &Router| {
        let found = after.find("m").unwrap();
        [0, 1].map(|index| found.health(index).unwrap().condition(now))
    };
    let after = before.successor(routing(&[3, 2], Breaker::default()));
    assert_eq!(conditions(&after), [Condition::Well, Condition::Resting]);
    let stricter = Breaker {
        min_calls: 1,
        ..Breaker::default()
    };
    let after = before.successor(routing(&[1, 2], stricter));
    assert_eq!(conditions(&after), [Condition::Well, Condition::Well]);
}
