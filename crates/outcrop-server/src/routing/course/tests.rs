use outcrop_bedrock::exception::Exception;
use outcrop_routing::{Affinity, Retries, Route, Routing, Strategy};

use super::*;

fn service(exception: Exception, message: &str) -> Error {
    Error::Service {
        exception,
        name: format!("{exception:?}Exception"),
        status: exception.status(),
        message: message.to_owned(),
        retry_after_seconds: None,
    }
}

fn throttled() -> Error {
    service(
        Exception::Throttling,
        "Too many requests, please wait before trying again.",
    )
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn route(name: &str, models: &[&str], fallbacks: Fallbacks) -> Route {
    let target = |model: &&str| RouteTarget {
        model: Some((*model).to_owned()),
        weight: 1,
        ..RouteTarget::default()
    };
    Route {
        name: name.to_owned(),
        targets: models.iter().map(target).collect(),
        strategy: Strategy::Ordered,
        affinity: Affinity::None,
        fallbacks,
    }
}

fn course(routing: Routing, name: &str) -> Course {
    let limits = Limits {
        deadline: Instant::now() + Duration::from_secs(60),
        first_byte_timeout: Duration::from_secs(60),
    };
    let patience = Patience::new(Instant::now(), None);
    Course::new(
        &Arc::new(Router::new(routing)),
        (limits, patience),
        Some(name),
        Glance::default(),
    )
}

fn general(models: &[&str]) -> Fallbacks {
    Fallbacks {
        general: names(models),
        ..Fallbacks::default()
    }
}

/// The models that are asked while each call fails with `error`, until nothing comes next.
fn way(course: &mut Course, error: &Error) -> Vec<String> {
    let mut asked = vec![course.model().unwrap_or_default()];
    while course.after(error) != Next::Over {
        asked.push(course.model().unwrap_or_default());
        assert!(asked.len() < 50, "it never ends");
    }
    asked
}

#[tokio::test]
async fn targets_come_at_once_then_again_then_fallbacks() {
    let routing = Routing {
        routes: vec![
            route("m", &["a", "b"], general(&["n", "x"])),
            route("n", &["c"], general(&["m", "y"])),
        ],
        retries: Retries {
            max_attempts: 2,
            budget: 0.1,
        },
        ..Routing::default()
    };
    let mut course = course(routing, "m");
    assert_eq!(
        course.after(&throttled()),
        Next::Move(Duration::ZERO),
        "the next one at once"
    );
    assert_eq!(course.model().as_deref(), Some("b"));
    let rest = way(&mut course, &throttled());
    // The second round begins with whichever is better off.
    assert_eq!(rest[0], "b");
    assert_eq!(
        rest[2..],
        names(&["c", "c", "x", "x", "y", "y"])[..],
        "no circle: {rest:?}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_target_is_not_asked_of_it_again() {
    let routing = || Routing {
        routes: vec![route("m", &["a", "b"], Fallbacks::default())],
        ..Routing::default()
    };
    let denied = service(Exception::AccessDenied, "You don't have access to the model.");
    assert_eq!(way(&mut course(routing(), "m"), &denied), ["a", "b"]);
    let mut mixed = course(routing(), "m");
    assert_eq!(mixed.after(&denied), Next::Move(Duration::ZERO));
    let rest = way(&mut mixed, &throttled());
    assert!(rest.len() > 1 && rest.iter().all(|model| model == "b"), "{rest:?}");

    let invalid = service(Exception::Validation, "messages.0: no");
    assert_eq!(way(&mut course(routing(), "m"), &invalid), ["a"]);
    assert_eq!(way(&mut course(Routing::default(), "m"), &denied), [""]);
}

#[tokio::test]
async fn a_refusal_has_models_of_its_own() {
    let routing = || Routing {
        routes: vec![route(
            "m",
            &["a", "a", "long"],
            Fallbacks {
                general: names(&["g"]),
                context_window: names(&["w1", "w2"]),
                content_policy: Vec::new(),
            },
        )],
        ..Routing::default()
    };
    let long = service(Exception::Validation, "Input is too long for requested model.");
    assert_eq!(way(&mut course(routing(), "m"), &long), ["a", "w1", "w2"]);
    let filtered = service(
        Exception::Validation,
        "This request has been blocked by our content filters.",
    );
    assert_eq!(
        way(&mut course(routing(), "m"), &filtered),
        ["a", "long"],
        "another model may not mind"
    );
}

#[tokio::test]
async fn a_refusal_is_not_asked_of_the_same_model_again_in_a_later_round() {
    let routing = Routing {
        routes: vec![route("m", &["x", "a", "a"], Fallbacks::default())],
        ..Routing::default()
    };
    let mut course = course(routing, "m");
    course.after(&service(Exception::AccessDenied, "You don't have access to the model."));
    course.after(&throttled());
    assert!(matches!(course.after(&throttled()), Next::Repeat(_) | Next::Move(_)));
    let long = service(Exception::Validation, "Input is too long for requested model.");
    assert_eq!(course.after(&long), Next::Over);
}

#[tokio::test]
async fn the_budget_bounds_what_an_outage_costs() {
    let routing = Routing {
        routes: vec![route("m", &["a", "b"], Fallbacks::default())],
        retries: Retries {
            max_attempts: 10,
            budget: 0.0,
        },
        ..Routing::default()
    };
    let router = Arc::new(Router::new(routing));
    let limits = Limits {
        deadline: Instant::now() + Duration::from_secs(600),
        first_byte_timeout: Duration::from_secs(60),
    };
    let mut calls = 0;
    for _ in 0..1000 {
        let patience = Patience::new(Instant::now(), None);
        let mut course = Course::new(&router, (limits, patience), Some("m"), Glance::default());
        loop {
            calls += 1;
            let now = std::time::Instant::now();
            course
                .health()
                .unwrap()
                .begin(now)
                .note(now, outcrop_routing::Outcome::Failed);
            if course.after(&service(Exception::ServiceUnavailable, "")) == Next::Over {
                break;
            }
        }
    }
    assert!((1000..1200).contains(&calls), "{calls} calls for 1000 requests");
}

#[tokio::test]
async fn the_clients_patience_ends_all() {
    let limits = Limits {
        deadline: Instant::now() + Duration::from_secs(60),
        first_byte_timeout: Duration::from_secs(60),
    };
    let router = Arc::new(Router::new(Routing {
        routes: vec![route("m", &["a", "b"], general(&["n"]))],
        ..Routing::default()
    }));
    let patience = Patience::new(Instant::now() - Duration::from_secs(2), Some(Duration::from_secs(1)));
    let mut course = Course::new(&router, (limits, patience), Some("m"), Glance::default());
    assert_eq!(course.after(&throttled()), Next::Over);
}

fn no_room() -> NoRoom {
    let ledger = outcrop_routing::ledger::Ledger::new(&[], std::time::Instant::now());
    NoRoom {
        lane: ledger.lane(std::time::Instant::now(), None, "r", "m"),
        need: outcrop_routing::ledger::Need::default(),
    }
}

fn three() -> Course {
    let routing = Routing {
        routes: vec![route("m", &["a", "b", "c"], Fallbacks::default())],
        ..Routing::default()
    };
    course(routing, "m")
}

#[tokio::test]
async fn others_that_had_no_room_are_asked_where_the_one_that_got_room_fails() {
    let mut course = three();
    assert_eq!(course.after_no_room(no_room()), Next::Move(Duration::ZERO));
    assert_eq!(course.after_no_room(no_room()), Next::Move(Duration::ZERO));
    assert_eq!(course.after_no_room(no_room()), Next::Queue);
    let (full, _) = course.take_full();
    assert_eq!(full.len(), 3);
    course.go_to(2);
    assert_eq!(course.model().as_deref(), Some("c"));
    assert_eq!(course.after(&throttled()), Next::Move(Duration::ZERO));
    assert_eq!(course.model().as_deref(), Some("a"));
    assert_eq!(course.after(&throttled()), Next::Move(Duration::ZERO));
    assert_eq!(course.model().as_deref(), Some("b"));
}

#[tokio::test]
async fn a_target_that_is_left_alone_is_waited_for_and_asked_at_last() {
    let mut course = three();
    let now = std::time::Instant::now();
    for _ in 0..5 {
        let health = Arc::clone(course.leg.found.as_ref().unwrap().health(2).unwrap());
        health.begin(now).note(now, outcrop_routing::Outcome::Failed);
    }
    assert!(!course.only_waits(), "it is well here");
    course.after_no_room(no_room());
    course.after_no_room(no_room());
    assert_eq!(course.model().as_deref(), Some("c"));
    assert!(course.only_waits(), "others have no room yet, and this one fails");
    assert_eq!(course.after_no_room(no_room()), Next::Queue);
    course.take_full();
    assert_eq!(course.after_queue(), Next::Move(Duration::ZERO), "it may be back");
    assert_eq!(course.model().as_deref(), Some("c"));
    assert!(!course.only_waits());
    assert_eq!(course.after_no_room(no_room()), Next::Over, "nobody waits twice");
}

#[tokio::test]
async fn what_is_told_beforehand_is_what_comes() {
    let fallbacks = Fallbacks {
        context_window: names(&["long"]),
        ..general(&["n", "x"])
    };
    let routing = Routing {
        routes: vec![
            route("m", &["a", "b"], fallbacks),
            route("n", &["c"], general(&["m", "y"])),
            route("long", &["d", "e"], Fallbacks::default()),
        ],
        fallbacks: general(&["z"]),
        ..Routing::default()
    };
    let mut course = course(routing, "m");
    let told: Vec<(&str, String)> = course
        .ahead()
        .into_iter()
        .map(|stop| (stop.when, stop.model.unwrap_or_default()))
        .collect();
    let (failed, special): (Vec<_>, Vec<_>) = told.into_iter().partition(|(when, _)| *when == "failed");
    let denied = service(Exception::AccessDenied, "You don't have access to the model.");
    let failed: Vec<String> = failed.into_iter().map(|(_, model)| model).collect();
    assert_eq!(failed, way(&mut course, &denied)[1..]);
    let long = |model: &str| ("context_window", model.to_owned());
    assert_eq!(special, [long("d"), long("e")]);
}
