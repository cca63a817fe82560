//! Bytes to records of usage: whatever a disk gives back, reading it ends, and tells of each byte. Records around damage
//! are read.
#![no_main]

// The file alone: its crate has databases with it.
#[path = "../../crates/outcrop-store/src/journal/frame.rs"]
mod frame;

use frame::{Found, Frames, encode};
use libfuzzer_sys::fuzz_target;
use outcrop_tenants::UsageRecord;

fuzz_target!(|bytes: &[u8]| {
    let mut told = 0;
    let mut frames = Frames::new(bytes);
    for found in frames.by_ref() {
        match found {
            Found::Record(record) => {
                let mut again = Vec::new();
                encode(&record, &mut again);
                assert!(matches!(Frames::new(&again).next(), Some(Found::Record(_))));
            }
            Found::Damage(bytes) | Found::Torn(bytes) => told += bytes.len(),
        }
    }
    assert_eq!(frames.position(), bytes.len());
    assert!(told <= bytes.len());
    // Between two records, it hides neither the one before nor the one behind it.
    let record = |id: &str| UsageRecord {
        id: id.to_owned(),
        ..UsageRecord::default()
    };
    let mut between = Vec::new();
    encode(&record("before"), &mut between);
    between.extend_from_slice(bytes);
    encode(&record("behind"), &mut between);
    let read: Vec<String> = Frames::new(&between)
        .filter_map(|found| match found {
            Found::Record(record) => Some(record.id),
            _ => None,
        })
        .collect();
    assert_eq!(read.first().map(String::as_str), Some("before"));
    assert_eq!(read.last().map(String::as_str), Some("behind"));
});
