//! Ids, and what else must be made up.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::StoreError;

/// Digits of ids.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| sqlx::Error::Io(std::io::Error::other("the system gives no random bytes")))?;
    Ok(bytes)
}

/// A new id: 100 random bits behind its beginning.
pub(crate) fn id(beginning: &str) -> Result<String, StoreError> {
    let digits = bytes::<20>()?.map(|byte| char::from(DIGITS[usize::from(byte) % DIGITS.len()]));
    Ok(beginning.chars().chain(digits).collect())
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
