//! Model families: what each leaves to us beyond Converse.
//!
//! A family is asked by name ("how do you sample?"); no mapping looks into a model id itself.

mod claude;
mod media;

pub use media::{MediaSupport, media};

/// Which of `temperature` and `top_p` a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Both together.
    Both,
    /// One of them.
    Either,
    /// Neither, not even with the default value.
    Neither,
}

/// How the model `model_id` takes sampling parameters. A model that no family knows takes both.
pub fn sampling(model_id: &str) -> Sampling {
    claude::Version::of(model_id).map_or(Sampling::Both, claude::Version::sampling)
}
