//! Databases.

use outcrop_upstream::Value as Reference;
use serde_json::{Value, json};

use super::reference::{MASK, written};
use super::routing::without_password;
use crate::settings::kind::{Invalid, Kind};

/// Where tenants, keys and usage are kept. Its password never shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in `state_dir`; in memory for simulated models.
    Default,
    /// In memory.
    Memory,
    /// Nowhere.
    Nowhere,
    /// At a URL, or where that stands.
    At(Reference),
}

impl Database {
    /// Whether text is a URL of a database.
    pub(crate) fn is_url(text: &str) -> bool {
        ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.show())
    }
}

impl Kind for Database {
    const EXPECTED: &'static str = "`memory`, `none`, `sqlite:PATH` or a `postgres://` URL";
    const PLACEHOLDER: &'static str = "URL";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "" => return Ok(Self::Default),
            "memory" => return Ok(Self::Memory),
            "none" => return Ok(Self::Nowhere),
            _ if text.contains(MASK) => {
                return Err(Invalid::because(
                    "its password is the mask that `outcrop config print` shows in place of secrets",
                ));
            }
            _ => {}
        }
        match Reference::parse(text).map_err(Invalid::because)? {
            Reference::Literal(url) if !Self::is_url(&url) => Err(Invalid::kind()),
            value => Ok(Self::At(value)),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(match self {
            Self::Default => json!(""),
            Self::Memory => json!("memory"),
            Self::Nowhere => json!("none"),
            Self::At(Reference::Literal(url)) => json!(without_password(url)),
            Self::At(reference) => json!(written(reference)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows() {
        let database = Database::from_text("postgres://outcrop:hush@db/outcrop?sslmode=require").unwrap();
        assert!(!format!("{database:?} {:?}", database.show()).contains("hush"));
        assert!(Database::from_text(&format!("postgres://outcrop:{MASK}@db/outcrop")).is_err());
        for bad in ["sqlite:", "mysql://db/outcrop", "outcrop.db", "postgres://"] {
            assert!(Database::from_text(bad).is_err(), "{bad}");
        }
        for good in ["", "memory", "none", "sqlite:outcrop.db", "os.environ/DATABASE_URL"] {
            assert_eq!(Database::from_text(good).unwrap().show(), Some(json!(good)), "{good}");
        }
    }
}
