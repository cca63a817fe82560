//! What holds for all costs.

use proptest::prelude::*;

use crate::Catalogue;
use crate::catalogue::{Ask, Consumption, Tariff, Terms};

fn tariffs() -> Vec<Tariff> {
    let catalogue = Catalogue::built_in();
    let of_tokens = catalogue.models().filter(|model| {
        let prices = model.prices.as_ref();
        prices.is_some_and(|prices| prices.base.input.is_some() && prices.base.output.is_some())
    });
    of_tokens
        .filter_map(|model| catalogue.tariff_of(&model.id, None, "us-east-1"))
        .collect()
}

fn used() -> impl Strategy<Value = Consumption> {
    let few = 0_u64..60_000;
    (few.clone(), few.clone(), few.clone(), few).prop_map(|(input, output, cache_read, cache_write)| Consumption {
        input,
        output,
        cache_read,
        cache_write,
        ..Consumption::default()
    })
}

proptest! {
    #[test]
    fn costs_add_up_and_are_never_negative(one in used(), other in used(), pick in any::<prop::sample::Index>()) {
        let tariffs = tariffs();
        let tariff = pick.get(&tariffs);
        let cost = |used: &Consumption| tariff.cost(&Terms::default(), used).unwrap();
        let both = Consumption {
            input: one.input + other.input,
            output: one.output + other.output,
            cache_read: one.cache_read + other.cache_read,
            cache_write: one.cache_write + other.cache_write,
            ..Consumption::default()
        };
        prop_assert!(cost(&one).nanos >= 0);
        // Much input may have a price of its own; below that, a sum is its parts, but for what is rounded.
        let read = both.input + both.cache_read + both.cache_write;
        if read <= 200_000 {
            let apart = cost(&one).nanos + cost(&other).nanos;
            prop_assert!((cost(&both).nanos - apart).abs() <= 1, "{} {}", cost(&both).nanos, apart);
        }
        prop_assert!(cost(&both).nanos >= cost(&one).nanos);
    }

    #[test]
    fn nothing_costs_more_than_the_most(used in used(), pick in any::<prop::sample::Index>()) {
        let tariffs = tariffs();
        let tariff = pick.get(&tariffs);
        let ask = Ask {
            input: used.input + used.cache_read + used.cache_write,
            output: used.output,
            may_cache: true,
            ..Ask::default()
        };
        let cost = tariff.cost(&Terms::default(), &used).unwrap();
        prop_assert!(cost.nanos <= tariff.most(&Terms::default(), &ask).unwrap());
    }

    #[test]
    fn without_a_cache_nothing_is_saved(input in 0_u64..10_000_000, output in 0_u64..10_000_000) {
        let used = Consumption { input, output, ..Consumption::default() };
        let tariff = Catalogue::built_in().tariff_of("amazon.nova-lite-v1:0", None, "us-east-1").unwrap();
        let cost = tariff.cost(&Terms::default(), &used).unwrap();
        prop_assert_eq!((cost.savings_nanos, cost.is_assumed), (0, false));
    }
}
