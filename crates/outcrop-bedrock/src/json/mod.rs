//! JSON for the hot path: a pull reader that hands out slices of the document, and a writer that copies them.
//!
//! Why not `serde_json`: a gateway carries most of a request (texts, tool schemas, images) from one envelope into
//! another without looking inside. Slices of the client's own JSON do that without unescaping and escaping again, and
//! a pull reader knows the path of a fault without a second parse. `serde_json` is the oracle of its tests, and
//! `benches/json.rs` holds the comparison.

mod read;
mod scan;
mod text;
mod write;

pub use read::{Fault, Kind, MAX_DEPTH, Reader};
pub use text::{Json, JsonText};
pub use write::{ObjectWriter, ToJson, write_array, write_str};

#[cfg(test)]
mod tests;
