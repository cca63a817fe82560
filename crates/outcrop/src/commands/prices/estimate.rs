//! `outcrop prices estimate`: what a call costs.

use clap::ArgMatches;
use outcrop_server::catalogue::{Consumption, Cost, Images, Terms, Tier};
use outcrop_server::resolve::Asked;
use outcrop_tenants::Money;
use serde_json::json;

use crate::cli;
use crate::commands::models::{region, target};
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::load;

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let settings = &loaded.settings;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
    let asked = Asked {
        name: text("name"),
        ..Asked::default()
    };
    let region = region(settings)?;
    let target = target(&asked, settings, region.as_deref()).map_err(|problem| Failure::Unresolved(problem.message))?;
    let called = &target.model_id;
    let tariff = settings.models.tariff(&target, region.as_deref().unwrap_or_default());
    let tariff = tariff.ok_or_else(|| Failure::NoPrice(format!("nobody knows what {called} costs")))?;
    let terms = Terms {
        tier: Tier::from_name(text("tier")),
        is_latency_optimized: matches.get_flag("optimized"),
        is_batch: matches.get_flag("batch"),
    };
    let used = Consumption {
        input: number("input"),
        output: number("output"),
        cache_read: number("cache-read"),
        cache_write: number("cache-write"),
        cache_write_1h: number("cache-write-1h"),
        input_images: number("input-images"),
        images: Images {
            count: number("images"),
            quality: if text("quality") == "premium" {
                "premium"
            } else {
                "standard"
            },
            pixels: pixels(text("size"))?,
        },
        searches: number("searches"),
    };
    let calls = number("calls");
    let cost = tariff.cost(&terms, &used).ok_or_else(|| {
        Failure::NoPrice(format!(
            "a price of {called} that this needs isn't known; see `outcrop prices show`"
        ))
    })?;
    let times = |nanos: i64| Money::from_nanos(nanos.saturating_mul(i64::try_from(calls).unwrap_or(i64::MAX)));
    if matches.get_flag("json") {
        let page = json!({
            "model": asked.name,
            "called_model": called,
            "region": &*tariff.place().region,
            "calls": calls,
            "currency": "USD",
            "cost": times(cost.nanos),
            "cache_savings": times(cost.savings_nanos),
            "is_assumed": cost.is_assumed,
        });
        return print_page(&format!("{page:#}\n"));
    }
    print_page(&page(called, calls, &cost, times))
}

fn page(called: &str, calls: u64, cost: &Cost, times: impl Fn(i64) -> Money) -> String {
    let mut page = match calls {
        1 => format!("{called}: ${}\n", times(cost.nanos)),
        calls => format!("{called}: ${} for {calls} calls\n", times(cost.nanos)),
    };
    match cost.savings_nanos {
        0 => {}
        more if more < 0 => {
            let paid = times(more.saturating_neg());
            page.push_str(&format!(
                "  ${paid} of it for writing to the cache, more than reading from it saved\n"
            ));
        }
        saved => page.push_str(&format!("  the cache saves ${}\n", times(saved))),
    }
    if cost.is_assumed {
        page.push_str("  a price of the cache isn't known; the price of input, or of writing for five minutes, stands in for it\n");
    }
    page
}

fn pixels(size: &str) -> Result<u64, Failure> {
    let sides = size.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| text.parse::<u64>().ok().filter(|side| (1..=100_000).contains(side));
        Some(side(width)? * side(height)?)
    });
    sides.ok_or_else(|| Failure::NoPrice(format!("'{size}' is no size of an image, such as 1024x1024")))
}
