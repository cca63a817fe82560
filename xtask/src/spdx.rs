//! Licence expressions: SPDX, as far as crates.io's packages use it, and its old spelling with a slash for OR.

use std::collections::BTreeSet;

/// A licence expression.
#[derive(Debug, PartialEq)]
pub(crate) enum Expression {
    /// One licence, with its exception if it has one: `Apache-2.0 WITH LLVM-exception`.
    Licence(String),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is not one; the message says where it stops being one.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut parser = Parser { words: &words };
        let expression = parser.or()?;
        match parser.words.first() {
            None => Ok(expression),
            Some(word) => Err(format!("`{word}` is one word too many")),
        }
    }

    /// Whether accepting the licences in `allowed` is enough to use the work.
    pub(crate) fn satisfied_by(&self, allowed: &BTreeSet<String>) -> bool {
        match self {
            Self::Licence(name) => allowed.contains(name),
            Self::And(left, right) => left.satisfied_by(allowed) && right.satisfied_by(allowed),
            Self::Or(left, right) => left.satisfied_by(allowed) || right.satisfied_by(allowed),
        }
    }

    /// Every licence it names.
    pub(crate) fn licences(&self) -> Vec<&str> {
        match self {
            Self::Licence(name) => vec![name],
            Self::And(left, right) | Self::Or(left, right) => {
                let mut all = left.licences();
                all.extend(right.licences());
                all
            }
        }
    }
}

/// AND binds tighter than OR, WITH tighter than both.
struct Parser<'a> {
    words: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expression, String> {
        let mut left = self.and()?;
        while self.take("OR") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut left = self.licence()?;
        while self.take("AND") {
            left = Expression::And(Box::new(left), Box::new(self.licence()?));
        }
        Ok(left)
    }

    fn licence(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inside = self.or()?;
            return if self.take(")") {
                Ok(inside)
            } else {
                Err("a closing parenthesis is missing".to_owned())
            };
        }
        let name = self.name()?;
        if self.take("WITH") {
            return Ok(Expression::Licence(format!("{name} WITH {}", self.name()?)));
        }
        Ok(Expression::Licence(name.to_owned()))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.words.split_first() {
            Some((word, rest)) if !matches!(*word, "AND" | "OR" | "WITH" | "(" | ")") => {
                self.words = rest;
                Ok(word)
            }
            Some((word, _)) => Err(format!("`{word}` stands where a licence should")),
            None => Err("it ends where a licence should stand".to_owned()),
        }
    }

    fn take(&mut self, wanted: &str) -> bool {
        match self.words.split_first() {
            Some((word, rest)) if *word == wanted => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn satisfied(expression: &str, allowed: &[&str]) -> bool {
        let allowed = allowed.iter().map(ToString::to_string).collect();
        Expression::parse(expression).unwrap().satisfied_by(&allowed)
    }

    #[test]
    fn one_side_of_an_or_is_enough_and_both_of_an_and_are_needed() {
        assert!(satisfied("MIT OR GPL-3.0", &["MIT"]));
        assert!(!satisfied("MIT AND GPL-3.0", &["MIT"]));
        assert!(satisfied(
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            &["Apache-2.0", "Unicode-3.0"]
        ));
        assert!(!satisfied(
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            &["MIT", "Apache-2.0"]
        ));
        assert!(satisfied("GPL-3.0 AND GPL-2.0 OR MIT", &["MIT"]));
    }

    #[test]
    fn a_slash_is_an_or() {
        assert!(satisfied("MIT/Apache-2.0", &["Apache-2.0"]));
        assert!(satisfied("Apache-2.0 / MIT", &["MIT"]));
    }

    #[test]
    fn an_exception_makes_another_licence() {
        assert!(!satisfied("Apache-2.0 WITH LLVM-exception", &["Apache-2.0"]));
        assert!(satisfied(
            "Apache-2.0 WITH LLVM-exception",
            &["Apache-2.0 WITH LLVM-exception"]
        ));
    }

    #[test]
    fn what_is_not_an_expression_is_refused() {
        for text in ["", "MIT OR", "AND MIT", "MIT Apache-2.0", "(MIT", "MIT)", "MIT WITH"] {
            assert!(Expression::parse(text).is_err(), "{text:?}");
        }
    }
}
