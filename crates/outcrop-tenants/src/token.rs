//! How keys look, and how they are known again without being kept.

use std::fmt;

use ring::hmac;
use subtle::ConstantTimeEq as _;

/// Digits of the random parts.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits of the part that a key is looked up by: 71 bits, so that no two are the same.
const PREFIX_DIGITS: usize = 12;
/// Digits of the part that nobody can guess: 238 bits.
const SECRET_DIGITS: usize = 40;

/// What a key is for, which shows in its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Asking models: `sk-oc-…`. OpenAI's keys begin with `sk-`, and so do those that LiteLLM's scripts expect.
    Client,
    /// Administration: `sk-oca-…`.
    Admin,
}

impl TokenKind {
    fn beginning(self) -> &'static str {
        match self {
            Self::Client => "sk-oc-",
            Self::Admin => "sk-oca-",
        }
    }
}

/// A key as its owner has it: `sk-oc-PREFIX-SECRET`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    kind: TokenKind,
    text: String,
}

/// A text doesn't look like a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of this gateway's form")]
pub struct TokenError;

impl Token {
    /// How many random bytes a new key takes.
    pub const RANDOM_BYTES: usize = 2 * (PREFIX_DIGITS + SECRET_DIGITS);

    /// A new key, of random bytes that nobody else knows.
    #[must_use]
    pub fn new(kind: TokenKind, random: &[u8; Self::RANDOM_BYTES]) -> Self {
        // Sixteen bits for each digit: the digits' chances differ by less than a thousandth.
        let mut digits = random.chunks_exact(2).map(|pair| {
            let number = usize::from(pair[0]) << 8 | usize::from(pair[1]);
            char::from(DIGITS[number % DIGITS.len()])
        });
        let mut text = kind.beginning().to_owned();
        text.extend(digits.by_ref().take(PREFIX_DIGITS));
        text.push('-');
        text.extend(digits);
        Self { kind, text }
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When it is none of ours by its form alone.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let (kind, rest) = [TokenKind::Client, TokenKind::Admin]
            .into_iter()
            .find_map(|kind| Some((kind, text.strip_prefix(kind.beginning())?)))
            .ok_or(TokenError)?;
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric();
        match rest.split_once('-') {
            Some((prefix, secret))
                if prefix.len() == PREFIX_DIGITS
                    && secret.len() == SECRET_DIGITS
                    && prefix.bytes().all(is_digit)
                    && secret.bytes().all(is_digit) =>
            {
                Ok(Self {
                    kind,
                    text: text.to_owned(),
                })
            }
            _ => Err(TokenError),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The key itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The part that it is looked up by, and that may be shown: `sk-oc-PREFIX`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.text[..self.kind.beginning().len() + PREFIX_DIGITS]
    }
}

impl fmt::Debug for Token {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}-…)", self.prefix())
    }
}

/// The secret by which keys are hashed: whoever has the database alone can't try keys.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// A secret of at least 16 bytes; `None` if there are fewer.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= 16).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// What is kept of a key.
    #[must_use]
    pub fn hash(&self, token: &Token) -> KeyHash {
        self.hash_text(&token.text)
    }

    /// What is kept of any other secret text.
    #[must_use]
    pub fn hash_text(&self, text: &str) -> KeyHash {
        let tag = hmac::sign(&self.0, text.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        KeyHash(hash)
    }

    /// Signs bytes for this gateway's own use.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&self.0, bytes).as_ref());
        signature
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// What is kept of a key: HMAC-SHA256.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// As it was kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be kept.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyHash {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(kind: TokenKind) -> Token {
        let mut random = [0; Token::RANDOM_BYTES];
        for (index, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(index * 7 % 251).unwrap();
        }
        Token::new(kind, &random)
    }

    #[test]
    fn a_key_is_read_as_it_was_made() {
        for kind in [TokenKind::Client, TokenKind::Admin] {
            let token = token(kind);
            assert_eq!(Token::parse(token.reveal()).unwrap(), token);
            assert!(token.reveal().starts_with(token.prefix()));
            assert_eq!(token.reveal().len() - token.prefix().len(), 41);
        }
        for wrong in ["", "sk-", "sk-oc-", "sk-oc-abc-def", "sk-proj-abcdefghijkl"] {
            assert_eq!(Token::parse(wrong), Err(TokenError), "{wrong}");
        }
        let mut longer = token(TokenKind::Client).reveal().to_owned();
        longer.push('a');
        assert_eq!(Token::parse(&longer), Err(TokenError));
    }

    #[test]
    fn nothing_shows_the_secret() {
        let token = token(TokenKind::Client);
        let secret = &token.reveal()[token.prefix().len()..];
        assert!(!format!("{token:?}").contains(secret));
        let pepper = Pepper::new(b"0123456789abcdef").unwrap();
        assert!(pepper.hash(&token) == pepper.hash(&token));
        let other = Pepper::new(b"0123456789abcdeg").unwrap();
        assert!(pepper.hash(&token) != other.hash(&token));
        assert!(Pepper::new(b"short").is_none());
    }
}
