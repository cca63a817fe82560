//! The way of a request through the targets that may answer it. Which target comes next is decided in
//! `outcrop-routing`; here it is done.

mod course;
mod fill;
mod glance;
mod verdict;

pub(crate) use course::{Course, Next, Patience, Sent};
pub(crate) use fill::Fill;
pub(crate) use glance::Glance;
pub(crate) use verdict::Verdict;
