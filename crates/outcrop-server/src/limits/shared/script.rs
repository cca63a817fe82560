//! The script's arguments and answers.

use std::sync::Arc;

use outcrop_tenants::limits::{BudgetState, Limit, Limits, Rate, Rates, Refused, ScopeLimits, Spent};
use outcrop_tenants::{Money, Period};
use redis::Cmd;

use super::{Call, Job, LEASE};

/// All that Redis does for us.
pub(super) const SCRIPT: &str = include_str!("counters.lua");

/// What it says of a call.
pub(super) enum Answer {
    /// It was counted in this second of Redis' clock.
    Admitted(i64, Rates),
    Refused(Box<Refused>),
}

fn begin<'a>(sha: &str, op: &str, instance: &str, scopes: impl ExactSizeIterator<Item = &'a ScopeLimits>) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(sha).arg(3 * scopes.len());
    for scope in scopes {
        for part in ["h", "o", "b"] {
            // One hash tag: all keys are in one slot of a cluster.
            let kind = &scope.scope.name()[..1];
            command.arg(format!("{{outcrop}}:limits:{kind}:{}:{part}", scope.id));
        }
    }
    command.arg(op).arg(instance).arg(LEASE.as_millis().to_string());
    command
}

fn say(command: &mut Cmd, spent: &Spent) {
    command
        .arg(letter(spent.period))
        .arg(spent.start)
        .arg(spent.in_database.nanos())
        .arg(spent.pending.nanos())
        .arg(spent.version);
}

fn say_all(command: &mut Cmd, own: &Limits, scope: &ScopeLimits) {
    let all = own.spent_of(scope.scope, &scope.id);
    command.arg(all.len());
    all.iter().for_each(|spent| say(command, spent));
}

/// Asks for a call.
pub(super) fn admit(sha: &str, instance: &str, call: &Call, own: &Limits) -> Cmd {
    let mut command = begin(sha, "admit", instance, call.scopes.iter());
    let most = call.member.rsplit(' ').next().unwrap_or("0");
    command.arg(&call.member).arg(u8::from(call.ask.is_stream)).arg(most);
    for scope in &call.scopes {
        let limits = &scope.limits;
        let number = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        command
            .arg(number(limits.requests_per_minute))
            .arg(number(limits.tokens_per_minute))
            .arg(number(limits.concurrent_requests.map(u64::from)))
            .arg(number(limits.concurrent_streams.map(u64::from)))
            .arg(call.ask.tokens_within(limits.tokens_per_minute));
        let known = own.spent_of(scope.scope, &scope.id);
        let of = |period| known.iter().find(|spent| spent.period == period);
        // This instance's own gate has one for each budget by now.
        let budgets: Vec<_> = limits
            .budgets
            .iter()
            .filter_map(|budget| Some((budget, of(budget.period)?)))
            .collect();
        command.arg(budgets.len());
        for (budget, spent) in budgets {
            command
                .arg(if budget.soft { -1 } else { budget.limit_usd.nanos() })
                // A double holds it; it is the end of no period.
                .arg(spent.end.unwrap_or(1 << 40));
            say(&mut command, spent);
        }
    }
    command
}

/// Tells of a call that is over.
pub(super) fn settle(sha: &str, instance: &str, job: &Job, own: &Limits) -> Cmd {
    let Job { call, counted, tokens } = job;
    let mut command = begin(sha, "settle", instance, call.scopes.iter());
    command.arg(&call.member).arg(counted.unwrap_or(0));
    for scope in &call.scopes {
        let limits = &scope.limits;
        let is_counted = limits.requests_per_minute.is_some() || limits.tokens_per_minute.is_some();
        let reserved = call.ask.tokens_within(limits.tokens_per_minute);
        let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let (tokens, requests) = match tokens {
            _ if !is_counted => (0, 0),
            Some(tokens) => (number(*tokens) - number(reserved), 0),
            None => (-number(reserved), -1),
        };
        command.arg(tokens).arg(requests);
        say_all(&mut command, own, scope);
    }
    command
}

/// Tells of all that is under way in a scope, and of its budgets.
pub(super) fn sync(sha: &str, instance: &str, scope: &ScopeLimits, members: &[&str], own: &Limits) -> Cmd {
    let mut command = begin(sha, "sync", instance, std::iter::once(scope));
    command.arg(members.len());
    for member in members {
        command.arg(*member);
    }
    say_all(&mut command, own, scope);
    command
}

/// Reads what it answers to [`admit`]; `None` if it can't be.
pub(super) fn read(numbers: &[i64], call: &Call) -> Option<Answer> {
    let end = numbers.iter().position(|number| *number == -1)?;
    let (head, totals) = (&numbers[..end], &numbers[end + 1..]);
    let mut rates = Rates::default();
    for (scope, total) in call.scopes.iter().zip(totals.chunks_exact(2)) {
        let rate = |limit: Option<u64>, used: i64| {
            limit.map(|limit| Rate {
                limit,
                remaining: limit.saturating_sub(u64::try_from(used).unwrap_or(0)),
                reset_ms: if used > 0 { 61_000 } else { 0 },
            })
        };
        rates = rates.tighter(Rates {
            requests: rate(scope.limits.requests_per_minute, total[0]),
            tokens: rate(scope.limits.tokens_per_minute, total[1]),
        });
    }
    let (scope, kind, millis, rest) = match head {
        [0, second] => return Some(Answer::Admitted(*second, rates)),
        [1, scope, kind, millis, rest @ ..] => (scope, kind, millis, rest),
        _ => return None,
    };
    let at = |number: &i64| usize::try_from(*number).ok()?.checked_sub(1);
    let scope = call.scopes.get(at(scope)?)?;
    let limits = &scope.limits;
    let limit = match (kind, rest) {
        (1, []) => Limit::Requests(limits.requests_per_minute?),
        (2, []) => Limit::Tokens(
            limits.tokens_per_minute?,
            call.ask.tokens_within(limits.tokens_per_minute),
        ),
        (3, []) => Limit::ConcurrentRequests(limits.concurrent_requests?),
        (4, []) => Limit::ConcurrentStreams(limits.concurrent_streams?),
        (5, [budget, spent, reserved]) => {
            let budget = limits.budgets.get(at(budget)?)?;
            Limit::Budget(BudgetState {
                period: budget.period,
                limit: budget.limit_usd,
                spent: Money::from_nanos(*spent),
                reserved: Money::from_nanos(*reserved),
                ends: budget.period.end(call.ask.now.seconds),
            })
        }
        _ => return None,
    };
    let is_for_good = matches!(&limit, Limit::Budget(state) if state.ends.is_none() && state.spent >= state.limit);
    Some(Answer::Refused(Box::new(Refused {
        scope: scope.scope,
        name: Arc::clone(&scope.name),
        limit,
        retry_after_ms: u64::try_from(*millis).ok().filter(|_| !is_for_good),
        rates,
    })))
}

fn letter(period: Period) -> &'static str {
    match period {
        Period::Day => "D",
        Period::Week => "W",
        Period::Month => "M",
        Period::Total => "T",
    }
}
