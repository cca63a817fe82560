//! What the binary says that it is. Other sides of it (`User-Agent`, the banner, the description of the API) say the
//! version alone: which commit a deployment runs is nobody else's business.

/// The version alone.
pub(crate) const PLAIN: &str = env!("CARGO_PKG_VERSION");

/// The version with the commit and its day, where the build knows them: `0.1.0 (1a2b3c4d5 2026-11-22)`.
pub(crate) const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), env!("OUTCROP_BUILD"));

/// The same, and what it takes to build the same binary again.
pub(crate) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    env!("OUTCROP_BUILD"),
    "\ntarget: ",
    env!("OUTCROP_TARGET"),
    "\nrustc: ",
    env!("OUTCROP_RUSTC"),
);

/// The day of the commit, or nothing.
pub(crate) const DATE: &str = env!("OUTCROP_DATE");
