//! Reports as comma-separated values (RFC 4180), plain and with FOCUS's columns.

use outcrop_store::{GroupBy, UsageRow};
use serde_json::Value;

use super::json::{local, name_of, named, sums};
use super::query::Question;
use super::report::{Report, group};
use super::slots::{Slot, Width, zoned};
use crate::tenants::Directory;

/// A table as it is written.
#[derive(Debug, Default)]
struct Table(String);

impl Table {
    fn row<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Number(number) => self.0.push_str(&number),
                Cell::Text(text) => self.text(text),
            }
        }
        self.0.push_str("\r\n");
    }

    /// A text. Clients choose some of them, and spreadsheets would run one that looks like a formula.
    fn text(&mut self, text: &str) {
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let is_plain = !is_formula && !text.contains(['"', ',', '\r', '\n']);
        if is_plain {
            self.0.push_str(text);
            return;
        }
        self.0.push('"');
        if is_formula {
            self.0.push('\'');
        }
        self.0.push_str(&text.replace('"', "\"\""));
        self.0.push('"');
    }
}

enum Cell<'c> {
    Text(&'c str),
    Number(String),
}

/// What `format=csv` answers.
pub(super) fn plain(question: &Question, report: &Report, directory: &Directory) -> String {
    let mut table = Table::default();
    let nothing = UsageRow::default();
    let names = named(question, &nothing, directory);
    let members = sums(&nothing);
    let head = ["start", "end"].into_iter();
    let head = head.chain(names.keys().chain(members.keys()).map(String::as_str));
    table.row(head.map(Cell::Text));
    for (slot, row) in rows(report) {
        let (start, end) = (local(question, slot.start), local(question, slot.end));
        let names = named(question, row, directory);
        let sums = sums(row);
        let mut cells = vec![Cell::Text(&start), Cell::Text(&end)];
        cells.extend(
            names
                .values()
                .map(|value| Cell::Text(value.as_str().unwrap_or_default())),
        );
        let exact = |(name, value): (&String, &Value)| match name.as_str() {
            // Without the exponents of floating-point numbers.
            "cost" => Cell::Number(row.cost.to_string()),
            "cache_savings" => Cell::Number(row.cache_savings.to_string()),
            _ => Cell::Number(value.to_string()),
        };
        cells.extend(sums.iter().map(exact));
        table.row(cells);
    }
    table.0
}

fn rows(report: &Report) -> impl Iterator<Item = (Slot, &UsageRow)> {
    report
        .slots
        .iter()
        .flat_map(|(slot, rows)| rows.iter().map(|row| (*slot, row)))
}

/// What rows of FOCUS are grouped by.
pub(super) const FOCUS_GROUPS: [GroupBy; 8] = [
    GroupBy::Organization,
    GroupBy::Project,
    GroupBy::Key,
    GroupBy::Model,
    GroupBy::CalledModel,
    GroupBy::Operation,
    GroupBy::Region,
    GroupBy::Tier,
];

/// The columns of the FinOps Open Cost and Usage Specification 1.1 that a gateway can fill, and its own (`x_`).
const FOCUS_COLUMNS: [&str; 44] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Requests",
    "x_InputTokens",
    "x_OutputTokens",
    "x_CachedInputTokens",
    "x_CacheWriteTokens",
    "x_CacheSavings",
    "x_EstimatedRequests",
    "x_UnpricedRequests",
    "x_KeyId",
    "x_Operation",
];

/// What `format=focus` answers.
pub(super) fn focus(question: &Question, report: &Report, directory: &Directory) -> String {
    let mut table = Table::default();
    table.row(FOCUS_COLUMNS.map(Cell::Text));
    for (slot, row) in rows(report) {
        let of = |by| group(&question.group_by, row, by);
        let text = |by| of(by).unwrap_or_default();
        let name = |by| name_of(by, of(by), directory).flatten().unwrap_or_default();
        let (start, end) = (utc(slot.start), utc(slot.end));
        let (month_start, month_end) = month(question, slot.start);
        let (quantity, unit) = consumed(row);
        let tokens = &row.tokens;
        let (organization, project) = (name(GroupBy::Organization), name(GroupBy::Project));
        let operation = text(GroupBy::Operation);
        let sku = match text(GroupBy::Tier) {
            "" | "default" => text(GroupBy::CalledModel).to_owned(),
            tier => format!("{}/{tier}", text(GroupBy::CalledModel)),
        };
        let description = format!("{} by {}", operation, text(GroupBy::Model));
        let meter = format!("{operation} {unit}");
        let tags = serde_json::json!({
            "organization": organization, "project": project, "key": name(GroupBy::Key),
        })
        .to_string();
        let cost = row.cost.to_string();
        let amount = || Cell::Number(cost.clone());
        let count = |number: u64| Cell::Number(number.to_string());
        table.row([
            amount(),
            Cell::Text(text(GroupBy::Organization)),
            Cell::Text(&organization),
            Cell::Text("USD"),
            Cell::Text(&month_end),
            Cell::Text(&month_start),
            Cell::Text("Usage"),
            Cell::Text(""),
            Cell::Text(&description),
            Cell::Text("Usage-Based"),
            Cell::Text(&end),
            Cell::Text(&start),
            count(quantity),
            Cell::Text(unit),
            amount(),
            amount(),
            Cell::Text("AWS"),
            amount(),
            Cell::Text("Standard"),
            count(quantity),
            Cell::Text(unit),
            Cell::Text("AWS"),
            Cell::Text("AWS"),
            Cell::Text(text(GroupBy::Region)),
            Cell::Text(text(GroupBy::CalledModel)),
            Cell::Text("Foundation model"),
            Cell::Text("AI and Machine Learning"),
            Cell::Text("Amazon Bedrock"),
            Cell::Text("Generative AI"),
            Cell::Text(&sku),
            Cell::Text(&meter),
            Cell::Text(text(GroupBy::Project)),
            Cell::Text(&project),
            Cell::Text(&tags),
            count(row.requests),
            count(tokens.all_input()),
            count(tokens.output),
            count(tokens.cache_read),
            count(tokens.cache_write.saturating_add(tokens.cache_write_1h)),
            Cell::Number(row.cache_savings.to_string()),
            count(row.estimated),
            count(row.unpriced),
            Cell::Text(text(GroupBy::Key)),
            Cell::Text(operation),
        ]);
    }
    table.0
}

/// How much was used, in the unit that is paid for.
fn consumed(row: &UsageRow) -> (u64, &'static str) {
    let tokens = &row.tokens;
    let all = tokens.all_input().saturating_add(tokens.output);
    match (tokens.images, tokens.searches) {
        (0, 0) => (all, "Tokens"),
        (images, 0) => (images, "Images"),
        (_, searches) => (searches, "Searches"),
    }
}

/// FOCUS's times are UTC.
fn utc(at: i64) -> String {
    let moment = jiff::Timestamp::from_second(at.div_euclid(1000));
    moment.map(|moment| moment.to_string()).unwrap_or_default()
}

/// The month that a moment is in.
fn month(question: &Question, at: i64) -> (String, String) {
    let found = Width::Month.slots(at, at + 1, &question.zone, 1);
    let slot = found.ok().and_then(|(slots, _)| slots.first().copied());
    let slot = slot.unwrap_or(Slot { start: at, end: at });
    debug_assert!(zoned(slot.start, &question.zone).is_ok());
    (utc(slot.start), utc(slot.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_run_nothing() {
        let mut table = Table::default();
        table.row([
            Cell::Text("a,b"),
            Cell::Text("say \"x\"\nand"),
            Cell::Text("=1+1"),
            Cell::Number("-0.5".to_owned()),
            Cell::Text("größe"),
        ]);
        assert_eq!(table.0, "\"a,b\",\"say \"\"x\"\"\nand\",\"'=1+1\",-0.5,größe\r\n");
    }
}
