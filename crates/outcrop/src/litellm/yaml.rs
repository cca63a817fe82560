//! YAML as settings files have it: each value with its line.
//!
//! Plain words are read as Python's readers of YAML do, for whom files are written: `yes` is true.

use std::collections::HashMap;
use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::settings::{Origin, Raw, RawTable};

/// How deep values may lie in one another.
const DEEPEST: usize = 64;
/// How many values a file may come to, with all that its aliases repeat.
const MOST: usize = 100_000;

/// Why a file is no YAML that can be read, and where.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) origin: Origin,
    pub(super) message: String,
}

/// What a file holds: `None` if that is nothing.
pub(super) fn read(path: &Path, text: &str) -> Result<Option<Raw>, Mistake> {
    let mut builder = Builder {
        path,
        open: Vec::new(),
        anchors: HashMap::new(),
        count: 0,
        root: None,
    };
    let mut is_read = false;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Mistake {
            origin: Origin::File(path.to_owned(), error.marker().line()),
            // Only the message: what stands in the line may be a secret.
            message: error.info().to_owned(),
        })?;
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) if is_read => {
                return Err(builder.mistake(line, "there is a second document in it; only one is read"));
            }
            Event::DocumentStart(_) => is_read = true,
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.suffix == "str");
                let value = match style {
                    ScalarStyle::Plain if !is_text => plain(&text),
                    _ => Some(Raw::Text(text.into_owned())),
                };
                builder.value(value, anchor, line)?;
            }
            Event::SequenceStart(anchor, _) => builder.open(Open::List(Vec::new()), anchor, line)?,
            Event::MappingStart(anchor, _) => {
                let mapping = Mapping::new(builder.at(line));
                builder.open(Open::Table(mapping, None), anchor, line)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(line)?,
            Event::Alias(anchor) => {
                let value = builder.anchors.get(&anchor).cloned();
                let value = value.ok_or_else(|| builder.mistake(line, "an alias stands before what it means"))?;
                builder.count += value.as_ref().map_or(1, size);
                builder.value(value, 0, line)?;
            }
            _ => {}
        }
        if builder.count > MOST {
            return Err(builder.mistake(line, "it has too many values in it"));
        }
    }
    Ok(builder.root)
}

struct Builder<'a> {
    path: &'a Path,
    /// What has begun and not ended, each with its anchor.
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Option<Raw>>,
    count: usize,
    root: Option<Raw>,
}

enum Open {
    List(Vec<Raw>),
    /// With the key whose value comes next.
    Table(Mapping, Option<(String, Origin)>),
}

/// A table as it grows.
struct Mapping {
    origin: Origin,
    /// In their order, with gaps where another of the same name followed.
    members: Vec<Option<(String, Origin, Raw)>>,
    /// Where each stands.
    places: HashMap<String, usize>,
}

impl Mapping {
    fn new(origin: Origin) -> Self {
        Self {
            origin,
            members: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Of two, the last counts, also where it is null.
    fn put(&mut self, name: String, origin: Origin, value: Option<Raw>) {
        if let Some(earlier) = self.places.remove(&name).and_then(|place| self.members.get_mut(place)) {
            *earlier = None;
        }
        if let Some(value) = value {
            self.places.insert(name.clone(), self.members.len());
            self.members.push(Some((name, origin, value)));
        }
    }

    /// `<<`: the members of other tables, where the table itself hasn't them.
    fn merge(&mut self, value: Option<Raw>) {
        let tables = match value {
            Some(Raw::List(items)) => items,
            other => other.into_iter().collect(),
        };
        for item in tables {
            let Raw::Table(other) = item else { continue };
            for (name, origin, value) in other.members {
                if !self.places.contains_key(&name) {
                    self.put(name, origin, Some(value));
                }
            }
        }
    }

    fn into_table(self) -> RawTable {
        RawTable {
            origin: self.origin,
            members: self.members.into_iter().flatten().collect(),
        }
    }
}

impl Builder<'_> {
    fn at(&self, line: usize) -> Origin {
        Origin::File(self.path.to_owned(), line)
    }

    fn mistake(&self, line: usize, message: &str) -> Mistake {
        Mistake {
            origin: self.at(line),
            message: message.to_owned(),
        }
    }

    fn open(&mut self, open: Open, anchor: usize, line: usize) -> Result<(), Mistake> {
        if self.open.len() >= DEEPEST {
            return Err(self.mistake(line, "values lie too deep in one another"));
        }
        if matches!(self.open.last(), Some((Open::Table(_, None), _))) {
            return Err(self.mistake(line, "a key is no text"));
        }
        self.open.push((open, anchor));
        Ok(())
    }

    fn close(&mut self, line: usize) -> Result<(), Mistake> {
        let (value, anchor) = match self.open.pop() {
            Some((Open::List(items), anchor)) => (Raw::List(items), anchor),
            Some((Open::Table(mapping, _), anchor)) => (Raw::Table(mapping.into_table()), anchor),
            None => return Ok(()),
        };
        self.value(Some(value), anchor, line)
    }

    /// A value is whole; `None` is null, which is as good as absent.
    fn value(&mut self, value: Option<Raw>, anchor: usize, line: usize) -> Result<(), Mistake> {
        self.count += 1;
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        let at = self.at(line);
        let wrong_key = |what| Mistake {
            origin: Origin::File(self.path.to_owned(), line),
            message: format!("a key is {what}, not text"),
        };
        match self.open.last_mut() {
            None => self.root = value,
            Some((Open::List(items), _)) => items.extend(value),
            Some((Open::Table(mapping, key), _)) => match key.take() {
                None => {
                    *key = Some(match value {
                        Some(Raw::Text(name)) => (name, at),
                        Some(Raw::Integer(number)) => (number.to_string(), at),
                        Some(Raw::Float(number)) => (number.to_string(), at),
                        Some(Raw::Bool(truth)) => (truth.to_string(), at),
                        Some(_) => return Err(wrong_key("a list or a table")),
                        None => return Err(wrong_key("null")),
                    });
                }
                Some((name, _)) if name == "<<" => mapping.merge(value),
                Some((name, origin)) => mapping.put(name, origin, value),
            },
        }
        Ok(())
    }
}

fn size(value: &Raw) -> usize {
    match value {
        Raw::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Raw::Table(table) => 1 + table.members.iter().map(|(_, _, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// What a word without quotes means; `None` for null.
fn plain(text: &str) -> Option<Raw> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => return None,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Raw::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Raw::Bool(false),
        _ => number(text).unwrap_or_else(|| Raw::Text(text.to_owned())),
    })
}

fn number(text: &str) -> Option<Raw> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // Words such as `inf` and `nan` are names here, and a number that begins with 0 may be an account's.
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    if digits.bytes().all(is_plain) {
        let is_padded = digits.len() > 1 && digits.starts_with('0');
        let whole = text.replace('_', "").parse().ok().filter(|_| !is_padded);
        return whole.map(Raw::Integer);
    }
    let is_float = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    if !digits.bytes().all(is_float) {
        return None;
    }
    text.parse().ok().map(Raw::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let read = read(Path::new("x.yaml"), text).unwrap().expect("it holds something");
        read.json().expect("it is JSON").to_string()
    }

    #[test]
    fn values_are_what_python_takes_them_for() {
        let text = "a: [1, 1.5, 1e3, yes, off, ~, '1', 1_000, 007, 1.2.3, us-east-1]\nb: {c: null, d: \"e\"}\nf: |\n  x\n  y\n";
        assert_eq!(
            json(text),
            r#"{"a":[1,1.5,1000.0,true,false,"1",1000,"007","1.2.3","us-east-1"],"b":{"d":"e"},"f":"x\ny\n"}"#
        );
        assert!(read(Path::new("x.yaml"), "# nothing\n").unwrap().is_none());
    }

    #[test]
    fn anchors_are_repeated_and_merged() {
        let text = "base: &base {a: 1, b: 2}\none:\n  <<: *base\n  b: 3\ntwo: *base\n";
        assert_eq!(
            json(text),
            r#"{"base":{"a":1,"b":2},"one":{"a":1,"b":3},"two":{"a":1,"b":2}}"#
        );
    }

    #[test]
    fn of_keys_that_stand_twice_the_last_counts() {
        assert_eq!(json("a: 1\nb: 2\na: 3\n"), r#"{"a":3,"b":2}"#);
        assert_eq!(json("a: 1\nb: 2\na: null\n"), r#"{"b":2}"#);
        assert_eq!(
            json("x: &x {a: 1, b: 2}\ny: {<<: *x, a: ~}\n"),
            r#"{"x":{"a":1,"b":2},"y":{"b":2}}"#
        );
        // Each key once, however many there are.
        let many: String = (0..40_000).map(|number| format!("k{number}: {number}\n")).collect();
        let Some(Raw::Table(table)) = read(Path::new("x.yaml"), &format!("{many}k7: last\n")).unwrap() else {
            panic!("it is a table");
        };
        assert_eq!(table.members.len(), 40_000);
        assert!(matches!(table.members.last(), Some((name, _, Raw::Text(text))) if name == "k7" && text == "last"));
    }

    #[test]
    fn lines_are_known() {
        let Some(Raw::Table(table)) = read(Path::new("x.yaml"), "a: 1\nb:\n  - c: 2\n    d: 3\n").unwrap() else {
            panic!("it is a table");
        };
        assert_eq!(table.get("b").unwrap().0.to_string(), "x.yaml:2");
        let Some((_, Raw::List(items))) = table.get("b") else {
            panic!("it is a list");
        };
        let Raw::Table(item) = &items[0] else {
            panic!("it is a table");
        };
        assert_eq!(item.origin.to_string(), "x.yaml:3");
        assert_eq!(item.get("d").unwrap().0.to_string(), "x.yaml:4");
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line_and_without_its_text() {
        for (text, line) in [
            ("a: 1\nb: [hush\n", "x.yaml:3"),
            ("a: 1\n---\nb: 2\n", "x.yaml:2"),
            ("a: *b\n", "x.yaml:1"),
            ("a: 1\n? [x]\n: 1\n", "x.yaml:2"),
        ] {
            let mistake = read(Path::new("x.yaml"), text).unwrap_err();
            assert_eq!(mistake.origin.to_string(), line, "{text}: {}", mistake.message);
            assert!(!mistake.message.contains("hush"));
        }
    }

    #[test]
    fn a_file_cannot_grow_without_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let last = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", vec![last; 10].join(", "));
        }
        assert!(read(Path::new("x.yaml"), &text).is_err());
        assert!(read(Path::new("x.yaml"), &"[".repeat(10_000)).is_err());
    }
}
