//! Kinds whose values are words.

/// Types whose values are words. A value without a word doesn't compile.
macro_rules! words {
    ($($kind:ident: $expected:literal, $placeholder:literal, { $($value:ident = $word:literal,)+ })+) => {
        $(impl $crate::settings::kind::Kind for $kind {
            const EXPECTED: &'static str = $expected;
            const PLACEHOLDER: &'static str = $placeholder;

            fn from_text(text: &str) -> Result<Self, $crate::settings::kind::Invalid> {
                match text {
                    $($word => Ok(Self::$value),)+
                    _ => Err($crate::settings::kind::Invalid::kind()),
                }
            }

            fn show(&self) -> Option<serde_json::Value> {
                Some(serde_json::json!(match self {
                    $(Self::$value => $word,)+
                }))
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),+] })
            }
        })+
    };
}

pub(super) use words;
