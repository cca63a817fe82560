//! Who waits for room: one queue, fair between tenants.
//!
//! Each tenant has a line of its own, and one of each line is served in turn, so that a tenant that sends a thousand
//! requests delays the request of another one by one turn. Within a line the first comes first. What the first in turn
//! can't have yet nobody behind may take, or large requests would wait for ever behind small ones.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outcrop_routing::ledger::{Full, Lane, Reservation};
use tokio::sync::{Notify, oneshot};

use super::{Wanted, now};

/// Limits that were learned grow by themselves, so it is looked again after so long at the latest.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Nobody tells when a target is well again, so it is looked again after so long.
const UNTIL_WELL: Duration = Duration::from_millis(100);
/// No sooner, or many short waits would cost much.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: Mutex<Lines>,
    /// Something may have changed.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Lines {
    /// Those whose turn is first are first. None is empty.
    lines: VecDeque<Line>,
    /// Requests in all lines.
    len: usize,
    next_id: u64,
    /// Whether a task gives out what comes free.
    is_driven: bool,
}

#[derive(Debug)]
struct Line {
    tenant: String,
    waiters: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    candidates: Vec<Candidate>,
    sender: oneshot::Sender<Granted>,
}

/// A lane that a request waits for.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Which of all that the request may take it is.
    pub(super) index: usize,
    pub(super) wanted: Wanted,
}

/// A reservation on its way to who waits for it. If that one has left, it comes back.
#[derive(Debug)]
struct Granted {
    index: usize,
    reservation: Option<Reservation>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            reservation.release();
        }
    }
}

/// A place in the queue, left when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    queue: &'a Queue,
    id: u64,
    receiver: oneshot::Receiver<Granted>,
}

impl Place<'_> {
    /// What was waited for: a reservation and the index of its candidate. `None` if the place was given to another
    /// tenant.
    pub(super) async fn granted(&mut self) -> Option<(usize, Reservation)> {
        let mut granted = (&mut self.receiver).await.ok()?;
        Some((granted.index, granted.reservation.take()?))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.leave(self.id);
    }
}

impl Queue {
    /// Something may have changed.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().len
    }

    /// Takes a place. `None` if there is none: where all are taken, a tenant that has the most gives one to a tenant
    /// that has less.
    pub(super) fn enter(self: &Arc<Self>, candidates: Vec<Candidate>, tenant: &str, limit: usize) -> Option<Place<'_>> {
        let mut lines = self.lock();
        if lines.len >= limit && !lines.make_room(tenant) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let id = lines.next_id;
        lines.next_id += 1;
        for candidate in &candidates {
            candidate.wanted.lane.waiting().fetch_add(1, Ordering::AcqRel);
        }
        let waiter = Waiter { id, candidates, sender };
        lines.push(tenant, waiter);
        if lines.is_driven {
            self.wake();
        } else {
            lines.is_driven = true;
            tokio::spawn(drive(Arc::clone(self)));
        }
        Some(Place {
            queue: self,
            id,
            receiver,
        })
    }

    fn give_out(&self) -> Option<Duration> {
        self.lock().give_out(now())
    }

    fn leave(&self, id: u64) {
        let mut lines = self.lock();
        let waiter = lines.remove(id);
        drop(lines);
        if let Some(waiter) = waiter {
            waiter.count_out();
            // What nobody could take before this one, others may have now.
            self.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives out what comes free, until nobody waits.
async fn drive(queue: Arc<Queue>) {
    while let Some(sleep) = queue.give_out() {
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = queue.changed.notified() => {}
        }
    }
}

impl Lines {
    fn push(&mut self, tenant: &str, waiter: Waiter) {
        self.len += 1;
        if let Some(line) = self.lines.iter_mut().find(|line| line.tenant == tenant) {
            line.waiters.push_back(waiter);
        } else {
            self.lines.push_back(Line {
                tenant: tenant.to_owned(),
                waiters: VecDeque::from([waiter]),
            });
        }
    }

    fn remove(&mut self, id: u64) -> Option<Waiter> {
        let found = self.lines.iter_mut().enumerate().find_map(|(index, line)| {
            let at = line.waiters.iter().position(|waiter| waiter.id == id)?;
            Some((index, line.waiters.remove(at)?))
        });
        let (index, waiter) = found?;
        self.len -= 1;
        if self.lines.get(index).is_some_and(|line| line.waiters.is_empty()) {
            self.lines.remove(index);
        }
        Some(waiter)
    }

    /// Sends the last one of the longest line away, if that is longer than the tenant's would become.
    fn make_room(&mut self, tenant: &str) -> bool {
        let own = self.lines.iter().find(|line| line.tenant == tenant);
        let own = own.map_or(0, |line| line.waiters.len());
        let longest = self.lines.iter_mut().max_by_key(|line| line.waiters.len());
        let Some(line) = longest.filter(|line| line.waiters.len() > own + 1) else {
            return false;
        };
        if let Some(last) = line.waiters.pop_back() {
            self.len -= 1;
            last.count_out();
        }
        true
    }

    /// Gives what there is to those who wait, and says when to look again; `None` once nobody waits.
    fn give_out(&mut self, now: Instant) -> Option<Duration> {
        // Lanes of which nobody else may take, since somebody who is first waits for more than they have.
        let mut taken = HashSet::new();
        let mut sleep = LONGEST_SLEEP;
        let mut index = 0;
        while let Some(line) = self.lines.get_mut(index) {
            let Some(waiter) = line.serve(now, &mut taken, &mut sleep) else {
                index += 1;
                continue;
            };
            self.len -= 1;
            waiter.count_out();
            // It was this tenant's turn; the others' come first now.
            if let Some(line) = self.lines.remove(index)
                && !line.waiters.is_empty()
            {
                self.lines.push_back(line);
            }
        }
        if self.lines.is_empty() {
            self.is_driven = false;
            return None;
        }
        Some(sleep.max(SHORTEST_SLEEP))
    }
}

impl Line {
    /// Serves the first who can be.
    fn serve(&mut self, now: Instant, taken: &mut HashSet<*const Lane>, sleep: &mut Duration) -> Option<Served> {
        for at in 0..self.waiters.len() {
            let waiter = self.waiters.get(at)?;
            let mut full = Vec::new();
            for Candidate { index, wanted } in &waiter.candidates {
                let (index, place) = (*index, Arc::as_ptr(&wanted.lane));
                if taken.contains(&place) {
                    continue;
                }
                if !wanted.is_well(now) {
                    *sleep = UNTIL_WELL.min(*sleep);
                    continue;
                }
                match wanted.lane.try_reserve(now, wanted.need) {
                    Ok(reservation) => {
                        // One call finds out whether the target is back; the others wait for what it finds.
                        if wanted.is_half_open(now) {
                            taken.insert(place);
                            *sleep = UNTIL_WELL.min(*sleep);
                        }
                        let Waiter { candidates, sender, .. } = self.waiters.remove(at)?;
                        // If nobody is there any more, what comes back is dropped, and so released.
                        let _ = sender.send(Granted {
                            index,
                            reservation: Some(reservation),
                        });
                        return Some(Served { candidates });
                    }
                    // A call that never fits is in nobody's way.
                    Err(Full {
                        retry_after: Some(after),
                        ..
                    }) => full.push((place, after)),
                    Err(_) => {}
                }
            }
            // Who is served elsewhere is in nobody's way either.
            for (place, after) in full {
                taken.insert(place);
                *sleep = after.min(*sleep);
            }
        }
        None
    }
}

/// One who waits no more.
struct Served {
    candidates: Vec<Candidate>,
}

impl Served {
    fn count_out(&self) {
        count_out(&self.candidates);
    }
}

impl Waiter {
    fn count_out(&self) {
        count_out(&self.candidates);
    }
}

fn count_out(candidates: &[Candidate]) {
    for candidate in candidates {
        candidate.wanted.lane.waiting().fetch_sub(1, Ordering::AcqRel);
    }
}
