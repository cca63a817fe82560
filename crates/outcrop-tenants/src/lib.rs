//! Organizations, projects and keys: what they may do, and what they may spend.
//!
//! This crate has no sockets, no clock and no randomness: whoever asks says what time it is, and brings random bytes.
//! It knows neither the database nor HTTP. [`Settings`] is what an operator says of an organization, a project or a
//! key; [`Token`] is how a key looks; [`UsageRecord`] is what one request leaves behind. [`limits`] is the engine that
//! holds what they may do within a time.

mod entity;
pub mod limits;
mod money;
pub mod presigned;
mod settings;
mod token;
mod usage;
pub mod validate;

pub use entity::{AdminKey, AuditEntry, Credential, CredentialKind, Id, Organization, Project, Role, Status};
pub use money::{Money, MoneyError};
pub use settings::{Budget, GuardrailSetting, Period, Settings};
pub use token::{KeyHash, Pepper, Token, TokenError, TokenKind};
pub use usage::{Estimate, TokenCounts, UsageRecord};
