//! What organizations, projects and keys may do within a time, and what they may spend.
//!
//! A [`Limits`] has a gate for each of them that has passed lately. A call passes all of its gates or none. It holds a
//! [`Reservation`] of them until it is settled by what it really took.

mod ask;
mod gate;
mod purse;
mod reservation;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use ask::{Ask, BudgetState, Limit, LimitSet, MostCost, Now, Rate, Rates, Refused, Scope, ScopeLimits, Warning};
pub use reservation::Reservation;

use crate::{Money, Period};
use gate::{Gate, Obstacle, State, Ticket};
use reservation::Held;

/// How many maps of gates there are for each scope, so that threads seldom wait for one another.
const SHARDS: usize = 32;

type Shard = Mutex<HashMap<Arc<str>, Arc<Gate>>>;
/// Of each period when it began, and what the database has of it.
type OfScope = [(i64, Money); 4];
type Sums = HashMap<(Scope, Arc<str>), OfScope>;

/// The limits of all organizations, projects and keys.
#[derive(Debug)]
pub struct Limits {
    shards: Vec<Shard>,
    /// What the database has. Gates that come later begin with it.
    sums: RwLock<Sums>,
}

/// What the database has of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Of what.
    pub scope: Scope,
    /// Its id.
    pub id: Arc<str>,
    /// The period.
    pub period: Period,
    /// When it began, in seconds since 1970.
    pub start: i64,
    /// What was spent.
    pub spent: Money,
}

/// What is known here of what was spent in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Of what.
    pub scope: Scope,
    /// Its id.
    pub id: Arc<str>,
    /// The period.
    pub period: Period,
    /// When it began, in seconds since 1970.
    pub start: i64,
    /// When it ends.
    pub end: Option<i64>,
    /// What the database had.
    pub in_database: Money,
    /// What was settled here, and isn't surely part of that.
    pub pending: Money,
    /// What calls under way here may cost.
    pub reserved: Money,
    /// Counts up with each change of what is settled here.
    pub version: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            shards: (0..3 * SHARDS).map(|_| Shard::default()).collect(),
            sums: RwLock::default(),
        }
    }
}

impl Limits {
    /// Lets a call through all gates of `scopes`, or none. They are one organization, one project and one key, in any
    /// order, or fewer.
    ///
    /// # Errors
    /// When one of the limits has no room for it. Of several, it is the one that takes longest.
    pub fn admit(&self, scopes: &[ScopeLimits], ask: &Ask) -> Result<Reservation, Box<Refused>> {
        let mut limited: [Option<&ScopeLimits>; 3] = [None; 3];
        for scope in scopes.iter().filter(|scope| !scope.limits.is_empty()) {
            limited[scope.scope as usize] = Some(scope);
        }
        if limited.iter().all(Option::is_none) {
            return Ok(Reservation::default());
        }
        let gates = limited.map(|limits| limits.map(|limits| self.gate(limits, ask.now)));
        let mut rates = Rates::default();
        let mut warnings = Vec::new();
        let mut tickets = [Ticket::default(); 3];
        {
            // All take the locks in this order, from the organization to the key, so nobody waits in a circle.
            let mut states = gates.each_ref().map(|gate| gate.as_ref().map(|gate| gate.lock()));
            let mut worst: Option<(&ScopeLimits, Obstacle)> = None;
            for (state, limits) in pairs(&mut states, &limited) {
                state.advance(ask.now, limits, |period| self.sum(limits, period, ask.now.seconds));
                if let Some(obstacle) = state.obstacle(limits, ask)
                    && worst.as_ref().is_none_or(|(_, other)| obstacle.is_worse(other))
                {
                    worst = Some((limits, obstacle));
                }
            }
            if let Some((limits, Obstacle { limit, retry_after_ms })) = worst {
                for (state, limits) in pairs(&mut states, &limited) {
                    rates = rates.tighter(state.rates(limits, ask.now));
                }
                return Err(Box::new(Refused {
                    scope: limits.scope,
                    name: Arc::clone(&limits.name),
                    limit,
                    retry_after_ms,
                    rates,
                }));
            }
            for (state, limits) in pairs(&mut states, &limited) {
                tickets[limits.scope as usize] = state.pass(limits, ask);
                rates = rates.tighter(state.rates(limits, ask.now));
                state.warnings(limits, &mut warnings);
            }
        }
        let mut held = gates.map(|gate| {
            gate.map(|gate| Held {
                gate,
                ticket: Ticket::default(),
            })
        });
        for (held, ticket) in held.iter_mut().zip(tickets) {
            if let Some(held) = held {
                held.ticket = ticket;
            }
        }
        Ok(Reservation::new(held, rates, warnings))
    }

    /// Takes over what the database has of the periods that `now` (seconds since 1970) is in; what isn't among `sums` is
    /// nothing. It was read after all that was settled with a mark up to `reached` had been written.
    pub fn take_over(&self, sums: impl IntoIterator<Item = Sum>, now: i64, reached: u64) {
        let mut all = Sums::new();
        put(&mut all, sums);
        *self.sums.write().unwrap_or_else(PoisonError::into_inner) = all;
        self.pass_on(now, reached);
    }

    /// The same, but what isn't among `sums` is as it was.
    pub fn take_over_changes(&self, sums: impl IntoIterator<Item = Sum>, now: i64, reached: u64) {
        put(&mut self.sums.write().unwrap_or_else(PoisonError::into_inner), sums);
        self.pass_on(now, reached);
    }

    fn pass_on(&self, now: i64, reached: u64) {
        self.each_gate(|gate| {
            // Not while the gate is held: who holds one may ask for this.
            let of_scope = self.sums_of(gate.scope, &gate.id);
            let mut state = gate.lock();
            let mut has_changed = false;
            for purse in &mut state.purses {
                let start = purse.period.start(now);
                has_changed |= purse.sync(start, spent_in(&of_scope, purse.period, start), reached);
            }
            state.version += u64::from(has_changed);
        });
    }

    /// Drops gates that know nothing that would be lost. Gives how many are left.
    pub fn sweep(&self, now: Now) -> usize {
        let mut left = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            // Whoever is about to use a gate has it from this map, and holds on to it.
            shard.retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.lock().is_idle(now));
            if shard.capacity() > 4 * shard.len() + 64 {
                shard.shrink_to_fit();
            }
            left += shard.len();
        }
        left
    }

    /// What is known here of what was spent, for all with a budget that have passed lately.
    pub fn spent(&self) -> Vec<Spent> {
        let mut all = Vec::new();
        self.each_gate(|gate| gate.spent(&mut all));
        all
    }

    /// The same for one of them.
    pub fn spent_of(&self, scope: Scope, id: &str) -> Vec<Spent> {
        let gate = lock(self.shard(scope, id)).get(id).cloned();
        let mut all = Vec::new();
        if let Some(gate) = gate {
            gate.spent(&mut all);
        }
        all
    }

    fn shard(&self, scope: Scope, id: &str) -> &Shard {
        let digits = id.as_bytes().iter().rev().take(4);
        let hash = digits.fold(0_usize, |hash, digit| hash * 31 + usize::from(*digit));
        &self.shards[scope as usize * SHARDS + hash % SHARDS]
    }

    fn gate(&self, limits: &ScopeLimits, now: Now) -> Arc<Gate> {
        let mut shard = lock(self.shard(limits.scope, &limits.id));
        if let Some(gate) = shard.get(&*limits.id) {
            return Arc::clone(gate);
        }
        let gate = Arc::new(Gate::new(limits.scope, Arc::clone(&limits.id), now));
        shard.insert(Arc::clone(&limits.id), Arc::clone(&gate));
        gate
    }

    fn sum(&self, scope: &ScopeLimits, period: Period, now: i64) -> Money {
        spent_in(&self.sums_of(scope.scope, &scope.id), period, period.start(now))
    }

    fn sums_of(&self, scope: Scope, id: &Arc<str>) -> OfScope {
        let sums = self.sums.read().unwrap_or_else(PoisonError::into_inner);
        sums.get(&(scope, Arc::clone(id))).copied().unwrap_or_default()
    }

    fn each_gate(&self, mut each: impl FnMut(&Gate)) {
        for shard in &self.shards {
            // The shard isn't held meanwhile.
            let gates: Vec<Arc<Gate>> = lock(shard).values().cloned().collect();
            gates.iter().for_each(|gate| each(gate));
        }
    }
}

impl Gate {
    fn spent(&self, all: &mut Vec<Spent>) {
        let state = self.lock();
        all.extend(state.purses.iter().map(|purse| Spent {
            scope: self.scope,
            id: Arc::clone(&self.id),
            period: purse.period,
            start: purse.start(),
            end: purse.end(),
            in_database: purse.in_database(),
            pending: purse.pending(),
            reserved: purse.reserved(),
            version: state.version,
        }));
    }
}

fn put(all: &mut Sums, sums: impl IntoIterator<Item = Sum>) {
    for sum in sums {
        let of_scope = all.entry((sum.scope, sum.id)).or_default();
        of_scope[sum.period as usize] = (sum.start, sum.spent);
    }
}

/// What was spent in the period that began at `start`: nothing, where the sum is of another one.
fn spent_in(of_scope: &OfScope, period: Period, start: i64) -> Money {
    let (of, spent) = of_scope[period as usize];
    if of == start { spent } else { Money::ZERO }
}

/// The gates that there are, with their limits.
fn pairs<'a, 'b>(
    states: &'a mut [Option<MutexGuard<'_, State>>; 3],
    limited: &'a [Option<&'b ScopeLimits>; 3],
) -> impl Iterator<Item = (&'a mut State, &'b ScopeLimits)> {
    let states = states.iter_mut().zip(limited);
    states.filter_map(|(state, limits)| Some((&mut **state.as_mut()?, (*limits)?)))
}

/// A panic elsewhere leaves nothing half done here.
fn lock(shard: &Shard) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Gate>>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
