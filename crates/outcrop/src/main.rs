//! The Outcrop binary.
fn main() {}
