//! Budgets.

use super::Fault;
use crate::{Budget, Money};

/// More than anybody spends, and small enough for sums.
const MOST: Money = Money::from_nanos(1_000_000_000 * 1_000_000_000);

/// Checks amounts, and that there are not two of a kind: at most one that stops and one that only warns for each period.
pub(super) fn check(budgets: &[Budget]) -> Result<(), Fault> {
    for (index, budget) in budgets.iter().enumerate() {
        let fault = |member: &str, message: &str| Err(Fault::new(format!("budgets[{index}]{member}"), message));
        if budget.limit_usd < Money::ZERO || budget.limit_usd > MOST {
            return fault(".limit_usd", "must be from 0 to 1000000000 dollars");
        }
        if budget.warn_at.is_some_and(|part| !(0.0..=1.0).contains(&part)) {
            return fault(".warn_at", "must be from 0 to 1");
        }
        let same = |other: &Budget| other.period == budget.period && other.soft == budget.soft;
        if budgets[..index].iter().any(same) {
            return fault(
                "",
                "is the second of its period; there is one that stops, and one that is soft",
            );
        }
    }
    Ok(())
}
