//! Against a real Redis; without `redis-server` on the machine they pass without a word of it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outcrop_tenants::limits::{Limit, Scope, Sum};
use outcrop_tenants::{Budget, Period, Settings};

use super::*;

/// A Redis with nothing on disk, which ends with its test.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(port: Option<u16>) -> Option<Self> {
        let port = port.unwrap_or_else(|| {
            let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            probe.local_addr().unwrap().port()
        });
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { child, port })
    }

    fn url(&self) -> RedisUrl {
        format!("redis://127.0.0.1:{}", self.port).parse().unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn poll(mut is_so: impl FnMut() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

/// An instance that reaches its Redis.
async fn instance(redis: &Redis) -> Arc<Limits> {
    let limits = Limits::new(Some(&redis.url()));
    poll(|| is_shared(&limits)).await;
    limits
}

fn is_shared(limits: &Limits) -> bool {
    limits.shared.as_ref().unwrap().is_reached()
}

fn scopes(organization: &Settings, key: &Settings) -> Vec<ScopeLimits> {
    [(Scope::Organization, "org_1", organization), (Scope::Key, "key_1", key)]
        .map(|(scope, id, settings)| ScopeLimits::new(scope, &id.to_owned(), id, settings))
        .into()
}

fn with_budget(nanos: i64) -> Settings {
    Settings {
        budgets: vec![Budget {
            period: Period::Total,
            limit_usd: Money::from_nanos(nanos),
            warn_at: None,
            soft: false,
        }],
        ..Settings::default()
    }
}

fn need(most: i64) -> Need {
    Need {
        input_tokens: 10,
        output_tokens: 10,
        most_cost: MostCost::AtMost(Money::from_nanos(most)),
        is_stream: true,
    }
}

#[tokio::test]
async fn a_permit_comes_back_and_says_what_is_left() {
    let limits = Limits::new(None);
    let settings = Settings {
        requests_per_minute: Some(2),
        concurrent_streams: Some(1),
        ..with_budget(100)
    };
    let scopes = scopes(&settings, &Settings::default());
    let permit = limits.admit(&scopes, need(5)).await.unwrap();
    let refused = limits.admit(&scopes, need(5)).await.unwrap_err();
    assert_eq!(refused.limit, Limit::ConcurrentStreams(1));
    let told = problem(&refused);
    assert_eq!(
        (told.status, told.code, told.should_retry, told.retry_after_seconds),
        (429, Some("rate_limit_exceeded"), None, Some(1))
    );
    drop(permit);
    let permit = limits.admit(&scopes, need(5)).await.unwrap();
    assert_eq!(
        permit.headers().unwrap().rates_with(None).requests.unwrap().remaining,
        1
    );
    permit.settle(3, Money::from_nanos(100));
    let refused = limits.admit(&scopes, need(0)).await.unwrap_err();
    let told = problem(&refused);
    assert_eq!(
        (told.status, told.code, told.should_retry, told.retry_after_seconds),
        (429, Some("insufficient_quota"), Some(false), None)
    );
}

#[tokio::test]
async fn instances_count_together() {
    let Some(redis) = Redis::start(None) else { return };
    let instances = [instance(&redis).await, instance(&redis).await, instance(&redis).await];
    let settings = Settings {
        requests_per_minute: Some(7),
        concurrent_streams: Some(4),
        ..Settings::default()
    };
    let scopes = scopes(&Settings::default(), &settings);
    let mut permits = Vec::new();
    let mut refusals = Vec::new();
    for turn in 0..6 {
        match instances[turn % 3].admit(&scopes, need(0)).await {
            Ok(permit) => permits.push(permit),
            Err(refused) => refusals.push(refused.limit),
        }
    }
    assert_eq!(permits.len(), 4);
    assert_eq!(refusals, vec![Limit::ConcurrentStreams(4); 2]);
    permits.drain(..).for_each(|permit| permit.settle(20, Money::ZERO));
    // That they are over is told behind the calls.
    let (mut admitted, mut last) = (0, None);
    for turn in 0..60 {
        match instances[turn % 3].admit(&scopes, need(0)).await {
            Ok(permit) => {
                admitted += 1;
                permit.settle(20, Money::ZERO);
            }
            Err(refused) => last = Some(refused),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(admitted, 3, "seven in a minute, of all instances");
    let last = last.unwrap();
    assert_eq!(last.limit, Limit::Requests(7));
    assert!(last.retry_after_ms.unwrap() > 30_000);
    assert_eq!(last.rates.requests.unwrap().remaining, 0);
}

#[tokio::test]
async fn a_hard_budget_holds_for_all_instances() {
    let Some(redis) = Redis::start(None) else { return };
    let instances = [instance(&redis).await, instance(&redis).await, instance(&redis).await];
    let scopes: Arc<[ScopeLimits]> = scopes(&with_budget(1000), &Settings::default()).into();
    let mut calls = tokio::task::JoinSet::new();
    for turn in 0..100_usize {
        let (limits, scopes) = (Arc::clone(&instances[turn % 3]), Arc::clone(&scopes));
        calls.spawn(async move {
            let mut spent = 0;
            // Each tries for as long as there may be room.
            for _ in 0..50 {
                if let Ok(permit) = limits.admit(&scopes, need(30)).await {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    permit.settle(10, Money::from_nanos(27));
                    spent += 27;
                }
            }
            spent
        });
    }
    let spent: i64 = calls.join_all().await.into_iter().sum();
    assert!(spent > 900, "{spent}");
    assert!(spent < 1000 + 30, "{spent}");
}

#[tokio::test]
async fn without_redis_each_instance_counts_for_itself_and_it_is_used_again() {
    let Some(mut redis) = Redis::start(None) else { return };
    let (one, other) = (instance(&redis).await, instance(&redis).await);
    let scopes = scopes(&with_budget(1000), &Settings::default());
    let spend = async |limits: &Arc<Limits>, nanos| {
        let permit = limits
            .admit(&scopes, need(nanos))
            .await
            .map_err(|refused| refused.limit.clone())?;
        permit.settle(1, Money::from_nanos(nanos));
        Ok::<_, Limit>(())
    };
    spend(&one, 300).await.unwrap();
    let open = other.admit(&scopes, need(100)).await.unwrap();
    redis.kill();
    // Never an open door, never an outage.
    spend(&one, 300).await.unwrap();
    assert!(!is_shared(&one));
    spend(&one, 390).await.unwrap();
    spend(&one, 20).await.unwrap();
    assert!(matches!(spend(&one, 1).await, Err(Limit::Budget(_))));
    spend(&other, 50).await.unwrap();
    // It comes back empty, and is told what everybody knows.
    redis = Redis::start(Some(redis.port)).unwrap();
    poll(|| is_shared(&one) && is_shared(&other)).await;
    let mut is_known = false;
    for _ in 0..100 {
        let refused = other.admit(&scopes, need(5)).await;
        if let Err(refused) = refused {
            let Limit::Budget(state) = refused.limit else {
                panic!("another limit")
            };
            assert_eq!(state.spent, Money::from_nanos(300 + 300 + 390 + 20 + 50));
            is_known = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_known);
    open.settle(1, Money::from_nanos(100));
    drop(redis);
}

#[tokio::test]
async fn sums_of_the_database_hold_for_all() {
    let Some(redis) = Redis::start(None) else { return };
    let (one, other) = (instance(&redis).await, instance(&redis).await);
    let scopes = scopes(&with_budget(1000), &Settings::default());
    let take_over = |limits: &Limits, nanos, reached| {
        let sum = Sum {
            scope: Scope::Organization,
            id: "org_1".into(),
            period: Period::Total,
            start: 0,
            spent: Money::from_nanos(nanos),
        };
        limits.own.take_over([sum], limits.now().seconds, reached);
    };
    let permit = one.admit(&scopes, need(600)).await.unwrap();
    permit.settle(1, Money::from_nanos(600));
    // It reaches the database, and counts no more than once.
    take_over(&one, 600, 1);
    take_over(&other, 600, 0);
    let mut is_admitted = false;
    for _ in 0..100 {
        let first = other.admit(&scopes, need(200)).await;
        let second = other.admit(&scopes, need(200)).await;
        is_admitted = first.is_ok() && second.is_ok();
        if is_admitted {
            break;
        }
        drop((first, second));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_admitted);
    // What another program has spent counts as well.
    take_over(&other, 1000, 0);
    assert!(other.admit(&scopes, need(1)).await.is_err());
    poll_refused(&one, &scopes).await;
}

async fn poll_refused(limits: &Arc<Limits>, scopes: &[ScopeLimits]) {
    for _ in 0..100 {
        if limits.admit(scopes, need(1)).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is let through");
}

#[tokio::test]
async fn what_a_dead_instance_holds_comes_back() {
    let Some(redis) = Redis::start(None) else { return };
    let settings = Settings {
        concurrent_requests: Some(1),
        ..with_budget(100)
    };
    let scopes = scopes(&settings, &Settings::default());
    let other = instance(&redis).await;
    let dead = {
        let url = redis.url();
        let scopes = scopes.clone();
        // A runtime of its own, which is gone all at once.
        let runtime = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let permit = runtime.block_on(async {
                let limits = Limits::new(Some(&url));
                poll(|| is_shared(&limits)).await;
                limits.admit(&scopes, need(90)).await.unwrap()
            });
            std::mem::forget(permit);
            runtime.shutdown_background();
        });
        tokio::task::spawn_blocking(move || runtime.join().unwrap())
    };
    dead.await.unwrap();
    let refused = other.admit(&scopes, need(90)).await.unwrap_err();
    assert!(matches!(refused.limit, Limit::ConcurrentRequests(1) | Limit::Budget(_)));
    let mut permit = None;
    for _ in 0..600 {
        permit = other.admit(&scopes, need(90)).await.ok();
        if permit.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Its own lease goes on, whatever time passes.
    let permit = permit.unwrap();
    tokio::time::sleep(super::shared::LEASE + Duration::from_secs(2)).await;
    let third = instance(&redis).await;
    assert!(third.admit(&scopes, need(90)).await.is_err());
    drop(permit);
}
