//! The way of a request through the targets that may answer it. Which target comes next is decided in
//! `outcrop-routing`; here it is done.

mod attempt;
mod course;
mod fill;
mod glance;
mod hold;
mod told;
mod verdict;

pub(crate) use course::{Course, Next, Patience, Stop};
pub(crate) use fill::Fill;
pub(crate) use glance::Glance;
pub(crate) use hold::{Hold, Missed, Sent, share};
pub use told::{RouteView, Wanted};
pub(crate) use verdict::Verdict;
