//! What it costs to let one request through its limits and to settle it.

use divan::{Bencher, black_box};
use outcrop_tenants::limits::{Ask, Limits, MostCost, Now, Scope, ScopeLimits};
use outcrop_tenants::{Budget, Money, Period, Settings};

fn main() {
    divan::main();
}

fn scopes() -> [ScopeLimits; 3] {
    let settings = Settings {
        requests_per_minute: Some(u64::MAX / 2),
        tokens_per_minute: Some(u64::MAX / 2),
        concurrent_requests: Some(1_000_000),
        concurrent_streams: Some(1_000_000),
        budgets: vec![Budget {
            period: Period::Month,
            limit_usd: Money::from_nanos(i64::MAX / 4),
            warn_at: Some(0.8),
            soft: false,
        }],
        ..Settings::default()
    };
    [Scope::Organization, Scope::Project, Scope::Key].map(|scope| {
        let id = format!("{}_0123456789abcdefghijkl", scope.name());
        ScopeLimits::new(scope, &id, "a name", &settings)
    })
}

fn one(limits: &Limits, scopes: &[ScopeLimits], ticks: u64) {
    let now = Now {
        ticks,
        seconds: 1_795_000_000,
    };
    let ask = Ask {
        input_tokens: 100,
        output_tokens: 100,
        most_cost: MostCost::AtMost(Money::from_nanos(1_000)),
        is_stream: true,
        now,
    };
    if let Ok(reservation) = limits.admit(black_box(scopes), &ask) {
        reservation.settle(now, 150, Money::from_nanos(700), 1);
    }
}

/// With limits of every kind on all three levels.
#[divan::bench(threads = [1, 2])]
fn all_limits(bencher: Bencher<'_, '_>) {
    let (limits, scopes) = (Limits::default(), scopes());
    bencher.bench(|| one(&limits, &scopes, 5_000));
}

/// Without any.
#[divan::bench]
fn no_limits(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    let scopes = scopes().map(|scope| ScopeLimits {
        limits: std::sync::Arc::default(),
        ..scope
    });
    bencher.bench(|| one(&limits, &scopes, 5_000));
}
