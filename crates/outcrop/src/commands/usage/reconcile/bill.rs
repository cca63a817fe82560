//! A cost and usage report: AWS's CUR, CUR 2.0, or an export in FOCUS.

use std::io::Read as _;

use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use outcrop_tenants::Money;

/// The most bytes of a report that is unpacked.
const MOST: u64 = 4 << 30;

/// The lines of a report that are Bedrock's.
#[derive(Debug, Default)]
pub(super) struct Bill {
    pub(super) lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// `2026-11-21`, in UTC.
    pub(super) day: String,
    pub(super) usage_type: String,
    /// The name of the product: models of the marketplace have one each.
    pub(super) product: String,
    pub(super) resource: String,
    pub(super) amount: f64,
    pub(super) unit: String,
    pub(super) cost: Money,
    /// What kind of line it is, where it is not usage: `Tax`, `Credit`.
    pub(super) other: Option<String>,
}

/// The columns that are looked at, by the names that the three forms have for them. CUR's own file has slashes.
const COLUMNS: [(&str, &[&str]); 9] = [
    (
        "start",
        &[
            "line_item_usage_start_date",
            "lineitem/usagestartdate",
            "chargeperiodstart",
        ],
    ),
    (
        "usage type",
        &["line_item_usage_type", "lineitem/usagetype", "x_usagetype", "skumeter"],
    ),
    (
        "cost",
        &["line_item_unblended_cost", "lineitem/unblendedcost", "billedcost"],
    ),
    (
        "code",
        &["line_item_product_code", "lineitem/productcode", "x_servicecode"],
    ),
    (
        "product",
        &[
            "product_product_name",
            "product/productname",
            "product_servicename",
            "product/servicename",
            "servicename",
        ],
    ),
    (
        "resource",
        &["line_item_resource_id", "lineitem/resourceid", "resourceid"],
    ),
    (
        "amount",
        &["line_item_usage_amount", "lineitem/usageamount", "consumedquantity"],
    ),
    ("unit", &["pricing_unit", "pricing/unit", "consumedunit", "pricingunit"]),
    (
        "kind",
        &["line_item_line_item_type", "lineitem/lineitemtype", "chargecategory"],
    ),
];

/// As many of them must be there.
const NEEDED: usize = 3;

impl Bill {
    /// Reads a report, packed or not.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Self::parse(bytes);
        }
        let mut unpacked = Vec::new();
        let read = MultiGzDecoder::new(bytes).take(MOST).read_to_end(&mut unpacked);
        read.map_err(|error| format!("it can't be unpacked: {error}"))?;
        Self::parse(&unpacked)
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let head = reader.headers().map_err(|error| error.to_string())?.clone();
        let place = |names: &[&str]| {
            let mut found = names.iter();
            found.find_map(|name| head.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
        };
        let places = COLUMNS.map(|(_, names)| place(names));
        let mut needed = COLUMNS.iter().zip(&places).take(NEEDED);
        if let Some(((what, names), _)) = needed.find(|(_, place)| place.is_none()) {
            return Err(format!("it has no column for the {what}: {}", names.join(", ")));
        }
        let mut bill = Self::default();
        for (index, record) in reader.records().enumerate() {
            let number = index + 2;
            let record = record.map_err(|error| error.to_string())?;
            let line = Line::of(&record, &places).map_err(|error| format!("line {number}: {error}"))?;
            bill.lines.extend(line);
        }
        Ok(bill)
    }

    /// The first and the last day, in days since 1970.
    pub(super) fn days(&self) -> Option<(i64, i64)> {
        let days = || {
            self.lines
                .iter()
                .filter_map(|line| super::compare::day_number(&line.day))
        };
        Some((days().min()?, days().max()?))
    }
}

impl Line {
    /// `None`, if it isn't Bedrock's.
    fn of(record: &StringRecord, places: &[Option<usize>; 9]) -> Result<Option<Self>, String> {
        let cell = |index: Option<usize>| index.and_then(|index| record.get(index)).unwrap_or_default().trim();
        let [start, usage_type, cost, code, product, resource, amount, unit, kind] = places.map(cell);
        let is_bedrock = |text: &str| text.to_ascii_lowercase().contains("bedrock");
        if !is_bedrock(code) && !is_bedrock(product) && !is_bedrock(resource) {
            return Ok(None);
        }
        let number = |text: &str, what: &str| match text {
            "" => Ok(0.0),
            text => text.parse::<f64>().map_err(|_| format!("'{text}' is no {what}")),
        };
        let dollars = number(cost, "cost")?;
        let is_usage = ["", "usage", "discountedusage"].contains(&kind.to_ascii_lowercase().as_str());
        Ok(Some(Self {
            day: start.get(..10).unwrap_or(start).to_owned(),
            usage_type: usage_type.to_owned(),
            product: product.to_owned(),
            resource: resource.to_owned(),
            amount: number(amount, "amount")?,
            unit: unit.to_owned(),
            cost: Money::from_dollars(dollars).ok_or_else(|| format!("'{cost}' is no cost"))?,
            other: (!is_usage).then(|| kind.to_owned()),
        }))
    }
}
