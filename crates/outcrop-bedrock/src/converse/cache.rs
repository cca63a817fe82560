//! Cache points: where the prefix ends that a model may remember.

use crate::json::ObjectWriter;

/// How long a prefix is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheTtl {
    /// As the model does by itself: five minutes (Bedrock's user guide, read 2026-11).
    #[default]
    Default,
    /// `5m`
    FiveMinutes,
    /// `1h`, for models that offer it.
    OneHour,
}

impl CacheTtl {
    /// Writes the member `cachePoint`.
    pub(super) fn write(self, block: &mut ObjectWriter<'_>) {
        block.object("cachePoint", |point| {
            point.field("type", "default");
            match self {
                Self::Default => {}
                Self::FiveMinutes => point.field("ttl", "5m"),
                Self::OneHour => point.field("ttl", "1h"),
            }
        });
    }
}
